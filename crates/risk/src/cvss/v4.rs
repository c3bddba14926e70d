//! CVSS v4.0 (FIRST, 2023): metrics, and the score by MacroVector and interpolation (specification section 8.2).
//!
//! The interpolation is a mean of fractions of tenths. It is summed over a common denominator and rounded half up
//! once, so that a tie is a tie; the reference calculator adds 10^-6 before rounding to the same end.

use super::score::Score;
use super::v4_macro::{self, Levels, MacroVector};
use super::vector::{Metric, Values, may, must};

const IMPACT: [&str; 3] = ["H", "L", "N"];
const MODIFIED_IMPACT: [&str; 4] = ["X", "H", "L", "N"];
const MODIFIED_SUBSEQUENT: [&str; 5] = ["X", "S", "H", "L", "N"];
const REQUIREMENT: [&str; 4] = ["X", "H", "M", "L"];

/// Order of table 23. The values of a metric are in order of falling severity, so that a value's number is its
/// severity level; "not defined" comes before them.
pub(super) static METRICS: [Metric; 32] = [
    must("AV", &["N", "A", "L", "P"]),
    must("AC", &["L", "H"]),
    must("AT", &["N", "P"]),
    must("PR", &["N", "L", "H"]),
    must("UI", &["N", "P", "A"]),
    must("VC", &IMPACT),
    must("VI", &IMPACT),
    must("VA", &IMPACT),
    must("SC", &IMPACT),
    must("SI", &IMPACT),
    must("SA", &IMPACT),
    may("E", &["X", "A", "P", "U"]),
    may("CR", &REQUIREMENT),
    may("IR", &REQUIREMENT),
    may("AR", &REQUIREMENT),
    may("MAV", &["X", "N", "A", "L", "P"]),
    may("MAC", &["X", "L", "H"]),
    may("MAT", &["X", "N", "P"]),
    may("MPR", &["X", "N", "L", "H"]),
    may("MUI", &["X", "N", "P", "A"]),
    may("MVC", &MODIFIED_IMPACT),
    may("MVI", &MODIFIED_IMPACT),
    may("MVA", &MODIFIED_IMPACT),
    may("MSC", &MODIFIED_IMPACT),
    may("MSI", &MODIFIED_SUBSEQUENT),
    may("MSA", &MODIFIED_SUBSEQUENT),
    may("S", &["X", "N", "P"]),
    may("AU", &["X", "N", "Y"]),
    may("R", &["X", "A", "U", "I"]),
    may("V", &["X", "D", "C"]),
    may("RE", &["X", "L", "M", "H"]),
    may("U", &["X", "Clear", "Green", "Amber", "Red"]),
];

/// First metric of each group.
const THREAT: usize = 11;
const ENVIRONMENTAL: usize = 12;
const SUPPLEMENTAL: usize = 26;

/// Threat and environmental metrics.
pub(super) const GROUPS: [std::ops::Range<usize>; 2] = [THREAT..ENVIRONMENTAL, ENVIRONMENTAL..SUPPLEMENTAL];

/// Common denominator of every severity depth.
const DEPTHS: i32 = 840;

/// Severity levels after the modified metrics replaced the base metrics and undefined ones took their worst case.
fn levels(values: &Values) -> Levels {
    let defined = |at: usize| i32::from(values[at].saturating_sub(1));
    let modified = |base: usize, modified: usize| match values[modified] {
        0 => i32::from(values[base]),
        value => i32::from(value) - 1,
    };
    // Subsequent systems have a level "safety" above high; only the modified metrics can state it.
    let subsequent = |base: usize, modified: usize| match values[modified] {
        0 => i32::from(values[base]) + 1,
        value => i32::from(value) - 1,
    };
    Levels {
        eq1: [modified(0, 15), modified(3, 18), modified(4, 19)],
        eq2: [modified(1, 16), modified(2, 17)],
        eq3eq6: [modified(5, 20), modified(6, 21), modified(7, 22), defined(12), defined(13), defined(14)],
        eq4: [modified(8, 23) + 1, subsequent(9, 24), subsequent(10, 25)],
        eq5: defined(THREAT),
    }
}

fn score(values: &Values) -> Score {
    let levels = levels(values);
    if levels.no_impact() {
        return Score::ZERO;
    }
    let vector = MacroVector::of(&levels);
    // Every MacroVector that a vector can have is in the table (tested).
    let Some(own) = v4_macro::lookup(vector) else {
        return Score::ZERO;
    };
    let mut lower_sets = 0;
    let mut sum = 0;
    for (lower, distance, depth) in vector.steps_down(&levels) {
        if let Some(lower) = lower {
            lower_sets += 1;
            sum += (own - lower) * distance * (DEPTHS / depth);
        }
    }
    let tenths = if lower_sets == 0 {
        own
    } else {
        let unit = DEPTHS * lower_sets;
        (2 * (own * unit - sum) + unit).div_euclid(2 * unit)
    };
    Score::clamped(i128::from(tenths))
}

/// Base score (CVSS-B), with threat metrics (CVSS-BT), and with environmental metrics too (CVSS-BTE).
pub(super) fn scores(values: &Values) -> [Score; 3] {
    [THREAT, ENVIRONMENTAL, SUPPLEMENTAL].map(|end| {
        let mut kept = *values;
        kept[end..].fill(0);
        score(&kept)
    })
}

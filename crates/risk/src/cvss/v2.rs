//! CVSS v2 (FIRST, "A Complete Guide to the Common Vulnerability Scoring System Version 2.0", 2007), section 3.2.
//!
//! Weights are whole thousandths or hundredths, so that every product is exact; the unit of each result is in its name.

use super::score::Score;
use super::vector::{Metric, Values, may, must};

const CIA: [&str; 3] = ["N", "P", "C"];
const REQUIREMENT: [&str; 4] = ["ND", "L", "M", "H"];

/// Order of section 2.4, table 13.
pub(super) static METRICS: [Metric; 14] = [
    must("AV", &["L", "A", "N"]),
    must("AC", &["H", "M", "L"]),
    must("Au", &["M", "S", "N"]),
    must("C", &CIA),
    must("I", &CIA),
    must("A", &CIA),
    may("E", &["ND", "U", "POC", "F", "H"]),
    may("RL", &["ND", "OF", "TF", "W", "U"]),
    may("RC", &["ND", "UC", "UR", "C"]),
    may("CDP", &["ND", "N", "L", "LM", "MH", "H"]),
    may("TD", &["ND", "N", "L", "M", "H"]),
    may("CR", &REQUIREMENT),
    may("IR", &REQUIREMENT),
    may("AR", &REQUIREMENT),
];

/// Temporal and environmental metrics.
pub(super) const GROUPS: [std::ops::Range<usize>; 2] = [6..9, 9..14];

const AV_E3: [i128; 3] = [395, 646, 1000];
const AC_E2: [i128; 3] = [35, 61, 71];
const AU_E3: [i128; 3] = [450, 560, 704];
const CIA_E3: [i128; 3] = [0, 275, 660];
const E_E2: [i128; 5] = [100, 85, 90, 95, 100];
const RL_E2: [i128; 5] = [100, 87, 90, 95, 100];
const RC_E2: [i128; 4] = [100, 90, 95, 100];
const CDP_E1: [i128; 6] = [0, 0, 1, 3, 4, 5];
const TD_E2: [i128; 5] = [100, 0, 25, 75, 100];
const REQUIREMENT_E2: [i128; 4] = [100, 50, 100, 151];

/// Half away from zero, as `round_to_1_decimal` is understood.
fn round(value: i128, unit: i128) -> i128 {
    (2 * value + value.signum() * unit) / (2 * unit)
}

/// `((0.6*Impact)+(0.4*Exploitability)-1.5)*f(Impact)`, in tenths. Impact in 10^-17, exploitability in 10^-8.
fn base_tenths(impact_e17: i128, exploitability_e8: i128) -> i128 {
    if impact_e17 == 0 {
        return 0;
    }
    let sum_e18 = 6 * impact_e17 + 4 * exploitability_e8 * 10_i128.pow(9) - 15 * 10_i128.pow(17);
    round(sum_e18 * 1176, 10_i128.pow(20))
}

/// `10.41*(1-(1-C*CR)*(1-I*IR)*(1-A*AR))`, in 10^-17.
fn impact_e17(weights_e5: [i128; 3]) -> i128 {
    let left_e15: i128 = weights_e5.iter().map(|weight| 100_000 - weight).product();
    1041 * (10_i128.pow(15) - left_e15)
}

/// Base, temporal and environmental score.
pub(super) fn scores(values: &Values) -> [Score; 3] {
    let at = |metric: usize| usize::from(values[metric]);
    let exploitability_e8 = 20 * AV_E3[at(0)] * AC_E2[at(1)] * AU_E3[at(2)];
    let cia_e3 = [CIA_E3[at(3)], CIA_E3[at(4)], CIA_E3[at(5)]];
    let temporal_e6 = E_E2[at(6)] * RL_E2[at(7)] * RC_E2[at(8)];

    let base = base_tenths(impact_e17(cia_e3.map(|weight| weight * 100)), exploitability_e8);
    let temporal = round(base * temporal_e6, 1_000_000);

    // The standard lets an adjusted score fall below zero on the way; only the result is bounded.
    let requirements = [11, 12, 13].map(|metric| REQUIREMENT_E2[at(metric)]);
    let weighted = [0, 1, 2].map(|which| cia_e3[which] * requirements[which]);
    let adjusted_impact = impact_e17(weighted).min(10 * 10_i128.pow(17));
    let adjusted = round(base_tenths(adjusted_impact, exploitability_e8) * temporal_e6, 1_000_000);
    let with_damage_e2 = adjusted * 10 + (100 - adjusted) * CDP_E1[at(9)];
    let environmental = round(with_damage_e2 * TD_E2[at(10)], 1_000);

    [base, temporal, environmental].map(Score::clamped)
}

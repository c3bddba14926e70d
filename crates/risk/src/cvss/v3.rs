//! What CVSS v3.0 and v3.1 share: metrics, weights and the shape of the equations (both specifications, section 7 of
//! v3.1 and section 8 of v3.0).
//!
//! Exact but for the powers of a changed scope, which are kept to 10^-18 with an error below 10^-16; no score lies
//! nearer to a rounding boundary than that (tested over every combination of weights).

use super::score::Score;
use super::vector::{Metric, Values, may, must};

const CIA: [&str; 3] = ["H", "L", "N"];
const MODIFIED_CIA: [&str; 4] = ["X", "H", "L", "N"];
const REQUIREMENT: [&str; 4] = ["X", "H", "M", "L"];

/// A modified metric has `X` and then the values of the base metric in the same order.
pub(super) static METRICS: [Metric; 22] = [
    must("AV", &["N", "A", "L", "P"]),
    must("AC", &["L", "H"]),
    must("PR", &["N", "L", "H"]),
    must("UI", &["N", "R"]),
    must("S", &["U", "C"]),
    must("C", &CIA),
    must("I", &CIA),
    must("A", &CIA),
    may("E", &["X", "H", "F", "P", "U"]),
    may("RL", &["X", "U", "W", "T", "O"]),
    may("RC", &["X", "C", "R", "U"]),
    may("CR", &REQUIREMENT),
    may("IR", &REQUIREMENT),
    may("AR", &REQUIREMENT),
    may("MAV", &["X", "N", "A", "L", "P"]),
    may("MAC", &["X", "L", "H"]),
    may("MPR", &["X", "N", "L", "H"]),
    may("MUI", &["X", "N", "R"]),
    may("MS", &["X", "U", "C"]),
    may("MC", &MODIFIED_CIA),
    may("MI", &MODIFIED_CIA),
    may("MA", &MODIFIED_CIA),
];

/// Temporal and environmental metrics.
pub(super) const GROUPS: [std::ops::Range<usize>; 2] = [8..11, 11..22];

const AV_E2: [i128; 4] = [85, 62, 55, 20];
const AC_E2: [i128; 2] = [77, 44];
const PR_UNCHANGED_E2: [i128; 3] = [85, 62, 27];
const PR_CHANGED_E2: [i128; 3] = [85, 68, 50];
const UI_E2: [i128; 2] = [85, 62];
const CIA_E2: [i128; 3] = [56, 22, 0];
const E_E2: [i128; 5] = [100, 100, 97, 94, 91];
const RL_E2: [i128; 5] = [100, 100, 97, 96, 95];
const RC_E2: [i128; 4] = [100, 100, 96, 92];
/// In tenths: 1.5, 1, 0.5.
const REQUIREMENT_E1: [i128; 4] = [10, 15, 10, 5];

/// One, in the unit of every unrounded score: 10^-20.
pub(super) const ONE_E20: i128 = 10_i128.pow(20);

/// Where the two versions differ.
pub(super) struct Rules {
    /// Rounding to one decimal: from 10^-20 to tenths.
    pub(super) round_up: fn(i128) -> i128,
    /// The term that is raised to a power and subtracted from a modified impact under a changed scope: from the
    /// modified impact sub-score in 10^-6 to 10^-18.
    pub(super) modified_power: fn(i128) -> i128,
}

/// `base` to the power, both in 10^-18.
pub(super) fn power_e18(base_e18: i128, power: u32) -> i128 {
    const ONE_E18: i128 = 10_i128.pow(18);
    (0..power).fold(ONE_E18, |product, _| product * base_e18 / ONE_E18)
}

/// `(ISS - 0.02)^15`, in 10^-18, from 10^-6.
pub(super) fn base_power(iss_e6: i128) -> i128 {
    power_e18((iss_e6 - 20_000) * 10_i128.pow(12), 15)
}

/// `1 - (1-C)(1-I)(1-A)`, in 10^-6; weights in 10^-2.
pub(super) fn impact_subscore_e6(weights_e2: [i128; 3]) -> i128 {
    1_000_000 - weights_e2.iter().map(|weight| 100 - weight).product::<i128>()
}

/// Impact plus exploitability, capped at ten, in 10^-20; `None` when there is no impact and the score is zero.
pub(super) fn combined_e20(
    iss_e6: i128,
    exploitability_e10: i128,
    changed: bool,
    power: fn(i128) -> i128,
) -> Option<i128> {
    let sum = if changed {
        let impact_e18 = 752 * (iss_e6 - 29_000) * 10_i128.pow(10) - 325 * power(iss_e6) / 100;
        if impact_e18 <= 0 {
            return None;
        }
        108 * (impact_e18 + exploitability_e10 * 10_i128.pow(8))
    } else {
        let impact_e8 = 642 * iss_e6;
        if impact_e8 <= 0 {
            return None;
        }
        impact_e8 * 10_i128.pow(12) + exploitability_e10 * 10_i128.pow(10)
    };
    Some(sum.min(10 * ONE_E20))
}

/// Base, temporal and environmental score.
pub(super) fn scores(values: &Values, rules: &Rules) -> [Score; 3] {
    let at = |metric: usize| usize::from(values[metric]);
    let modified = |base: usize, modified: usize| match at(modified) {
        0 => at(base),
        value => value - 1,
    };
    let exploitability_e10 = |av: usize, ac: usize, pr: usize, ui: usize, changed: bool| {
        let pr_e2 = if changed { PR_CHANGED_E2[pr] } else { PR_UNCHANGED_E2[pr] };
        822 * AV_E2[av] * AC_E2[ac] * pr_e2 * UI_E2[ui]
    };
    let round_up = rules.round_up;
    let with_temporal =
        |tenths: i128| round_up(tenths * E_E2[at(8)] * RL_E2[at(9)] * RC_E2[at(10)] * 10_i128.pow(13));

    let changed = at(4) == 1;
    let iss_e6 = impact_subscore_e6([CIA_E2[at(5)], CIA_E2[at(6)], CIA_E2[at(7)]]);
    let exploitability = exploitability_e10(at(0), at(1), at(2), at(3), changed);
    let base = combined_e20(iss_e6, exploitability, changed, base_power).map_or(0, round_up);

    let changed = modified(4, 18) == 1;
    // Weight and requirement have three decimals together, the last of them always zero.
    let weights = [(5, 19, 11), (6, 20, 12), (7, 21, 13)]
        .map(|(of, or, requirement)| CIA_E2[modified(of, or)] * REQUIREMENT_E1[at(requirement)] / 10);
    let iss_e6 = impact_subscore_e6(weights).min(915_000);
    let exploitability =
        exploitability_e10(modified(0, 14), modified(1, 15), modified(2, 16), modified(3, 17), changed);
    let environmental =
        combined_e20(iss_e6, exploitability, changed, rules.modified_power).map_or(0, round_up);

    [base, with_temporal(base), with_temporal(environmental)].map(Score::clamped)
}

#[cfg(test)]
mod tests {
    use super::super::{v3_0, v3_1};
    use super::*;

    /// Every product of metric weights for exploitability under a changed scope.
    fn exploitabilities() -> Vec<i128> {
        let mut all = Vec::new();
        for av in AV_E2 {
            for ac in AC_E2 {
                for pr in PR_CHANGED_E2 {
                    all.extend(UI_E2.map(|ui| 822 * av * ac * pr * ui));
                }
            }
        }
        all
    }

    #[test]
    fn no_score_with_a_power_in_it_is_near_a_rounding_boundary() {
        // Weights times requirements, in 10^-2.
        let weights = [0, 11, 22, 33, 28, 56, 84];
        let exploitabilities = exploitabilities();
        let mut checked = 0;
        for c in weights {
            for i in weights {
                for a in weights {
                    let iss_e6 = impact_subscore_e6([c, i, a]).min(915_000);
                    for power in [base_power, v3_1::RULES.modified_power] {
                        for exploitability in &exploitabilities {
                            let Some(value) = combined_e20(iss_e6, *exploitability, true, power) else {
                                continue;
                            };
                            if value == 10 * ONE_E20 {
                                continue;
                            }
                            // Both roundings step at a tenth, v3.1 also 0.000005 above one; 10^-13 is a thousand
                            // times the error of the power.
                            let near = 10_i128.pow(7);
                            for boundary in [0, ONE_E20 / 200_000] {
                                let past = (value - boundary).rem_euclid(ONE_E20 / 10);
                                assert!(past > near && past < ONE_E20 / 10 - near, "{c} {i} {a}: {value}");
                            }
                            checked += 1;
                        }
                    }
                }
            }
        }
        assert!(checked > 10_000, "{checked}");
    }

    #[test]
    fn the_two_roundings_differ_only_just_above_a_tenth() {
        let tenths = |value: i128| [(v3_0::RULES.round_up)(value), (v3_1::RULES.round_up)(value)];
        // The examples of both specifications: 4.02 and 4.00.
        assert_eq!(tenths(402 * ONE_E20 / 100), [41, 41]);
        assert_eq!(tenths(4 * ONE_E20), [40, 40]);
        assert_eq!(tenths(4 * ONE_E20 + ONE_E20 / 250_000), [41, 40]);
        assert_eq!(tenths(4 * ONE_E20 + ONE_E20 / 100_000), [41, 41]);
    }
}

//! Measures against their definitions, written a second time.

use proptest::prelude::*;
use tenon_predict::{Calibration, Cve, Means, Placed, larger_rank, paired, place};

use crate::world::{Planted, day, world};

fn places(count: usize) -> Vec<Cve> {
    world(u32::try_from(count).unwrap(), 1, Planted::Nothing).cves().collect()
}

/// Pairs of listed and not listed in the right order; ties count half.
fn roc_auc(scores: &[i64], positive: &[usize]) -> f64 {
    let others: Vec<i64> =
        (0..scores.len()).filter(|place| !positive.contains(place)).map(|place| scores[place]).collect();
    let mut right = 0.0;
    for place in positive {
        for other in &others {
            right += match scores[*place].cmp(other) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    right / (positive.len() * others.len()) as f64
}

/// Mean over the listed of the share of the listed among all with at least their score.
fn average_precision(scores: &[i64], positive: &[usize]) -> f64 {
    let at = |threshold: i64| {
        let flagged = scores.iter().filter(|score| **score >= threshold).count();
        let hits = positive.iter().filter(|place| scores[**place] >= threshold).count();
        hits as f64 / flagged as f64
    };
    positive.iter().map(|place| at(scores[*place])).sum::<f64>() / positive.len() as f64
}

proptest! {
    #[test]
    fn area_and_precision_are_what_they_are_called(
        scores in prop::collection::vec(0_i64..12, 2..60),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let cves = places(scores.len());
        let mut positive: Vec<usize> = picks.iter().map(|pick| pick.index(scores.len())).collect();
        positive.sort_unstable();
        positive.dedup();
        prop_assume!(positive.len() < scores.len());
        let pairs: Vec<(usize, Cve)> = positive.iter().map(|place| (*place, cves[*place])).collect();
        let means = Means::of(place(&scores, &pairs, day("2024-07-01")).iter());
        prop_assert_eq!(means.rows, positive.len());
        prop_assert!((means.roc_auc - roc_auc(&scores, &positive)).abs() < 1e-9);
        prop_assert!((means.average_precision - average_precision(&scores, &positive)).abs() < 1e-9);
        // Fewer than a hundred CVEs: all of them are in the first hundred.
        prop_assert!((means.coverage[0] - 1.0).abs() < 1e-9);
        let most = scores.iter().max().unwrap();
        let first = positive.iter().filter(|place| scores[**place] == *most).count() as f64;
        let tied = scores.iter().filter(|score| *score == most).count() as f64;
        if tied >= 1.0 {
            // One in a hundred of fewer than a hundred is one; ties share it.
            prop_assert!(means.coverage[2] * positive.len() as f64 >= first / tied - 1e-9);
        }
    }

    #[test]
    fn the_rule_takes_the_better_of_two_places(seed in 1_u64..50) {
        let history = world(80, seed, Planted::Nothing);
        let on = day("2025-01-01");
        let known: Vec<_> = history.on(on).cves().map(|(_, known)| known).collect();
        let ranks = larger_rank(known.iter());
        let better = |count: usize, level: usize| i64::try_from(2 * count + level - 1).unwrap();
        for (one, rank) in known.iter().zip(&ranks) {
            let by_score = known.iter().filter(|other| other.score() > one.score()).count();
            let same_score = known.iter().filter(|other| other.score() == one.score()).count();
            let key = |known: &tenon_predict::Known| (std::cmp::Reverse(known.first_named()), std::cmp::Reverse(known.score()));
            let by_age = known.iter().filter(|other| key(other) < key(one)).count();
            let same_age = known.iter().filter(|other| key(other) == key(one)).count();
            prop_assert_eq!(-rank, better(by_score, same_score).min(better(by_age, same_age)));
        }
    }
}

#[test]
fn an_order_against_itself_differs_by_nothing_and_a_better_one_by_more() {
    let cves = places(40);
    let on = day("2024-07-01");
    let row =
        |cve: usize, below: f64| Placed { cve: cves[cve], day: on, below, precision: 0.0, heads: [0.0; 4] };
    let good: Vec<Placed> = (0..20).map(|cve| row(cve, 0.9)).collect();
    let poor: Vec<Placed> = (0..20).map(|cve| row(cve, if cve % 2 == 0 { 0.9 } else { 0.5 })).collect();
    let same = paired(&good, &good, 1, |row| row.below);
    assert_eq!((same.mean, same.low, same.high), (0.0, 0.0, 0.0));
    let better = paired(&good, &poor, 1, |row| row.below);
    assert!((better.mean - 0.2).abs() < 1e-9);
    assert!(better.low > 0.1 && better.low < 0.2 && better.high > 0.2 && better.high < 0.3, "{better:?}");
    // Rows of one CVE are one draw: repeated days do not make the interval narrower.
    let again = |rows: &[Placed]| -> Vec<Placed> {
        (0..10).flat_map(|days| rows.iter().map(move |row| Placed { day: on.plus(days), ..*row })).collect()
    };
    let repeated = paired(&again(&good), &again(&poor), 1, |row| row.below);
    assert!((repeated.low - better.low).abs() < 1e-9 && (repeated.high - better.high).abs() < 1e-9);
}

#[test]
fn calibration_counts_and_skill_follow_their_definitions() {
    let mut calibration = Calibration::default();
    for place in 0..1_000 {
        calibration.add(0.02, place % 50 == 0);
        calibration.add(0.2, place % 5 == 0);
    }
    let (expected, observed) = calibration.totals();
    assert!((expected - 220.0).abs() < 1e-6 && (observed - 220.0).abs() < 1e-9);
    let bins: Vec<_> = calibration.bins().collect();
    assert_eq!(
        bins.iter().map(|(halves, bin)| (*halves, bin.rows)).collect::<Vec<_>>(),
        [(-4, 1_000.0), (-2, 1_000.0)]
    );
    let entropy = |p: f64| -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    let skill = 1.0 - (entropy(0.02) + entropy(0.2)) / (2.0 * entropy(0.11));
    assert!((calibration.skill() - skill).abs() < 1e-9);
    let mut base = Calibration::default();
    (0..1_000).for_each(|place| base.add(0.2, place % 5 == 0));
    assert!(base.skill().abs() < 1e-9, "the base rate has no skill over itself");
}

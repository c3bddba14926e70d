//! The rule without parameters that a model has to beat: the larger of the rank by EPSS and the rank by recency.

use crate::Known;

/// A number for each CVE, higher is sooner: minus the better of its two places. CVEs named on the same day are ordered by
/// their scores, which is the strongest reading of the rule; equal scores share their mean place.
pub fn larger_rank<'k>(cves: impl Iterator<Item = &'k Known>) -> Vec<i64> {
    let keys: Vec<(i32, i64)> = cves
        .map(|known| {
            let age = known.day().since(known.first_named());
            (age, known.score().map_or(-1, |score| i64::from(score.ppm())))
        })
        .collect();
    let by_score = places(&keys, |(_, score)| (0, -score));
    let by_age = places(&keys, |(age, score)| (age, -score));
    by_score.into_iter().zip(by_age).map(|(a, b)| -a.min(b)).collect()
}

/// Twice the mean place of each by a rising key.
fn places(keys: &[(i32, i64)], key: impl Fn((i32, i64)) -> (i32, i64)) -> Vec<i64> {
    let mut order: Vec<((i32, i64), usize)> =
        keys.iter().enumerate().map(|(place, pair)| (key(*pair), place)).collect();
    order.sort_unstable();
    let mut places = vec![0; keys.len()];
    let mut from = 0;
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        let twice = i64::try_from(2 * from + group.len() - 1).unwrap_or(i64::MAX);
        for (_, place) in group {
            places[*place] = twice;
        }
        from += group.len();
    }
    places
}

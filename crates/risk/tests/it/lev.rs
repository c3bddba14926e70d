//! LEV against the equations of CSWP 41, written a second time in floating point, and EPSS models.

use tenon_model::{Probability, Timestamp};
use tenon_risk::epss;
use tenon_risk::lev::{Gaps, LevError, Series};

use crate::vectors;

fn at(day: i64) -> Timestamp {
    Timestamp::from_millis(day * 86_400_000)
}

fn day(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().as_millis() / 86_400_000
}

fn ppm(ppm: u32) -> Probability {
    Probability::from_ppm(ppm).unwrap()
}

/// The equation as printed, day by day.
fn by_the_paper(scores: &[(i64, f64)], dn: i64, window: i64, gaps: Gaps) -> f64 {
    let epss = |day: i64| {
        let next = scores.iter().find(|(scored, _)| *scored >= day && *scored <= dn);
        let last = scores.iter().rfind(|(scored, _)| *scored <= day);
        match gaps {
            Gaps::NextAvailable => next.or(last),
            Gaps::LastKnown => last,
        }
        .unwrap()
        .1
    };
    let mut none = 1.0;
    let mut di = scores[0].0;
    while di <= dn {
        let winsize = window.min(dn - di + 1) as f64;
        none *= 1.0 - epss(di) * winsize / 30.0;
        di += window;
    }
    1.0 - none
}

#[test]
fn lev_of_the_public_series_is_within_a_millionth() {
    let name = "lev_of_the_public_series_is_within_a_millionth";
    let Some(text) = vectors(name, "scoring/lev/epss_weekly_series.json") else { return };
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for one in &all {
        let scores: Vec<(i64, f64)> = one["series"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (day(pair[0].as_str().unwrap()), pair[1].as_f64().unwrap()))
            .collect();
        let given: Vec<_> =
            scores.iter().map(|(day, score)| (at(*day), ppm((score * 1e6).round() as u32))).collect();
        let series = Series::new(&given).unwrap();
        let (d0, dn) = (day(one["d0"].as_str().unwrap()), day(one["dn"].as_str().unwrap()));
        assert_eq!(d0, scores[0].0);
        for dn in [d0, d0 + 1, d0 + 29, d0 + 30, d0 + 31, d0 + 100, dn, dn + 45] {
            for gaps in [Gaps::NextAvailable, Gaps::LastKnown] {
                let lev = series.lev(at(dn), gaps).unwrap();
                let lev2 = series.lev2(at(dn), gaps).unwrap();
                for (found, window) in [(&lev, 30), (&lev2, 1)] {
                    let expected = by_the_paper(&scores, dn, window, gaps);
                    let found = f64::from(found.probability.ppm()) / 1e6;
                    assert!((found - expected).abs() < 1e-6, "{}: {found} {expected}", one["cve"]);
                }
                assert_eq!(i64::from(lev2.windows), dn - d0 + 1);
                let composite = series.composite(at(dn), gaps, false).unwrap();
                assert_eq!(composite.probability, composite.epss.max(lev.probability));
                let listed = series.composite(at(dn), gaps, true).unwrap();
                assert_eq!((listed.probability, &listed.lev), (Probability::ONE, &lev));
            }
        }
    }
    assert_eq!(all.len(), 5);
}

#[test]
fn a_constant_score_gives_the_figures_known_for_it() {
    let daily: Vec<_> = (0..30).map(|day| (at(20_000 + day), ppm(950_000))).collect();
    let series = Series::new(&daily).unwrap();
    let dn = at(20_029);
    let lev = series.lev(dn, Gaps::NextAvailable).unwrap();
    assert_eq!((lev.probability, lev.windows), (ppm(950_000), 1));
    let lev2 = series.lev2(dn, Gaps::NextAvailable).unwrap();
    assert_eq!((lev2.probability.ppm() + 500) / 1_000, 619);
    // One day of a window of thirty counts a thirtieth.
    assert_eq!(series.lev(at(20_000), Gaps::NextAvailable).unwrap().probability, ppm(31_667));
}

#[test]
fn the_future_does_not_count() {
    let series = Series::new(&[(at(20_000), ppm(1_000)), (at(20_060), ppm(900_000))]).unwrap();
    let lev = series.lev(at(20_059), Gaps::NextAvailable).unwrap();
    assert_eq!(lev.probability, ppm(1_999));
    let lev = series.lev(at(20_060), Gaps::NextAvailable).unwrap();
    assert!(lev.probability > ppm(900_000), "the window that had no score takes the next one");
    let lev = series.lev(at(20_060), Gaps::LastKnown).unwrap();
    assert_eq!(lev.probability, ppm(31_939));
}

#[test]
fn a_series_must_rise_and_be_bounded() {
    let one = ppm(1);
    assert_eq!(Series::new(&[]), Err(LevError::Empty));
    assert_eq!(Series::new(&[(at(2), one), (at(2), one)]), Err(LevError::NotRising { at: 1 }));
    assert_eq!(Series::new(&[(at(0), one), (at(40_000), one)]), Err(LevError::TooLong));
    let series = Series::new(&[(at(2), one)]).unwrap();
    assert_eq!(series.lev(at(1), Gaps::LastKnown), Err(LevError::BeforeFirst));
    let end = Timestamp::from_millis(i64::MAX);
    assert_eq!(series.lev2(end, Gaps::LastKnown), Err(LevError::TooLong));
    let start = Timestamp::from_millis(i64::MIN);
    assert_eq!(Series::new(&[(start, one), (end, one)]), Err(LevError::TooLong));
}

#[test]
fn a_product_over_a_change_of_model_says_so() {
    let first = day("2025-03-10");
    let weekly: Vec<_> = (0..8).map(|week| (at(first + 7 * week), ppm(5_000))).collect();
    let series = Series::new(&weekly).unwrap();
    let models = |dn: i64| series.lev(at(dn), Gaps::LastKnown).unwrap().models;
    assert_eq!(models(first + 6), ["v3"]);
    assert_eq!(models(first + 49), ["v3", "v4"]);
}

#[test]
fn epss_models_begin_on_the_published_days() {
    let name = "epss_models_begin_on_the_published_days";
    let moment = |text: &str| Timestamp::parse(text).unwrap();
    assert!(epss::model_on(moment("2021-04-13")).is_none());
    assert!(!epss::comparable(moment("2021-04-13"), moment("2021-04-13")));
    assert!(!epss::comparable(moment("2025-03-16"), moment("2025-03-17")));
    assert!(epss::comparable(moment("2025-03-17"), moment("2026-06-14T23:59:59Z")));
    let Some(published) = vectors(name, "scoring/policy/epss_model_epochs.csv") else { return };
    let lines: Vec<_> = published.lines().skip(1).collect();
    assert_eq!(lines.len(), epss::models().len());
    for (line, model) in lines.iter().zip(epss::models()) {
        let cells: Vec<_> = line.splitn(3, ',').collect();
        assert_eq!((cells[0], moment(cells[1]), cells[2]), (model.name, model.first, model.note));
        assert_eq!(epss::model_on(model.first), Some(model));
    }
}

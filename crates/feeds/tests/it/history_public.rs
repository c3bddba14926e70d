//! The public history as it is: policies on scores exactly as each whole day gives them, leaks caught in real data.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use tenon_feeds::{Depth, read_history};
use tenon_predict::backtest::{Policy, Replay};
use tenon_predict::{CveId, Day, ModelFile, Outcomes, Term, Universe, foresight};

/// The public data; where they are not there, or the test would take long, says so for the test of this name.
pub(crate) fn feeds(test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("feeds");
    if std::env::var_os("TENON_SOAK").is_none() {
        println!("skipped: {test}: it reads years of history (TENON_SOAK=1 runs it)");
        return None;
    }
    if !folder.is_dir() {
        println!("skipped: {test}: no feeds (name their folder's parent in TENON_SHARED)");
        return None;
    }
    Some(folder)
}

/// A whole day: scores in parts per million.
fn whole_day(path: &std::path::Path) -> BTreeMap<CveId, u32> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let rows = text.lines().skip(2).map(|line| {
        let mut cells = line.split(',');
        let id = cells.next().unwrap().parse().unwrap();
        let score: f64 = cells.next().unwrap().parse().unwrap();
        (id, (score * 1e6).round() as u32)
    });
    rows.collect()
}

/// What a policy on scores flags on a day, from the day's own file and the catalogue's dates, without any history.
#[test]
fn policies_on_scores_are_those_of_every_whole_day() {
    let Some(folder) = feeds("policies_on_scores_are_those_of_every_whole_day") else { return };
    let catalogue = std::fs::read(folder.join("kev/known_exploited_vulnerabilities.json")).unwrap();
    let catalogue = tenon_formats::kev::parse(&catalogue).unwrap();
    let added: BTreeMap<CveId, Day> = catalogue
        .entries
        .iter()
        .map(|(id, kev)| (CveId::try_from(id).unwrap(), Day::of(kev.added).unwrap()))
        .collect();
    let began = Instant::now();
    let read = read_history(&folder, Depth::Lists, &mut |_| ()).unwrap();
    let history = read.history;
    let outcomes = Outcomes::of(&history);
    // Entries that the catalogue of today lacks were listed for a time; the catalogue cannot tell, the history can.
    let ever = outcomes.between(Day::from_number(0), "2026-12-31".parse().unwrap());
    let taken_back: BTreeSet<CveId> =
        ever.map(|(cve, _)| history.id(cve)).filter(|id| !added.contains_key(id)).collect();
    let models = ModelFile::shipped().unwrap();
    let policies: Vec<Policy> =
        ["epss>=0.1", "epss>=0.5", "epss>=0.01"].iter().map(|text| text.parse().unwrap()).collect();
    let span = ("2024-03-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    let replay = Replay { policies: &policies, universe: Universe::Scored, span, fleet: None };
    let replayed = replay.over(&history, &outcomes, &models, &mut |_| ControlFlow::Continue(())).unwrap();
    println!(
        "measured: backtest of {} policies over {} days, reading included: {:.1} s",
        policies.len(),
        replayed[0].days.len(),
        began.elapsed().as_secs_f32()
    );
    let mut compared = 0;
    for (policy, least) in replayed.iter().zip([100_000, 500_000, 10_000]) {
        for day in &policy.days {
            let scored = day.day.plus(-1);
            let path = folder.join(format!("epss/epss_scores-{scored}.csv.gz"));
            if !path.is_file() {
                continue;
            }
            let listed = |id: &CveId| {
                added.get(id).is_some_and(|added| *added <= day.day)
                    || taken_back.contains(id)
                        && history.on(day.day).get(history.find(*id).unwrap()).unwrap().is_listed()
            };
            let later = |id: &CveId| {
                added.get(id).is_some_and(|added| *added > day.day && *added <= day.day.plus(30))
            };
            let eligible: Vec<(CveId, u32)> =
                whole_day(&path).into_iter().filter(|(id, _)| !listed(id)).collect();
            let flagged: Vec<CveId> =
                eligible.iter().filter(|(_, score)| *score >= least).map(|(id, _)| *id).collect();
            let hits = flagged.iter().filter(|id| later(id)).count();
            assert_eq!(day.counts.eligible, eligible.len() as u64, "{} {scored}", policy.policy);
            assert_eq!(day.counts.flagged, flagged.len() as u64, "{} {scored}", policy.policy);
            // What was listed and taken back within its 30 days is a hit that today's catalogue lacks.
            let back = flagged.iter().filter(|id| taken_back.contains(id)).count() as u64;
            assert!(day.counts.true_positives.abs_diff(hits as u64) <= back, "{} {scored}", policy.policy);
            compared += 1;
        }
    }
    println!("measured: {compared} policies on whole days of EPSS reproduced exactly");
    assert!(compared >= 18);
}

#[test]
fn leaks_planted_into_real_history_are_caught_and_terms_have_none() {
    let Some(folder) = feeds("leaks_planted_into_real_history_are_caught_and_terms_have_none") else {
        return;
    };
    let history = read_history(&folder, Depth::Records, &mut |_| ()).unwrap().history;
    let mut checked = 0;
    for on in ["2024-09-08", "2025-03-23", "2026-02-15"] {
        let on: Day = on.parse().unwrap();
        let terms = |history: &tenon_predict::History, cve| -> Vec<Option<i64>> {
            let known = history.on(on).get(cve);
            Term::WITH_RECORDS
                .iter()
                .chain(Term::FIVE)
                .map(|term| known.and_then(|known| term.of(&known)))
                .collect()
        };
        assert!(foresight(&history, on, 5, terms).is_ok(), "{on}");
        let next_week = |history: &tenon_predict::History, cve| {
            history.on(on.plus(7)).get(cve).and_then(|known| known.score())
        };
        assert!(foresight(&history, on, 5, next_week).is_err(), "{on}");
        checked += 1;
    }
    println!("measured: terms of {checked} days equal on another future, {checked} planted leaks caught");
}

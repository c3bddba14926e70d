//! Random histories: the invariants hold after every command, and the record alone gives the same World again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use tenon_engine::{
    AssetState, Exposure, FindingState, GapKind, SnapshotError, World, findings, recompute, tally, why_here,
};
use tenon_model::{AssetId, AssetSet, Command, Event, Refusal, Timestamp, VulnerabilityId};

use crate::generator::{Draw, command, pause};
use crate::lab::{Lab, ids};
use crate::measures::Tally;
use crate::queue::tells_every_directive;
use crate::watch::{KINDS, Watch};

#[derive(Default)]
struct Totals {
    commands: usize,
    refused: usize,
    events: usize,
    seen: BTreeMap<String, usize>,
}

/// Runs one history; every number draws one command.
fn history(draws: &[u64]) -> Totals {
    let (mut lab, mut watch, mut totals) = (Lab::new(), Watch::default(), Totals::default());
    let mut counted = Tally::default();
    // Where every report is told whole.
    let mut whole = Lab::new();
    let digest = |lab: &Lab| lab.world.digest().unwrap();
    let mut before = digest(&lab);
    for draw in draws {
        let mut draw = Draw(*draw);
        lab.pass(pause(&mut draw));
        let command = command(&mut draw, &lab.world, lab.now);
        let fork = lab.world.clone();
        totals.commands += 1;
        let ran = match lab.as_delta(&command).filter(|_| !draw.one_in(3)) {
            Some((delta, now)) => {
                let Command::ReportDelta { asset, .. } = delta else { unreachable!() };
                lab.run(delta).inspect(|_| drop(lab.said.insert(asset, now)))
            }
            None => lab.run(command.clone()),
        };
        whole.now = lab.now;
        assert_same(&whole.run(command), &ran);
        assert_eq!(digest(&whole), digest(&lab), "deltas lead to another World than whole reports");
        assert!(whole.world.measures_like(&lab.world), "deltas are measured otherwise than whole reports");
        match ran {
            Ok(events) => {
                totals.events += events.len();
                watch.check(&lab, &events);
                counted.check(&lab, &events);
                let drifted = recompute(&lab.world, lab.now);
                assert!(drifted.is_empty(), "looked at anew, this changes: {drifted:?}");
            }
            Err(_) => totals.refused += 1,
        }
        let after = digest(&lab);
        // Now and then Tenon starts again from a snapshot, which must make no difference from there on.
        if draw.one_in(25) {
            tells_every_directive(&lab.world, lab.now);
            let again = restarted(&lab.world);
            assert!(again.measures_like(&lab.world), "a snapshot loses measures");
            lab.world = again;
            assert_eq!(digest(&lab), after, "a snapshot gives another World");
        }
        // The fork was taken before: what happened to its origin does not reach it.
        assert_eq!(fork.digest().unwrap(), before, "a fork changed with its origin");
        before = after;
    }
    tells_every_directive(&lab.world, lab.now);
    exposures_are_those_of_every_asset(&lab.world, lab.now);
    for _ in 0..2 {
        let replayed = lab.replayed();
        assert_eq!(replayed.digest().unwrap(), before, "the record gives another World");
        assert!(replayed.measures_like(&lab.world), "the record gives other measures");
    }
    totals.seen = watch.seen;
    totals
}

/// A delta has the consequences of the whole report, and is refused where that is.
fn assert_same(whole: &Result<Vec<Event>, Refusal>, told: &Result<Vec<Event>, Refusal>) {
    match (whole, told) {
        (Ok(whole), Ok(told)) => {
            let is_report = |event: &Event| {
                matches!(event, Event::InventoryReported { .. } | Event::InventoryChanged { .. })
            };
            let rest = |events: &[Event]| -> Vec<Event> {
                events.iter().filter(|event| !is_report(event)).cloned().collect()
            };
            assert_eq!((rest(whole), whole.len()), (rest(told), told.len()));
        }
        (Err(whole), Err(told)) => assert_eq!(whole.code, told.code),
        _ => panic!("told whole: {whole:?}; as a delta: {told:?}"),
    }
}

/// What is asked of all assets at once is what each says by itself.
fn exposures_are_those_of_every_asset(world: &World, now: Timestamp) {
    let mut open: BTreeMap<VulnerabilityId, BTreeSet<AssetId>> = BTreeMap::new();
    let (mut suppressed, mut accepted) = (open.clone(), open.clone());
    for (id, asset) in world.assets() {
        let assessment = findings(world, asset);
        let (count, mut lines) = tally(world, asset);
        let mut said = assessment.not_assessed.clone();
        lines.sort();
        said.sort();
        assert_eq!((count, lines), (assessment.findings.len() as u64, said), "{id}");
        for finding in assessment.findings {
            open.entry(finding.vulnerability).or_default().insert(*id);
        }
        for (finding, _) in assessment.suppressed {
            suppressed.entry(finding.vulnerability).or_default().insert(*id);
        }
        for (finding, _) in assessment.accepted {
            accepted.entry(finding.vulnerability).or_default().insert(*id);
        }
    }
    gaps_are_those_of_every_asset(world, now);
    crate::terrain::is_that_of_every_asset(world);
    let about = world.advisories().flat_map(|advisory| advisory.vulnerabilities().to_vec());
    let about: BTreeSet<VulnerabilityId> = about.collect();
    let exposures: BTreeMap<VulnerabilityId, Exposure> =
        about.into_iter().map(|id| (id.clone(), world.exposure(&id))).collect();
    for (vulnerability, exposure) in &exposures {
        let found = ids(world, &exposure.assets());
        assert_eq!(found, open.get(vulnerability).cloned().unwrap_or_default(), "{vulnerability}");
        let only = suppressed.get(vulnerability).cloned().unwrap_or_default();
        let accepted = accepted.get(vulnerability).cloned().unwrap_or_default();
        assert_eq!(ids(world, &exposure.accepted), accepted, "{vulnerability}");
        assert_eq!(ids(world, &exposure.suppressed), &(&only - &found) - &accepted, "{vulnerability}");
    }
    the_list_of_what_is_open_is_that_of_every_asset(world, &open, &exposures);
}

fn the_list_of_what_is_open_is_that_of_every_asset(
    world: &World,
    open: &BTreeMap<VulnerabilityId, BTreeSet<AssetId>>,
    exposures: &BTreeMap<VulnerabilityId, Exposure>,
) {
    let listed = world.open_vulnerabilities();
    let counts: Vec<_> = listed.iter().map(|one| (&one.id, one.assets)).collect();
    let wanted: Vec<_> = open.iter().map(|(id, assets)| (id, assets.len() as u64)).collect();
    assert_eq!(counts, wanted);
    for one in &listed {
        assert!(one.no_fix <= one.not_offered && one.not_offered <= one.assets, "{one:?}");
        let exposure = &exposures[&one.id];
        assert!(exposure.known <= one.known, "{one:?}");
        let without = |left_out: &dyn Fn(&FindingState) -> bool| {
            let states = exposure.open.iter().filter(|exposed| left_out(&exposed.state));
            AssetSet::union(states.map(|exposed| &exposed.assets)).len()
        };
        assert_eq!(
            one.not_offered,
            without(&|state| !matches!(state, FindingState::FixOffered { .. })),
            "{one:?}"
        );
        assert_eq!(one.no_fix, without(&|state| *state == FindingState::NoFix), "{one:?}");
    }
    // What each asset loses by it alone; of two, since every flip of its table is worked out with it.
    for one in listed.iter().take(2) {
        let lost = open[&one.id].iter().filter_map(|asset| why_here(world, asset, &one.id));
        assert_eq!(one.loss.0, lost.map(|here| here.priority.removes.0).sum::<u64>(), "{one:?}");
    }
}

/// Whoever is not wholly assessed by its own account, is silent or has not reported is in a gap, and nobody else.
fn gaps_are_those_of_every_asset(world: &World, now: Timestamp) {
    let gaps = world.gaps(now);
    let of_kinds = |kinds: &[GapKind]| {
        let sets = gaps.gaps.iter().filter(|((kind, _), _)| kinds.contains(kind)).map(|(_, assets)| assets);
        ids(world, &AssetSet::union(sets))
    };
    let having = |test: &dyn Fn(&AssetState) -> bool| -> BTreeSet<AssetId> {
        world.live_assets().filter(|(_, asset)| test(asset)).map(|(id, _)| *id).collect()
    };
    let not_assessed = having(&|asset| !tally(world, asset).1.is_empty());
    assert_eq!(of_kinds(&[GapKind::NotAssessed, GapKind::NeverReported]), not_assessed);
    let silent = having(&|asset| asset.reported.is_none_or(|(_, at)| at.plus_days(1) < now));
    assert_eq!(of_kinds(&[GapKind::Silent, GapKind::NeverReported]), silent);
    assert!(not_assessed.union(&silent).all(|id| ids(world, &gaps.not_whole).contains(id)));
}

/// The World of a snapshot of this one.
fn restarted(world: &World) -> World {
    let snapshot = world.to_snapshot().unwrap();
    let world = World::from_snapshot(snapshot.clone()).unwrap();
    assert!(world.to_snapshot().unwrap() == snapshot, "a snapshot of a snapshot's World is another one");
    world
}

/// Prints a history, for whoever must find out why it breaks a promise.
fn tell(draws: &[u64]) {
    let mut lab = Lab::new();
    for draw in draws {
        let mut draw = Draw(*draw);
        lab.pass(pause(&mut draw));
        let command = command(&mut draw, &lab.world, lab.now);
        let shown = format!("{command:?}");
        match lab.run(command) {
            Ok(events) => println!("{}: {shown}\n    {events:?}", lab.now),
            Err(refusal) => println!("{}: refused ({refusal})", lab.now),
        }
    }
}

#[test]
fn random_histories_keep_every_promise_and_replay_alike() {
    let soak = std::env::var_os("TENON_SOAK").is_some();
    let cases = if soak { 1_000 } else { 160 };
    let totals = Mutex::new(Totals::default());
    let config = Config { failure_persistence: None, max_shrink_iters: 400, ..Config::with_cases(cases) };
    let histories = proptest::collection::vec(any::<u64>(), 40..160);
    // The same histories on every run, unless there is time to find new ones; a failing one is printed.
    let mut runner = if soak {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let outcome = runner.run(&histories, |draws| {
        let found = history(&draws);
        let mut totals = totals.lock().unwrap();
        totals.commands += found.commands;
        totals.refused += found.refused;
        totals.events += found.events;
        for (kind, count) in found.seen {
            *totals.seen.entry(kind).or_default() += count;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        if let TestError::Fail(_, draws) = &error {
            tell(draws);
        }
        panic!("{error}");
    }
    let totals = totals.into_inner().unwrap();
    println!(
        "measured: engine: {cases} random histories, {} commands, {} refused, {} events, 0 invariants broken, directives \
         equal to a full recompute after each, every record replayed twice to the same digest",
        totals.commands, totals.refused, totals.events
    );
    let rarest = totals.seen.iter().min_by_key(|(_, count)| **count);
    println!("measured: engine: {} kinds of events, the rarest: {rarest:?}", totals.seen.len());
    let missing: Vec<_> = KINDS.iter().filter(|kind| !totals.seen.contains_key(**kind)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}; seen: {:?}", totals.seen);
}

/// What is tried on a fork does not reach its origin either.
#[test]
fn a_fork_does_not_change_its_origin() {
    let draws: Vec<u64> = (0..400).collect();
    let (mut lab, mut entries) = (Lab::new(), 0);
    for draw in &draws {
        let mut draw = Draw(*draw);
        lab.pass(pause(&mut draw));
        let command = command(&mut draw, &lab.world, lab.now);
        let digest = lab.world.digest().unwrap();
        let mut fork = lab.world.clone();
        let origin = lab.world.clone();
        if lab.run(command).is_ok() {
            for entry in &lab.entries[entries..] {
                crate::lab::apply(&mut fork, entry, &lab.blobs, &mut Vec::new());
            }
            assert_eq!(fork.digest().unwrap(), lab.world.digest().unwrap());
        }
        assert_eq!(origin.digest().unwrap(), digest);
        entries = lab.entries.len();
    }
    assert!(entries > 200, "only {entries} events");
}

/// Whatever is cut off or turned over in a snapshot: it is refused, or gives a World, and nothing panics.
#[test]
fn damaged_snapshots_are_refused() {
    let mut lab = Lab::new();
    let mut draw = Draw(7);
    for _ in 0..200 {
        lab.pass(pause(&mut draw));
        let command = command(&mut draw, &lab.world, lab.now);
        // Some are refused.
        let _refused = lab.run(command);
    }
    let snapshot = lab.world.to_snapshot().unwrap().concat();
    let read = |bytes: &[u8]| World::from_snapshot(bytes.into());
    assert_eq!(read(b"").unwrap_err(), SnapshotError::Foreign);
    for length in (0..snapshot.len()).step_by(snapshot.len() / 300 + 1) {
        assert!(read(&snapshot[..length]).is_err(), "cut off at {length}");
    }
    let mut newer = snapshot.clone();
    newer[8] += 1;
    assert!(matches!(read(&newer), Err(SnapshotError::Version { .. })));
    for _ in 0..2_000 {
        let mut turned = snapshot.clone();
        let place = draw.below(turned.len());
        turned[place] ^= 1 << draw.below(8);
        // Which of them still decode is left to the journal's digest.
        let _either = read(&turned);
    }
}

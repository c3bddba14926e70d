//! Old history is let go: whatever is kept answers as before, every blob that can be shown is there, everything else is gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tenon_engine::World;
use tenon_journal::{Entry, Journal, JournalError, SqliteJournal, export};
use tenon_model::{
    ApplyOutcome, ApplyReport, Change, Command, Digest, Event, Evidence, Order, OrderAction, OrderId,
    PinnedFile, RehearsalOutcome, RehearsalReport, Timestamp, Transaction, TransactionStep, Undo, Versioned,
};
use tenon_server::{
    HistoryError, LetGo, Moment, Past, PastError, ProofError, Writer, let_go, prove, prove_export, replay,
    replay_to, restore,
};

use crate::guarded::{Call, Guarded, failed};
use crate::lived::{Life, clock, pass};

/// Entries between snapshots; each stop keeps one too.
const EVERY: u64 = 40;
const DAYS: u32 = 30;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn open(path: &Path) -> SqliteJournal {
    SqliteJournal::open(path).unwrap()
}

/// A writer whose journal does so many removals and then fails, as one whose process ends there.
fn start(path: &Path, removals: usize) -> Writer {
    let mut left = removals;
    let guard = move |call| match (call, left.checked_sub(1)) {
        (Call::Append, _) => Ok(()),
        (Call::Removal, Some(fewer)) => {
            left = fewer;
            Ok(())
        }
        (Call::Removal, None) => Err(failed()),
    };
    let journal = Guarded { inner: open(path), guard: Box::new(guard) };
    Writer::start_keeping(Box::new(journal), clock, EVERY).unwrap()
}

/// Something happens some times, and hosts answer what they are ordered.
fn live(runtime: &tokio::runtime::Runtime, path: &Path, life: &mut Life, steps: u32) {
    let writer = start(path, usize::MAX);
    let group = "default".parse().unwrap();
    drop(runtime.block_on(writer.submit(Command::Promote { group, by: "tester".parse().unwrap() }, None)));
    for _ in 0..steps {
        life.step(runtime, &writer);
        answer(runtime, &writer, life);
    }
    // A stop keeps a snapshot, and of each day one stays.
    pass(86_400_000);
    runtime.block_on(writer.stop());
}

fn answer(runtime: &tokio::runtime::Runtime, writer: &Writer, life: &mut Life) {
    let world = writer.world();
    let submit = |command| drop(runtime.block_on(writer.submit(command, None)));
    for state in (1..).map_while(|n| world.order(&OrderId::new(n))).filter(|state| !state.settled) {
        let (asset, order) = (state.order.asset, state.order.id);
        match &state.order.action {
            OrderAction::Rehearse { .. } if life.below(3) > 0 => {
                submit(Command::ReportRehearsal { asset, order, report: rehearsal(&state.order) });
            }
            OrderAction::Apply { .. } if life.below(3) > 0 => {
                let outcome = if life.below(2) == 0 {
                    ApplyOutcome::Verified
                } else {
                    ApplyOutcome::RolledBack { reason: format!("{order} broke it") }
                };
                let report = ApplyReport {
                    outcome,
                    evidence: Evidence::default(),
                    duration_ms: 1,
                    output: order.to_string(),
                };
                submit(Command::ReportApply { asset, order, report });
            }
            _ => {}
        }
        submit(Command::Approve {
            directive: state.order.directive,
            by: "tester".parse().unwrap(),
            roles: BTreeSet::new(),
            reports: None,
            waive_evidence: None,
        });
    }
}

fn rehearsal(order: &Order) -> RehearsalReport {
    let targets = order.action.targets();
    let steps = targets.iter().map(|target| TransactionStep {
        package: target.package.clone(),
        architecture: target.architecture.clone(),
        change: Change::Upgrade { from: target.from.clone(), to: target.to.clone() },
    });
    let files = targets.iter().map(|target| PinnedFile {
        package: target.package.clone(),
        architecture: target.architecture.clone(),
        version: target.to.clone(),
        sha256: Digest::of(order.id.to_string().as_bytes()),
    });
    RehearsalReport {
        outcome: RehearsalOutcome::Passed,
        transaction: Transaction { steps: steps.collect(), kept_back: Vec::new() },
        files: files.collect(),
        class: Digest::of(b"class"),
        conffile_conflicts: Vec::new(),
        units: Vec::new(),
        reboot: false,
        bytes_written: 1,
        duration_ms: 1,
        undo: Undo::Proven,
        output: String::new(),
    }
}

/// The reports that a view of this World shows.
fn reports(world: &World) -> BTreeSet<Digest> {
    let orders = (1..).map_while(|n| world.order(&OrderId::new(n)));
    orders.filter_map(|state| state.report.map(|(_, report)| report)).collect()
}

fn entries(journal: &dyn Journal) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let page = journal.read(all.last().map_or(1, |last| last.seq + 1), usize::MAX).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What a look back at these entries shows, each by digest, or where history begins.
fn shown(runtime: &tokio::runtime::Runtime, writer: &Writer, places: &[u64]) -> Vec<Result<Digest, u64>> {
    let past = Past::new(writer.clone(), Duration::from_secs(3_600));
    let show = |place: &u64| match runtime.block_on(past.at(Moment::Entry(*place), clock())) {
        Ok(world) => Ok(world.digest().unwrap()),
        Err(PastError::LetGo { seq, .. }) => Err(seq),
        Err(error) => panic!("{error}"),
    };
    places.iter().map(show).collect()
}

/// The record at rest: proven, as it was where it is kept, with the blobs that can be shown.
fn check(path: &Path, expected: &[Entry], world: Digest, all_gone: bool) {
    let journal = open(path);
    let (report, beginning) = prove(&journal).unwrap();
    let base = report.base.map_or(1, |base| base.seq);
    assert_eq!(beginning.map_or(1, |beginning| beginning.base.seq), base);
    let kept = entries(&journal);
    assert_eq!(kept[0].seq, base);
    let same = expected.iter().filter(|entry| entry.seq >= base);
    assert!(same.zip(&kept).all(|(then, now)| then == now), "an entry is another");
    assert_eq!(restore(&journal).unwrap().digest().unwrap(), replay(&journal).unwrap().digest().unwrap());
    let last = expected.last().unwrap().seq;
    assert_eq!(replay_to(&journal, last).unwrap().digest().unwrap(), world);
    // Whatever a view of any moment shows, and what it takes to replay.
    let mut needed = reports(&replay_to(&journal, base).unwrap());
    for entry in &kept {
        let event = Versioned::decode(entry.seq, &entry.payload).unwrap();
        needed.extend(event.blobs());
        if let Event::DirectiveApproved { rehearsals, .. } = &event {
            needed.extend(rehearsals.iter().map(|(_, report)| *report));
        }
    }
    let there: BTreeSet<Digest> = journal.blobs(None, usize::MAX).unwrap().into_iter().collect();
    assert!(there.len() < 4_096, "one page holds them");
    assert!(needed.is_subset(&there), "{} blobs are missing", needed.difference(&there).count());
    if all_gone {
        assert_eq!(there, needed, "what nothing names is there");
        assert_eq!(journal.leftover_snapshots().unwrap(), [0; 0]);
    }
    let mut out = Vec::new();
    export(&journal, &mut out).unwrap();
    let (exported, said) = prove_export(&mut out.as_slice()).unwrap();
    assert_eq!((exported.base, exported.head), (report.base, report.head));
    assert_eq!(said.map(|said| said.base.seq), report.base.map(|base| base.seq));
}

/// A time between the first and the last of these entries.
fn moment(life: &mut Life, entries: &[Entry]) -> Timestamp {
    let at = life.below(entries.len() as u64) as usize;
    Timestamp::from_millis(entries[at].time_ms + life.below(2) as i64)
}

#[test]
fn whatever_is_kept_answers_as_before_and_the_rest_is_gone() {
    let runtime = runtime();
    let (mut cuts, mut blobs, mut reported) = (0, 0, 0);
    for seed in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let mut life = Life::new(20_261_125 + seed);
        for _ in 0..3 {
            (0..3).for_each(|_| live(&runtime, &path, &mut life, 40));
            let before = entries(&open(&path));
            let (first, last) = (before[0].seq, before[before.len() - 1].seq);
            let places: Vec<u64> = (0..20).map(|_| first + life.below(last - first + 1)).collect();
            let horizon = moment(&mut life, &before);
            let writer = start(&path, usize::MAX);
            let (world, then) = (writer.world().digest().unwrap(), shown(&runtime, &writer, &places));
            reported += reports(&writer.world()).len();
            let gone = let_go(&writer, horizon, DAYS).unwrap();
            let now = shown(&runtime, &writer, &places);
            let base = gone.base.unwrap_or(first);
            for ((place, then), now) in places.iter().zip(then).zip(now) {
                let wanted = if *place < base { Err(base) } else { then };
                assert_eq!(now, wanted, "seed {seed}, entry {place}");
            }
            // The horizon itself is kept, where the record reached back to it.
            let at = before.iter().rfind(|entry| entry.time_ms <= horizon.as_millis());
            assert!(gone.base.is_none() || at.is_some_and(|at| at.seq >= base));
            let again = let_go(&writer, horizon, DAYS).unwrap();
            assert_eq!(again, LetGo::default(), "something was left");
            cuts += u64::from(gone.base.is_some());
            blobs += gone.blobs;
            runtime.block_on(writer.stop());
            check(&path, &before, world, gone.base.is_some());
        }
    }
    println!("measured: {cuts} cuts let {blobs} blobs go, {reported} reports were looked for");
    assert!(cuts > 3 && blobs > 100 && reported > 50, "{cuts} {blobs} {reported}");
}

#[test]
fn a_round_that_ends_anywhere_loses_nothing_and_is_finished_by_the_next() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.sqlite");
    let mut life = Life::new(7);
    (0..5).for_each(|_| live(&runtime, &whole, &mut life, 30));
    let before = entries(&open(&whole));
    let horizon = Timestamp::from_millis(before[before.len() * 2 / 3].time_ms);
    let last = before[before.len() - 1].seq;
    let places: Vec<u64> = (1..=last).step_by(17).collect();
    let (world, then) = {
        let writer = start(&whole, usize::MAX);
        let seen = (writer.world().digest().unwrap(), shown(&runtime, &writer, &places));
        runtime.block_on(writer.stop());
        seen
    };
    let mut ended = 0;
    for removals in 0.. {
        let path = folder.path().join(format!("{removals}.sqlite"));
        std::fs::copy(&whole, &path).unwrap();
        let writer = start(&path, removals);
        match let_go(&writer, horizon, DAYS) {
            Err(HistoryError::Journal(JournalError::Storage { .. })) => ended += 1,
            other => {
                assert!(other.unwrap().base.is_some());
                break;
            }
        }
        runtime.block_on(writer.stop());
        check(&path, &before, world, false);
        let writer = start(&path, usize::MAX);
        let now = shown(&runtime, &writer, &places);
        let _gone = let_go(&writer, horizon, DAYS).unwrap();
        let finished = shown(&runtime, &writer, &places);
        for shown in [&now, &finished] {
            let kept = then.iter().zip(shown).filter(|(_, now)| now.is_ok());
            assert!(kept.clone().count() * 4 > places.len() && kept.clone().all(|(then, now)| then == now));
        }
        runtime.block_on(writer.stop());
        check(&path, &before, world, true);
        std::fs::remove_file(&path).unwrap();
    }
    println!("measured: a round was ended at each of {ended} steps");
    assert!(ended > 8, "{ended}");
}

#[test]
fn a_record_that_another_hand_cut_and_a_snapshot_that_is_another_are_not_proven() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let mut life = Life::new(9);
    (0..3).for_each(|_| live(&runtime, &path, &mut life, 30));
    let mut journal = open(&path);
    let (head, newest) = (journal.head().unwrap(), journal.snapshots().unwrap()[0].head);
    journal.cut(&head, &newest).unwrap();
    let refused = prove(&journal);
    assert!(matches!(refused, Err(ProofError::Unsaid { seq }) if seq == newest.seq), "{refused:?}");
    drop(journal);

    // A snapshot that the entries do not lead to: nothing is let go for it.
    let path = folder.path().join("other.sqlite");
    let mut life = Life::new(10);
    (0..2).for_each(|_| live(&runtime, &path, &mut life, 60));
    let mut journal = open(&path);
    let snapshots = journal.snapshots().unwrap();
    let (newest, older) = (snapshots[0], snapshots[1]);
    let last = journal.head().unwrap();
    let mut content = journal.read_snapshot(newest.head.seq).unwrap().unwrap().concat();
    let at = content.windows(6).rposition(|text| text == b"host-0").unwrap();
    content[at..at + 6].copy_from_slice(b"host-9");
    journal.keep_snapshot(&newest.head, newest.format, &content).unwrap();
    drop(journal);
    let writer = start(&path, usize::MAX);
    let after = Timestamp::from_millis(last.time_ms + 1);
    let refused = let_go(&writer, after, DAYS);
    assert!(
        matches!(&refused, Err(HistoryError::Unproven { seq, .. }) if *seq == newest.head.seq),
        "{refused:?}"
    );
    runtime.block_on(writer.stop());
    assert_eq!(open(&path).base().unwrap(), None);
    assert!(older.head.seq < newest.head.seq);
}

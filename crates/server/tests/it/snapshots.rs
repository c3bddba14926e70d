//! A start from a snapshot gives the World that all entries give.

use std::path::Path;
use std::time::{Duration, Instant};

use tenon_engine::SNAPSHOT_VERSION;
use tenon_journal::{Journal, JournalError, SqliteJournal};
use tenon_model::{Command, Timestamp};
use tenon_server::{Writer, replay, restore};

const EVERY: u64 = 10;
const FORMAT: u32 = SNAPSHOT_VERSION as u32;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn start(path: &Path) -> Writer {
    Writer::start_keeping(Box::new(SqliteJournal::open(path).unwrap()), clock, EVERY).unwrap()
}

fn begin_terms(runtime: &tokio::runtime::Runtime, writer: &Writer, count: u64) {
    for _ in 0..count {
        runtime.block_on(writer.submit(Command::BeginTerm, None)).unwrap();
    }
}

/// The journal, once the writer's thread has let go of it.
fn open(path: &Path) -> SqliteJournal {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match SqliteJournal::open(path) {
            Err(JournalError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn places(journal: &dyn Journal) -> Vec<u64> {
    journal.snapshots().unwrap().iter().map(|snapshot| snapshot.head.seq).collect()
}

#[test]
fn snapshots_are_kept_as_the_record_grows_and_when_it_is_closed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = start(&path);
    begin_terms(&runtime, &writer, EVERY - 1);
    drop(writer);
    assert_eq!(places(&open(&path)), [0; 0], "one that came too early");
    // Not told to stop, as in a crash: what was begun on the way is there.
    let writer = start(&path);
    begin_terms(&runtime, &writer, EVERY);
    drop(writer);
    let journal = open(&path);
    let held = places(&journal);
    assert!(matches!(held[..], [newest] if newest >= EVERY), "{held:?}");
    assert_eq!(restore(&journal).unwrap().digest().unwrap(), replay(&journal).unwrap().digest().unwrap());
    drop(journal);
    // In order: the last state is kept, and no more than two.
    for _ in 0..3 {
        let writer = start(&path);
        begin_terms(&runtime, &writer, EVERY);
        let (seq, digest) = (writer.world().seq(), writer.world().digest().unwrap());
        runtime.block_on(writer.stop());
        let journal = open(&path);
        let held = places(&journal);
        assert_eq!((held.len(), held[0]), (2, seq));
        assert_eq!(restore(&journal).unwrap().digest().unwrap(), digest);
        assert_eq!(replay(&journal).unwrap().digest().unwrap(), digest);
    }
}

#[test]
fn what_is_no_snapshot_of_this_entry_is_passed_over() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("this.db");
    let writer = start(&path);
    begin_terms(&runtime, &writer, 4);
    let good = writer.world().to_snapshot().unwrap().concat();
    runtime.block_on(writer.stop());
    let mut journal = open(&path);
    let whole = replay(&journal).unwrap().digest().unwrap();
    let entries = journal.read(1, 4).unwrap();
    for (content, format) in
        [(&b"no snapshot"[..], FORMAT), (&good[..good.len() / 2], FORMAT), (&good, FORMAT + 1), (b"", FORMAT)]
    {
        journal.keep_snapshot(&entries[3].head(), format, content).unwrap();
        assert_eq!(restore(&journal).unwrap().digest().unwrap(), whole);
    }
    // The state of entry 4 as that of entry 3: the fourth entry would be applied twice.
    journal.forget_snapshot(4).unwrap();
    journal.keep_snapshot(&entries[2].head(), FORMAT, &good).unwrap();
    assert_eq!(restore(&journal).unwrap().digest().unwrap(), whole);
    // A snapshot that can be read is read, and not only the entries: that of another record, made later, shows.
    let later = || clock().plus_seconds(60);
    let other = SqliteJournal::open(&folder.path().join("other.db")).unwrap();
    let other = Writer::start_keeping(Box::new(other), later, EVERY).unwrap();
    begin_terms(&runtime, &other, 4);
    let (foreign, shown) = (other.world().to_snapshot().unwrap().concat(), other.world().digest().unwrap());
    assert_ne!(shown, whole);
    journal.keep_snapshot(&entries[3].head(), FORMAT, &foreign).unwrap();
    assert_eq!(restore(&journal).unwrap().digest().unwrap(), shown);
}

//! What an append waits while a large snapshot is kept: at once, and in parts with appends between them.
//!
//! `cargo run --release -p tenon-journal --example snapshots`. Files lie in the folder for temporary files.

use std::error::Error;
use std::time::{Duration, Instant};

use tenon_journal::postgres::PostgresJournal;
use tenon_journal::postgres::server::{Server, ServerError};
use tenon_journal::{Batch, Head, Journal, NewEntry, Removal, Snapshot, SqliteJournal};
use tenon_model::Parts;

/// The state of an estate of some hundred thousand hosts.
const SIZE: usize = 300 << 20;
/// An event of a report that changed little.
const EVENT: usize = 300;

/// One append of one event; how long it took.
fn append(journal: &mut dyn Journal, head: &mut Head) -> Result<Duration, Box<dyn Error>> {
    let entry = NewEntry { time_ms: 1, term: 1, payload: vec![b'x'; EVENT] };
    let batch = Batch { entries: vec![entry], ..Batch::default() };
    let started = Instant::now();
    *head = journal.append(head, &[batch])?;
    Ok(started.elapsed())
}

fn told(store: &str, case: &str, mut waits: Vec<Duration>, all: Duration) {
    waits.sort_unstable();
    let place = |share: usize| waits[(waits.len() * share / 100).min(waits.len() - 1)];
    let (middle, late, worst) = (place(50), place(99), waits[waits.len() - 1]);
    println!(
        "{store:<11} {case:<44} p50 {middle:>8.2?}  p99 {late:>8.2?}  worst {worst:>8.2?}  in all {all:>8.2?}"
    );
}

fn measure(store: &str, journal: &mut dyn Journal) -> Result<(), Box<dyn Error>> {
    let mut head = journal.head()?;
    let started = Instant::now();
    let waits = (0..300).map(|_| append(journal, &mut head)).collect::<Result<Vec<_>, _>>()?;
    told(store, "appends alone", waits, started.elapsed());
    // Content that does not compress, or the database would store less than there is.
    let mut state = 1_u64;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    })
    .take(SIZE)
    .collect();

    let started = Instant::now();
    journal.keep_snapshot(&head, 1, &content)?;
    let whole = started.elapsed();
    told(store, "an append behind a snapshot kept at once", vec![whole + append(journal, &mut head)?], whole);

    let content = Parts::from(&content[..]);
    let snapshot = Snapshot::of(&head, 1, &content);
    let (started, mut waits) = (Instant::now(), Vec::new());
    journal.begin_snapshot(&snapshot)?;
    for (part, content) in (0..).zip(content.iter()) {
        // An append that arrives as the part begins waits for it.
        let part_began = Instant::now();
        journal.add_to_snapshot(snapshot.head.seq, part, content)?;
        let waited = part_began.elapsed();
        waits.push(waited + append(journal, &mut head)?);
    }
    told(store, "appends, each behind a part of a snapshot", waits, started.elapsed());

    let (started, mut waits) = (Instant::now(), Vec::new());
    loop {
        let step_began = Instant::now();
        let removal = journal.forget_snapshot(snapshot.head.seq)?;
        let waited = step_began.elapsed();
        waits.push(waited + append(journal, &mut head)?);
        if removal == Removal::Whole {
            break;
        }
    }
    told(store, "appends, each behind a part that is let go", waits, started.elapsed());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    measure("SQLite", &mut SqliteJournal::open(&folder.path().join("journal.db"))?)?;
    drop(folder);
    match Server::start() {
        Ok(server) => measure("PostgreSQL", &mut PostgresJournal::open(&server.database("snapshots")?)?)?,
        Err(error @ (ServerError::Absent | ServerError::NobodyElse)) => {
            println!("skipped: PostgreSQL: {error}");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

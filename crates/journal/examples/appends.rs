//! Durable appends a second, on SQLite and on PostgreSQL, beside what the disk gives.
//!
//! `cargo run --release -p tenon-journal --example appends`. A group is what one append makes durable: the writer hands over
//! together the commands that arrived during the append before. Files lie in the folder for temporary files.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tenon_journal::postgres::PostgresJournal;
use tenon_journal::postgres::server::{Server, ServerError};
use tenon_journal::{Batch, Journal, NewEntry, SqliteJournal};
use tenon_model::Blob;

/// How long each case is measured.
const MEASURED: Duration = Duration::from_secs(3);
/// An event of a report that changed little.
const EVENT: usize = 300;
/// A manifest of 600 packages.
const MANIFEST: usize = 60_000;

/// What a command of the case brings.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    group: usize,
    blob: usize,
}

const CASES: [Case; 5] = [
    Case { name: "an event, one command an append", group: 1, blob: 0 },
    Case { name: "an event, 16 commands an append", group: 16, blob: 0 },
    Case { name: "an event, 256 commands an append", group: 256, blob: 0 },
    Case { name: "an event and 60 kB, one command an append", group: 1, blob: MANIFEST },
    Case { name: "an event and 60 kB, 64 commands an append", group: 64, blob: MANIFEST },
];

/// One group of commands that nobody sent before.
fn group(case: Case, number: u64) -> Result<Vec<Batch>, Box<dyn Error>> {
    (0..case.group)
        .map(|n| {
            let name = format!("{}-{}-{number}-{n}", case.blob, case.group);
            let mut payload = name.clone().into_bytes();
            payload.resize(EVENT, b'x');
            // Text that differs from the first byte on, as lists of packages do.
            let blob: Vec<u8> = (0..)
                .map(|line| format!("{name} {line}\n"))
                .flat_map(String::into_bytes)
                .take(case.blob)
                .collect();
            Ok(Batch {
                blobs: if case.blob == 0 { Vec::new() } else { vec![Blob::new(blob)] },
                entries: vec![NewEntry { time_ms: 1, term: 1, payload }],
                client_key: Some(name.parse()?),
            })
        })
        .collect()
}

fn measure(store: &str, journal: &mut dyn Journal) -> Result<(), Box<dyn Error>> {
    for case in CASES {
        let mut head = journal.head()?;
        let mut waits = Vec::new();
        let mut spent = Duration::ZERO;
        for number in 0.. {
            // Making the commands is not counted.
            let batches = group(case, number)?;
            let started = Instant::now();
            head = journal.append(&head, &batches)?;
            let wait = started.elapsed();
            waits.push(wait);
            spent += wait;
            if spent > MEASURED {
                break;
            }
        }
        waits.sort_unstable();
        let commands = waits.len() as f64 * case.group as f64 / spent.as_secs_f64();
        let place = |share: usize| waits[(waits.len() * share / 100).min(waits.len() - 1)];
        println!(
            "{:<60} {:>9.0} commands/s   append p50 {:>7.2?}, p99 {:>7.2?}",
            format!("{store}: {}", case.name),
            commands,
            place(50),
            place(99)
        );
    }
    Ok(())
}

/// What the disk gives: 4 KiB written at the end of a file and synced.
fn syncs() -> Result<f64, Box<dyn Error>> {
    let mut file = tempfile::tempfile()?;
    let started = Instant::now();
    let mut count = 0.0;
    while started.elapsed() < MEASURED {
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        count += 1.0;
    }
    Ok(count / started.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<60} {:>9.0} syncs/s", "the disk: 4 KiB appended and synced", syncs()?);
    let folder = tempfile::tempdir()?;
    measure("SQLite", &mut SqliteJournal::open(&folder.path().join("journal.db"))?)?;
    match Server::start() {
        Ok(server) => measure("PostgreSQL", &mut PostgresJournal::open(&server.database("appends")?)?)?,
        Err(error @ (ServerError::Absent | ServerError::NobodyElse)) => {
            println!("skipped: PostgreSQL: {error}");
        }
        Err(error) => return Err(error.into()),
    }
    println!("{:<60} {:>9.0} syncs/s", "the disk again", syncs()?);
    Ok(())
}

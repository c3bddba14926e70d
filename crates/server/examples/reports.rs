//! Durable reports a second through the one writer, on SQLite: whole reports of manifests that nobody sent before, and deltas.
//!
//! `cargo run --release -p tenon-server --example reports -- HOSTS PACKAGES`. What is sent is made before the clock runs; many
//! senders wait at once, as hosts at the gateway do, and a report counts once it is acknowledged. The bodies are not parsed
//! here. The journal lies in the folder for temporary files.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use tenon_journal::SqliteJournal;
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, AssetId, Command, Component, Digest, HostFacts,
    Inventory, OsRelease, Reported, SourcePackage, Timestamp,
};
use tenon_server::Writer;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Reports that wait for their answer at a time.
const WAITING: usize = 1_024;
/// Packages there are, and versions of each.
const NAMES: usize = 6_000;
const VERSIONS: usize = 10;
/// Packages with an advisory, fixed in the last version.
const ADVISED: usize = 200;

#[allow(clippy::disallowed_methods, reason = "the shell is where time enters")]
fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn component(package: usize, version: usize) -> Component {
    let (name, version) = (format!("package-{package:05}"), format!("1.0-{version}"));
    let source = SourcePackage { name: name.clone(), version: version.clone() };
    Component::os_package(format!("lib{name}"), "amd64", version, source)
}

/// What a host has; in each round some packages are of another version: from 1 to 5, by the host.
fn inventory(host: usize, packages: usize, round: usize) -> Inventory {
    let components = (0..packages).map(|place| {
        let package =
            if place < packages / 2 { place } else { (place * 7 + host * 131) % (NAMES - place) + place };
        let moved = if place < host % 5 + 1 { round } else { 0 };
        component(package, (host / 3 + place * (host % 7) + moved) % VERSIONS)
    });
    let os = OsRelease {
        id: "debian".to_owned(),
        version_id: "12".to_owned(),
        pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
    };
    Inventory { facts: HostFacts::nothing_known_of(os), components: components.collect() }
}

fn advisory(package: usize) -> Outcome<Advisory> {
    let fixed = Some(format!("1.0-{}", VERSIONS - 1));
    Ok(Advisory {
        id: format!("DSA-{package}-1").parse()?,
        summary: "a security update".to_owned(),
        published: None,
        addresses: vec![format!("CVE-2026-{}", 1_000 + package).parse()?],
        affected: vec![Affected {
            ecosystem: "Debian:12".to_owned(),
            package: format!("package-{package:05}"),
            module: None,
            ranges: vec![AffectedRange { introduced: None, fixed, last_affected: None }],
            versions: Vec::new(),
        }],
    })
}

/// Sends all, so many at a time, and prints how many were acknowledged in a second.
async fn send(writer: &Writer, what: &str, commands: Vec<Command>) -> Outcome<()> {
    let (count, started) = (commands.len(), Instant::now());
    let free = Arc::new(Semaphore::new(WAITING));
    let mut sent = JoinSet::new();
    for command in commands {
        let (place, writer) = (free.clone().acquire_owned().await?, writer.clone());
        sent.spawn(async move {
            let _place = place;
            writer.submit(command, None).await
        });
    }
    while let Some(answer) = sent.join_next().await {
        answer??;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("  {what:<40} {:>8.0} a second, {count} in {seconds:.2} s", count as f64 / seconds);
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [hosts, packages] = numbers[..] else {
        return Err("name how many hosts and packages there are".into());
    };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("journal.sqlite");
    let writer = Writer::start(Box::new(SqliteJournal::open(&path)?), clock)?;
    let published = (0..ADVISED).map(advisory).collect::<Outcome<_>>()?;
    let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
    writer
        .submit(Command::ChangeAdvisories { feed: "osv:Debian".to_owned(), delta, as_of: None }, None)
        .await?;
    let key = |host: usize| AssetId::of_public_key(format!("key of {host}").as_bytes());
    let (mut tokens, mut enrolments) = (Vec::new(), Vec::new());
    for host in 0..hosts {
        let (name, secret) = (format!("t{host}"), Digest::of(b"secret"));
        let (token, group) = (name.parse()?, format!("team-{}", host % 20).parse()?);
        let expires = clock().plus_days(1);
        tokens.push(Command::IssueToken { token, secret, group, expires, by: "bench".parse()? });
        enrolments.push(Command::Enrol {
            asset: key(host),
            hostname: name.clone(),
            token: name.parse()?,
            secret,
            machine: None,
        });
    }
    send(&writer, "tokens", tokens).await?;
    send(&writer, "enrolments", enrolments).await?;
    let report = |host| Command::ReportInventory {
        asset: key(host),
        sequence: 1,
        inventory: inventory(host, packages, 0),
    };
    send(&writer, "unknown manifests", (0..hosts).map(report).collect()).await?;
    for round in 1..4 {
        let mut deltas = Vec::new();
        for host in 0..hosts {
            let [before, now] =
                [round - 1, round].map(|round| Reported::new(inventory(host, packages, round)));
            let delta = now?.since(&before?).ok_or("a delta that names too much")?;
            deltas.push(Command::ReportDelta {
                asset: key(host),
                sequence: 1 + round as u64,
                delta: Box::new(delta),
            });
        }
        send(&writer, "deltas of 1 to 5 packages", deltas).await?;
    }
    writer.stop().await;
    println!("  a journal of {} MB", std::fs::metadata(&path)?.len() >> 20);
    Ok(())
}

//! Loads every feed of a mirror into a fresh store, reads one host's worth of it, and prints what that took.
//!
//! `cargo run --release -p tenon-feeds --example load_all -- [MIRROR]`, where MIRROR is a folder or address, by default
//! the public mirror of the tests (`feeds` in `TENON_SHARED` or in `../shared`).

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tenon_feeds::{FeedError, Limits, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_model::{Timestamp, VulnerabilityId};

/// Packages of one host.
const PACKAGES: usize = 700;
/// How often the warm read is repeated: the system counts CPU time in hundredths of seconds.
const REPEATS: u32 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let shared = std::env::var_os("TENON_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let mirror = std::env::args().nth(1).unwrap_or_else(|| shared.join("feeds").display().to_string());
    let source: Source = mirror.parse()?;
    let folder = tempfile::tempdir()?;
    let now = Timestamp::parse("2026-08-09").ok_or("a date")?;

    let start = Instant::now();
    let mut store = Store::open(folder.path())?;
    let options =
        SyncOptions { selection: Selection::Usual, limits: Limits::default(), now, stop: &Stop::default() };
    let report = sync(&source, &mut store, options, &mut |_| {})?;
    let (wall, cpu, memory) = (start.elapsed(), cpu()?, status("VmHWM")?);
    drop(store);
    let size = fs::metadata(folder.path().join("feeds.sqlite"))?.len();
    for synced in &report.feeds {
        let state = synced.state.as_ref().map(|state| {
            let as_of = state.as_of.map(|time| time.to_string()).unwrap_or_default();
            format!("{} records, {} problems, as of {as_of} {}", state.records, state.problems, state.edition)
        });
        println!("{}: {:?}, {}", synced.feed, synced.outcome, state.unwrap_or_default());
    }
    println!(
        "measured: load all cold {wall:.2?} wall, {cpu:.2?} CPU, {} MB resident at most, store {} MB (bars: 60 s, 1024 MB, 500 MB)",
        memory / 1024,
        size >> 20
    );

    let start = Instant::now();
    let store = Store::open_read_only(folder.path())?;
    println!("measured: open read-only {:.2?} (bar: well under 1 s)", start.elapsed());
    for release in ["Debian:12", "Ubuntu:18.04:LTS", "AlmaLinux:9"] {
        host(&store, release)?;
    }
    println!("measured: {} MB resident now, {} MB at most", status("VmRSS")? / 1024, status("VmHWM")? / 1024);
    Ok(())
}

/// Reads what a host of this release needs, whose packages are those with the most advisories: the worst case.
fn host(store: &Store, release: &str) -> Result<(), Box<dyn Error>> {
    let mut by_package: BTreeMap<String, usize> = BTreeMap::new();
    for advisory in store.advisories_of(&[release.to_owned()])? {
        for affected in advisory?.affected {
            *by_package.entry(affected.package).or_default() += 1;
        }
    }
    let mut packages: Vec<(String, usize)> = by_package.into_iter().collect();
    packages.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    packages.truncate(PACKAGES);
    let names: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
    let read = || -> Result<(usize, usize), FeedError> {
        store.consistent(|store| {
            let advisories = store.advisories_of_packages(release, names.iter().copied())?;
            let ids: BTreeSet<&VulnerabilityId> =
                advisories.iter().flat_map(|advisory| advisory.vulnerabilities()).collect();
            let ids: Vec<&VulnerabilityId> = ids.into_iter().collect();
            Ok((advisories.len(), store.intel_of(&ids)?.len()))
        })
    };
    let (advisories, vulnerabilities) = read()?;
    let (before, start) = (cpu()?, Instant::now());
    for _ in 0..REPEATS {
        read()?;
    }
    let (cpu, wall) = ((cpu()? - before) / REPEATS, start.elapsed() / REPEATS);
    println!(
        "measured: warm read of {} packages of {release}: {advisories} advisories, {vulnerabilities} vulnerabilities, {cpu:.1?} CPU, {wall:.1?} wall (bar: far under 50 ms CPU)",
        names.len()
    );
    Ok(())
}

/// CPU time of this process; the kernel counts hundredths of a second.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()? * 10))
}

/// A line of the process's status, in KiB.
fn status(name: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

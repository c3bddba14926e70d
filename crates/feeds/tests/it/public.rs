//! The public mirror as it is: read over HTTP, and what it says of well-known vulnerabilities.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tenon_feeds::{Change, EvidenceKind, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_model::Exploitation;
use tenon_model::{Timestamp, VulnerabilityId};

use crate::mirror::limits;
use crate::server::Server;

/// The bar, although the test is not optimised and shares its processors.
const MOST_TIME: Duration = Duration::from_secs(60);
const MOST_STORE: u64 = 500 << 20;

fn feeds(test: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("TENON_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let feeds = shared.join("feeds");
    if feeds.is_dir() {
        return Some(feeds);
    }
    println!("skipped: {test}: no folder feeds (name the folder that holds it in TENON_SHARED)");
    None
}

#[test]
fn the_whole_public_mirror_is_read_over_http() {
    let Some(mirror) = feeds("the_whole_public_mirror_is_read_over_http") else { return };
    let server = Server::start(&mirror);
    let source: Source = server.address.parse().unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let whole = Duration::from_secs(120);
    let limits = tenon_feeds::Limits { whole, silence: whole, ..limits() };
    let now = Timestamp::parse("2026-08-09").unwrap();
    let options = SyncOptions { selection: Selection::Usual, limits, now, stop: &Stop::default() };
    let start = Instant::now();
    let report = sync(&source, &mut store, options, &mut |_| {}).unwrap();
    let took = start.elapsed();
    for synced in &report.feeds {
        assert!(matches!(synced.outcome, Ok(Change::Replaced)), "{synced:?}");
    }
    assert!(report.troubles.is_empty() && report.feeds.len() >= 10, "{report:?}");
    let size = std::fs::metadata(place.path().join("feeds.sqlite")).unwrap().len();
    println!("measured: the public mirror over HTTP, not optimised: {took:.1?}, store {} MB", size >> 20);
    assert!(took < MOST_TIME && size < MOST_STORE, "{took:?}, {size} bytes");

    let facts = |cve: &str| store.intel(&cve.parse().unwrap()).unwrap();
    let ppm = |cve: &str| facts(cve).epss.unwrap().score.ppm();
    let log4shell = facts("CVE-2021-44228");
    let kev = log4shell.kev.clone().unwrap();
    assert_eq!((Some(kev.added), kev.ransomware), (Timestamp::parse("2021-12-10"), true));
    assert_eq!(ppm("CVE-2021-44228"), 999_990);
    let github = log4shell.evidence.iter().find(|evidence| evidence.kind == EvidenceKind::GithubPoc).unwrap();
    assert_eq!(github.first_seen, Timestamp::parse("2021-12-10"));
    let record = facts("CVE-2024-1086").record.unwrap();
    let ssvc = record.ssvc.unwrap();
    assert_eq!(ssvc.exploitation, Some(Exploitation::Active));
    assert_eq!(ssvc.decided, Timestamp::parse("2024-06-13T14:20:47.271Z"));
    assert_eq!(record.published, Timestamp::parse("2024-01-31T12:14:34.073Z"));
    let vector = ("Google", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H");
    assert!(record.cvss.iter().any(|cvss| (cvss.source.as_str(), cvss.vector.as_str()) == vector));
    assert_eq!(ppm("CVE-2024-3094"), 859_740);
    assert!(facts("CVE-2024-3094").kev.is_none());

    let advisory = store.advisory(&"DSA-5514-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(advisory.published, Timestamp::parse("2023-10-03"));
    let cve: VulnerabilityId = "CVE-2023-4911".parse().unwrap();
    let glibc = store.advisories("Debian:12", "glibc").unwrap();
    assert!(glibc.iter().any(|advisory| advisory.vulnerabilities().contains(&cve)));
    assert!(glibc.iter().flat_map(|advisory| &advisory.affected).all(|entry| entry.ecosystem == "Debian:12"));
    let of_release = store.advisories_of(&["Debian:12".to_owned()]).unwrap().map(Result::unwrap).count();
    let of_packages =
        store.advisories_of_packages("Debian:12", ["glibc", "openssh", "linux"].into_iter()).unwrap();
    assert!(of_release > 800 && of_packages.len() > glibc.len(), "{of_release}, {}", of_packages.len());
    assert!(store.advisories("Ubuntu:18.04", "openssl").unwrap().len() > 10, "a release includes its LTS");

    // Nothing travels a second time.
    server.asked();
    let again = sync(&source, &mut store, options, &mut |_| {}).unwrap();
    for synced in &again.feeds {
        assert!(matches!(synced.outcome, Ok(Change::Unchanged)), "{synced:?}");
    }
    let small = ["modified_id.csv", "ecosystems.txt", "epss_snapshots.csv"];
    let travelled = server.asked();
    let large = travelled
        .iter()
        .find(|(path, status)| *status == 200 && !small.iter().any(|name| path.ends_with(name)));
    assert_eq!(large, None);
}

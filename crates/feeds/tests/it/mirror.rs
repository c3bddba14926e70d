//! A small mirror of invented feeds, in the layout that a real one has.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tenon_feeds::{
    Change, FeedError, Limits, Progress, Selection, Source, Stop, Store, SyncOptions, SyncReport, sync,
};
use tenon_model::Timestamp;
use zip::write::SimpleFileOptions;

use crate::server::Server;

pub(crate) fn record(id: &str, cve: &str, package: &str, fixed: &str, modified: &str) -> Value {
    json!({
        "schema_version": "1.7.0", "id": id, "modified": modified, "published": "2026-11-01T00:00:00Z",
        "summary": format!("{package} - security update"), "upstream": [cve],
        "affected": [{
            "package": { "ecosystem": "Debian:12", "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
        }],
    })
}

/// Writes archive and list of changes; each record also as a file of its own, as the public bucket has it.
pub(crate) fn write_osv(folder: &Path, records: &[(&str, String)]) {
    let osv = folder.join("osv/Debian");
    fs::create_dir_all(&osv).unwrap();
    let mut archive = zip::ZipWriter::new(File::create(osv.join("all.zip")).unwrap());
    let mut changes: Vec<String> = Vec::new();
    for (id, text) in records {
        archive.start_file(format!("{id}.json"), SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
        fs::write(osv.join(format!("{id}.json")), text).unwrap();
        let modified = serde_json::from_str::<Value>(text).ok();
        let modified = modified.and_then(|record| record["modified"].as_str().map(str::to_owned));
        changes.push(format!("{},{id}", modified.unwrap_or_else(|| "2026-11-01T00:00:00Z".to_owned())));
    }
    archive.finish().unwrap();
    changes.sort();
    changes.reverse();
    fs::write(osv.join("modified_id.csv"), changes.join("\n") + "\n").unwrap();
    fs::write(folder.join("osv/ecosystems.txt"), "Debian\n").unwrap();
}

pub(crate) fn write_kev(folder: &Path, version: &str, cves: &[&str]) {
    fs::create_dir_all(folder.join("kev")).unwrap();
    let entries: Vec<Value> = cves
        .iter()
        .map(|cve| {
            json!({ "cveID": cve, "vendorProject": "v", "product": "p", "vulnerabilityName": "n", "dateAdded": "2026-11-10",
                    "shortDescription": "d", "requiredAction": "a", "dueDate": "2026-11-24",
                    "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": [] })
        })
        .collect();
    let catalogue = json!({ "title": "t", "catalogVersion": version, "count": entries.len(),
                            "dateReleased": format!("{}T12:00:00.0000Z", version.replace('.', "-")), "vulnerabilities": entries });
    fs::write(folder.join("kev/known_exploited_vulnerabilities.json"), catalogue.to_string()).unwrap();
}

pub(crate) fn write_epss(folder: &Path, day: &str, scores: &[(&str, &str)]) {
    fs::create_dir_all(folder.join("epss")).unwrap();
    let mut text =
        format!("#model_version:v2026.06.15,score_date:{day}T00:00:00+0000\ncve,epss,percentile\n");
    for (cve, score) in scores {
        text.push_str(&format!("{cve},{score},0.5\n"));
    }
    let file = File::create(folder.join("epss/epss_scores-current.csv.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap();
}

/// A whole mirror: two advisories, one exploited vulnerability, two scores.
pub(crate) fn write_all(folder: &Path) {
    let openssl =
        record("DSA-1-1", "CVE-2026-1001", "openssl", "3.0.20-1", "2026-11-02T00:00:00Z").to_string();
    let nginx = record("DSA-2-1", "CVE-2026-1002", "nginx", "1.22.1-9", "2026-11-03T00:00:00Z").to_string();
    write_osv(folder, &[("DSA-1-1", openssl), ("DSA-2-1", nginx)]);
    write_kev(folder, "2026.11.10", &["CVE-2026-1001"]);
    write_epss(folder, "2026-11-11", &[("CVE-2026-1001", "0.9"), ("CVE-2026-1002", "0.01")]);
}

/// A mirror of every feed, and a store with nothing in it. Both folders go when they are dropped.
pub(crate) fn mirrored() -> (TempDir, TempDir, Store) {
    let (mirror, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_all(mirror.path());
    let store = Store::open(place.path()).unwrap();
    (mirror, place, store)
}

/// The same, with the mirror behind a web server.
pub(crate) fn served() -> (TempDir, TempDir, Server, Store) {
    let (mirror, place, store) = mirrored();
    let server = Server::start(mirror.path());
    (mirror, place, server, store)
}

/// Bounds in time that a test can wait for.
pub(crate) fn limits() -> Limits {
    let milliseconds = std::time::Duration::from_millis;
    Limits {
        connect: milliseconds(2_000),
        silence: milliseconds(1_500),
        whole: milliseconds(10_000),
        attempts: 2,
        pause: milliseconds(10),
        longest_pause: milliseconds(20),
    }
}

pub(crate) fn sync_all(source: &str, store: &mut Store) -> SyncReport {
    sync_within(source, store, limits(), &mut |_| {})
}

pub(crate) fn sync_within(
    source: &str,
    store: &mut Store,
    limits: Limits,
    progress: &mut dyn FnMut(Progress<'_>),
) -> SyncReport {
    let source: Source = source.parse().unwrap();
    let choices = ["kev", "epss", "osv:Debian"].map(|name| name.parse().unwrap());
    let now = Timestamp::parse("2026-11-12").unwrap();
    sync(
        &source,
        store,
        SyncOptions { selection: Selection::Required(&choices), limits, now, stop: &Stop::default() },
        progress,
    )
    .unwrap()
}

/// What a sync did to one feed, or why it did not.
#[track_caller]
pub(crate) fn outcome(report: &SyncReport, feed: &str) -> Result<Change, String> {
    let synced = report.feeds.iter().find(|synced| synced.feed.to_string() == feed).unwrap();
    synced.outcome.as_ref().copied().map_err(FeedError::to_string)
}

/// What the store says of one package and one vulnerability.
pub(crate) fn seen(store: &Store, package: &str, cve: &str) -> (Vec<String>, bool, Option<u32>) {
    let advisories = store.advisories("Debian:12", package).unwrap();
    let intel = store.intel(&cve.parse().unwrap()).unwrap();
    let fixed =
        advisories.iter().flat_map(|advisory| &advisory.affected).flat_map(|affected| &affected.ranges);
    let fixed = fixed.filter_map(|range| range.fixed.clone()).collect();
    (fixed, intel.kev.is_some(), intel.epss.map(|epss| epss.score.ppm()))
}

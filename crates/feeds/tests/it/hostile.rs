//! Feeds made to hurt: each is refused or named, in bounded memory, and nothing that was had is lost.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use tenon_feeds::{
    Change, Choice, EvidenceKind, FeedName, Selection, Source, Stop, Store, SyncOptions, sync,
};
use tenon_model::Timestamp;
use zip::write::SimpleFileOptions;

use crate::mirror::{limits, mirrored, outcome, record, seen, served, sync_all, write_epss};
use crate::server::Fault;

/// What a bomb expands to.
const BOMB: u64 = 256 << 20;
/// Most memory that all tests of this process may ever hold, in KiB: far below what bombs and lines expand to together.
const MOST_MEMORY: u64 = 700 << 10;

/// A mirror, and a store that has read it.
fn synced() -> (tempfile::TempDir, tempfile::TempDir, Store) {
    let (mirror, place, mut store) = mirrored();
    sync_all(&mirror.path().display().to_string(), &mut store);
    (mirror, place, store)
}

fn nothing_lost(store: &Store) {
    assert_eq!(seen(store, "openssl", "CVE-2026-1001"), (vec!["3.0.20-1".to_owned()], true, Some(900_000)));
    assert_eq!(seen(store, "nginx", "CVE-2026-1002"), (vec!["1.22.1-9".to_owned()], false, Some(10_000)));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

fn error_of(store: &mut Store, mirror: &Path, feed: &str) -> String {
    outcome(&sync_all(&mirror.display().to_string(), store), feed).unwrap_err()
}

/// An archive of these entries, each followed by so many blanks.
fn archive(path: &Path, level: i64, entries: &[(&str, &[u8], u64)]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text, zeros) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_level(Some(level))).unwrap();
        zip.write_all(text).unwrap();
        io::copy(&mut io::repeat(b' ').take(*zeros), &mut zip).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn a_record_that_is_a_bomb_costs_only_itself() {
    let (mirror, _place, mut store) = synced();
    let good = record("DSA-3-1", "CVE-2026-1003", "redis", "7.0", "2026-11-05T00:00:00Z").to_string();
    let path = mirror.path().join("osv/Debian/all.zip");
    let bomb = ("DSA-2-1.json", &b"{"[..], BOMB);
    archive(&path, 1, &[bomb, ("DSA-3-1.json", good.as_bytes(), 0)]);
    let report = sync_all(&mirror.path().display().to_string(), &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    assert_eq!(seen(&store, "redis", "CVE-2026-1003").0, ["7.0"]);
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-9"], "what it fails to spell stays");
    assert!(seen(&store, "openssl", "CVE-2026-1001").0.is_empty(), "what it no longer has is gone");
    let problems = store.problems().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].file.as_str(), problems[0].record.as_str()), ("all.zip/DSA-2-1.json", "DSA-2-1"));
    assert!(problems[0].reason.contains("more than the 16777216 accepted"), "{}", problems[0].reason);
}

#[test]
fn an_archive_that_is_a_bomb_is_refused() {
    let (mirror, _place, mut store) = synced();
    let names: Vec<String> = (0..12).map(|number| format!("DSA-{number}-1.json")).collect();
    let entries: Vec<(&str, &[u8], u64)> =
        names.iter().map(|name| (name.as_str(), &b""[..], 15 << 20)).collect();
    archive(&mirror.path().join("osv/Debian/all.zip"), 6, &entries);
    let error = error_of(&mut store, mirror.path(), "osv:Debian");
    assert!(error.starts_with("osv:Debian") && error.contains("expanded bytes beyond"), "{error}");
    nothing_lost(&store);
}

#[test]
fn an_archive_of_something_else_is_refused() {
    let (mirror, _place, mut store) = synced();
    let path = mirror.path().join("osv/Debian/all.zip");
    archive(&path, 1, &[("README.md", &b"# Not advisories"[..], 0), ("data.json", &b"[]"[..], 0)]);
    let error = error_of(&mut store, mirror.path(), "osv:Debian");
    assert!(
        error.contains("none of its 2 records can be read") && error.contains("all.zip/README.md"),
        "{error}"
    );
    nothing_lost(&store);
}

#[test]
fn a_day_of_scores_that_is_a_bomb_is_refused() {
    let (mirror, _place, mut store) = synced();
    let path = mirror.path().join("epss/epss_scores-current.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
    gzip.write_all(b"#model_version:v2026.06.15,score_date:2026-11-12T00:00:00Z\ncve,epss,percentile\n")
        .unwrap();
    io::copy(&mut io::repeat(b'1').take(BOMB), &mut gzip).unwrap();
    gzip.finish().unwrap();
    let error = error_of(&mut store, mirror.path(), "epss");
    assert!(error.contains("bytes beyond"), "{error}");
    nothing_lost(&store);
}

#[test]
fn a_line_without_end_is_left_at_its_bound() {
    let (_mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    let kev = "/kev/known_exploited_vulnerabilities.json";
    let list = "/exploits/exploitdb_cve_map.csv";
    for path in [kev, "/epss/epss_scores-current.csv.gz", "/osv/Debian/modified_id.csv", list] {
        server.fails(path, Fault::Endless);
    }
    let report = sync_all(&server.address, &mut store);
    for feed in ["kev", "epss"] {
        let error = outcome(&report, feed).unwrap_err();
        assert!(
            error.starts_with(&format!("{feed} ")) || error.contains(&format!("{feed} has bytes beyond")),
            "{error}"
        );
    }
    // The list only saves work: the archive says that nothing has changed.
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Unchanged));
    let source: Source = server.address.parse().unwrap();
    let choices = [Choice::One(FeedName::Exploits(EvidenceKind::ExploitDb))];
    let now = Timestamp::parse("2026-11-12").unwrap();
    let options = SyncOptions {
        selection: Selection::Required(&choices),
        limits: limits(),
        now,
        stop: &Stop::default(),
    };
    let report = sync(&source, &mut store, options, &mut |_| {}).unwrap();
    let error = outcome(&report, "exploits:exploitdb").unwrap_err();
    assert!(error.contains("exploits:exploitdb has bytes beyond"), "{error}");
    nothing_lost(&store);
    let taken = server.endless_bytes();
    assert!(taken < 256 << 20, "{taken} bytes of 4 GiB were taken");
}

#[test]
fn what_is_not_utf_8_is_named() {
    let (mirror, _place, mut store) = synced();
    // In one record of an archive: the rest is kept.
    let openssl =
        record("DSA-1-1", "CVE-2026-1001", "openssl", "3.0.20-1", "2026-11-02T00:00:00Z").to_string();
    let latin = b"{\"id\":\"DSA-2-1\",\"modified\":\"2026-11-03T00:00:00Z\",\"summary\":\"caf\xe9\"}";
    archive(
        &mirror.path().join("osv/Debian/all.zip"),
        1,
        &[("DSA-1-1.json", openssl.as_bytes(), 0), ("DSA-2-1.json", latin, 0)],
    );
    let report = sync_all(&mirror.path().display().to_string(), &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    let problems = store.problems().unwrap();
    assert_eq!(problems[0].file, "all.zip/DSA-2-1.json");
    assert_eq!(
        (problems[0].record.as_str(), problems[0].field.as_str()),
        ("DSA-2-1", "summary"),
        "{problems:?}"
    );
    // In a document: refused as a whole.
    fs::write(mirror.path().join("kev/known_exploited_vulnerabilities.json"), b"{\"title\":\"\xff\"}")
        .unwrap();
    let error = error_of(&mut store, mirror.path(), "kev");
    assert!(error.contains("kev is unreadable") && error.contains("line 1"), "{error}");
    let path = mirror.path().join("epss/epss_scores-current.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
    gzip.write_all(b"#model_version:v1,score_date:2026-11-12\ncve,epss,percentile\nCVE-\xff,0.1,0.1\n")
        .unwrap();
    gzip.finish().unwrap();
    let error = error_of(&mut store, mirror.path(), "epss");
    assert!(error.contains("not UTF-8 from offset"), "{error}");
    nothing_lost(&store);
}

#[test]
fn a_score_that_is_not_spelt_keeps_its_day_and_model() {
    let (mirror, _place, mut store) = synced();
    write_epss(mirror.path(), "2026-11-12", &[("CVE-2026-1001", "high"), ("CVE-2026-1002", "0.02")]);
    let report = sync_all(&mirror.path().display().to_string(), &mut store);
    assert_eq!(outcome(&report, "epss"), Ok(Change::Replaced));
    let score = |cve: &str| store.intel(&cve.parse().unwrap()).unwrap().epss.unwrap();
    assert_eq!((score("CVE-2026-1001").score.ppm(), score("CVE-2026-1002").score.ppm()), (900_000, 20_000));
    assert_eq!(Some(score("CVE-2026-1001").scored), Timestamp::parse("2026-11-11"));
    assert_eq!(Some(score("CVE-2026-1002").scored), Timestamp::parse("2026-11-12"));
    let problems = store.problems().unwrap();
    assert_eq!(
        (problems[0].file.as_str(), problems[0].field.as_str()),
        ("epss_scores-current.csv.gz", "epss")
    );
    assert_eq!(problems[0].record, "CVE-2026-1001 (line 3)");
}

#[test]
fn a_source_that_has_fallen_behind_takes_nothing_back() {
    let (mirror, _place, mut store) = synced();
    write_epss(mirror.path(), "2026-11-01", &[("CVE-2026-1002", "0.5")]);
    let error = error_of(&mut store, mirror.path(), "epss");
    assert!(error.contains("the newer state is kept"), "{error}");
    nothing_lost(&store);
}

#[test]
fn a_version_of_a_million_bytes_and_a_ring_of_aliases_are_named_or_read_and_cost_nothing_else() {
    let (mirror, _place, mut store) = synced();
    let good = record("DSA-3-1", "CVE-2026-1003", "redis", "7.0", "2026-11-05T00:00:00Z");
    let long = record("DSA-4-1", "CVE-2026-1004", "rsync", &"9".repeat(1 << 20), "2026-11-05T00:00:00Z");
    // Each names the other, and itself.
    let ring = |id: &str, other: &str| {
        let mut record = record(id, "CVE-2026-1005", "curl", "8.0", "2026-11-05T00:00:00Z");
        record["aliases"] = serde_json::json!([other, id, "CVE-2026-1005"]);
        record
    };
    let records = [
        ("DSA-3-1", good.to_string()),
        ("DSA-4-1", long.to_string()),
        ("DSA-5-1", ring("DSA-5-1", "DSA-6-1").to_string()),
        ("DSA-6-1", ring("DSA-6-1", "DSA-5-1").to_string()),
    ];
    crate::mirror::write_osv(mirror.path(), &records);
    let report = sync_all(&mirror.path().display().to_string(), &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    let problems = store.problems().unwrap();
    let told = problems.iter().find(|problem| problem.record == "DSA-4-1");
    let told = told.unwrap_or_else(|| panic!("{problems:?}"));
    assert_eq!(
        (told.file.as_str(), told.field.as_str()),
        ("all.zip/DSA-4-1.json", "affected[].ranges[].events[].fixed")
    );
    assert!(told.reason.len() < 1_000, "the version itself is not repeated");
    let of = |package: &str| store.advisories("Debian:12", package).unwrap().len();
    assert_eq!((of("redis"), of("rsync"), of("curl")), (1, 0, 2));
    assert_eq!(store.advisories_addressing(&"CVE-2026-1005".parse().unwrap()).unwrap().len(), 2);
}

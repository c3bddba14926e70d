//! What a sync keeps, and what it never loses.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::json;
use tenon_feeds::{Change, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_model::Timestamp;
use zip::write::SimpleFileOptions;

use crate::mirror::{
    limits, mirrored, outcome, record, seen, served, sync_all, write_all, write_epss, write_kev, write_osv,
};
use crate::server::Fault;

fn changed_mirror(folder: &Path) {
    let openssl =
        record("DSA-1-1", "CVE-2026-1001", "openssl", "3.0.20-1", "2026-11-02T00:00:00Z").to_string();
    let nginx = record("DSA-2-1", "CVE-2026-1002", "nginx", "1.22.1-11", "2026-11-13T00:00:00Z").to_string();
    write_osv(folder, &[("DSA-1-1", openssl), ("DSA-2-1", nginx)]);
}

#[test]
fn a_folder_is_read_once_and_again_only_where_it_changed() {
    let (mirror, place, mut store) = mirrored();
    let source = mirror.path().display().to_string();
    let report = sync_all(&source, &mut store);
    for feed in ["kev", "epss", "osv:Debian"] {
        assert_eq!(outcome(&report, feed), Ok(Change::Replaced), "{feed}");
    }
    assert_eq!(seen(&store, "openssl", "CVE-2026-1001"), (vec!["3.0.20-1".to_owned()], true, Some(900_000)));
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002"), (vec!["1.22.1-9".to_owned()], false, Some(10_000)));

    let again = sync_all(&source, &mut store);
    for feed in ["kev", "epss", "osv:Debian"] {
        assert_eq!(outcome(&again, feed), Ok(Change::Unchanged), "{feed}");
    }

    // A score falls, an entry is taken back, an advisory changes.
    write_epss(mirror.path(), "2026-11-12", &[("CVE-2026-1001", "0.5")]);
    write_kev(mirror.path(), "2026.11.12", &[]);
    changed_mirror(mirror.path());
    sync_all(&source, &mut store);
    assert_eq!(seen(&store, "openssl", "CVE-2026-1001"), (vec!["3.0.20-1".to_owned()], false, Some(500_000)));
    assert!(store.intel(&"CVE-2026-1001".parse().unwrap()).unwrap().kev_retracted.is_some());
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-11"]);

    // A reader on its own sees the same.
    let reader = Store::open_read_only(place.path()).unwrap();
    assert_eq!(seen(&reader, "nginx", "CVE-2026-1002").0, ["1.22.1-11"]);
}

#[test]
fn over_http_only_what_changed_travels() {
    let (mirror, _place, server, mut store) = served();
    let report = sync_all(&server.address, &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    server.asked();

    let again = sync_all(&server.address, &mut store);
    assert_eq!(outcome(&again, "kev"), Ok(Change::Unchanged));
    let travelled = |(path, status): &(String, u16)| *status == 200 && !path.ends_with("modified_id.csv");
    let asked = server.asked();
    assert!(!asked.iter().any(travelled), "{asked:?}");

    changed_mirror(mirror.path());
    let third = sync_all(&server.address, &mut store);
    assert_eq!(outcome(&third, "osv:Debian"), Ok(Change::Advanced(1)));
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-11"]);
    let asked = server.asked();
    assert!(asked.iter().any(|(path, _)| path.ends_with("/DSA-2-1.json")), "{asked:?}");
    assert!(
        !asked.iter().any(|(path, _)| path.ends_with("/all.zip") || path.ends_with("/DSA-1-1.json")),
        "{asked:?}"
    );
}

#[test]
fn a_server_that_misbehaves_costs_nothing_that_was_had() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    let before = seen(&store, "openssl", "CVE-2026-1001");

    write_kev(mirror.path(), "2026.11.12", &["CVE-2026-1001", "CVE-2026-1002"]);
    let path = "/kev/known_exploited_vulnerabilities.json";
    for fault in [Fault::Cut, Fault::Silent, Fault::Status500] {
        server.fails(path, fault);
        let report = sync_all(&server.address, &mut store);
        let error = outcome(&report, "kev").unwrap_err();
        assert!(error.contains("known_exploited_vulnerabilities.json"), "{fault:?}: {error}");
        assert_eq!(seen(&store, "openssl", "CVE-2026-1001"), before, "{fault:?}");
        assert_eq!(outcome(&report, "epss"), Ok(Change::Unchanged), "the others go on: {fault:?}");
    }
    server.behaves();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "kev"), Ok(Change::Replaced));
    assert!(seen(&store, "nginx", "CVE-2026-1002").1);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
    let (mirror, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_all(mirror.path());
    let good = record("DSA-3-1", "CVE-2026-1003", "redis", "7.0", "2026-11-05T00:00:00Z").to_string();
    let mut wrong = record("DSA-4-1", "CVE-2026-1004", "rsync", "3.2", "2026-11-05T00:00:00Z");
    wrong["affected"][0]["ranges"] = "not a list".into();
    let records = [("DSA-3-1", good), ("DSA-4-1", wrong.to_string()), ("DSA-5-1", "{ \"id\": ".to_owned())];
    write_osv(mirror.path(), &records);
    let source = mirror.path().display().to_string();
    let mut store = Store::open(place.path()).unwrap();
    let report = sync_all(&source, &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    assert_eq!(seen(&store, "redis", "CVE-2026-1003").0, ["7.0"]);
    let problems = store.problems().unwrap();
    let of = |id: &str| {
        problems
            .iter()
            .find(|problem| problem.file.contains(id))
            .unwrap_or_else(|| panic!("{id}: {problems:?}"))
    };
    assert!(
        of("DSA-4-1").field.contains("ranges") || of("DSA-4-1").reason.contains("ranges"),
        "{problems:?}"
    );
    assert!(!of("DSA-5-1").reason.is_empty());
    assert_eq!(problems.len(), 2);
}

#[test]
fn documents_that_are_not_what_they_should_be_change_nothing() {
    let (mirror, _place, mut store) = mirrored();
    let source = mirror.path().display().to_string();
    sync_all(&source, &mut store);
    let before = seen(&store, "openssl", "CVE-2026-1001");

    let archive = mirror.path().join("osv/Debian/all.zip");
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    fs::write(mirror.path().join("kev/known_exploited_vulnerabilities.json"), "[1, 2").unwrap();
    fs::write(mirror.path().join("epss/epss_scores-current.csv.gz"), b"\xff\xfenot gzip").unwrap();
    let report = sync_all(&source, &mut store);
    for feed in ["kev", "epss", "osv:Debian"] {
        assert!(outcome(&report, feed).is_err(), "{feed}: {:?}", outcome(&report, feed));
    }
    assert_eq!(seen(&store, "openssl", "CVE-2026-1001"), before);
}

/// A CVE record as its CNA and CISA write it.
fn cve_record(id: &str, vector: &serde_json::Value) -> String {
    let provider = |name: &str| json!({ "orgId": "00000000-0000-4000-8000-000000000000", "shortName": name });
    json!({
        "dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": { "cveId": id, "state": "PUBLISHED", "datePublished": "2026-11-01T10:00:00Z",
                         "dateUpdated": "2026-11-05T10:00:00Z" },
        "containers": {
            "cna": { "providerMetadata": provider("vendor"), "title": "A title",
                     "metrics": [{ "cvssV3_1": { "vectorString": vector } }] },
            "adp": [{ "providerMetadata": provider("CISA-ADP"), "metrics": [{ "other": { "type": "ssvc", "content": {
                "timestamp": "2026-11-04T00:00:00Z", "options": [{ "Exploitation": "poc" }, { "Automatable": "yes" }] } } }] }],
        },
    })
    .to_string()
}

#[test]
fn cve_records_are_read_from_an_archive_in_an_archive_as_releases_have_it() {
    let (mirror, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let zipped = |entries: &[(&str, &[u8])]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let (good, half) = (cve_record("CVE-2026-1001", &vector.into()), cve_record("CVE-2026-1002", &7.into()));
    let inner = zipped(&[
        ("cves/deltaLog.json", b"[]"),
        ("cves/2026/1xxx/CVE-2026-1001.json", good.as_bytes()),
        ("cves/2026/1xxx/CVE-2026-1002.json", half.as_bytes()),
        ("cves/2026/1xxx/CVE-2026-1003.json", br#"{ "dataType": 5 }"#),
    ]);
    fs::create_dir_all(mirror.path().join("cve")).unwrap();
    fs::write(mirror.path().join("cve/cve5_records.zip"), zipped(&[("cves.zip", &inner)])).unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let source: Source = mirror.path().display().to_string().parse().unwrap();
    let now = Timestamp::parse("2026-11-12").unwrap();
    let options = SyncOptions { selection: Selection::Usual, limits: limits(), now, stop: &Stop::default() };
    let report = sync(&source, &mut store, options, &mut |_| {}).unwrap();
    assert_eq!(outcome(&report, "cve"), Ok(Change::Replaced));
    assert_eq!(outcome(&report, "kev"), Ok(Change::NotOffered));
    let record = |id: &str| store.intel(&id.parse().unwrap()).unwrap().record;
    let good = record("CVE-2026-1001").unwrap();
    assert_eq!((good.cvss[0].source.as_str(), good.cvss[0].vector.as_str()), ("vendor", vector));
    assert_eq!(good.ssvc.unwrap().decided, Timestamp::parse("2026-11-04"));
    assert_eq!((good.title.as_str(), good.published), ("A title", Timestamp::parse("2026-11-01T10:00:00Z")));
    assert!(record("CVE-2026-1002").unwrap().cvss.is_empty(), "a bad field costs only itself");
    assert!(record("CVE-2026-1003").is_none());
    let problems = store.problems().unwrap();
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.record.as_str(), problem.field.as_str())).collect();
    assert!(told[0].0.starts_with("CVE-2026-1002") && told[0].1 == "vectorString", "{problems:?}");
    assert_eq!(told[1], ("CVE-2026-1003", "dataType"), "{problems:?}");
    assert_eq!(problems[1].file, "cve5_records.zip/cves/2026/1xxx/CVE-2026-1003.json");
}

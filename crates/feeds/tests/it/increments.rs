//! OSV over HTTP: following what changed, and when that does not do.

use tenon_feeds::{Change, Choice, FeedName, Limits, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_model::Timestamp;

use crate::mirror::{limits, outcome, record, seen, served, sync_all, write_osv};
use crate::server::{Fault, Server};

fn records(fixed: &str, modified: &str) -> Vec<(&'static str, String)> {
    let openssl = record("DSA-1-1", "CVE-2026-1001", "openssl", "3.0.20-1", "2026-11-02T00:00:00Z");
    let nginx = record("DSA-2-1", "CVE-2026-1002", "nginx", fixed, modified);
    vec![("DSA-1-1", openssl.to_string()), ("DSA-2-1", nginx.to_string())]
}

fn got_archive(server: &Server) -> bool {
    server.asked().contains(&("/osv/Debian/all.zip".to_owned(), 200))
}

#[test]
fn a_record_that_cannot_be_read_keeps_what_was_known_and_is_asked_for_until_it_can() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);

    write_osv(mirror.path(), &records("1.22.1-11", "2026-11-13T00:00:00Z"));
    let path = mirror.path().join("osv/Debian/DSA-2-1.json");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("\"introduced\":\"0\"", "\"introduced\":0")).unwrap();
    for _ in 0..2 {
        let report = sync_all(&server.address, &mut store);
        assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Advanced(0)));
        assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-9"]);
        let problems = store.problems().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            (problems[0].file.as_str(), problems[0].record.as_str()),
            ("Debian/DSA-2-1.json", "DSA-2-1")
        );
        assert_eq!(problems[0].field, "affected[0].ranges[0].events[0].introduced");
    }
    std::fs::write(&path, good).unwrap();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Advanced(1)));
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-11"]);
    assert!(store.problems().unwrap().is_empty());
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Unchanged));
}

#[test]
fn a_withdrawn_record_affects_nothing_any_more() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    let mut changed = records("1.22.1-11", "2026-11-13T00:00:00Z");
    changed[1].1 = changed[1].1.replacen('{', "{\"withdrawn\":\"2026-11-13T00:00:00Z\",", 1);
    write_osv(mirror.path(), &changed);
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Advanced(1)));
    assert!(seen(&store, "nginx", "CVE-2026-1002").0.is_empty());
    assert!(store.advisory(&"DSA-2-1".parse().unwrap()).unwrap().is_none());
    assert_eq!(seen(&store, "openssl", "CVE-2026-1001").0, ["3.0.20-1"]);
}

#[test]
fn too_many_changes_or_a_broken_list_bring_the_whole_archive() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    let ids: Vec<String> = (10..600).map(|number| format!("DSA-{number}-1")).collect();
    let mut many = records("1.22.1-11", "2026-11-13T00:00:00Z");
    for id in &ids {
        let record = record(id, "CVE-2026-1003", "redis", "7.0", "2026-11-14T00:00:00Z");
        many.push((id, record.to_string()));
    }
    write_osv(mirror.path(), &many);
    server.asked();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Replaced));
    assert!(got_archive(&server));
    assert_eq!(store.advisories("Debian:12", "redis").unwrap().len(), ids.len());

    write_osv(mirror.path(), &records("1.22.1-12", "2026-11-15T00:00:00Z"));
    let list = mirror.path().join("osv/Debian/modified_id.csv");
    std::fs::write(&list, "yesterday,DSA-2-1\n").unwrap();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Replaced));
    assert!(got_archive(&server));
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-12"]);
    assert!(store.advisories("Debian:12", "redis").unwrap().is_empty(), "what the archive lacks is gone");
    let problems = store.problems().unwrap();
    assert!(
        problems.iter().any(|problem| problem.file == "modified_id.csv" && problem.reason.contains("line 1"))
    );
}

#[test]
fn an_archive_that_lags_behind_its_list_takes_nothing_back() {
    let (mirror, _place, server, mut store) = served();
    let archive = mirror.path().join("osv/Debian/all.zip");
    let old = std::fs::read(&archive).unwrap();
    write_osv(mirror.path(), &records("1.22.1-11", "2026-11-13T00:00:00Z"));
    std::fs::write(&archive, old).unwrap();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Replaced));
    assert_eq!(seen(&store, "nginx", "CVE-2026-1002").0, ["1.22.1-11"]);
    let feeds = store.feeds().unwrap();
    let state = feeds.iter().find(|state| state.feed == FeedName::Osv("Debian".to_owned())).unwrap();
    assert_eq!((state.as_of, state.records), (Timestamp::parse("2026-11-13"), 2));
}

#[test]
fn a_server_that_fails_between_records_changes_nothing() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    let mut changed = records("1.22.1-11", "2026-11-13T00:00:00Z");
    changed.push((
        "DSA-3-1",
        record("DSA-3-1", "CVE-2026-1003", "redis", "7.0", "2026-11-13T00:00:00Z").to_string(),
    ));
    write_osv(mirror.path(), &changed);
    server.fails("/osv/Debian/DSA-2-1.json", Fault::Status500);
    let report = sync_all(&server.address, &mut store);
    assert!(outcome(&report, "osv:Debian").unwrap_err().contains("DSA-2-1.json"));
    assert!(seen(&store, "redis", "CVE-2026-1003").0.is_empty());
    server.behaves();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "osv:Debian"), Ok(Change::Advanced(2)));
    assert_eq!(seen(&store, "redis", "CVE-2026-1003").0, ["7.0"]);
}

#[test]
fn once_a_week_the_archive_is_read_whole_and_deleted_records_go() {
    let (mirror, _place, server, mut store) = served();
    let source: Source = server.address.parse().unwrap();
    let choices = [Choice::One(FeedName::Osv("Debian".to_owned()))];
    let at = |day: &str, store: &mut Store| {
        let options = SyncOptions {
            selection: Selection::Required(&choices),
            limits: Limits { attempts: 1, ..limits() },
            now: Timestamp::parse(day).unwrap(),
            stop: &Stop::default(),
        };
        outcome(&sync(&source, store, options, &mut |_| {}).unwrap(), "osv:Debian")
    };
    assert_eq!(at("2026-11-12", &mut store), Ok(Change::Replaced));
    // Deleted, not withdrawn: no list of changes tells.
    write_osv(mirror.path(), &records("1.22.1-9", "2026-11-03T00:00:00Z")[..1]);
    assert_eq!(at("2026-11-18", &mut store), Ok(Change::Unchanged));
    assert!(!seen(&store, "nginx", "CVE-2026-1002").0.is_empty());
    assert_eq!(at("2026-11-19", &mut store), Ok(Change::Replaced));
    assert!(seen(&store, "nginx", "CVE-2026-1002").0.is_empty());
}

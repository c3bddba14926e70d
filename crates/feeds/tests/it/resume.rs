//! Downloads that break off, drag on, or meet another writer.

use std::time::{Duration, Instant};

use tenon_feeds::{Change, FeedError, Limits, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_model::Timestamp;

use crate::mirror::{
    limits, mirrored, outcome, record, seen, served, sync_all, sync_within, write_kev, write_osv,
};
use crate::server::{Fault, Server};

const ARCHIVE: &str = "/osv/Debian/all.zip";
const KEV_FEED: &str = "kev";
const KEV: &str = "/kev/known_exploited_vulnerabilities.json";

fn statuses(server: &Server, path: &str) -> Vec<u16> {
    server.asked().iter().filter(|(asked, _)| asked == path).map(|(_, status)| *status).collect()
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_stopped() {
    let (mirror, _place, server, mut store) = served();
    server.fails(ARCHIVE, Fault::CutOnce);
    let report = sync_all(&server.address, &mut store);
    assert_eq!(outcome(&report, "osv:Debian"), Ok(Change::Replaced));
    assert_eq!(statuses(&server, ARCHIVE), [200, 206]);
    assert_eq!(seen(&store, "openssl", "CVE-2026-1001").0, ["3.0.20-1"]);
    let state =
        report.feeds.into_iter().find(|synced| synced.feed.to_string() == "osv:Debian").unwrap().state;
    let whole = std::fs::read(mirror.path().join("osv/Debian/all.zip")).unwrap();
    assert_eq!(state.unwrap().digest, Some(tenon_model::Digest::of(&whole)));
}

#[test]
fn what_arrived_is_kept_for_the_next_sync_unless_the_file_has_changed() {
    let (mirror, place, server, mut store) = served();
    let once = Limits { attempts: 1, ..limits() };
    for path in [ARCHIVE, KEV] {
        server.fails(path, Fault::CutOnce);
    }
    let report = sync_within(&server.address, &mut store, once, &mut |_| {});
    for feed in ["osv:Debian", "kev"] {
        assert!(outcome(&report, feed).unwrap_err().contains("broke off"), "{:?}", outcome(&report, feed));
    }
    // The catalogue changes before it is asked for again: half of the old one is no start for the new one.
    write_kev(mirror.path(), "2026.11.12", &["CVE-2026-1001", "CVE-2026-1002"]);
    server.asked();
    let report = sync_within(&server.address, &mut store, once, &mut |_| {});
    for feed in ["osv:Debian", "kev"] {
        assert_eq!(outcome(&report, feed), Ok(Change::Replaced), "{feed}");
    }
    let asked = server.asked();
    assert!(
        asked.contains(&(ARCHIVE.to_owned(), 206)) && asked.contains(&(KEV.to_owned(), 200)),
        "{asked:?}"
    );
    assert!(seen(&store, "nginx", "CVE-2026-1002").1);
    let left = std::fs::read_dir(place.path().join("partial")).unwrap().count();
    assert_eq!(left, 0, "parts that became whole are gone");
}

#[test]
fn a_server_that_drags_on_is_left_at_the_time_limit() {
    let (mirror, _place, server, mut store) = served();
    sync_all(&server.address, &mut store);
    // Longer than the server would take 20 ms a byte for.
    let many: Vec<String> = (1_000..1_030).map(|number| format!("CVE-2026-{number}")).collect();
    write_kev(mirror.path(), "2026.11.12", &many.iter().map(String::as_str).collect::<Vec<_>>());
    server.fails(KEV, Fault::Drip);
    let bound = Limits { whole: Duration::from_millis(700), ..limits() };
    let start = Instant::now();
    let report = sync_within(&server.address, &mut store, bound, &mut |_| {});
    let took = start.elapsed();
    assert!(outcome(&report, "kev").is_err());
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(seen(&store, "openssl", "CVE-2026-1001").1, "the last good copy stands");
    let failure = store.feeds().unwrap().into_iter().find_map(|state| state.failure).unwrap();
    assert!(failure.contains("known_exploited_vulnerabilities.json"), "{failure}");
}

#[test]
fn a_stop_ends_a_download_and_a_pause_at_once() {
    let (_mirror, _place, server, mut store) = served();
    // As long as a public feed's: without the stop the test would take minutes.
    let long = Limits {
        pause: Duration::from_secs(60),
        longest_pause: Duration::from_secs(60),
        ..Limits::default()
    };
    let source: Source = server.address.parse().unwrap();
    let choices = [KEV_FEED.parse().unwrap()];
    let now = Timestamp::parse("2026-11-12").unwrap();
    for fault in [Fault::Silent, Fault::Status500] {
        server.fails(KEV, fault);
        server.asked();
        let stop = Stop::default();
        let options =
            SyncOptions { selection: Selection::Required(&choices), limits: long, now, stop: &stop };
        let start = std::thread::scope(|scope| {
            let said = scope.spawn(|| {
                let end = Instant::now() + Duration::from_secs(10);
                // Said only once the server was asked, so that something is there to be ended.
                while server.asked().is_empty() && Instant::now() < end {
                    std::thread::yield_now();
                }
                stop.say();
                Instant::now()
            });
            let ended = sync(&source, &mut store, options, &mut |_| {});
            assert!(matches!(ended, Err(FeedError::Stopped { .. })), "{fault:?}: {ended:?}");
            said.join().unwrap()
        });
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2), "{fault:?}: {took:?}");
        // It is no failure of the feed, and the store can be written again.
        assert!(store.feeds().unwrap().iter().all(|state| state.failure.is_none()));
    }
    server.behaves();
    assert_eq!(outcome(&sync_all(&server.address, &mut store), "kev"), Ok(Change::Replaced));
}

#[test]
fn a_reader_sees_each_feed_as_it_was_until_it_is_whole() {
    let (mirror, place, mut store) = mirrored();
    let source = mirror.path().display().to_string();
    sync_all(&source, &mut store);
    // So many records that progress is told while they are being written.
    let records: Vec<(String, String)> = (0..3_000)
        .map(|number| {
            let id = format!("DSA-{number}-1");
            let record = record(&id, "CVE-2026-1001", "openssl", "9.9", "2026-11-05T00:00:00Z").to_string();
            (id, record)
        })
        .collect();
    write_osv(
        mirror.path(),
        &records.iter().map(|(id, text)| (id.as_str(), text.clone())).collect::<Vec<_>>(),
    );
    let reader = Store::open_read_only(place.path()).unwrap();
    let mut counts = Vec::new();
    sync_within(&source, &mut store, limits(), &mut |_| {
        counts.push(reader.advisories("Debian:12", "openssl").unwrap().len());
    });
    assert!(counts.len() > 2, "{counts:?}");
    assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
    assert_eq!(reader.advisories("Debian:12", "openssl").unwrap().len(), 3_000);
}

#[test]
fn two_syncs_of_one_store_do_not_meet() {
    let (mirror, place, mut store) = mirrored();
    let source: Source = mirror.path().display().to_string().parse().unwrap();
    let mut other = Store::open(place.path()).unwrap();
    let now = Timestamp::parse("2026-11-12").unwrap();
    let options = SyncOptions { selection: Selection::Usual, limits: limits(), now, stop: &Stop::default() };
    let mut refused = 0;
    let report = sync(&source, &mut store, options, &mut |_| {
        let second = sync(&source, &mut other, options, &mut |_| {});
        refused += usize::from(matches!(second, Err(FeedError::Busy { .. })));
    });
    assert!(report.is_ok() && refused > 0);
}

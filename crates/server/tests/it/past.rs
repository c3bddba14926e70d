//! The World as it was is that which the entries up to then give.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenon_engine::SNAPSHOT_VERSION;
use tenon_journal::{Entry, Journal, MemoryJournal, SqliteJournal};
use tenon_model::{Command, Timestamp};
use tenon_server::{Moment, Past, PastError, Writer, replay_to};

use crate::gateway::reported_with;
use crate::lived::{Life, clock, pass};
use crate::running::{Server, code};

const SEED: u64 = 20_261_125;
/// Nobody waits so long.
const LONG: Duration = Duration::from_secs(3_600);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A writer with snapshots every so many entries, and a life of so many steps behind it.
fn lived(runtime: &tokio::runtime::Runtime, every: u64, steps: u32) -> (tempfile::TempDir, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(&folder.path().join("journal.sqlite")).unwrap();
    let writer = Writer::start_keeping(Box::new(journal), clock, every).unwrap();
    let mut life = Life::new(SEED);
    (0..steps).for_each(|_| life.step(runtime, &writer));
    (folder, writer)
}

fn entries(journal: &dyn Journal) -> Vec<Entry> {
    let mut all = Vec::new();
    loop {
        let page = journal.read(all.len() as u64 + 1, usize::MAX).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn every_time_gives_the_world_of_the_entries_up_to_it() {
    let runtime = runtime();
    let start = clock();
    let (folder, writer) = lived(&runtime, 40, 300);
    pass(1);
    let world = writer.world();
    let (end, last) = (clock(), world.seq());
    let happened = (world.asset_count(), world.directives().count(), world.advisories().count());
    assert!(happened.0 > 3 && happened.1 > 3 && happened.2 > 3, "{happened:?}");
    drop(world);
    let past = Past::new(writer.clone(), LONG);
    let mut life = Life::new(SEED ^ 1);
    let span = (end.as_millis() - start.as_millis()) as u64;
    let mut seen = Vec::new();
    for _ in 0..60 {
        let at = Timestamp::from_millis(start.as_millis() + life.below(span) as i64);
        let world = match runtime.block_on(past.at(Moment::Time(at), end)) {
            Ok(world) => (world.seq(), world.digest().unwrap()),
            Err(PastError::BeforeRecord { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        seen.push((at, world));
    }
    for _ in 0..10 {
        let entry = life.below(last) + 1;
        let world = runtime.block_on(past.at(Moment::Entry(entry), end)).unwrap();
        assert_eq!(world.seq(), entry);
        seen.push((world.time().unwrap().max(end), (entry, world.digest().unwrap())));
    }
    drop(past);
    runtime.block_on(writer.stop());
    let journal = SqliteJournal::open(&folder.path().join("journal.sqlite")).unwrap();
    let entries = entries(&journal);
    assert!(entries.len() > 300 && !journal.snapshots().unwrap().is_empty());
    let of_time = |at: &Timestamp| entries.partition_point(|entry| entry.time_ms <= at.as_millis()) as u64;
    assert!(seen.len() > 60, "most times are after the first entry: {}", seen.len());
    for (at, (seq, digest)) in &seen {
        assert!(*at >= end || of_time(at) == *seq, "{at}: {seq} and not {}", of_time(at));
        assert_eq!(replay_to(&journal, *seq).unwrap().digest().unwrap(), *digest, "entry {seq}");
    }
}

#[test]
fn one_world_of_the_past_is_held_shared_and_let_go() {
    let runtime = runtime();
    let (_folder, writer) = lived(&runtime, 1_000, 60);
    let now = clock();
    let past = Past::new(writer.clone(), LONG);
    // Whoever asks for the same entry gets the very same, also while it is made.
    let (one, other) = runtime.block_on(async {
        let ask = || {
            tokio::spawn({
                let past = past.clone();
                async move { past.at(Moment::Entry(7), now).await.unwrap() }
            })
        };
        let (one, other) = (ask(), ask());
        (one.await.unwrap(), other.await.unwrap())
    });
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!(runtime.block_on(past.held()), Some(7));
    let weak = Arc::downgrade(&one);
    drop((one, other));
    runtime.block_on(past.at(Moment::Entry(9), now)).unwrap();
    assert_eq!(runtime.block_on(past.held()), Some(9));
    assert!(weak.upgrade().is_none(), "two Worlds of the past are held");
    // The last entry is the World that is there.
    let last = writer.world();
    let live = runtime.block_on(past.at(Moment::Entry(last.seq()), now)).unwrap();
    assert!(Arc::ptr_eq(&live, &last));
    assert_eq!(runtime.block_on(past.held()), Some(9));
    // When nobody asks any more it goes.
    let short = Past::new(writer, Duration::from_millis(1));
    runtime.block_on(short.at(Moment::Entry(7), now)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while runtime.block_on(short.held()).is_some() {
        assert!(Instant::now() < deadline, "it is still held");
        std::thread::yield_now();
    }
    let ahead = runtime.block_on(past.at(Moment::Time(now.plus_seconds(1)), now));
    assert!(matches!(ahead, Err(PastError::Ahead { .. })), "{ahead:?}");
    let none = runtime.block_on(past.at(Moment::Entry(last.seq() + 1), now));
    assert!(matches!(none, Err(PastError::NoEntry { .. })), "{none:?}");
    let before = runtime.block_on(past.at(Moment::Time(Timestamp::from_millis(0)), now));
    assert!(matches!(before, Err(PastError::BeforeRecord { .. })), "{before:?}");
}

/// A policy that reads.
const POLICY: &str = "version: 1\nrules:\n  - {name: routine, approval: automatic}\n";

/// Read operations that have nothing to say of a time, and why; decision 26 tells the same.
const OF_NO_TIME: [(&str, &str); 11] = [
    ("/api/v1/backtest", "history of CVEs is no part of the record"),
    (
        "/api/v1/directives/{id}/evidence/{asset}",
        "it gives out what was sealed last, by the digest that the directive names",
    ),
    ("/api/v1/events", "it tells of changes while they come"),
    ("/api/v1/journal", "it is the record itself: what was known then is its beginning"),
    ("/api/v1/log", "the same; `until` ends it at a time"),
    ("/api/v1/messages", "how deliveries go is not in the record"),
    ("/api/v1/policy/presets", "they are part of the program"),
    ("/api/v1/reports/{digest}", "it is named by its digest and never another"),
    ("/api/v1/session", "sessions are not in the record"),
    ("/api/v1/tokens", "tokens are not in the record"),
    ("/api/v1/users", "people are not in the record"),
];

#[test]
fn every_read_operation_takes_a_time_or_has_a_reason_not_to() {
    let document = serde_json::to_value(tenon_server::openapi()).unwrap();
    let mut without = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(read) = operations.get("get") else { continue };
        let parameters = read["parameters"].as_array().cloned().unwrap_or_default();
        if !parameters.iter().any(|parameter| parameter["name"] == "as_of") {
            without.push(path.as_str());
        }
    }
    without.sort_unstable();
    assert_eq!(without, OF_NO_TIME.map(|(path, _)| path));
}

#[test]
fn the_trend_as_of_a_time_is_the_trend_until_then() {
    let server = Server::start();
    reported_with(&server, &["alpha", "beta"]);
    let get = |path: &str| {
        let mut answer = server.get(path).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_json::<Value>().unwrap()
    };
    let before = get("/api/v1/trend?days=3");
    let exposed = before["days"][2]["exposure"].as_str().unwrap();
    assert_ne!(exposed, "0.0", "two hosts are exposed: {before}");
    let (entry, day) = (before["generation"].as_u64().unwrap(), before["days"][2]["day"].clone());
    let id = get("/api/v1/directives")["items"][0]["id"].as_str().unwrap().to_owned();
    let sent = server.post(&format!("/api/v1/directives/{id}/refuse"));
    assert_eq!(sent.send_json(json!({ "why": "not now" })).unwrap().status(), 200);

    let now = get("/api/v1/trend?days=3");
    assert_ne!(now["days"], before["days"], "a refusal is in the trend");
    assert_eq!(get(&format!("/api/v1/trend?days=3&as_of={entry}")), before);
    // The last day is that of the time, and is told as far as it had gone; `until` names another.
    let first = get(&format!("/api/v1/trend?days=1&as_of={entry}"));
    assert_eq!((&first["days"][0]["day"], &first["days"][0]["exposure"]), (&day, &json!(exposed)));
    let earlier = get(&format!("/api/v1/trend?days=1&as_of={entry}&until=2026-01-01"));
    assert_eq!(
        (&earlier["days"][0]["day"], &earlier["days"][0]["exposure"]),
        (&json!("2026-01-01"), &json!("0.0"))
    );
}

#[test]
fn the_api_answers_as_of_a_time_with_its_position() {
    let server = Server::start();
    reported_with(&server, &["alpha", "beta"]);
    let get = |path: &str| {
        let mut answer = server.get(path).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let position = (header("tenon-sequence"), header("tenon-time"));
        (answer.body_mut().read_json::<Value>().unwrap(), position)
    };
    let (before, (sequence, time)) = get("/api/v1/directives");
    let id = before["items"][0]["id"].as_str().unwrap().to_owned();
    let asset = get("/api/v1/assets").0["items"][0]["id"].as_str().unwrap().to_owned();
    let paths = [
        format!("/api/v1/directives/{id}"),
        format!("/api/v1/directives/{id}/why"),
        format!("/api/v1/directives/{id}/moves"),
        format!("/api/v1/assets/{asset}"),
        format!("/api/v1/assets/{asset}/directives"),
        "/api/v1/assets".to_owned(),
        "/api/v1/vulnerabilities/CVE-2026-1".to_owned(),
        "/api/v1/head".to_owned(),
        "/api/v1/overview".to_owned(),
        "/api/v1/gaps".to_owned(),
        "/api/v1/feeds".to_owned(),
        "/api/v1/trend".to_owned(),
        "/api/v1/context".to_owned(),
        format!("/api/v1/assets/{asset}/context"),
        "/api/v1/policy".to_owned(),
        "/api/v1/rules".to_owned(),
        "/api/v1/regulations".to_owned(),
        "/api/v1/tempo".to_owned(),
    ];
    let views: Vec<Value> = paths.iter().map(|path| get(path).0).collect();
    let sent = server.post(&format!("/api/v1/directives/{id}/refuse"));
    assert_eq!(sent.send_json(json!({ "why": "not now" })).unwrap().status(), 200);
    let document = json!({ "services": { "shop": { "criticality": "high" } } });
    for (path, body) in [
        ("/api/v1/tempo".to_owned(), json!({ "tempo": "fast" })),
        ("/api/v1/rules".to_owned(), json!({ "table": "ssvc-deployer", "clocks": ["pci-dss-4.0"] })),
        ("/api/v1/context".to_owned(), json!({ "document": document, "compared": 0 })),
        (format!("/api/v1/assets/{asset}/context"), json!({ "exposure": "open" })),
        ("/api/v1/policy".to_owned(), json!({ "text": POLICY, "compared": 0 })),
    ] {
        let mut answer = server.post(&path).send_json(body).unwrap();
        let said = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 200, "{path}: {said}");
    }
    // Of now, nearly every answer is another: what is said of then is said of then.
    let moved = paths.iter().zip(&views).filter(|(path, view)| get(path).0 != **view).count();
    assert!(moved >= 9, "{moved} of {} answers are others now", paths.len());

    assert_ne!(get("/api/v1/directives").0, before);
    let (then, position) = get(&format!("/api/v1/directives?as_of={sequence}"));
    assert_eq!(position, (sequence.clone(), time));
    // What is due when is told from the time that was asked for.
    assert_eq!((&then["items"], &then["generation"]), (&before["items"], &before["generation"]));
    for (path, view) in paths.iter().zip(&views) {
        assert_eq!(&get(&format!("{path}?as_of={sequence}")).0, view, "{path}");
        for (bad, status, wanted) in [
            ("2999-01-01", 422, "no-such-time"),
            ("2000-01-01T00:00:00Z", 422, "no-such-time"),
            ("0", 422, "no-such-time"),
            ("yesterday", 400, "bad-request"),
        ] {
            let answer = server.get(&format!("{path}?as_of={bad}")).call().unwrap();
            assert_eq!(code(answer), (status, wanted.to_owned()), "{path} {bad}");
        }
    }
}

#[test]
fn a_snapshot_before_is_read_and_one_that_cannot_be_read_is_passed_over() {
    let runtime = runtime();
    let (folder, writer) = lived(&runtime, 1_000_000, 60);
    let newest = writer.world();
    let other = Writer::start_keeping(Box::new(MemoryJournal::new(SEED)), clock, 1_000_000).unwrap();
    for _ in 0..20 {
        runtime.block_on(other.submit(Command::BeginTerm, None)).unwrap();
    }
    let foreign = other.world();
    assert_eq!(foreign.seq(), 20);
    runtime.block_on(writer.stop());
    let path = folder.path().join("journal.sqlite");
    let mut journal = SqliteJournal::open(&path).unwrap();
    let format = u32::from(SNAPSHOT_VERSION);
    let head = |seq: u64| journal.read(seq, 1).unwrap()[0].head();
    let (last, at_20, at_25, at_30) = (head(newest.seq()), head(20), head(25), head(30));
    let [expected, of_30] = [19, 30].map(|seq| replay_to(&journal, seq).unwrap().digest().unwrap());
    // The start takes the newest; what is before it shows only to whoever looks back.
    journal.keep_snapshot(&last, format, &newest.to_snapshot().unwrap().concat()).unwrap();
    journal.keep_snapshot(&at_20, format, &foreign.to_snapshot().unwrap().concat()).unwrap();
    // So that whoever passes over the damaged one has a good one before it.
    journal
        .keep_snapshot(&at_25, format, &replay_to(&journal, 25).unwrap().to_snapshot().unwrap().concat())
        .unwrap();
    journal.keep_snapshot(&at_30, format, b"no snapshot").unwrap();
    drop(journal);
    let writer =
        Writer::start_keeping(Box::new(SqliteJournal::open(&path).unwrap()), clock, 1_000_000).unwrap();
    let past = Past::new(writer, LONG);
    let at =
        |seq| runtime.block_on(past.at(Moment::Entry(seq), clock())).map(|world| world.digest().unwrap());
    assert_eq!(at(20).unwrap(), foreign.digest().unwrap(), "the snapshot is not read");
    assert_eq!(at(19).unwrap(), expected, "one of a later entry is read");
    assert_eq!(at(30).unwrap(), of_30, "the damaged one is not passed over");
}

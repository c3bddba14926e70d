//! The record as a list: every entry once, whatever is asked for.

use serde_json::{Value, json};
use tenon_journal::{Batch, Head, Journal, MemoryJournal, NewEntry};
use tenon_model::{Event, Timestamp, Versioned};
use tenon_server::{LogFilter, LogPage, read_log, replay};

use crate::gateway::reported_with;
use crate::running::{Server, code};

fn page(server: &Server, path: &str) -> Value {
    let mut answer = server.get(path).call().unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.body_mut().read_json().unwrap()
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

#[test]
fn the_log_tells_who_did_what_and_is_filtered() {
    let server = Server::start();
    reported_with(&server, &["alpha", "beta"]);
    let directives = page(&server, "/api/v1/directives");
    let (refused, other) =
        (items(&directives)[0]["id"].as_str().unwrap(), items(&directives)[1]["id"].as_str().unwrap());
    let sent = server.post(&format!("/api/v1/directives/{refused}/refuse"));
    assert_eq!(sent.send_json(json!({ "why": "not now" })).unwrap().status(), 200);

    let whole = page(&server, "/api/v1/log");
    let generation = whole["generation"].as_u64().unwrap();
    let seqs: Vec<u64> = items(&whole).iter().map(|item| item["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=generation).rev().collect::<Vec<_>>(), "every entry, the newest first");
    let newest = &items(&whole)[0];
    assert_eq!(
        (newest["kind"].as_str(), newest["by"].as_str()),
        (Some("directive-closed"), Some("tester")),
        "{newest}"
    );
    assert!(newest["said"].as_str().unwrap().ends_with("closed: refused: not now"), "{newest}");
    assert_eq!((newest["directive"].as_str(), newest["asset"].as_str()), (Some(refused), None), "{newest}");
    // The hashes are those of the export, which proves itself.
    let export = server.get("/api/v1/journal").call().unwrap().body_mut().read_to_string().unwrap();
    for item in items(&whole) {
        assert!(export.contains(&format!("\"hash\":{}", item["hash"])), "{item}");
    }

    // Page by page the same entries.
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = page(&server, &format!("/api/v1/log?limit=2{cursor}"));
        walked.extend(items(&part).clone());
        match part["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&walked, items(&whole));

    let asset = page(&server, "/api/v1/assets")["items"][0]["id"].as_str().unwrap().to_owned();
    let kinds = |query: &str| -> Vec<String> {
        let found = page(&server, &format!("/api/v1/log?{query}"));
        items(&found).iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&format!("directive={refused}")), ["directive-closed", "directive-raised"]);
    assert_eq!(kinds(&format!("directive={other}")), ["directive-raised"]);
    assert_eq!(
        kinds(&format!("asset={asset}")),
        ["directive-raised", "directive-raised", "inventory-reported", "asset-enrolled"]
    );
    let reported = page(&server, &format!("/api/v1/log?kind=inventory-reported&asset={asset}"));
    assert_eq!(items(&reported)[0]["asset"].as_str(), Some(asset.as_str()), "{reported}");
    assert_eq!(kinds("kind=directive-closed"), ["directive-closed"]);
    assert_eq!(kinds("kind=directive").len(), 3);
    assert_eq!(kinds(&format!("asset=ast_{}", "0".repeat(32))), [""; 0]);
    assert_eq!(kinds("vulnerability=CVE-1999-0001"), [""; 0]);
    assert_eq!(kinds("since=2100-01-01"), [""; 0]);
    assert_eq!(kinds("until=2000-01-01T00:00:00Z"), [""; 0]);
    assert_eq!(kinds("since=2000-01-01&until=2100-01-01").len(), seqs.len());
    for bad in
        ["kind=ajar", "asset=x", "directive=7", "since=soon", "cursor=7", "cursor=e0", "limit=0", "last=3"]
    {
        let answer = server.get(&format!("/api/v1/log?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

/// Entry `n` is stamped `n / 10`: ten share a stamp.
fn journal(count: u64) -> MemoryJournal {
    let mut journal = MemoryJournal::new(1);
    let entry = |n: u64| NewEntry {
        time_ms: (n / 10) as i64,
        term: 1,
        payload: Versioned::encode(&Event::TermBegan { term: n }).unwrap(),
    };
    let batch = Batch { entries: (1..=count).map(entry).collect(), ..Batch::default() };
    journal.append(&Head::genesis(), &[batch]).unwrap();
    journal
}

#[test]
fn what_is_rare_comes_over_pages_that_each_look_at_a_bounded_part() {
    let count = 45_000;
    let journal = journal(count);
    let world = replay(&journal).unwrap();
    let looked_at = std::cell::Cell::new(0);
    let read = |from: u64, most: u64| {
        let page = journal.read(from, most as usize)?;
        looked_at.set(looked_at.get() + page.len());
        Ok(page)
    };
    let filter = LogFilter { kind: Some("order".to_owned()), ..LogFilter::default() };
    let (mut before, mut pages) = (u64::MAX, 0);
    loop {
        let LogPage { items, next, .. } = read_log(&read, &world, &filter, before, 10).unwrap();
        assert!(items.is_empty() && looked_at.take() <= 20_000 + 256);
        pages += 1;
        match next {
            Some(next) => before = next[1..].parse().unwrap(),
            None => break,
        }
    }
    assert_eq!(pages, 3);
}

#[test]
fn times_bound_exactly_what_is_stamped_within_them() {
    let count = 995;
    let journal = journal(count);
    let world = replay(&journal).unwrap();
    let read = |from: u64, most: u64| Ok(journal.read(from, most as usize)?);
    let at = Timestamp::from_millis;
    for (since, until) in [(0, 1), (3, 4), (3, 3), (7, 5), (42, 99), (98, 1_000), (100, 101)] {
        let filter = LogFilter { since: Some(at(since)), until: Some(at(until)), ..LogFilter::default() };
        let page = read_log(&read, &world, &filter, u64::MAX, 2_000).unwrap();
        let found: Vec<u64> = page.items.iter().map(|item| item.seq).collect();
        let expected: Vec<u64> =
            (1..=count).rev().filter(|n| (since..until).contains(&((n / 10) as i64))).collect();
        assert_eq!((found, page.next), (expected, None), "{since} to {until}");
    }
}

//! Lists a page at a time, and changes that say what they replace.

use serde_json::{Value, json};
use ureq::http::Response;

use crate::gateway::{reported, reported_with};
use crate::running::{Server, code};

fn page(server: &Server, path: &str) -> Value {
    let mut answer = server.get(path).call().unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.body_mut().read_json().unwrap()
}

/// Ids of a list, page by page, and how many pages it took.
fn walked(server: &Server, path: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = page(server, &format!("{path}{cursor}"));
        pages += 1;
        ids.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, pages),
        }
    }
}

fn refuse(server: &Server, id: &str, why: &str) {
    let sent = server.post(&format!("/api/v1/directives/{id}/refuse")).send_json(json!({ "why": why }));
    assert_eq!(sent.unwrap().status(), 200, "{id}");
}

#[test]
fn pages_hold_every_asset_once_in_the_order_of_enrolment() {
    let server = Server::start();
    for _ in 0..5 {
        reported(&server);
    }
    let whole = page(&server, "/api/v1/assets");
    assert_eq!((whole["total"].as_u64(), whole["next"].as_str()), (Some(5), None));
    let (ids, pages) = walked(&server, "/api/v1/assets?limit=2");
    let expected: Vec<_> =
        whole["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!((ids.iter().map(String::as_str).collect::<Vec<_>>(), pages), (expected, 3));
    // A host that enrols between two pages comes at the end.
    let next = page(&server, "/api/v1/assets?limit=4")["next"].as_str().unwrap().to_owned();
    reported(&server);
    let rest = page(&server, &format!("/api/v1/assets?limit=4&cursor={next}"));
    assert_eq!((rest["items"].as_array().unwrap().len(), rest["next"].as_str()), (2, None));
    // A window by its place, by group and by name; a cursor goes on within what was asked for.
    let window = page(&server, "/api/v1/assets?from=4&limit=5&group=default&q=H1");
    assert_eq!((window["from"].as_u64(), window["total"].as_u64()), (Some(4), Some(6)));
    assert_eq!(window["items"].as_array().unwrap().len(), 2);
    assert_eq!(walked(&server, "/api/v1/assets?limit=4&q=h1").0.len(), 6);
    assert_eq!(page(&server, "/api/v1/assets?group=nobody")["total"], 0);
    assert_eq!(page(&server, "/api/v1/assets?q=no-such-name")["total"], 0);
    let overview = page(&server, "/api/v1/overview");
    let default = json!([{ "name": "default", "mode": "observe", "assets": 6 }]);
    assert_eq!((overview["assets"].as_u64(), &overview["groups"]), (Some(6), &default));
    for bad in [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=",
        "cursor=4",
        "cursor=n-1",
        "offset=2",
        "from=x",
        "from=1&cursor=n1",
        "group=A%20B",
    ] {
        let answer = server.get(&format!("/api/v1/assets?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn a_cursor_of_the_queue_stays_good_while_directives_close_before_it() {
    let server = Server::start();
    reported_with(&server, &["a", "b", "c", "d", "e", "f"]);
    let (all, pages) = walked(&server, "/api/v1/directives?limit=4");
    assert_eq!((all.len(), pages), (6, 2));
    let first = page(&server, "/api/v1/directives?limit=3");
    let next = first["next"].as_str().unwrap();
    // One that was shown closes: nothing of the rest is skipped.
    refuse(&server, &all[0], "not now");
    let rest = page(&server, &format!("/api/v1/directives?cursor={next}"));
    let ids: Vec<_> =
        rest["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, &expected(&all)[3..]);
    // The very one that the cursor names closes: its rank stands for it.
    refuse(&server, &all[2], "nor this");
    let rest = page(&server, &format!("/api/v1/directives?cursor={next}"));
    let ids: Vec<_> =
        rest["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!((ids.as_slice(), rest["total"].as_u64()), (&expected(&all)[3..], Some(4)));
    let closed = page(&server, "/api/v1/directives?state=closed");
    let shown = &closed["items"][0];
    assert_eq!((shown["id"].as_str(), closed["total"].as_u64()), (Some(all[2].as_str()), Some(2)));
    // The record knows an opaque id, people read a name.
    assert!(shown["closed"].as_str().unwrap().starts_with("refused by tester: nor this"), "{shown}");
    let found =
        |query: &str| page(&server, &format!("/api/v1/directives?state=closed&{query}"))["total"].clone();
    let counts =
        ["q=nor+this", "q=no-such-thing", "ended=refused", "ended=fixed", "group=no-such-group"].map(found);
    assert_eq!(counts, [1, 0, 2, 0, 0].map(Value::from), "each filter leaves what is like that");
    for bad in
        ["state=ajar", "state=closed&ended=lost", "cursor=dir_99", "cursor=x", "state=closed&cursor=dir_99"]
    {
        let answer = server.get(&format!("/api/v1/directives?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

fn first_id(page: &Value) -> &str {
    page["items"][0]["id"].as_str().unwrap()
}

fn expected(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

fn tag(answer: &Response<ureq::Body>) -> String {
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

#[test]
fn the_trend_tells_what_moved_exposure_today() {
    let server = Server::start();
    reported_with(&server, &["a", "b"]);
    let removes = page(&server, "/api/v1/directives")["totals"]["removes"].clone();
    let trend = page(&server, "/api/v1/trend?days=3");
    let days = trend["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    let (before, today) = (&days[1], &days[2]);
    assert_eq!(
        (&today["exposure"], &today["newly_seen"], &today["got_worse"]),
        (&removes, &removes, &before["exposure"])
    );
    assert_eq!(
        today["like_for_like"], before["like_for_like"],
        "a host that reports for the first time does not move it"
    );
    let day = today["day"].as_str().unwrap();
    assert_eq!(page(&server, &format!("/api/v1/trend?days=1&until={day}"))["days"][0], *today);
    assert_eq!(page(&server, "/api/v1/trend")["days"].as_array().unwrap().len(), 30);
    for bad in ["days=0", "days=367", "until=soon", "from=1"] {
        let answer = server.get(&format!("/api/v1/trend?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn measures_tell_each_figure_with_what_it_means() {
    let server = Server::start();
    reported_with(&server, &["a", "b"]);
    let measures = page(&server, "/api/v1/measures?days=2");
    let whole = &measures["whole"];
    let begun = whole["cases"]["begun"].as_u64().unwrap();
    assert!(begun >= 2, "{measures}");
    assert_eq!(whole["cases"]["open"], begun);
    assert_eq!(
        (&whole["sla"]["percent"], &whole["half_life"]["open_percent"]),
        (&json!(null), &json!("100.0"))
    );
    let group = measures["groups"][0]["group"].as_str().unwrap();
    let alone = page(&server, &format!("/api/v1/measures?group={group}"));
    assert_eq!((&alone["whole"]["cases"], &alone["groups"]), (&measures["groups"][0]["cases"], &json!([])));
    assert_eq!(page(&server, "/api/v1/measures?group=nobody")["whole"]["cases"]["begun"], 0);
    // Every figure is defined, and nothing else is.
    let names = |value: &serde_json::Value| -> std::collections::BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let defined = measures["definitions"].as_array().unwrap().iter();
    let mut defined: Vec<_> = defined.map(|of| of["name"].as_str().unwrap().to_owned()).collect();
    defined.push("directive_steps".to_owned());
    assert_eq!(defined.into_iter().collect::<std::collections::BTreeSet<_>>(), names(whole));

    // What was said of a time is said of it again, whatever happened since.
    let entry = page(&server, "/api/v1/head")["seq"].as_u64().unwrap();
    let then = page(&server, &format!("/api/v1/measures?as_of={entry}"));
    let id = page(&server, "/api/v1/directives")["items"][0]["id"].as_str().unwrap().to_owned();
    let sent = server.post(&format!("/api/v1/directives/{id}/refuse")).send_json(json!({ "why": "not now" }));
    assert_eq!(sent.unwrap().status(), 200);
    assert_eq!(page(&server, &format!("/api/v1/measures?as_of={entry}")), then);
    let refused = page(&server, "/api/v1/measures")["whole"]["cases"]["refused"].as_u64().unwrap();
    assert!(refused >= 1 && then["whole"]["cases"]["refused"] == 0);
    for bad in ["days=0", "days=367", "until=soon", "group=UP", "from=1"] {
        let answer = server.get(&format!("/api/v1/measures?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn gaps_and_feeds_are_lists_too() {
    let server = Server::start();
    reported(&server);
    let gaps = page(&server, "/api/v1/gaps");
    assert_eq!(
        (gaps["assets"].as_u64(), gaps["not_whole"].as_u64(), gaps["total"].as_u64()),
        (Some(1), Some(1), Some(1))
    );
    let gap = &gaps["items"][0];
    assert_eq!((gap["kind"].as_str(), gap["assets"].as_u64()), (Some("not-assessed"), Some(1)));
    assert_eq!(gap["said"], "no advisories for Debian:12 have been loaded");
    assert_eq!(gap["named"], json!(["h1"]));
    assert_eq!(page(&server, "/api/v1/gaps?cursor=n1")["items"], json!([]));
    let feeds = page(&server, "/api/v1/feeds");
    assert_eq!((feeds["total"].as_u64(), &feeds["items"]), (Some(0), &json!([])));
    for bad in ["gaps?limit=0", "gaps?cursor=1", "feeds?cursor=x", "feeds?q=x"] {
        let answer = server.get(&format!("/api/v1/{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn a_window_of_the_queue_is_named_by_its_place() {
    let server = Server::start();
    reported_with(&server, &["a", "b", "c", "d", "e"]);
    let (all, _) = walked(&server, "/api/v1/directives?limit=500");
    let window = page(&server, "/api/v1/directives?from=3&limit=5");
    let ids: Vec<_> =
        window["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!((ids.as_slice(), window["next"].as_str()), (&expected(&all)[3..], None));
    assert_eq!((window["from"].as_u64(), window["total"].as_u64()), (Some(3), Some(5)));
    let behind = page(&server, "/api/v1/directives?from=9");
    assert_eq!((behind["items"].as_array().unwrap().len(), behind["total"].as_u64()), (0, Some(5)));
    for bad in ["from=-1", "from=x", &format!("from=1&cursor={}", all[0])] {
        let answer = server.get(&format!("/api/v1/directives?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn a_change_that_names_what_it_replaces_replaces_nothing_else() {
    let server = Server::start();
    reported(&server);
    let asset = page(&server, "/api/v1/assets")["items"][0]["id"].as_str().unwrap().to_owned();
    let context = format!("/api/v1/assets/{asset}/context");
    let rules = "/api/v1/rules".to_owned();
    let of_context = |exposure: &str| json!({ "exposure": exposure, "human_impact": null, "mission": null });
    let of_rules = |table: &str| json!({ "table": table, "clocks": ["bod-22-01"] });
    let changes = [
        (context, of_context("open"), of_context("small")),
        (rules, of_rules("ssvc-deployer"), of_rules("cisa-coordinator")),
    ];
    for (path, one, other) in changes {
        let read = || server.get(&path).call().unwrap();
        let change =
            |body: &Value, tags: &str| server.post(&path).header("if-match", tags).send_json(body).unwrap();
        let before = tag(&read());
        assert_eq!(change(&one, &before).status(), 200, "{path}");
        let after = tag(&read());
        assert_ne!(before, after);
        // Somebody who had read it before that.
        assert_eq!(code(change(&other, &before)), (412, "precondition-failed".to_owned()), "{path}");
        assert_eq!(code(change(&other, &format!("W/{after}"))), (412, "precondition-failed".to_owned()));
        assert_eq!(tag(&read()), after);
        assert_eq!(change(&other, &format!("\"x\", {after}")).status(), 200);
        assert_eq!(change(&one, "*").status(), 200);
        assert_eq!(tag(&read()), after, "the same content has the same tag");
    }
    let nobody = format!("/api/v1/assets/ast_{}/context", "0".repeat(32));
    assert_eq!(code(server.get(&nobody).call().unwrap()), (404, "not-found".to_owned()));
    let sent = server.post(&nobody).header("if-match", "*").send_json(of_context("open")).unwrap();
    assert_eq!(
        code(sent),
        (412, "precondition-failed".to_owned()),
        "nothing is there that could be replaced"
    );
}

#[test]
fn the_queue_is_filtered_ordered_and_counted() {
    let server = Server::start();
    reported_with(&server, &["alpha", "beta"]);
    let whole = page(&server, "/api/v1/directives");
    let total = whole["total"].as_u64().unwrap();
    assert!(total > 0, "{whole}");
    let sum = |counts: &Value| counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
    for counts in ["groups", "outcomes", "due"] {
        assert_eq!(sum(&whole["totals"][counts]), total, "{counts}");
    }
    // Told apart by what they come to.
    let apart =
        |by: &str| page(&server, &format!("/api/v1/directives?limit=1&group_by={by}"))["parts"].clone();
    for by in ["group", "outcome", "package", "due", "stage"] {
        let parts = apart(by);
        let parts = parts.as_array().unwrap();
        assert_eq!(parts.iter().map(|part| part["directives"].as_u64().unwrap()).sum::<u64>(), total, "{by}");
    }
    assert_eq!(apart("package").as_array().unwrap().len() as u64, total, "each is about another package");
    assert!(whole["parts"].is_null(), "only where it is asked for");
    // The items stand in the parts, a window at a time, and a part tells its earliest date.
    let in_parts = page(&server, "/api/v1/directives?group_by=package&sort=raised");
    let named: Vec<_> = in_parts["parts"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    let stand: Vec<_> = in_parts["items"].as_array().unwrap().iter().map(|item| &item["source"]).collect();
    assert_eq!(stand, named);
    for (part, item) in
        in_parts["parts"].as_array().unwrap().iter().zip(in_parts["items"].as_array().unwrap())
    {
        assert_eq!((&part["due"], &part["removes"]), (&item["due"], &item["removes"]));
    }
    let second = page(&server, "/api/v1/directives?group_by=package&sort=raised&from=1&limit=1");
    assert_eq!((&second["items"][0], &second["next"]), (&in_parts["items"][1], &Value::Null));
    let id = first_id(&in_parts);
    let answer = server.get(&format!("/api/v1/directives?group_by=package&cursor={id}")).call().unwrap();
    assert_eq!(code(answer), (400, "bad-request".to_owned()), "parts change places");
    assert_eq!(apart("stage")[0]["name"], "proposed");
    let first = &whole["items"][0];
    let source = first["source"].as_str().unwrap().to_uppercase();
    let found = page(&server, &format!("/api/v1/directives?q={source}&sort=removes"));
    assert!(found["items"].as_array().unwrap().iter().any(|item| item["id"] == first["id"]), "{found}");
    let none = page(&server, "/api/v1/directives?q=no-such-thing&sort=assets");
    assert_eq!((none["total"].as_u64(), none["totals"]["assets"].as_u64()), (Some(0), Some(0)));
    assert_eq!(page(&server, "/api/v1/directives?group=nobody")["total"], 0);
    assert_eq!(page(&server, "/api/v1/directives?due_before=2020-01-01T00:00:00Z")["total"], 0);
    // A vulnerability that nothing speaks of is not known, which is not the same as on no asset.
    let unknown = page(&server, "/api/v1/vulnerabilities/CVE-1999-0001");
    assert_eq!((unknown["known"].as_bool(), unknown["open"].as_u64()), (Some(false), Some(0)));
    let answer = server.get("/api/v1/vulnerabilities/%20").call().unwrap();
    assert_eq!(code(answer), (400, "bad-request".to_owned()));
    let within =
        |due: &str| page(&server, &format!("/api/v1/directives?due={due}"))["total"].as_u64().unwrap();
    let counts: Vec<u64> = ["overdue", "1d", "3d", "7d", "30d"].into_iter().map(within).collect();
    assert!(counts.is_sorted(), "each span holds the shorter ones: {counts:?}");
    let said = page(&server, "/api/v1/directives")["totals"]["due"].clone();
    let told = |names: &[&str]| names.iter().filter_map(|name| said[*name].as_u64()).sum::<u64>();
    assert_eq!(
        counts,
        [
            told(&["overdue"]),
            told(&["overdue", "1d"]),
            told(&["overdue", "1d", "3d"]),
            told(&["overdue", "1d", "3d", "7d"]),
            told(&["overdue", "1d", "3d", "7d", "30d"])
        ]
    );
    for bad in [
        "sort=fancy",
        "group=A%20B",
        "due_before=soon",
        "due=soon",
        "due=1d&due_before=2020-01-01T00:00:00Z",
        "state=lost",
        "group_by=x",
    ] {
        let answer = server.get(&format!("/api/v1/directives?{bad}")).call().unwrap();
        assert_eq!(code(answer), (400, "bad-request".to_owned()), "{bad}");
    }
}

#[test]
fn what_is_lost_and_what_moved_it_is_told() {
    let server = Server::start();
    reported_with(&server, &["openssl"]);
    let risk = page(&server, "/api/v1/risk");
    assert_eq!((&risk["of"], &risk["assets"], &risk["directives"]), (&Value::Null, &json!(1), &json!(1)));
    assert_eq!(
        (&risk["points"], &risk["before"], &risk["like_for_like"]),
        (&risk["whole"], &json!("0.0"), &json!("0.0"))
    );
    let [group] = risk["groups"].as_array().unwrap().as_slice() else { panic!("{risk}") };
    assert_eq!((&group["group"], &group["points"]), (&json!("default"), &risk["points"]));
    let [moved] = risk["moved"].as_array().unwrap().as_slice() else { panic!("{risk}") };
    assert_eq!((&moved["points"], &moved["kind"]), (&risk["points"], &json!("inventory-reported")));
    assert!(moved["said"].as_str().unwrap().contains("h1"), "{moved}");

    let document = json!({ "services": { "shop": {} }, "rules": [{ "when": { "host": "h1" }, "set": { "services": ["shop"] } }] });
    let taken =
        server.post("/api/v1/context").send_json(json!({ "document": document, "compared": 0 })).unwrap();
    assert_eq!(code(taken).0, 200);
    let shop = page(&server, "/api/v1/risk?service=shop");
    assert_eq!(
        (&shop["of"], &shop["assets"], &shop["points"]),
        (&json!("service shop"), &json!(1), &risk["points"])
    );
    assert_eq!(page(&server, "/api/v1/risk?team=nobody")["assets"], json!(0));
    for bad in ["service=shop&team=web", "service=", "days=0", "zone=%20", "what=else"] {
        assert_eq!(code(server.get(&format!("/api/v1/risk?{bad}")).call().unwrap()).0, 400, "{bad}");
    }
}

//! Every operation as nobody, as a stranger, and as each role, against the reviewed table `docs/reference/rights.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use tenon_server::Role;

use crate::running::{Server, client};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/rights.md");

/// A path with its parameters filled in, with what exists nowhere.
fn filled(path: &str) -> String {
    let filled = path
        .replace("/directives/{id}", "/directives/dir_1")
        .replace("/assets/{id}", &format!("/assets/ast_{}", "0".repeat(32)))
        .replace("/vulnerabilities/{id}", "/vulnerabilities/CVE-1999-0001")
        .replace("/controls/{id}", "/controls/ctl_0")
        .replace("/exceptions/{id}", "/exceptions/exc_0")
        .replace("/detections/{id}", "/detections/det_0")
        .replace("/users/{id}", "/users/usr_0")
        .replace("/tokens/{id}", "/tokens/tok_0")
        .replace("{vulnerability}", "CVE-1999-0001")
        .replace("{asset}", &format!("ast_{}", "0".repeat(32)))
        .replace("{digest}", &"0".repeat(64))
        .replace("{regulation}", "nobodys")
        .replace("{version}", "0")
        .replace("{name}", "default");
    assert!(!filled.contains('{'), "{filled}: give this parameter a value");
    filled
}

/// What an operation answers to a caller: `yes` when the guard lets it through, whatever comes of it then.
fn answer(server: &Server, method: &str, path: &str, bearer: Option<&str>) -> String {
    let url = server.url(path);
    let sent = match method {
        "GET" | "DELETE" => {
            let mut request = if method == "GET" { client().get(url) } else { client().delete(url) };
            if let Some(token) = bearer {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.call()
        }
        "POST" | "PUT" => {
            let mut request = if method == "POST" { client().post(url) } else { client().put(url) };
            if let Some(token) = bearer {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.content_type("application/json").send("{}")
        }
        other => panic!("{other}: teach the sweep this method"),
    };
    let mut response = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let status = response.status().as_u16();
    // The live stream has no end to read to.
    if ![401, 403].contains(&status) {
        return "yes".to_owned();
    }
    let problem: Value = response.body_mut().read_json().unwrap();
    match (status, problem["code"].as_str().unwrap()) {
        (401, "not-signed-in") => "401".to_owned(),
        (403, "no-rights") => "403".to_owned(),
        other => panic!("{method} {path}: {other:?}"),
    }
}

#[test]
fn every_operation_answers_each_role_as_the_reviewed_table_says() {
    let server = Server::start();
    let roles = Role::ALL.map(|role| role.to_string());
    let mut callers = vec![("nobody", None), ("stranger", Some("0".repeat(64)))];
    for role in &roles {
        let body = json!({ "label": "sweep", "roles": [role], "expires_seconds": 600 });
        let made = server.post("/api/v1/tokens").send_json(&body).unwrap().body_mut().read_json::<Value>();
        callers.push((role, Some(made.unwrap()["secret"].as_str().unwrap().to_owned())));
    }
    let before = server.running().writer.world().digest().unwrap();
    let mut table = String::new();
    let heads: Vec<&str> = callers.iter().map(|(name, _)| *name).collect();
    writeln!(table, "| operation | {} |\n| --- |{}", heads.join(" | "), " --- |".repeat(heads.len()))
        .unwrap();
    for (method, path) in tenon_server::operations() {
        write!(table, "| `{method} {path}` |").unwrap();
        for (_, bearer) in &callers {
            write!(table, " {} |", answer(&server, method, &filled(path), bearer.as_deref())).unwrap();
        }
        table.push('\n');
    }
    // The sweep names nothing that exists: whatever was let through has changed nothing.
    assert_eq!(server.running().writer.world().digest().unwrap(), before);

    let reviewed = std::fs::read_to_string(PAGE).unwrap();
    let lines =
        |text: &str| text.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect::<Vec<_>>();
    assert!(
        lines(&reviewed) == lines(&table),
        "the operations answer as follows; review every difference, then put the table into docs/reference/rights.md:\n{table}"
    );
}

#[test]
fn every_documented_operation_is_in_the_table_of_needs_and_nothing_is_there_unseen() {
    let document = serde_json::to_value(tenon_server::openapi()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let known: BTreeSet<_> =
        tenon_server::operations().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    let missing: Vec<_> = documented.difference(&known).collect();
    assert!(missing.is_empty(), "without a need nobody may use them: {missing:?}");
    // Pages and the description itself.
    let pages: Vec<String> =
        known.difference(&documented).map(|(method, path)| format!("{method} {path}")).collect();
    let expected = [
        "GET /api/v1/openapi.json",
        "GET /board",
        "GET /board.css",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "GET /sign-in",
        "GET /sign-in.css",
        "GET /welcome",
        "POST /sign-in",
        "POST /sign-out",
        "POST /welcome",
    ];
    assert_eq!(pages, expected);
}

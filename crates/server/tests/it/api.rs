//! People's door.

use serde_json::{Value, json};

use crate::running::{Server, client, code};

#[test]
fn reading_works_only_under_the_servers_own_names() {
    let server = Server::start();
    for host in ["evil.example", "localhost"] {
        let foreign = server.get("/api/v1/overview").header("host", host).call().unwrap();
        assert_eq!(code(foreign), (421, "unknown-host".to_owned()), "{host}");
    }
    let localhost = format!("localhost:{}", server.running().listen.port());
    assert_eq!(server.get("/api/v1/overview").header("host", localhost).call().unwrap().status(), 200);
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let server = Server::start();
    for path in ["/", "/api/v1/overview", "/no-such-path"] {
        let answer = client().get(server.url(path)).call().unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let policy = header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(header("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn a_command_repeated_under_its_key_is_answered_and_not_repeated() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.token());
    let demote = || {
        let request = client().post(server.url("/api/v1/groups/default/demote"));
        request.header("authorization", &bearer).header("idempotency-key", "one").send_empty().unwrap()
    };
    // The group observes already: a refusal changes nothing and is no answer to keep.
    assert_eq!(code(demote()), (409, "nothing-to-do".to_owned()));
    let bad = client().post(server.url("/api/v1/groups/default/demote")).header("authorization", &bearer);
    let bad = bad.header("idempotency-key", "with a blank").send_empty().unwrap();
    assert_eq!(code(bad), (400, "bad-request".to_owned()));
}

#[test]
fn errors_are_problems_with_codes() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.token());
    let post = |path: &str, body: &str| {
        let request = client().post(server.url(path)).header("authorization", &bearer);
        code(request.content_type("application/json").send(body).unwrap())
    };
    assert_eq!(post("/api/v1/directives/dir_7/approve", "{}"), (404, "unknown-directive".to_owned()));
    assert_eq!(post("/api/v1/directives/seven/approve", "{}"), (400, "bad-request".to_owned()));
    assert_eq!(post("/api/v1/groups/Nobody/promote", ""), (400, "bad-request".to_owned()));
    assert_eq!(post("/api/v1/groups/nobody/promote", ""), (404, "not-found".to_owned()));
    let get = |path: &str| code(server.get(path).call().unwrap());
    assert_eq!(get("/api/v1/assets/ast_zz"), (400, "bad-request".to_owned()));
    assert_eq!(get("/api/v2/overview"), (404, "not-found".to_owned()));
}

/// A statement about dir_10 and its signature, as `ssh-keygen -Y sign -n tenon-approval` made it once.
const SIGNED: [&str; 2] = [
    include_str!("../../../fuzz/seeds/approval/statement"),
    include_str!("../../../fuzz/seeds/approval/signature"),
];

#[test]
fn a_signature_is_looked_at_before_it_enters_the_record() {
    let server = Server::start();
    let [statement, signature] = SIGNED;
    let post = |statement: &str, signature: &str, assets: Value| {
        let body = json!({ "statement": statement, "signature": signature, "assets": assets });
        let mut answer = server.post("/api/v1/directives/dir_10/signatures").send_json(body).unwrap();
        let (status, problem) = (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap());
        (status, problem["code"].as_str().unwrap().to_owned(), problem["detail"].as_str().unwrap().to_owned())
    };
    let none = || json!([]);
    for (statement, signature, says) in [
        ("sign this", signature, "the statement: "),
        (&*statement.replace("changes: 1", "changes: 0"), signature, "the statement: "),
        (
            &*statement.replace("changes: 1", "changes: 2"),
            signature,
            "the signature: it is not over this statement",
        ),
        (statement, "trust me", "the signature: not a signature as `ssh-keygen -Y sign"),
        (statement, &*"x".repeat(100_000), "the signature: "),
    ] {
        let (status, code, detail) = post(statement, signature, none());
        assert_eq!((status, code.as_str()), (400, "bad-request"), "{detail}");
        assert!(detail.contains(says), "{detail}");
    }
    assert_eq!(post(statement, signature, json!(["web1"])).1, "bad-request");
    // What is right in its form is decided on: there is no such directive here.
    let (status, code, _) = post(statement, signature, none());
    assert_eq!((status, code.as_str()), (404, "unknown-directive"));
    let unknown = server.get("/api/v1/directives/dir_10/signatures").call().unwrap();
    assert_eq!(unknown.status(), 404);
}

#[test]
fn the_checked_in_description_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let now = serde_json::to_value(tenon_server::openapi()).unwrap();
    assert_eq!(kept, now, "run `cargo xtask generate`");
}

#[test]
fn every_operation_has_a_name_of_its_own_a_tag_and_a_way_to_fail() {
    let document = serde_json::to_value(tenon_server::openapi()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: {name} is another's");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path}");
            let failed = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(failed["$ref"], "#/components/schemas/Problem", "{method} {path}");
            // Only signing in takes nobody.
            assert_eq!(operation["security"].is_null(), name == "sign_in", "{method} {path}");
        }
    }
}

#[test]
fn the_checked_in_reference_of_codes_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/refusals.md");
    let kept = std::fs::read_to_string(path).unwrap();
    let now = tenon_server::refusals_reference();
    assert_eq!(kept, now, "run `cargo xtask generate`");
    let codes: Vec<&str> =
        now.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let unique: std::collections::BTreeSet<&str> = codes.iter().copied().collect();
    assert!(codes.len() > 20 && codes.len() == unique.len(), "{codes:?}");
}

#[test]
fn every_error_is_a_problem_that_names_its_request() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.token());
    let post = |path: &str| client().post(server.url(path)).header("authorization", &bearer);
    let large = "x".repeat(200_000);
    let rules = "/api/v1/rules";
    let answers = [
        (404, "not-found", client().get(server.url("/api/v1/nothing")).call()),
        (404, "not-found", client().get(server.url("/nothing")).call()),
        (405, "method-not-allowed", post("/api/v1/overview").send_empty()),
        (413, "too-large", post(rules).content_type("application/json").send(&large)),
        (415, "unsupported-media-type", post(rules).content_type("text/plain").send("{}")),
        (400, "bad-request", post(rules).content_type("application/json").send("{")),
        (400, "bad-request", post(rules).content_type("application/json").send("{}")),
        (400, "bad-request", server.get("/api/v1/assets/%ff").call()),
    ];
    for (status, code, answer) in answers {
        let mut answer = answer.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("application/problem+json"), "{code}");
        let id = header("x-request-id").unwrap();
        let problem: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        assert_eq!((answer.status().as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:tenon:problem:{code}"));
        assert_eq!(problem["instance"], format!("urn:tenon:request:{id}"));
        assert!(
            ["title", "detail"]
                .iter()
                .all(|part| problem[part].as_str().is_some_and(|text| !text.is_empty())),
            "{problem}"
        );
    }
}

#[test]
fn a_callers_request_id_is_taken_over_only_when_it_is_harmless() {
    let server = Server::start();
    let asked = |id: &str| {
        let answer = server.get("/api/v1/head").header("x-request-id", id).call().unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(asked("job-17.a_b"), "job-17.a_b");
    for bad in ["", "two words", "<b>", &"a".repeat(65)] {
        let id = asked(bad);
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{bad:?}: {id}");
    }
}

#[test]
fn people_get_errors_as_pages_and_nothing_of_the_request_in_them_as_markup() {
    let server = Server::start();
    let mut answer = client().get(server.url("/%3Cscript%3E")).header("accept", "text/html").call().unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let page = answer.body_mut().read_to_string().unwrap();
    assert!(page.contains("not-found") && !page.contains("<script"), "{page}");
    // Programs under /api get problems whatever they accept.
    let api = client().get(server.url("/api/v1/nothing")).header("accept", "text/html").call().unwrap();
    assert_eq!(code(api), (404, "not-found".to_owned()));
}

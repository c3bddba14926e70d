//! The policy over the API: tried against what is open, set with what was looked at, refused where it does not read.

use serde_json::{Value, json};

use crate::gateway::reported_with;
use crate::running::{Server, code};

const POLICY: &str = "\
version: 1
windows:
  night: {zone: Europe/Berlin, from: '22:00', to: '04:00'}
rules:
  - {name: keys, when: directive.package == 'openssl', approval: forbidden, why: certified}
  - {name: routine, when: rehearsal.undo == 'proven', approval: automatic, windows: night}
";

fn read(mut response: ureq::http::Response<ureq::Body>) -> Value {
    assert_eq!(response.status(), 200);
    response.body_mut().read_json().unwrap()
}

#[test]
fn a_policy_is_tried_and_set_once() {
    let server = Server::start();
    reported_with(&server, &["nginx", "openssl"]);
    let get = || read(server.get("/api/v1/policy").call().unwrap());
    let post = |path: &str, body: &Value| server.post(path).send_json(body).unwrap();
    assert_eq!((&get()["version"], &get()["text"]), (&json!(0), &Value::Null));

    let seen = read(post("/api/v1/policy/preview", &json!({ "text": POLICY })));
    assert_eq!(
        (&seen["version"], &seen["changed"], &seen["approved_at_once"]),
        (&json!(0), &json!(2), &json!(0))
    );
    let of = |title: &str| {
        let mut effects = seen["directives"].as_array().unwrap().iter();
        effects.find(|effect| effect["title"].as_str().unwrap().contains(title)).unwrap()
    };
    let (nginx, openssl) = (of("nginx"), of("openssl"));
    assert_eq!(nginx["before"][0]["approval"], "by one person");
    assert_eq!(
        (&nginx["after"][0]["approval"], &nginx["after"][0]["rule"]),
        (&json!("not known before its rehearsal"), &Value::Null)
    );
    assert_eq!(
        (&openssl["after"][0]["approval"], &openssl["after"][0]["rule"]),
        (&json!("forbidden"), &json!("keys"))
    );
    assert_eq!(openssl["after"][0]["waits"], "policy rule keys forbids it: certified");

    read(post("/api/v1/policy", &json!({ "text": POLICY, "compared": 0 })));
    let known = get();
    assert_eq!((&known["version"], &known["text"]), (&json!(1), &json!(POLICY)));
    assert_eq!(known["rules"][1]["when"], "rehearsal.undo == 'proven'");
    assert_eq!(known["windows"][0]["opens"], "every day 22:00 to 04:00 (Europe/Berlin)");
    let id = openssl["id"].as_str().unwrap();
    let shown = read(server.get(&format!("/api/v1/directives/{id}")).call().unwrap());
    assert_eq!(shown["assets"][0]["policy"], "approval forbidden, rule keys of version 1");
    let again = read(post("/api/v1/policy/preview", &json!({ "text": POLICY })));
    assert_eq!((&again["same"], &again["changed"]), (&json!(true), &json!(0)));

    assert_eq!(
        code(post("/api/v1/policy", &json!({ "text": "version: 1\n", "compared": 0 }))).1,
        "evidence-changed"
    );
    assert_eq!(code(post("/api/v1/policy", &json!({ "text": POLICY, "compared": 1 }))).1, "nothing-to-do");
    let wrong = json!({ "text": "version: 1\nrules: [{name: a, when: asset.nme == '', approval: automatic}]", "compared": 1 });
    let mut refused = post("/api/v1/policy", &wrong);
    let problem: Value = refused.body_mut().read_json().unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("line 2, column 25: there is no field `asset.nme`: did you mean `asset.name`?"),
        "{detail}"
    );
    assert_eq!(code(post("/api/v1/policy/preview", &wrong)).1, "bad-content");
    // Whoever writes one is told where and what, and finds files to begin with, each of which can be set.
    let told = read(post("/api/v1/policy/check", &wrong));
    assert_eq!((&told["total"], &told["problems"][0]["place"]), (&json!(1), &json!("line 2, column 25")));
    let presets = read(server.get("/api/v1/policy/presets").call().unwrap());
    let presets = presets.as_array().unwrap();
    let names: Vec<&str> = presets.iter().map(|preset| preset["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cautious", "standard", "fast", "bod-26-04"]);
    for preset in presets {
        let told = read(post("/api/v1/policy/check", &json!({ "text": preset["text"] })));
        assert_eq!(told, json!({ "problems": [], "total": 0 }), "{}", preset["name"]);
    }
}

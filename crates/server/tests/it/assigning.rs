//! Who does a directive: who may say so, under which name the record knows people, and what of it is told where.

use serde_json::{Value, json};

use crate::access::{PASSWORD, cookie, member, sign_in};
use crate::gateway::reported_with;
use crate::running::{Server, client, code};

/// Somebody who has signed in.
struct Somebody<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Somebody<'s> {
    fn signed_in(server: &'s Server, name: &str) -> Self {
        let cookie = cookie(&sign_in(server, name, PASSWORD)).unwrap();
        Self { server, cookie }
    }

    fn assign(&self, id: &str, to: Option<&str>) -> (u16, String) {
        let asked = client()
            .post(self.server.url(&format!("/api/v1/directives/{id}/assign")))
            .header("cookie", &self.cookie)
            .header("x-tenon-request", "page");
        let answer = asked.send_json(json!({ "to": to })).unwrap();
        if answer.status() == 200 { (200, String::new()) } else { code(answer) }
    }

    fn ids(&self, query: &str) -> Vec<String> {
        let url = self.server.url(&format!("/api/v1/directives?{query}"));
        let mut answer = client().get(url).header("cookie", &self.cookie).call().unwrap();
        let page: Value = answer.body_mut().read_json().unwrap();
        ids(&page)
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn get(server: &Server, path: &str) -> Value {
    server.get(path).call().unwrap().body_mut().read_json().unwrap()
}

fn assign(server: &Server, id: &str, body: &Value) -> (u16, String) {
    let answer = server.post(&format!("/api/v1/directives/{id}/assign")).send_json(body).unwrap();
    if answer.status() == 200 { (200, String::new()) } else { code(answer) }
}

#[test]
fn people_take_what_they_do_and_who_may_approve_gives_it_to_others() {
    let server = Server::start();
    reported_with(&server, &["a", "b", "c"]);
    let alice = member(&server, "alice", &["analyst"]);
    member(&server, "otto", &["approver"]);
    member(&server, "vera", &["viewer"]);
    let [alice_in, otto, vera] = ["alice", "otto", "vera"].map(|name| Somebody::signed_in(&server, name));
    let ok = (200, String::new());
    let refused = |status: u16, code: &str| (status, code.to_owned());

    assert_eq!(vera.assign("dir_1", Some("me")), refused(403, "no-rights"));
    assert_eq!(alice_in.assign("dir_1", Some("otto")), refused(409, "role-needed"));
    assert_eq!(alice_in.assign("dir_1", Some("me")), ok);
    assert_eq!(alice_in.assign("dir_1", Some("alice")), refused(409, "nothing-to-do"));
    assert_eq!(otto.assign("dir_2", Some("alice")), ok);
    assert_eq!(otto.assign("dir_3", Some("the night shift")), ok);
    assert_eq!(otto.assign("dir_9", Some("me")), refused(404, "unknown-directive"));
    for (to, wanted) in
        [("nobody", "bad-request"), ("usr_0123456789abcdef", "bad-request"), ("", "bad-request")]
    {
        assert_eq!(otto.assign("dir_3", Some(to)), refused(400, wanted), "{to:?}");
    }
    assert_eq!(otto.assign("dir_3", Some(" vera")), refused(422, "bad-content"));
    // What is not said is not taken for nobody.
    assert_eq!(assign(&server, "dir_1", &json!({})).0, 400);
    assert_eq!(assign(&server, "dir_1", &json!({ "to": "me", "by": "otto" })).0, 400);

    // The record knows people by ids, whoever reads it by names.
    let world = server.running().writer.world();
    let known = |ordinal| {
        let state = world.directive(&tenon_model::DirectiveId::new(ordinal)).unwrap();
        state.assigned.clone().unwrap()
    };
    assert_eq!(known(1).to.to_string(), alice);
    assert_eq!((known(2).to.to_string(), known(3).to.to_string()), (alice.clone(), "the night shift".into()));
    let view = get(&server, "/api/v1/directives/dir_2");
    assert_eq!((&view["assignee"]["person"], &view["assignee"]["by"]), (&json!("alice"), &json!("otto")));
    assert_eq!(view["assignee"]["since"], known(2).since.to_string());

    // Asked for by name, by id, by oneself, and for nobody; counted by name.
    assert_eq!(otto.ids("assignee=alice"), ["dir_1", "dir_2"]);
    assert_eq!(otto.ids(&format!("assignee={alice}")), ["dir_1", "dir_2"]);
    assert_eq!(alice_in.ids("assignee=me"), ["dir_1", "dir_2"]);
    assert_eq!(otto.ids("assignee=me"), [""; 0]);
    assert_eq!(otto.ids("assignee=the%20night%20shift"), ["dir_3"]);
    assert_eq!(alice_in.assign("dir_1", None), ok);
    assert_eq!(alice_in.assign("dir_3", None), refused(409, "role-needed"));
    assert_eq!(otto.ids("assignee=nobody"), ["dir_1"]);
    let page = get(&server, "/api/v1/directives?group_by=assignee");
    let wanted = json!({ "alice": 1, "nobody": 1, "the night shift": 1 });
    assert_eq!(page["totals"]["assignees"], wanted);
    // Of equal losses the order is that of ids, which are drawn.
    let mut parts: Vec<&str> =
        page["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["alice", "nobody", "the night shift"]);

    // The log says it in words, with names.
    let log = get(&server, "/api/v1/log?kind=directive-assigned");
    let said: Vec<(&str, &str)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["by"].as_str().unwrap(), entry["said"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("alice", "dir_1 (upgrade a to 2.0) given back: nobody does it"),
            ("otto", "dir_3 (upgrade c to 2.0) given to the night shift"),
            ("otto", "dir_2 (upgrade b to 2.0) given to alice"),
            ("alice", "dir_1 (upgrade a to 2.0) taken by alice"),
        ]
    );

    // As of then it was with whoever it was with then, and a closed one keeps who did it.
    let then = log["items"][3]["seq"].as_u64().unwrap();
    let view = get(&server, &format!("/api/v1/directives/dir_1?as_of={then}"));
    assert_eq!(view["assignee"]["person"], "alice");
    assert_eq!(ids(&get(&server, &format!("/api/v1/directives?assignee=alice&as_of={then}"))), ["dir_1"]);
    let refusal = server.post("/api/v1/directives/dir_2/refuse").send_json(json!({ "why": "not here" }));
    assert_eq!(refusal.unwrap().status(), 200);
    assert_eq!(ids(&get(&server, "/api/v1/directives?state=closed&assignee=alice")), ["dir_2"]);
    assert_eq!(ids(&get(&server, "/api/v1/directives?state=closed&assignee=nobody")), [""; 0]);
    // Who is erased keeps the id.
    assert!(server.get("/api/v1/users").call().unwrap().status() == 200);
    let erased = client()
        .delete(server.url(&format!("/api/v1/users/{alice}")))
        .header("authorization", format!("Bearer {}", server.token()));
    assert!(erased.call().unwrap().status().is_success());
    assert_eq!(get(&server, "/api/v1/directives/dir_2")["assignee"]["person"], alice);
}

#[test]
fn what_waits_for_a_person_names_whoever_does_the_directive() {
    let server = Server::start();
    let (asset, _) = reported_with(&server, &["a"]);
    member(&server, "otto", &["approver"]);
    let owner = || {
        let view = get(&server, "/api/v1/directives/dir_1");
        let here = get(&server, &format!("/api/v1/assets/{asset}/directives"));
        let owner = view["assets"][0]["stage"]["owner"]["person"].clone();
        assert_eq!(here["directives"][0]["owner"]["person"], owner, "one source tells both");
        owner
    };
    assert_eq!(owner(), Value::Null, "nobody does it");
    assert_eq!(assign(&server, "dir_1", &json!({ "to": "otto" })).0, 200);
    assert_eq!(owner(), "otto", "a person must promote the group first");
    assert_eq!(server.post("/api/v1/groups/default/promote").send_json(json!({})).unwrap().status(), 200);
    assert_eq!(owner(), Value::Null, "the host rehearses: no person is waited for");
}

#[test]
fn where_reading_is_open_nobody_has_anything() {
    let server = Server::with(|settings| settings.open_reading = true);
    reported_with(&server, &["a"]);
    let asked =
        |query: &str| client().get(server.url(&format!("/api/v1/directives?{query}"))).call().unwrap();
    assert_eq!(code(asked("assignee=me")), (400, "bad-request".to_owned()));
    assert_eq!(asked("assignee=nobody").status(), 200);
}

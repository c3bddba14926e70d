//! Signing in, sessions, tokens, people.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Response;

use crate::running::{Server, client, code};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Somebody new, who has set a password; gives the opaque id.
pub(crate) fn member(server: &Server, name: &str, roles: &[&str]) -> String {
    let made =
        json_of(server.post("/api/v1/users").send_json(json!({ "name": name, "roles": roles })).unwrap());
    let set = welcome(server, name, made["code"].as_str().unwrap(), PASSWORD);
    assert_eq!(set.status(), 303, "{made}");
    made["user"]["id"].as_str().unwrap().to_owned()
}

fn welcome(server: &Server, name: &str, code: &str, password: &str) -> Response<ureq::Body> {
    let form = [("name", name), ("code", code), ("password", password), ("again", password)];
    client().post(server.url("/welcome")).config().max_redirects(0).build().send_form(form).unwrap()
}

pub(crate) fn cookie(answer: &Response<ureq::Body>) -> Option<String> {
    let set = answer.headers().get("set-cookie")?.to_str().unwrap();
    assert!(
        set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"),
        "{set}"
    );
    Some(set.split(';').next().unwrap().to_owned())
}

pub(crate) fn sign_in(server: &Server, name: &str, password: &str) -> Response<ureq::Body> {
    let body = json!({ "name": name, "password": password });
    client().post(server.url("/api/v1/session")).send_json(&body).unwrap()
}

fn session(server: &Server, cookie: &str) -> Response<ureq::Body> {
    client().get(server.url("/api/v1/session")).header("cookie", cookie).call().unwrap()
}

fn json_of(mut response: Response<ureq::Body>) -> Value {
    response.body_mut().read_json().unwrap()
}

#[test]
fn the_link_of_the_owner_becomes_a_session_and_signing_out_ends_it() {
    let server = Server::start();
    let answer = server.post("/api/v1/session").send_json(json!({})).unwrap();
    assert_eq!(answer.status(), 204);
    let cookie = cookie(&answer).unwrap();
    assert!(!cookie.contains(&server.token()), "the cookie is a secret of its own");
    let me = json_of(session(&server, &cookie));
    assert_eq!((me["name"].as_str(), me["via"].as_str()), (Some("tester"), Some("session")), "{me}");
    assert_eq!(me["roles"], json!(["admin"]));
    let out = client().delete(server.url("/api/v1/session")).header("cookie", &cookie);
    assert_eq!(out.header("x-tenon-request", "test").call().unwrap().status(), 204);
    assert_eq!(code(session(&server, &cookie)), (401, "not-signed-in".to_owned()));
}

#[test]
fn an_invited_person_sets_a_password_once_and_acts_under_an_opaque_id() {
    let server = Server::start();
    let made = server.post("/api/v1/users").send_json(json!({ "name": "ada", "roles": ["operator"] }));
    let made = json_of(made.unwrap());
    let secret = made["code"].as_str().unwrap();
    // Nobody signs in before a password is set; not with somebody else's invitation, nor with a short password.
    assert_eq!(code(sign_in(&server, "ada", "")), (401, "not-signed-in".to_owned()));
    assert_eq!(welcome(&server, "bob", secret, PASSWORD).status(), 400);
    assert_eq!(welcome(&server, "ada", secret, "short").status(), 400);
    assert!(cookie(&welcome(&server, "ada", secret, PASSWORD)).is_some());
    assert_eq!(welcome(&server, "ada", secret, PASSWORD).status(), 400, "one use");
    assert_eq!(
        code(sign_in(&server, "ada", "wrong horse battery staple")),
        (401, "not-signed-in".to_owned())
    );
    let cookie = cookie(&sign_in(&server, "Ada", PASSWORD)).unwrap();
    // An operator makes enrolment tokens; the record then names the opaque id and never the name.
    let made = client().post(server.url("/api/v1/enrolment-tokens")).header("cookie", &cookie);
    let made = made.header("sec-fetch-site", "same-origin").send_json(json!({ "group": "default" })).unwrap();
    assert_eq!(made.status(), 200);
    let me = json_of(session(&server, &cookie));
    let record = server.get("/api/v1/journal").call().unwrap().body_mut().read_to_string().unwrap();
    assert!(record.contains(me["id"].as_str().unwrap()), "{record}");
    assert!(!record.contains("\"ada\""), "{record}");
    // Secrets are not in the file, in the form in which they were given.
    let file = std::fs::read(server.running().folder.path("people.sqlite")).unwrap();
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!holds(PASSWORD) && !holds(secret) && !holds(cookie.split('=').nth(1).unwrap()));
}

#[test]
fn an_erased_person_is_gone_from_the_file_with_sessions_and_tokens() {
    let server = Server::start();
    let id = member(&server, "charles.babbage", &["viewer"]);
    let cookie = cookie(&sign_in(&server, "charles.babbage", PASSWORD)).unwrap();
    let body = json!({ "label": "dashboard", "roles": ["viewer"], "expires_seconds": 60 });
    let token = client().post(server.url("/api/v1/tokens")).header("cookie", &cookie);
    let token = json_of(token.header("x-tenon-request", "test").send_json(&body).unwrap());
    let bearer = format!("Bearer {}", token["secret"].as_str().unwrap());
    let read =
        || client().get(server.url("/api/v1/overview")).header("authorization", &bearer).call().unwrap();
    assert_eq!(read().status(), 200);
    let remove = |id: &str| {
        let request = client().delete(server.url(&format!("/api/v1/users/{id}")));
        request.header("authorization", format!("Bearer {}", server.token())).call().unwrap()
    };
    assert_eq!(remove(&id).status(), 204);
    assert_eq!(code(remove(&id)), (404, "not-found".to_owned()));
    assert_eq!(code(read()), (401, "not-signed-in".to_owned()));
    assert_eq!(code(session(&server, &cookie)), (401, "not-signed-in".to_owned()));
    let file = std::fs::read(server.running().folder.path("people.sqlite")).unwrap();
    assert!(!file.windows(7).any(|part| part == b"babbage"), "erased means overwritten");
    // The owner of the data folder cannot be locked out.
    let owner = server.running().owner().to_string();
    assert_eq!(code(remove(&owner)), (400, "bad-request".to_owned()));
}

#[test]
fn a_token_does_no_more_than_its_scope_and_its_person() {
    let server = Server::start();
    let ada = member(&server, "ada", &["analyst", "operator"]);
    let cookie = cookie(&sign_in(&server, "ada", PASSWORD)).unwrap();
    let make = |roles: &[&str], seconds: u64| {
        let body = json!({ "label": "x", "roles": roles, "expires_seconds": seconds });
        let request = client().post(server.url("/api/v1/tokens")).header("cookie", &cookie);
        request.header("x-tenon-request", "test").send_json(&body).unwrap()
    };
    assert_eq!(code(make(&["approver"], 60)), (403, "no-rights".to_owned()), "more than its person may");
    assert_eq!(code(make(&["viewer"], 0)), (400, "bad-request".to_owned()));
    assert_eq!(code(make(&["king"], 60)), (400, "bad-request".to_owned()));
    let made = json_of(make(&["operator"], 60));
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let as_token = |path: &str| client().post(server.url(path)).header("authorization", &bearer);
    // Its person may assess, the token may not; it makes no other token and begins no session.
    let rules = json!({ "table": "bod-26-04", "clocks": [] });
    assert_eq!(code(as_token("/api/v1/rules").send_json(&rules).unwrap()), (403, "no-rights".to_owned()));
    let more = json!({ "label": "x", "roles": ["viewer"], "expires_seconds": 60 });
    assert_eq!(code(as_token("/api/v1/tokens").send_json(&more).unwrap()), (403, "no-rights".to_owned()));
    assert_eq!(
        code(as_token("/api/v1/session").send_json(json!({})).unwrap()),
        (401, "not-signed-in".to_owned())
    );
    // Fewer roles of the person are fewer of the token, at once.
    let demote = || code(as_token("/api/v1/groups/default/demote").send_empty().unwrap());
    assert_eq!(demote(), (409, "nothing-to-do".to_owned()));
    let roles = server.post(&format!("/api/v1/users/{ada}/roles")).send_json(json!({ "roles": ["analyst"] }));
    assert_eq!(roles.unwrap().status(), 200);
    assert_eq!(demote(), (403, "no-rights".to_owned()));
    let id = made["token"]["id"].as_str().unwrap();
    let revoke = client().delete(server.url(&format!("/api/v1/tokens/{id}"))).header("cookie", &cookie);
    assert_eq!(revoke.header("x-tenon-request", "test").call().unwrap().status(), 204);
    assert_eq!(demote(), (401, "not-signed-in".to_owned()));
}

#[test]
fn a_page_elsewhere_cannot_use_the_cookie_or_sign_anybody_in() {
    let server = Server::start();
    let begun = server.post("/api/v1/session").send_json(json!({})).unwrap();
    let cookie = cookie(&begun).unwrap();
    let own = format!("http://{}", server.running().listen);
    let demote = |headers: &[(&str, &str)]| {
        let mut request =
            client().post(server.url("/api/v1/groups/default/demote")).header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        code(request.send_empty().unwrap())
    };
    let foreign = (403, "foreign-origin".to_owned());
    assert_eq!(demote(&[]), foreign);
    assert_eq!(demote(&[("sec-fetch-site", "cross-site")]), foreign);
    assert_eq!(demote(&[("sec-fetch-site", "same-site")]), foreign);
    assert_eq!(demote(&[("origin", "https://evil.example")]), foreign);
    assert_eq!(demote(&[("origin", "null")]), foreign);
    for ours in [("x-tenon-request", "page"), ("sec-fetch-site", "same-origin"), ("origin", own.as_str())] {
        assert_eq!(demote(&[ours]), (409, "nothing-to-do".to_owned()), "{ours:?}");
    }
    for path in ["/sign-in", "/sign-out", "/welcome", "/api/v1/session"] {
        let sent =
            client().post(server.url(path)).header("origin", "https://evil.example").send("{}").unwrap();
        assert_eq!(code(sent), foreign, "{path}");
    }
}

#[test]
fn guessing_is_bounded_by_account_and_by_address() {
    let server = Server::start();
    member(&server, "ada", &["viewer"]);
    let mut answers = Vec::new();
    for _ in 0..11 {
        let answer = sign_in(&server, "ada", "wrong horse battery staple");
        let wait =
            answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
        answers.push((answer.status().as_u16(), wait.is_some_and(|wait| wait > 0)));
    }
    assert!(answers[..10].iter().all(|answer| *answer == (401, false)), "{answers:?}");
    assert_eq!(answers[10], (429, true));
    // Not even with the right password now, in whatever case the name is written; another account is not concerned.
    assert_eq!(code(sign_in(&server, "ADA", PASSWORD)), (429, "too-many-requests".to_owned()));
    assert_eq!(code(sign_in(&server, "bob", PASSWORD)), (401, "not-signed-in".to_owned()));
    let bounded = (0..40).any(|n| sign_in(&server, &format!("u{n}"), "").status() == 429);
    assert!(bounded, "an address is bounded across accounts");
}

#[test]
fn a_credential_that_is_wrong_is_no_way_to_ask_as_nobody() {
    let open = Server::with(|settings| settings.open_reading = true);
    let read = |header: Option<(&str, &str)>| {
        let mut request = client().get(open.url("/api/v1/overview"));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.call().unwrap().status().as_u16()
    };
    assert_eq!(read(None), 200);
    assert_eq!(read(Some(("authorization", "Bearer 0000"))), 401);
    assert_eq!(read(Some(("authorization", "Basic dGVub246dGVub24="))), 401);
    assert_eq!(read(Some(("cookie", "tenon_session=0000"))), 401);
    let ended =
        client().get(open.url("/api/v1/overview")).header("cookie", "tenon_session=0000").call().unwrap();
    assert!(
        ended.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"),
        "the next question is nobody's"
    );
    // Open reading is reading: nothing else, and not the whole record.
    assert_eq!(code(client().post(open.url("/api/v1/rules")).send("{}").unwrap()).0, 401);
    assert_eq!(code(client().get(open.url("/api/v1/journal")).call().unwrap()).0, 401);
    let me = json_of(client().get(open.url("/api/v1/session")).call().unwrap());
    assert_eq!((me["via"].as_str(), &me["rights"]), (Some("nothing"), &json!(["read"])));
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for() {
    let server = Server::with(|settings| settings.patience = Duration::from_millis(300));
    let mut stream = TcpStream::connect(server.running().listen).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(
        stream,
        "POST /api/v1/session HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        server.running().listen
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too-slow"), "{answer}");
}

#[test]
fn a_head_that_does_not_arrive_is_not_waited_for() {
    let server = Server::with(|settings| settings.patience = Duration::from_millis(300));
    let mut stream = TcpStream::connect(server.running().listen).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: tenon\r\nX-Slow:").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn whoever_asks_without_end_is_told_to_wait() {
    let server = Server::with(|settings| settings.requests_per_second = 1.try_into().unwrap());
    let agent = client();
    let bearer = format!("Bearer {}", server.token());
    let mut waits = (0..100).filter_map(|_| {
        let answer =
            agent.get(server.url("/api/v1/session")).header("authorization", &bearer).call().unwrap();
        let wait = answer.headers().get("retry-after")?.to_str().unwrap().parse::<u64>().unwrap();
        Some((answer.status().as_u16(), wait))
    });
    let (status, wait) = waits.next().unwrap();
    assert_eq!(status, 429);
    assert!((1..=2).contains(&wait), "{wait}");
    // Others are not concerned, until they ask without end themselves: with whatever they make up.
    assert_eq!(client().get(server.url("/api/v1/session")).call().unwrap().status(), 401);
    let guess =
        |n: u32| agent.get(server.url("/api/v1/session")).header("authorization", format!("Bearer {n}"));
    assert!((0..100).any(|n| guess(n).call().unwrap().status() == 429));
}

#[test]
fn a_password_is_changed_with_the_old_one_and_ends_every_session() {
    let server = Server::start();
    member(&server, "ada", &["viewer"]);
    let cookie = cookie(&sign_in(&server, "ada", PASSWORD)).unwrap();
    let change = |old: &str, new: &str| {
        let request = client().post(server.url("/api/v1/session/password")).header("cookie", &cookie);
        request.header("x-tenon-request", "test").send_json(json!({ "old": old, "new": new })).unwrap()
    };
    assert_eq!(code(change("wrong horse", "another horse entirely")), (401, "not-signed-in".to_owned()));
    assert_eq!(code(change(PASSWORD, "short")), (400, "bad-request".to_owned()));
    assert_eq!(change(PASSWORD, "another horse entirely").status(), 204);
    assert_eq!(code(session(&server, &cookie)), (401, "not-signed-in".to_owned()));
    assert_eq!(sign_in(&server, "ada", PASSWORD).status(), 401);
    assert_eq!(sign_in(&server, "ada", "another horse entirely").status(), 204);
}

#[test]
fn the_pages_work_without_scripts() {
    let server = Server::start();
    member(&server, "ada", &["viewer"]);
    let mut page = client().get(server.url("/sign-in")).call().unwrap();
    let text = page.body_mut().read_to_string().unwrap();
    assert!(
        text.contains("<form method=\"post\" action=\"/sign-in\">") && !text.contains("<script"),
        "{text}"
    );
    let send = |name: &str, password: &str| {
        let request = client().post(server.url("/sign-in")).config().max_redirects(0).build();
        request.send_form([("name", name), ("password", password)]).unwrap()
    };
    let mut wrong = send("\"><script>", PASSWORD);
    assert_eq!(wrong.status(), 401);
    let text = wrong.body_mut().read_to_string().unwrap();
    assert!(text.contains("Name or password is wrong") && !text.contains("<script"), "{text}");
    let right = send("ada", PASSWORD);
    assert_eq!((right.status().as_u16(), &right.headers()["location"]), (303, &"/".parse().unwrap()));
    let cookie = cookie(&right).unwrap();
    assert_eq!(session(&server, &cookie).status(), 200);
    let out = client().post(server.url("/sign-out")).config().max_redirects(0).build();
    assert_eq!(out.header("cookie", &cookie).send_empty().unwrap().status(), 303);
    assert_eq!(session(&server, &cookie).status(), 401);
}

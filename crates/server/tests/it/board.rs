//! The sheet for the board, and the other pages that are read without scripts.

use serde_json::{Value, json};
use ureq::http::Response;

use crate::gateway::reported_with;
use crate::running::{Server, client};

fn text(mut answer: Response<ureq::Body>) -> String {
    answer.body_mut().read_to_string().unwrap()
}

fn sheet(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/board{query}")).header("accept", "text/html").call().unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    text(answer)
}

fn json_of(server: &Server, path: &str) -> Value {
    server.get(path).call().unwrap().body_mut().read_json().unwrap()
}

#[test]
fn the_sheet_says_what_the_api_says_with_every_name_escaped() {
    let server = Server::start();
    assert!(sheet(&server, "").contains("No asset is enrolled: nothing is known."));
    reported_with(&server, &["<script>alert(1)</script>", "openssl", "redis"]);
    let answer = server.get("/board").header("accept", "text/html").call().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let overview = json_of(&server, "/api/v1/overview");
    assert_eq!(answer.headers()["tenon-sequence"].to_str().unwrap(), overview["seq"].to_string());
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = text(answer);
    // What a host names is text and no markup, and nothing on the page would need another policy.
    assert!(page.contains("upgrade &lt;script&gt;alert(1)&lt;/script&gt; to 2.0"), "{page}");
    for never in ["<script", "style=\"", "<style", "onclick", "javascript:"] {
        assert!(!page.contains(never), "{never}: {page}");
    }
    let directives = json_of(&server, "/api/v1/directives?sort=removes&limit=5");
    for line in directives["items"].as_array().unwrap() {
        let removes = format!("<td class=\"number\">{}</td>", line["removes"].as_str().unwrap());
        assert!(page.contains(&removes), "{removes}: {page}");
    }
    let gaps = json_of(&server, "/api/v1/gaps");
    assert_eq!(gaps["not_whole"], 1, "{gaps}");
    let gap = gaps["items"][0]["said"].as_str().unwrap();
    for said in [
        "3 directives to do. ",
        "<b>1</b> of 1 asset is not wholly known",
        gap,
        "Too early to say",
        "1 asset, entry ",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // The style is there for whoever may read the page, and for whoever must sign in first.
    let style = client().get(server.url("/board.css")).call().unwrap();
    assert_eq!(
        (style.status().as_u16(), style.headers()["content-type"].to_str().unwrap()),
        (200, "text/css; charset=utf-8")
    );
}

#[test]
fn the_sheet_of_then_says_what_was_known_then() {
    let server = Server::start();
    reported_with(&server, &["openssl"]);
    let then = json_of(&server, "/api/v1/overview")["seq"].as_u64().unwrap();
    reported_with(&server, &["redis", "curl"]);
    assert!(sheet(&server, "").contains("3 directives to do. "));
    let page = sheet(&server, &format!("?as_of={then}"));
    for said in ["1 directive to do. ", "1 asset, entry ", ", as it stood then", &format!("/?as_of={then}")] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("redis"), "{page}");
    // What cannot be shown is said on a page as well.
    for (bad, status) in [("?as_of=yesterday", 400), ("?as_of=2999-01-01", 422), ("?days=7", 400)] {
        let answer = server.get(&format!("/board{bad}")).header("accept", "text/html").call().unwrap();
        assert_eq!(answer.status(), status, "{bad}");
        assert!(text(answer).contains("<a href=\"/\">To the queue</a>"), "{bad}");
    }
}

#[test]
fn whoever_may_not_read_it_is_told_how_without_scripts() {
    let server = Server::start();
    let asked = |path: &str| client().get(server.url(path)).header("accept", "text/html").call().unwrap();
    let answer = asked("/board?as_of=%22%3E%3Cscript%3E");
    assert_eq!(answer.status(), 401);
    let page = text(answer);
    assert!(page.contains("<a href=\"/sign-in\">Sign in</a>"), "{page}");
    // A link from elsewhere brings no cookie along: asking again from here does.
    assert!(page.contains("<a href=\"/board?as_of=%22%3E%3Cscript%3E\">Open it again</a>"), "{page}");
    // A role that may not read is told which may.
    let body = json!({ "label": "sensor", "roles": ["sensor"], "expires_seconds": 600 });
    let made =
        server.post("/api/v1/tokens").send_json(&body).unwrap().body_mut().read_json::<Value>().unwrap();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let answer = client().get(server.url("/board")).header("accept", "text/html");
    let answer = answer.header("authorization", bearer).call().unwrap();
    assert_eq!(answer.status(), 403);
    assert!(text(answer).contains("may not read: that takes the role"));
    // Nothing to sign in for, and nothing that leads off this site.
    let page = text(asked("//elsewhere.example/board"));
    assert!(page.contains("To the queue") && !page.contains("elsewhere.example"), "{page}");
    // With scripts off, the page itself says where to go.
    let page = text(asked("/"));
    if page.contains("id=\"root\"") {
        for way in ["<noscript>", "href=\"/board\"", "href=\"/sign-in\"", "tenon queue"] {
            assert!(page.contains(way), "{way}: {page}");
        }
    }
}

//! The context document over the API: compared first, then taken over, never over what nobody looked at.

use serde_json::{Value, json};

use crate::running::{Server, code};

fn read(mut response: ureq::http::Response<ureq::Body>) -> Value {
    assert_eq!(response.status(), 200);
    response.body_mut().read_json().unwrap()
}

#[test]
fn a_context_document_is_compared_and_taken_over_once() {
    let server = Server::start();
    let get = || read(server.get("/api/v1/context").call().unwrap());
    assert_eq!((&get()["version"], &get()["document"]), (&json!(0), &json!({})));
    let document = json!({ "services": { "shop": { "criticality": "high" } } });
    let post = |path: &str, body: &Value| server.post(path).send_json(body).unwrap();
    let seen = read(post("/api/v1/context/preview", &document));
    assert_eq!((&seen["version"], &seen["lines"]), (&json!(0), &json!(["+ service shop: criticality high"])));

    let body = json!({ "document": document, "compared": 0 });
    read(post("/api/v1/context", &body));
    assert_eq!((&get()["version"], &get()["document"]), (&json!(1), &document));
    assert_eq!(code(post("/api/v1/context", &body)), (409, "evidence-changed".to_owned()));
    let same = json!({ "document": document, "compared": 1 });
    assert_eq!(code(post("/api/v1/context", &same)), (409, "nothing-to-do".to_owned()));
    let dangling = json!({ "assets": { "web1": { "zone": "nowhere" } } });
    assert_eq!(code(post("/api/v1/context/preview", &dangling)).1, "bad-content");
    let unknown = json!({ "zonse": {} });
    assert_eq!(code(post("/api/v1/context/preview", &unknown)).1, "bad-request");
}

//! Evidence through both doors: what a host hands over is held against what it says, and read by those alone who may.

use serde_json::{Value, json};
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, AssetId, Command, Digest, EVIDENCE_VERSION,
    EvidenceDocument, EvidenceGap, EvidenceOutcome, EvidencePart, IntelDelta, Kev, Order, OrderAction,
    Timestamp,
};
use tenon_wire::{EvidenceAnswer, SignedOrder, path};
use ureq::Agent;

use crate::gateway::reported_with;
use crate::running::{Server, client, code};

/// A host that acts and is offered a fix of what is exploited.
pub(crate) fn exploited(server: &Server) -> (AssetId, Agent) {
    let (asset, known) = reported_with(server, &["toyd"]);
    let submit = |command| {
        server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
    };
    let range = AffectedRange { introduced: None, fixed: Some("2.0".to_owned()), last_affected: None };
    let advisory = Advisory {
        id: "DSA-7-1".parse().unwrap(),
        summary: "toyd - security update".to_owned(),
        published: Timestamp::parse("2026-06-14"),
        addresses: vec!["CVE-2026-7".parse().unwrap()],
        affected: vec![Affected {
            module: None,
            ecosystem: "Debian:12".to_owned(),
            package: "toyd".to_owned(),
            ranges: vec![range],
            versions: Vec::new(),
        }],
    };
    let delta = AdvisoryDelta { published: vec![advisory], withdrawn: Vec::new() };
    submit(Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None });
    let kev = Kev { added: Timestamp::parse("2026-06-14").unwrap(), due: None, ransomware: true };
    let listed = vec![("CVE-2026-7".parse().unwrap(), kev)];
    submit(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    let promoted = server.post("/api/v1/groups/default/promote").send_empty().unwrap();
    assert_eq!(promoted.status().as_u16(), 200);
    (asset, known)
}

/// The order that waits for a host.
pub(crate) fn order(server: &Server, known: &Agent) -> Order {
    let mut answer = known.get(server.gateway(path::ORDER)).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let signed: SignedOrder = answer.body_mut().read_json().unwrap();
    serde_json::from_str(&signed.order).unwrap()
}

fn document(order: &Order) -> EvidenceDocument {
    EvidenceDocument {
        tenon_evidence: EVIDENCE_VERSION,
        order: order.id,
        asset: order.asset,
        directive: order.directive,
        hostname: "h1".to_owned(),
        begun: order.issued,
        duration_ms: 3,
        boot: String::new(),
        processes: Vec::new(),
        sockets: Vec::new(),
        maps: Vec::new(),
        sessions: Vec::new(),
        logs: Vec::new(),
        packages: Vec::new(),
        gaps: vec![EvidenceGap { part: EvidencePart::Logs, what: "none is kept".to_owned() }],
    }
}

/// A token with these roles.
fn token(server: &Server, roles: &[&str]) -> String {
    let body = json!({ "label": "evidence", "roles": roles, "expires_seconds": 600 });
    let made = server.post("/api/v1/tokens").send_json(&body).unwrap().body_mut().read_json::<Value>();
    made.unwrap()["secret"].as_str().unwrap().to_owned()
}

#[test]
fn evidence_is_sealed_as_its_digest_says_and_read_by_those_alone_who_may() {
    let server = Server::start();
    let (asset, known) = exploited(&server);
    let order = order(&server, &known);
    assert!(matches!(order.action, OrderAction::PreserveEvidence { .. }), "{order:?}");
    let id = order.directive;
    let send = |digest: Digest, document: &str| {
        let outcome = EvidenceOutcome::Preserved { digest, document: document.to_owned() };
        let answer = EvidenceAnswer { order: order.id, outcome };
        known.post(server.gateway(path::EVIDENCE)).send_json(&answer).unwrap()
    };
    let text = document(&order).encode().unwrap();
    let digest = Digest::of(text.as_bytes());

    // A byte that is another, a document of another order, and what is too long: nothing is sealed.
    let (status, refused) = code(send(digest, &text.replace("\"h1\"", "\"h2\"")));
    assert_eq!((status, refused.as_str()), (422, "bad-content"));
    let other = EvidenceDocument { asset: AssetId::of_public_key(b"another"), ..document(&order) };
    let other = other.encode().unwrap();
    assert_eq!(code(send(Digest::of(other.as_bytes()), &other)).1, "bad-content");
    let long = "x".repeat(9 << 20);
    assert_eq!(send(Digest::of(long.as_bytes()), &long).status().as_u16(), 413);
    let view = |path: &str| -> Value { server.get(path).call().unwrap().body_mut().read_json().unwrap() };
    let directive = format!("/api/v1/directives/{id}");
    assert_eq!(view(&directive)["assets"][0]["evidence"]["state"], "ordered");
    let said = view(&directive)["assets"][0]["stage"]["reason"].as_str().unwrap().to_owned();
    assert!(
        said.starts_with("evidence is not sealed yet, which ")
            && said.contains(" of group default asks for since ")
    );

    assert_eq!(send(digest, &text).status().as_u16(), 200);
    let shown = view(&directive);
    let evidence = &shown["assets"][0]["evidence"];
    assert_eq!((&evidence["state"], &evidence["document"]), (&"sealed".into(), &digest.to_string().into()));
    assert_eq!((&evidence["bytes"], &evidence["gaps"]), (&text.len().into(), &json!(["logs"])));
    assert_eq!(shown["evidence"], json!({ "sealed": 1, "waived": 0, "lacking": 0 }));
    assert_eq!(shown["assets"][0]["stage"]["name"], "rehearsing");

    // It is in no report, and read with a right of its own.
    assert_eq!(
        code(server.get(&format!("/api/v1/reports/{digest}")).call().unwrap()),
        (404, "not-found".to_owned())
    );
    let path = format!("{directive}/evidence/{asset}");
    let get = |role: &str| {
        let bearer = format!("Bearer {}", token(&server, &[role]));
        client().get(server.url(&path)).header("authorization", bearer).call().unwrap()
    };
    for role in ["viewer", "operator", "approver", "auditor", "sensor"] {
        assert_eq!(code(get(role)), (403, "no-rights".to_owned()), "{role}");
    }
    let mut read = get("analyst");
    assert_eq!(read.headers()["tenon-digest"].to_str().unwrap(), digest.to_string());
    assert_eq!(read.body_mut().read_to_string().unwrap(), text);
    // The record holds its digest and none of its words.
    let journal = server.get("/api/v1/journal").call().unwrap().body_mut().read_to_string().unwrap();
    assert!(journal.contains(&digest.to_string()) && !journal.contains("none is kept"));

    // There is nothing left to waive, for those who may.
    let waive = |role: &str| {
        let bearer = format!("Bearer {}", token(&server, &[role]));
        let request = client().post(server.url(&format!("{directive}/evidence-waiver")));
        request.header("authorization", bearer).send_json(json!({ "why": "imaged" })).unwrap()
    };
    assert_eq!(code(waive("analyst")), (403, "no-rights".to_owned()));
    assert_eq!(code(waive("approver")), (409, "nothing-to-do".to_owned()));
}

#[test]
fn a_person_waives_it_by_name_and_the_record_says_so() {
    let server = Server::start();
    let (asset, known) = exploited(&server);
    let order = order(&server, &known);
    let reason = "/proc cannot be read\u{1b}[2J".to_owned();
    let answer = EvidenceAnswer { order: order.id, outcome: EvidenceOutcome::NotPreserved { reason } };
    let sent = known.post(server.gateway(path::EVIDENCE)).send_json(&answer).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    let view = |path: &str| -> Value { server.get(path).call().unwrap().body_mut().read_json().unwrap() };
    let directive = format!("/api/v1/directives/{}", order.directive);
    let shown = view(&directive);
    let evidence = &shown["assets"][0]["evidence"];
    assert_eq!((&evidence["state"], &evidence["why"]), (&"missed".into(), &"/proc cannot be read[2J".into()));
    assert_eq!(shown["evidence"], json!({ "sealed": 0, "waived": 0, "lacking": 1 }));
    let path = format!("{directive}/evidence/{asset}");
    assert_eq!(code(server.get(&path).call().unwrap()), (404, "not-found".to_owned()));

    let waive = |body: Value| server.post(&format!("{directive}/evidence-waiver")).send_json(body).unwrap();
    assert_eq!(code(waive(json!({ "why": " " }))), (422, "bad-content".to_owned()));
    assert_eq!(code(waive(json!({ "why": "imaged", "assets": ["ast_nonsense"] }))).0, 400);
    assert_eq!(waive(json!({ "why": "imaged, case 4711", "assets": [asset] })).status().as_u16(), 200);
    let evidence = &view(&directive)["assets"][0]["evidence"];
    let known: Vec<&str> = ["state", "by", "why"].iter().map(|key| evidence[key].as_str().unwrap()).collect();
    assert_eq!(known, ["waived", "tester", "imaged, case 4711"]);
    let log = view("/api/v1/log?kind=evidence&limit=10");
    let said: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|entry| entry["said"].as_str().unwrap()).collect();
    assert!(
        said.iter()
            .any(|said| said.starts_with("evidence waived of 1 asset for ")
                && said.ends_with("imaged, case 4711")),
        "{said:?}"
    );
    assert!(said.iter().any(|said| said.starts_with("evidence missed of ")), "{said:?}");
}

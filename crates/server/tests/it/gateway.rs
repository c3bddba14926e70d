//! The agents' door.

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tenon_model::{AssetId, Component, GroupName, MachineId, Offer, OfferState, SourcePackage};
use tenon_wire::{EnrolToken, RUN_HEADER, path};
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::running::{Server, client, code};

/// A host that has a key.
struct Host {
    key: KeyPair,
}

impl Host {
    fn new() -> Self {
        Self { key: KeyPair::generate().unwrap() }
    }

    fn request(&self) -> String {
        CertificateParams::new(Vec::new()).unwrap().serialize_request(&self.key).unwrap().pem().unwrap()
    }
}

/// A client that knows the server's authority, and shows a certificate if it has one.
fn agent(authority: &str, identity: Option<(&str, &KeyPair)>) -> Agent {
    let root = Certificate::from_pem(authority.as_bytes()).unwrap();
    let mut tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root]));
    if let Some((certificate, key)) = identity {
        let chain = [Certificate::from_pem(certificate.as_bytes()).unwrap()];
        let key = PrivateKey::from_pem(key.serialize_pem().as_bytes()).unwrap();
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Agent::config_builder().http_status_as_error(false).tls_config(tls.build()).build().new_agent()
}

fn authority(server: &Server) -> String {
    std::fs::read_to_string(server.running().folder.path("authority.pem")).unwrap()
}

fn token(server: &Server) -> EnrolToken {
    let group: GroupName = "default".parse().unwrap();
    server.runtime().block_on(server.running().enrol_token(group)).unwrap()
}

/// A host that is enrolled: its asset and its connection.
pub(crate) fn enrolled(server: &Server) -> (AssetId, Agent) {
    let host = Host::new();
    let token = token(server);
    let (status, answer) = enrol(server, &host, &token, token.secret.expose());
    assert_eq!(status, 200, "{answer}");
    let known = agent(&authority(server), Some((answer["certificate"].as_str().unwrap(), &host.key)));
    (answer["asset"].as_str().unwrap().parse().unwrap(), known)
}

/// A host that is enrolled and has reported once.
pub(crate) fn reported(server: &Server) {
    reported_with(server, &[]);
}

/// The same, and its repositories offer a security update of each of these packages.
pub(crate) fn reported_with(server: &Server, packages: &[&str]) -> (AssetId, Agent) {
    let (asset, known) = enrolled(server);
    report_with(server, &known, 1, packages);
    (asset, known)
}

/// The report of this sequence of such a host.
pub(crate) fn report_with(server: &Server, known: &Agent, sequence: u64, packages: &[&str]) {
    let mut report = inventory(sequence);
    let source =
        |name: &str, version: &str| SourcePackage { name: name.to_owned(), version: version.to_owned() };
    let components =
        packages.iter().map(|name| Component::os_package(*name, "amd64", "1.0", source(name, "1.0")));
    let offers = packages.iter().map(|name| Offer {
        package: (*name).to_owned(),
        architecture: "amd64".to_owned(),
        installed: "1.0".to_owned(),
        candidate: "2.0".to_owned(),
        source: source(name, "2.0"),
        security: true,
        state: OfferState::Offered,
        claims: Vec::new(),
    });
    report["inventory"]["components"] = serde_json::to_value(components.collect::<Vec<_>>()).unwrap();
    report["inventory"]["facts"]["offers"] = serde_json::to_value(offers.collect::<Vec<_>>()).unwrap();
    let sent = known.post(server.gateway(path::INVENTORY)).send_json(report).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
}

fn enrol(server: &Server, host: &Host, token: &EnrolToken, secret: &str) -> (u16, Value) {
    enrol_from(server, host, token, secret, None)
}

/// The same, from a machine.
fn enrol_from(
    server: &Server,
    host: &Host,
    token: &EnrolToken,
    secret: &str,
    machine: Option<MachineId>,
) -> (u16, Value) {
    let mut body =
        json!({ "request": host.request(), "hostname": "h1", "token": token.id, "secret": secret });
    if let Some(machine) = machine {
        body["machine"] = json!(machine);
    }
    let mut answer =
        agent(&authority(server), None).post(server.gateway(path::ENROL)).send_json(&body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

/// An inventory of nothing.
pub(crate) fn inventory(sequence: u64) -> Value {
    json!({ "sequence": sequence, "inventory": { "components": [], "facts": {
        "hostname": "h1", "os": { "id": "debian", "version_id": "12", "pretty_name": "Debian" }, "architecture": "amd64",
        "kernel": { "running": "6.1", "owner": "machine" }, "offers": [], "index": { "oldest_age_seconds": 1 }, "stale": [],
        "reboot_required_by": [], "updaters": [], "capability": { "kind": "act" }, "gaps": [],
        "addresses": ["192.0.2.17"] } } })
}

#[test]
fn a_token_enrols_one_host_once() {
    let server = Server::start();
    let (first, second) = (Host::new(), Host::new());
    let token = token(&server);
    assert_eq!(enrol(&server, &first, &token, &"0".repeat(64)).1["code"], "bad-token");
    let (status, answer) = enrol(&server, &first, &token, token.secret.expose());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(enrol(&server, &second, &token, token.secret.expose()).1["code"], "bad-token");
    let again = self::token(&server);
    assert_eq!(enrol(&server, &first, &again, again.secret.expose()).1["code"], "already-enrolled");
    assert_eq!(server.running().writer.world().asset_count(), 1);

    // With its certificate it may report, in order.
    let certificate = answer["certificate"].as_str().unwrap();
    let known = agent(&authority(&server), Some((certificate, &first.key)));
    let report =
        |sequence| known.post(server.gateway(path::INVENTORY)).send_json(inventory(sequence)).unwrap();
    assert_eq!(report(2).status().as_u16(), 200);
    assert_eq!(code(report(2)), (409, "stale-report".to_owned()));
    assert_eq!(code(report(1)), (409, "stale-report".to_owned()));
    // An answer to an order that is not its own.
    let answer = json!({ "order": "ord_1", "report": {
        "outcome": "refused", "code": "x", "detail": "x", "evidence": { "package_manager_exit": null, "versions": [],
        "stale": [], "units": [], "restarted": [], "reboot_pending": false }, "duration_ms": 0, "output": "" } });
    let sent = known.post(server.gateway(path::APPLY)).send_json(&answer).unwrap();
    assert_eq!(code(sent), (404, "unknown-order".to_owned()));
}

#[test]
fn nobody_reports_without_a_certificate_of_this_authority() {
    let server = Server::start();
    for path in [path::INVENTORY, path::REHEARSAL, path::APPLY] {
        let sent =
            agent(&authority(&server), None).post(server.gateway(path)).send_json(inventory(1)).unwrap();
        let (status, code) = code(sent);
        assert!(
            status == 401 && code == "not-enrolled" || status == 422 || status == 400,
            "{path}: {status} {code}"
        );
    }
    // On a connection of its own: the server closes one whose body it did not read.
    let asked = agent(&authority(&server), None).get(server.gateway(path::ORDER)).call().unwrap();
    assert_eq!(code(asked), (401, "not-enrolled".to_owned()));

    // A certificate of another Tenon does not even get through the handshake.
    let other = Server::start();
    let host = Host::new();
    let token = token(&other);
    let (_, answer) = enrol(&other, &host, &token, token.secret.expose());
    let foreign = agent(&authority(&server), Some((answer["certificate"].as_str().unwrap(), &host.key)));
    assert!(foreign.get(server.gateway(path::ORDER)).call().is_err());
    // Nor does one that nobody signed.
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    assert!(agent(&authority(&server), Some((&own, &key))).get(server.gateway(path::ORDER)).call().is_err());
    // And plain HTTP gets nothing.
    let plain =
        client().get(format!("http://{}{}", server.running().gateway.unwrap(), path::AUTHORITY)).call();
    assert!(plain.is_err());
}

#[test]
fn a_body_above_its_bound_is_refused() {
    let server = Server::start();
    let large = json!({ "request": "x".repeat(80_000), "hostname": "h", "token": "t", "secret": "s" });
    let answer = agent(&authority(&server), None).post(server.gateway(path::ENROL)).send_json(&large);
    // The server may stop reading and answer, or close.
    assert!(answer.is_err() || answer.unwrap().status().as_u16() == 413);
}

/// An answer of the API, as JSON.
fn read(server: &Server, path: &str) -> Value {
    server.get(path).call().unwrap().body_mut().read_json().unwrap()
}

#[test]
fn of_two_hosts_with_one_key_one_is_not_listened_to() {
    let server = Server::start();
    let (asset, known) = enrolled(&server);
    let report = |run: &str, sequence| {
        let sent = known.post(server.gateway(path::INVENTORY)).header(RUN_HEADER, run);
        code(sent.send_json(inventory(sequence)).unwrap())
    };
    let (first, second) = ("run_0000000000000001", "run_0000000000000002");
    assert_eq!(report(first, 1).0, 200);
    // Its agent is started anew, from a copy of its state of before.
    assert_eq!(report(second, 1).0, 200);
    assert_eq!(report(second, 1), (409, "stale-report".to_owned()), "within a run reports are in order");
    let cloned = || read(&server, &format!("/api/v1/assets/{asset}"))["cloned"] == json!(true);
    assert_eq!(report(first, 2), (409, "cloned".to_owned()));
    assert!(!cloned(), "that may have been a late word");
    assert_eq!(report(first, 2), (409, "cloned".to_owned()));
    assert!(cloned());
    assert_eq!(report(second, 2).0, 200);
    assert_eq!(report("run_0", 3), (400, "bad-request".to_owned()));
    // Agents that do not say are heard as before.
    let sent = known.post(server.gateway(path::INVENTORY)).send_json(inventory(3)).unwrap();
    assert_eq!(code(sent).0, 200);
}

#[test]
fn hosts_are_installed_anew_retired_and_come_back() {
    let server = Server::start();
    let machine = MachineId::of_firmware("4c4c4544-0042-3510-8054-b7c04f563432");
    let install = || {
        let (host, token) = (Host::new(), token(&server));
        let (status, answer) = enrol_from(&server, &host, &token, token.secret.expose(), machine);
        assert_eq!(status, 200, "{answer}");
        let known = agent(&authority(&server), Some((answer["certificate"].as_str().unwrap(), &host.key)));
        (answer["asset"].as_str().unwrap().to_owned(), known)
    };
    let (old, _) = install();
    let (new, known) = install();
    let listed = |retired: bool| read(&server, &format!("/api/v1/assets?retired={retired}"));
    let (there, gone) = (listed(false), listed(true));
    assert_eq!((&there["total"], &there["items"][0]["id"]), (&json!(1), &json!(new)));
    assert_eq!(there["items"][0]["replaces"], json!(old));
    assert_eq!(gone["items"][0]["retired"]["superseded_by"], json!(new));
    assert_eq!(gone["items"][0]["retired"]["reason"], json!("superseded"));

    let retire = |why: &str| {
        let sent = server.post(&format!("/api/v1/assets/{new}/retire"));
        code(sent.send_json(json!({ "why": why })).unwrap())
    };
    assert_eq!(retire(" "), (422, "bad-content".to_owned()));
    assert_eq!(retire("it was sold").0, 200);
    assert_eq!(retire("it was sold"), (409, "nothing-to-do".to_owned()));
    assert_eq!(listed(false)["total"], json!(0));
    let detail = read(&server, &format!("/api/v1/assets/{new}"));
    assert_eq!(detail["retired"]["said"], json!("it was sold"));
    // The record knows whoever it was by an id; people by the name.
    assert_eq!(detail["retired"]["by"], json!("tester"));
    assert_eq!(listed(true)["items"][1]["retired"]["by"], json!("tester"));
    // It is still there.
    let sent = known.post(server.gateway(path::INVENTORY)).send_json(inventory(1)).unwrap();
    assert_eq!(code(sent).0, 200);
    assert_eq!((&listed(false)["total"], &listed(true)["total"]), (&json!(1), &json!(1)));
    let kinds: Vec<String> = read(&server, &format!("/api/v1/log?asset={new}"))["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["inventory-reported", "asset-returned", "asset-retired", "asset-retired", "asset-enrolled"]
    );
}

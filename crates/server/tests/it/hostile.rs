//! Bad input at the agents' door: each is refused or bounded with a clear code, and nothing else is disturbed.

use serde_json::{Value, json};
use tenon_model::{AssetId, Component, Digest, Reported, SourcePackage};
use tenon_wire::{DeltaReport, InventoryReport, path};
use ureq::Agent;

use crate::gateway::{enrolled, inventory};
use crate::running::{Server, code};

/// What must not move: the World's digest, and the end of the journal.
fn state(server: &Server) -> (Digest, u64) {
    let world = server.running().writer.world();
    (world.digest().unwrap(), world.seq())
}

/// A server with a victim that reported once, and with a host of bad intent that reported once, too.
struct Scene {
    server: Server,
    victim: AssetId,
    hostile: Agent,
}

impl Scene {
    fn new() -> Self {
        let server = Server::start();
        let (victim, honest) = enrolled(&server);
        let (_, hostile) = enrolled(&server);
        for agent in [&honest, &hostile] {
            let sent = agent.post(server.gateway(path::INVENTORY)).send_json(inventory(1)).unwrap();
            assert_eq!(sent.status().as_u16(), 200);
        }
        Self { server, victim, hostile }
    }

    /// Sends a body that must be refused and change nothing; the code and what it says.
    fn refused(&self, path: &str, body: &[u8]) -> (u16, String) {
        let before = state(&self.server);
        let sent = self.hostile.post(self.server.gateway(path)).header("content-type", "application/json");
        let answer = code(sent.send(body).unwrap());
        assert_eq!(state(&self.server), before);
        answer
    }

    fn report(&self, report: &Value) -> (u16, String) {
        self.refused(path::INVENTORY, report.to_string().as_bytes())
    }
}

fn component(name: &str) -> Value {
    json!({ "name": name, "architecture": "amd64", "version": "1", "source": { "name": "s", "version": "1" } })
}

fn with(components: Vec<Value>) -> Value {
    let mut report = inventory(2);
    report["inventory"]["components"] = Value::Array(components);
    report
}

fn bad_inventory() -> (u16, String) {
    (422, "bad-inventory".to_owned())
}

#[test]
fn a_million_packages_are_refused() {
    let scene = Scene::new();
    // 28 MB, below what a body may hold: it is the count that is refused.
    let one = r#"{"name":"a","architecture":"a","version":"1","source":{"name":"a","version":"1"}}"#;
    let many = vec![one; 350_000].join(",");
    let body =
        with(Vec::new()).to_string().replace(r#""components":[]"#, &format!(r#""components":[{many}]"#));
    assert!(body.len() < tenon_wire::MAX_INVENTORY_BYTES && body.len() > 20 << 20, "{} bytes", body.len());
    assert_eq!(scene.refused(path::INVENTORY, body.as_bytes()), bad_inventory());
    // All of a million do not fit into a body: the server answers and closes, or only closes.
    let many = vec![one; 1_000_000].join(",");
    let body =
        with(Vec::new()).to_string().replace(r#""components":[]"#, &format!(r#""components":[{many}]"#));
    let before = state(&scene.server);
    let sent =
        scene.hostile.post(scene.server.gateway(path::INVENTORY)).header("content-type", "application/json");
    match sent.send(body.as_bytes()) {
        Ok(answer) => assert_eq!(code(answer), (413, "too-large".to_owned())),
        Err(error) => assert!(matches!(error, ureq::Error::Io(_)), "{error}"),
    }
    assert_eq!(state(&scene.server), before);
}

#[test]
fn names_of_a_megabyte_and_control_characters_are_refused() {
    let scene = Scene::new();
    let long = "x".repeat(1 << 20);
    for name in [long.as_str(), "a\u{0}b", "a\nb", "a\u{1b}[31mb", " a", "", "a\u{fffd}"] {
        assert_eq!(scene.report(&with(vec![component(name)])), bad_inventory(), "{:.20?}", name);
    }
    for field in ["architecture", "version"] {
        let mut component = component("a");
        component[field] = json!("1 2");
        assert_eq!(scene.report(&with(vec![component])), bad_inventory(), "{field}");
    }
}

#[test]
fn what_is_no_report_is_refused() {
    let scene = Scene::new();
    let bad_request = (400, "bad-request".to_owned());
    let deep = "[".repeat(100_000);
    for body in ["", "{}", "null", "{\"sequence\":-1}", "{\"sequence\":2,\"inventory\":[]}", deep.as_str()] {
        assert_eq!(scene.refused(path::INVENTORY, body.as_bytes()), bad_request, "{body:.40}");
        assert_eq!(scene.refused(path::INVENTORY_DELTA, body.as_bytes()), bad_request, "{body:.40}");
    }
    assert_eq!(scene.refused(path::INVENTORY, b"\xff\xfe"), bad_request);
}

#[test]
fn duplicates_count_once_and_touch_only_the_sender() {
    let scene = Scene::new();
    let world = scene.server.running().writer.world();
    let before = serde_json::to_value(world.asset(&scene.victim).unwrap()).unwrap();
    let report = with(vec![component("a"); 1_000]);
    let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY)).send_json(report).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    let after = scene.server.running().writer.world();
    assert_eq!(after.seq(), world.seq() + 1);
    assert_eq!(serde_json::to_value(after.asset(&scene.victim).unwrap()).unwrap(), before);
    let counts: Vec<u64> = after.assets().map(|(_, asset)| after.component_count(asset)).collect();
    assert_eq!(counts, [0, 1]);
}

#[test]
fn nobody_reports_for_another_asset() {
    let scene = Scene::new();
    let before =
        serde_json::to_value(scene.server.running().writer.world().asset(&scene.victim).unwrap()).unwrap();
    // The asset follows from the certificate; what a body says of it is not read.
    let mut report = with(vec![component("a")]);
    report["asset"] = json!(scene.victim);
    report["inventory"]["asset"] = json!(scene.victim);
    let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY)).send_json(report).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    let world = scene.server.running().writer.world();
    assert_eq!(serde_json::to_value(world.asset(&scene.victim).unwrap()).unwrap(), before);
}

#[test]
fn an_old_report_that_arrives_late_is_refused() {
    let scene = Scene::new();
    let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY)).send_json(inventory(9)).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    for late in [9, 8, 1, 0] {
        assert_eq!(scene.report(&inventory(late)), (409, "stale-report".to_owned()));
    }
}

#[test]
fn a_clock_that_is_off_orders_nothing() {
    let scene = Scene::new();
    // A report carries no time: the host's clock shows only in the age of its index, which an hour and an age of years
    // alike leave to the leader's own stamp.
    let stamp = |scene: &Scene| scene.server.running().writer.world().time().unwrap();
    for (sequence, age) in [(2, 3_601_u64), (3, 0), (4, u64::MAX)] {
        let mut report = inventory(sequence);
        report["inventory"]["facts"]["index"]["oldest_age_seconds"] = json!(age);
        let before = stamp(&scene);
        let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY)).send_json(report).unwrap();
        assert_eq!(sent.status().as_u16(), 200);
        let after = stamp(&scene);
        assert!(after >= before && after < before.plus_seconds(600), "{before} {after}");
    }
    let mut report = inventory(5);
    report["inventory"]["facts"]["index"]["oldest_age_seconds"] = json!(-3_600);
    assert_eq!(scene.report(&report), (400, "bad-request".to_owned()));
}

#[test]
fn a_delta_through_the_gateway_is_taken_once_and_only_from_its_base() {
    let scene = Scene::new();
    let reported = |packages: &[&str]| {
        let InventoryReport { mut inventory, .. } = serde_json::from_value(inventory(1)).unwrap();
        inventory.components = packages
            .iter()
            .map(|name| {
                let source = SourcePackage { name: (*name).to_owned(), version: "1".to_owned() };
                Component::os_package(*name, "amd64", "1", source)
            })
            .collect();
        Reported::new(inventory).unwrap()
    };
    let (none, one) = (reported(&[]), reported(&["bash"]));
    let delta =
        |sequence| serde_json::to_vec(&DeltaReport { sequence, delta: one.since(&none).unwrap() }).unwrap();
    let send = |body: Vec<u8>| {
        let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY_DELTA));
        sent.header("content-type", "application/json").send(&body[..]).unwrap()
    };
    assert_eq!(send(delta(2)).status().as_u16(), 200);
    let counts = |scene: &Scene| -> Vec<u64> {
        let world = scene.server.running().writer.world();
        world.assets().map(|(_, asset)| world.component_count(asset)).collect()
    };
    assert_eq!(counts(&scene), [0, 1]);
    assert_eq!(scene.refused(path::INVENTORY_DELTA, &delta(2)), (409, "stale-report".to_owned()));
    assert_eq!(scene.refused(path::INVENTORY_DELTA, &delta(3)), (409, "stale-base".to_owned()));
    // The agent then sends everything.
    let whole = json!({ "sequence": 4, "inventory": none.inventory() });
    let sent = scene.hostile.post(scene.server.gateway(path::INVENTORY)).send_json(whole).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    assert_eq!(counts(&scene), [0, 0]);
    assert_eq!(send(delta(5)).status().as_u16(), 200);
    assert_eq!(counts(&scene), [0, 1]);
    // A delta of a megabyte and more is none.
    let mut large: Value = serde_json::from_slice(&delta(6)).unwrap();
    large["delta"]["hostname"] = json!("x".repeat(tenon_wire::MAX_DELTA_BYTES));
    assert_eq!(
        scene.refused(path::INVENTORY_DELTA, large.to_string().as_bytes()),
        (413, "too-large".to_owned())
    );
}

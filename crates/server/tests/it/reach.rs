//! Who an attacker can reach, over the API.

use std::time::Duration;

use serde_json::{Value, json};
use tenon_engine::World;
use tenon_model::{Advisory, AdvisoryDelta, Affected, AffectedRange, Command, IntelDelta, Kev, Timestamp};
use tenon_wire::path;

use crate::gateway::{enrolled, inventory, reported_with};
use crate::running::{Server, code};

/// Long enough for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);

fn get(server: &Server, path: &str) -> Value {
    let mut response = server.get(path).call().unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.body_mut().read_json().unwrap()
}

fn tell(server: &Server, command: Command) {
    server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
}

/// Waits until the record shows something.
fn until(server: &Server, shows: impl Fn(&World) -> bool) {
    let mut follow = server.running().writer.follow();
    let waited = server.runtime().block_on(async {
        let shown = follow.wait_for(|world| shows(world));
        tokio::time::timeout(DEADLINE, shown).await.map(|shown| drop(shown.unwrap()))
    });
    waited.expect("the record does not show it");
}

/// A web server with a listed vulnerability, on a public address.
fn estate() -> (Server, String) {
    let server = Server::start();
    let affected = Affected {
        ecosystem: "Debian:12".to_owned(),
        package: "nginx".to_owned(),
        module: None,
        ranges: vec![AffectedRange { introduced: None, fixed: Some("2.0".to_owned()), last_affected: None }],
        versions: Vec::new(),
    };
    let published = vec![Advisory {
        id: "DSA-1-1".parse().unwrap(),
        summary: "nginx - security update".to_owned(),
        published: None,
        addresses: vec!["CVE-2026-1".parse().unwrap()],
        affected: vec![affected],
    }];
    let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
    tell(&server, Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None });
    let kev = Kev { added: Timestamp::from_millis(0), due: None, ransomware: false };
    let delta = IntelDelta::Kev { listed: vec![("CVE-2026-1".parse().unwrap(), kev)], retracted: Vec::new() };
    tell(&server, Command::ChangeIntel { delta, as_of: None });
    let mut report = inventory(1);
    report["inventory"]["components"] = json!([{ "name": "nginx", "version": "1.0", "architecture": "amd64",
        "source": { "name": "nginx", "version": "1.0" } }]);
    report["inventory"]["facts"]["listeners"] = json!([{ "protocol": "tcp", "address": "0.0.0.0", "port": 443,
        "process": "nginx", "unit": null, "package": "nginx" }]);
    let (asset, known) = enrolled(&server);
    let sent = known.post(server.gateway(path::INVENTORY)).send_json(report).unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    (server, asset.to_string())
}

#[test]
fn how_far_an_attacker_gets_and_what_closing_a_flow_saves_is_told() {
    let (server, asset) = estate();
    // Nobody states anything yet: it is told from the address, and said so.
    let told = get(&server, "/api/v1/reach");
    assert_eq!(
        (&told["assumed"], &told["unplaced"], &told["zones_in_all"]),
        (&json!(true), &json!(0), &json!(3))
    );
    let first = &told["zones"][0];
    assert_eq!((&first["name"], &first["assets"]), (&json!("internet-facing"), &json!(1)));
    assert_eq!(first["reached"], json!({ "least": 1_000_000, "most": 1_000_000 }));
    let step = &first["path"][0];
    assert_eq!((&step["from"], &step["vulnerability"]), (&json!("internet"), &json!("CVE-2026-1")));
    assert_eq!(
        (&step["listens"], &step["host"], &step["hosts"]),
        (&json!(["tcp 443"]), &json!("h1"), &json!(1))
    );

    let document = json!({
        "zones": { "internet": { "entry": 1_000_000 }, "dmz": { "networks": ["192.0.2.0/24"] }, "lab": {} },
        "flows": [{ "from": "internet", "to": "dmz", "protocol": "tcp", "ports": ["443"] },
            { "from": "lab", "to": "dmz", "protocol": "any", "ports": ["0-65535"] }],
    });
    let before = get(&server, "/api/v1/head")["seq"].as_u64().unwrap();
    let body = json!({ "document": document, "compared": 0 });
    let taken = server.post("/api/v1/context").send_json(&body).unwrap();
    assert_eq!(code(taken).0, 200);
    let told = get(&server, "/api/v1/reach");
    assert_eq!((&told["assumed"], &told["zones"][0]["name"]), (&json!(false), &json!("dmz")));
    assert_eq!(told["flows"][0]["passes"], json!(["tcp 443"]));
    assert_eq!(told["flows"][0]["takes"], json!({ "least": 1_000_000, "most": 1_000_000 }));
    let choke = &told["choke_points"][0];
    assert_eq!(
        (&choke["from"], &choke["to"], &choke["paths"]),
        (&json!("internet"), &json!("dmz"), &json!(1))
    );
    assert_eq!((&choke["leaves"], &choke["saves"]), (&json!("0.0"), &told["loses"]));
    assert_ne!(told["loses"], json!("0.0"));

    // The other flow is used by no path: closing it saves nothing. From the lab it is the only one.
    let closed = get(&server, "/api/v1/reach?close_from=lab&close_to=dmz")["closed"].clone();
    assert_eq!((&closed["saves"], &closed["paths"]), (&json!("0.0"), &json!(0)));
    let within = get(&server, "/api/v1/reach?within=lab&close_from=lab&close_to=dmz");
    assert_eq!((&within["within"], &within["closed"]["leaves"]), (&json!("lab"), &json!("0.0")));
    assert_eq!(within["zones"][0]["path"][0]["from"], json!("lab"));

    let one = get(&server, &format!("/api/v1/assets/{asset}/reach"));
    // From there as from its zone, if an attacker were in that for certain.
    let within = get(&server, &format!("/api/v1/reach?within={}", one["zone"].as_str().unwrap()));
    assert_eq!(one["blast"]["loses"], within["loses"], "{one}");
    assert_eq!((&one["zone"], &one["taken"]["least"]), (&json!("dmz"), &json!(1_000_000)));
    assert_eq!(
        (&one["findings"][0]["vulnerability"], &one["findings"][0]["needs_foothold"]),
        (&json!("CVE-2026-1"), &json!(false))
    );
    // As it was before anybody stated zones.
    let then = get(&server, &format!("/api/v1/reach?as_of={before}"));
    assert_eq!((&then["assumed"], &then["generation"]), (&json!(true), &json!(before)));

    let refused = |path: &str| code(server.get(path).call().unwrap());
    for path in
        ["?within=nowhere", "?close_from=lab", "?close_from=lab&close_to=lab", "?close_to=dmz", "?zone=dmz"]
    {
        assert_eq!(refused(&format!("/api/v1/reach{path}")), (400, "bad-request".to_owned()), "{path}");
    }
    // Nothing is directed here yet: no repository offers a fix.
    assert_eq!(refused("/api/v1/directives/dir_1/reach").0, 404);
    let nobody = format!("/api/v1/assets/ast_{}/reach", "0".repeat(32));
    assert_eq!(refused(&nobody).0, 404);
}

#[test]
fn services_are_told_where_they_stand_and_how_far_an_attacker_gets_to_them() {
    let (server, asset) = estate();
    let none = get(&server, "/api/v1/reach");
    assert_eq!((&none["services_in_all"], &none["services"]), (&json!(0), &json!([])));
    let document = json!({
        "zones": { "internet": { "entry": 1_000_000 }, "dmz": { "networks": ["192.0.2.0/24"] } },
        "flows": [{ "from": "internet", "to": "dmz", "protocol": "tcp", "ports": ["443"] }],
        "teams": { "web": {} },
        "services": { "shop": { "team": "web", "criticality": "high", "depends_on": ["orders"] }, "orders": {} },
        "rules": [{ "when": { "host": "h*" }, "set": { "services": ["shop"] } }],
    });
    let taken =
        server.post("/api/v1/context").send_json(json!({ "document": document, "compared": 0 })).unwrap();
    assert_eq!(code(taken).0, 200);
    let told = get(&server, "/api/v1/reach");
    let risk = get(&server, "/api/v1/risk?service=shop");
    let hosts = json!([{ "id": asset, "name": "h1" }]);
    assert_eq!(
        told["services"],
        json!([
            // Its zone is told by an address alone.
            { "name": "shop", "team": "web", "criticality": "high", "depends_on": ["orders"], "needed_by": [], "assets": 1,
              "hosts": hosts, "derived": 1, "unplaced": 0, "removes": risk["points"], "directives": risk["directives"],
              "zones": [{ "zone": "dmz", "assets": 1, "reached": { "least": 1_000_000, "most": 1_000_000 } }] },
            { "name": "orders", "team": null, "criticality": null, "depends_on": [], "needed_by": ["shop"], "assets": 0,
              "hosts": [], "derived": 0, "unplaced": 0, "removes": "0.0", "directives": 0, "zones": [] },
        ])
    );
    let zone = told["zones"].as_array().unwrap().iter().find(|zone| zone["name"] == "dmz").unwrap();
    assert_eq!(zone["hosts"], hosts);
    // Once somebody states the zone, nothing of it is derived; of what stands in none nothing is told.
    let services = |change: &dyn Fn(&mut Value), compared: u32| {
        let mut document = document.clone();
        change(&mut document);
        let body = json!({ "document": document, "compared": compared });
        assert_eq!(code(server.post("/api/v1/context").send_json(&body).unwrap()).0, 200);
        get(&server, "/api/v1/reach")["services"].clone()
    };
    let stated = services(&|document| document["rules"][0]["set"]["zone"] = json!("dmz"), 1);
    assert_eq!((&stated[0]["derived"], &stated[0]["zones"][0]["zone"]), (&json!(0), &json!("dmz")));
    let nowhere = services(&|document| document["zones"]["dmz"] = json!({}), 2);
    let shop = &nowhere[1];
    assert_eq!((&shop["name"], &shop["zones"], &shop["unplaced"]), (&json!("shop"), &json!([]), &json!(1)));
}

#[test]
fn what_moves_is_told_by_itself_and_ranks() {
    let server = Server::start();
    let directive = "/api/v1/directives/dir_1";
    reported_with(&server, &["nginx"]);
    let reach = |server: &Server| get(server, &format!("{directive}/why"))["factors"][0].clone();
    let before = reach(&server);
    let document = json!({ "zones": { "internet": { "entry": 250_000 }, "dmz": { "networks": ["192.0.2.0/24"] } },
        "flows": [{ "from": "internet", "to": "dmz", "protocol": "tcp", "ports": ["443"] }],
        "rules": [{ "when": { "host": "*" }, "set": { "zone": "dmz" } }] });
    let taken =
        server.post("/api/v1/context").send_json(json!({ "document": document, "compared": 0 })).unwrap();
    assert_eq!(code(taken).0, 200);
    until(&server, |world| world.is_reach_told());
    let after = reach(&server);
    // Nobody knows what listens there; nothing is known to be exploited on the way.
    assert_eq!((&before["reach_ppm"], &after["reach_ppm"]), (&json!(1_000_000), &json!(250_000)));
    let because = after["because"].as_array().unwrap();
    let fact = because[2]["fact"].as_str().unwrap();
    assert!(fact.starts_with("attackers get to nginx with at most 25.00%, into zone dmz"), "{fact}");
    assert_eq!(
        because[2]["source"],
        json!("zones and flows of context version 1, with what listens and is vulnerable there")
    );
    assert_ne!(get(&server, directive)["removes"], json!("50.0"));

    let told = get(&server, "/api/v1/log?kind=reach-assessed");
    let said = told["items"][0]["said"].as_str().unwrap();
    assert_eq!(
        said,
        "attackers get otherwise into 2 zones; into internet with at most 25.00% within 30 days"
    );
    // With nobody to say where attacks begin, nothing is told any more.
    let taken = server.post("/api/v1/context").send_json(json!({ "document": {}, "compared": 1 })).unwrap();
    assert_eq!(code(taken).0, 200);
    until(&server, |world| !world.is_reach_told());
    assert_eq!(reach(&server)["reach_ppm"], before["reach_ppm"]);
}

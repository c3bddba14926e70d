//! Alerts come in by HTTP: one that is new is an emergency that every client sees; repeated, forged or broken ones are nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::gateway::reported_with;
use crate::running::{Server, client, code};

fn token(server: &Server, role: &str) -> String {
    let body = json!({ "label": role, "roles": [role], "expires_seconds": 600 });
    let made = server.post("/api/v1/tokens").send_json(&body).unwrap().body_mut().read_json::<Value>();
    made.unwrap()["secret"].as_str().unwrap().to_owned()
}

fn head(server: &Server) -> u64 {
    server.running().writer.world().seq()
}

/// What is answered to an alert that somebody with this token posts.
fn alert(server: &Server, bearer: Option<&str>, body: &Value) -> ureq::http::Response<ureq::Body> {
    let request = client().post(server.url("/api/v1/detections"));
    let request = match bearer {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.send_json(body).unwrap()
}

#[test]
fn an_alert_leads_the_queue_at_once_and_is_taken_from_sensors_alone_and_once() {
    let server = Server::start();
    reported_with(&server, &["openssl"]);
    let directives =
        || -> Value { server.get("/api/v1/directives").call().unwrap().body_mut().read_json().unwrap() };
    let before = directives()["items"][0].clone();
    let (about, hostname) = ("VENDOR:openssl:2.0", "h1");
    let body = json!({ "vulnerability": about, "asset": hostname, "what": "lookup in a header", "sensor": "waf-1",
        // By a clock that is far ahead.
        "seen": "2099-01-01T00:00:00Z" });
    let sensor = token(&server, "sensor");

    // Who is no sensor, or says that he is somebody's, changes nothing.
    let untouched = head(&server);
    assert_eq!(code(alert(&server, None, &body)).0, 401);
    assert_eq!(code(alert(&server, Some(&"0".repeat(64)), &body)).0, 401);
    assert_eq!(code(alert(&server, Some(&token(&server, "viewer")), &body)), (403, "no-rights".to_owned()));
    assert_eq!(code(alert(&server, Some(&token(&server, "operator")), &body)), (403, "no-rights".to_owned()));
    // Nor do alerts that say nothing, or of which nobody knows.
    let broken = [
        (json!({}), 400),
        (json!({ "vulnerability": about, "asset": "nobody", "what": "x" }), 404),
        (json!({ "vulnerability": about, "asset": hostname, "what": " " }), 422),
        (json!({ "vulnerability": "no such id", "asset": hostname, "what": "x" }), 400),
        (json!({ "vulnerability": about, "asset": hostname, "what": "x", "seen": "2020-01-01" }), 422),
        (json!({ "vulnerability": about, "asset": hostname, "what": "x", "run": "rm" }), 400),
        (json!({ "vulnerability": about, "asset": hostname, "what": "x", "kind": "rumour" }), 422),
        (json!({ "vulnerability": about, "asset": hostname, "what": "x", "kind": "honeypot" }), 422),
        (json!({ "vulnerability": about, "asset": hostname, "what": "x", "zone": "dmz" }), 422),
        (json!({ "vulnerability": about, "what": "x", "kind": "incident" }), 422),
        (json!({ "vulnerability": about, "what": "x", "kind": "honeypot", "zone": "attic" }), 422),
    ];
    for (body, status) in broken {
        let answered = code(alert(&server, Some(&sensor), &body));
        assert!(answered.0 == status || (status == 400 && answered.0 == 422), "{body}: {answered:?}");
    }
    assert_eq!(head(&server), untouched);
    // A sensor reads nothing.
    let read =
        client().get(server.url("/api/v1/overview")).header("authorization", format!("Bearer {sensor}"));
    assert_eq!(code(read.call().unwrap()), (403, "no-rights".to_owned()));

    let events = server.get("/api/v1/events").call().unwrap();
    let mut lines = BufReader::new(events.into_body().into_reader()).lines();
    lines.find(|line| line.as_ref().unwrap().starts_with("data:")).unwrap().unwrap();
    let posted = Instant::now();
    let mut answer = alert(&server, Some(&sensor), &body);
    assert_eq!(answer.status(), 200);
    let taken: Value = answer.body_mut().read_json().unwrap();
    assert_eq!(
        (taken["known"].as_bool(), taken["directives"][0].as_str()),
        (Some(false), before["id"].as_str())
    );
    // Whoever looks is told that the queue is another, and reads it anew.
    let told = lines.find(|line| line.as_ref().unwrap().contains("queue"));
    told.expect("the stream tells of the queue").unwrap();
    let now = directives()["items"][0].clone();
    println!("measured: alert posted -> told -> queue read anew in {:?}", posted.elapsed());
    assert!(now["due"].as_str().unwrap() < before["due"].as_str().unwrap_or("9"), "{now}");
    let whole: Value = server
        .get(&format!("/api/v1/directives/{}", before["id"].as_str().unwrap()))
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    assert_eq!(whole["attacks"][0]["sensor"], "waf-1");

    // Delivered twice, or seen by another sensor too, it is one.
    let once = head(&server);
    for sensor_name in ["waf-1", "edr"] {
        let again =
            json!({ "vulnerability": about, "asset": hostname, "what": "again", "sensor": sensor_name });
        let known: Value = alert(&server, Some(&sensor), &again).body_mut().read_json().unwrap();
        assert_eq!((known["known"].as_bool(), &known["detection"]), (Some(true), &taken["detection"]));
    }
    assert_eq!(head(&server), once);
}

const OPERATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
/// As Suricata writes them: an alert whose rule names a vulnerability, one whose rule names none, and what is no alert.
const EVE: &str = r#"
{"timestamp":"NOW.123456+0000","event_type":"alert","src_ip":"203.0.113.9","src_port":4711,"dest_ip":"192.0.2.17","dest_port":8080,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2034647,"rev":1,"signature":"ET EXPLOIT Apache log4j RCE Attempt","severity":1,"metadata":{"cve":["CVE_2021_44228"]}}}
{"timestamp":"NOW.123456+0000","event_type":"alert","src_ip":"203.0.113.9","dest_ip":"192.0.2.17","alert":{"signature_id":2013028,"signature":"ET POLICY curl User-Agent Outbound","metadata":{"tag":["none"]}}}
{"timestamp":"NOW.123456+0000","event_type":"dns","src_ip":"192.0.2.17","dest_ip":"192.0.2.1"}
"#;

#[test]
fn the_documented_way_from_suricata_is_understood() {
    let page = std::fs::read_to_string(OPERATIONS).unwrap();
    let (_, from) = page.split_once("jq --unbuffered -c '").expect("the page shows how");
    let (program, _) = from.split_once('\'').unwrap();
    let jq = Command::new("jq").args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut jq) = jq else {
        println!("skipped: the_documented_way_from_suricata_is_understood: no jq on this machine");
        return;
    };
    let server = Server::start();
    reported_with(&server, &["openssl"]);
    let world = server.running().writer.world();
    let now = world.time().unwrap().to_string();
    let eve = EVE.replace("NOW", now.trim_end_matches('Z'));
    jq.stdin.take().unwrap().write_all(eve.as_bytes()).unwrap();
    let output = jq.wait_with_output().unwrap();
    assert!(output.status.success());
    let alerts: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let taken = alert(&server, Some(&token(&server, "sensor")), &alerts[0]);
    assert_eq!(taken.status(), 200, "{}", alerts[0]);
    let world = server.running().writer.world();
    let (_, state) = world.detections().next().unwrap();
    let seen = &state.detection;
    assert_eq!((seen.vulnerability.as_str(), seen.sensor.as_str()), ("CVE-2021-44228", "suricata on ids"));
    assert_eq!(
        (seen.what.as_str(), seen.reference.as_deref()),
        ("ET EXPLOIT Apache log4j RCE Attempt", Some("2034647"))
    );
    assert_eq!(seen.seen.to_string(), now, "as the sensor says");
}

//! What those who operate a server see of it: health, measurements, live changes, TLS, its end.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tenon_server::TlsFiles;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::gateway::reported;
use crate::running::{Server, client, code};

/// The live stream, read event by event.
struct Live(BufReader<ureq::BodyReader<'static>>);

impl Live {
    fn open(server: &Server) -> Self {
        Self::with(server, &server.token())
    }

    fn with(server: &Server, token: &str) -> Self {
        let request =
            client().get(server.url("/api/v1/events")).header("authorization", format!("Bearer {token}"));
        let request = request.config().timeout_global(Some(Duration::from_secs(20)));
        Self(BufReader::new(request.build().call().unwrap().into_body().into_reader()))
    }

    /// The next generation and its facets; `None` at the end.
    fn next(&mut self) -> Option<(u64, Vec<String>)> {
        let mut named = false;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            named |= line.trim() == "event: generation";
            if let Some(data) = line.strip_prefix("data: ") {
                assert!(named, "{data}");
                let data: Value = serde_json::from_str(data).unwrap();
                let facets =
                    data["facets"].as_array().unwrap().iter().map(|facet| facet.as_str().unwrap().to_owned());
                return Some((data["generation"].as_u64().unwrap(), facets.collect()));
            }
        }
    }
}

#[test]
fn live_changes_name_the_facets_that_changed() {
    let server = Server::start();
    let mut live = Live::open(&server);
    let (first, facets) = live.next().unwrap();
    assert_eq!(facets, ["assets", "queue", "feeds", "context"], "at first everything is new");
    // A token enters the record and is shown to nobody.
    let token = server.post("/api/v1/enrolment-tokens").send_json(json!({ "group": "default" })).unwrap();
    assert_eq!(token.status(), 200);
    let (second, facets) = live.next().unwrap();
    assert!(second > first && facets.is_empty(), "{second} {facets:?}");
    let rules = json!({ "table": "ssvc-deployer", "clocks": [] });
    assert_eq!(server.post("/api/v1/rules").send_json(&rules).unwrap().status(), 200);
    let (third, facets) = live.next().unwrap();
    assert!(third > second, "{third}");
    assert_eq!(facets, ["assets", "queue", "context"]);
}

#[test]
fn a_live_stream_does_not_outlive_what_it_was_opened_with() {
    let server = Server::start();
    let body = json!({ "label": "wall", "roles": ["viewer"], "expires_seconds": 600 });
    let made: Value = server.post("/api/v1/tokens").send_json(&body).unwrap().body_mut().read_json().unwrap();
    let mut live = Live::with(&server, made["secret"].as_str().unwrap());
    live.next().unwrap();
    let id = made["token"]["id"].as_str().unwrap();
    let revoke = client().delete(server.url(&format!("/api/v1/tokens/{id}")));
    assert_eq!(
        revoke.header("authorization", format!("Bearer {}", server.token())).call().unwrap().status(),
        204
    );
    let rules = json!({ "table": "ssvc-deployer", "clocks": [] });
    assert_eq!(server.post("/api/v1/rules").send_json(&rules).unwrap().status(), 200);
    assert!(live.next().is_none(), "the change is not told any more");
}

#[test]
fn a_stop_ends_live_streams_and_held_polls_at_once() {
    let mut server = Server::start();
    let mut live = Live::open(&server);
    live.next().unwrap();
    let start = Instant::now();
    server.stop();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(live.next().is_none(), "the stream has an end");
}

#[test]
fn health_is_asked_under_any_name_and_readiness_follows_the_writer() {
    let server = Server::start();
    let ask = |path: &str| client().get(server.url(path)).header("host", "10.1.2.3:1").call().unwrap();
    assert_eq!(ask("/healthz").status(), 200);
    assert_eq!(ask("/readyz").status(), 200);
    assert_eq!(code(ask("/metrics")), (421, "unknown-host".to_owned()));
    server.runtime().block_on(server.running().writer.stop());
    assert_eq!(ask("/healthz").status(), 200);
    assert_eq!(code(ask("/readyz")), (503, "journal-failed".to_owned()));
}

#[test]
fn measurements_follow_what_happens() {
    let server = Server::start();
    let measured = |line: &str| {
        let page = server.get("/metrics").call().unwrap().body_mut().read_to_string().unwrap();
        page.lines().any(|found| found == line).then_some(()).ok_or(page)
    };
    measured("tenon_assets 0").unwrap();
    assert_eq!(code(server.post("/api/v1/groups/default/demote").send_empty().unwrap()).0, 409);
    reported(&server);
    for line in [
        "tenon_assets 1",
        "tenon_directives_open 0",
        "tenon_term 1",
        "tenon_refusals_total{code=\"nothing-to-do\"} 1",
        "tenon_refusals_total{code=\"stale-report\"} 0",
        // The first of the term, a token, the enrolment, the inventory.
        "tenon_commands_total 4",
        "tenon_append_seconds_count 4",
        "tenon_http_answers_total{door=\"api\",status=\"4xx\"} 1",
        "tenon_http_answers_total{door=\"gateway\",status=\"2xx\"} 2",
        "tenon_agents_connected 0",
    ] {
        measured(line).unwrap_or_else(|page| panic!("{line} is missing:\n{page}"));
    }
    assert_eq!(code(client().get(server.url("/metrics")).call().unwrap()), (401, "not-signed-in".to_owned()));
}

#[test]
fn over_tls_the_cookie_travels_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem();
    let files = TlsFiles { certificate: folder.path().join("api.pem"), key: folder.path().join("api.key") };
    std::fs::write(&files.certificate, &certificate).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    let server = Server::with(|settings| settings.tls = Some(files));
    let roots = RootCerts::new_with_certs(&[Certificate::from_pem(certificate.as_bytes()).unwrap()]);
    let config = Agent::config_builder().http_status_as_error(false);
    let agent = config.tls_config(TlsConfig::builder().root_certs(roots).build()).build().new_agent();
    let url = |path: &str| server.url(path).replace("http://", "https://");
    let bearer = format!("Bearer {}", server.token());
    let begun =
        agent.post(url("/api/v1/session")).header("authorization", &bearer).send_json(json!({})).unwrap();
    assert_eq!(begun.status(), 204);
    assert!(begun.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
    assert!(client().get(server.url("/healthz")).call().is_err(), "plain HTTP gets nothing");
}

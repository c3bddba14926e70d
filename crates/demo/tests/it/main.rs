//! The demonstration from its beginning to its end, through the API, by a clock that goes from one thing that is due to the
//! next.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenon_demo::{Clock, Estate, Pace, Player, Show};
use tenon_model::Timestamp;
use tenon_server::{Hosts, Running, Settings, serve};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// 2026-06-15, noon.
const BEGIN_MS: i64 = 1_781_524_800_000;
/// How long one part of the story may take here.
const DEADLINE: Duration = Duration::from_secs(120);
/// Fewer hosts than the demonstration has: the story's own are all there.
const HOSTS: usize = 150;

fn settings(folder: &Path, hosts: Hosts) -> Settings {
    Settings {
        requests_per_second: 10_000.try_into().unwrap(),
        ..Settings::on_loopback(folder.to_owned(), hosts, "visitor".parse().unwrap())
    }
}

/// A visitor at a demonstration that is played.
struct Visit {
    runtime: Runtime,
    running: Running,
    stop: watch::Sender<bool>,
    player: JoinHandle<()>,
    client: ureq::Agent,
}

impl Visit {
    fn begin(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = Arc::new(Clock::new(Timestamp::from_millis(BEGIN_MS), Pace::Steps));
        let hosts = Hosts::Played(Arc::new(Show::new(clock.clone())));
        let running = runtime.block_on(serve(settings(folder, hosts))).unwrap();
        assert_eq!(running.gateway, None, "nothing can reach a host");
        let (stop, stopped) = watch::channel(false);
        let player = Player::new(Estate::new(Estate::SEED, HOSTS), clock);
        let writer = running.writer.clone();
        let player = runtime.spawn(async move { player.run(writer, stopped).await.unwrap() });
        let client = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { runtime, running, stop, player, client }
    }

    fn end(self) {
        self.stop.send_replace(true);
        self.runtime.block_on(async {
            self.player.await.unwrap();
            self.running.stop().await;
        });
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.running.listen)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.running.folder.operator_token().unwrap().expose())
    }

    fn get(&self, path: &str) -> Value {
        let mut answer =
            self.client.get(self.url(path)).header("authorization", self.bearer()).call().unwrap();
        assert_eq!(answer.headers().get("tenon-demo").unwrap(), "synthetic", "{path}");
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Posts, and gives status and answer.
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let sent = self.client.post(self.url(path)).header("authorization", self.bearer()).send_json(body);
        let mut answer = sent.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn must(&self, path: &str, body: &Value) {
        let (status, answer) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// Until what is asked for is there: asked again whenever the record moved on.
    fn wait<T>(&self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
        let mut follow = self.running.writer.follow();
        let begun = Instant::now();
        loop {
            follow.borrow_and_update();
            if let Some(found) = ask(self) {
                return found;
            }
            let moved =
                self.runtime.block_on(async { tokio::time::timeout(DEADLINE, follow.changed()).await });
            let shown = || self.get("overview")["demo"].to_string();
            assert!(moved.is_ok_and(|moved| moved.is_ok()), "{what}: nothing moves any more: {}", shown());
            assert!(begun.elapsed() < DEADLINE, "{what}: {}", shown());
        }
    }

    fn part(&self, part: u64) -> Value {
        self.wait(&format!("part {part}"), |visit| {
            let demo = visit.get("overview")["demo"].clone();
            (demo["part"] == part).then_some(demo)
        })
    }

    /// Whether the story came this far; some parts are over before one looks.
    fn past(&self, part: u64) -> Value {
        self.wait(&format!("part {part} or a later one"), |visit| {
            let demo = visit.get("overview")["demo"].clone();
            (demo["part"].as_u64() >= Some(part)).then_some(demo)
        })
    }
}

/// Assets of a directive in a stage.
fn in_stage(directive: &Value, stage: &str) -> Vec<String> {
    let assets = directive["assets"].as_array().unwrap().iter();
    let found = assets.filter(|asset| asset["stage"]["name"] == stage);
    found.map(|asset| asset["id"].as_str().unwrap().to_owned()).collect()
}

fn count(directive: &Value, stage: &str) -> u64 {
    directive["stages"][stage].as_u64().unwrap_or_default()
}

#[test]
fn the_story_is_played_to_its_end_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let visit = Visit::begin(&data);

    // Disclosed, exploited, rehearsed: the visitor is asked.
    let asked = visit.part(6);
    assert_eq!(asked["waits"], true);
    let id = asked["directive"].as_str().unwrap().to_owned();
    let path = format!("directives/{id}");
    let directive = visit.get(&path);
    assert_eq!(
        (directive["source"].as_str(), directive["asset_count"].as_u64()),
        (Some("lanternd"), Some(48))
    );
    assert_eq!((count(&directive, "awaiting-approval"), count(&directive, "needs-person")), (47, 1));
    assert!(
        directive["closes"].as_array().unwrap().iter().all(|id| id.as_str().unwrap().starts_with("DEMO-"))
    );
    let reasons = directive["because"].to_string();
    assert!(reasons.contains("DEMO-2026-4471 is exploited somewhere"), "{reasons}");
    assert_eq!(directive["advisories"], json!(["DEMO-SA-2026-0113"]));
    // No change went out before anybody approved it.
    assert!(directive["rollout"].is_null());

    // Its row asks for evidence first, since it is exploited: every host hands it over, some of them after their rehearsal.
    let evidence = visit.wait("evidence of every host", |visit| {
        let evidence = visit.get(&path)["evidence"].clone();
        (evidence["lacking"] == 0).then_some(evidence)
    });
    assert_eq!(evidence, json!({ "sealed": 48, "waived": 0, "lacking": 0 }));
    visit.must(&format!("{path}/approve"), &json!({}));

    // One canary fails, by itself everything stops, and nothing of a later wave was touched.
    visit.part(8);
    let halted = visit.get(&path);
    let rollout = &halted["rollout"];
    assert_eq!(rollout["state"], "halted");
    let why = rollout["halt"]["why"].as_str().unwrap();
    assert!(why.contains("assets of the wave failed, 0 may"), "{why}");
    assert_eq!(count(&halted, "rolled-back"), 1);
    let waves = rollout["waves"].as_array().unwrap();
    let (begun, to_come): (Vec<&Value>, Vec<&Value>) =
        waves.iter().partition(|wave| wave["state"] != "waiting");
    assert!(begun.iter().all(|wave| wave["phase"] == "canary") && to_come.len() >= 3, "{rollout}");
    let untouched = to_come.iter().flat_map(|wave| wave["hosts"].as_array().unwrap());
    assert!(untouched.clone().all(|host| host["stage"] == "approved"), "{rollout}");
    assert!(
        untouched.clone().all(|host| host["why_not_yet"].as_str().unwrap().contains("halted")),
        "{rollout}"
    );

    // The machine is started again meanwhile.
    visit.end();
    let visit = Visit::begin(&data);
    visit.part(8);
    visit.must(&format!("{path}/resume"), &json!({}));
    visit.part(9);
    let left = visit.get(&path);
    assert_eq!(
        (count(&left, "verified"), count(&left, "rolled-back"), count(&left, "needs-person")),
        (46, 1, 1)
    );
    for asset in ["rolled-back", "needs-person"].iter().flat_map(|stage| in_stage(&left, stage)) {
        visit.must(&format!("{path}/retry"), &json!({ "asset": asset }));
    }
    visit.wait("both rehearsed again", |visit| {
        (count(&visit.get(&path), "awaiting-approval") == 2).then_some(())
    });
    visit.must(&format!("{path}/approve"), &json!({}));

    // Verified everywhere.
    let over = visit.part(10);
    assert_eq!((over["part"].as_u64(), over["waits"].as_bool()), (over["parts"].as_u64(), Some(false)));
    let closed = visit.get(&path);
    assert!(closed["closed"].as_str().unwrap().starts_with("fixed at"), "{}", closed["closed"]);
    assert_eq!(count(&closed, "verified"), 48);

    // Exposure tells all of it: hosts that came later, what got worse, and what is done.
    let trend = visit.get("trend?days=30");
    let moved = |part: &str| {
        let days = trend["days"].as_array().unwrap().iter();
        days.map(|day| day[part].as_str().unwrap().parse::<f64>().unwrap()).sum::<f64>()
    };
    assert!(moved("newly_seen") > 0.0 && moved("got_worse") > 0.0 && moved("done") > 1_000.0, "{trend}");
    visit.end();
}

#[test]
fn a_colleague_rolls_out_in_waves_that_are_watched_and_a_group_without_spare_is_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let visit = Visit::begin(&folder.path().join("demo"));
    visit.past(2);
    let rollout = visit.wait("the rollout of quillsql-15 by team data", |visit| {
        let found = visit.get("directives?q=quillsql&group=data");
        let id = found["items"][0]["id"].as_str()?.to_owned();
        let directive = visit.get(&format!("directives/{id}"));
        (directive["rollout"]["state"] == "over").then(|| directive["rollout"].clone())
    });
    let held = &rollout["held_back"][0];
    assert!(held["why"].as_str().unwrap().contains("ledger-db"), "{rollout}");
    let waves = rollout["waves"].as_array().unwrap();
    assert!(waves.len() > 2 && waves[0]["soak_seconds"] == 1_800, "{rollout}");
    assert!(waves.iter().all(|wave| wave["done"] == wave["assets"]), "{rollout}");
    visit.end();
}

#[test]
fn what_a_visitor_does_out_of_order_is_told_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let visit = Visit::begin(&folder.path().join("demo"));
    let id = visit.part(6)["directive"].as_str().unwrap().to_owned();
    visit.must("groups/shop/demote", &json!({}));
    let told = visit.get("overview")["demo"]["can"].to_string();
    assert!(told.contains("Let group shop act again"), "{told}");
    visit.must("groups/shop/promote", &json!({}));
    visit.must(&format!("directives/{id}/refuse"), &json!({ "why": "the vendor withdrew it" }));
    let over = visit.part(10)["happens"].to_string();
    assert!(over.contains("closed without its fix"), "{over}");
    visit.end();
}

#[test]
fn a_demonstration_and_a_real_estate_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let real =
        || Hosts::Real { gateway: "127.0.0.1:0".parse().unwrap(), names: vec!["localhost".to_owned()] };
    let clock = Arc::new(Clock::new(Timestamp::from_millis(BEGIN_MS), Pace::Steps));
    let played = || Hosts::Played(Arc::new(Show::new(clock.clone())));
    let refused = |data: &Path, hosts: Hosts| {
        let served = runtime.block_on(serve(settings(data, hosts)));
        served.err().expect("it must not be served").to_string()
    };
    let (demo, estate) = (folder.path().join("demo"), folder.path().join("estate"));
    runtime.block_on(async {
        serve(settings(&demo, played())).await.unwrap().stop().await;
        serve(settings(&demo, played())).await.unwrap().stop().await;
        serve(settings(&estate, real())).await.unwrap().stop().await;
    });
    let why = refused(&demo, real());
    assert!(why.contains("holds a demonstration"), "{why}");
    let why = refused(&estate, played());
    assert!(why.contains("is not empty and holds no demonstration"), "{why}");
}

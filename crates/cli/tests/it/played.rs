//! An estate that is played, as fast as it goes, for commands that ask a server.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tenon_demo::{Clock, Estate, Pace, Player, Show};
use tenon_model::{AssetId, Inventory, Timestamp};
use tenon_server::{DirectiveView, DirectivesPage, Hosts, Overview, Running, Settings, serve};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// 2026-06-15, noon.
const BEGIN_MS: i64 = 1_781_524_800_000;
/// Fewer hosts than the demonstration has: the story's own are all there.
const HOSTS: usize = 150;
/// How long a part of the story may take here.
const DEADLINE: Duration = Duration::from_secs(180);

/// The demonstration with a server in this process.
pub(crate) struct Played {
    runtime: Runtime,
    running: Running,
    stop: watch::Sender<bool>,
    player: JoinHandle<()>,
    data: PathBuf,
}

impl Played {
    pub(crate) fn begin(data: &Path) -> Self {
        Self::begin_at(data, "127.0.0.1:0".parse().unwrap())
    }

    /// The same at an address; in a folder in which it was played before it goes on there.
    pub(crate) fn begin_at(data: &Path, listen: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = Arc::new(Clock::new(Timestamp::from_millis(BEGIN_MS), Pace::Steps));
        let hosts = Hosts::Played(Arc::new(Show::new(clock.clone())));
        let settings = Settings {
            listen,
            requests_per_second: 10_000.try_into().unwrap(),
            ..Settings::on_loopback(data.to_owned(), hosts, "visitor".parse().unwrap())
        };
        let running = runtime.block_on(serve(settings)).unwrap();
        let (stop, stopped) = watch::channel(false);
        let player = Player::new(Estate::new(Estate::SEED, HOSTS), clock);
        let writer = running.writer.clone();
        let player = runtime.spawn(async move { player.run(writer, stopped).await.unwrap() });
        Self { runtime, running, stop, player, data: data.to_owned() }
    }

    /// Ends it, and gives the address at which it was.
    pub(crate) fn end(self) -> SocketAddr {
        self.stop.send_replace(true);
        self.runtime.block_on(async {
            self.player.await.unwrap();
            let listen = self.running.listen;
            self.running.stop().await;
            listen
        })
    }

    /// The program, as the owner of the data folder would start it.
    pub(crate) fn tenon(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
        command.env_clear().envs(self.env()).args(words);
        command
    }

    /// By what the program finds the server and its owner's token.
    pub(crate) fn env(&self) -> [(&'static str, OsString); 2] {
        let url = format!("http://{}", self.running.listen);
        [("TENON_DATA", self.data.clone().into()), ("TENON_URL", url.into())]
    }

    /// All that a host said last, as a whole report.
    pub(crate) fn said(&self, asset: &str) -> Inventory {
        let world = self.running.writer.world();
        let state = world.asset(&asset.parse().unwrap()).unwrap();
        let mut facts = state.profile().unwrap().clone();
        facts.hostname.clone_from(&state.hostname);
        facts.offers = world.offers_of(state).unwrap();
        let components = world.components_of(state).unwrap();
        Inventory { facts, components: components.iter().map(|component| (**component).clone()).collect() }
    }

    /// A host's next report, as its agent would send it.
    pub(crate) fn report(&self, asset: &str, inventory: Inventory) {
        let asset: AssetId = asset.parse().unwrap();
        let last = self.running.writer.world().asset(&asset).unwrap().reported.unwrap().0;
        let command = tenon_model::Command::ReportInventory { asset, sequence: last + 1, inventory };
        self.runtime.block_on(self.running.writer.submit(command, None)).unwrap();
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.tenon(words).output().unwrap()
    }

    /// What a command prints that must succeed.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let token = self.running.folder.operator_token().unwrap();
        let asked = ureq::get(format!("http://{}/api/v1/{path}", self.running.listen));
        let asked = asked.header("authorization", format!("Bearer {}", token.expose()));
        asked.call().unwrap().body_mut().read_json().unwrap()
    }

    /// Until what is asked for is there: asked again whenever the record moved on.
    pub(crate) fn wait<T>(&self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
        let mut follow = self.running.writer.follow();
        let begun = Instant::now();
        loop {
            follow.borrow_and_update();
            if let Some(found) = ask(self) {
                return found;
            }
            let moved = async { tokio::time::timeout(DEADLINE, follow.changed()).await };
            let moved = self.runtime.block_on(moved);
            let moves = moved.is_ok_and(|moved| moved.is_ok()) && begun.elapsed() < DEADLINE;
            assert!(moves, "{what}: {:?}", self.get::<Overview>("overview").demo);
        }
    }

    /// Waits until the story waits for its visitor, what else was under way has ended, and nothing moves; gives the directive that
    /// the story is about.
    pub(crate) fn at_rest(&self) -> String {
        let id = self.part(6);
        self.wait("the end of the other rollout", |played| {
            let found = played.get::<DirectivesPage>("directives?q=quillsql&group=data");
            let other = played.get::<DirectiveView>(&format!("directives/{}", found.items.first()?.id));
            (other.rollout?.state == "over").then_some(())
        });
        self.evidence_of_all(&id);
        id
    }

    /// Waits until no host owes the evidence that the directive's row asks for.
    pub(crate) fn evidence_of_all(&self, id: &str) -> DirectiveView {
        self.wait("evidence of every host", |played| {
            let view = played.get::<DirectiveView>(&format!("directives/{id}"));
            (view.evidence.as_ref()?.lacking == 0).then_some(view)
        })
    }

    /// Waits for a part of the story; gives the directive that it is about.
    pub(crate) fn part(&self, part: u32) -> String {
        self.wait(&format!("part {part}"), |played| {
            let demo = played.get::<Overview>("overview").demo?;
            (demo.part == part).then_some(demo.directive?)
        })
    }
}

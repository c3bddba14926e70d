//! `tenon up`: server, and this machine's agent, until stopped.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tenon_agent::AgentState;
use tenon_feeds::Source;
use tenon_model::{Command as CoreCommand, GroupName, Person};
use tenon_server::{Hosts, Running, Settings, TlsFiles, serve};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[cfg(feature = "demo")]
use crate::common::log_lines_to_stderr;
use crate::common::{Common, RecordStore, log_to_stderr};

/// The group of this machine.
const GROUP: &str = "default";
/// The wait before an agent that ended is started again.
const RESTART: Duration = Duration::from_secs(5);

/// Start Tenon.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon up\n  tenon up --data /srv/tenon --feeds /srv/mirror\n  tenon up --no-agent --gateway 10.0.0.5:8421 --gateway-name tenon.example.org\n  tenon up --store postgres://tenon@%2Frun%2Fpostgresql/tenon\n  tenon up --history /srv/mirror\n  tenon up --demo\n\n\
    Nothing on this machine changes until a person promotes its group: the agent only looks."
)]
pub(crate) struct Up {
    #[command(flatten)]
    store: RecordStore,
    /// Where people and the command line connect. Elsewhere than on loopback use TLS, or passwords travel readable.
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Further names, with port, under which people reach it: `tenon.example.org:8420`.
    #[arg(long, value_name = "NAME:PORT")]
    name: Vec<String>,
    /// Certificate of the API with its chain (PEM). It is read at the start: after a renewal start again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let everybody who reaches this machine's loopback read without signing in.
    #[arg(long)]
    open_reading: bool,
    /// Where agents connect, over mutual TLS.
    #[arg(long, default_value = "127.0.0.1:8421", value_name = "ADDRESS:PORT")]
    gateway: SocketAddr,
    /// Further names of the gateway that agents use to reach it.
    #[arg(long, value_name = "NAME")]
    gateway_name: Vec<String>,
    /// Advisories and intel: `public`, the address or folder of a mirror, or `none`.
    #[arg(long, env = "TENON_FEEDS", default_value = "public")]
    feeds: String,
    /// Days of history to keep, as in `400d`, at least 30. Without it every entry is kept for good. What is older is let go once
    /// a snapshot stands for it; `docs/operations.md` says what remains.
    #[arg(long, value_name = "DAYS")]
    keep_history: Option<Days>,
    /// The file that says who is told what needs a person: `tenon messages --help` [default: messages.yaml in the data folder,
    /// where there is one]. It is read at the start.
    #[arg(long, env = "TENON_MESSAGES", value_name = "FILE")]
    messages: Option<PathBuf>,
    /// Years of public history, over which the page replays policies: a folder as `tenon backtest run --history` takes it.
    #[arg(long, env = "TENON_HISTORY", value_name = "FOLDER")]
    history: Option<PathBuf>,
    /// Do not run an agent for this machine.
    #[arg(long)]
    no_agent: bool,
    /// An estate of 2,000 hosts that are played, and a story to learn on: no agents, no feeds, a folder of its own, which is
    /// temporary unless --data names one.
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["gateway", "gateway_name", "feeds", "messages", "no_agent", "store"])]
    demo: bool,
    /// How many seconds of the demonstration pass in one.
    #[cfg(feature = "demo")]
    #[arg(long, requires = "demo", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600), value_name = "TIMES")]
    demo_pace: u32,
}

/// Days of history.
#[derive(Debug, Clone, Copy)]
struct Days(NonZeroU32);

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse::<NonZeroU32>().ok());
        days.filter(|days| (30..=36_500).contains(&days.get()))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no number of days from 30d to 36500d"))
    }
}

impl Up {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        #[cfg(feature = "demo")]
        if self.demo {
            // The story, and not each order of 2,000 hosts.
            log_lines_to_stderr("warn,tenon_demo=info");
            let served =
                runtime.block_on(crate::demo::up(common, self.settings(PathBuf::new())?, self.demo_pace));
            runtime.shutdown_timeout(Duration::from_secs(1));
            return served;
        }
        log_to_stderr();
        let data = common.data()?;
        let served = runtime.block_on(self.serve(data));
        // A feed may still be downloading; the journal is closed already.
        runtime.shutdown_timeout(Duration::from_secs(1));
        served
    }

    fn settings(&self, data: PathBuf) -> Result<Settings> {
        let feeds = match self.feeds.as_str() {
            "none" => None,
            text => Some(text.parse::<Source>()?),
        };
        let mut gateway_names = self.gateway_name.clone();
        gateway_names.extend(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
        if !self.gateway.ip().is_unspecified() {
            gateway_names.push(self.gateway.ip().to_string());
        }
        gateway_names.sort();
        gateway_names.dedup();
        let user = std::env::var("SUDO_USER")
            .or_else(|_| std::env::var("USER"))
            .unwrap_or_else(|_| "operator".to_owned());
        let person: Person = user.parse().or_else(|_| "operator".parse())?;
        Ok(Settings {
            data,
            store: self.store.named()?,
            listen: self.listen,
            hosts: Hosts::Real { gateway: self.gateway, names: gateway_names },
            person,
            open_reading: self.open_reading,
            names: self.name.clone(),
            patience: Settings::PATIENCE,
            requests_per_second: Settings::REQUESTS_PER_SECOND,
            tls: self
                .tls_cert
                .clone()
                .zip(self.tls_key.clone())
                .map(|(certificate, key)| TlsFiles { certificate, key }),
            feeds,
            keep_days: self.keep_history.map(|Days(days)| days),
            messages: self.messages.clone(),
            history: self.history.clone(),
        })
    }

    async fn serve(self, data: PathBuf) -> Result<()> {
        let settings = self.settings(data)?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let running = serve(settings).await?;
        greet(&running, scheme)?;
        std::io::stdout().flush()?;
        let group: GroupName = GROUP.parse()?;
        let (stop, stopped) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let signals = async {
            let interrupted = tokio::select! {
                _ = terminate.recv() => Ok(()),
                interrupted = tokio::signal::ctrl_c() => interrupted,
            };
            eprintln!("stopping; a change in progress on this machine is finished first");
            stop.send_replace(true);
            interrupted
        };
        let agent = async {
            if !self.no_agent {
                keep_agent(&running, &group, stopped.clone()).await;
            }
        };
        let asked = async {
            tokio::select! {
                () = ask_once(&running, &group), if !self.no_agent => {}
                () = until(stopped.clone()) => {}
            }
        };
        let (interrupted, (), ()) = tokio::join!(signals, agent, asked);
        running.stop().await;
        Ok(interrupted?)
    }
}

/// Ends when the watch says so; a dropped sender says so too.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    let _said = stopped.wait_for(|stop| *stop).await;
}

pub(crate) fn greet(running: &Running, scheme: &str) -> Result<()> {
    let token = running.folder.operator_token()?;
    println!("Tenon  {scheme}://{}/", running.listen);
    if is_journal(std::io::stdout()) {
        // What is printed is kept there, for others to read than the owner of the folder.
        let file = running.folder.path("operator.token");
        println!(
            "       to sign in there, open  {scheme}://{}/#token=...  ({})",
            running.listen,
            file.display()
        );
    } else {
        println!("       to sign in there, open  {scheme}://{}/#token={}", running.listen, token.expose());
    }
    println!("data   {}", running.folder.root().display());
    println!("record {} ({})", running.store, running.durability);
    if let Some(gateway) = running.gateway {
        println!("agents https://{gateway}  (more hosts: tenon enrol-token)");
    }
    Ok(())
}

/// Whether systemd's journal reads this stream: then it names the stream's device and inode (systemd.exec(5)).
fn is_journal(stream: impl AsFd) -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(stream).is_ok_and(|seen| named == format!("{}:{}", seen.st_dev, seen.st_ino))
}

/// Enrols this machine where it is not, and keeps its agent running as a process of its own until told to stop. The agent
/// ends by itself, after what it is doing, when its standard input does: also when this process dies.
async fn keep_agent(running: &Running, group: &GroupName, stopped: watch::Receiver<bool>) {
    let state = running.folder.path("agent");
    while !*stopped.borrow() {
        let started = tokio::select! {
            started = start_agent(running, group, &state) => started,
            () = until(stopped.clone()) => return,
        };
        match started {
            Ok(mut child) => {
                let stdin = child.stdin.take();
                tokio::select! {
                    ended = child.wait() => match ended {
                        Ok(status) => tracing::warn!(%status, "the agent ended: starting it again"),
                        Err(error) => tracing::warn!(%error, "the agent cannot be waited for"),
                    },
                    () = until(stopped.clone()) => {
                        drop(stdin);
                        // Its own end is what is waited for; how it ended was logged by itself.
                        let _ended = child.wait().await;
                        return;
                    }
                }
            }
            Err(error) => tracing::error!("the agent does not start: {error:#}"),
        }
        tokio::select! {
            () = tokio::time::sleep(RESTART) => {}
            () = until(stopped.clone()) => {}
        }
    }
}

async fn start_agent(running: &Running, group: &GroupName, state: &Path) -> Result<Child> {
    let program = std::env::current_exe().context("finding this program's file")?;
    let gateway = running.gateway.context("no gateway is open for agents")?;
    if AgentState::open(state)?.identity()?.is_none() {
        let token = running.enrol_token(group.clone()).await?;
        let mut enrol = Command::new(&program)
            .args(["agent", "enrol", "--server", &format!("https://{gateway}"), "--state"])
            .arg(state)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = enrol.stdin.take() {
            stdin.write_all(token.reveal().as_bytes()).await?;
        }
        let status = enrol.wait().await?;
        if !status.success() {
            bail!("enrolling this machine failed ({status})");
        }
    }
    let mut agent = Command::new(&program);
    Ok(agent
        .args(["agent", "run", "--until-input-ends", "--state"])
        .arg(state)
        .stdin(Stdio::piped())
        .spawn()?)
}

/// Asks the person at the terminal, once and only after the first report, whether the agent may act.
async fn ask_once(running: &Running, group: &GroupName) {
    let mut follow = running.writer.follow();
    let reported =
        follow.wait_for(|world| world.assets().any(|(_, asset)| asset.reported.is_some())).await.is_ok();
    let undecided = running.writer.world().mode_decided(group).is_none();
    if !reported || !undecided {
        return;
    }
    if !std::io::stdin().is_terminal() {
        println!(
            "This machine is only observed. To let Tenon rehearse, and apply what you approve: tenon promote {group}"
        );
        return;
    }
    let question = "Let Tenon rehearse security updates on a throw-away copy of this machine, and apply those you approve? [y/N] ";
    let answer = tokio::task::spawn_blocking(move || {
        print!("{question}");
        let mut line = String::new();
        std::io::stdout().flush().and_then(|()| std::io::stdin().read_line(&mut line)).map(|_| line)
    });
    let yes =
        matches!(answer.await, Ok(Ok(line)) if ["y", "yes"].contains(&line.trim().to_lowercase().as_str()));
    let (group, by) = (group.clone(), running.owner().clone());
    if !yes {
        println!("Only observed. Later: tenon promote {group}");
        return;
    }
    match running.writer.submit(CoreCommand::Promote { group, by }, None).await {
        Ok(_) => println!("Rehearsals begin. Nothing is applied before you approve it."),
        Err(error) => eprintln!("not promoted: {error}"),
    }
}

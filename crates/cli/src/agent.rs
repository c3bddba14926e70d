//! The agent of this host, as a program of its own.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use tenon_agent::{AgentState, Control};
use tenon_wire::EnrolToken;

use crate::common::{Common, log_to_stderr};
use crate::{hooks, limits};

/// Longest token that is read, in bytes.
const MAX_TOKEN: u64 = 4_096;

#[derive(Subcommand)]
pub(crate) enum Agent {
    /// Make this host an asset. The token comes on standard input, so that no process list shows it.
    #[command(
        after_help = "Example:\n  tenon enrol-token | ssh host tenon agent enrol --server https://tenon.example:8421"
    )]
    Enrol {
        /// Address of the agents' gateway.
        #[arg(long, value_name = "URL")]
        server: String,
        /// The agent's own folder.
        #[arg(long, default_value = "/var/lib/tenon-agent", value_name = "FOLDER")]
        state: PathBuf,
    },
    /// Report, take orders, report again, until stopped.
    Run {
        /// The agent's own folder.
        #[arg(long, default_value = "/var/lib/tenon-agent", value_name = "FOLDER")]
        state: PathBuf,
        /// Stop, too, when standard input ends: with the program that started this one.
        #[arg(long)]
        until_input_ends: bool,
    },
    /// Print what would be reported; sends and changes nothing.
    Inventory,
    /// What this host never does, whoever asks: root's own file.
    #[command(subcommand)]
    Limits(limits::Command),
    /// What runs around a change: root's own programs.
    #[command(subcommand)]
    Hooks(hooks::Command),
}

impl Agent {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self {
            Self::Enrol { server, state } => enrol(&server, &state),
            Self::Run { state, until_input_ends } => run(&state, until_input_ends),
            Self::Limits(limits) => limits.run(common),
            Self::Hooks(hooks) => hooks.run(common),
            Self::Inventory => {
                let inventory = tenon_host::inventory(&tenon_host::System::live(), None)?;
                println!("{}", serde_json::to_string_pretty(&inventory)?);
                Ok(())
            }
        }
    }
}

fn enrol(server: &str, state: &std::path::Path) -> Result<()> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_TOKEN)
        .read_to_string(&mut text)
        .context("reading the token from standard input")?;
    let token: EnrolToken = text.parse()?;
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let identity = tenon_agent::enrol(&AgentState::open(state)?, server, &token, &hostname)?;
    println!("{hostname} is enrolled as {}", identity.asset);
    Ok(())
}

fn run(state: &std::path::Path, until_input_ends: bool) -> Result<()> {
    log_to_stderr();
    let state = AgentState::open(state)?;
    let control = Arc::new(Control::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let worker = {
            let control = control.clone();
            tokio::task::spawn_blocking(move || tenon_agent::run(&state, &control))
        };
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let input = async {
            if !until_input_ends {
                std::future::pending::<()>().await;
            }
            // Input that cannot be read has ended, too.
            let _ended = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
        };
        tokio::select! {
            ended = worker => return ended.context("the agent ended unexpectedly")?.map_err(anyhow::Error::from),
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            () = input => {}
        }
        control.stop();
        // A change in progress is finished; a poll is not waited for.
        while control.is_working() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::process::exit(0)
    })
}

//! The agent as a process: what ends it, and when.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tenon_program::log_to_stderr;
use tokio::signal::unix::{SignalKind, signal};

use crate::{AgentState, Control};

/// How often it looks whether its own files were replaced. Every second it was half of what an agent at rest took.
const LOOK: Duration = Duration::from_secs(5);
/// How often it looks whether what it does is over, once it shall end.
const SOON: Duration = Duration::from_millis(100);

/// What ends the agent besides signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The end of standard input.
    pub(super) with_input: bool,
    /// That a file which it runs was replaced.
    pub(super) when_replaced: bool,
}

/// Runs until stopped; what is being done then is finished.
pub(super) fn run(state: &Path, ends: Ends) -> Result<()> {
    log_to_stderr();
    let state = AgentState::open(state)?;
    let control = Arc::new(Control::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let worker = {
            let control = control.clone();
            tokio::task::spawn_blocking(move || crate::run(&state, &control))
        };
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = worker => return ended.context("the agent ended unexpectedly")?.map_err(anyhow::Error::from),
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            () = input_ends(), if ends.with_input => {}
            () = replaced(), if ends.when_replaced => {
                tracing::info!("a file that the agent runs was replaced: it ends, to be started anew");
            }
        }
        control.stop();
        // A change in progress is finished; a poll is not waited for.
        while control.is_working() {
            tokio::time::sleep(SOON).await;
        }
        std::process::exit(0)
    })
}

async fn input_ends() {
    // Input that cannot be read has ended, too.
    let _ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
}

async fn replaced() {
    while !tenon_host::runs_replaced_files() {
        tokio::time::sleep(LOOK).await;
    }
}

//! `tenon up --demo`: a server whose hosts are played.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tenon_demo::{Clock, Estate, Pace, Player, Show};
use tenon_host::now;
use tenon_model::Timestamp;
use tenon_server::{Hosts, Settings, serve};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::common::Common;
use crate::up::{greet, until};

/// How many days of the estate are played before the visitor comes, in milliseconds.
const BEFORE_MS: i64 = 10 * 86_400_000;

/// Serves a demonstration until it is stopped.
pub(crate) async fn up(common: &Common, settings: Settings, pace: u32) -> Result<()> {
    let folder = Folder::of(common)?;
    let begin = Timestamp::from_millis(now().as_millis().saturating_sub(BEFORE_MS));
    let clock = Arc::new(Clock::new(begin, Pace::Times(pace)));
    let settings = Settings {
        data: folder.path.clone(),
        hosts: Hosts::Played(Arc::new(Show::new(clock.clone()))),
        feeds: None,
        keep_days: None,
        messages: None,
        ..settings
    };
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let running = serve(settings).await?;
    println!(
        "DEMO   everything here is invented: {} hosts that are played, advisories whose ids begin with DEMO",
        Estate::HOSTS
    );
    greet(&running, scheme)?;
    let data = folder.path.display();
    println!("       the page tells what happens and what to do; in another terminal:");
    println!("       export TENON_DATA={data} TENON_URL={scheme}://{}", running.listen);
    println!("       tenon queue; tenon plan show DIRECTIVE; tenon log");
    println!("       a second here is {pace} seconds there; Ctrl-C ends it{}", folder.fate());
    std::io::stdout().flush()?;

    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let player = Player::new(Estate::new(Estate::SEED, Estate::HOSTS), clock);
    let signals = async {
        let interrupted = tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
            // Also when the player cannot go on.
            () = until(stopped.clone()) => Ok(()),
        };
        stop.send_replace(true);
        interrupted
    };
    let playing = async {
        let played = player.run(running.writer.clone(), stopped.clone()).await;
        stop.send_replace(true);
        played
    };
    let (interrupted, played) = tokio::join!(signals, playing);
    running.stop().await;
    played?;
    Ok(interrupted?)
}

/// Where a demonstration keeps its record.
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn of(common: &Common) -> Result<Self> {
        if let Some(data) = &common.data {
            return Ok(Self { path: data.clone(), temporary: false });
        }
        let name = format!("tenon-demo-{}-{}", std::process::id(), now().as_millis());
        let path = std::env::temp_dir().join(name);
        // Not one that somebody else made there.
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("making a temporary folder {}", path.display()))?;
        Ok(Self { path, temporary: true })
    }

    fn fate(&self) -> &'static str {
        if self.temporary { " and removes its folder" } else { "; with the same --data it goes on" }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("{} is left: {error}", self.path.display());
        }
    }
}

//! How soon a demonstration can be looked at, and what it holds: `cargo run --release -p tenon-demo --example start`.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenon_demo::{Clock, Estate, Pace, Player, Show};
use tenon_model::Timestamp;
use tenon_server::{Hosts, Settings, serve};
use tokio::sync::watch;

/// 2026-06-15, noon.
const BEGIN_MS: i64 = 1_781_524_800_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let begun = Instant::now();
    let clock = Arc::new(Clock::new(Timestamp::from_millis(BEGIN_MS), Pace::USUAL));
    let hosts = Hosts::Played(Arc::new(Show::new(clock.clone())));
    let settings = Settings::on_loopback(folder.path().join("demo"), hosts, "bench".parse()?);
    let running = runtime.block_on(serve(settings))?;
    let (stop, stopped) = watch::channel(false);
    let player = Player::new(Estate::new(Estate::SEED, Estate::HOSTS), clock);
    let playing = runtime.spawn(player.run(running.writer.clone(), stopped));
    ureq::get(format!("http://{}/", running.listen)).call()?;
    show("the page", begun.elapsed());

    let group = "shop".parse()?;
    let mut follow = running.writer.follow();
    runtime.block_on(follow.wait_for(|world| world.asset_count() == Estate::HOSTS))?;
    show("2,000 hosts are enrolled", begun.elapsed());
    runtime.block_on(follow.wait_for(|world| world.mode_decided(&group).is_some()))?;
    show("the story begins", begun.elapsed());
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("  memory at most {}", line.trim_start_matches("VmHWM:").trim());
    }
    stop.send_replace(true);
    runtime.block_on(async {
        playing.await??;
        running.stop().await;
        Ok::<_, Box<dyn Error>>(())
    })
}

fn show(what: &str, after: Duration) {
    println!("  {what:<26} after {after:>8.2?}");
}

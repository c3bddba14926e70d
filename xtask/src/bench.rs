//! Benchmarks: whole programs, optimised, their processor time and memory as the system accounts them, beside the budget.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::step::Step;

/// Runs of which the cheapest counts: what else the machine does only adds.
const RUNS: usize = 7;
/// The same of what takes seconds.
const REPLAYS: usize = 3;
const PROGRAM: &str = "target/release/tenon";

/// What a run cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    cpu_us: u64,
    wall_us: u64,
    memory_kib: u64,
}

/// Runs the program in the data folder `data` and prints what it cost. The system tells the largest memory only over all
/// children of a process, so that each run is measured by a process of its own.
pub(crate) fn one(data: &Path, arguments: &[String]) -> Result<()> {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("TENON_DATA", data).env_remove("TENON_FEEDS");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.output().with_context(|| format!("starting {PROGRAM}"))?;
    let wall_us = started.elapsed().as_micros();
    // 3: a feed of the mirror is stale, as mirrors are.
    if !matches!(output.status.code(), Some(0 | 3)) {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("tenon {} ended with {}: {told}", arguments.join(" "), output.status);
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("asking for the use of resources")?;
    let micros = |time: TimeVal| i128::from(time.tv_sec()) * 1_000_000 + i128::from(time.tv_usec());
    let cpu_us = micros(usage.user_time()) + micros(usage.system_time());
    println!("{cpu_us} {wall_us} {}", usage.max_rss());
    Ok(())
}

fn measure(data: &Path, arguments: &[&str]) -> Result<Cost> {
    let program = std::env::current_exe().context("finding this program's file")?;
    let mut command = Command::new(program);
    command.arg("bench-one").arg(data).arg("--").args(arguments).stderr(Stdio::inherit());
    let output = command.output().context("measuring")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [cpu_us, wall_us, memory_kib] if output.status.success() => Ok(Cost { cpu_us, wall_us, memory_kib }),
        _ => bail!("tenon {} could not be measured", arguments.join(" ")),
    }
}

/// Feeds and scans, against a mirror folder.
pub(crate) fn bench(feeds: &Path) -> Result<()> {
    let data = std::env::temp_dir().join(format!("tenon-bench-{}", std::process::id()));
    let measured = table(&feeds.display().to_string(), &data);
    // What a failed run leaves behind is only in the way.
    let _removed = fs::remove_dir_all(&data);
    measured
}

fn table(feeds: &str, data: &Path) -> Result<()> {
    let store = data.join("store").display().to_string();
    let line = |what: &str, figure: &str, budget: &str| println!("{what:<50} {figure:<34} {budget}");
    line("what", "figure", "budget");
    let load = measure(data, &["feeds", "sync", "--mirror", feeds, "--store", &store])?;
    let size = fs::metadata(data.join("store/feeds.sqlite")).context("the store's file")?.len() >> 20;
    line(
        "every feed of the mirror into an empty store",
        &format!(
            "{:.1} s, {} MB, store {size} MB",
            Duration::from_micros(load.wall_us).as_secs_f32(),
            load.memory_kib >> 10
        ),
        "60 s, 1,000 MB, store 500 MB",
    );
    let status = "/var/lib/dpkg/status";
    let packages = fs::read_to_string(status).context("this machine's dpkg status")?;
    let packages = packages.matches("\nStatus: install ok installed").count();
    let scan =
        ["scan", "--dpkg-status", status, "--os-release", "/etc/os-release", "--store", store.as_str()];
    let costs: Vec<Cost> = (0..RUNS).map(|_| measure(data, &scan)).collect::<Result<_>>()?;
    let best = costs.into_iter().min().context("no run")?;
    line(
        &format!("scan of {packages} packages, warm, the whole program"),
        &format!("{:.0} ms CPU, {} MB", best.cpu_us as f64 / 1_000.0, best.memory_kib >> 10),
        "50 ms CPU, 40 MB for 700 packages",
    );
    if !Path::new(feeds).join("epss/epss_changes.csv.xz").is_file() {
        println!(
            "policies over history are left out: the mirror holds no history of scores (epss/epss_changes.csv.xz)"
        );
        return Ok(());
    }
    for policy in ["model-top=1%", "model>=0.001", "epss>=0.1", "bod-26-04"] {
        let replay = ["backtest", "run", "--history", feeds, "--from", "2024-03", "--policy", policy];
        let costs: Vec<Cost> = (0..REPLAYS).map(|_| measure(data, &replay)).collect::<Result<_>>()?;
        let best = costs.into_iter().min().context("no run")?;
        line(
            &format!("{policy} over all days of scores, reading included"),
            &format!(
                "{:.1} s CPU, {:.1} s, {} MB",
                Duration::from_micros(best.cpu_us).as_secs_f32(),
                Duration::from_micros(best.wall_us).as_secs_f32(),
                best.memory_kib >> 10
            ),
            "5 s",
        );
    }
    Ok(())
}

/// Benchmarks of single parts, each an example of its crate that prints its figures. `large` adds the estates of a million hosts.
pub(crate) fn examples(large: bool) -> Result<()> {
    let mut wanted: Vec<(&str, &str, &str, &[&str])> = vec![
        ("durable appends", "tenon-journal", "appends", &[]),
        ("appends while a snapshot is kept", "tenon-journal", "snapshots", &[]),
        ("the core with a synthetic estate", "tenon-engine", "estate", &["2000", "200", "600"]),
        ("the core with what a peer was measured on", "tenon-engine", "estate", &["6252", "6252", "2302"]),
        ("durable reports through the writer", "tenon-server", "reports", &["20000", "600"]),
        ("the views of a running server", "tenon-server", "views", &["20000", "250"]),
        ("the start of a demonstration", "tenon-demo", "start", &[]),
    ];
    if large {
        wanted.push(("a million hosts", "tenon-engine", "estate", &["1000000", "20000", "600"]));
        wanted.push((
            "a million hosts, none alike",
            "tenon-engine",
            "estate",
            &["1000000", "1000000", "600"],
        ));
    }
    for (what, package, example, words) in wanted {
        let run = ["run", "--release", "--quiet", "--package", package, "--example", example, "--"];
        let words: Vec<&str> = run.into_iter().chain(words.iter().copied()).collect();
        Step::cargo(what, &words).run()?;
    }
    Ok(())
}

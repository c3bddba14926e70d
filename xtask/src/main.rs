//! `cargo xtask`: one entry point for daily work, so that a newcomer needs no other step.

mod bench;
mod deb;
mod fuzz;
mod need;
mod rest;
mod step;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use step::Step;

/// Daily work on Tenon.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and start Tenon at http://127.0.0.1:8420 with this machine as its first asset.
    #[command(after_help = "Examples:\n  cargo xtask up\n  cargo xtask up -- --data /srv/tenon --no-agent")]
    Up {
        /// Passed on to `tenon up`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Write what the code says of itself: the API's description, the page's types of it, the reference of codes.
    Generate,
    /// Format, lints and the tests that need no host: the fast inner loop.
    Check,
    /// Every test, installing first what this distribution provides and the tests need (as root).
    Test {
        /// Only tests whose name contains this.
        filter: Option<String>,
    },
    /// The full counts: what `test` samples. Writes a dated report under docs/reports/.
    #[command(
        after_help = "Examples:\n  cargo xtask soak\n  cargo xtask soak journal   again, and into the report of today beside the others"
    )]
    Soak {
        /// Only steps whose name contains this; they are added to the report of today.
        filter: Option<String>,
    },
    /// Processor time and memory of the optimised program, beside the budgets.
    #[command(
        after_help = "Examples:\n  cargo xtask bench --feeds /srv/mirror\n  cargo xtask bench --feeds /srv/mirror --large"
    )]
    Bench {
        /// A mirror of the feeds, as a folder.
        #[arg(long, value_name = "FOLDER")]
        feeds: PathBuf,
        /// Also the estates of a million hosts: half an hour, 6 GB of memory.
        #[arg(long)]
        large: bool,
    },
    /// Memory and processor time of this machine's agent while nothing happens, against a server of its own; fails over the budget.
    #[command(
        after_help = "Examples:\n  cargo xtask rest\n  cargo xtask rest --minutes 60 --programs /usr/bin   programs that are installed"
    )]
    Rest {
        /// How long it rests.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_440))]
        minutes: u64,
        /// The folder of `tenon` and `tenon-agent` [default: built now, optimised].
        #[arg(long, value_name = "FOLDER")]
        programs: Option<PathBuf>,
    },
    /// The model that foresees exploitation, made anew, with its report.
    #[command(after_help = "Examples:\n  cargo xtask predict --history /srv/mirror")]
    Predict {
        /// The public history: a mirror of the feeds, as a folder.
        #[arg(long, value_name = "FOLDER")]
        history: PathBuf,
    },
    /// Every parser of outside data under a coverage-guided fuzzer.
    #[command(after_help = "Examples:\n  cargo xtask fuzz\n  cargo xtask fuzz --seconds 600 versions")]
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only targets whose name contains this.
        filter: Option<String>,
    },
    /// Debian packages of the server and of the agent, in target/deb.
    #[command(
        after_help = "Examples:\n  cargo xtask deb\n  cargo xtask deb --repository /srv/apt --key 0xDEADBEEF   also a signed repository\n  \
                      cargo xtask deb --profile dev             quick to build, for a try"
    )]
    Deb(deb::Deb),
    /// One measured run of the program, for `bench`.
    #[command(hide = true)]
    BenchOne {
        /// The data folder.
        data: PathBuf,
        /// What the program is told.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Real Debian hosts on this machine, for work by hand (as root).
    #[command(
        after_help = "Examples:\n  cargo xtask fleet up 3 --full\n  cargo xtask fleet exec h1 apt-get update\n  \
                            cargo xtask fleet cut h1"
    )]
    Fleet {
        /// What to do: `up [N] [--full]`, `list`, `exec HOST CMD...`, `copy HOST FILE TO`, `cut|join|power-off|boot HOST`,
        /// `down`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

fn main() -> Result<()> {
    let root =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?.to_owned();
    std::env::set_current_dir(&root).with_context(|| format!("entering {}", root.display()))?;
    match Cli::parse().task {
        Task::Up { arguments } => up(&arguments),
        Task::Generate => generate(),
        Task::Check => check(),
        Task::Test { filter } => test(filter.as_deref()),
        Task::Soak { filter } => soak(&root, filter.as_deref()),
        Task::Bench { feeds, large } => {
            need::linker()?;
            page()?;
            Step::cargo("build", &["build", "--release", "--package", "tenon-cli"]).run()?;
            bench::bench(&feeds)?;
            bench::examples(large)
        }
        Task::Rest { minutes, programs } => {
            if let Some(programs) = programs {
                return rest::rest(&programs, minutes);
            }
            need::linker()?;
            let programs = ["--package", "tenon-cli", "--package", "tenon-agent"];
            Step::cargo("build", &[&["build", "--release"][..], &programs].concat()).run()?;
            rest::rest(std::path::Path::new("target/release"), minutes)
        }
        Task::Predict { history } => predict(&history),
        Task::Fuzz { seconds, filter } => {
            need::linker()?;
            fuzz::fuzz(seconds, filter.as_deref())
        }
        Task::Deb(deb) => deb.run(),
        Task::BenchOne { data, arguments } => bench::one(&data, &arguments),
        Task::Fleet { words } => {
            need::test_packages()?;
            let fixed = ["run", "--quiet", "--package", "tenon-fleet", "--example", "fleet", "--"];
            let words: Vec<&str> = fixed.into_iter().chain(words.iter().map(String::as_str)).collect();
            Step::cargo("fleet", &words).exec()
        }
    }
}

/// Trains the shipped model: the program that is built then holds it.
fn predict(history: &std::path::Path) -> Result<()> {
    need::linker()?;
    Step::cargo("build", &["build", "--release", "--package", "tenon-cli"]).run()?;
    let history = history.display().to_string();
    let words = ["target/release/tenon", "predict", "train", "--history", &history];
    let files = ["--out", "crates/predict/data/model.json", "--report", "docs/reference/prediction.md"];
    let words: Vec<&str> = words.into_iter().chain(files).collect();
    Step::new("train the model and measure it", &words).run()
}

fn up(arguments: &[String]) -> Result<()> {
    need::linker()?;
    page()?;
    Step::cargo("build", &["build", "--release", "--package", "tenon-cli"]).run()?;
    let mut command = vec!["target/release/tenon", "up"];
    command.extend(arguments.iter().map(String::as_str));
    Step::new("start Tenon", &command).exec()
}

/// The page is compiled into the program, so it is built first; again only when something of it is newer than the last
/// build. Without Node the program is built without its page, and says so.
fn page() -> Result<()> {
    if !need::on_path("npm") {
        eprintln!(
            "npm is missing: building without the page; the API and the command line work all the same"
        );
        return Ok(());
    }
    if !step::is_up_to_date("web/package-lock.json", "web/node_modules/.package-lock.json") {
        Step::new("page: packages", &["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .within("web")
            .run()?;
    }
    let parts = ["web/src", "web/index.html", "web/public", "web/package-lock.json", "web/vite.config.js"];
    if parts.iter().all(|part| step::is_up_to_date(part, "web/dist/index.html")) {
        return Ok(());
    }
    Step::new("page: build", &["npm", "run", "--silent", "build"]).within("web").run()
}

/// Generated files are checked in, so that reviews see what changed; tests hold them against the code.
fn generate() -> Result<()> {
    need::linker()?;
    Step::cargo("build", &["build", "--quiet", "--package", "tenon-cli"]).run()?;
    for (words, file) in [
        (&["openapi"][..], "web/openapi.json"),
        (&["reference", "refusals"], "docs/reference/refusals.md"),
        (&["scan", "--schema"], "docs/reference/scan.schema.json"),
    ] {
        let output = std::process::Command::new("target/debug/tenon").args(words).output();
        let output = output.with_context(|| format!("starting target/debug/tenon {}", words.join(" ")))?;
        anyhow::ensure!(output.status.success(), "tenon {} failed: {}", words.join(" "), output.status);
        std::fs::write(file, output.stdout).with_context(|| format!("writing {file}"))?;
    }
    Step::new("types of the page", &["npm", "run", "--silent", "types"]).within("web").run()
}

fn check() -> Result<()> {
    page()?;
    Step::cargo("format", &["fmt", "--all", "--check"]).run()?;
    Step::cargo("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
        .run()?;
    if need::on_path("cargo-deny") {
        let what = ["deny", "--log-level", "error", "check", "bans", "licenses", "sources"];
        Step::cargo("licences and sources of what is linked", &what).run()?;
    }
    let fast = [
        "tenon-model",
        "tenon-versions",
        "tenon-risk",
        "tenon-predict",
        "tenon-formats",
        "tenon-feeds",
        "tenon-engine",
        "tenon-journal",
        "tenon-wire",
        "tenon-server",
        "tenon-demo",
    ];
    let mut arguments = vec!["test", "--quiet"];
    for package in fast {
        arguments.extend(["--package", package]);
    }
    Step::cargo("tests without hosts", &arguments).run()
}

fn test(filter: Option<&str>) -> Result<()> {
    need::linker()?;
    need::test_packages()?;
    page()?;
    Step::cargo("build the program and the tests", &["build", "--workspace", "--all-targets"]).run()?;
    let mut arguments = vec!["test", "--workspace"];
    arguments.extend(filter);
    // Output of passed tests shows what was measured and what was skipped by name. Hosts are booted one or two at a time:
    // more at once would only slow each other down into their deadlines.
    arguments.extend(["--", "--show-output", "--test-threads", "2"]);
    Step::cargo("tests", &arguments).run()?;
    if filter.is_none() && need::on_path("npm") {
        Step::new("page: tests in a real browser", &["npm", "test", "--silent"]).within("web").run()?;
    }
    Ok(())
}

fn soak(root: &std::path::Path, filter: Option<&str>) -> Result<()> {
    need::linker()?;
    need::test_packages()?;
    page()?;
    Step::cargo("build", &["build", "--workspace", "--all-targets"]).run()?;
    step::report(
        &root.join("docs/reports"),
        filter,
        vec![
            Step::cargo("dpkg order, 100,000 pairs", &["test", "-p", "tenon-versions", "--", "--nocapture"])
                .env("TENON_SOAK", "1"),
            Step::cargo("journal, every crash point", &["test", "-p", "tenon-journal", "--", "--nocapture"])
                .env("TENON_SOAK", "1"),
            Step::cargo("core, random histories", &["test", "-p", "tenon-engine", "--", "--nocapture"])
                .env("TENON_SOAK", "1"),
            Step::cargo(
                "public history: policies and planted leaks",
                &["test", "--release", "-p", "tenon-feeds", "--", "--nocapture", "history_public"],
            )
            .env("TENON_SOAK", "1"),
            Step::cargo(
                "order of work, 50 estates",
                &["test", "--release", "-p", "tenon-feeds", "--", "--nocapture", "order::"],
            )
            .env("TENON_SOAK", "1"),
            Step::cargo(
                "seven months of one administrator",
                &["test", "-p", "tenon-server", "--", "--nocapture", "month"],
            )
            .env("TENON_SOAK", "1"),
            Step::cargo("hosts", &["test", "-p", "tenon-host", "--", "--nocapture", "--test-threads", "2"])
                .env("TENON_SOAK", "1"),
            Step::cargo(
                "20 hosts in three tiers",
                &["test", "-p", "tenon-cli", "--", "--nocapture", "--test-threads", "1", "tiers::", "real::"],
            )
            .env("TENON_SOAK", "1"),
            Step::cargo(
                "a host cut off beyond its window",
                &["test", "-p", "tenon-cli", "--", "--nocapture", "late::"],
            )
            .env("TENON_SOAK", "1"),
            Step::cargo(
                "story, both endings, 20 times",
                &["test", "-p", "tenon-cli", "--", "--nocapture", "story"],
            )
            .env("TENON_SOAK", "1"),
        ],
    )
}

//! `cargo xtask`: one entry point for daily work, so that a newcomer needs no other step.

mod need;
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
    /// Format, lints and the tests that need no host: the fast inner loop.
    Check,
    /// Every test, installing first what this distribution provides and the tests need (as root).
    Test {
        /// Only tests whose name contains this.
        filter: Option<String>,
    },
    /// The full counts: what `test` samples. Writes a dated report under docs/reports/.
    Soak,
    /// Build (or find cached) the image of the test fleet and say what is pending in it.
    Fleet,
}

fn main() -> Result<()> {
    let root =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?.to_owned();
    std::env::set_current_dir(&root).with_context(|| format!("entering {}", root.display()))?;
    match Cli::parse().task {
        Task::Up { arguments } => up(&arguments),
        Task::Check => check(),
        Task::Test { filter } => test(filter.as_deref()),
        Task::Soak => soak(&root),
        Task::Fleet => {
            Step::cargo("image of the test fleet", &["run", "-q", "-p", "tenon-fleet", "--example", "image"])
                .run()
        }
    }
}

fn up(arguments: &[String]) -> Result<()> {
    need::linker()?;
    web()?;
    Step::cargo("build", &["build", "--release", "--package", "tenon-cli"]).run()?;
    let mut command = vec!["target/release/tenon", "up"];
    command.extend(arguments.iter().map(String::as_str));
    Step::new("start Tenon", &command).exec()
}

/// The page is compiled into the program, so it is built first.
fn web() -> Result<()> {
    if !std::path::Path::new("web/node_modules/.package-lock.json").exists() {
        Step::new("page: packages", &["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .within("web")
            .run()?;
    }
    Step::new("page: build", &["npm", "run", "--silent", "build"]).within("web").run()
}

fn check() -> Result<()> {
    web()?;
    Step::cargo("format", &["fmt", "--all", "--check"]).run()?;
    Step::cargo("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
        .run()?;
    if need::on_path("cargo-deny") {
        Step::cargo("licences and advisories", &["deny", "--log-level", "error", "check"]).run()?;
    }
    let fast = [
        "tenon-model",
        "tenon-versions",
        "tenon-risk",
        "tenon-formats",
        "tenon-engine",
        "tenon-journal",
        "tenon-wire",
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
    web()?;
    Step::cargo("build the program and the tests", &["build", "--workspace", "--all-targets"]).run()?;
    let mut arguments: Vec<&str> = if need::on_path("cargo-nextest") {
        vec!["nextest", "run", "--workspace"]
    } else {
        vec!["test", "--workspace"]
    };
    arguments.extend(filter);
    // One host test at a time: side by side they would only slow each other down into their deadlines.
    Step::cargo("tests", &arguments).env("RUST_TEST_THREADS", "2").run()
}

fn soak(root: &std::path::Path) -> Result<()> {
    need::linker()?;
    need::test_packages()?;
    web()?;
    Step::cargo("build", &["build", "--workspace", "--all-targets"]).run()?;
    step::report(
        &root.join("docs/reports"),
        vec![
            Step::cargo("dpkg order, 100,000 pairs", &["test", "-p", "tenon-versions", "--", "--nocapture"])
                .env("TENON_SOAK", "1"),
            Step::cargo("journal, every crash point", &["test", "-p", "tenon-journal", "--", "--nocapture"])
                .env("TENON_SOAK", "1"),
            Step::cargo(
                "story, both endings, 20 times",
                &["test", "-p", "tenon-cli", "--", "--nocapture", "story"],
            )
            .env("TENON_SOAK", "1"),
        ],
    )
}

//! The parsers of outside data under libFuzzer, one after the other.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::Step;

/// Coverage as libFuzzer reads it. The flags are those of LLVM's sanitizer coverage; no sanitizer is needed, since no
/// parser here uses unsafe code.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=yes -Coverflow-checks=yes";
/// Longest input, in bytes, and what one run may take.
const LIMITS: [&str; 3] = ["-max_len=65536", "-timeout=10", "-rss_limit_mb=2048"];

/// Fuzzes each target, or those whose name contains `filter`, for so many seconds.
pub(crate) fn fuzz(seconds: u32, filter: Option<&str>) -> Result<()> {
    let host = host()?;
    let arguments =
        ["build", "--release", "--target", &host, "--package", "tenon-fuzz", "--features", "libfuzzer"];
    Step::cargo("build with coverage", &arguments).env("RUSTFLAGS", COVERAGE).run()?;
    let program = format!("target/{host}/release/fuzz");
    let mut failed = Vec::new();
    for target in targets(filter)? {
        let corpus = format!("target/fuzz/{target}");
        fs::create_dir_all(&corpus).with_context(|| format!("making {corpus}"))?;
        let seeds = format!("crates/fuzz/seeds/{target}");
        let time = format!("-max_total_time={seconds}");
        let artifacts = format!("-artifact_prefix=target/fuzz/found-{target}-");
        let mut words = vec![program.as_str(), &corpus, &seeds, &time, &artifacts, "-print_final_stats=1"];
        words.extend(LIMITS);
        let step = Step::new(&format!("fuzz {target}"), &words).env("TENON_FUZZ_TARGET", &target);
        if let Err(error) = step.run() {
            eprintln!("{error:#}: the input is in {artifacts}*; keep it under {seeds}/ once it is mended");
            failed.push(target);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("found something in {}", failed.join(", ")) }
}

/// The triple that this compiler builds for.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").stdin(Stdio::null()).output().context("asking rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not tell its host")
}

/// Every folder of seeds is a target's, which a test holds.
fn targets(filter: Option<&str>) -> Result<Vec<String>> {
    let folder = Path::new("crates/fuzz/seeds");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| filter.is_none_or(|filter| name.contains(filter)));
    names.sort();
    if names.is_empty() {
        bail!("no target's name contains {:?}", filter.unwrap_or_default())
    } else {
        Ok(names)
    }
}

//! One step of a task: a command with a name people recognise, its duration and its failure.

use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A command to run.
pub(crate) struct Step {
    name: String,
    command: Command,
}

impl Step {
    pub(crate) fn new(name: &str, words: &[&str]) -> Self {
        let mut command = Command::new(words.first().copied().unwrap_or("true"));
        command.args(words.iter().skip(1)).stdin(Stdio::null());
        Self { name: name.to_owned(), command }
    }

    pub(crate) fn cargo(name: &str, arguments: &[&str]) -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut words = vec![cargo.as_str()];
        words.extend(arguments);
        Self::new(name, &words)
    }

    pub(crate) fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// Runs it, its output passing through.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("== {}", self.name);
        let started = Instant::now();
        let status = self.command.status().with_context(|| self.cannot_start())?;
        if !status.success() {
            bail!("{} failed: {status}", self.name);
        }
        eprintln!("== {}: {:.1} s", self.name, started.elapsed().as_secs_f32());
        Ok(())
    }

    /// Becomes it; returns only when that fails.
    pub(crate) fn exec(mut self) -> Result<()> {
        eprintln!("== {}", self.name);
        self.command.stdin(Stdio::inherit());
        let error = self.command.exec();
        Err(error).with_context(|| self.cannot_start())
    }

    fn cannot_start(&self) -> String {
        format!("{}: starting {}", self.name, self.command.get_program().to_string_lossy())
    }
}

/// Runs every step, or those whose name contains a filter, also after a failure, and writes what each measured into a dated
/// report. A line that starts with `measured:` is a figure; test runners' closing lines are kept too. The report is written
/// after each step, so that what was measured stays when a later one is given up. Under a filter it goes on from that of today.
pub(crate) fn report(folder: &Path, filter: Option<&str>, steps: Vec<Step>) -> Result<()> {
    let date = text_of("date", &["-u", "+%Y-%m-%d"])?;
    let commit = text_of("git", &["rev-parse", "--short", "HEAD"])?;
    let machine = format!("{} cores, {}", text_of("nproc", &[])?, text_of("uname", &["-sr"])?);
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = folder.join(format!("{date}-soak.md"));
    let before = filter.and_then(|_| std::fs::read_to_string(&file).ok());
    let mut page = match (filter, before) {
        (Some(filter), Some(before)) => {
            format!("{before}\nCommit {commit}, {machine}. Made by `cargo xtask soak {filter}`.\n")
        }
        (None, _) | (_, None) => {
            let words = filter.map(|filter| format!(" {filter}")).unwrap_or_default();
            format!("# Soak of {date}\n\nCommit {commit}, {machine}. Made by `cargo xtask soak{words}`.\n")
        }
    };
    let mut failed = Vec::new();
    let wanted = |step: &Step| filter.is_none_or(|filter| step.name.contains(filter));
    for mut step in steps.into_iter().filter(wanted) {
        eprintln!("== {}", step.name);
        let started = Instant::now();
        let output = step.command.stderr(Stdio::inherit()).output().with_context(|| step.cannot_start())?;
        let verdict = if output.status.success() { "passed" } else { "FAILED" };
        writeln!(page, "\n## {}: {verdict} in {} s\n\n```", step.name, started.elapsed().as_secs())?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let line = line.trim();
            if ["measured:", "skipped:", "test result:"].iter().any(|mark| line.starts_with(mark)) {
                writeln!(page, "{line}")?;
            }
        }
        page.push_str("```\n");
        std::fs::write(&file, &page).with_context(|| format!("writing {}", file.display()))?;
        if !output.status.success() {
            failed.push(step.name);
        }
    }
    println!("{page}\nwritten to {}", file.display());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// What a program says, without the blanks around it.
pub(crate) fn text_of(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("starting {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {} failed ({}): {}", arguments.join(" "), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether nothing under `part` is newer than the file `result`; `false` where there is no result.
pub(crate) fn is_up_to_date(part: &str, result: &str) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = modified(Path::new(result)) else { return false };
    newest(Path::new(part)).is_none_or(|newest| newest <= built)
}

fn newest(path: &Path) -> Option<std::time::SystemTime> {
    let own = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    entries.filter_map(|entry| newest(&entry)).chain(own).max()
}

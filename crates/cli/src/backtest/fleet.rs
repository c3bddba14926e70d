//! The hosts for which policies are replayed: what `tenon scan` says of each.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_predict::CveId;
use tenon_predict::backtest::{Fleet, Replayed, Size, Spared};

use crate::common::document;

/// Largest file about a host: a scan of a large one is some megabytes.
const MAX_SCAN: usize = 64 << 20;
/// Most files of a folder.
const MAX_FILES: usize = 100_000;

/// For which hosts policies are replayed, and what work on them costs.
#[derive(Args)]
pub(super) struct For {
    /// What `tenon scan --format json` said of a host, or a folder of such files: what each policy would have meant to these hosts.
    #[arg(long, value_name = "FILE|FOLDER")]
    fleet: Vec<PathBuf>,
    /// Days from asking for a fix until a host has it.
    #[arg(long, value_name = "DAYS", default_value_t = 7, requires = "fleet")]
    fix_days: u16,
    /// Minutes of work that an update of one package on one host takes.
    #[arg(long, value_name = "MINUTES", default_value_t = 30, requires = "fleet")]
    change_minutes: u32,
}

/// As far as it is read here.
#[derive(Deserialize)]
struct Scan {
    host: Host,
}

#[derive(Deserialize)]
struct Host {
    hostname: String,
    open: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    vulnerability: String,
    source: String,
}

impl For {
    /// The hosts; `None` where none are named.
    pub(super) fn read(&self) -> Result<Option<Fleet>> {
        if self.fleet.is_empty() {
            return Ok(None);
        }
        let mut fleet = Fleet::new(self.fix_days);
        for path in &self.fleet {
            for file in files(path)? {
                add(&mut fleet, &file).with_context(|| file.display().to_string())?;
            }
        }
        Ok(Some(fleet))
    }

    /// Hours that so many changes take, whole ones.
    fn hours(&self, changes: u64) -> u64 {
        changes.saturating_mul(u64::from(self.change_minutes)) / 60
    }

    pub(super) fn json(&self, size: Size, of: &[Replayed]) -> Value {
        let one = |one: &Replayed| {
            let spared = one.spared?;
            Some(json!({
                "policy": one.policy.to_string(),
                "spared": spared,
                "work_hours": self.hours(spared.changes),
            }))
        };
        json!({
            "size": size,
            "change_minutes": self.change_minutes,
            "policies": of.iter().filter_map(one).collect::<Vec<_>>(),
        })
    }

    pub(super) fn text(&self, size: Size, of: &[Replayed], wide: usize) -> String {
        let Size { hosts, packages, findings, cves, fix_days } = size;
        let mut text = format!(
            "\n{hosts} {} with {findings} findings of {cves} CVEs in {packages} packages on them; fixed {fix_days} days after it is asked for.\n\
             {:<wide$} {:>8} {:>10} {:>9} {:>6} {:>14}\n",
            if hosts == 1 { "host" } else { "hosts" },
            "policy",
            "changes",
            "work hours",
            "exploited",
            "ahead",
            "exposed hours"
        );
        for one in of {
            let Some(Spared { changes, exploited, ahead, exposed_hours }) = one.spared else { continue };
            let (policy, hours) = (one.policy.to_string(), self.hours(changes));
            text += &format!(
                "{policy:<wide$} {changes:>8} {hours:>10} {exploited:>9} {ahead:>6} {exposed_hours:>14}\n"
            );
        }
        text
    }
}

/// A file, or those of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.with_context(|| path.display().to_string())?.path();
        if file.extension().is_some_and(|kind| kind == "json") {
            files.push(file);
        }
        if files.len() > MAX_FILES {
            bail!("{} holds more than {MAX_FILES} files: name a folder of fewer hosts", path.display());
        }
    }
    if files.is_empty() {
        bail!("{} holds no file *.json: `tenon scan --format json` writes one for each host", path.display());
    }
    files.sort();
    Ok(files)
}

fn add(fleet: &mut Fleet, file: &Path) -> Result<()> {
    let text = document(file, MAX_SCAN)?;
    let Scan { host } =
        serde_json::from_slice(&text).context("it is not what `tenon scan --format json` writes")?;
    let Host { hostname, open } = host;
    if !fleet.add(&hostname) {
        bail!("{hostname} is there already: each host counts once");
    }
    for Finding { vulnerability, source } in open {
        // Updates of vendors that name no CVE have no history.
        if let Ok(cve) = vulnerability.parse::<CveId>() {
            fleet.find(&hostname, &source, cve);
        }
    }
    Ok(())
}

//! What this host never does, whoever asks: root's own file, shown and checked. Nothing here writes it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tenon_formats::Problem;
use tenon_host::limits::{Limits, LimitsFile, MAX_LIMITS, read};

use tenon_program::{Format, document};

/// What this host never does, whoever asks.
#[derive(Subcommand)]
#[command(after_help = "Examples:\n  tenon agent limits show\n  tenon agent limits check limits.toml\n\n\
    The file is root's, and no order can change it. `docs/operations.md` describes it.")]
pub enum Command {
    /// Say what this host never does, as the agent would read it now; fails where the file is not believed.
    Show(Show),
    /// Read a file of limits and say everything that is wrong with it; whose it is does not matter here.
    Check(Check),
}

/// Say what this host never does.
#[derive(Args)]
pub struct Show {
    /// Another file, held to the same: root's, in folders that only root writes [default: /etc/tenon/limits.toml]
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

/// Read a file of limits.
#[derive(Args)]
pub struct Check {
    /// The file (TOML).
    file: PathBuf,
}

impl Command {
    pub fn run(&self, format: Format) -> Result<()> {
        match self {
            Self::Show(show) => show.run(format),
            Self::Check(check) => check.run(format),
        }
    }
}

impl Show {
    fn run(&self, format: Format) -> Result<()> {
        let file = self.file.as_ref().map_or_else(LimitsFile::of_this_host, |path| LimitsFile::at(path, 0));
        match file.read() {
            Ok(limits) => {
                let whose = match &limits.from {
                    Some(path) => path.display().to_string(),
                    None => format!("the defaults: there is no {}", file.path().display()),
                };
                say(format, &limits, &format!("what this host never does, whoever asks ({whose}):"))
            }
            Err(distrust) => {
                tell(format, file.path(), &distrust.why, &distrust.problems);
                bail!("{distrust}")
            }
        }
    }
}

impl Check {
    fn run(&self, format: Format) -> Result<()> {
        let shown = self.file.display();
        let bytes = document(&self.file, MAX_LIMITS)?;
        let text = String::from_utf8(bytes).with_context(|| format!("{shown}: not UTF-8"))?;
        match read(&text) {
            Ok(limits) => {
                let limits = Limits { from: Some(self.file.clone()), ..limits };
                say(format, &limits, &format!("a host with {shown} as its limits, whoever asks:"))
            }
            Err(problems) => {
                tell(format, &self.file, "it is not understood", problems.listed());
                bail!("{shown}: {} problems; a host with it carries out no order", problems.total())
            }
        }
    }
}

fn say(format: Format, limits: &Limits, heading: &str) -> Result<()> {
    let never = limits.sentences();
    match format {
        Format::Json => {
            let said = json!({ "believed": true, "limits": limits, "never": never, "problems": [] });
            println!("{}", serde_json::to_string_pretty(&said)?);
        }
        Format::Text => {
            println!("{heading}");
            for sentence in never {
                println!("  {sentence}");
            }
            println!(
                "Taking back a change that failed, and finishing one that was cut off, is never held up."
            );
        }
    }
    Ok(())
}

fn tell(format: Format, file: &Path, why: &str, problems: &[Problem]) {
    match format {
        Format::Json => {
            let each = |problem: &Problem| json!({ "place": problem.place, "reason": problem.reason });
            let problems: Vec<_> = problems.iter().map(each).collect();
            println!("{:#}", json!({ "believed": false, "file": file, "why": why, "problems": problems }));
        }
        Format::Text => {
            for problem in problems {
                eprintln!("{}: {problem}", file.display());
            }
        }
    }
}

//! Root's own programs around a change: what would run, in which order, and whether it is believed. Nothing here writes or
//! runs them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_host::hooks::{Hook, Hooks, HooksFolder, Whose};
use tenon_model::HookMoment;

use tenon_program::Format;

/// Root's own programs around a change.
#[derive(Subcommand)]
#[command(after_help = "Examples:\n  tenon agent hooks list\n  tenon agent hooks check hooks.d\n\n\
    The programs are root's, and no order can name, change or skip one. `docs/operations.md` describes them.")]
pub enum Command {
    /// Say what would run around a change, as the agent would find it now; fails where a program is not believed.
    List(List),
    /// Look at a folder of hooks and say everything that is wrong with it; whose it is does not matter here.
    Check(Check),
}

/// Say what would run around a change.
#[derive(Args)]
pub struct List {
    /// Another folder, held to the same: root's, in folders that only root writes [default: /etc/tenon/hooks.d]
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
}

/// Look at a folder of hooks.
#[derive(Args)]
pub struct Check {
    /// The folder.
    folder: PathBuf,
}

impl Command {
    pub fn run(&self, format: Format) -> Result<()> {
        let folder = match self {
            Self::List(List { folder: None }) => HooksFolder::of_this_host(),
            Self::List(List { folder: Some(path) }) => HooksFolder::at(path, Whose::User(0)),
            Self::Check(Check { folder }) if !folder.is_dir() => {
                bail!("{}: no such folder", folder.display())
            }
            Self::Check(Check { folder }) => HooksFolder::at(folder, Whose::Anybody),
        };
        let found = folder.look();
        match format {
            Format::Json => println!("{:#}", as_json(folder.path(), &found)),
            Format::Text => print!("{}", in_words(folder.path(), &found)),
        }
        match found.problems.len() {
            0 => Ok(()),
            wrong => {
                bail!("{}: {wrong} problems; a host with it carries out no order", folder.path().display())
            }
        }
    }
}

fn as_json(folder: &Path, found: &Hooks) -> Value {
    let order = |moment| found.at(moment).iter().map(|hook| hook.name.as_str()).collect::<Vec<_>>();
    let hook = |hook: &Hook| {
        let program = |(moment, path): (&HookMoment, &PathBuf)| {
            let why = found.problems.iter().find(|problem| problem.path == *path).map(|problem| &problem.why);
            json!({ "moment": moment, "path": path, "believed": why.is_none(), "why": why })
        };
        let programs: Vec<Value> = hook.programs.iter().map(program).collect();
        json!({ "name": hook.name, "timeout_s": hook.timeout_s, "programs": programs })
    };
    json!({
        "believed": found.problems.is_empty(),
        "folder": folder,
        "order": HookMoment::ALL.map(|moment| (moment.name(), order(moment))).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "hooks": found.hooks.iter().map(hook).collect::<Vec<_>>(),
        "problems": found.problems,
    })
}

fn in_words(folder: &Path, found: &Hooks) -> String {
    let mut text = String::new();
    if found.hooks.is_empty() && found.problems.is_empty() {
        return format!("nothing runs around a change: there is no hook in {}\n", folder.display());
    }
    for (moment, when) in [
        (HookMoment::Before, "before anything is changed"),
        (HookMoment::After, "after a change that holds"),
        (
            HookMoment::Undo,
            "when nothing was changed after all, or it was taken back and the services are well",
        ),
    ] {
        let hooks = found.at(moment);
        if hooks.is_empty() {
            continue;
        }
        text.push_str(&format!("{when}:\n"));
        for hook in hooks {
            let Some(path) = hook.programs.get(&moment) else { continue };
            let wrong = found.problems.iter().find(|problem| problem.path == *path);
            let wrong = wrong.map(|problem| format!("; not believed: {}", problem.why)).unwrap_or_default();
            text.push_str(&format!("  {}, at most {} s{wrong}\n", path.display(), hook.timeout_s));
        }
    }
    for problem in &found.problems {
        text.push_str(&format!("{problem}\n"));
    }
    text
}

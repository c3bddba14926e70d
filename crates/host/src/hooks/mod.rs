//! Programs that root of this host wrote, run around a change: a host leaves a load balancer and comes back to it. No server
//! sends, names or skips one.
//!
//! ```text
//! folder  /etc/tenon/hooks.d/NAME/{before,after,undo,timeout}: whose they are -> Hooks, or why they are not believed
//! program one of them run: bounded in time and output, its whole group killed at the end
//! ```
//!
//! Which of them run when, and what is remembered of it, is the change's (`change/around.rs`).

mod folder;
mod program;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tenon_model::HookMoment;

pub use folder::{HooksFolder, Whose};
pub(crate) use program::{Call, kill_leftovers, run};

/// Seconds that a program has where its hook does not say.
pub const USUAL_SECONDS: u32 = 120;
/// Most seconds that a hook may give its programs. A server waits 45 minutes for the whole change.
pub const MOST_SECONDS: u32 = 900;
/// Most hooks on one host.
pub const MOST_HOOKS: usize = 32;

/// A stable code: what runs around a change is not known, so none is made.
pub(crate) const DISTRUSTED: &str = "hooks-distrusted";
/// A stable code: a program that has to run before a change failed, so none was made.
pub(crate) const FAILED: &str = "hook-failed";

/// One hook: programs that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// Its name, that of its folder. Hooks begin in the order of their names and end in the reverse one.
    pub name: String,
    /// Seconds that each of its programs has.
    pub timeout_s: u32,
    /// The programs that it has.
    pub programs: BTreeMap<HookMoment, PathBuf>,
}

/// What is wrong with a folder of hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookProblem {
    /// The file or folder.
    pub path: PathBuf,
    /// Why it is not believed, or not understood.
    pub why: String,
}

impl fmt::Display for HookProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

/// A folder of hooks as it is: what is in it, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hooks {
    /// The hooks, by name.
    pub hooks: Vec<Hook>,
    /// What is wrong; where there is anything no order is carried out.
    pub problems: Vec<HookProblem>,
}

impl Hooks {
    /// The programs of one moment, in the order in which they would run where every hook has begun.
    pub fn at(&self, moment: HookMoment) -> Vec<&Hook> {
        let mut hooks: Vec<&Hook> =
            self.hooks.iter().filter(|hook| hook.programs.contains_key(&moment)).collect();
        if moment != HookMoment::Before {
            hooks.reverse();
        }
        hooks
    }
}

/// Hooks that are there and are not believed: what has to run around a change is not known, so none is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrusted {
    /// Everything that is wrong; one at least.
    pub problems: Vec<HookProblem>,
}

impl fmt::Display for Distrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no order is carried out until root mends ")?;
        if let Some(first) = self.problems.first() {
            write!(f, "{first}")?;
        }
        match self.problems.len().saturating_sub(1) {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Distrusted {}

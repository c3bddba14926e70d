//! What the programs that root of a host runs around a change did. A server neither sends nor names them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// When a program of a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookMoment {
    /// Before anything is changed.
    Before,
    /// After a change that holds.
    After,
    /// After a change that was not begun or was taken back.
    Undo,
}

impl HookMoment {
    /// Every moment.
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Undo];

    /// Its name, which is that of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Undo => "undo",
        }
    }
}

impl fmt::Display for HookMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a program of a hook ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum HookEnd {
    /// By itself; zero is well, 128 and more a signal.
    Exited {
        /// Exit code, or 128 plus the signal.
        code: i32,
    },
    /// It was killed because its time was over.
    TimedOut {
        /// Seconds that it had.
        after_s: u32,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// The agent was cut off while it ran.
    CutOff,
    /// It was left out on purpose.
    LeftOut {
        /// Why.
        reason: String,
    },
}

impl HookEnd {
    /// Whether it did what it is for, as far as it says.
    pub fn is_well(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

impl fmt::Display for HookEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "ended with {code}"),
            Self::TimedOut { after_s } => write!(f, "did not end within {after_s} s and was killed"),
            Self::NotStarted { reason } => write!(f, "could not be started: {reason}"),
            Self::CutOff => f.write_str("was cut off"),
            Self::LeftOut { reason } => write!(f, "was not run: {reason}"),
        }
    }
}

/// One program of a hook that ran, or should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRun {
    /// The hook's name on the host.
    pub hook: String,
    /// Which of its programs.
    pub moment: HookMoment,
    /// How it ended.
    #[serde(flatten)]
    pub end: HookEnd,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The end of what it wrote, bounded.
    pub output: String,
}

//! What a change needs to know of the time before it: on the disk before anything changes, so that a power cut leaves
//! neither a half-changed host that nobody knows of, nor a way back that is forgotten.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenon_model::{ApplyReport, HookMoment, Transaction};

use crate::manager::{Kind, Mend};
use crate::units::States;
use crate::{HostError, files};

use super::around::{Around, Served};

/// Largest record read.
const MAX_RECORD: u64 = 32 * 1024 * 1024;

/// How far a change is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    /// Hooks begin; the packages are as they were.
    Before,
    /// The packages change, are looked at, and taken back where they do not hold. Records from before there were hooks say
    /// nothing and mean this.
    #[default]
    Change,
    /// How it ended is known; hooks that had begun end.
    End {
        /// What is to be reported, but for what the hooks do.
        report: Box<ApplyReport>,
        /// With which of their programs; `None` where the host is not known to be well.
        moment: Option<HookMoment>,
    },
}

/// A change that has been begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Everything that is to change.
    pub(super) transaction: Transaction,
    /// The upgrade's command line.
    pub(super) upgrade: Vec<String>,
    /// Command lines of the way back, or why there is none.
    pub(super) back: Result<Vec<Vec<String>>, String>,
    /// Whose the command lines are.
    #[serde(default)]
    pub(super) kind: Kind,
    /// What ends an upgrade that was cut off.
    #[serde(default)]
    pub(super) mend: Mend,
    /// Services that ran when the packages began to change.
    pub(super) services: States,
    /// Processes that ran replaced files already.
    pub(super) stale: Vec<u32>,
    /// What was ordered; `None` in records from before there were hooks, which have none.
    #[serde(default)]
    pub(super) served: Option<Served>,
    /// The hooks around it.
    #[serde(default)]
    pub(super) hooks: Around,
    /// How far it is.
    #[serde(default)]
    pub(super) stage: Stage,
}

fn path(work: &Path) -> PathBuf {
    work.join("change.json")
}

impl Intent {
    /// The change that was begun and not ended, if there is one.
    pub(super) fn read(work: &Path) -> Result<Option<Self>, HostError> {
        let Some(text) = files::read_text_if_any(&path(work), MAX_RECORD)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| HostError::Malformed {
            what: path(work).display().to_string(),
            detail: error.to_string(),
        })
    }

    /// Puts it on the disk.
    pub(super) fn begin(&self, work: &Path) -> Result<(), HostError> {
        let text = serde_json::to_vec(self).map_err(|error| HostError::Malformed {
            what: path(work).display().to_string(),
            detail: error.to_string(),
        })?;
        files::write_durably(&path(work), &text)
    }

    /// The change has come to an end that its report tells.
    pub(super) fn end(work: &Path) -> Result<(), HostError> {
        files::remove_durably(&path(work))
    }
}

//! What a change needs to know of the time before it: on the disk before anything changes, so that a power cut leaves
//! neither a half-changed host that nobody knows of, nor a way back that is forgotten.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenon_model::Transaction;

use crate::units::States;
use crate::{HostError, files};

/// Largest record read.
const MAX_RECORD: u64 = 32 * 1024 * 1024;

/// A change that has been begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Everything that is to change.
    pub(super) transaction: Transaction,
    /// The upgrade's command line.
    pub(super) upgrade: Vec<String>,
    /// Command lines of the way back, or why there is none.
    pub(super) back: Result<Vec<Vec<String>>, String>,
    /// Services that ran.
    pub(super) services: States,
    /// Processes that ran replaced files already.
    pub(super) stale: Vec<u32>,
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

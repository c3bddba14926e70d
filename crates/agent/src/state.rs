//! What the agent keeps on the host, in a folder that only root reads.
//!
//! ```text
//! key.pem           the host's key; never leaves the host
//! certificate.pem   what the server's authority made of it
//! authority.pem     the server's authority
//! identity.json     asset id, server address, order key
//! progress.json     report sequence, generation of the last order begun, the order that is begun
//! accepted.json     the last inventory that the server accepted; deltas differ from it
//! answer.json       a report that the server has not accepted yet
//! work/             the host crate's own: downloads, what apt answered, rehearsals, intent of a change, copies of evidence
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenon_model::{AssetId, Generation, Order, OrderId};
use tenon_wire::{ApplyAnswer, EvidenceAnswer, RehearsalAnswer};

use crate::error::AgentError;

/// Largest state file that is read, in bytes.
const MAX_FILE: u64 = 32 << 20;

/// Who this host is, and whom it obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The asset.
    pub asset: AssetId,
    /// Address of the gateway.
    pub server: String,
    /// The key whose orders are carried out.
    pub order_key: String,
}

/// How far the agent is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Sequence of the last inventory sent.
    pub(crate) sequence: u64,
    /// Generation of the last order begun.
    pub(crate) last: Option<Generation>,
    /// The order that was begun and not answered.
    pub(crate) begun: Option<Order>,
}

/// A report that waits to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// To a rehearsal order.
    Rehearsal(RehearsalAnswer),
    /// To an order to preserve evidence.
    Evidence(EvidenceAnswer),
    /// To an apply order.
    Apply(ApplyAnswer),
}

impl Answer {
    /// The order that it answers.
    pub(crate) fn order(&self) -> OrderId {
        match self {
            Self::Rehearsal(answer) => answer.order,
            Self::Evidence(answer) => answer.order,
            Self::Apply(answer) => answer.order,
        }
    }
}

/// The state folder.
#[derive(Debug, Clone)]
pub struct AgentState(PathBuf);

impl AgentState {
    /// Opens the folder, creating it (0700) where it does not exist.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open(path: &Path) -> Result<Self, AgentError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| AgentError::State { doing: "create", path: path.to_owned(), source })?;
        Ok(Self(path.to_owned()))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Who this host is, if it is enrolled.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn identity(&self) -> Result<Option<Identity>, AgentError> {
        self.json("identity.json", "an identity")
    }

    /// Held while an agent runs: two with one identity would answer for each other.
    pub(crate) fn lock(&self) -> Result<fs::File, AgentError> {
        let path = self.0.join("lock");
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |source| AgentError::State { doing, path, source }
        };
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(AgentError::Running { path }),
            Err(fs::TryLockError::Error(source)) => Err(failed("lock")(source)),
        }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, AgentError> {
        let path = self.0.join(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > MAX_FILE => {
                Err(AgentError::Content { path, expected: "anything this size" })
            }
            Ok(_) => fs::read_to_string(&path).map(Some).map_err(|source| AgentError::State {
                doing: "read",
                path,
                source,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AgentError::State { doing: "read", path, source }),
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, AgentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| AgentError::Content { path: self.0.join(name), expected })
    }

    /// Writes a file whole or not at all; durable when this returns.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<(), AgentError> {
        let (path, new) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |source| AgentError::State { doing, path, source }
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .map_err(failed("create"))?;
        file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write"))?;
        fs::rename(&new, &path).map_err(failed("replace"))?;
        fs::File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder of"))
    }

    pub(crate) fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), AgentError> {
        let text = serde_json::to_string(value).map_err(|_| AgentError::Content {
            path: self.0.join(name),
            expected: "a value that can be encoded",
        })?;
        self.write(name, &text)
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), AgentError> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(AgentError::State { doing: "remove", path, source: error })
            }
            _ => Ok(()),
        }
    }
}

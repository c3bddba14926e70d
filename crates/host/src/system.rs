//! Which system is looked at.

use std::path::{Path, PathBuf};

/// A system to look at: the one this program runs on, or a directory that holds a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    root: PathBuf,
    live: bool,
}

impl System {
    /// The system this program runs on.
    #[must_use]
    pub fn live() -> Self {
        Self { root: PathBuf::from("/"), live: true }
    }

    /// A root file system that is not running: only its files are read, no program is started.
    #[must_use]
    pub fn at_rest(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), live: false }
    }

    /// Whether programs may be asked and processes looked at.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Where an absolute path of that system lies for this program.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// The root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

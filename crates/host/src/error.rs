//! Why something on the host could not be found out or done.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An operation on the host that failed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file could not be read, written or made.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried (`read`, `create`).
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than anything sensible.
    #[error("{path} is larger than {limit} bytes: not read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program and its arguments, cut.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program did not end in time and was killed.
    #[error("{program} did not end within {} s and was killed", after.as_secs())]
    Deadline {
        /// The program and its arguments, cut.
        program: String,
        /// The deadline.
        after: Duration,
    },
    /// A program wrote more than is read.
    #[error("{program} wrote more than {limit} bytes: its output is not used")]
    TooMuchOutput {
        /// The program and its arguments, cut.
        program: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A program failed.
    #[error("{program} ended with {status}: {detail}")]
    Failed {
        /// The program and its arguments, cut.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it wrote.
        detail: String,
    },
    /// A file or an output does not have the form it must have.
    #[error("{what}: {detail}")]
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried, on what.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl HostError {
    /// For `map_err`: what was tried on which file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err`: which system call failed on what.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(rustix::io::Errno) -> Self {
        let what = what.into();
        move |errno| Self::System { what, source: errno.into() }
    }
}

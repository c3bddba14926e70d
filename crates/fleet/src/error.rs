//! What can go wrong while building and running the fleet.

use std::{io, path::PathBuf, time::Duration};

/// A failure of the harness itself (never of the product under test).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of the harness could not be read or written.
    #[error("{action} {path}: {source}")]
    File {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason given by the system.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("start {program}: {source}; is it installed?")]
    Start {
        /// The program.
        program: String,
        /// The reason given by the system.
        source: io::Error,
    },
    /// A program ended with a failure.
    #[error("{program} ended with {status}: {stderr}")]
    Failed {
        /// The program and its arguments.
        program: String,
        /// The exit status, in words.
        status: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// A program or a condition took longer than allowed.
    #[error("{what} not done after {after:?}{detail}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// The time allowed.
        after: Duration,
        /// The last thing seen, or nothing.
        detail: String,
    },
    /// This machine's apt is not configured with a suite the image needs.
    #[error("apt on this machine has no source for suite {0}; add one to its sources")]
    NoSource(&'static str),
    /// The fresh image has no pending security update, so there is nothing to test with.
    #[error(
        "no security update is pending in a fresh bookworm image (a point release may just have been published)"
    )]
    NothingPending,
    /// A host, lab or package name that cannot be used.
    #[error("name {0:?} is not usable: 1 to 20 of a-z, 0-9 and -")]
    Name(String),
    /// A host with this name exists already in the lab.
    #[error("host {0} exists already in this lab")]
    Exists(String),
    /// A lab or a host that does not exist.
    #[error("no {kind} named {name}")]
    Unknown {
        /// `lab` or `host`.
        kind: &'static str,
        /// The name asked for.
        name: String,
    },
    /// The host is not running.
    #[error("host {0} is down; boot it first")]
    Down(String),
    /// A bridge has 1,024 ports; a lab stops before.
    #[error("a lab holds at most {0} hosts")]
    Full(usize),
    /// A path inside a host that cannot be written while the host is off.
    #[error("{0:?} cannot be written while the host is off: use an absolute path free of .. and links")]
    Path(PathBuf),
}

impl Error {
    /// For `map_err` on file operations: names the action and the file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

//! Why the agent cannot go on, or not yet.

use std::io;
use std::path::PathBuf;

use tenon_wire::Problem;

/// A failure of the agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file operation on the agent's state failed.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    State {
        /// The operation.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
    /// A state file does not hold what its name says.
    #[error("{path} does not hold {expected}: enrol this host again with a new token", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// There is no identity yet.
    #[error(
        "this host is not enrolled: run `tenon-agent enrol --server URL` (or `tenon agent enrol`) with a token from `tenon enrol-token`"
    )]
    NotEnrolled,
    /// There is one already.
    #[error("this host is enrolled already as {asset}: remove {path} to enrol it anew", path = path.display())]
    Enrolled {
        /// As whom.
        asset: tenon_model::AssetId,
        /// The state folder.
        path: PathBuf,
    },
    /// Another process is this host's agent.
    #[error("another agent runs on this host's identity (it holds {path}): stop it first", path = path.display())]
    Running {
        /// The lock.
        path: PathBuf,
    },
    /// The server shows another certificate authority than the token names.
    #[error(
        "{url} is not the server that made this token (its authority does not match): check the address, someone may be in between"
    )]
    OtherAuthority {
        /// The address asked.
        url: String,
    },
    /// The key or certificate request failed.
    #[error("key: {0}")]
    Key(#[from] rcgen::Error),
    /// The server cannot be reached, or does not speak as expected.
    #[error("{url}: {source}")]
    Transport {
        /// What was asked.
        url: String,
        /// The failure.
        source: Box<ureq::Error>,
    },
    /// The server refuses.
    #[error("{url}: {} ({}, HTTP {status})", problem.detail, problem.code)]
    Refused {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// Why.
        problem: Box<Problem>,
    },
    /// Looking at the host failed.
    #[error("inventory: {0}")]
    Host(#[from] tenon_host::HostError),
}

impl AgentError {
    /// Whether waiting and asking again may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Host(_) => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

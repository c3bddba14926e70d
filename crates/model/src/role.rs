//! What people are for: a role gives rights, and a policy may ask for one of whoever approves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person or token is for. A person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// States what assets are for, and which rules count.
    Analyst,
    /// Enrols hosts, lets groups act, tries again.
    Operator,
    /// Approves and refuses.
    Approver,
    /// Reports attacks, and nothing else: for the token of a device.
    Sensor,
    /// Reads the whole record, and who may do what.
    Auditor,
    /// All of it, and people besides.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Viewer,
        Self::Analyst,
        Self::Operator,
        Self::Approver,
        Self::Sensor,
        Self::Auditor,
        Self::Admin,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Sensor => "sensor",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: viewer, analyst, operator, approver, sensor, auditor or admin")]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NoRole(text.to_owned()))
    }
}

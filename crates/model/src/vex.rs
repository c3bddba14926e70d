//! What suppliers state about exploitability (VEX), reduced to what takes a finding off the list.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, VulnerabilityId};

/// That a vulnerability does not matter in one package. It is a claim of its author; what it takes off the list stays
/// visible with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VexStatement {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// OSV ecosystem of the package, without release (`Debian`, `PyPI`).
    pub ecosystem: String,
    /// The package: on Debian and Alpine a source package, or a binary one.
    pub package: String,
    /// The version it speaks of; `None` is every version.
    pub version: Option<String>,
    /// What is stated and why, in words.
    pub reason: String,
    /// Who states it.
    pub author: String,
    /// When it was known to be true.
    pub made: Timestamp,
}

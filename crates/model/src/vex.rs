//! What suppliers state about exploitability (VEX), reduced to what takes a finding off the list.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, VulnerabilityId};

/// What a statement names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VexSubject {
    /// A package as it is installed; others that were built from the same source are not meant.
    #[default]
    Binary,
    /// A source package, with everything that was built from it.
    Source,
}

/// That a vulnerability does not matter in one package. It is a claim of its author; what it takes off the list stays
/// visible with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VexStatement {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// OSV ecosystem of the package, without release (`Debian`, `PyPI`).
    pub ecosystem: String,
    /// The package.
    pub package: String,
    /// Whether that is a source package.
    #[serde(default)]
    pub subject: VexSubject,
    /// The release it speaks of, as OSV spells it (`Debian:12`); `None` is every release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The architecture it speaks of; `None` is every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The version it speaks of; `None` is every version.
    pub version: Option<String>,
    /// What is stated and why, in words.
    pub reason: String,
    /// Who states it.
    pub author: String,
    /// When it was known to be true.
    pub made: Timestamp,
}

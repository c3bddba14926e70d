//! Published records of which versions of which packages are affected, reduced to what matching needs.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, VulnerabilityId};

/// A range of affected versions, from an OSV `events` list (OSV schema 1.7, section `affected[].ranges[]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedRange {
    /// First affected version; `None` is OSV's `"0"`, before every version.
    pub introduced: Option<String>,
    /// First fixed version, exclusive end; `None` when no fix is known.
    pub fixed: Option<String>,
    /// Last affected version, inclusive end. OSV allows `fixed` or `last_affected` for one range, not both.
    pub last_affected: Option<String>,
}

/// What one advisory says about one package of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// OSV ecosystem with release (`Debian:12`).
    pub ecosystem: String,
    /// Package name in that ecosystem's match form (Debian: the source package).
    pub package: String,
    /// RPM module stream (`nodejs:18`) that it speaks of; packages of other streams and of none are not meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Affected ranges; a version in any of them is affected.
    pub ranges: Vec<AffectedRange>,
    /// Versions listed one by one; affected too.
    pub versions: Vec<String>,
}

/// A published advisory. A distribution advisory *addresses* vulnerabilities; it is not their alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The advisory's own id (`DSA-5724-1`).
    pub id: VulnerabilityId,
    /// One line for people.
    pub summary: String,
    /// When its source published it.
    pub published: Option<Timestamp>,
    /// The vulnerabilities it addresses; an advisory that names none is its own vulnerability.
    pub addresses: Vec<VulnerabilityId>,
    /// What is affected.
    pub affected: Vec<Affected>,
}

impl Advisory {
    /// The vulnerabilities this advisory stands for: those it addresses, or itself when it names none.
    pub fn vulnerabilities(&self) -> &[VulnerabilityId] {
        if self.addresses.is_empty() { std::slice::from_ref(&self.id) } else { &self.addresses }
    }
}

/// The difference between two states of an advisory feed; the content of the blob an event names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdvisoryDelta {
    /// New or changed advisories, whole.
    pub published: Vec<Advisory>,
    /// Advisories withdrawn or gone.
    pub withdrawn: Vec<VulnerabilityId>,
}

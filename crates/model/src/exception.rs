//! Exceptions: a risk that somebody accepts, where, until when, and what stands against it meanwhile.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{AssetId, AssetSet, GroupName, Person, Timestamp, VulnerabilityId};

/// That a vulnerability may stay on some assets until an instant. It says that the risk is accepted, not that there is none: what
/// is found there stays a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The assets on which it was open. Others, also later ones, are not meant.
    pub assets: AssetSet,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who answers for the risk.
    pub owner: Person,
    /// What stands against it meanwhile.
    pub control: String,
    /// Why it is not mended now.
    pub why: String,
    /// Who granted it.
    pub by: Person,
    /// Since when what closes it was to be done there; the clocks go on from then once this ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// How an exception ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum ExceptionEnd {
    /// Its time was up.
    Expired,
    /// A person took it back.
    Revoked {
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
}

/// An exception that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRequest {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// Where.
    pub scope: ExceptionScope,
    /// When it is to end.
    pub until: Timestamp,
    /// Who answers for the risk.
    pub owner: Person,
    /// What stands against it meanwhile.
    pub control: String,
    /// Why it is not mended now.
    pub why: String,
}

/// Where an exception is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExceptionScope {
    /// On these assets; the vulnerability is open on each.
    Assets(BTreeSet<AssetId>),
    /// On those of a group on which the vulnerability is open now.
    Group(GroupName),
}

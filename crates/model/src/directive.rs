//! Directives: what a team must do, why, by when, and how far each asset is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AssetId, AssetSet, Digest, GroupName, Members, OrderId, PackageTarget, RiskPoints, SourcePackage,
    Timestamp, VulnerabilityId,
};

/// The one action that closes every finding a directive groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Bring every binary package of one source package to the version built from this source version.
    Upgrade {
        /// Source package and the source version to reach.
        source: SourcePackage,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upgrade { source } => write!(f, "upgrade {} to {}", source.name, source.version),
        }
    }
}

/// A row of a published decision table, and what was put into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Table and version (`cisa-bod-26-04 1.0.0`).
    pub table: String,
    /// Row number as published.
    pub row: u32,
    /// The row's outcome, as published.
    pub outcome: String,
    /// Whether evidence must be preserved before anything changes.
    pub forensics: bool,
    /// Inputs that are not known and were assumed, each with the assumption.
    pub assumed: Vec<String>,
    /// The vulnerability whose row this is: of several the most urgent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<VulnerabilityId>,
    /// What was put into the table, in the order of its columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<DecisionInput>,
}

/// The value of one column of a decision table, and why it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionInput {
    /// Column, as published.
    pub column: String,
    /// Value, as published.
    pub value: String,
    /// Whether nothing is known and this was assumed.
    pub assumed: bool,
    /// Why it has this value.
    #[serde(flatten)]
    pub basis: Basis,
}

/// A due-date rule at work on a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Table and version.
    pub rule: String,
    /// Row number, as published.
    pub row: u32,
    /// The row's outcome, as published.
    pub outcome: String,
    /// The vulnerability that is due first by this rule.
    pub vulnerability: VulnerabilityId,
    /// When its clock started.
    pub since: Timestamp,
    /// When it is due.
    pub due: Timestamp,
}

/// One input of a priority, with where it came from and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// What is claimed, for people.
    pub fact: String,
    /// Who says so (`kev`, `epss v2026.06.15`, `DSA-5724-1`, `changelog`).
    pub source: String,
    /// As of when, where the source tells.
    pub as_of: Option<Timestamp>,
}

/// Decision, due date and expected loss, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// The table row that decided.
    pub decision: Decision,
    /// When it must be done; `None` where the table sets no date.
    pub due: Option<Timestamp>,
    /// Expected loss that doing it removes.
    pub removes: RiskPoints,
    /// The inputs.
    pub because: Vec<Basis>,
    /// Every due-date rule that sets a date, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
}

/// What a team must do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive {
    /// Whose work it is.
    pub group: GroupName,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
    /// On which assets, and with which exact packages there, as older journals tell it. Now [`WantClass`] does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assets: BTreeMap<AssetId, Arc<Vec<PackageTarget>>>,
    /// Vulnerabilities that a published advisory says this closes.
    pub closes: Vec<VulnerabilityId>,
    /// CVE ids that only the vendor's changelog claims; unconfirmed.
    pub claims: Vec<VulnerabilityId>,
    /// The advisories that say so.
    pub advisories: Vec<VulnerabilityId>,
    /// How urgent it is, and why.
    pub priority: Priority,
}

/// What one asset adds to a directive. Every list is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Want {
    /// The exact packages there.
    pub targets: Arc<Vec<PackageTarget>>,
    /// Vulnerabilities that a published advisory says it closes there; a vendor update without any is its own.
    pub closes: Vec<VulnerabilityId>,
    /// CVE ids that only the vendor's changelog claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<VulnerabilityId>,
    /// The advisories that say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<VulnerabilityId>,
}

impl Want {
    /// Whether it is wanted because of a vulnerability.
    pub fn is_for(&self, id: &VulnerabilityId) -> bool {
        self.closes.binary_search(id).is_ok() || self.claims.binary_search(id).is_ok()
    }
}

/// Assets that add the same to a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantClass {
    /// What each of them adds.
    pub want: Arc<Want>,
    /// The assets.
    pub assets: AssetSet,
}

/// What assets add to a directive, as an event tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wants {
    /// By what they have in common; no asset is in two of these.
    Classes(Vec<WantClass>),
    /// One by one, as older journals do.
    Each(BTreeMap<AssetId, Arc<Want>>),
}

impl Default for Wants {
    fn default() -> Self {
        Self::Classes(Vec::new())
    }
}

impl Wants {
    /// Whether no asset adds anything.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Classes(classes) => classes.is_empty(),
            Self::Each(each) => each.is_empty(),
        }
    }
}

/// What a directive closes, and who says so: the wants of its assets together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Vulnerabilities that a published advisory says this closes.
    pub closes: Vec<VulnerabilityId>,
    /// CVE ids that only the vendor's changelog claims.
    pub claims: Vec<VulnerabilityId>,
    /// The advisories that say so.
    pub advisories: Vec<VulnerabilityId>,
}

/// How a directive changes: what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectiveChange {
    /// Assets that want it now, or want it differently.
    #[serde(default, skip_serializing_if = "Wants::is_empty")]
    pub joined: Wants,
    /// Assets that do not want it any more and stay, because work on them has begun or is done.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub settled: Members,
    /// Assets that do not want it any more and are no part of it.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub left: Members,
    /// What it closes now, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Grounds>,
    /// How urgent it is now, where more of that changed than what it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What it removes now, where that alone changed of its priority: as it does with every asset that joins or leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removes: Option<RiskPoints>,
}

impl DirectiveChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
            && self.settled.is_empty()
            && self.left.is_empty()
            && self.grounds.is_none()
            && self.priority.is_none()
            && self.removes.is_none()
    }
}

/// How far a directive is on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// Known and waiting: for the group's promotion, or for its turn on this host.
    Proposed,
    /// A rehearsal was ordered.
    Rehearsing {
        /// The order.
        order: OrderId,
    },
    /// The rehearsal passed; a person must approve.
    AwaitingApproval {
        /// The rehearsal report.
        report: Digest,
    },
    /// Approved; waits for its turn on this host.
    Approved {
        /// The rehearsal report that was approved.
        report: Digest,
    },
    /// An apply was ordered.
    Applying {
        /// The order.
        order: OrderId,
        /// The rehearsal report that was approved.
        report: Digest,
    },
    /// The host reports success; a later inventory must confirm it.
    Applied {
        /// The apply report.
        report: Digest,
        /// Inventories must have a sequence above this one to count.
        after_sequence: u64,
    },
    /// Later evidence from the host shows the fix.
    Verified,
    /// The fix arrived by another hand than Tenon's.
    FixedOtherwise,
    /// Only a person can go on.
    NeedsPerson {
        /// Why, and what to do.
        reason: String,
        /// The report that says so, if a host sent one.
        report: Option<Digest>,
    },
    /// The change failed and was taken back; the finding stays open.
    RolledBack {
        /// What failed.
        reason: String,
        /// The apply report.
        report: Digest,
    },
    /// The change failed, or the host fell silent.
    Failed {
        /// What failed and what to do.
        reason: String,
        /// The apply report, if there is one.
        report: Option<Digest>,
    },
}

impl Stage {
    /// Whether nothing is left to do on this asset.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Verified | Self::FixedOtherwise)
    }

    /// Whether an order is out.
    pub fn outstanding_order(&self) -> Option<OrderId> {
        match self {
            Self::Rehearsing { order } | Self::Applying { order, .. } => Some(*order),
            _ => None,
        }
    }
}

/// How a directive ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Every asset shows the fix.
    Fixed,
    /// A newer directive replaces it.
    Superseded {
        /// The newer one.
        by: crate::DirectiveId,
    },
    /// It is no longer needed on any asset.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// A person refused it; the findings stay open.
    Refused {
        /// Who.
        by: crate::Person,
        /// Why.
        why: String,
    },
}

//! Compensating controls: what stands between an attacker and some assets, against what, how much of it gets through, until when.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    AssetId, AssetSet, AttackVector, GroupName, Person, Probability, Timestamp, VulnerabilityId, ZoneName,
    decision_point,
};

decision_point! {
    /// What kind of control it is.
    ControlKind {
        /// A web application firewall drops what carries the attack.
        WafRule = "waf-rule",
        /// A network intrusion prevention system does.
        IpsRule = "ips-rule",
        /// The network keeps attackers away in a way that no zone or flow of the context tells of.
        Segmentation = "segmentation",
        /// What is vulnerable is switched off.
        FeatureOff = "feature-off",
        /// The system is configured so that the attack fails or gains less.
        Hardening = "hardening",
    }
}

/// That a control stands against vulnerabilities on some assets until an instant. It makes a loss less likely; it closes no finding
/// and moves no date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Of what kind it is.
    pub kind: ControlKind,
    /// The vulnerabilities that it stands against; none named: all that are attacked in one of these ways.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vulnerabilities: BTreeSet<VulnerabilityId>,
    /// The ways of attack that it stands against; never empty.
    pub vectors: BTreeSet<AttackVector>,
    /// The assets that it protects. Others, also later ones, are not meant.
    pub assets: AssetSet,
    /// How many of the attacks that come get through it.
    pub leaves: Probability,
    /// When it ends by itself: controls rot, and are looked at again.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: Person,
    /// What it is, and how it was tried.
    pub what: String,
    /// Who recorded it.
    pub by: Person,
}

/// How a control ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum ControlEnd {
    /// Its time was up.
    Expired,
    /// A person says that it does not stand any more.
    Withdrawn {
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
}

/// A control that somebody wants recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRequest {
    /// Of what kind it is.
    pub kind: ControlKind,
    /// The vulnerabilities that it stands against; none: all that are attacked in one of these ways.
    pub vulnerabilities: BTreeSet<VulnerabilityId>,
    /// The ways of attack that it stands against; none: all, which is only for named vulnerabilities.
    pub vectors: BTreeSet<AttackVector>,
    /// Where.
    pub scope: ControlScope,
    /// How many of the attacks that come get through it.
    pub leaves: Probability,
    /// When it is to end.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: Person,
    /// What it is, and how it was tried.
    pub what: String,
}

/// Where a control stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlScope {
    /// Before these assets.
    Assets(BTreeSet<AssetId>),
    /// Before those that are of a group now.
    Group(GroupName),
    /// Before those that stand in a zone now.
    Zone(ZoneName),
}

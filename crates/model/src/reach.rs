//! How far attackers get, as the record keeps it.
//!
//! Zones and flows are stated, what listens and is vulnerable there is reported; what both come to is worked out beside the record
//! and told to it, as far as it moved: priorities rest on what is told, so that a replay leads to the same ones.

use serde::{Deserialize, Serialize};

use crate::{Probability, VulnerabilityId, ZoneName};

/// One step of the likeliest way into a zone: a host of one zone is taken from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachStep {
    /// Where the attacker is.
    pub from: ZoneName,
    /// Where the host stands.
    pub to: ZoneName,
    /// What is exploited ...
    pub vulnerability: VulnerabilityId,
    /// ... in this package.
    pub package: String,
}

/// How far attackers get with one zone, within 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneReach {
    /// Whether one is in it: all ways together, not more likely than this.
    pub inside: Probability,
    /// Of every zone from which a flow leads into it: whether one is there who has not come through it, likewise.
    pub from: Vec<(ZoneName, Probability)>,
    /// The likeliest way into it; empty where attacks begin there, or none leads there.
    pub path: Vec<ReachStep>,
}

/// Of one zone, whether an attacker is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachMove {
    /// The zone.
    pub zone: ZoneName,
    /// At most before; `None` where nothing was said of it.
    pub before: Option<Probability>,
    /// At most now.
    pub now: Probability,
}

/// What moved since it was last told; the content of the blob an event names. Zones that are absent from both lists are as they
/// were.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReachDelta {
    /// New or moved ones, whole.
    pub zones: Vec<(ZoneName, ZoneReach)>,
    /// Zones of which nothing is said any more.
    pub gone: Vec<ZoneName>,
}

impl ReachDelta {
    /// Every zone it speaks of.
    pub fn about(&self) -> impl Iterator<Item = &ZoneName> {
        self.zones.iter().map(|(zone, _)| zone).chain(&self.gone)
    }
}

//! What a person states about one asset by hand.

use serde::{Deserialize, Serialize};

use crate::{HumanImpact, MissionAndWellBeing, SystemExposure};

/// What people state about an asset. What nobody states is assumed, and shown as an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetContext {
    /// Who can reach it. `open` is also what BOD 26-04 calls publicly exposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<SystemExposure>,
    /// What its failure would do to people and mission (SSVC deployer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_impact: Option<HumanImpact>,
    /// How far essential functions and public well-being depend on it (CISA coordinator).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<MissionAndWellBeing>,
}

impl AssetContext {
    /// Whether nobody states anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

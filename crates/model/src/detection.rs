//! Detections: attacks that sensors of the estate saw.

use serde::{Deserialize, Serialize};

use crate::{AssetId, Person, Timestamp, VulnerabilityId, ZoneName};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectionKind {
    /// An attack on an asset, as an IDS, EDR or WAF reports it. Whether it succeeded is not said.
    #[default]
    Attack,
    /// An attack on a decoy, which is no asset: nobody else has business there.
    Honeypot,
    /// An attack on an asset that succeeded.
    Incident,
}

impl DetectionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Attack, Self::Honeypot, Self::Incident];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::Honeypot => "honeypot",
            Self::Incident => "incident",
        }
    }

    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// That an attack by a vulnerability was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The asset; `None` of a honeypot, which is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetId>,
    /// The zone in which it was seen: that of the asset then, or of the honeypot; `None` where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// What was seen.
    #[serde(default, skip_serializing_if = "DetectionKind::is_usual")]
    pub kind: DetectionKind,
    /// When, by the sensor's clock, but not after it was reported.
    pub seen: Timestamp,
    /// What was seen, in the sensor's words.
    pub what: String,
    /// By what the sensor knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The sensor, for people.
    pub sensor: String,
    /// Who reported it.
    pub by: Person,
}

/// How a detection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum DetectionEnd {
    /// It says nothing any more about what happens now.
    Expired,
    /// A person found that it was none.
    Dismissed {
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
}

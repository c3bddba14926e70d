//! Detections: attacks that sensors of the estate saw.

use serde::{Deserialize, Serialize};

use crate::{AssetId, Person, Timestamp, VulnerabilityId};

/// That an attack by a vulnerability was seen on an asset, as an IDS, EDR or WAF reports it. Whether it succeeded is not said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The asset.
    pub asset: AssetId,
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

//! What is known of a vulnerability's exploitation. Kept once per vulnerability, never copied onto findings.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, VulnerabilityId};

/// A probability in parts per million. Fixed point: state holds no floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(u32);

impl Probability {
    /// Certainty.
    pub const ONE: Self = Self(1_000_000);

    /// From parts per million; `None` above one million.
    pub fn from_ppm(ppm: u32) -> Option<Self> {
        (ppm <= Self::ONE.0).then_some(Self(ppm))
    }

    /// Parts per million.
    pub fn ppm(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}%", self.0 / 10_000, self.0 % 10_000 / 100)
    }
}

/// An entry of CISA's Known Exploited Vulnerabilities catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kev {
    /// Day it was added (midnight UTC).
    pub added: Timestamp,
    /// CISA's own due date.
    pub due: Option<Timestamp>,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// An EPSS score. Scores of different models do not compare, so the model stays with the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation activity in the next 30 days, as EPSS states it.
    pub score: Probability,
    /// Model version as the feed writes it (`v2026.06.15`).
    pub model: String,
    /// Day of the score (midnight UTC).
    pub scored: Timestamp,
}

/// Everything known of one vulnerability's exploitation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Intel {
    /// KEV entry, if listed.
    pub kev: Option<Kev>,
    /// EPSS score, if scored.
    pub epss: Option<Epss>,
}

/// Which feed an intel event speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntelSource {
    /// CISA KEV.
    Kev,
    /// FIRST EPSS.
    Epss,
}

/// The difference between two states of an intel feed; the content of the blob an event names. Entries that are
/// absent from both lists are unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum IntelDelta {
    /// Changes of the KEV catalogue; `retracted` entries are no longer listed.
    Kev {
        /// New or changed entries.
        listed: Vec<(VulnerabilityId, Kev)>,
        /// Entries CISA took back.
        retracted: Vec<VulnerabilityId>,
    },
    /// Changes of EPSS scores. One model and day for all of them.
    Epss {
        /// Model version.
        model: String,
        /// Day of the scores.
        scored: Timestamp,
        /// New scores.
        scores: Vec<(VulnerabilityId, Probability)>,
        /// Vulnerabilities that left the feed.
        dropped: Vec<VulnerabilityId>,
    },
}

impl IntelDelta {
    /// The feed this speaks for.
    pub fn source(&self) -> IntelSource {
        match self {
            Self::Kev { .. } => IntelSource::Kev,
            Self::Epss { .. } => IntelSource::Epss,
        }
    }
}

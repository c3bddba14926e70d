//! What is known of a vulnerability's exploitation. Kept once per vulnerability, never copied onto findings.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Automatable, Exploitation, TechnicalImpact, Timestamp, VulnerabilityId};

/// A probability in parts per million. Fixed point: state holds no floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(u32);

impl Probability {
    /// Impossible.
    pub const ZERO: Self = Self(0);
    /// Certainty.
    pub const ONE: Self = Self(1_000_000);

    /// From parts per million; `None` above one million.
    pub const fn from_ppm(ppm: u32) -> Option<Self> {
        if ppm <= Self::ONE.0 { Some(Self(ppm)) } else { None }
    }

    /// Parts per million.
    pub fn ppm(self) -> u32 {
        self.0
    }
}

/// In per cent: two decimals, and below one per cent all that it has, because most forecasts are that small.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 10_000 || self.0.is_multiple_of(100) {
            return write!(f, "{}.{:02}%", self.0 / 10_000, self.0 % 10_000 / 100);
        }
        let decimals = format!("{:04}", self.0);
        write!(f, "0.{}%", decimals.trim_end_matches('0'))
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

/// What Tenon's own model foresees of a vulnerability that CISA does not list yet. EPSS is one of its inputs, not a rival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreseen {
    /// Probability that CISA lists it within 30 days.
    pub probability: Probability,
    /// Version of the model (`five-2026-08-07`).
    pub model: String,
    /// The day as of which it is foreseen (midnight UTC): nothing of a later day went into it.
    pub day: Timestamp,
}

/// SSVC decision points as CISA states them in its container of a CVE record (CISA Coordinator tree, SSVC 2.0.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssvc {
    /// Evidence of exploitation.
    pub exploitation: Option<Exploitation>,
    /// Whether an attacker can automate reconnaissance to exploitation.
    pub automatable: Option<Automatable>,
    /// What an exploit gains.
    pub technical_impact: Option<TechnicalImpact>,
    /// When CISA decided so.
    pub decided: Option<Timestamp>,
}

/// A CVSS vector and who states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cvss {
    /// The vector as written, with its version; CVSS v2 without.
    pub vector: String,
    /// Short name of the organisation (`redhat`, `CISA-ADP`).
    pub source: String,
}

/// The strongest public evidence that an exploit exists or is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicExploit {
    /// The list that has it (`exploits:metasploit`).
    pub source: String,
    /// What its being on that list says.
    pub exploitation: Exploitation,
    /// When the list first had it, where it has dates: an upper bound.
    pub first_seen: Option<Timestamp>,
}

/// What is stated of a vulnerability besides KEV and EPSS, reduced to what decisions read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// CISA's decision points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssvc: Option<Ssvc>,
    /// The CVSS vector that counts: the newest version, of several the CNA's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<Cvss>,
    /// Public evidence of an exploit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploit: Option<PublicExploit>,
}

impl Profile {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything known of one vulnerability's exploitation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Intel {
    /// KEV entry, if listed.
    pub kev: Option<Kev>,
    /// EPSS score, if scored.
    pub epss: Option<Epss>,
    /// What is foreseen of it. Nothing where CISA lists it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreseen: Option<Foreseen>,
    /// What else is stated.
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
}

/// Which feed an intel event speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntelSource {
    /// CISA KEV.
    Kev,
    /// FIRST EPSS.
    Epss,
    /// CVE records and lists of exploits.
    Profile,
    /// Tenon's own model, over all of these.
    Forecast,
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
    /// Changes of what CVE records and lists of exploits state.
    Profile {
        /// New or changed ones, whole.
        stated: Vec<(VulnerabilityId, Profile)>,
        /// Vulnerabilities of which nothing is stated any more.
        dropped: Vec<VulnerabilityId>,
    },
    /// Changes of what is foreseen. One model and day for all of them.
    Forecast {
        /// Model version.
        model: String,
        /// The day as of which all of it is foreseen.
        day: Timestamp,
        /// New probabilities.
        foreseen: Vec<(VulnerabilityId, Probability)>,
        /// Vulnerabilities of which nothing is foreseen any more: CISA lists them, or nothing names them.
        dropped: Vec<VulnerabilityId>,
    },
}

impl IntelDelta {
    /// The feed this speaks for.
    pub fn source(&self) -> IntelSource {
        match self {
            Self::Kev { .. } => IntelSource::Kev,
            Self::Epss { .. } => IntelSource::Epss,
            Self::Profile { .. } => IntelSource::Profile,
            Self::Forecast { .. } => IntelSource::Forecast,
        }
    }

    /// Every vulnerability it speaks of, one as often as it does.
    pub fn vulnerabilities(&self) -> Vec<&VulnerabilityId> {
        match self {
            Self::Kev { listed, retracted } => listed.iter().map(|(id, _)| id).chain(retracted).collect(),
            Self::Epss { scores, dropped, .. } => scores.iter().map(|(id, _)| id).chain(dropped).collect(),
            Self::Profile { stated, dropped } => stated.iter().map(|(id, _)| id).chain(dropped).collect(),
            Self::Forecast { foreseen, dropped, .. } => {
                foreseen.iter().map(|(id, _)| id).chain(dropped).collect()
            }
        }
    }
}

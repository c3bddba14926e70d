//! Expected loss: threat x reach x impact, in parts per million each.
//!
//! Threat comes from KEV and EPSS. Reach and impact are working values of Tenon's own, coarse on purpose, until zones and
//! flows are known: they order work inside a decision and set no date. Controls are not recorded yet and count as one.

use serde::Serialize;
use tenon_model::{HumanImpact, SystemExposure};

use super::facts::{Distance, Facts};

/// Parts per million.
const ONE: u64 = 1_000_000;

/// The factors of one vulnerability's expected loss on one asset, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Factors {
    /// Probability of exploitation in the next 30 days.
    pub threat: u64,
    /// Whether an attacker can deliver it there.
    pub reach: u64,
    /// What is lost if so.
    pub impact: u64,
}

impl Factors {
    /// Their product in thousandths of a risk point: 100 points are a certain loss, whole.
    pub fn loss(self) -> u64 {
        let product = u128::from(self.threat) * u128::from(self.reach) * u128::from(self.impact);
        // ppm^3 to thousandths of a point (10^5 of which are one).
        u64::try_from(product / 10_u128.pow(13)).unwrap_or(u64::MAX)
    }
}

pub(super) fn factors(facts: &Facts) -> Factors {
    Factors { threat: u64::from(facts.threat.value.ppm()), reach: reach(facts), impact: impact(facts) }
}

/// From the attack vector and the asset's exposure; an unknown one counts in full.
fn reach(facts: &Facts) -> u64 {
    match facts.distance.value {
        Distance::Network if facts.exposure.assumed => ONE,
        Distance::Network => match facts.exposure.value {
            SystemExposure::Open => ONE,
            SystemExposure::Controlled => 500_000,
            SystemExposure::Small => 200_000,
        },
        // A neighbour in the network, or a foothold on the host, comes first.
        Distance::Adjacent => 300_000,
        Distance::Local => 200_000,
        Distance::Physical => 50_000,
    }
}

/// From what the owner states; unknown counts in full.
fn impact(facts: &Facts) -> u64 {
    if facts.human_impact.assumed {
        return ONE;
    }
    match facts.human_impact.value {
        HumanImpact::Low => 250_000,
        HumanImpact::Medium => 500_000,
        HumanImpact::High => 750_000,
        HumanImpact::VeryHigh => ONE,
    }
}

//! Expected loss: threat x reach x impact, in parts per million each.
//!
//! Threat comes from KEV and from what the model foresees, of which EPSS is an input. Reach and impact are working values of Tenon's own, coarse on purpose, until zones and
//! flows are known: they order work inside a decision and set no date. Controls are not recorded yet and count as one.

use serde::Serialize;
use tenon_model::context::Sensitivity;
use tenon_model::{Basis, HumanImpact, Probability, SystemExposure};

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
    /// Their product in millionths of a risk point: 100 points are a certain loss, whole.
    pub fn loss(self) -> u64 {
        let product = u128::from(self.threat) * u128::from(self.reach) * u128::from(self.impact);
        // ppm^3 to millionths of a point (10^8 of which are a certain loss).
        u64::try_from(product / 10_u128.pow(10)).unwrap_or(u64::MAX)
    }
}

/// What of a vulnerability goes into its loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Danger {
    pub(super) threat: Probability,
    pub(super) distance: Distance,
}

/// What of assets goes into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stake {
    /// `None` where nothing is known.
    pub(super) exposure: Option<SystemExposure>,
    pub(super) human_impact: HumanImpact,
    pub(super) sensitivity: Option<Sensitivity>,
}

pub(super) fn factors(danger: Danger, stake: Stake) -> Factors {
    Factors {
        threat: u64::from(danger.threat.ppm()),
        reach: reach(danger.distance, stake.exposure),
        impact: impact(stake),
    }
}

/// From the attack vector and the asset's exposure; an unknown one counts in full.
fn reach(distance: Distance, exposure: Option<SystemExposure>) -> u64 {
    match (distance, exposure) {
        (Distance::Network, None | Some(SystemExposure::Open)) => ONE,
        (Distance::Network, Some(SystemExposure::Controlled)) => 500_000,
        (Distance::Network, Some(SystemExposure::Small)) => 200_000,
        // A neighbour in the network, or a foothold on the host, comes first.
        (Distance::Adjacent, _) => 300_000,
        (Distance::Local, _) => 200_000,
        (Distance::Physical, _) => 50_000,
    }
}

/// Of the asset's failure and of its data's disclosure together: either is enough, as in a noisy or, so that each step
/// of each counts. What is unknown counts as medium impact, as in the tables, and adds no sensitivity.
pub(super) fn impact(stake: Stake) -> u64 {
    let failure = match stake.human_impact {
        HumanImpact::Low => 250_000,
        HumanImpact::Medium => 500_000,
        HumanImpact::High => 750_000,
        HumanImpact::VeryHigh => 950_000,
    };
    let disclosure = match stake.sensitivity {
        None | Some(Sensitivity::Public) => 0,
        Some(Sensitivity::Internal) => 100_000,
        Some(Sensitivity::Confidential) => 300_000,
        Some(Sensitivity::Restricted) => 600_000,
    };
    ONE - (ONE - failure) * (ONE - disclosure) / ONE
}

/// Why the impact has its value.
pub(super) fn impact_basis(facts: &Facts) -> Basis {
    let mut basis = facts.human_impact.basis.clone();
    if let Some(sensitivity) = &facts.sensitivity {
        basis.fact = format!("{}; {}", basis.fact, sensitivity.basis.fact);
        basis.source = format!("{}; {}", basis.source, sensitivity.basis.source);
    }
    basis
}

//! Expected loss: threat x reach x impact x controls, in parts per million each.
//!
//! Threat comes from KEV and from what the model foresees, of which EPSS is an input. Reach is how likely an attacker gets there over
//! zones and flows, where they are stated; else it follows from the exposure, coarsely. It and impact are working values of Tenon's own:
//! they order work inside a decision and set no date. What controls leave over is what people state.

use serde::Serialize;
use tenon_model::context::Sensitivity;
use tenon_model::{AttackVector, Basis, HumanImpact, Probability, SystemExposure};

use super::facts::{Facts, UNSTATED_VECTOR};
use crate::approach::Arrival;
use crate::detections::Nearby;

/// Parts per million.
const ONE: u64 = 1_000_000;

/// The factors of one vulnerability's expected loss on one asset, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Factors {
    /// Probability of exploitation in the next 30 days.
    pub threat: u64,
    /// Whether an attacker can deliver it there.
    pub reach: u64,
    /// What is lost if so.
    pub impact: u64,
    /// What compensating controls leave over; all, where none stands before the asset.
    pub controls: u64,
}

impl Factors {
    /// Their product in millionths of a risk point: 100 points are a certain loss, whole.
    pub fn loss(self) -> u64 {
        let Self { threat, reach, impact, controls } = self;
        let product = [threat, reach, impact, controls].map(u128::from).iter().product::<u128>();
        // ppm^4 to millionths of a point (10^8 of which are a certain loss).
        u64::try_from(product / 10_u128.pow(16)).unwrap_or(u64::MAX)
    }
}

/// What of a vulnerability goes into its loss.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Danger {
    pub(super) threat: Probability,
    /// In which way it is attacked; `None` where nobody states it.
    pub(crate) vector: Option<AttackVector>,
    /// Whether a person must take part (CVSS UI is not none).
    pub(super) takes_part: bool,
}

impl Danger {
    /// The same where an attack was seen nearby.
    pub(super) fn near(self, nearby: Option<Nearby<'_>>) -> Self {
        Self { threat: nearby.map_or(self.threat, |nearby| nearby.with(self.threat)), ..self }
    }

    /// How far the attacker must be, at most.
    fn distance(self) -> AttackVector {
        self.vector.unwrap_or(UNSTATED_VECTOR)
    }
}

/// What of assets goes into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stake {
    /// `None` where nothing is known.
    pub(super) exposure: Option<SystemExposure>,
    pub(super) human_impact: HumanImpact,
    pub(super) sensitivity: Option<Sensitivity>,
}

/// `leaves` is what the control that is strongest against it lets through, where one stands there.
pub(super) fn factors(
    danger: Danger,
    stake: Stake,
    arrival: Option<Arrival>,
    leaves: Option<Probability>,
) -> Factors {
    let reach = arrival.and_then(|arrival| reached(danger, arrival));
    Factors {
        threat: u64::from(danger.threat.ppm()),
        reach: reach.unwrap_or_else(|| reach_by_exposure(danger.distance(), stake.exposure)),
        impact: impact(stake),
        controls: leaves.map_or(ONE, |leaves| u64::from(leaves.ppm())),
    }
}

/// Those of a vulnerability by which attacks were seen there: an attacker got there, past whatever stands before it, and nobody need
/// ask how likely that is.
pub(super) fn attacked(stake: Stake) -> Factors {
    Factors { threat: ONE, reach: ONE, impact: impact(stake), controls: ONE }
}

/// The least that counts where zones and flows say that nobody gets there: maps miss ways.
const UNMAPPED: u64 = 1_000;
/// How many of those who can talk to a host have a foothold on it.
const FOOTHOLD: u64 = 200_000;

/// From how attackers get there; `None` where zones keep nothing out: what a person opens or visits comes in by itself, and whoever
/// stands before the host has no flows to take.
pub(super) fn reached(danger: Danger, arrival: Arrival) -> Option<u64> {
    let to = match danger.distance() {
        AttackVector::Network if danger.takes_part => return None,
        AttackVector::Network => u64::from(arrival.package.ppm()),
        AttackVector::Adjacent => u64::from(arrival.zone.ppm()),
        AttackVector::Local => u64::from(arrival.anything.ppm()) * FOOTHOLD / ONE,
        AttackVector::Physical => return None,
    };
    Some(to.max(UNMAPPED))
}

/// From the attack vector and the asset's exposure; an unknown one counts in full.
fn reach_by_exposure(distance: AttackVector, exposure: Option<SystemExposure>) -> u64 {
    match (distance, exposure) {
        (AttackVector::Network, None | Some(SystemExposure::Open)) => ONE,
        (AttackVector::Network, Some(SystemExposure::Controlled)) => 500_000,
        (AttackVector::Network, Some(SystemExposure::Small)) => 200_000,
        // A neighbour in the network, or a foothold on the host, comes first.
        (AttackVector::Adjacent, _) => 300_000,
        (AttackVector::Local, _) => 200_000,
        (AttackVector::Physical, _) => 50_000,
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

//! SSVC deployer table 1.0.0 and the tables that fold finer decision points into its columns (CERTCC/SSVC; revision
//! and licence stand with each table).

use crate::points::{
    Automatable, Exploitation, HumanImpact, MissionImpact, PublicSafetyImpact, SafetyImpact, SystemExposure,
    Utility, ValueDensity, decision_point,
};
use crate::tables::{Decided, Inputs, Published, published};

pub(crate) static DEPLOYER: Published =
    Published::new(|| published(include_str!("../data/ssvc_deployer.csv")));
pub(crate) static HUMAN_IMPACT: Published =
    Published::new(|| published(include_str!("../data/ssvc_human_impact.csv")));
pub(crate) static PUBLIC_SAFETY_IMPACT: Published =
    Published::new(|| published(include_str!("../data/ssvc_public_safety_impact.csv")));
pub(crate) static UTILITY: Published = Published::new(|| published(include_str!("../data/ssvc_utility.csv")));

decision_point! {
    /// Outcome of the deployer table, from the least urgent. SSVC sets no number of days.
    DeployerPriority {
        /// Do not act at present.
        Defer = "defer",
        /// In the regular maintenance window.
        Scheduled = "scheduled",
        /// Sooner than the regular window, in overtime if needed.
        OutOfCycle = "out-of-cycle",
        /// All resources, regular operations stopped if needed.
        Immediate = "immediate",
    }
}

/// Columns of the deployer table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployer {
    /// Exploitation.
    pub exploitation: Exploitation,
    /// System exposure.
    pub exposure: SystemExposure,
    /// Automatable.
    pub automatable: Automatable,
    /// Human impact, for instance from [`human_impact`].
    pub human_impact: HumanImpact,
}

impl Deployer {
    /// The same as inputs of the table.
    pub fn inputs(self) -> Inputs<'static> {
        DEPLOYER.pick([
            self.exploitation as usize,
            self.exposure as usize,
            self.automatable as usize,
            self.human_impact as usize,
        ])
    }

    /// The row for these inputs.
    pub fn decide(self) -> (DeployerPriority, Decided<'static>) {
        let decided = self.inputs().decide();
        // Unknown text would be a defect of the table, which a test excludes; the most urgent outcome is the safe one.
        (DeployerPriority::parse(decided.outcome).unwrap_or(DeployerPriority::Immediate), decided)
    }
}

/// Human impact of a safety and a mission impact. Where the prose definition of Human Impact 2.0.2 differs from its
/// published table (marginal safety impact), the table counts.
pub fn human_impact(safety: SafetyImpact, mission: MissionImpact) -> HumanImpact {
    let decided = HUMAN_IMPACT.decide_numbers([safety as usize, mission as usize]);
    HumanImpact::parse(decided.outcome).unwrap_or(HumanImpact::VeryHigh)
}

/// Public safety impact of a safety impact.
pub fn public_safety_impact(safety: SafetyImpact) -> PublicSafetyImpact {
    let decided = PUBLIC_SAFETY_IMPACT.decide_numbers([safety as usize]);
    PublicSafetyImpact::parse(decided.outcome).unwrap_or(PublicSafetyImpact::Significant)
}

/// Utility of an exploit to the adversary.
pub fn utility(automatable: Automatable, density: ValueDensity) -> Utility {
    let decided = UTILITY.decide_numbers([automatable as usize, density as usize]);
    Utility::parse(decided.outcome).unwrap_or(Utility::SuperEffective)
}

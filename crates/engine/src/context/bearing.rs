//! What of an asset's context bears on priorities. Assets that share it are one class.

use serde::Serialize;
use tenon_model::context::{Criticality, Sensitivity};
use tenon_model::{HumanImpact, MissionAndWellBeing, SystemExposure};

use super::{Effective, Sourced};

/// What ranks, each with its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub(crate) struct Bearing {
    pub(crate) exposure: Option<Sourced<SystemExposure>>,
    pub(crate) human_impact: Option<Sourced<HumanImpact>>,
    pub(crate) mission: Option<Sourced<MissionAndWellBeing>>,
    pub(crate) criticality: Option<Sourced<Criticality>>,
    pub(crate) sensitivity: Option<Sourced<Sensitivity>>,
}

impl Bearing {
    /// Of an asset about which nothing is known.
    pub(crate) const NOTHING: Self =
        Self { exposure: None, human_impact: None, mission: None, criticality: None, sensitivity: None };

    pub(crate) fn of(said: &Effective) -> Self {
        Self {
            exposure: said.exposure.clone(),
            human_impact: said.human_impact.clone(),
            mission: said.mission.clone(),
            criticality: said.criticality.clone(),
            sensitivity: said.sensitivity.clone(),
        }
    }
}

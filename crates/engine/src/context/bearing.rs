//! What of an asset's context bears on priorities. Assets that share it are one class.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

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

    /// The same, as all share it.
    pub(crate) fn nothing() -> Arc<Self> {
        static NOTHING: LazyLock<Arc<Bearing>> = LazyLock::new(|| Arc::new(Bearing::NOTHING));
        NOTHING.clone()
    }

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

/// How many assets there are of each bearing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bearings(BTreeMap<Arc<Bearing>, u64>);

impl Bearings {
    /// So many more of one.
    pub(crate) fn add(&mut self, bearing: Arc<Bearing>, assets: u64) {
        if assets > 0 {
            *self.0.entry(bearing).or_default() += assets;
        }
    }

    /// So many fewer of one.
    pub(crate) fn take(&mut self, bearing: &Arc<Bearing>, assets: u64) {
        if let Some(count) = self.0.get_mut(bearing) {
            *count = count.saturating_sub(assets);
            if *count == 0 {
                self.0.remove(bearing);
            }
        }
    }

    /// More by all of these.
    pub(crate) fn add_all(&mut self, more: Self) {
        for (bearing, assets) in more.0 {
            self.add(bearing, assets);
        }
    }

    /// Fewer by all of these.
    pub(crate) fn take_all(&mut self, fewer: &Self) {
        for (bearing, assets) in fewer.iter() {
            self.take(bearing, assets);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Bearing>, u64)> {
        self.0.iter().map(|(bearing, assets)| (bearing, *assets))
    }

    /// How many there are of one.
    pub(crate) fn count(&self, bearing: &Arc<Bearing>) -> u64 {
        self.0.get(bearing).copied().unwrap_or_default()
    }

    /// How many assets there are in all.
    pub(crate) fn assets(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether the same bearings occur, however often.
    pub(crate) fn are_of(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

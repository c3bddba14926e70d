//! What of an asset's context bears on priorities. Assets that share it are one class.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use tenon_model::context::{Criticality, Sensitivity};
use tenon_model::{ControlId, HumanImpact, MissionAndWellBeing, SystemExposure, ZoneName};

use super::{Effective, Sourced};
use crate::approach::Footing;

/// What ranks, each with its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub(crate) struct Bearing {
    pub(crate) exposure: Option<Sourced<SystemExposure>>,
    pub(crate) human_impact: Option<Sourced<HumanImpact>>,
    pub(crate) mission: Option<Sourced<MissionAndWellBeing>>,
    pub(crate) criticality: Option<Sourced<Criticality>>,
    pub(crate) sensitivity: Option<Sourced<Sensitivity>>,
    /// In which zone it stands; this and what follows come last, so that bearings of one context follow each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<ZoneName>,
    /// How attackers get to it there.
    pub(crate) footing: Option<Footing>,
    /// The controls that stand before it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) controls: Vec<ControlId>,
}

impl Bearing {
    /// Of an asset about which nothing is known.
    pub(crate) const NOTHING: Self = Self {
        exposure: None,
        human_impact: None,
        mission: None,
        criticality: None,
        sensitivity: None,
        zone: None,
        footing: None,
        controls: Vec::new(),
    };

    /// The same, as all share it.
    pub(crate) fn nothing() -> Arc<Self> {
        static NOTHING: LazyLock<Arc<Bearing>> = LazyLock::new(|| Arc::new(Bearing::NOTHING));
        NOTHING.clone()
    }

    pub(crate) fn of(said: &Effective, footing: Option<Footing>, controls: Vec<ControlId>) -> Self {
        Self {
            exposure: said.exposure.clone(),
            human_impact: said.human_impact.clone(),
            mission: said.mission.clone(),
            criticality: said.criticality.clone(),
            sensitivity: said.sensitivity.clone(),
            zone: said.zone.as_ref().map(|known| known.value.clone()),
            footing,
            controls,
        }
    }

    /// Whether the same is said of assets of both, wherever they stand in the network and whatever stands before them.
    pub(crate) fn says_what(&self, other: &Self) -> bool {
        let Self {
            exposure,
            human_impact,
            mission,
            criticality,
            sensitivity,
            zone: _,
            footing: _,
            controls: _,
        } = self;
        *exposure == other.exposure
            && *human_impact == other.human_impact
            && *mission == other.mission
            && *criticality == other.criticality
            && *sensitivity == other.sensitivity
    }
}

/// A bearing, and how many assets there are of it.
pub(crate) type Counted<'b> = (&'b Arc<Bearing>, u64);

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

    /// Bearings that differ only in where assets stand in the network and what stands before them, together: the first of them, and each with how many
    /// assets there are of it.
    pub(crate) fn by_context(&self) -> Vec<(&Arc<Bearing>, Vec<Counted<'_>>)> {
        let mut groups: Vec<(&Arc<Bearing>, Vec<Counted<'_>>)> = Vec::new();
        for (bearing, assets) in self.iter() {
            match groups.last_mut().filter(|(first, _)| first.says_what(bearing)) {
                Some((_, alike)) => alike.push((bearing, assets)),
                None => groups.push((bearing, vec![(bearing, assets)])),
            }
        }
        groups
    }

    /// How many there are of the context of one, wherever they stand in the network.
    pub(crate) fn in_context(&self, of: &Bearing) -> u64 {
        self.iter().filter(|(bearing, _)| bearing.says_what(of)).map(|(_, assets)| assets).sum()
    }

    /// Where these assets stand in the network.
    pub(crate) fn footings(&self) -> impl Iterator<Item = &Footing> {
        self.0.keys().filter_map(|bearing| bearing.footing.as_ref())
    }

    /// How many there are of one.
    pub(crate) fn count(&self, bearing: &Arc<Bearing>) -> u64 {
        self.0.get(bearing).copied().unwrap_or_default()
    }

    /// How many assets there are in all.
    pub(crate) fn assets(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether the same is said of assets of both, however many there are and wherever they stand in the network.
    pub(crate) fn say_what(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.by_context(), other.by_context());
        ours.len() == theirs.len()
            && ours.iter().zip(&theirs).all(|((one, _), (other, _))| one.says_what(other))
    }
}

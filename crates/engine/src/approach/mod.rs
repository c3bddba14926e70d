//! How far attackers get, as it was last told to the record, and what of it bears on priorities.
//!
//! ```text
//! Terrain --solve (tenon_reach)--> compared with what was told --> ReachDelta --event--> Approach
//! zone, listeners, flows of an asset --> Footing (part of its bearing) --with Approach--> Arrival --> reach of a loss
//! ```
//!
//! It is worked out beside the record ([`World::reach_moved`]), since that takes seconds where there are many assets; what is told
//! is what counts, so that a replay ranks alike. What differs by less than a hundredth is not told.

mod footing;
mod told;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{Probability, ReachDelta, ReachMove, Timestamp, ZoneName, ZoneReach};
use tenon_reach::Part;

pub(crate) use footing::Footing;
pub(crate) use told::basis;

/// What was last told of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldZone {
    #[serde(flatten)]
    pub(crate) reach: ZoneReach,
    /// When it moved to that, ...
    pub(crate) at: Timestamp,
    /// ... and whether an attacker was in it before; `None` where nothing was said of it.
    pub(crate) before: Option<Probability>,
}

/// How far attackers get. Its clone is one reference count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Approach(Arc<BTreeMap<ZoneName, ToldZone>>);

impl Serialize for Approach {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// Whether an attacker gets to an asset within 30 days, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival {
    /// Into its zone.
    pub(crate) zone: Probability,
    /// There, or to anything that listens on it.
    pub(crate) anything: Probability,
    /// There, or to where the package listens; to anything where it listens nowhere.
    pub(crate) package: Probability,
}

impl Approach {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn restore(zones: BTreeMap<ZoneName, ToldZone>) -> Self {
        Self(Arc::new(zones))
    }

    pub(crate) fn zones(&self) -> &BTreeMap<ZoneName, ToldZone> {
        &self.0
    }

    /// What moved is told.
    pub(crate) fn take(&mut self, delta: ReachDelta, now: Timestamp) {
        let zones = Arc::make_mut(&mut self.0);
        for gone in delta.gone {
            zones.remove(&gone);
        }
        for (zone, reach) in delta.zones {
            let before = zones.get(&zone).map(|told| told.reach.inside);
            zones.insert(zone, ToldZone { reach, at: now, before });
        }
    }

    /// The zone that moves most; of equals the first by name.
    pub(crate) fn moves_most(&self, delta: &ReachDelta) -> Option<ReachMove> {
        let moves = delta.zones.iter().map(|(zone, reach)| ReachMove {
            zone: zone.clone(),
            before: self.0.get(zone).map(|told| told.reach.inside),
            now: reach.inside,
        });
        let by = |of: &ReachMove| of.before.map_or(0, Probability::ppm).abs_diff(of.now.ppm());
        moves.min_by_key(|of| (Reverse(by(of)), of.zone.clone()))
    }

    /// How attackers get to an asset that stands so, and to a package on it; `None` where nothing was told of its zone yet.
    pub(crate) fn arrival(&self, footing: &Footing, package: Option<&str>) -> Option<Arrival> {
        let told = self.0.get(&footing.zone)?;
        let from = |from: &footing::Origins| {
            from.iter().fold(told.reach.inside, |all, zone| either(all, self.without(told, zone)))
        };
        let anything = from(&footing.anything);
        let package = package.map_or(anything, |package| from(footing.heard(package)));
        Some(Arrival { zone: told.reach.inside, anything, package })
    }

    /// Whether an attacker is in a zone from which a flow leads into one. Of a flow that is newer than what was told nothing is
    /// known but who is in the zone; and of a new zone not even that, so that it counts in full.
    fn without(&self, told: &ToldZone, from: &ZoneName) -> Probability {
        let known = told.reach.from.iter().find(|(zone, _)| zone == from).map(|(_, without)| *without);
        let inside = || self.0.get(from).map(|told| told.reach.inside);
        known.or_else(inside).unwrap_or(Probability::ONE)
    }
}

/// Either of both, as if independent: rounded up.
fn either(a: Probability, b: Probability) -> Probability {
    at_most(Part::of(a).or_up(Part::of(b)))
}

fn at_most(part: Part) -> Probability {
    Probability::from_ppm(part.ppm_up()).unwrap_or(Probability::ONE)
}

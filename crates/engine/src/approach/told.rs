//! What is told of how far attackers get: to the record as far as it moved, and to people as a reason.

use tenon_model::{Basis, Probability, ReachDelta, ReachStep, ZoneName, ZoneReach};
use tenon_reach::{Reach, ZoneId};

use super::{Arrival, Footing, at_most};
use crate::terrain::{Terrain, ZoneOrigin};
use crate::world::World;

/// What differs by less than this part of the larger one is the same.
const SAME: u32 = 100;
/// Longest way that is told; the first steps of a longer one.
const MAX_STEPS: usize = 16;

impl World {
    /// Whether anybody states, or anything was told of, how far attackers get.
    pub fn is_reach_stated(&self) -> bool {
        self.context.as_ref().is_some_and(|known| known.document.names_entries()) || self.is_reach_told()
    }

    /// Whether anything is told of how far attackers get.
    pub fn is_reach_told(&self) -> bool {
        !self.approach.is_empty()
    }

    /// What moved since it was last told how far attackers get, where this is the estate as it stands and what it comes to. Nothing
    /// is told of zones that are only derived: what is assumed makes nothing less urgent.
    pub fn reach_moved(&self, terrain: &Terrain, reach: &Reach) -> ReachDelta {
        let mut delta = ReachDelta::default();
        let stated = (0_u32..).map(ZoneId).zip(&terrain.zones);
        for (id, zone) in stated.filter(|(_, zone)| zone.origin == ZoneOrigin::Stated) {
            // It is the name of a zone.
            let Ok(name) = zone.name.parse::<ZoneName>() else { continue };
            let now = zone_reach(terrain, reach, id);
            if self.approach.zones().get(&name).is_none_or(|told| moved(&told.reach, &now)) {
                delta.zones.push((name, now));
            }
        }
        let gone = self.approach.zones().keys().filter(|name| {
            let id = terrain.zone_called(name.as_str());
            id.and_then(|id| terrain.zones.get(id.0 as usize))
                .is_none_or(|zone| zone.origin != ZoneOrigin::Stated)
        });
        delta.gone = gone.cloned().collect();
        delta
    }
}

fn zone_reach(terrain: &Terrain, reach: &Reach, id: ZoneId) -> ZoneReach {
    let name = |zone: ZoneId| terrain.zones.get(zone.0 as usize)?.name.parse::<ZoneName>().ok();
    let into = terrain.network.flows().filter(|(_, to, _)| *to == id);
    let mut from: Vec<(ZoneName, Probability)> =
        into.filter_map(|(from, ..)| Some((name(from)?, at_most(reach.without(from, id))))).collect();
    from.sort();
    let steps = reach.path(id).into_iter().take(MAX_STEPS).filter_map(|step| {
        let exploit =
            terrain.zones.get(step.class.zone.0 as usize)?.exploits.get(step.class.place as usize)?;
        Some(ReachStep {
            from: name(step.from)?,
            to: name(step.class.zone)?,
            vulnerability: exploit.vulnerability.clone(),
            package: exploit.package.clone(),
        })
    });
    ZoneReach { inside: at_most(reach.zone(id).union), from, path: steps.collect() }
}

/// Whether it is worth telling.
fn moved(before: &ZoneReach, now: &ZoneReach) -> bool {
    let differs = |a: Probability, b: Probability| {
        let (low, high) = (a.ppm().min(b.ppm()), a.ppm().max(b.ppm()));
        u64::from(high - low) * u64::from(SAME) > u64::from(high)
    };
    let other_flows = !before.from.iter().map(|(zone, _)| zone).eq(now.from.iter().map(|(zone, _)| zone));
    other_flows
        || differs(before.inside, now.inside)
        || before.from.iter().zip(&now.from).any(|((_, a), (_, b))| differs(*a, *b))
        || before.path != now.path
}

/// Why attackers get to a package as they do on what stands so.
pub(crate) fn basis(world: &World, footing: &Footing, arrival: Arrival, package: &str) -> Option<Basis> {
    let (zone, version) = (&footing.zone, world.context.as_ref()?.written.network);
    let told = world.approach.zones().get(zone)?;
    let inside = told.reach.inside;
    let before = match told.before {
        Some(before) if before != inside => format!(", before {before}"),
        _ => String::new(),
    };
    let way = match told.reach.path.last() {
        Some(ReachStep { from, vulnerability, package, .. }) => {
            format!("; likeliest way in: {vulnerability} in {package}, from {from}")
        }
        None => String::new(),
    };
    let Arrival { package: to, .. } = arrival;
    let there = if to == inside { String::new() } else { format!("to {package} with at most {to}, ") };
    Some(Basis {
        fact: format!(
            "attackers get {there}into zone {zone} with at most {inside} within 30 days{before}{way}"
        ),
        source: format!(
            "zones and flows of context version {version}, with what listens and is vulnerable there"
        ),
        as_of: Some(told.at),
    })
}

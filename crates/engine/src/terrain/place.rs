//! Where things stand: assets in zones, packages at ports, and how many there are of each.

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::context::{FlowProtocol, PortRange};
use tenon_model::{AssetOrdinal, AssetSet, Listener, Probability, SystemExposure};
use tenon_reach::{Rule, Service, ZoneId};

use super::{TerrainZone, ZoneOrigin};
use crate::assets::AssetState;
use crate::context::Bearing;
use crate::priority::harm;
use crate::stance::Stance;
use crate::world::World;

/// The Internet where nobody states a zone in which attacks begin.
const INTERNET: &str = "internet";
/// Hosts that, by listeners and addresses alone, the Internet reaches.
const FACING: &str = "internet-facing";
/// All others.
const INSIDE: &str = "inside";

/// By package, where it listens and on which assets; by the services, of which each set is another.
pub(super) type Listening = BTreeMap<String, BTreeMap<BTreeSet<Service>, AssetSet>>;
/// What passes from one zone to another.
pub(super) type Flows = BTreeMap<(ZoneId, ZoneId), BTreeSet<Rule>>;

/// What is counted of hosts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) hosts: u64,
    /// What their failure would cost, in parts per million of the worst of one.
    pub(super) harm: u64,
    pub(super) first: Option<AssetOrdinal>,
}

impl Counted {
    pub(super) fn add(&mut self, more: Self) {
        self.hosts += more.hosts;
        self.harm = self.harm.saturating_add(more.harm);
        self.first = self.first.into_iter().chain(more.first).min();
    }
}

/// Where each asset stands, by its ordinal: of thousands of sets of few hosts that is found sooner than what each has in common
/// with each zone.
pub(super) struct Standing {
    zones: usize,
    /// The place of its zone, and what its failure would cost; `None` where it stands in no zone.
    of: Vec<Option<(u32, u32)>>,
}

impl Standing {
    /// By zone, what is counted of these assets.
    pub(super) fn count(&self, assets: &AssetSet) -> impl Iterator<Item = (usize, Counted)> {
        let mut counted = vec![Counted::default(); self.zones];
        for asset in assets.iter() {
            if let Some((zone, harm)) = self.of.get(asset.0 as usize).copied().flatten()
                && let Some(counted) = counted.get_mut(zone as usize)
            {
                counted.add(Counted { hosts: 1, harm: u64::from(harm), first: Some(asset) });
            }
        }
        counted.into_iter().enumerate().filter(|(_, counted)| counted.hosts > 0)
    }
}

impl World {
    /// The zones with what stands in them, and what flows between them.
    pub(super) fn zones(&self) -> (Vec<TerrainZone>, Flows) {
        let document = self.context().map(|known| known.document.clone());
        let stated = document.filter(|document| document.names_entries());
        let Some(document) = stated else { return self.derived_zones() };
        let zones: Vec<TerrainZone> = document
            .zones
            .iter()
            .map(|(name, zone)| TerrainZone {
                name: name.to_string(),
                origin: ZoneOrigin::Stated,
                entry: zone.entry.unwrap_or(Probability::ZERO),
                assets: self.assets.in_zone(name),
                exploits: Vec::new(),
            })
            .collect();
        let places: BTreeMap<_, _> = document.zones.keys().zip(0_u32..).collect();
        let mut flows = Flows::new();
        for flow in &document.flows {
            if let (Some(from), Some(to)) = (places.get(&flow.from), places.get(&flow.to)) {
                let rule = Rule { protocol: flow.protocol, ports: flow.ports.clone() };
                flows.entry((ZoneId(*from), ZoneId(*to))).or_default().insert(rule);
            }
        }
        (zones, flows)
    }

    /// Where nobody states zones: the Internet reaches what listens on a public address, and whatever is taken reaches all
    /// others.
    fn derived_zones(&self) -> (Vec<TerrainZone>, Flows) {
        let facing = self.assets.bearing(|bearing| {
            bearing.exposure.as_ref().is_some_and(|known| known.value == SystemExposure::Open)
        });
        let inside = self.assets_like(None, None).without(&facing);
        let zone = |name: &str, entry, assets| TerrainZone {
            name: name.to_owned(),
            origin: ZoneOrigin::Derived,
            entry,
            assets,
            exploits: Vec::new(),
        };
        let zones = vec![
            zone(INTERNET, Probability::ONE, AssetSet::default()),
            zone(FACING, Probability::ZERO, facing),
            zone(INSIDE, Probability::ZERO, inside),
        ];
        let all = BTreeSet::from([Rule { protocol: FlowProtocol::Any, ports: [PortRange::ALL].into() }]);
        let flows = [(ZoneId(0), ZoneId(1)), (ZoneId(1), ZoneId(2)), (ZoneId(2), ZoneId(1))];
        (zones, flows.map(|flow| (flow, all.clone())).into())
    }

    pub(super) fn standing_in(&self, zones: &[TerrainZone]) -> Standing {
        let mut of = vec![None; self.assets.by_ordinal.len()];
        for (place, zone) in (0_u32..).zip(zones) {
            for asset in zone.assets.iter() {
                let bearing = self.assets.get(asset).and_then(|asset| asset.bearing.as_deref());
                let harm = harm(bearing.unwrap_or(&Bearing::NOTHING));
                if let Some(of) = of.get_mut(asset.0 as usize) {
                    *of = Some((place, u32::try_from(harm).unwrap_or(u32::MAX)));
                }
            }
        }
        Standing { zones: zones.len(), of }
    }

    pub(super) fn listening(&self, live: &AssetSet) -> Listening {
        let mut listening: BTreeMap<String, BTreeMap<BTreeSet<Service>, Vec<AssetOrdinal>>> = BTreeMap::new();
        for ordinal in live.iter() {
            let Some(profile) = self.assets.get(ordinal).and_then(AssetState::profile) else { continue };
            let mut packages: BTreeMap<&str, BTreeSet<Service>> = BTreeMap::new();
            for listener in &profile.listeners {
                if let (Some(package), Some(service)) = (listener.package.as_deref(), service(listener)) {
                    packages.entry(package).or_default().insert(service);
                }
            }
            for (package, services) in packages {
                let of_package = match listening.get_mut(package) {
                    Some(of_package) => of_package,
                    None => listening.entry(package.to_owned()).or_default(),
                };
                of_package.entry(services).or_default().push(ordinal);
            }
        }
        let sets = |of_package: BTreeMap<BTreeSet<Service>, Vec<AssetOrdinal>>| {
            of_package.into_iter().map(|(services, assets)| (services, AssetSet::in_order(&assets))).collect()
        };
        listening.into_iter().map(|(package, of_package)| (package, sets(of_package))).collect()
    }
}

/// Where others reach a listener.
pub(super) fn service(listener: &Listener) -> Option<Service> {
    let reached = !listener.is_loopback();
    reached.then_some(Service { protocol: listener.protocol, port: listener.port })
}

/// The assets of a stance, apart by where its package listens on them.
pub(super) fn by_services(
    stance: &Stance,
    assets: AssetSet,
    listening: &Listening,
) -> BTreeMap<BTreeSet<Service>, AssetSet> {
    let mut parts = BTreeMap::from([(BTreeSet::new(), assets)]);
    let names: BTreeSet<&str> = stance.components.iter().map(|component| component.name.as_str()).collect();
    for of_package in names.into_iter().filter_map(|name| listening.get(name)) {
        let mut next: BTreeMap<BTreeSet<Service>, AssetSet> = BTreeMap::new();
        for (before, mut part) in parts {
            for (services, listeners) in of_package {
                let both = part.intersect(listeners);
                if !both.is_empty() {
                    part.subtract(&both);
                    next.entry(before.union(services).copied().collect()).or_default().extend(&both);
                }
            }
            next.entry(before).or_default().extend(&part);
        }
        parts = next;
    }
    parts.retain(|_, part| !part.is_empty());
    parts
}

//! Services of the business, where they stand, and how far an attacker gets to them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenon_engine::{TerrainService, World};
use tenon_model::context::ServiceEntry;
use tenon_model::{AssetSet, ServiceName};
use tenon_reach::ZoneId;
use utoipa::ToSchema;

use super::BoundsView;

/// Most services that are told one by one: those that an attacker gets to most likely.
const MAX_SERVICES: usize = 100;
/// Most hosts of a service or a zone that are named.
const MAX_HOSTS: usize = 20;

/// A host by its id and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachHostView {
    /// As in `ast_0123...`.
    pub id: String,
    /// The name that it gave.
    pub name: String,
}

/// A zone in which hosts of a service stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceZoneView {
    /// The zone.
    pub zone: String,
    /// How many hosts of the service stand in it.
    pub assets: u64,
    /// Whether an attacker is there.
    pub reached: BoundsView,
}

/// A service of the business, and where what carries it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachServiceView {
    /// Its name.
    pub name: String,
    /// The team that owns it, where somebody says so.
    pub team: Option<String>,
    /// How much the organisation depends on it, where somebody says so: `low`, `medium`, `high` or `critical`.
    pub criticality: Option<String>,
    /// The services that it cannot work without.
    pub depends_on: Vec<String>,
    /// The services that cannot work without it.
    pub needed_by: Vec<String>,
    /// How many hosts carry it.
    pub assets: u64,
    /// The first of them by enrolment, at most 20.
    pub hosts: Vec<ReachHostView>,
    /// Of how many of them nobody states the zone: their addresses tell it.
    pub derived: u64,
    /// How many of them stand in no zone. Never read it as "not reached".
    pub unplaced: u64,
    /// Where they stand, where an attacker most likely is first.
    pub zones: Vec<ServiceZoneView>,
    /// Risk points that the open directives remove on its hosts.
    pub removes: String,
    /// How many open directives are about its hosts.
    pub directives: u64,
}

/// The first hosts of a set, in the order in which they enrolled.
pub(super) fn first_hosts(world: &World, assets: &AssetSet) -> Vec<ReachHostView> {
    let first = assets.iter().take(MAX_HOSTS).filter_map(|asset| world.asset_at(asset));
    first.map(|asset| ReachHostView { id: asset.id.to_string(), name: asset.hostname.clone() }).collect()
}

/// The services, those that an attacker gets to most likely first; `reached` tells how likely one is in a zone, and `name` what it is
/// called.
pub(super) fn told(
    world: &World,
    services: &[TerrainService],
    reached: impl Fn(ZoneId) -> BoundsView,
    name: impl Fn(ZoneId) -> String,
) -> Vec<ReachServiceView> {
    let document = world.context().map(|known| known.document.clone()).unwrap_or_default();
    let mut needed_by: BTreeMap<&ServiceName, BTreeSet<&ServiceName>> = BTreeMap::new();
    for (of, entry) in &document.services {
        for needed in &entry.depends_on {
            needed_by.entry(needed).or_default().insert(of);
        }
    }
    let most = |service: &TerrainService| service.zones.keys().map(|zone| reached(*zone).most).max();
    let mut order: Vec<(Reverse<Option<u32>>, &TerrainService)> =
        services.iter().map(|service| (Reverse(most(service)), service)).collect();
    order.sort_by(|(a, one), (b, other)| (a, &one.name).cmp(&(b, &other.name)));
    let names = |names: &BTreeSet<ServiceName>| names.iter().map(ToString::to_string).collect();
    let nothing = ServiceEntry::default();
    let view = |service: &TerrainService| {
        let entry = document.services.get(&service.name).unwrap_or(&nothing);
        let mut zones: Vec<ServiceZoneView> = service
            .zones
            .iter()
            .map(|(zone, assets)| ServiceZoneView {
                zone: name(*zone),
                assets: assets.len(),
                reached: reached(*zone),
            })
            .collect();
        zones.sort_by(|a, b| (b.reached.most, &a.zone).cmp(&(a.reached.most, &b.zone)));
        let placed: u64 = service.zones.values().map(AssetSet::len).sum();
        let loss = world.expected_loss(&service.assets);
        ReachServiceView {
            name: service.name.to_string(),
            team: entry.team.as_ref().map(ToString::to_string),
            criticality: entry.criticality.map(|criticality| criticality.to_string()),
            depends_on: names(&entry.depends_on),
            needed_by: needed_by
                .get(&service.name)
                .map(|by| by.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            assets: service.assets.len(),
            hosts: first_hosts(world, &service.assets),
            derived: service.derived.len(),
            unplaced: service.assets.len().saturating_sub(placed),
            zones,
            removes: loss.removes.to_string(),
            directives: loss.directives,
        }
    };
    order.into_iter().take(MAX_SERVICES).map(|(_, service)| view(service)).collect()
}

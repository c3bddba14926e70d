//! Services of the business on the terrain: where what carries them stands.

use std::collections::BTreeMap;

use tenon_model::{AssetSet, ServiceName};
use tenon_reach::ZoneId;

use super::Terrain;
use crate::context::Source;
use crate::world::World;

/// A service, and where what carries it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerrainService {
    /// Its name.
    pub name: ServiceName,
    /// What carries it.
    pub assets: AssetSet,
    /// The same by zone; what stands in no zone is in none of these.
    pub zones: BTreeMap<ZoneId, AssetSet>,
    /// Those of which nobody states the zone: their addresses tell it, or whether the Internet reaches them.
    pub derived: AssetSet,
}

impl TerrainService {
    fn new(name: ServiceName) -> Self {
        Self { name, assets: AssetSet::default(), zones: BTreeMap::new(), derived: AssetSet::default() }
    }
}

impl Terrain {
    /// Every service that the context names or an asset carries, by name. Of a million assets it takes seconds to ask what each
    /// carries.
    pub fn services(&self, world: &World) -> Vec<TerrainService> {
        let document = world.context().map(|known| known.document.clone()).unwrap_or_default();
        let named = document.services.keys().cloned().map(|name| (name.clone(), TerrainService::new(name)));
        let mut services: BTreeMap<ServiceName, TerrainService> = named.collect();
        let mut places = BTreeMap::new();
        for (place, zone) in (0_u32..).map(ZoneId).zip(&self.zones) {
            places.extend(zone.assets.iter().map(|asset| (asset, place)));
        }
        for (id, asset) in world.live_assets() {
            let Some(ordinal) = world.ordinal(id) else { continue };
            let said = world.effective(asset);
            let place = places.get(&ordinal).copied();
            let is_stated =
                said.zone.as_ref().is_some_and(|known| !matches!(known.source, Source::Network { .. }));
            for name in said.services {
                let service = services.entry(name.clone()).or_insert_with(|| TerrainService::new(name));
                service.assets.insert(ordinal);
                let Some(place) = place else { continue };
                service.zones.entry(place).or_default().insert(ordinal);
                if !is_stated {
                    service.derived.insert(ordinal);
                }
            }
        }
        services.into_values().collect()
    }
}

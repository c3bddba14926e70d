//! Where an asset stands in the network: its zone, and from which zones traffic gets to what listens on it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tenon_model::context::Flow;
use tenon_model::{ContextDocument, Listener, ZoneName};

use crate::assets::AssetState;

/// Zones from which traffic gets somewhere.
pub(crate) type Origins = BTreeSet<ZoneName>;

/// Where an asset stands. What stands alike is reached alike, whatever becomes of zones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Footing {
    pub(super) zone: ZoneName,
    /// From where traffic gets to anything on it; from wherever a flow leads into its zone, where nobody knows what listens.
    pub(super) anything: Origins,
    /// The same of packages that listen, by the name that advisories use, as far as it is another.
    pub(super) packages: BTreeMap<String, Origins>,
}

impl Footing {
    /// Where an asset stands that is in this zone; `owners` are the packages, as advisories name them, of which one of this name
    /// is installed. `None` where the document names no zone in which attacks begin: then nothing tells who is reached.
    pub(crate) fn of<'o>(
        asset: &AssetState,
        zone: &ZoneName,
        document: &ContextDocument,
        owners: impl Fn(&str) -> Vec<&'o str>,
    ) -> Option<Self> {
        if !document.names_entries() || !document.zones.contains_key(zone) {
            return None;
        }
        let listeners = asset.profile().map(|profile| profile.listeners.as_slice()).unwrap_or_default();
        let into: Vec<&Flow> = document.flows.iter().filter(|flow| flow.to == *zone).collect();
        if listeners.is_empty() {
            let anything = into.iter().map(|flow| flow.from.clone()).collect();
            return Some(Self { zone: zone.clone(), anything, packages: BTreeMap::new() });
        }
        let mut anything = Origins::new();
        let mut by_name: BTreeMap<&str, Origins> = BTreeMap::new();
        for listener in listeners {
            let from = of_listener(listener, &into);
            if let Some(package) = listener.package.as_deref() {
                by_name.entry(package).or_default().extend(from.clone());
            }
            anything.extend(from);
        }
        let mut packages: BTreeMap<String, Origins> = BTreeMap::new();
        // A package that listens nowhere may be a part of whatever does.
        for (name, from) in by_name.into_iter().filter(|(_, from)| *from != anything) {
            for owner in owners(name) {
                packages.entry(owner.to_owned()).or_default().extend(from.iter().cloned());
            }
        }
        Some(Self { zone: zone.clone(), anything, packages })
    }

    /// Whether how attackers get there follows from what is told of one of these zones: from its own, or where nothing is told of a
    /// flow, from the one where that begins.
    pub(crate) fn depends_on(&self, zones: &BTreeSet<&ZoneName>) -> bool {
        zones.contains(&self.zone) || self.anything.iter().any(|from| zones.contains(from))
    }

    /// From where traffic gets to a package.
    pub(super) fn heard(&self, package: &str) -> &Origins {
        self.packages.get(package).unwrap_or(&self.anything)
    }
}

fn of_listener(listener: &Listener, into: &[&Flow]) -> Origins {
    if listener.is_loopback() {
        return Origins::new();
    }
    let allowed = into.iter().filter(|flow| flow.allows(listener.protocol, listener.port));
    allowed.map(|flow| flow.from.clone()).collect()
}

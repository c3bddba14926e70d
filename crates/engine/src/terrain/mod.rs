//! The estate as an attacker meets it: zones, flows between them, and what can be exploited where.
//!
//! ```text
//! zones and flows of the context, or derived --+
//! who listens on what, by package -------------+--> Terrain --solve (tenon_reach)--> Reach: zones, hosts, best paths
//! stances in which something is found, intel --+
//! ```
//!
//! Of one zone the hosts that one vulnerability of one package opens, and on which that package listens alike, are one class:
//! what exploits one of them exploits all, and counts once. How many classes there are does not depend on how many hosts.

mod place;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{AssetOrdinal, AssetSet, Intel, Listener, Probability, VulnerabilityId};
use tenon_reach::{Class, Finding, Network, Service, Vector, ZoneId};
use tenon_risk::cvss::Cvss;

use crate::assets::AssetState;
use crate::consequences::assess;
use crate::directives::DirectiveState;
use crate::findings::{FindingState, findings};
use crate::priority::threat_of;
use crate::stance::Stance;
use crate::world::World;
use place::{Counted, by_services, service};
pub use services::TerrainService;

/// Millionths of a risk point that one part per million of harm is: 100 points are a certain loss, whole.
const POINTS_PER_PPM: u64 = 100;

/// Where a zone comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneOrigin {
    /// The context document names it.
    Stated,
    /// Nobody names zones in which attacks begin: it is told from listeners and addresses, and shown as an assumption.
    Derived,
}

/// What one vulnerability of one package opens in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exploit {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The package, as advisories name it.
    pub package: String,
    /// How many hosts.
    pub hosts: u64,
    /// The first of them.
    pub first: AssetOrdinal,
}

/// A part of the network, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerrainZone {
    /// Its name.
    pub name: String,
    /// Who says so.
    pub origin: ZoneOrigin,
    /// The probability that an attacker is there before anything of the estate is taken.
    pub entry: Probability,
    /// What stands in it.
    pub assets: AssetSet,
    /// What can be exploited, in the order of the network's classes of the zone, each of one finding.
    pub exploits: Vec<Exploit>,
}

/// The estate as an attacker meets it.
#[derive(Debug, Clone, Default)]
pub struct Terrain {
    /// To be solved.
    pub network: Network,
    /// In the order of the network's zones.
    pub zones: Vec<TerrainZone>,
    /// Assets that stand in no zone: nothing is said of them. Never read it as "not reached".
    pub unplaced: AssetSet,
}

/// A vulnerability on an asset, as an attacker meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnAsset {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The package, as advisories name it.
    pub package: String,
    /// What the network knows of it.
    pub finding: Finding,
}

impl Terrain {
    /// The zone in which an asset stands.
    pub fn zone_of(&self, asset: AssetOrdinal) -> Option<ZoneId> {
        let place = self.zones.iter().position(|zone| zone.assets.contains(asset))?;
        u32::try_from(place).ok().map(ZoneId)
    }

    /// The zone of a name.
    pub fn zone_called(&self, name: &str) -> Option<ZoneId> {
        let place = self.zones.iter().position(|zone| zone.name == name)?;
        u32::try_from(place).ok().map(ZoneId)
    }
}

/// Of a zone: vulnerability, package and where that listens.
type Key = (usize, VulnerabilityId, String, BTreeSet<Service>);

/// What is taken to be done.
struct Done<'d> {
    state: &'d DirectiveState,
    closes: BTreeSet<&'d VulnerabilityId>,
}

impl World {
    /// The estate as an attacker meets it now.
    pub fn terrain(&self) -> Terrain {
        self.terrain_but(None)
    }

    /// The estate as an attacker will meet it when a directive is done on all of its assets: what it closes, or what the changelog of
    /// what it brings claims to, is open there no more. Zones stand in the same order.
    pub fn terrain_after(&self, state: &DirectiveState) -> Terrain {
        let closes = state.directive.closes.iter().chain(&state.directive.claims).collect();
        self.terrain_but(Some(&Done { state, closes }))
    }

    fn terrain_but(&self, done: Option<&Done<'_>>) -> Terrain {
        let (mut zones, flows) = self.zones();
        let placed = AssetSet::union(zones.iter().map(|zone| &zone.assets));
        let live = self.assets_like(None, None);
        let listening = self.listening(&live);
        let standing = self.standing_in(&zones);
        let mut classes: BTreeMap<Key, (Finding, Counted)> = BTreeMap::new();
        for (id, entry) in self.index.all().filter(|(_, entry)| entry.tally.open > 0) {
            let exploits = first_steps(self, &entry.stance);
            if exploits.is_empty() {
                continue;
            }
            for (services, alike) in by_services(&entry.stance, self.index.assets_of(id), &listening) {
                let all: Vec<_> = standing.count(&alike).collect();
                let left = done.filter(|done| !done.state.members.is_disjoint(&alike));
                let left =
                    left.map(|done| standing.count(&alike.without(&done.state.members)).collect::<Vec<_>>());
                for (vulnerability, step) in &exploits {
                    let closed = done.is_some_and(|done| done.closes.contains(vulnerability));
                    for (place, here) in left.as_ref().filter(|_| closed).unwrap_or(&all) {
                        let package = entry.stance.package.clone();
                        let key = (*place, vulnerability.clone(), package, services.clone());
                        let finding = || Finding { listens: services.clone(), ..step.clone() };
                        let class = classes.entry(key).or_insert_with(|| (finding(), Counted::default()));
                        class.1.add(*here);
                    }
                }
            }
        }
        let mut of_zone: Vec<Vec<Class>> = zones.iter().map(|_| Vec::new()).collect();
        for ((place, vulnerability, package, _), (finding, counted)) in classes {
            let Counted { hosts, harm, first } = counted;
            // A class has a host.
            let Some(first) = first else { continue };
            // What is lost with all of them is lost with one exploit.
            let value = harm.saturating_mul(POINTS_PER_PPM);
            of_zone[place].push(Class { hosts: 1, value, findings: vec![finding] });
            zones[place].exploits.push(Exploit { vulnerability, package, hosts, first });
        }
        let mut network = Network::default();
        for (zone, classes) in zones.iter().zip(of_zone) {
            network.add_zone(zone.entry, classes);
        }
        for ((from, to), rules) in flows {
            // Both are zones of this network; inside one, everything is allowed anyway.
            let _inside = network.set_flow(from, to, rules);
        }
        Terrain { network, zones, unplaced: live.without(&placed) }
    }

    /// What is open on an asset, as an attacker meets it.
    pub fn terrain_of(&self, asset: &AssetState) -> Vec<OnAsset> {
        let listeners = asset.profile().map(|profile| profile.listeners.as_slice()).unwrap_or_default();
        let entries: Vec<_> = self.index.entries_of(asset.stances()).collect();
        let (mut met, mut told) = (Vec::new(), BTreeSet::new());
        let found = findings(self, asset);
        // An accepted risk is there all the same.
        let accepted = found.accepted.into_iter().map(|(finding, _)| finding);
        for finding in found.findings.into_iter().chain(accepted) {
            let Some(mut seen) = self.met(&finding.vulnerability, &finding.state) else { continue };
            // The stance in which it was found: what listens is built from the same source.
            let found_in =
                |entry: &&&crate::index::Entry| entry.stance.calls(&finding.ecosystem, &finding.source.name);
            let Some(stance) = entries.iter().find(found_in).map(|entry| &entry.stance) else { continue };
            let package = stance.package.clone();
            // What was built from one source is met as one thing.
            if !told.insert((finding.vulnerability.clone(), package.clone())) {
                continue;
            }
            let names: BTreeSet<&str> =
                stance.components.iter().map(|component| component.name.as_str()).collect();
            let listens = |listener: &&Listener| {
                listener.package.as_deref().is_some_and(|package| names.contains(package))
            };
            seen.listens = listeners.iter().filter(listens).filter_map(service).collect();
            met.push(OnAsset { vulnerability: finding.vulnerability, package, finding: seen });
        }
        met
    }

    /// What a vulnerability in such a state is to an attacker; `None` where it is nothing that runs.
    fn met(&self, id: &VulnerabilityId, state: &FindingState) -> Option<Finding> {
        if matches!(state, FindingState::NotRunning) {
            return None;
        }
        let nothing = Intel::default();
        let intel = self.intel.get(id).map_or(&nothing, AsRef::as_ref);
        let cvss: Option<Cvss> = intel.profile.cvss.as_ref().and_then(|cvss| cvss.vector.parse().ok());
        // What is not stated counts as the worst, as in the priorities.
        let needs = |metrics: &[&str], no: &[&str]| {
            let metric = metrics.iter().find_map(|metric| cvss.as_ref()?.metric(metric));
            metric.is_some_and(|value| !no.contains(&value))
        };
        let vector = match cvss.as_ref().and_then(|cvss| cvss.metric("AV")) {
            None | Some("N") => Vector::Network,
            Some("A") => Vector::Adjacent,
            Some("L") => Vector::Local,
            Some(_) => return None,
        };
        Some(Finding {
            vector,
            privileges: needs(&["PR", "Au"], &["N"]),
            interaction: needs(&["UI"], &["N"]),
            listens: BTreeSet::new(),
            threat: threat_of(intel),
        })
    }
}

/// What of a stance takes a host, each vulnerability once. What needs a foothold takes none.
fn first_steps(world: &World, stance: &Stance) -> Vec<(VulnerabilityId, Finding)> {
    let mut steps: BTreeMap<VulnerabilityId, Finding> = BTreeMap::new();
    for finding in assess(world, stance).findings {
        if let Some(met) = world.met(&finding.vulnerability, &finding.state)
            && !met.needs_foothold()
        {
            steps.insert(finding.vulnerability, met);
        }
    }
    steps.into_iter().collect()
}

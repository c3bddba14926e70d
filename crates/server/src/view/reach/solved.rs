//! The estate solved for an attacker, and what is told of it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use tenon_engine::{OnAsset, Terrain, TerrainService, World, ZoneOrigin};
use tenon_model::{AssetId, AssetOrdinal, AssetSet, DirectiveId, Protocol, ReachDelta, RiskPoints};
use tenon_reach::{ChokePoint, ClassId, Difference, Network, Reach, Rule, Service, Step, ZoneId};

use super::services::{first_hosts, told};
use super::{
    AssetReachView, AttackStepView, BlastView, BlastZoneView, BoundsView, ClosedFlowView, DirectiveReachView,
    ExploitView, ReachView, ReachedFindingView, ZoneAfterView, ZoneFlowView, ZoneView,
};

/// Most zones that are told one by one; the others lose less.
const MAX_ZONES: usize = 500;
/// Most flows that are told one by one.
const MAX_FLOWS: usize = 2_000;
/// Most vulnerabilities of a zone or an asset that are told one by one, those that lose most.
const MAX_EXPLOITS: usize = 20;
/// Zones that are told of what an attacker gets to from an asset.
const MAX_BLAST_ZONES: usize = 10;
/// Flows that are tried as choke points.
const MAX_CHOKE_POINTS: usize = 10;

/// The estate as an attacker meets it, solved.
pub(crate) struct Solved {
    generation: u64,
    terrain: Terrain,
    reach: Reach,
    /// Asked for by whoever looks at the estate, and not by what only ranks.
    services: OnceLock<Vec<TerrainService>>,
}

/// What the terrain's classes are worth is in millionths of a risk point.
fn points(lost: u128) -> String {
    RiskPoints(u64::try_from(lost).unwrap_or(u64::MAX)).to_string()
}

fn listens(services: &BTreeSet<Service>) -> Vec<String> {
    let told = |service: &Service| match service.protocol {
        Protocol::Tcp => format!("tcp {}", service.port),
        Protocol::Udp => format!("udp {}", service.port),
    };
    services.iter().map(told).collect()
}

impl Solved {
    pub(crate) fn of(world: &World) -> Self {
        let terrain = world.terrain();
        let reach = terrain.network.solve();
        Self { generation: world.seq(), terrain, reach, services: OnceLock::new() }
    }

    /// The entry of the record after which it is so.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What of it the record does not say yet, where this is the same World.
    pub(crate) fn moved(&self, world: &World) -> ReachDelta {
        world.reach_moved(&self.terrain, &self.reach)
    }

    fn assumed(&self) -> bool {
        self.terrain.zones.iter().any(|zone| zone.origin == ZoneOrigin::Derived)
    }

    /// The zone of a name.
    pub(crate) fn zone(&self, name: &str) -> Option<ZoneId> {
        self.terrain.zone_called(name)
    }

    fn name(&self, zone: ZoneId) -> String {
        self.terrain.zones.get(zone.0 as usize).map(|zone| zone.name.clone()).unwrap_or_default()
    }

    fn step(&self, world: &World, step: Step) -> Option<AttackStepView> {
        let zone = self.terrain.zones.get(step.class.zone.0 as usize)?;
        let exploit = zone.exploits.get(step.class.place as usize)?;
        let classes = self.terrain.network.classes(step.class.zone);
        let finding = classes.get(step.class.place as usize)?.findings.get(step.finding as usize)?;
        Some(AttackStepView {
            from: self.name(step.from),
            to: zone.name.clone(),
            vulnerability: exploit.vulnerability.to_string(),
            package: exploit.package.clone(),
            listens: listens(&finding.listens),
            hosts: exploit.hosts,
            host: world.asset_at(exploit.first).map(|asset| asset.hostname.clone()).unwrap_or_default(),
            threat: finding.threat.ppm(),
        })
    }

    fn path(&self, world: &World, reach: &Reach, zone: ZoneId) -> Vec<AttackStepView> {
        reach.path(zone).into_iter().filter_map(|step| self.step(world, step)).collect()
    }

    fn zone_view(&self, world: &World, reach: &Reach, id: ZoneId) -> Option<(u128, ZoneView)> {
        let (zone, network) = (self.terrain.zones.get(id.0 as usize)?, &self.terrain.network);
        let mut exploits: Vec<(u128, u32)> = (0_u32..)
            .zip(&zone.exploits)
            .map(|(place, _)| (reach.lost_of(network, ClassId { zone: id, place }), place))
            .collect();
        let loses = exploits.iter().map(|(lost, _)| lost).sum();
        exploits.sort_by_key(|(lost, place)| (std::cmp::Reverse(*lost), *place));
        let exploit = |(lost, place): &(u128, u32)| {
            let exploit = zone.exploits.get(*place as usize)?;
            let finding = network.classes(id).get(*place as usize)?.findings.first()?;
            Some(ExploitView {
                vulnerability: exploit.vulnerability.to_string(),
                package: exploit.package.clone(),
                listens: listens(&finding.listens),
                hosts: exploit.hosts,
                delivered: reach.arrives(network, id, finding).into(),
                threat: finding.threat.ppm(),
                loses: points(*lost),
            })
        };
        let view = ZoneView {
            name: zone.name.clone(),
            entry: zone.entry.ppm(),
            assets: zone.assets.len(),
            hosts: first_hosts(world, &zone.assets),
            reached: reach.zone(id).into(),
            loses: points(loses),
            path: self.path(world, reach, id),
            exploits_in_all: zone.exploits.len() as u64,
            exploits: exploits.iter().take(MAX_EXPLOITS).filter_map(exploit).collect(),
        };
        Some((loses, view))
    }

    fn closed(&self, from: ZoneId, to: ZoneId, paths: u32, lost: Difference) -> ClosedFlowView {
        ClosedFlowView {
            from: self.name(from),
            to: self.name(to),
            paths,
            leaves: points(lost.after),
            saves: points(lost.before.saturating_sub(lost.after)),
        }
    }

    /// The whole estate; as if an attacker were in one zone for certain, and with what closing a flow comes to, where these are
    /// said.
    pub(crate) fn view(
        &self,
        world: &World,
        within: Option<ZoneId>,
        close: Option<(ZoneId, ZoneId)>,
    ) -> ReachView {
        let mut network = self.terrain.network.clone();
        let reach = match within {
            None => self.reach.clone(),
            Some(zone) => {
                // The zone is one of this network.
                let _unknown = network.begin_only_in(zone);
                network.solve()
            }
        };
        let ids = (0_u32..).map(ZoneId).take(self.terrain.zones.len());
        let mut zones: Vec<_> = ids.filter_map(|id| self.zone_view(world, &reach, id)).collect();
        zones.sort_by(|(a, one), (b, other)| (b, &one.name).cmp(&(a, &other.name)));
        let loses = zones.iter().map(|(lost, _)| lost).sum();
        let zones_in_all = zones.len() as u64;
        let zones: Vec<ZoneView> = zones.into_iter().take(MAX_ZONES).map(|(_, zone)| zone).collect();
        let services = self.services.get_or_init(|| self.terrain.services(world));
        let bounds = |zone| BoundsView::from(reach.zone(zone));
        let services_told = told(world, services, bounds, |zone| self.name(zone));
        let told: BTreeSet<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
        let flows = network.flows().map(|(from, to, rules)| ZoneFlowView {
            from: self.name(from),
            to: self.name(to),
            passes: rules.iter().map(Rule::to_string).collect(),
            takes: network.takes(from, to).map(BoundsView::from),
        });
        let both = |flow: &ZoneFlowView| told.contains(&*flow.from) && told.contains(&*flow.to);
        let flows = flows.filter(both).take(MAX_FLOWS).collect();
        let choke = network.choke_points(&reach, MAX_CHOKE_POINTS);
        let choke_points =
            choke.into_iter().map(|ChokePoint { from, to, paths, lost }| self.closed(from, to, paths, lost));
        let choke_points = choke_points.collect();
        let closed = close.and_then(|(from, to)| {
            let shut = |network: &mut Network| network.set_flow(from, to, BTreeSet::new());
            let lost = network.what_if(shut).ok()?;
            Some(self.closed(from, to, reach.uses(from, to), lost))
        });
        ReachView {
            generation: self.generation,
            assumed: self.assumed(),
            within: within.map(|zone| self.name(zone)),
            unplaced: self.terrain.unplaced.len(),
            loses: points(loses),
            zones_in_all,
            zones,
            services_in_all: services.len() as u64,
            services: services_told,
            flows,
            choke_points,
            closed,
        }
    }

    /// What doing a directive takes, where this is the same World; `None` where there is none of this id.
    pub(crate) fn directive(&self, world: &World, id: DirectiveId) -> Option<DirectiveReachView> {
        let state = world.directive(&id)?;
        let terrain = world.terrain_after(state);
        let (reach, services) = (terrain.network.solve(), OnceLock::new());
        let after = Self { generation: self.generation, reach, terrain, services };
        let members: &AssetSet = &state.members;
        let lost = |solved: &Self, zone| solved.reach.lost_in(&solved.terrain.network, zone);
        let ids = (0_u32..).map(ZoneId).zip(&self.terrain.zones);
        let mut zones: Vec<(u128, ZoneAfterView)> = Vec::new();
        for (zone, told) in ids {
            let own = !told.assets.is_disjoint(members);
            let (now, then) = (lost(self, zone), lost(&after, zone));
            let bounds = (self.reach.zone(zone), after.reach.zone(zone));
            if !own && now == then && bounds.0 == bounds.1 {
                continue;
            }
            let view = ZoneAfterView {
                name: told.name.clone(),
                reached: bounds.0.into(),
                reached_after: bounds.1.into(),
                loses: points(now),
                loses_after: points(then),
                own,
                path: self.path(world, &self.reach, zone),
            };
            zones.push((now.saturating_sub(then), view));
        }
        zones.sort_by(|(a, one), (b, other)| (b, &one.name).cmp(&(a, &other.name)));
        let (now, then) = (self.reach.lost(&self.terrain.network), after.reach.lost(&after.terrain.network));
        Some(DirectiveReachView {
            generation: self.generation,
            assumed: self.assumed(),
            unplaced: members.common(&self.terrain.unplaced),
            loses: points(now),
            loses_after: points(then),
            saves: points(now.saturating_sub(then)),
            zones: zones.into_iter().take(MAX_ZONES).map(|(_, zone)| zone).collect(),
        })
    }

    /// One asset; `None` where there is none of this id.
    pub(crate) fn asset(&self, world: &World, id: &AssetId) -> Option<AssetReachView> {
        let (asset, ordinal): (_, AssetOrdinal) = (world.asset(id)?, world.ordinal(id)?);
        let zone = self.terrain.zone_of(ordinal);
        let met = world.terrain_of(asset);
        let network = &self.terrain.network;
        let all: Vec<_> = met.iter().map(|met| met.finding.clone()).collect();
        let taken = zone.map(|zone| self.reach.taken(network, zone, &all));
        let mut findings: Vec<(u64, ReachedFindingView)> = Vec::new();
        for OnAsset { vulnerability, package, finding } in &met {
            let (Some(zone), Some(taken)) = (zone, taken) else { break };
            let delivered = match finding.needs_foothold() {
                true => taken,
                false => self.reach.arrives(network, zone, finding),
            };
            let weight = u64::from(finding.threat.ppm()) * delivered.union.ppb();
            let view = ReachedFindingView {
                vulnerability: vulnerability.to_string(),
                package: package.clone(),
                listens: listens(&finding.listens),
                needs_foothold: finding.needs_foothold(),
                delivered: delivered.into(),
                threat: finding.threat.ppm(),
            };
            findings.push((weight, view));
        }
        findings.sort_by(|(a, one), (b, other)| (b, &one.vulnerability).cmp(&(a, &other.vulnerability)));
        Some(AssetReachView {
            generation: self.generation,
            assumed: self.assumed(),
            zone: zone.map(|zone| self.name(zone)),
            reached: zone.map(|zone| self.reach.zone(zone).into()),
            taken: taken.map(BoundsView::from),
            path: zone.map(|zone| self.path(world, &self.reach, zone)).unwrap_or_default(),
            findings_in_all: met.len() as u64,
            findings: findings.into_iter().take(MAX_EXPLOITS).map(|(_, view)| view).collect(),
            blast: zone.map(|zone| self.blast(zone)),
        })
    }

    /// What is lost once an attacker is in a zone.
    fn blast(&self, from: ZoneId) -> BlastView {
        let network = &self.terrain.network;
        let within = network.solve_within(from);
        let ids = (0_u32..).map(ZoneId).take(self.terrain.zones.len());
        let mut zones: Vec<(u128, ZoneId)> = ids.map(|zone| (within.lost_in(network, zone), zone)).collect();
        let loses = zones.iter().map(|(lost, _)| lost).sum();
        zones.retain(|(lost, _)| *lost > 0);
        zones.sort_by_key(|(lost, zone)| (std::cmp::Reverse(*lost), *zone));
        let told = zones.into_iter().take(MAX_BLAST_ZONES).map(|(lost, zone)| BlastZoneView {
            name: self.name(zone),
            reached: within.zone(zone).into(),
            loses: points(lost),
        });
        BlastView { loses: points(loses), zones: told.collect() }
    }
}

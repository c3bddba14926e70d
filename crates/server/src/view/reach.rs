//! Who an attacker can reach, as people see it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tenon_engine::{OnAsset, Terrain, World, ZoneOrigin};
use tenon_model::{AssetId, AssetOrdinal, AssetSet, DirectiveId, Protocol, RiskPoints};
use tenon_reach::{Bounds, ChokePoint, ClassId, Difference, Network, Reach, Rule, Service, Step, ZoneId};
use utoipa::ToSchema;

/// Most zones that are told one by one; the others lose less.
const MAX_ZONES: usize = 500;
/// Most flows that are told one by one.
const MAX_FLOWS: usize = 2_000;
/// Most vulnerabilities of a zone or an asset that are told one by one, those that lose most.
const MAX_EXPLOITS: usize = 20;
/// Flows that are tried as choke points.
const MAX_CHOKE_POINTS: usize = 10;
/// Parts of a mean impact in a thousandth of a risk point: 100 points are a certain loss, whole.
const PER_THOUSANDTH: u128 = 10;

/// Bounds of a probability within 30 days, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoundsView {
    /// Of the likeliest single way: not less likely than this.
    pub least: u32,
    /// Of all ways together: not more likely than this.
    pub most: u32,
}

impl From<Bounds> for BoundsView {
    fn from(bounds: Bounds) -> Self {
        Self { least: bounds.best.ppm_down(), most: bounds.union.ppm_up() }
    }
}

/// A step of an attack: a host of one zone is taken from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttackStepView {
    /// The zone where the attacker is.
    pub from: String,
    /// The zone of the host.
    pub to: String,
    /// What is exploited.
    pub vulnerability: String,
    /// In this package.
    pub package: String,
    /// Where it listens: `tcp 443`.
    pub listens: Vec<String>,
    /// How many hosts are open to it there.
    pub hosts: u64,
    /// The first of them by enrolment, by name.
    pub host: String,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
}

/// What a vulnerability opens in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExploitView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Where it listens; empty where it does not, or nobody knows.
    pub listens: Vec<String>,
    /// How many hosts.
    pub hosts: u64,
    /// Whether an attacker can deliver it.
    pub delivered: BoundsView,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
    /// Risk points at most.
    pub loses: String,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneView {
    /// Its name.
    pub name: String,
    /// The probability that attacks begin there, in parts per million.
    pub entry: u32,
    /// How many assets stand in it.
    pub assets: u64,
    /// Whether an attacker is there.
    pub reached: BoundsView,
    /// Risk points at most: of everything that takes a host of it without a foothold there.
    pub loses: String,
    /// The likeliest path into it; empty where attacks begin there, or none leads there.
    pub path: Vec<AttackStepView>,
    /// How many vulnerabilities take hosts of it, by package and by where that listens.
    pub exploits_in_all: u64,
    /// Those that lose most, at most 20.
    pub exploits: Vec<ExploitView>,
}

/// What is allowed between two zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneFlowView {
    /// Where connections begin.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// What passes: `tcp 80, 443`; `any` is everything.
    pub passes: Vec<String>,
    /// Whether an attacker in the one zone takes a host of the other over it; absent where nothing that is open listens there.
    pub takes: Option<BoundsView>,
}

/// What closing a flow comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedFlowView {
    /// Where connections begin.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// Into how many zones the likeliest path uses it.
    pub paths: u32,
    /// Risk points that are left without it, at most.
    pub leaves: String,
    /// Risk points that it saves.
    pub saves: String,
}

/// Who an attacker can reach in the estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachView {
    /// The entry of the record after which it is so. Where this takes long, an answer about what is may be a little behind.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// The zone that an attacker is taken to be in for certain; absent where attacks begin as stated.
    pub within: Option<String>,
    /// Assets that stand in no zone. Nothing is said of them: never read it as "not reached".
    pub unplaced: u64,
    /// Risk points at most.
    pub loses: String,
    /// How many zones there are.
    pub zones_in_all: u64,
    /// The zones, at most 500, those that lose most first.
    pub zones: Vec<ZoneView>,
    /// What is allowed between them, at most 2,000.
    pub flows: Vec<ZoneFlowView>,
    /// The flows that most likeliest paths use, at most 10, those that save most first.
    pub choke_points: Vec<ClosedFlowView>,
    /// What closing the flow that was asked about comes to.
    pub closed: Option<ClosedFlowView>,
}

/// A vulnerability on an asset, and whether an attacker gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachedFindingView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Where it listens; empty where it does not, or nobody knows.
    pub listens: Vec<String>,
    /// Whether a foothold on the host comes first: it is local, or needs privileges.
    pub needs_foothold: bool,
    /// Whether an attacker can deliver it.
    pub delivered: BoundsView,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
}

/// Whether an attacker reaches an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetReachView {
    /// The entry of the record after which it is so.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// The zone that it stands in; absent where it stands in none, and nothing more is known.
    pub zone: Option<String>,
    /// Whether an attacker is in that zone.
    pub reached: Option<BoundsView>,
    /// Whether an attacker gains a foothold on the asset.
    pub taken: Option<BoundsView>,
    /// The likeliest path into the zone.
    pub path: Vec<AttackStepView>,
    /// How many vulnerabilities are open on it that an attacker could use.
    pub findings_in_all: u64,
    /// The likeliest of them, at most 20.
    pub findings: Vec<ReachedFindingView>,
}

/// What doing a directive takes from an attacker in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneAfterView {
    /// The zone.
    pub name: String,
    /// Whether an attacker is there now, ...
    pub reached: BoundsView,
    /// ... and when it is done.
    pub reached_after: BoundsView,
    /// Risk points at most now, ...
    pub loses: String,
    /// ... and when it is done.
    pub loses_after: String,
    /// Whether hosts of the directive stand there.
    pub own: bool,
    /// The likeliest path into it now.
    pub path: Vec<AttackStepView>,
}

/// What doing a directive on all of its assets takes from an attacker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveReachView {
    /// The entry of the record after which it is so.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// Assets of the directive that stand in no zone. Nothing is said of them.
    pub unplaced: u64,
    /// Risk points at most now, ...
    pub loses: String,
    /// ... and when it is done.
    pub loses_after: String,
    /// The difference.
    pub saves: String,
    /// Zones in which its hosts stand or in which it makes a difference, those that save most first.
    pub zones: Vec<ZoneAfterView>,
}

/// The estate as an attacker meets it, solved.
pub(crate) struct Solved {
    generation: u64,
    terrain: Terrain,
    reach: Reach,
}

fn points(lost: u128) -> String {
    RiskPoints(u64::try_from(lost / PER_THOUSANDTH).unwrap_or(u64::MAX)).to_string()
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
        Self { generation: world.seq(), terrain, reach }
    }

    /// The entry of the record after which it is so.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
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
            flows,
            choke_points,
            closed,
        }
    }

    /// What doing a directive takes, where this is the same World; `None` where there is none of this id.
    pub(crate) fn directive(&self, world: &World, id: DirectiveId) -> Option<DirectiveReachView> {
        let state = world.directive(&id)?;
        let terrain = world.terrain_after(state);
        let after = Self { generation: self.generation, reach: terrain.network.solve(), terrain };
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
        })
    }
}

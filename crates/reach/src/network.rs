//! Zones, flows and classes of hosts, and how likely an attacker in one zone takes a host in another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use tenon_model::context::{FlowProtocol, PortRange, passes};
use tenon_model::{Probability, Protocol};

use crate::{Bounds, Part};

/// A zone, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// A class of hosts: the zone, and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId {
    /// The zone.
    pub zone: ZoneId,
    /// The place among the classes of the zone.
    pub place: u32,
}

/// Where something listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port.
    pub port: u16,
}

/// How far an attacker must be: the CVSS metric attack vector. Physical is nobody's whom a network brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vector {
    /// Anywhere from where traffic is let through.
    Network,
    /// In the same zone.
    Adjacent,
    /// On the host.
    Local,
}

/// A vulnerability on every host of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Attack vector.
    pub vector: Vector,
    /// Whether privileges are needed first (CVSS PR is not none).
    pub privileges: bool,
    /// Whether a person must take part (CVSS UI is not none).
    pub interaction: bool,
    /// Where the package listens; empty where it does not.
    pub listens: BTreeSet<Service>,
    /// Probability that an exploit works.
    pub threat: Probability,
}

impl Finding {
    /// Whether it needs a foothold on the host.
    pub fn needs_foothold(&self) -> bool {
        self.vector == Vector::Local || self.privileges
    }

    /// Whether traffic alone exploits it.
    fn is_remote(&self) -> bool {
        self.vector == Vector::Network && !self.privileges && !self.interaction && !self.listens.is_empty()
    }
}

/// Hosts of one zone that are vulnerable alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Class {
    /// How many.
    pub hosts: u32,
    /// What is lost with one of them, in a unit of the caller's.
    pub value: u64,
    /// What is vulnerable on each.
    pub findings: Vec<Finding>,
}

/// What a flow lets pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// By which protocol.
    pub protocol: FlowProtocol,
    /// To which ports.
    pub ports: BTreeSet<PortRange>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&passes(self.protocol, &self.ports))
    }
}

impl Rule {
    fn allows(&self, service: Service) -> bool {
        self.protocol.allows(service.protocol) && self.ports.iter().any(|range| range.contains(service.port))
    }
}

/// Why an edit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkError {
    /// There is no such zone.
    NoZone(ZoneId),
    /// There is no such class.
    NoClass(ClassId),
    /// A flow inside a zone: everything is allowed there.
    Inside(ZoneId),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoZone(zone) => write!(f, "there is no zone {}", zone.0),
            Self::NoClass(class) => write!(f, "there is no class {} in zone {}", class.place, class.zone.0),
            Self::Inside(zone) => write!(f, "zone {}: inside a zone everything is allowed", zone.0),
        }
    }
}

impl std::error::Error for NetworkError {}

/// The likeliest exploit of a way into a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Best {
    pub(crate) threat: Part,
    pub(crate) class: u32,
    pub(crate) finding: u32,
}

/// How an attacker in one zone gets into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) best: Best,
    pub(crate) union: Part,
}

/// What is exploited by traffic to one service: each exploit once, in the order of classes and findings.
type Remote = BTreeMap<Service, Vec<(u32, u32)>>;

#[derive(Debug, Clone, Default)]
struct Zone {
    entry: Part,
    classes: Vec<Class>,
    remote: Remote,
}

impl Zone {
    fn index(&mut self) {
        self.remote.clear();
        for (at, class) in (0_u32..).zip(&self.classes) {
            for (number, finding) in (0_u32..).zip(&class.findings) {
                if finding.is_remote() {
                    for service in &finding.listens {
                        self.remote.entry(*service).or_default().push((at, number));
                    }
                }
            }
        }
    }

    fn finding(&self, (class, finding): (u32, u32)) -> Option<&Finding> {
        self.classes.get(class as usize)?.findings.get(finding as usize)
    }

    /// How traffic that these rules let pass takes a host here; `None` where it takes none.
    fn weight(&self, rules: &BTreeSet<Rule>) -> Option<Weight> {
        let mut exploits: BTreeSet<(u32, u32)> = BTreeSet::new();
        for (service, here) in &self.remote {
            if rules.iter().any(|rule| rule.allows(*service)) {
                exploits.extend(here);
            }
        }
        let mut weight: Option<Weight> = None;
        for at in exploits {
            let threat = Part::of(self.finding(at)?.threat);
            let this = Best { threat, class: at.0, finding: at.1 };
            weight = Some(match weight {
                None => Weight { best: this, union: threat },
                Some(Weight { best, union }) => Weight {
                    best: if threat > best.threat { this } else { best },
                    union: union.or_up(threat),
                },
            });
        }
        weight.filter(|weight| weight.union > Part::ZERO)
    }
}

/// Zones, flows and classes. Cloning is cheap: what an edit does not touch is shared.
#[derive(Debug, Clone, Default)]
pub struct Network {
    zones: Vec<Arc<Zone>>,
    flows: BTreeMap<(ZoneId, ZoneId), Arc<BTreeSet<Rule>>>,
    /// Follows from zones and flows.
    weights: BTreeMap<(ZoneId, ZoneId), Weight>,
}

impl Network {
    /// Adds a zone. `entry` is the probability that an attacker is there before anything is taken.
    pub fn add_zone(&mut self, entry: Probability, classes: Vec<Class>) -> ZoneId {
        let mut zone = Zone { entry: Part::of(entry), classes, remote: Remote::new() };
        zone.index();
        let id = ZoneId(u32::try_from(self.zones.len()).unwrap_or(u32::MAX));
        self.zones.push(Arc::new(zone));
        id
    }

    /// How many zones there are.
    pub fn zone_count(&self) -> usize {
        self.zones.len()
    }

    /// The classes of a zone.
    pub fn classes(&self, zone: ZoneId) -> &[Class] {
        self.zones.get(zone.0 as usize).map(|zone| zone.classes.as_slice()).unwrap_or_default()
    }

    /// The flows, with what they let pass.
    pub fn flows(&self) -> impl Iterator<Item = (ZoneId, ZoneId, &BTreeSet<Rule>)> {
        self.flows.iter().map(|((from, to), rules)| (*from, *to, rules.as_ref()))
    }

    /// How many pairs of hosts are allowed to talk over flows between zones.
    pub fn host_edges(&self) -> u64 {
        let hosts =
            |zone: ZoneId| -> u64 { self.classes(zone).iter().map(|class| u64::from(class.hosts)).sum() };
        self.flows.keys().map(|(from, to)| hosts(*from).saturating_mul(hosts(*to))).sum()
    }

    /// Sets what flows from one zone to another; nothing closes it.
    ///
    /// # Errors
    /// When a zone is unknown, or both are one.
    pub fn set_flow(&mut self, from: ZoneId, to: ZoneId, rules: BTreeSet<Rule>) -> Result<(), NetworkError> {
        for zone in [from, to] {
            self.zone(zone)?;
        }
        if from == to {
            return Err(NetworkError::Inside(from));
        }
        match rules.is_empty() {
            true => drop(self.flows.remove(&(from, to))),
            false => drop(self.flows.insert((from, to), Arc::new(rules))),
        }
        self.weigh(from, to);
        Ok(())
    }

    /// Sets the probability that an attacker is in a zone before anything is taken.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn set_entry(&mut self, zone: ZoneId, entry: Probability) -> Result<(), NetworkError> {
        self.zone_mut(zone)?.entry = Part::of(entry);
        Ok(())
    }

    /// Lets attacks begin in one zone, for certain, and nowhere else.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn begin_only_in(&mut self, zone: ZoneId) -> Result<(), NetworkError> {
        self.zone(zone)?;
        for each in &mut self.zones {
            if each.entry > Part::ZERO {
                Arc::make_mut(each).entry = Part::ZERO;
            }
        }
        self.set_entry(zone, Probability::ONE)
    }

    /// Whether an attacker in one zone takes a host of another over the flow between them, whatever leads to the former;
    /// `None` where nothing that is vulnerable listens there.
    pub fn takes(&self, from: ZoneId, to: ZoneId) -> Option<Bounds> {
        let weight = self.weights.get(&(from, to))?;
        Some(Bounds { best: weight.best.threat, union: weight.union })
    }

    /// Changes a class: a vulnerability is published or closed, a service stops listening.
    ///
    /// # Errors
    /// When the class is unknown.
    pub fn edit(&mut self, id: ClassId, change: impl FnOnce(&mut Class)) -> Result<(), NetworkError> {
        let zone = self.zone_mut(id.zone)?;
        let class = zone.classes.get_mut(id.place as usize).ok_or(NetworkError::NoClass(id))?;
        change(class);
        zone.index();
        self.weigh_into(id.zone);
        Ok(())
    }

    /// A service stops listening on every host of a class.
    ///
    /// # Errors
    /// When the class is unknown.
    pub fn close_service(&mut self, id: ClassId, service: Service) -> Result<(), NetworkError> {
        self.edit(id, |class| {
            for finding in &mut class.findings {
                finding.listens.remove(&service);
            }
        })
    }

    /// Weighs every flow anew. Edits weigh what they touch, so that this changes nothing.
    pub fn weigh_all(&mut self) {
        self.weights.clear();
        let flows: Vec<_> = self.flows.keys().copied().collect();
        for (from, to) in flows {
            self.weigh(from, to);
        }
    }

    fn weigh_into(&mut self, zone: ZoneId) {
        let into: Vec<_> = self.flows.keys().filter(|(_, to)| *to == zone).copied().collect();
        for (from, to) in into {
            self.weigh(from, to);
        }
    }

    fn weigh(&mut self, from: ZoneId, to: ZoneId) {
        let rules = self.flows.get(&(from, to));
        let zone = self.zones.get(to.0 as usize);
        let weight = zone.zip(rules).and_then(|(zone, rules)| zone.weight(rules));
        match weight {
            Some(weight) => drop(self.weights.insert((from, to), weight)),
            None => drop(self.weights.remove(&(from, to))),
        }
    }

    pub(crate) fn weights(&self) -> &BTreeMap<(ZoneId, ZoneId), Weight> {
        &self.weights
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (ZoneId, Part)> {
        let zones = (0_u32..).map(ZoneId).zip(&self.zones);
        zones.map(|(id, zone)| (id, zone.entry)).filter(|(_, entry)| *entry > Part::ZERO)
    }

    /// Whether traffic over the flow from one zone to another exploits a finding there.
    pub(crate) fn delivers(&self, from: ZoneId, to: ZoneId, finding: &Finding) -> bool {
        let Some(rules) = self.flows.get(&(from, to)) else { return false };
        finding.is_remote()
            && finding.listens.iter().any(|service| rules.iter().any(|rule| rule.allows(*service)))
    }

    fn zone(&self, zone: ZoneId) -> Result<&Zone, NetworkError> {
        self.zones.get(zone.0 as usize).map(Arc::as_ref).ok_or(NetworkError::NoZone(zone))
    }

    fn zone_mut(&mut self, zone: ZoneId) -> Result<&mut Zone, NetworkError> {
        self.zones.get_mut(zone.0 as usize).map(Arc::make_mut).ok_or(NetworkError::NoZone(zone))
    }
}

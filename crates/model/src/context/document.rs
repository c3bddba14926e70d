//! The context document: what people state about the estate, as one whole that is reviewed and kept by content.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::labels::joined;
use super::{Condition, Criticality, Environment, Labels, Network, PortRange, Sensitivity};
use crate::ids::serde_as_text;
use crate::{AssetId, Probability, Protocol, RedundancyName, ServiceName, TeamName, ZoneName};

/// The most of each that a document holds. Readers refuse more, so that outside data stays bounded; the figures are a
/// few times what large organisations have.
pub mod limits {
    /// Zones.
    pub const ZONES: usize = 10_000;
    /// Flows.
    pub const FLOWS: usize = 100_000;
    /// Teams.
    pub const TEAMS: usize = 10_000;
    /// Services.
    pub const SERVICES: usize = 20_000;
    /// Redundancy groups.
    pub const REDUNDANCY: usize = 20_000;
    /// Assets that are named one by one.
    pub const ASSETS: usize = 1_000_000;
    /// Rules. Each is tried on each asset.
    pub const RULES: usize = 1_000;
    /// Networks, ports, services or tags of one entry.
    pub const OF_ONE: usize = 256;
}

/// A part of the network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Assets with an address in one of these stand in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub networks: BTreeSet<Network>,
    /// Where attacks begin: the probability that an attacker is there within 30 days, before anything of this estate is
    /// taken. The Internet's is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Probability>,
}

/// What a flow lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Everything.
    Any,
}

impl FlowProtocol {
    /// Whether it lets this protocol pass.
    pub fn allows(self, protocol: Protocol) -> bool {
        match self {
            Self::Tcp => protocol == Protocol::Tcp,
            Self::Udp => protocol == Protocol::Udp,
            Self::Any => true,
        }
    }
}

/// Traffic that is allowed to begin in one zone and end in another. Inside a zone everything is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Where connections begin.
    pub from: ZoneName,
    /// Where they end.
    pub to: ZoneName,
    /// By which protocol.
    pub protocol: FlowProtocol,
    /// To which ports.
    pub ports: BTreeSet<PortRange>,
}

impl Flow {
    /// Whether it lets traffic to this port pass.
    pub fn allows(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol.allows(protocol) && self.ports.iter().any(|range| range.contains(port))
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {}", self.from, self.to, passes(self.protocol, &self.ports))
    }
}

/// What may pass, as people write it: `tcp 80, 443`. That every port may goes without saying.
pub fn passes(protocol: FlowProtocol, ports: &BTreeSet<PortRange>) -> String {
    let protocol = match protocol {
        FlowProtocol::Tcp => "tcp",
        FlowProtocol::Udp => "udp",
        FlowProtocol::Any => "any",
    };
    match joined(ports).filter(|_| ports.iter().any(|range| *range != PortRange::ALL)) {
        Some(ports) => format!("{protocol} {ports}"),
        None => protocol.to_owned(),
    }
}

/// A team that owns assets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// How to reach it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A service of the business. What is said of it counts for the assets that carry it, and for those of what it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// The team that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// What it is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Of its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// How much the organisation depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// What it cannot work without.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub depends_on: BTreeSet<ServiceName>,
}

/// Assets that stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redundancy {
    /// How many of them must be healthy at any time.
    pub minimum: u32,
}

/// How a document names one asset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssetKey {
    /// By its id.
    Id(AssetId),
    /// By the name it gives, in lower case. It is no identity: of several hosts of one name it means all.
    Host(String),
}

impl FromStr for AssetKey {
    type Err = super::PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > 253 || !text.bytes().all(plain) {
            return Err(super::PatternError {
                kind: "a host's name or an asset id",
                value: text.chars().take(80).collect(),
                reason: "1 to 253 letters, digits or any of - _ .",
            });
        }
        Ok(Self::Host(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Host(name) => f.write_str(name),
        }
    }
}

serde_as_text!(AssetKey);

/// What is said of every asset that fulfils a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which assets.
    pub when: Condition,
    /// What is said of them.
    pub set: Labels,
}

/// What people state about the estate.
///
/// Of each field the first that says something counts: what is stated by hand, the asset's own entry, the rules in their
/// order, what is derived (from services, zones, listeners), the defaults. Services and tags of all that match add up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextDocument {
    /// Parts of the network.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub zones: BTreeMap<ZoneName, Zone>,
    /// Traffic that is allowed between them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flows: BTreeSet<Flow>,
    /// Owners.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamName, Team>,
    /// What the assets are for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<ServiceName, ServiceEntry>,
    /// Which assets stand in for each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redundancy: BTreeMap<RedundancyName, Redundancy>,
    /// What is said of assets one by one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assets: BTreeMap<AssetKey, Labels>,
    /// What is said of many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// What counts where nothing else says anything.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub defaults: Labels,
}

impl ContextDocument {
    /// Whether it names a zone in which attacks begin. Without one its zones and flows tell nothing of who is reached.
    pub fn names_entries(&self) -> bool {
        self.zones.values().any(|zone| zone.entry.is_some())
    }
}

/// A name that a document uses and must define.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A zone.
    Zone(ZoneName),
    /// A team.
    Team(TeamName),
    /// A service.
    Service(ServiceName),
    /// A redundancy group.
    Redundancy(RedundancyName),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(name) => write!(f, "zone {name}"),
            Self::Team(name) => write!(f, "team {name}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Redundancy(name) => write!(f, "redundancy group {name}"),
        }
    }
}

/// Why a document cannot count, though each part can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A name is used that the document does not define.
    #[error("{0} is used and not defined: define it, or correct the name")]
    Undefined(Reference),
    /// A rule without a condition.
    #[error("rule {0} has no condition: what counts for every asset stands under defaults")]
    Unconditional(usize),
    /// More of something than a document may hold.
    #[error("{found} {what}, more than the {most} that a context may hold")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl ContextDocument {
    /// Whether it defines a name.
    pub fn defines(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Zone(name) => self.zones.contains_key(name),
            Reference::Team(name) => self.teams.contains_key(name),
            Reference::Service(name) => self.services.contains_key(name),
            Reference::Redundancy(name) => self.redundancy.contains_key(name),
        }
    }

    /// What holds of a document as a whole. Readers call it; whoever takes a document from elsewhere does, too.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&self) -> Result<(), ContextError> {
        let counts = [
            ("zones", self.zones.len(), limits::ZONES),
            ("flows", self.flows.len(), limits::FLOWS),
            ("teams", self.teams.len(), limits::TEAMS),
            ("services", self.services.len(), limits::SERVICES),
            ("redundancy groups", self.redundancy.len(), limits::REDUNDANCY),
            ("assets", self.assets.len(), limits::ASSETS),
            ("rules", self.rules.len(), limits::RULES),
        ];
        let of_flows = self.flows.iter().map(|flow| ("port ranges of one flow", flow.ports.len()));
        let of_zones = self.zones.values().map(|zone| ("networks of one zone", zone.networks.len()));
        let of_services =
            self.services.values().map(|service| ("dependencies of one service", service.depends_on.len()));
        let of_labels = self.all_labels().flat_map(|labels| {
            [("services of one entry", labels.services.len()), ("tags of one entry", labels.tags.len())]
        });
        let of_one = of_flows.chain(of_zones).chain(of_services).chain(of_labels);
        let all = counts.into_iter().chain(of_one.map(|(what, found)| (what, found, limits::OF_ONE)));
        for (what, found, most) in all {
            if found > most {
                return Err(ContextError::TooMany { what, found, most });
            }
        }
        if let Some(at) = self.rules.iter().position(|rule| rule.when.is_empty()) {
            return Err(ContextError::Unconditional(at + 1));
        }
        match self.references().into_iter().find(|reference| !self.defines(reference)) {
            Some(undefined) => Err(ContextError::Undefined(undefined)),
            None => Ok(()),
        }
    }

    fn all_labels(&self) -> impl Iterator<Item = &Labels> {
        let of_rules = self.rules.iter().map(|rule| &rule.set);
        self.assets.values().chain(of_rules).chain([&self.defaults])
    }

    /// Every name that it uses.
    fn references(&self) -> BTreeSet<Reference> {
        let zones = self.flows.iter().flat_map(|flow| [&flow.from, &flow.to]);
        let mut used: BTreeSet<Reference> = zones.cloned().map(Reference::Zone).collect();
        for service in self.services.values() {
            used.extend(service.team.clone().map(Reference::Team));
            used.extend(service.depends_on.iter().cloned().map(Reference::Service));
        }
        for labels in self.all_labels() {
            used.extend(labels.zone.clone().map(Reference::Zone));
            used.extend(labels.team.clone().map(Reference::Team));
            used.extend(labels.redundancy.clone().map(Reference::Redundancy));
            used.extend(labels.services.iter().cloned().map(Reference::Service));
        }
        used
    }
}

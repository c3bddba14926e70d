//! What is said of one asset: of each field the first source that says something.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tenon_model::context::{AssetKey, Condition, Criticality, Environment, Glob, Labels, Rule, Sensitivity};
use tenon_model::{
    ContextDocument, HumanImpact, MissionAndWellBeing, RedundancyName, ServiceName, SystemExposure, Tag,
    TeamName, ZoneName,
};

use super::{KnownContext, derived};
use crate::assets::AssetState;

/// Where a value comes from. The versions are those of the context document that said so first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Source {
    /// A person, about this asset alone.
    ByHand,
    /// The asset's own entry.
    Entry {
        /// Of the document.
        version: u32,
    },
    /// A rule.
    Rule {
        /// Its place in the document, from 1.
        number: u32,
        /// Of the document.
        version: u32,
    },
    /// A service that it carries, or that depends on one that it carries.
    Service {
        /// The service.
        name: ServiceName,
        /// Of the document.
        version: u32,
    },
    /// An address of it lies in a network of the zone.
    Network {
        /// Of the document.
        version: u32,
    },
    /// Zones and flows, and what it listens on.
    Flows {
        /// Of the document.
        version: u32,
    },
    /// What it listens on, and its addresses.
    Listeners,
    /// What counts where nothing else says anything.
    Default {
        /// Of the document.
        version: u32,
    },
}

impl Source {
    /// Whether people say it, of this asset or of what it is part of. What listeners alone tell, and defaults, are
    /// assumptions: shown as such, and what somebody states takes them back.
    pub fn is_stated(&self) -> bool {
        !matches!(self, Self::Listeners | Self::Default { .. })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByHand => f.write_str("the asset's context"),
            Self::Entry { version } => write!(f, "context version {version}, the asset's entry"),
            Self::Rule { number, version } => write!(f, "context version {version}, rule {number}"),
            Self::Service { name, version } => write!(f, "context version {version}, service {name}"),
            Self::Network { version } => write!(f, "context version {version}, networks of zones"),
            Self::Flows { version } => {
                write!(f, "derived from flows of context version {version} and listeners")
            }
            Self::Listeners => f.write_str("derived from listeners and addresses"),
            Self::Default { version } => write!(f, "context version {version}, defaults"),
        }
    }
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Who says so.
    pub source: Source,
}

/// Everything that is said of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effective {
    /// The zone that it stands in.
    pub zone: Option<Sourced<ZoneName>>,
    /// Its owner.
    pub team: Option<Sourced<TeamName>>,
    /// What it is used for.
    pub environment: Option<Sourced<Environment>>,
    /// Of its data.
    pub sensitivity: Option<Sourced<Sensitivity>>,
    /// Of itself and what it carries.
    pub criticality: Option<Sourced<Criticality>>,
    /// Who can reach it.
    pub exposure: Option<Sourced<SystemExposure>>,
    /// What its failure would do.
    pub human_impact: Option<Sourced<HumanImpact>>,
    /// How far essential functions depend on it.
    pub mission: Option<Sourced<MissionAndWellBeing>>,
    /// What stands in for it.
    pub redundancy: Option<Sourced<RedundancyName>>,
    /// What it carries.
    pub services: BTreeSet<ServiceName>,
    /// Words of people.
    pub tags: BTreeSet<Tag>,
}

impl Effective {
    /// The fields that have a value: name, value, source; in the order of [`Labels::FIELDS`].
    pub fn fields(&self) -> Vec<(&'static str, String, Option<Source>)> {
        fn told<T: fmt::Display>(value: Option<&Sourced<T>>) -> Option<(String, Option<Source>)> {
            value.map(|known| (known.value.to_string(), Some(known.source.clone())))
        }
        fn names<T: ToString>(names: &BTreeSet<T>) -> Option<(String, Option<Source>)> {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            (!names.is_empty()).then(|| (names.join(", "), None))
        }
        let values = [
            told(self.zone.as_ref()),
            told(self.team.as_ref()),
            told(self.environment.as_ref()),
            told(self.sensitivity.as_ref()),
            told(self.criticality.as_ref()),
            told(self.exposure.as_ref()),
            told(self.human_impact.as_ref()),
            told(self.mission.as_ref()),
            told(self.redundancy.as_ref()),
            names(&self.services),
            names(&self.tags),
        ];
        let fields = Labels::FIELDS.into_iter().zip(values);
        fields.filter_map(|(field, value)| value.map(|(value, source)| (field, value, source))).collect()
    }

    /// Takes what is not said yet.
    fn take(&mut self, labels: &Labels, source: &Source) {
        fn take<T: Clone>(slot: &mut Option<Sourced<T>>, value: Option<&T>, source: &Source) {
            if let (None, Some(value)) = (&slot, value) {
                *slot = Some(Sourced { value: value.clone(), source: source.clone() });
            }
        }
        take(&mut self.zone, labels.zone.as_ref(), source);
        take(&mut self.team, labels.team.as_ref(), source);
        take(&mut self.environment, labels.environment.as_ref(), source);
        take(&mut self.sensitivity, labels.sensitivity.as_ref(), source);
        take(&mut self.criticality, labels.criticality.as_ref(), source);
        take(&mut self.exposure, labels.exposure.as_ref(), source);
        take(&mut self.human_impact, labels.human_impact.as_ref(), source);
        take(&mut self.mission, labels.mission.as_ref(), source);
        take(&mut self.redundancy, labels.redundancy.as_ref(), source);
        self.services.extend(labels.services.iter().cloned());
        self.tags.extend(labels.tags.iter().cloned());
    }
}

/// One asset, as far as its context depends on it.
pub(crate) struct Subject<'a> {
    pub(crate) asset: &'a AssetState,
    /// Whether a package of such a name is installed.
    pub(crate) installed: &'a dyn Fn(&Glob) -> bool,
}

impl Subject<'_> {
    fn fulfils(&self, condition: &Condition) -> bool {
        let listeners = self.asset.profile().map(|profile| profile.listeners.as_slice()).unwrap_or_default();
        // The dearest last.
        condition.host.as_ref().is_none_or(|glob| glob.matches(&self.asset.hostname))
            && condition.group.as_ref().is_none_or(|glob| glob.matches(self.asset.group.as_str()))
            && condition.listens.is_none_or(|wanted| listeners.iter().any(|one| wanted.matches(one)))
            && condition.package.as_ref().is_none_or(|glob| (self.installed)(glob))
    }
}

/// What is said of an asset: by hand, by its entry, by rules in their order, derived, by the defaults.
pub(crate) fn resolve(subject: &Subject<'_>, context: Option<&KnownContext>) -> Effective {
    let mut said = Effective::default();
    let by_hand = subject.asset.context;
    let by_hand = Labels {
        exposure: by_hand.exposure,
        human_impact: by_hand.human_impact,
        mission: by_hand.mission,
        ..Labels::default()
    };
    said.take(&by_hand, &Source::ByHand);
    let Some(known) = context else {
        said.exposure = said.exposure.or_else(|| derived::by_listeners(subject.asset));
        return said;
    };
    let (document, written) = (known.document.as_ref(), &known.written);
    let asset = subject.asset;
    let mut keys = vec![AssetKey::Id(asset.id), AssetKey::Host(asset.hostname.to_ascii_lowercase())];
    // What is said of an installation is meant of the machine's next one too.
    keys.extend(asset.replaces.map(AssetKey::Id));
    for key in keys {
        if let Some(labels) = document.assets.get(&key) {
            let version = written.assets.get(&key).copied().unwrap_or(known.version);
            said.take(labels, &Source::Entry { version });
        }
    }
    for (at, Rule { when, set }) in document.rules.iter().enumerate() {
        if subject.fulfils(when) {
            let version = written.rules.get(at).copied().unwrap_or(known.version);
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            said.take(set, &Source::Rule { number, version });
        }
    }
    of_services(&mut said, known);
    if said.zone.is_none() {
        said.zone = derived::zone(subject.asset, document, written.network);
    }
    if said.exposure.is_none() {
        let zone = said.zone.as_ref().map(|zone| &zone.value);
        let by_flows =
            zone.and_then(|zone| derived::by_flows(subject.asset, zone, document, written.network));
        said.exposure = by_flows.or_else(|| derived::by_listeners(subject.asset));
    }
    said.take(&document.defaults, &Source::Default { version: written.defaults });
    said
}

/// What follows from the services that it carries and those that depend on them: the highest criticality and
/// sensitivity, and of the carried ones the owner and the environment in which they agree.
fn of_services(said: &mut Effective, known: &KnownContext) {
    let document = known.document.as_ref();
    if said.services.is_empty() {
        return;
    }
    let source = |name: &ServiceName| Source::Service {
        name: name.clone(),
        version: known.written.services.get(name).copied().unwrap_or(known.version),
    };
    let served = with_dependents(&said.services, document);
    let entries = || served.iter().filter_map(|name| Some((*name, document.services.get(*name)?)));
    // Of equals the first by name.
    fn highest<'a, T: Ord + Copy>(
        values: impl Iterator<Item = (&'a ServiceName, Option<T>)>,
    ) -> Option<(&'a ServiceName, T)> {
        let known = values.filter_map(|(name, value)| Some((name, value?)));
        known.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
    if said.criticality.is_none() {
        let found = highest(entries().map(|(name, service)| (name, service.criticality)));
        said.criticality = found.map(|(name, value)| Sourced { value, source: source(name) });
    }
    if said.sensitivity.is_none() {
        let found = highest(entries().map(|(name, service)| (name, service.sensitivity)));
        said.sensitivity = found.map(|(name, value)| Sourced { value, source: source(name) });
    }
    let carried = || said.services.iter().filter_map(|name| Some((name, document.services.get(name)?)));
    let teams: BTreeMap<&TeamName, &ServiceName> =
        carried().filter_map(|(name, service)| Some((service.team.as_ref()?, name))).collect();
    let environments: BTreeMap<Environment, &ServiceName> =
        carried().filter_map(|(name, service)| Some((service.environment?, name))).collect();
    let team = teams.first_key_value().filter(|_| teams.len() == 1);
    let team = team.map(|(team, name)| Sourced { value: (*team).clone(), source: source(name) });
    let environment = environments.first_key_value().filter(|_| environments.len() == 1);
    let environment = environment.map(|(value, name)| Sourced { value: *value, source: source(name) });
    said.team = said.team.take().or(team);
    said.environment = said.environment.take().or(environment);
}

/// These services, and all that depend on them through any number of steps. Dependencies may go in circles.
fn with_dependents<'d>(
    carried: &'d BTreeSet<ServiceName>,
    document: &'d ContextDocument,
) -> BTreeSet<&'d ServiceName> {
    let mut found: BTreeSet<&ServiceName> = carried.iter().collect();
    loop {
        let more: Vec<&ServiceName> = document
            .services
            .iter()
            .filter(|(name, service)| {
                !found.contains(name) && service.depends_on.iter().any(|on| found.contains(on))
            })
            .map(|(name, _)| name)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

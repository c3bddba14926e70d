//! What changes from one context document to the next, for a person to read first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::labels::joined;
use super::{AssetKey, ContextDocument, Flow, Labels, Redundancy, Rule, ServiceEntry, Team, Zone};
use crate::{RedundancyName, ServiceName, TeamName, ZoneName};

/// What happens to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<V> {
    /// It is new.
    Added(V),
    /// It is gone.
    Removed(V),
    /// It is another.
    Changed {
        /// What it was.
        from: V,
        /// What it is.
        to: V,
    },
}

/// The entries of one section that change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDiff<K, V>(pub BTreeMap<K, Change<V>>);

/// Why a diff cannot be applied to a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{section} {entry}: the document does not hold what the diff was made from; make the diff anew")]
pub struct DiffError {
    /// The section.
    pub section: &'static str,
    /// The entry.
    pub entry: String,
}

impl<K: Ord + Clone + Display, V: PartialEq + Clone> EntryDiff<K, V> {
    fn between(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Self {
        let mut changes = BTreeMap::new();
        for (key, from) in before {
            let change = match after.get(key) {
                None => Change::Removed(from.clone()),
                Some(to) if to != from => Change::Changed { from: from.clone(), to: to.clone() },
                Some(_) => continue,
            };
            changes.insert(key.clone(), change);
        }
        let added = after.iter().filter(|(key, _)| !before.contains_key(key));
        changes.extend(added.map(|(key, value)| (key.clone(), Change::Added(value.clone()))));
        Self(changes)
    }

    fn apply(&self, section: &'static str, entries: &mut BTreeMap<K, V>) -> Result<(), DiffError> {
        for (key, change) in &self.0 {
            let (expected, then) = match change {
                Change::Added(value) => (None, Some(value)),
                Change::Removed(value) => (Some(value), None),
                Change::Changed { from, to } => (Some(from), Some(to)),
            };
            if entries.get(key) != expected {
                return Err(DiffError { section, entry: key.to_string() });
            }
            match then {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        Ok(())
    }

    fn lines(&self, what: &str, fields: impl Fn(&V) -> Vec<(&'static str, String)>, lines: &mut Vec<String>) {
        for (key, change) in &self.0 {
            let told = |fields: Vec<(&'static str, String)>| {
                let parts: Vec<String> =
                    fields.into_iter().map(|(field, value)| format!("{field} {value}")).collect();
                if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) }
            };
            lines.push(match change {
                Change::Added(value) => format!("+ {what} {key}{}", told(fields(value))),
                Change::Removed(value) => format!("- {what} {key}{}", told(fields(value))),
                Change::Changed { from, to } => {
                    format!("~ {what} {key}: {}", field_changes(&fields(from), &fields(to)))
                }
            });
        }
    }
}

/// `criticality medium -> high; team none -> web`
fn field_changes(from: &[(&'static str, String)], to: &[(&'static str, String)]) -> String {
    let value = |fields: &[(&'static str, String)], name: &str| {
        fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone())
    };
    // Both are in the order of the fields; what only one of them has follows.
    let mut names: Vec<&str> = from.iter().map(|(field, _)| *field).collect();
    names.extend(to.iter().map(|(field, _)| *field).filter(|field| value(from, field).is_none()));
    let changes = names.into_iter().filter_map(|name| {
        let (from, to) = (value(from, name), value(to, name));
        let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        (from != to).then(|| format!("{name} {} -> {}", shown(from), shown(to)))
    });
    changes.collect::<Vec<_>>().join("; ")
}

/// Everything that changes from one document to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextDiff {
    /// Zones.
    pub zones: EntryDiff<ZoneName, Zone>,
    /// Flows that are allowed now.
    pub opened: BTreeSet<Flow>,
    /// Flows that are not allowed any more.
    pub closed: BTreeSet<Flow>,
    /// Teams.
    pub teams: EntryDiff<TeamName, Team>,
    /// Services.
    pub services: EntryDiff<ServiceName, ServiceEntry>,
    /// Redundancy groups.
    pub redundancy: EntryDiff<RedundancyName, Redundancy>,
    /// Assets.
    pub assets: EntryDiff<AssetKey, Labels>,
    /// The rules before and after, whole: their order counts.
    pub rules: Option<(Vec<Rule>, Vec<Rule>)>,
    /// The defaults before and after.
    pub defaults: Option<(Labels, Labels)>,
}

impl ContextDiff {
    /// What changes from `before` to `after`.
    pub fn between(before: &ContextDocument, after: &ContextDocument) -> Self {
        Self {
            zones: EntryDiff::between(&before.zones, &after.zones),
            opened: after.flows.difference(&before.flows).cloned().collect(),
            closed: before.flows.difference(&after.flows).cloned().collect(),
            teams: EntryDiff::between(&before.teams, &after.teams),
            services: EntryDiff::between(&before.services, &after.services),
            redundancy: EntryDiff::between(&before.redundancy, &after.redundancy),
            assets: EntryDiff::between(&before.assets, &after.assets),
            rules: (before.rules != after.rules).then(|| (before.rules.clone(), after.rules.clone())),
            defaults: (before.defaults != after.defaults)
                .then(|| (before.defaults.clone(), after.defaults.clone())),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.zones.0.is_empty()
            && self.opened.is_empty()
            && self.closed.is_empty()
            && self.teams.0.is_empty()
            && self.services.0.is_empty()
            && self.redundancy.0.is_empty()
            && self.assets.0.is_empty()
            && self.rules.is_none()
            && self.defaults.is_none()
    }

    /// The document after, from the one before.
    ///
    /// # Errors
    /// When `before` is not what the diff was made from.
    pub fn apply(&self, before: &ContextDocument) -> Result<ContextDocument, DiffError> {
        let mut document = before.clone();
        self.zones.apply("zone", &mut document.zones)?;
        for flow in &self.closed {
            if !document.flows.remove(flow) {
                return Err(DiffError { section: "flow", entry: flow.to_string() });
            }
        }
        for flow in &self.opened {
            if !document.flows.insert(flow.clone()) {
                return Err(DiffError { section: "flow", entry: flow.to_string() });
            }
        }
        self.teams.apply("team", &mut document.teams)?;
        self.services.apply("service", &mut document.services)?;
        self.redundancy.apply("redundancy group", &mut document.redundancy)?;
        self.assets.apply("asset", &mut document.assets)?;
        if let Some((from, to)) = &self.rules {
            if document.rules != *from {
                return Err(DiffError { section: "rules", entry: String::new() });
            }
            document.rules.clone_from(to);
        }
        if let Some((from, to)) = &self.defaults {
            if document.defaults != *from {
                return Err(DiffError { section: "defaults", entry: String::new() });
            }
            document.defaults.clone_from(to);
        }
        Ok(document)
    }

    /// The diff for people, a line for each entry: `+` is new, `-` is gone, `~` is another.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.zones.lines("zone", zone_fields, &mut lines);
        lines.extend(self.opened.iter().map(|flow| format!("+ flow {flow}")));
        lines.extend(self.closed.iter().map(|flow| format!("- flow {flow}")));
        self.teams.lines("team", team_fields, &mut lines);
        self.services.lines("service", service_fields, &mut lines);
        self.redundancy.lines(
            "redundancy group",
            |one| vec![("minimum", one.minimum.to_string())],
            &mut lines,
        );
        self.assets.lines("asset", Labels::fields, &mut lines);
        if let Some((from, to)) = &self.rules {
            rule_lines(from, to, &mut lines);
        }
        if let Some((from, to)) = &self.defaults {
            lines.push(format!("~ defaults: {}", field_changes(&from.fields(), &to.fields())));
        }
        lines
    }
}

/// Rules by their place in the file, since reasons name it.
fn rule_lines(from: &[Rule], to: &[Rule], lines: &mut Vec<String>) {
    for at in 0..from.len().max(to.len()) {
        let told = |rule: &Rule| {
            let set: Vec<String> =
                rule.set.fields().into_iter().map(|(field, value)| format!("{field} {value}")).collect();
            format!("when {}: {}", rule.when, set.join("; "))
        };
        let number = at + 1;
        match (from.get(at), to.get(at)) {
            (Some(from), Some(to)) if from == to => {}
            (Some(from), Some(to)) if from.when == to.when => lines.push(format!(
                "~ rule {number} when {}: {}",
                to.when,
                field_changes(&from.set.fields(), &to.set.fields())
            )),
            (from, to) => {
                lines.extend(from.map(|rule| format!("- rule {number} {}", told(rule))));
                lines.extend(to.map(|rule| format!("+ rule {number} {}", told(rule))));
            }
        }
    }
}

fn zone_fields(zone: &Zone) -> Vec<(&'static str, String)> {
    let networks = joined(&zone.networks).map(|networks| ("networks", networks));
    networks.into_iter().chain(zone.entry.map(|prior| ("entry", prior.to_string()))).collect()
}

fn team_fields(team: &Team) -> Vec<(&'static str, String)> {
    team.contact.iter().map(|contact| ("contact", contact.clone())).collect()
}

fn service_fields(service: &ServiceEntry) -> Vec<(&'static str, String)> {
    let values = [
        ("team", service.team.as_ref().map(ToString::to_string)),
        ("environment", service.environment.map(|value| value.to_string())),
        ("sensitivity", service.sensitivity.map(|value| value.to_string())),
        ("criticality", service.criticality.map(|value| value.to_string())),
        ("depends on", joined(&service.depends_on)),
    ];
    values.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
}

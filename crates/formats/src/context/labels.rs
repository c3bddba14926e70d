//! What is said of assets, and the words for it.

use std::fmt::Display;

use tenon_model::context::{Criticality, Environment, Labels, Reference, Sensitivity};
use tenon_model::{HumanImpact, MissionAndWellBeing, SystemExposure};

use super::Reader;
use crate::yaml::Node;

/// The value that a text names; blanks may be written as hyphens.
pub(super) fn point<T: Copy + Display>(text: &str, all: &[T]) -> Option<T> {
    let spelt = |text: &str| text.trim().replace([' ', '_'], "-").to_ascii_lowercase();
    all.iter().copied().find(|value| spelt(&value.to_string()) == spelt(text))
}

/// All values, for people.
pub(super) fn names<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Reader {
    /// What is said of an asset.
    pub(super) fn labels(&mut self, node: &Node) -> Labels {
        let mut labels = Labels::default();
        for (key, node) in self.keys(node, &Labels::FIELDS) {
            match key {
                "zone" => labels.zone = self.reference(node, Reference::Zone),
                "team" => labels.team = self.reference(node, Reference::Team),
                "environment" => labels.environment = self.point(node, Environment::ALL),
                "sensitivity" => labels.sensitivity = self.point(node, Sensitivity::ALL),
                "criticality" => labels.criticality = self.point(node, Criticality::ALL),
                "exposure" => labels.exposure = self.point(node, SystemExposure::ALL),
                "human_impact" => labels.human_impact = self.point(node, HumanImpact::ALL),
                "mission" => labels.mission = self.point(node, MissionAndWellBeing::ALL),
                "redundancy" => labels.redundancy = self.reference(node, Reference::Redundancy),
                "services" => labels.services = self.references(node, Reference::Service),
                "tags" => labels.tags = self.values(node).into_iter().map(|(tag, _)| tag).collect(),
                _ => {}
            }
        }
        labels
    }

    /// A name that must be defined.
    pub(super) fn reference<T: std::str::FromStr + Clone>(
        &mut self,
        node: &Node,
        kind: fn(T) -> Reference,
    ) -> Option<T>
    where
        T::Err: Display,
    {
        let name: T = self.value(node)?;
        self.used.push((kind(name.clone()), node.place));
        Some(name)
    }

    /// Names that must be defined.
    pub(super) fn references<T: std::str::FromStr + Ord + Clone>(
        &mut self,
        node: &Node,
        kind: fn(T) -> Reference,
    ) -> std::collections::BTreeSet<T>
    where
        T::Err: Display,
    {
        let named = self.values::<T>(node);
        self.used.extend(named.iter().map(|(name, place)| (kind(name.clone()), *place)));
        named.into_iter().map(|(name, _)| name).collect()
    }
}

//! What can be said of an asset, each alone or by a rule for many.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    HumanImpact, MissionAndWellBeing, RedundancyName, ServiceName, SystemExposure, Tag, TeamName, ZoneName,
    decision_point,
};

decision_point! {
    /// How much harm the disclosure of its data would do. Tenon's own four steps, in the order of harm; most handling
    /// schemes map onto them.
    Sensitivity {
        /// Meant for everybody.
        Public = "public",
        /// For the organisation.
        Internal = "internal",
        /// For few; its disclosure does harm.
        Confidential = "confidential",
        /// Its disclosure does grave harm, or law protects it.
        Restricted = "restricted",
    }
}

decision_point! {
    /// How much the organisation depends on it. Tenon's own four steps, in the order of harm; they correspond to the values
    /// of SSVC's human impact.
    Criticality {
        /// Its failure is hardly felt.
        Low = "low",
        /// Its failure slows work.
        Medium = "medium",
        /// Its failure stops work.
        High = "high",
        /// Its failure stops the organisation, or endangers people.
        Critical = "critical",
    }
}

decision_point! {
    /// What it is used for.
    Environment {
        /// Real work.
        Production = "production",
        /// A last look before production.
        Staging = "staging",
        /// Tests.
        Test = "test",
        /// Development.
        Development = "development",
    }
}

/// What is said of an asset; absent is what nobody says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// The zone that it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// The team that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// What it is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Of the data it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// Who can reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<SystemExposure>,
    /// What its failure would do to people and mission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_impact: Option<HumanImpact>,
    /// How far essential functions depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<MissionAndWellBeing>,
    /// The assets that stand in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy: Option<RedundancyName>,
    /// The services that it carries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceName>,
    /// Words of people.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<Tag>,
}

impl Labels {
    /// The fields' names, in the order of [`Labels::fields`].
    pub const FIELDS: [&'static str; 11] = [
        "zone",
        "team",
        "environment",
        "sensitivity",
        "criticality",
        "exposure",
        "human_impact",
        "mission",
        "redundancy",
        "services",
        "tags",
    ];

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is said, for people: field and value.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let values = [
            self.zone.as_ref().map(ToString::to_string),
            self.team.as_ref().map(ToString::to_string),
            self.environment.map(|value| value.to_string()),
            self.sensitivity.map(|value| value.to_string()),
            self.criticality.map(|value| value.to_string()),
            self.exposure.map(|value| value.to_string()),
            self.human_impact.map(|value| value.to_string()),
            self.mission.map(|value| value.to_string()),
            self.redundancy.as_ref().map(ToString::to_string),
            joined(&self.services),
            joined(&self.tags),
        ];
        Self::FIELDS.into_iter().zip(values).filter_map(|(field, value)| Some((field, value?))).collect()
    }

    /// This, and where it says nothing, what `other` says. Services and tags add up.
    pub fn or(mut self, other: &Self) -> Self {
        self.zone = self.zone.or_else(|| other.zone.clone());
        self.team = self.team.or_else(|| other.team.clone());
        self.environment = self.environment.or(other.environment);
        self.sensitivity = self.sensitivity.or(other.sensitivity);
        self.criticality = self.criticality.or(other.criticality);
        self.exposure = self.exposure.or(other.exposure);
        self.human_impact = self.human_impact.or(other.human_impact);
        self.mission = self.mission.or(other.mission);
        self.redundancy = self.redundancy.or_else(|| other.redundancy.clone());
        self.services.extend(other.services.iter().cloned());
        self.tags.extend(other.tags.iter().cloned());
        self
    }
}

/// Names as one text; `None` where there are none.
pub(super) fn joined<T: ToString>(names: &BTreeSet<T>) -> Option<String> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

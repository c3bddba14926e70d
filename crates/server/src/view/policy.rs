//! The policy as people see it, and what another would say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_engine::{Said, World, outlook};
use tenon_model::Timestamp;
use tenon_policy::{Policy, Preset};
use utoipa::ToSchema;

use super::text;

/// Most directives that a preview shows.
const MAX_DIRECTIVES: usize = 200;

/// The policy that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Counts the policies, from 1; 0 where none was ever set.
    pub version: u32,
    /// The file's digest.
    pub digest: Option<String>,
    /// The file, as it was written.
    pub text: Option<String>,
    /// Its rules in their order; what none matches is approved by one person, at any time.
    pub rules: Vec<RuleView>,
    /// The windows that they name.
    pub windows: Vec<WindowView>,
    /// When nothing begins.
    pub freezes: Vec<FreezeView>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// When it matches; absent where it matches always.
    pub when: Option<String>,
    /// Who approves, in words.
    pub approval: String,
    /// In which windows changes begin; at any time where there is none.
    pub windows: Vec<String>,
    /// How fast; absent where `tenon tempo` says.
    pub tempo: Option<String>,
    /// Why, in the words of whoever wrote it.
    pub why: Option<String>,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WindowView {
    /// Its name.
    pub name: String,
    /// When it opens, in words.
    pub opens: String,
}

/// A freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreezeView {
    /// Its name.
    pub name: String,
    /// From when, RFC 3339.
    pub from: String,
    /// Until when, RFC 3339.
    pub until: String,
    /// For what; absent where it is for all.
    pub when: Option<String>,
}

/// A policy to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPresetView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// The file.
    pub text: String,
}

impl PolicyPresetView {
    pub(crate) fn of(preset: &Preset) -> Self {
        let Preset { name, about, text } = preset;
        Self { name: (*name).to_owned(), about: (*about).to_owned(), text: (*text).to_owned() }
    }
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyCheckView {
    /// What is wrong, in the order of the file; nothing where it could be set. At most 100.
    pub problems: Vec<PolicyProblemView>,
    /// How much is wrong in all.
    pub total: u64,
}

/// Something that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyProblemView {
    /// Where: `line 3, column 5`.
    pub place: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl PolicyCheckView {
    pub(crate) fn of(text: &str) -> Self {
        let Err(found) = tenon_policy::read(text) else { return Self { problems: Vec::new(), total: 0 } };
        let problems = found.listed().iter().map(|problem| PolicyProblemView {
            place: problem.place.clone(),
            reason: problem.reason.clone(),
        });
        Self { problems: problems.collect(), total: found.total() }
    }
}

/// What would change if another policy counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPreviewView {
    /// The version that it was compared with; 0 where none was ever set.
    pub version: u32,
    /// Whether it is that very file.
    pub same: bool,
    /// As of when, RFC 3339.
    pub as_of: String,
    /// Of how many open directives it says something else.
    pub changed: u64,
    /// On how many assets the change would be approved at once, because its rehearsal has passed.
    pub approved_at_once: u64,
    /// Those, at most 200, the most urgent first.
    pub directives: Vec<PolicyEffectView>,
}

/// What two policies say of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyEffectView {
    /// The directive.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// Whose work it is.
    pub group: String,
    /// By the policy that counts.
    pub before: Vec<RulingView>,
    /// By the other one.
    pub after: Vec<RulingView>,
}

/// What a policy says of some assets of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulingView {
    /// On how many assets.
    pub assets: u64,
    /// The rule that matches; absent where that depends on a rehearsal.
    pub rule: Option<String>,
    /// Whether its rehearsal has passed and it waits for approval.
    pub rehearsed: bool,
    /// Who approves, in words.
    pub approval: String,
    /// Why it is not automatic, though the rule says so.
    pub not_automatic: Option<String>,
    /// When it may begin, RFC 3339, where that is not now.
    pub opens: Option<String>,
    /// Why it may not begin now, where it may not.
    pub waits: Option<String>,
}

impl PolicyView {
    pub(crate) fn of(world: &World) -> Self {
        let nothing = Policy::default();
        let known = world.policy();
        let policy = known.map_or(&nothing, |known| &known.policy);
        let windows = |places: &[usize]| {
            let named = places.iter().filter_map(|place| policy.windows.get(*place));
            named.map(|window| window.name.clone()).collect()
        };
        Self {
            version: known.map_or(0, |known| known.version),
            digest: known.map(|known| known.blob.to_string()),
            text: known.map(|known| known.text.to_string()),
            rules: policy
                .rules
                .iter()
                .map(|rule| RuleView {
                    name: rule.name.clone(),
                    when: rule.when.as_ref().map(|when| when.text().to_owned()),
                    approval: rule.approval.to_string(),
                    windows: windows(&rule.windows),
                    tempo: rule.tempo.map(|tempo| tempo.to_string()),
                    why: rule.why.clone(),
                })
                .collect(),
            windows: policy
                .windows
                .iter()
                .map(|window| WindowView { name: window.name.clone(), opens: window.told() })
                .collect(),
            freezes: policy
                .freezes
                .iter()
                .map(|freeze| FreezeView {
                    name: freeze.name.clone(),
                    from: freeze.from.to_string(),
                    until: freeze.until.to_string(),
                    when: freeze.when.as_ref().map(|when| when.text().to_owned()),
                })
                .collect(),
        }
    }
}

impl PolicyPreviewView {
    pub(crate) fn of(world: &World, file: &str, policy: &Policy, now: Timestamp) -> Self {
        let found = outlook(world, policy, now);
        let automatic = "automatic".to_owned();
        let effects = found.iter().take(MAX_DIRECTIVES).filter_map(|outlook| {
            let state = world.directive(&outlook.id)?;
            Some(PolicyEffectView {
                id: outlook.id.to_string(),
                title: state.directive.action.to_string(),
                group: state.directive.group.to_string(),
                before: said(&outlook.before),
                after: said(&outlook.after),
            })
        });
        Self {
            version: world.policy().map_or(0, |known| known.version),
            same: world.policy().is_some_and(|known| *known.text == *file),
            as_of: now.to_string(),
            changed: found.len() as u64,
            approved_at_once: found
                .iter()
                .flat_map(|outlook| &outlook.after)
                .filter(|(said, _)| said.approval == automatic && said.rehearsed)
                .map(|(_, assets)| assets)
                .sum(),
            directives: effects.collect(),
        }
    }
}

fn said(told: &BTreeMap<Said, u64>) -> Vec<RulingView> {
    let view = |(said, assets): (&Said, &u64)| RulingView {
        assets: *assets,
        rule: said.rule.clone(),
        rehearsed: said.rehearsed,
        approval: said.approval.clone(),
        not_automatic: said.not_automatic.clone(),
        opens: text(said.opens),
        waits: said.waits.clone(),
    };
    told.iter().map(view).collect()
}

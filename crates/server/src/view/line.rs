//! A directive as one line of a list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, World};
use tenon_model::DirectiveId;
use utoipa::ToSchema;

use super::directive::{counts, ending, unconfirmed};
use super::{AssigneeView, text};

/// Most ids of vulnerabilities that a line names; the rest is counted.
const MAX_NAMED: usize = 8;

/// A directive in one line: what a list shows of it. `/api/v1/directives/{id}` tells all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveLine {
    /// Its id.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// Whose work it is.
    pub group: String,
    /// Source package.
    pub source: String,
    /// Source version to reach.
    pub version: String,
    /// The first vulnerabilities that a published advisory says this closes, at most 8.
    pub closes: Vec<String>,
    /// How many it closes in all.
    pub closes_count: u64,
    /// How many CVE ids only the vendor's changelog claims.
    pub claims_count: u64,
    /// Whether one that it closes is exploited somewhere: listed in KEV.
    pub exploited: bool,
    /// On how many of its assets attacks by what it closes there were seen.
    pub attacked: u64,
    /// What the table decides, as published.
    pub outcome: String,
    /// Row of the table, as published.
    pub row: u32,
    /// When it is due, RFC 3339.
    pub due: Option<String>,
    /// Risk points that doing it removes.
    pub removes: String,
    /// On how many assets.
    pub asset_count: u64,
    /// How many of them are in which stage, by its name.
    pub stages: BTreeMap<String, u64>,
    /// One asset of it: the first on which work has begun, or else the first to enrol.
    pub first: Option<FirstAssetView>,
    /// When it was raised, RFC 3339.
    pub raised: String,
    /// Who does it; absent where nobody does.
    pub assignee: Option<AssigneeView>,
    /// Whether it is disputed and nobody has answered: nothing of it is approved meanwhile.
    pub disputed: bool,
    /// How many notes people left on it.
    pub notes: u64,
    /// How and when it ended.
    pub closed: Option<String>,
}

/// One asset of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirstAssetView {
    /// Its name.
    pub hostname: String,
    /// How far the directive is there.
    pub stage: String,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

impl DirectiveLine {
    pub(crate) fn of(world: &World, id: DirectiveId, state: &DirectiveState) -> Self {
        let directive = &state.directive;
        let (source, priority) = (state.source(), &directive.priority);
        let published = || directive.closes.iter().filter(|id| !id.is_vendor_update());
        Self {
            id: id.to_string(),
            title: directive.action.to_string(),
            group: directive.group.to_string(),
            source: source.name.clone(),
            version: source.version.clone(),
            closes: published().take(MAX_NAMED).map(ToString::to_string).collect(),
            closes_count: published().count() as u64,
            claims_count: directive.claims.len() as u64,
            exploited: published().any(|id| world.is_exploited(id)),
            attacked: world.attacked(state).len(),
            outcome: priority.decision.outcome.clone(),
            row: priority.decision.row,
            due: text(priority.due),
            removes: priority.removes.to_string(),
            asset_count: state.members.len(),
            stages: counts(state),
            first: first(world, state),
            raised: state.raised.to_string(),
            assignee: AssigneeView::on(state),
            disputed: state.disputed().is_some(),
            notes: state.thread.len() as u64,
            closed: state.closed.as_ref().map(|(time, outcome)| format!("{} at {time}", ending(outcome))),
        }
    }
}

fn first(world: &World, state: &DirectiveState) -> Option<FirstAssetView> {
    let (ordinal, stage) = state.begun().next().or_else(|| state.stages().next())?;
    let asset = world.asset_at(ordinal);
    let stage = unconfirmed(world, state, asset, stage);
    Some(FirstAssetView {
        hostname: asset.map_or_else(String::new, |asset| asset.hostname.clone()),
        stage: stage.name,
        reason: stage.reason,
    })
}

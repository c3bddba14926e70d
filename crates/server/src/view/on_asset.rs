//! The open directives of one asset: how far each is there, and what it waits for.

use serde::{Deserialize, Serialize};
use tenon_engine::{AssetState, DirectiveState, GroupMode, World};
use tenon_model::{AssetId, AssetOrdinal, DirectiveId, Stage};
use utoipa::ToSchema;

use super::asset::observe_only;
use super::directive::{by_policy, stage_on};
use super::rollout::awaited;
use super::{AssigneeView, mode, text};

/// An asset, and the open directives that are about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetDirectivesView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub hostname: String,
    /// Its group.
    pub group: String,
    /// Whether the agents of that group may act: `observe` or `act`.
    pub mode: String,
    /// The directives, the most urgent first.
    pub directives: Vec<OnAssetView>,
}

/// An open directive on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnAssetView {
    /// Its id.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// When it is due, RFC 3339.
    pub due: Option<String>,
    /// How far it is there, by the names of a directive's stages.
    pub stage: String,
    /// The wave that changes it, from 1; absent where no plan holds it.
    pub wave: Option<u64>,
    /// How many waves the plan has; 0 where there is no plan.
    pub waves: u64,
    /// Why it does not show the fix yet; absent where it does.
    pub why_not_yet: Option<String>,
    /// Who is waited for: whoever does the directive, where it cannot go on here without a person. Absent where it can, and
    /// where nobody does it.
    pub owner: Option<AssigneeView>,
    /// What the policy says of it, in words; absent where no policy is set, or nothing waits for it.
    pub policy: Option<String>,
}

impl AssetDirectivesView {
    /// Those of an asset of a World; `None` where it is not enrolled.
    pub(crate) fn of(world: &World, id: &AssetId) -> Option<Self> {
        let (ordinal, asset) = (world.ordinal(id)?, world.asset(id)?);
        Some(Self {
            id: id.to_string(),
            hostname: asset.hostname.clone(),
            group: asset.group.to_string(),
            mode: mode(world, &asset.group).to_owned(),
            directives: OnAssetView::all(world, ordinal, asset),
        })
    }
}

impl OnAssetView {
    fn all(world: &World, ordinal: AssetOrdinal, asset: &AssetState) -> Vec<Self> {
        let open = world.open_directives();
        let mut here: Vec<(DirectiveId, &DirectiveState)> =
            open.filter(|(_, state)| state.members.contains(ordinal)).collect();
        here.sort_unstable_by_key(|(id, state)| state.rank(*id));
        here.into_iter().filter_map(|(id, state)| Self::of(world, ordinal, asset, id, state)).collect()
    }

    fn of(
        world: &World,
        ordinal: AssetOrdinal,
        asset: &AssetState,
        id: DirectiveId,
        state: &DirectiveState,
    ) -> Option<Self> {
        let stage = state.stage(ordinal)?;
        let view = stage_on(world, state, ordinal, stage);
        let waves = state.rollout.as_ref().map_or(&[][..], |rollout| &rollout.plan.waves);
        let wave = waves.iter().position(|wave| wave.assets.contains(ordinal));
        let why = view.reason.or_else(|| {
            cannot_begin(world, asset, state, stage).or_else(|| awaited(stage).map(str::to_owned))
        });
        Some(Self {
            id: id.to_string(),
            title: state.directive.action.to_string(),
            due: text(state.directive.priority.due),
            stage: view.name,
            wave: wave.map(|wave| wave as u64 + 1),
            waves: waves.len() as u64,
            why_not_yet: why,
            owner: view.owner,
            policy: by_policy(world, state, ordinal, stage),
        })
    }
}

/// Why not even a rehearsal begins there.
fn cannot_begin(world: &World, asset: &AssetState, state: &DirectiveState, stage: &Stage) -> Option<String> {
    if !matches!(stage, Stage::Proposed) {
        return None;
    }
    if let Some(reason) = observe_only(asset) {
        return Some(format!("it is not rehearsed: the agent there can only observe: {reason}"));
    }
    let group = &state.directive.group;
    match world.mode(group) {
        GroupMode::Act => None,
        GroupMode::Observe => Some(format!(
            "it is not rehearsed: agents of group {group} only observe until a person promotes it"
        )),
    }
}

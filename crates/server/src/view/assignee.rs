//! Who does a directive, and who is waited for.

use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, GroupMode, World};
use tenon_model::{AssetOrdinal, Assignment, Stage};
use utoipa::ToSchema;

use super::asset::observe_only;
use super::directive::StageView;
use super::rollout::unsigned;
use crate::access::Names;

/// Who does a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssigneeView {
    /// The name with which they sign in, or by which others call them.
    pub person: String,
    /// Who said so; absent where the directive took over the work of an older version's, which they did.
    pub by: Option<String>,
    /// Since when, RFC 3339.
    pub since: String,
}

impl AssigneeView {
    fn of(assigned: &Assignment) -> Self {
        Self {
            person: assigned.to.to_string(),
            by: assigned.by.as_ref().map(ToString::to_string),
            since: assigned.since.to_string(),
        }
    }

    /// Puts the names of people for their ids.
    pub(crate) fn put_names(&mut self, names: &Names) {
        for id in std::iter::once(&mut self.person).chain(&mut self.by) {
            *id = names.of_id(std::mem::take(id));
        }
    }

    /// Who does a directive, or did when it ended.
    pub(super) fn on(state: &DirectiveState) -> Option<Self> {
        state.assigned.as_ref().map(Self::of)
    }

    /// Who is waited for on an asset: whoever does the directive, where it cannot go on there without a person.
    pub(super) fn waited_for(
        world: &World,
        state: &DirectiveState,
        asset: AssetOrdinal,
        stage: &Stage,
        view: &StageView,
    ) -> Option<Self> {
        let assigned = state.assigned.as_ref().filter(|_| state.closed.is_none())?;
        let waits = view.retry
            || match stage {
                Stage::AwaitingApproval { .. } => true,
                Stage::Approved { .. } => {
                    state.rollout.as_ref().is_some_and(|rollout| rollout.halted.is_some())
                        || unsigned(world, state, asset).is_some()
                        || state.missed_evidence(asset)
                }
                Stage::Proposed => {
                    world.mode(&state.directive.group) == GroupMode::Observe
                        || world.asset_at(asset).and_then(observe_only).is_some()
                }
                _ => false,
            };
        waits.then(|| Self::of(assigned))
    }
}

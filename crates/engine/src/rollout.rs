//! Rollouts: how far the plan of a directive is, and how events move it on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{AssetOrdinal, AssetSet, DirectiveId, Halt, Plan, Stage, Step, Timestamp, Wave};

use crate::apply::ApplyError;
use crate::directives::DirectiveState;
use crate::world::World;

/// How long a wave may take until a person must look, in seconds: hosts that are away for a night may come back.
const WAVE_DEADLINE_SECONDS: u32 = 24 * 3_600;

/// A plan, and how far it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The waves.
    pub plan: Arc<Plan>,
    /// How far it is.
    pub step: Step,
    /// Since when.
    pub since: Timestamp,
    /// Assets of the wave on which something is still to come; before the first wave those on which an earlier plan had set
    /// out.
    pub open: AssetSet,
    /// Assets on which it failed, since the wave began.
    pub failed: AssetSet,
    /// How many assets the wave set out on.
    pub set_out: u64,
    /// Why it stands still.
    pub halted: Option<Halt>,
    /// Whether the plan is to be made anew.
    pub stale: bool,
    /// Whether what the plan holds back is asked about anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reconsidered: bool,
}

impl Rollout {
    fn planned(plan: Plan, under_way: AssetSet, at: Timestamp) -> Self {
        Self {
            plan: Arc::new(plan),
            step: Step::Planned,
            since: at,
            set_out: under_way.len(),
            open: under_way,
            failed: AssetSet::default(),
            halted: None,
            stale: false,
            reconsidered: false,
        }
    }

    /// One wave of the plan.
    pub fn wave(&self, wave: u32) -> Option<&Wave> {
        self.plan.waves.get(usize::try_from(wave).ok()?)
    }

    /// The wave that is under way.
    pub fn running(&self) -> Option<(u32, &Wave)> {
        match self.step {
            Step::Running { wave } => Some((wave, self.wave(wave)?)),
            Step::Planned | Step::Soaking { .. } => None,
        }
    }

    /// Whether the wave that ended last has been watched.
    pub(crate) fn is_watched(&self, now: Timestamp) -> bool {
        self.watched_until().is_none_or(|until| now >= until)
    }

    /// Until when the wave that ended last is watched.
    fn watched_until(&self) -> Option<Timestamp> {
        let Step::Soaking { wave } = self.step else { return None };
        // Where the wave changed nothing there is nothing to watch.
        let soak = if self.set_out == 0 { 0 } else { self.wave(wave)?.soak_seconds };
        Some(self.since.plus_seconds(soak))
    }

    /// When what it waits for ends by itself: a wave was watched for its soak, or hosts without word halt it. `None` where
    /// only a person or a host moves it on.
    pub fn waits_until(&self) -> Option<Timestamp> {
        match self.step {
            _ if self.halted.is_some() || self.is_over() => None,
            Step::Soaking { .. } => self.watched_until(),
            Step::Planned | Step::Running { .. } if self.open.is_empty() => None,
            Step::Planned | Step::Running { .. } => Some(self.since.plus_seconds(WAVE_DEADLINE_SECONDS)),
        }
    }

    /// The first wave that has not ended.
    fn ahead(&self) -> u32 {
        match self.step {
            Step::Planned => 0,
            Step::Running { wave } => wave,
            Step::Soaking { wave } => wave.saturating_add(1),
        }
    }

    /// The assets that it will still come to, and those that it holds back.
    pub(crate) fn to_come(&self) -> AssetSet {
        let ahead = usize::try_from(self.ahead()).unwrap_or(usize::MAX);
        let waves = self.plan.waves.iter().skip(ahead).map(|wave| &wave.assets);
        let held = self.plan.held_back.iter().filter(|_| !self.reconsidered).map(|held| &held.assets);
        AssetSet::union(waves.chain(held))
    }

    /// Whether every wave has ended.
    pub fn is_over(&self) -> bool {
        usize::try_from(self.ahead()).unwrap_or(usize::MAX) >= self.plan.waves.len() && self.open.is_empty()
    }

    /// An asset of the directive is at another stage now.
    pub(crate) fn note(&mut self, asset: AssetOrdinal, stage: &Stage) {
        if matches!(stage, Stage::Approved { .. } | Stage::Applying { .. } | Stage::Applied { .. }) {
            return;
        }
        let failed =
            matches!(stage, Stage::Failed { .. } | Stage::RolledBack { .. } | Stage::NeedsPerson { .. });
        if self.open.remove(asset) && failed {
            self.failed.insert(asset);
        }
    }

    /// These are no part of the directive any more, or what was approved for them speaks of something else.
    pub(crate) fn leave(&mut self, assets: &AssetSet) {
        self.open.subtract(assets);
    }
}

impl DirectiveState {
    /// Whether something is approved that its plan does not come to.
    pub(crate) fn asks_for_plan(&self) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| !self.approved().is_subset(&rollout.to_come()))
    }

    /// Whether its rollout may go on by itself as time passes.
    pub(crate) fn rolls(&self) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| !rollout.is_over()) || self.asks_for_plan()
    }
}

impl World {
    /// The directives with a plan that is not carried out yet.
    pub(crate) fn rolling(&self) -> impl Iterator<Item = DirectiveId> {
        self.rolling.iter().copied()
    }

    /// What is approved may ask for another plan, once the wave that is under way has been watched.
    pub(crate) fn approved_more(&mut self, id: DirectiveId) {
        if self.directive(&id).is_some_and(DirectiveState::asks_for_plan) {
            self.rolling.insert(id);
        }
    }

    pub(crate) fn plan_rollout(
        &mut self,
        seq: u64,
        id: DirectiveId,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let under_way = self.under_way(id);
        let state = self.directive_mut(seq, id)?;
        state.rollout = Some(Rollout::planned(plan.clone(), under_way, now));
        self.rolling.insert(id);
        Ok(())
    }

    /// What plans hold back is asked about anew: another policy may let it go. What is halted waits for a person.
    pub(crate) fn plan_held_back_anew(&mut self) {
        let held = |rollout: &Rollout| rollout.halted.is_none() && !rollout.plan.held_back.is_empty();
        let open = self.open_directives().filter(|(_, state)| state.rollout.as_ref().is_some_and(held));
        let ids: Vec<DirectiveId> = open.map(|(id, _)| id).collect();
        for id in ids {
            let state = self.directives.get_mut(&id).map(Arc::make_mut);
            if let Some(rollout) = state.and_then(|state| state.rollout.as_mut()) {
                rollout.reconsidered = true;
                self.rolling.insert(id);
            }
        }
    }

    /// The assets on which the change was ordered and of which no later report has told how it went.
    fn under_way(&self, id: DirectiveId) -> AssetSet {
        let begun = self.directive(&id).into_iter().flat_map(|state| state.begun());
        let waits = |asset: AssetOrdinal, after: u64| {
            self.asset_at(asset).and_then(|asset| asset.reported).is_none_or(|(last, _)| last <= after)
        };
        begun
            .filter(|(asset, stage)| match stage {
                Stage::Applying { .. } => true,
                Stage::Applied { after_sequence, .. } => waits(*asset, *after_sequence),
                _ => false,
            })
            .map(|(asset, _)| asset)
            .collect()
    }

    /// Changes the rollout of a directive; nothing where it has none.
    pub(crate) fn on_rollout(
        &mut self,
        seq: u64,
        id: DirectiveId,
        change: impl FnOnce(&mut Rollout, &AssetSet),
    ) -> Result<(), ApplyError> {
        let state = self.directive_mut(seq, id)?;
        let approved = state.approved().clone();
        let rollout =
            state.rollout.as_mut().ok_or(ApplyError::Dangling { seq, what: format!("the plan of {id}") })?;
        change(rollout, &approved);
        if !state.rolls() {
            self.rolling.remove(&id);
        }
        Ok(())
    }
}

//! How events about directives change the World.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenon_model::{
    Action, AssetId, Directive, DirectiveChange, DirectiveId, Grounds, Stage, Timestamp, Want,
};

use crate::apply::ApplyError;
use crate::world::{DirectiveState, World};

/// What each asset of a directive adds, where a journal only tells the whole.
fn whole_for_each(directive: &Directive) -> BTreeMap<AssetId, Arc<Want>> {
    let want = |targets: &Arc<Vec<_>>| Want {
        targets: targets.clone(),
        closes: directive.closes.clone(),
        claims: directive.claims.clone(),
        advisories: directive.advisories.clone(),
    };
    directive.assets.iter().map(|(asset, targets)| (*asset, Arc::new(want(targets)))).collect()
}

impl World {
    pub(crate) fn raise(
        &mut self,
        id: DirectiveId,
        directive: &Directive,
        wants: &BTreeMap<AssetId, Arc<Want>>,
        now: Timestamp,
    ) {
        self.next_directive = self.next_directive.max(id.ordinal());
        let Action::Upgrade { source } = &directive.action;
        self.standing.insert((directive.group.clone(), source.clone()), id);
        let state = DirectiveState {
            directive: directive.clone(),
            raised: now,
            stages: directive.assets.keys().map(|asset| (*asset, Stage::Proposed)).collect(),
            wants: if wants.is_empty() { whole_for_each(directive) } else { wants.clone() },
            rehearsals: BTreeMap::new(),
            orders: Vec::new(),
            closed: None,
        };
        self.directives.insert(id, state);
        for asset in directive.assets.keys() {
            self.join(id, asset);
        }
    }

    pub(crate) fn change(
        &mut self,
        seq: u64,
        id: DirectiveId,
        change: &DirectiveChange,
    ) -> Result<(), ApplyError> {
        let state = self.directive_mut(seq, id)?;
        for asset in &change.left {
            state.directive.assets.remove(asset);
            state.stages.remove(asset);
            state.wants.remove(asset);
        }
        for asset in &change.settled {
            state.wants.remove(asset);
        }
        for (asset, want) in &change.joined {
            take(state, asset, &want.targets);
            // Done once, and wanted again: the host went back behind it.
            if let Some(stage) = state.stages.get_mut(asset).filter(|stage| stage.is_done()) {
                *stage = Stage::Proposed;
            }
            state.wants.insert(*asset, want.clone());
        }
        if let Some(Grounds { closes, claims, advisories }) = &change.grounds {
            state.directive.closes.clone_from(closes);
            state.directive.claims.clone_from(claims);
            state.directive.advisories.clone_from(advisories);
        }
        if let Some(priority) = &change.priority {
            state.directive.priority = priority.clone();
        }
        for asset in change.joined.keys() {
            self.join(id, asset);
        }
        let left: Vec<AssetId> = change.left.iter().copied().collect();
        self.part(id, &left);
        Ok(())
    }

    /// The directive told whole, as older journals do.
    pub(crate) fn revise(
        &mut self,
        seq: u64,
        id: DirectiveId,
        directive: &Directive,
    ) -> Result<(), ApplyError> {
        let state = self.directive_mut(seq, id)?;
        let left: Vec<AssetId> =
            state.stages.keys().filter(|asset| !directive.assets.contains_key(asset)).copied().collect();
        state.stages.retain(|asset, _| directive.assets.contains_key(asset));
        for (asset, targets) in &directive.assets {
            take(state, asset, targets);
        }
        state.wants = whole_for_each(directive);
        state.directive = directive.clone();
        for asset in directive.assets.keys() {
            self.join(id, asset);
        }
        self.part(id, &left);
        Ok(())
    }

    /// Notes that an asset is part of an open directive.
    fn join(&mut self, id: DirectiveId, asset: &AssetId) {
        if let Some(asset) = self.assets.get_mut(asset) {
            asset.directives.insert(id);
        }
    }

    /// Notes that these assets are not part of it any more.
    pub(crate) fn part(&mut self, id: DirectiveId, assets: &[AssetId]) {
        for asset in assets {
            if let Some(asset) = self.assets.get_mut(asset) {
                asset.directives.remove(&id);
            }
        }
    }
}

/// Gives an asset of a directive these targets.
fn take(state: &mut DirectiveState, asset: &AssetId, targets: &Arc<Vec<tenon_model::PackageTarget>>) {
    let stage = state.stages.entry(*asset).or_insert(Stage::Proposed);
    let changed = state.directive.assets.get(asset) != Some(targets);
    // What was rehearsed or approved spoke of other packages.
    if changed && stage.outstanding_order().is_none() && !stage.is_done() {
        *stage = Stage::Proposed;
    }
    state.directive.assets.insert(*asset, targets.clone());
}

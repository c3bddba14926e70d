//! How events change directives.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenon_model::{
    Action, AssetOrdinal, AssetSet, Directive, DirectiveChange, DirectiveId, Grounds, Outcome, RiskPoints,
    Stage, Timestamp, Want, WantClass, Wants,
};

use super::DirectiveState;
use crate::apply::ApplyError;
use crate::assets::AssetState;
use crate::context::Bearing;
use crate::rows::Row;
use crate::world::{Standing, World};

/// What each asset of a directive adds, where a journal only tells the whole.
fn whole_for_each(directive: &Directive) -> Wants {
    let want = |targets: &Arc<Vec<_>>| Want {
        targets: targets.clone(),
        closes: directive.closes.clone(),
        claims: directive.claims.clone(),
        advisories: directive.advisories.clone(),
    };
    let each = directive.assets.iter().map(|(asset, targets)| (*asset, Arc::new(want(targets))));
    Wants::Each(each.collect())
}

/// The assets of all classes.
fn all(classes: &[WantClass]) -> AssetSet {
    AssetSet::union(classes.iter().map(|class| &class.assets))
}

impl World {
    /// What assets add, by what they have in common.
    fn classes(&self, wants: &Wants) -> Vec<WantClass> {
        let each = match wants {
            Wants::Classes(classes) => return classes.clone(),
            Wants::Each(each) => each,
        };
        let mut classes: BTreeMap<&Arc<Want>, AssetSet> = BTreeMap::new();
        for (id, want) in each {
            if let Some(asset) = self.assets.ordinal(id) {
                classes.entry(want).or_default().insert(asset);
            }
        }
        classes.into_iter().map(|(want, assets)| WantClass { want: want.clone(), assets }).collect()
    }

    pub(crate) fn raise(&mut self, id: DirectiveId, directive: &Directive, wants: &Wants, now: Timestamp) {
        self.next_directive = self.next_directive.max(id.ordinal());
        let Action::Upgrade { source } = &directive.action;
        let standing = Standing { group: directive.group.clone(), version: source.version.clone(), id };
        self.standing.entry(source.name.clone(), Vec::new).push(standing);
        let classes =
            if wants.is_empty() { self.classes(&whole_for_each(directive)) } else { self.classes(wants) };
        let directive = Directive { assets: BTreeMap::new(), ..directive.clone() };
        let mut state = DirectiveState::raised(id, directive, now);
        state.join(&classes, &all(&classes));
        state.recount(&self.assets);
        self.trend.moved(RiskPoints(0), state.directive.priority.removes);
        self.open.insert(id, Row::of(&state));
        let members = state.members.clone();
        self.directives.insert(id, Arc::new(state));
        self.note_forensics(id);
        self.follow_cases(id, &members);
    }

    pub(crate) fn change(
        &mut self,
        seq: u64,
        id: DirectiveId,
        change: &DirectiveChange,
    ) -> Result<(), ApplyError> {
        let (left, settled) = (self.set_of(&change.left), self.set_of(&change.settled));
        let joined = self.classes(&change.joined);
        let coming = all(&joined);
        let touched = AssetSet::union([&left, &settled, &coming]);
        self.work_on(seq, id, &touched, |state| {
            state.leave(&left);
            state.settle(&settled);
            state.join(&joined, &coming);
            if let Some(Grounds { closes, claims, advisories }) = &change.grounds {
                state.directive.closes.clone_from(closes);
                state.directive.claims.clone_from(claims);
                state.directive.advisories.clone_from(advisories);
            }
            if let Some(priority) = &change.priority {
                state.directive.priority = priority.clone();
            }
            if let Some(removes) = change.removes {
                state.directive.priority.removes = removes;
            }
        })?;
        if change.grounds.is_some() {
            self.read_anew(id);
        }
        Ok(())
    }

    /// What people know a directive by has changed, or who does it.
    pub(crate) fn read_anew(&mut self, id: DirectiveId) {
        if let Some(row) = self.directive(&id).map(Row::of)
            && let Some(open) = self.open.get_mut(&id)
        {
            *open = row;
        }
    }

    /// The directive told whole, as older journals do.
    pub(crate) fn revise(
        &mut self,
        seq: u64,
        id: DirectiveId,
        directive: &Directive,
    ) -> Result<(), ApplyError> {
        let classes = self.classes(&whole_for_each(directive));
        let now = all(&classes);
        let touched = self.directive(&id).map(|state| AssetSet::union([&state.members, &now]));
        self.work_on(seq, id, &touched.unwrap_or_default(), |state| {
            state.leave(&state.members.without(&now));
            // A directive told whole says nothing of what is done.
            let (verified, fixed_otherwise) = (state.verified.clone(), state.fixed_otherwise.clone());
            state.join(&classes, &now);
            (state.verified, state.fixed_otherwise) = (verified, fixed_otherwise);
            state.directive = Directive { assets: BTreeMap::new(), ..directive.clone() };
        })?;
        self.read_anew(id);
        Ok(())
    }

    /// The directive has ended.
    pub(crate) fn close(
        &mut self,
        seq: u64,
        id: DirectiveId,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let state = self.directive_mut(seq, id)?;
        state.closed = Some((now, outcome.clone()));
        state.rehearsals.clear();
        let name = state.source().name.clone();
        let begun: Vec<AssetOrdinal> = state.begun.keys().copied().collect();
        for asset in begun {
            if let Some(asset) = self.assets.get_mut(asset) {
                asset.begun.remove(&id);
            }
        }
        if let Some(row) = self.open.remove(&id) {
            self.trend.moved(row.removes, RiskPoints(0));
        }
        self.rolling.remove(&id);
        self.forensic.remove(&id);
        self.close_cases(id, outcome);
        if !matches!(outcome, Outcome::Refused { .. })
            && let Some(standing) = self.standing.get_mut(&name)
        {
            standing.retain(|standing| standing.id != id);
            if standing.is_empty() {
                self.standing.remove(&name);
            }
        }
        Ok(())
    }

    /// The open directives that count an asset among those that want them.
    pub(crate) fn directives_wanted_by(&self, asset: AssetOrdinal) -> Vec<DirectiveId> {
        let wanting = self.open_directives().filter(|(_, state)| state.wanting.contains(asset));
        wanting.map(|(id, _)| id).collect()
    }

    /// The same for any of these assets.
    pub(crate) fn directives_wanted_by_any(&self, assets: &AssetSet) -> Vec<DirectiveId> {
        let wanting = self.open_directives().filter(|(_, state)| !state.wanting.is_disjoint(assets));
        wanting.map(|(id, _)| id).collect()
    }

    /// An asset that wants directives has another context than `before`: they count it anew.
    pub(crate) fn shift(&mut self, asset: AssetOrdinal, before: &Arc<Bearing>) {
        let Some(now) = self.assets.get(asset).map(AssetState::bearing) else { return };
        for id in self.directives_wanted_by(asset) {
            if let Some(state) = self.directives.get_mut(&id).map(Arc::make_mut) {
                state.bearings.take(before, 1);
                state.bearings.add(now.clone(), 1);
            }
        }
    }

    /// Every open directive counts anew how the context of its assets bears on it.
    pub(crate) fn recount_all(&mut self) {
        let open: Vec<DirectiveId> = self.open.iter().map(|(id, _)| *id).collect();
        for id in open {
            if let Some(state) = self.directives.get_mut(&id).map(Arc::make_mut) {
                state.recount(&self.assets);
            }
        }
    }

    /// The same of every open directive that any of these assets wants.
    pub(crate) fn recount(&mut self, assets: &AssetSet) {
        for id in self.directives_wanted_by_any(assets) {
            if let Some(state) = self.directives.get_mut(&id).map(Arc::make_mut) {
                state.recount(&self.assets);
            }
        }
    }

    /// Sets how far a directive is on an asset of it; nothing where the asset is no part of it.
    pub(crate) fn set_stage(&mut self, id: DirectiveId, asset: AssetOrdinal, stage: Stage) {
        let Some(state) = self.directives.get_mut(&id).map(Arc::make_mut) else { return };
        if !state.members.contains(asset) {
            return;
        }
        state.set(asset, stage);
        let is_begun = state.is_begun();
        if let Some(row) = self.open.get(&id).copied().filter(|row| row.begun != is_begun) {
            self.open.insert(id, Row { begun: is_begun, ..row });
        }
        let begun = state.closed.is_none() && state.begun.contains_key(&asset);
        match self.assets.get_mut(asset) {
            Some(state) if begun => drop(state.begun.insert(id)),
            Some(state) => drop(state.begun.remove(&id)),
            None => {}
        }
        self.follow_stage(id, asset);
    }

    /// Changes a directive as far as these assets go, and what they know of where they are further than proposed.
    fn work_on(
        &mut self,
        seq: u64,
        id: DirectiveId,
        touched: &AssetSet,
        work: impl FnOnce(&mut DirectiveState),
    ) -> Result<(), ApplyError> {
        let dangling = || ApplyError::Dangling { seq, what: id.to_string() };
        let state = Arc::make_mut(self.directives.get_mut(&id).ok_or_else(dangling)?);
        let wanted = state.wanting.intersect(touched);
        let before = state.begun_among(touched);
        work(state);
        state.bearings.take_all(&self.assets.bearings(&wanted));
        state.bearings.add_all(self.assets.bearings(&state.wanting.intersect(touched)));
        if let Some(before) = self.open.get(&id).copied() {
            let now = before.follow(state);
            self.trend.moved(before.removes, now.removes);
            if now != before {
                self.open.insert(id, now);
            }
        }
        // Work begins by orders; here it can only be forgotten.
        for asset in before.into_iter().filter(|asset| !state.begun.contains_key(asset)) {
            if let Some(asset) = self.assets.get_mut(asset) {
                asset.begun.remove(&id);
            }
        }
        self.note_forensics(id);
        self.follow_cases(id, touched);
        Ok(())
    }
}

//! Directives as state, and how events change them.
//!
//! A directive may stand for a million assets, most of them alike: what an asset adds is kept once for all that add the
//! same, and a stage of its own only for assets on which work has begun.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{
    Action, AssetOrdinal, AssetSet, Directive, DirectiveChange, DirectiveId, Grounds, OrderId, Outcome,
    PackageTarget, RehearsalReport, RiskPoints, SourcePackage, Stage, Timestamp, Want, WantClass, Wants,
};

use crate::apply::ApplyError;
use crate::world::{Standing, World};

/// A directive and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectiveState {
    /// What and why.
    pub directive: Directive,
    /// When it was raised.
    pub raised: Timestamp,
    /// Every asset of it.
    pub members: AssetSet,
    /// What the assets add that still want it, by what they have in common; no asset is in two of these. Others stay because
    /// work on them has begun or is done.
    pub wants: Vec<WantClass>,
    /// The packages of those others.
    settled: Vec<(Arc<Vec<PackageTarget>>, AssetSet)>,
    /// Assets that show the fix after Tenon applied it.
    verified: AssetSet,
    /// Assets that show the fix and had it from elsewhere.
    fixed_otherwise: AssetSet,
    /// Every stage between proposed and done.
    begun: BTreeMap<AssetOrdinal, Stage>,
    /// The last passed rehearsal of each asset, which an apply order pins.
    pub rehearsals: BTreeMap<AssetOrdinal, Arc<RehearsalReport>>,
    /// Every order that was made for it, in order.
    pub orders: Vec<OrderId>,
    /// When and how it ended.
    pub closed: Option<(Timestamp, Outcome)>,
}

impl DirectiveState {
    /// Its place in the queue: earlier due dates first, then the larger loss removed, then age.
    pub fn rank(&self, id: DirectiveId) -> (bool, Option<Timestamp>, Reverse<RiskPoints>, DirectiveId) {
        let priority = &self.directive.priority;
        (priority.due.is_none(), priority.due, Reverse(priority.removes), id)
    }

    /// What must be upgraded, and to which version.
    pub fn source(&self) -> &SourcePackage {
        let Action::Upgrade { source } = &self.directive.action;
        source
    }

    /// How far it is on an asset; `None` where the asset is no part of it.
    pub fn stage(&self, asset: AssetOrdinal) -> Option<&Stage> {
        if !self.members.contains(asset) {
            return None;
        }
        Some(match self.begun.get(&asset) {
            Some(stage) => stage,
            None if self.verified.contains(asset) => &Stage::Verified,
            None if self.fixed_otherwise.contains(asset) => &Stage::FixedOtherwise,
            None => &Stage::Proposed,
        })
    }

    /// Every asset and how far it is there, in the order of enrolment.
    pub fn stages(&self) -> impl Iterator<Item = (AssetOrdinal, &Stage)> {
        self.members.iter().filter_map(|asset| Some((asset, self.stage(asset)?)))
    }

    /// The assets that are further than proposed and not done.
    pub fn begun(&self) -> impl Iterator<Item = (AssetOrdinal, &Stage)> {
        self.begun.iter().map(|(asset, stage)| (*asset, stage))
    }

    /// The packages to bring to other versions on an asset.
    pub fn targets(&self, asset: AssetOrdinal) -> Option<&Arc<Vec<PackageTarget>>> {
        let wanted =
            self.wants.iter().find(|class| class.assets.contains(asset)).map(|class| &class.want.targets);
        wanted.or_else(|| {
            self.settled.iter().find(|(_, assets)| assets.contains(asset)).map(|(targets, _)| targets)
        })
    }

    /// The assets that still want it.
    pub(crate) fn wanting(&self) -> AssetSet {
        AssetSet::union(self.wants.iter().map(|class| &class.assets))
    }

    /// The assets that want exactly this.
    pub(crate) fn wanting_just(&self, want: &Want) -> Option<&AssetSet> {
        self.wants.iter().find(|class| *class.want == *want).map(|class| &class.assets)
    }

    /// The assets on which nothing is left to do.
    pub fn done(&self) -> AssetSet {
        AssetSet::union([&self.verified, &self.fixed_otherwise])
    }

    /// How many assets show the fix after Tenon applied it, and how many had it from elsewhere.
    pub fn done_by(&self) -> (u64, u64) {
        (self.verified.len(), self.fixed_otherwise.len())
    }

    /// The assets that wait for their turn.
    pub fn proposed(&self) -> AssetSet {
        let mut proposed = self.members.without(&self.done());
        for asset in self.begun.keys() {
            proposed.remove(*asset);
        }
        proposed
    }

    /// The assets whose work is not forgotten when they no longer want it: it is done, or an order is out, or it was applied
    /// and is to be confirmed.
    pub(crate) fn busy(&self) -> AssetSet {
        let mut busy = self.done();
        for (asset, stage) in &self.begun {
            if stage.outstanding_order().is_some() || matches!(stage, Stage::Applied { .. }) {
                busy.insert(*asset);
            }
        }
        busy
    }

    fn set(&mut self, asset: AssetOrdinal, stage: Stage) {
        self.begun.remove(&asset);
        self.verified.remove(asset);
        self.fixed_otherwise.remove(asset);
        match stage {
            Stage::Proposed => {}
            Stage::Verified => drop(self.verified.insert(asset)),
            Stage::FixedOtherwise => drop(self.fixed_otherwise.insert(asset)),
            stage => drop(self.begun.insert(asset, stage)),
        }
    }

    fn leave(&mut self, left: &AssetSet) {
        self.members.subtract(left);
        self.verified.subtract(left);
        self.fixed_otherwise.subtract(left);
        self.begun.retain(|asset, _| !left.contains(*asset));
        self.unwant(left);
        self.unsettle(left);
    }

    /// These do not want it any more, and keep the packages that they have.
    fn settle(&mut self, assets: &AssetSet) {
        for class in &self.wants {
            let settled = class.assets.intersect(assets);
            if settled.is_empty() {
                continue;
            }
            let targets = &class.want.targets;
            match self.settled.iter_mut().find(|(of, _)| of == targets) {
                Some((_, known)) => known.extend(&settled),
                None => self.settled.push((targets.clone(), settled)),
            }
        }
        self.unwant(assets);
    }

    fn unwant(&mut self, assets: &AssetSet) {
        for class in &mut self.wants {
            class.assets.subtract(assets);
        }
        self.wants.retain(|class| !class.assets.is_empty());
    }

    fn unsettle(&mut self, assets: &AssetSet) {
        for (_, settled) in &mut self.settled {
            settled.subtract(assets);
        }
        self.settled.retain(|(_, settled)| !settled.is_empty());
    }

    /// These want it now, or want it differently.
    fn join(&mut self, WantClass { want, assets }: &WantClass) {
        // What was rehearsed or approved spoke of other packages.
        let outdated: Vec<AssetOrdinal> = self
            .begun
            .iter()
            .filter(|(asset, stage)| assets.contains(**asset) && stage.outstanding_order().is_none())
            .map(|(asset, _)| *asset)
            .filter(|asset| self.targets(*asset) != Some(&want.targets))
            .collect();
        for asset in outdated {
            self.begun.remove(&asset);
        }
        // Done once, and wanted again: the host went back behind it.
        self.verified.subtract(assets);
        self.fixed_otherwise.subtract(assets);
        self.unwant(assets);
        self.unsettle(assets);
        self.members.extend(assets);
        match self.wants.binary_search_by(|class| class.want.cmp(want)) {
            Ok(place) => self.wants[place].assets.extend(assets),
            Err(place) => self.wants.insert(place, WantClass { want: want.clone(), assets: assets.clone() }),
        }
    }
}

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
        let mut state = DirectiveState {
            directive,
            raised: now,
            members: AssetSet::default(),
            wants: Vec::new(),
            settled: Vec::new(),
            verified: AssetSet::default(),
            fixed_otherwise: AssetSet::default(),
            begun: BTreeMap::new(),
            rehearsals: BTreeMap::new(),
            orders: Vec::new(),
            closed: None,
        };
        for class in &classes {
            state.join(class);
        }
        self.directives.insert(id, Arc::new(state));
        self.open.insert(id, ());
    }

    pub(crate) fn change(
        &mut self,
        seq: u64,
        id: DirectiveId,
        change: &DirectiveChange,
    ) -> Result<(), ApplyError> {
        let (left, settled) = (self.set_of(&change.left), self.set_of(&change.settled));
        let joined = self.classes(&change.joined);
        self.work_on(seq, id, |state| {
            state.leave(&left);
            state.settle(&settled);
            for class in &joined {
                state.join(class);
            }
            if let Some(Grounds { closes, claims, advisories }) = &change.grounds {
                state.directive.closes.clone_from(closes);
                state.directive.claims.clone_from(claims);
                state.directive.advisories.clone_from(advisories);
            }
            if let Some(priority) = &change.priority {
                state.directive.priority = priority.clone();
            }
        })
    }

    /// The directive told whole, as older journals do.
    pub(crate) fn revise(
        &mut self,
        seq: u64,
        id: DirectiveId,
        directive: &Directive,
    ) -> Result<(), ApplyError> {
        let classes = self.classes(&whole_for_each(directive));
        let now = AssetSet::union(classes.iter().map(|class| &class.assets));
        self.work_on(seq, id, |state| {
            state.leave(&state.members.without(&now));
            // A directive told whole says nothing of what is done.
            let (verified, fixed_otherwise) = (state.verified.clone(), state.fixed_otherwise.clone());
            for class in &classes {
                state.join(class);
            }
            (state.verified, state.fixed_otherwise) = (verified, fixed_otherwise);
            state.directive = Directive { assets: BTreeMap::new(), ..directive.clone() };
        })
    }

    /// The directive has ended.
    pub(crate) fn close(
        &mut self,
        seq: u64,
        id: DirectiveId,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let mut source = None;
        self.work_on(seq, id, |state| {
            state.closed = Some((now, outcome.clone()));
            state.rehearsals.clear();
            source = Some(state.source().name.clone());
        })?;
        self.open.remove(&id);
        if !matches!(outcome, Outcome::Refused { .. })
            && let Some(name) = source
            && let Some(standing) = self.standing.get_mut(&name)
        {
            standing.retain(|standing| standing.id != id);
            if standing.is_empty() {
                self.standing.remove(&name);
            }
        }
        Ok(())
    }

    /// Sets how far a directive is on an asset of it; nothing where the asset is no part of it.
    pub(crate) fn set_stage(&mut self, id: DirectiveId, asset: AssetOrdinal, stage: Stage) {
        let Some(state) = self.directives.get_mut(&id).map(Arc::make_mut) else { return };
        if !state.members.contains(asset) {
            return;
        }
        state.set(asset, stage);
        let begun = state.closed.is_none() && state.begun.contains_key(&asset);
        match self.assets.get_mut(asset) {
            Some(asset) if begun => drop(asset.begun.insert(id)),
            Some(asset) => drop(asset.begun.remove(&id)),
            None => {}
        }
    }

    /// Changes a directive, and what assets know of where they are further than proposed.
    pub(crate) fn work_on(
        &mut self,
        seq: u64,
        id: DirectiveId,
        work: impl FnOnce(&mut DirectiveState),
    ) -> Result<(), ApplyError> {
        let dangling = || ApplyError::Dangling { seq, what: id.to_string() };
        let state = Arc::make_mut(self.directives.get_mut(&id).ok_or_else(dangling)?);
        let before: Vec<AssetOrdinal> = state.begun.keys().copied().collect();
        work(state);
        let now: Vec<AssetOrdinal> = match state.closed {
            Some(_) => Vec::new(),
            None => state.begun.keys().copied().collect(),
        };
        for asset in before.iter().filter(|asset| now.binary_search(asset).is_err()) {
            if let Some(asset) = self.assets.get_mut(*asset) {
                asset.begun.remove(&id);
            }
        }
        for asset in now.iter().filter(|asset| before.binary_search(asset).is_err()) {
            if let Some(asset) = self.assets.get_mut(*asset) {
                asset.begun.insert(id);
            }
        }
        Ok(())
    }
}

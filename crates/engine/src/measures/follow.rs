//! How events change what is counted: cases begin, go from step to step, move to newer versions, and end.

use tenon_model::{
    ApplyOutcome, AssetOrdinal, AssetSet, DirectiveId, GroupName, Order, OrderAction, Outcome,
    RehearsalOutcome, Stage, Timestamp,
};

use super::cases::{Path, counted_since, step_of};
use super::day::{GroupDay, Kind, Step};
use super::{End, Ended, MAX_MODES, Measures, Moving, between, second};
use crate::world::{GroupMode, World};

/// Of a directive what its cases need.
struct About {
    id: DirectiveId,
    group: GroupName,
    package: String,
    due: Option<Timestamp>,
    raised: i64,
}

impl World {
    fn about(&self, id: DirectiveId) -> Option<About> {
        let state = self.directive(&id)?;
        Some(About {
            id,
            group: state.directive.group.clone(),
            package: state.source().name.clone(),
            due: state.directive.priority.due,
            raised: second(state.raised),
        })
    }

    /// The time of the event that is being applied.
    fn applied_at(&self) -> Timestamp {
        self.time.unwrap_or(Timestamp::from_millis(0))
    }

    /// A directive was raised or changed as far as these assets go.
    pub(crate) fn follow_cases(&mut self, id: DirectiveId, touched: &AssetSet) {
        let Some(state) = self.directive(&id).filter(|state| state.closed.is_none()) else { return };
        let open = state.open_among(touched);
        let begun: Vec<AssetOrdinal> = state.begun_among(touched);
        let cases = self.measures.cases.get(&id);
        let before = cases.map(|cases| cases.assets().intersect(touched)).unwrap_or_default();
        let Some(about) = self.about(id) else { return };
        let now = second(self.applied_at());
        let (gone, coming) = (before.without(&open), open.without(&before));
        self.forget_paths(&about, &before, &begun, &gone, now);
        if !gone.is_empty() {
            self.leave_cases(&about, &gone, now);
        }
        if !coming.is_empty() {
            self.open_cases(&about, coming, now);
        }
    }

    /// Paths of cases that are proposed again, or are none any more.
    fn forget_paths(
        &mut self,
        about: &About,
        before: &AssetSet,
        begun: &[AssetOrdinal],
        gone: &AssetSet,
        now: i64,
    ) {
        let Some(cases) = self.measures.cases.get(&about.id) else { return };
        let set_back = |asset: &AssetOrdinal| {
            let path = cases.paths.get(asset);
            path.is_some_and(|path| path.at.is_some()) && begun.binary_search(asset).is_err()
        };
        let few = before.len() < cases.paths.len() as u64;
        let back: Vec<AssetOrdinal> = match few {
            true => before.iter().filter(set_back).collect(),
            false => cases.paths.keys().copied().filter(|a| before.contains(*a) && set_back(a)).collect(),
        };
        let mut unconfirmed = 0;
        for asset in back {
            unconfirmed += u64::from(self.move_on(about, asset, None, now) == Some(Step::Confirmation));
        }
        let paths = gone.iter().filter(|asset| cases_path(&self.measures, about.id, *asset));
        let paths: Vec<AssetOrdinal> = paths.collect();
        for asset in paths {
            self.measures.cases(about.id).paths.remove(&asset);
        }
        if unconfirmed > 0 {
            self.measures.today(&about.group, now).changes.unconfirmed += unconfirmed;
        }
    }

    /// A case goes to another step; tells the one where it was.
    fn move_on(&mut self, about: &About, asset: AssetOrdinal, to: Option<Step>, now: i64) -> Option<Step> {
        let group = self.measures.groups.get(&about.group).cloned().unwrap_or_default();
        let cases = self.measures.cases(about.id);
        let since = cases.open_since(asset)?;
        let path = cases.paths.entry(asset).or_insert_with(|| Path::new(since));
        let from = path.at;
        let observing = if from.is_none() { group.observing(path.entered, now) } else { 0 };
        path.leave(now, observing);
        path.at = to;
        from
    }

    /// Cases begin, or go on that another directive about the package had.
    fn open_cases(&mut self, about: &About, mut coming: AssetSet, now: i64) {
        let of_package = |moving: &&Moving| moving.group == about.group && moving.package == about.package;
        let moving = self.measures.moving.iter().filter(of_package);
        let mut known: Vec<(i64, AssetSet)> =
            moving.map(|moving| (moving.since, moving.assets.intersect(&coming))).collect();
        for id in self.others(about) {
            let Some(cases) = self.measures.cases.get(&id) else { continue };
            known.extend(cases.since().map(|(since, assets)| (since, assets.intersect(&coming))));
        }
        // Of several the oldest: nobody begins anew by a newer version.
        known.sort_by_key(|(since, _)| *since);
        for moving in &mut self.measures.moving {
            if of_package(&&*moving) {
                moving.assets.subtract(&coming);
            }
        }
        self.measures.moving.retain(|moving| !moving.assets.is_empty());
        let mut open: Vec<(i64, AssetSet)> = Vec::new();
        for (since, mut assets) in known {
            assets = assets.intersect(&coming);
            coming.subtract(&assets);
            if !assets.is_empty() {
                open.push((since, assets));
            }
        }
        if !coming.is_empty() {
            let begun = coming.len();
            open.push((counted_since(about.raised, now), coming));
            self.measures.today(&about.group, now).begun += begun;
        }
        for (since, assets) in open {
            self.measures.opened(&about.group, now, since, assets.len());
            self.measures.cases(about.id).open(since, &assets);
        }
    }

    /// Cases are no part of the directive any more.
    fn leave_cases(&mut self, about: &About, gone: &AssetSet, now: i64) {
        let others = self.others(about);
        let at = self.applied_at();
        for (since, mut assets) in self.measures.cases(about.id).take(gone) {
            self.measures.shut(&about.group, now, since, assets.len());
            let retired = assets.intersect(self.assets.retired());
            if !retired.is_empty() {
                assets.subtract(&retired);
                let (group, times) = (&about.group, retired.len());
                let ended = Ended { group, end: End::Retired, since, at, due: about.due, times };
                self.measures.ended(ended);
            }
            // A newer version has taken them over already.
            for other in &others {
                if let Some(cases) = self.measures.cases.get(other) {
                    assets.subtract(cases.assets());
                }
            }
            if !assets.is_empty() {
                let (group, package) = (about.group.clone(), about.package.clone());
                self.measures.moving.push(Moving { group, package, since, left: at, due: about.due, assets });
            }
        }
    }

    /// The other open directives about any version of the package.
    fn others(&self, about: &About) -> Vec<DirectiveId> {
        let of_package = self.open_in(&about.group, &about.package);
        of_package.map(|(id, _)| id).filter(|id| *id != about.id).collect()
    }

    /// A directive is at another stage on an asset now.
    pub(crate) fn follow_stage(&mut self, id: DirectiveId, asset: AssetOrdinal) {
        let Some(state) = self.directive(&id).filter(|state| state.closed.is_none()) else { return };
        let Some(stage) = state.stage(asset) else { return };
        let (step, end) = match stage {
            Stage::Verified => (None, Some(End::Verified)),
            Stage::FixedOtherwise => (None, Some(End::FixedOtherwise)),
            stage => (step_of(stage), None),
        };
        let Some(about) = self.about(id) else { return };
        let (at, of_one) = (self.applied_at(), std::iter::once(asset).collect::<AssetSet>());
        let now = second(at);
        let is_open =
            |world: &Self| world.measures.cases.get(&id).is_some_and(|cases| cases.assets().contains(asset));
        if !is_open(self) {
            // What was done and is to be done again is another case.
            match end {
                Some(_) => return,
                None => self.open_cases(&about, of_one.clone(), now),
            }
        }
        let from = self.move_on(&about, asset, step, now);
        let verified = end == Some(End::Verified);
        if from == Some(Step::Confirmation) && step != from && !verified {
            self.measures.today(&about.group, now).changes.unconfirmed += 1;
        }
        let milestone = match step {
            Some(Step::Approval) => Some(0),
            Some(Step::Turn) => Some(1),
            Some(Step::Confirmation) => Some(2),
            _ => None,
        };
        let cases = self.measures.cases(id);
        if let Some(milestone) = milestone.and_then(|place: usize| cases.milestones.get_mut(place)) {
            milestone.get_or_insert(now);
        }
        let Some(end) = end else { return };
        let path = cases.paths.remove(&asset);
        for (since, assets) in cases.take(&of_one) {
            let times = assets.len();
            self.measures.shut(&about.group, now, since, times);
            self.measures.ended(Ended { group: &about.group, end, since, at, due: about.due, times });
            if let Some(path) = path.as_ref().filter(|_| verified) {
                let today = self.measures.today(&about.group, now);
                today.note(Kind::VERIFIED, between(since, now), 1);
                today.changes.verified += 1;
                for step in Step::ALL {
                    today.note(Kind::step(step), path.spent[step.place()], 1);
                }
            }
        }
    }

    /// A directive has ended, and its open cases with it.
    pub(crate) fn close_cases(&mut self, id: DirectiveId, outcome: &Outcome) {
        let Some(about) = self.about(id) else { return };
        let at = self.applied_at();
        let now = second(at);
        let cases = self.measures.cases.get(&id).cloned().unwrap_or_default();
        let open = cases.assets();
        let unconfirmed = cases.paths.values().filter(|path| path.at == Some(Step::Confirmation)).count();
        if matches!(outcome, Outcome::Refused { .. }) {
            for (since, assets) in cases.since() {
                let times = assets.len();
                self.measures.shut(&about.group, now, since, times);
                let (group, due) = (&about.group, about.due);
                self.measures.ended(Ended { group, end: End::Refused, since, at, due, times });
            }
        } else if !open.is_empty() {
            self.leave_cases(&about, open, now);
        }
        self.measures.cases.remove(&id);
        let today = self.measures.today(&about.group, now);
        today.close(outcome);
        today.changes.unconfirmed += unconfirmed as u64;
        let fixed = *outcome == Outcome::Fixed;
        if fixed {
            today.note(Kind::FIXED, between(about.raised, now), 1);
            if let [Some(rehearsed), Some(approved), Some(changed)] = cases.milestones {
                let ways =
                    [(about.raised, rehearsed), (rehearsed, approved), (approved, changed), (changed, now)];
                for (place, (from, to)) in (0..).zip(ways) {
                    today.note(Kind::milestone(place), between(from, to), 1);
                }
            }
        }
        let Some(due) = about.due else { return };
        if let Some(of_day) = self.measures.due(&about.group, due, now) {
            match (at > due, fixed) {
                (true, _) => of_day.directives_missed += 1,
                (false, true) => of_day.directives_met += 1,
                (false, false) => {}
            }
        }
    }

    /// A host answered a rehearsal order.
    pub(crate) fn count_rehearsal(&mut self, order: &Order, outcome: &RehearsalOutcome) {
        self.count(order, |today| {
            *match outcome {
                RehearsalOutcome::Passed => &mut today.rehearsals.passed,
                RehearsalOutcome::Failed { .. } => &mut today.rehearsals.failed,
                RehearsalOutcome::NotRehearsed { .. } => &mut today.rehearsals.not_rehearsed,
            } += 1;
        });
    }

    /// A host answered an order to change. What it says is done counts once a later report shows it.
    pub(crate) fn count_change(&mut self, order: &Order, outcome: &ApplyOutcome) {
        self.count(order, |today| {
            *match outcome {
                ApplyOutcome::Verified => return,
                ApplyOutcome::RolledBack { .. } => &mut today.changes.rolled_back,
                ApplyOutcome::Failed { .. } => &mut today.changes.failed,
                ApplyOutcome::Refused { .. } => &mut today.changes.refused,
            } += 1;
        });
    }

    /// A host did not answer an order in time.
    pub(crate) fn count_silence(&mut self, order: &Order) {
        self.count(order, |today| match order.action {
            OrderAction::Rehearse { .. } => today.rehearsals.silent += 1,
            OrderAction::Apply { .. } => today.changes.silent += 1,
            // It is neither; what it holds up is seen in how long changes take.
            OrderAction::PreserveEvidence { .. } => {}
        });
    }

    fn count(&mut self, order: &Order, count: impl FnOnce(&mut GroupDay)) {
        let now = second(self.applied_at());
        if let Some(group) = self.directive(&order.directive).map(|state| state.directive.group.clone()) {
            count(self.measures.today(&group, now));
        }
    }

    /// People let a group act, or took that back.
    pub(crate) fn note_mode(&mut self, group: &GroupName, mode: GroupMode) {
        let now = second(self.applied_at());
        let modes = &mut self.measures.at(group, now).modes;
        modes.push((now, mode));
        let over = modes.len().saturating_sub(MAX_MODES);
        modes.drain(..over);
    }

    /// Begins to count in a World of which nothing was counted so far: what is open is open since now.
    pub(crate) fn begin_measures(&mut self) {
        let Some(at) = self.time else { return };
        self.measures = Measures { since: Some(at), ..Measures::default() };
        let modes: Vec<_> = self.groups.iter().map(|(group, mode)| (group.clone(), *mode)).collect();
        for (group, mode) in modes {
            self.note_mode(&group, mode);
        }
        let open: Vec<_> = self
            .open_directives()
            .map(|(id, state)| {
                let begun: Vec<_> = state.begun().map(|(asset, stage)| (asset, step_of(stage))).collect();
                (id, state.open_among(&state.members), begun)
            })
            .collect();
        for (id, assets, begun) in open {
            let Some(about) = self.about(id) else { continue };
            let now = second(at);
            self.measures.opened(&about.group, now, now, assets.len());
            self.measures.cases(id).open(now, &assets);
            for (asset, step) in begun {
                self.measures.cases(id).paths.insert(asset, Path { at: step, ..Path::new(now) });
            }
        }
    }
}

/// Whether a case has a path.
fn cases_path(measures: &Measures, id: DirectiveId, asset: AssetOrdinal) -> bool {
    measures.cases.get(&id).is_some_and(|cases| cases.paths.contains_key(&asset))
}

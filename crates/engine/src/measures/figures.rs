//! The figures of a span of days, added up when they are asked for.

use tenon_model::{GroupName, Timestamp};

use super::day::{Changes, Closings, Due, Ends, GroupDay, Kind, Rehearsals, Step};
use super::spread::{Counts, Spread, Survival, bucket};
use super::{Group, between, second};
use crate::trend::Day;
use crate::world::World;

/// What is open at the end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Open {
    /// Open cases.
    pub cases: u64,
    /// Of them those whose due date is past.
    pub overdue: u64,
    /// Open directives whose due date is past.
    pub directives_overdue: u64,
}

/// The figures of a span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Cases that began.
    pub begun: u64,
    /// Cases that ended, and how.
    pub ends: Ends,
    /// Directives that ended, and how.
    pub closings: Closings,
    /// Where the time of the cases went that were verified, in the order of [`Step::ALL`]: each case counts once in each step.
    pub steps: [Spread; Step::ALL.len()],
    /// From the beginning of a case until it was verified.
    pub remediation: Spread,
    /// From a directive's being raised until it was fixed.
    pub fixed: Spread,
    /// Of directives that were rehearsed, approved, changed and fixed: up to the first host that was rehearsed, from there to the
    /// first approval, to the first host that was changed, and to the end.
    pub milestones: [Spread; 4],
    /// How long it takes until half of the cases that began are done.
    pub survival: Survival,
    /// What came due.
    pub due: Due,
    /// What is open at its end.
    pub open: Open,
    /// Changes that ended.
    pub changes: Changes,
    /// Rehearsals that ended.
    pub rehearsals: Rehearsals,
    /// The time of all cases that were open, in seconds.
    pub open_seconds: u64,
}

/// Figures of the estate and of each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Since when is counted, where the record began before and what happened then is not known any more.
    pub since: Option<Timestamp>,
    /// All groups that were asked for, together.
    pub whole: Figures,
    /// Each of those of which something was counted, by name.
    pub groups: Vec<(GroupName, Figures)>,
}

/// Figures while they are added up.
#[derive(Default)]
struct Adding {
    figures: Figures,
    sums: [u64; Kind::COUNT],
    counts: [Counts; Kind::COUNT],
    /// Cases that began in the span and are open, by how long.
    open: Counts,
}

impl Adding {
    fn group(&mut self, group: &Group, (first, last): (Day, Day), now: i64) {
        for (_, day) in group.days.range(first..=last) {
            self.day(day);
            for (since, times) in &day.open {
                self.open.add(bucket(between(*since, now)), *times);
            }
        }
        self.figures.open.cases += group.open;
    }

    fn day(&mut self, day: &GroupDay) {
        let figures = &mut self.figures;
        figures.begun += day.begun;
        figures.open_seconds = figures.open_seconds.saturating_add(day.open_seconds);
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        let (ends, more) = (&mut figures.ends, &day.ends);
        add(&mut ends.verified, more.verified);
        add(&mut ends.fixed_otherwise, more.fixed_otherwise);
        add(&mut ends.refused, more.refused);
        add(&mut ends.retired, more.retired);
        add(&mut ends.withdrawn, more.withdrawn);
        let (closings, more) = (&mut figures.closings, &day.closings);
        add(&mut closings.fixed, more.fixed);
        add(&mut closings.superseded, more.superseded);
        add(&mut closings.withdrawn, more.withdrawn);
        add(&mut closings.refused, more.refused);
        let (changes, more) = (&mut figures.changes, &day.changes);
        add(&mut changes.verified, more.verified);
        add(&mut changes.rolled_back, more.rolled_back);
        add(&mut changes.failed, more.failed);
        add(&mut changes.refused, more.refused);
        add(&mut changes.silent, more.silent);
        add(&mut changes.unconfirmed, more.unconfirmed);
        let (rehearsals, more) = (&mut figures.rehearsals, &day.rehearsals);
        add(&mut rehearsals.passed, more.passed);
        add(&mut rehearsals.failed, more.failed);
        add(&mut rehearsals.not_rehearsed, more.not_rehearsed);
        add(&mut rehearsals.silent, more.silent);
        let (due, more) = (&mut figures.due, &day.due);
        add(&mut due.met, more.met);
        add(&mut due.missed, more.missed);
        add(&mut due.directives_met, more.directives_met);
        add(&mut due.directives_missed, more.directives_missed);
        for (kind, bucket, count) in day.counts() {
            if let Some(counts) = self.counts.get_mut(kind.place()) {
                counts.add(bucket, count);
            }
        }
        for (place, sum) in day.sums().iter().enumerate() {
            self.sums[place] = self.sums[place].saturating_add(*sum);
        }
    }

    /// An open directive whose due date is past, with so many open cases.
    fn overdue(&mut self, cases: u64, in_span: bool) {
        self.figures.open.overdue += cases;
        self.figures.open.directives_overdue += 1;
        if in_span {
            self.figures.due.missed += cases;
            self.figures.due.directives_missed += 1;
        }
    }

    fn told(self) -> Figures {
        let spread = |kind: Kind| self.counts[kind.place()].spread(self.sums[kind.place()]);
        let [done, ended] = [Kind::DONE, Kind::ENDED].map(|kind| &self.counts[kind.place()]);
        Figures {
            steps: Step::ALL.map(|step| spread(Kind::step(step))),
            remediation: spread(Kind::VERIFIED),
            fixed: spread(Kind::FIXED),
            milestones: [0, 1, 2, 3].map(|place| spread(Kind::milestone(place))),
            survival: Survival::of(done, ended, &self.open),
            ..self.figures
        }
    }
}

impl World {
    /// The figures of a span of days, both ends included, as of a time: of all groups, or of one.
    pub fn measures(&self, first: Day, last: Day, now: Timestamp, only: Option<&GroupName>) -> Measured {
        let mut measures = self.measures.clone();
        measures.settle();
        let at = second(now);
        let mut whole = Adding::default();
        let mut groups = std::collections::BTreeMap::new();
        for (name, group) in measures.groups.iter().filter(|(name, _)| only.is_none_or(|only| only == *name))
        {
            let mut group = group.as_ref().clone();
            group.tick(at);
            let adding: &mut Adding = groups.entry(name).or_default();
            for adding in [adding, &mut whole] {
                adding.group(&group, (first, last), at);
            }
        }
        for (id, row) in self.open.iter() {
            let Some(due) = row.due.filter(|due| *due < now) else { continue };
            let Some(state) = self.directive(id) else { continue };
            let Some(adding) = groups.get_mut(&state.directive.group) else { continue };
            let cases = measures.cases.get(id).map_or(0, |cases| cases.len());
            let in_span = (first..=last).contains(&Day::of(due));
            adding.overdue(cases, in_span);
            whole.overdue(cases, in_span);
        }
        let groups = groups.into_iter().map(|(name, adding)| (name.clone(), adding.told())).collect();
        Measured { since: measures.since, whole: whole.told(), groups }
    }

    /// What is counted contradicts what the directives say: a defect. Looks at everything, for tests.
    pub fn check_measures(&self) -> Result<(), String> {
        let mut open = std::collections::BTreeMap::<&GroupName, u64>::new();
        for (id, state) in self.open_directives() {
            let wanted = state.open_among(&state.members);
            let cases = self.measures.cases.get(&id).cloned().unwrap_or_default();
            let counted = tenon_model::AssetSet::union(cases.since().map(|(_, assets)| assets));
            if counted != wanted || *cases.assets() != wanted || cases.len() != wanted.len() {
                return Err(format!("{id}: {counted:?} are counted as open, and {wanted:?} are"));
            }
            for (asset, path) in &cases.paths {
                let stage = state.stage(*asset).filter(|_| wanted.contains(*asset));
                if stage.map(super::cases::step_of) != Some(path.at) {
                    return Err(format!(
                        "{id}: asset {} is counted at {:?}, and is at {stage:?}",
                        asset.0, path.at
                    ));
                }
            }
            if let Some((asset, _)) = state.begun().find(|(asset, _)| !cases.paths.contains_key(asset)) {
                return Err(format!("{id}: the way of asset {} is not followed", asset.0));
            }
            *open.entry(&state.directive.group).or_default() += wanted.len();
        }
        let stray =
            self.measures.cases.iter().find(|(id, _)| self.directive(id).is_none_or(|s| s.closed.is_some()));
        if let Some((id, _)) = stray {
            return Err(format!("{id} is not open, and its cases are counted"));
        }
        for (name, group) in self.measures.groups.iter() {
            let by_since: u64 = group.days.values().flat_map(|day| day.open.values()).sum();
            let wanted = open.remove(name).unwrap_or_default();
            if group.open != wanted || by_since > wanted {
                return Err(format!(
                    "{name}: {} ({by_since}) are counted as open, and {wanted} are",
                    group.open
                ));
            }
        }
        match open.into_iter().find(|(_, count)| *count > 0) {
            Some((name, count)) => Err(format!("{name}: {count} are open, and none is counted")),
            None => Ok(()),
        }
    }

    /// Whether the same is counted in both.
    pub fn measures_like(&self, other: &Self) -> bool {
        self.measures == other.measures
    }
}

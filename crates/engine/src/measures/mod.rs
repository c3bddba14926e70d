//! Measures of the loop: where time goes from the moment something must be done until a host shows that it is.
//!
//! A *case* is one directive on one host. It begins when the directive first names the host, and ends when a report shows the fix,
//! or in one of the ways that are no success. Everything follows from the events alone: what is counted of a group is kept by days,
//! durations in fixed buckets, so that it does not grow with the estate. None of it is part of the state's digest, because nothing
//! is decided by it; snapshots hold it.
//!
//! ```text
//! directives change --> cases (open, since when, where their time went) --they end--> groups, day by day --> figures
//! ```

mod cases;
mod day;
mod figures;
mod follow;
mod spread;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{AssetSet, DirectiveId, GroupName, Timestamp};

use crate::shards::{ShardKey, Shards, fnv1a};
use crate::trend::Day;
use crate::world::GroupMode;
pub(crate) use cases::Cases;
pub use day::{Changes, Closings, Due, Ends, Rehearsals, Step};
use day::{GroupDay, Kind};
pub use figures::{Figures, Measured, Open};
pub use spread::{Spread, Survival};

/// Days of a group that are kept, counted back from the last one on which something of it happened.
const MAX_DAYS: i64 = 400;
/// Decisions of people whether a group may act that are kept.
const MAX_MODES: usize = 64;
const DAY_SECONDS: i64 = 86_400;
const HOUR_SECONDS: i64 = 3_600;

impl ShardKey for GroupName {
    fn shard(&self) -> usize {
        fnv1a(self.as_str().as_bytes())
    }
}

/// The whole second of an instant.
fn second(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(1_000)
}

/// The first second of its hour.
fn hour(second: i64) -> i64 {
    second.div_euclid(HOUR_SECONDS) * HOUR_SECONDS
}

/// The day of a second.
fn day(second: i64) -> Day {
    Day(second.div_euclid(DAY_SECONDS))
}

/// Seconds from one to a later one.
fn between(from: i64, to: i64) -> u32 {
    u32::try_from(to.saturating_sub(from).max(0)).unwrap_or(u32::MAX)
}

/// What is counted of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Group {
    days: BTreeMap<Day, Arc<GroupDay>>,
    /// Cases that are open.
    open: u64,
    /// Up to which second their time is counted.
    counted: i64,
    /// When people let it act or took that back.
    modes: Vec<(i64, GroupMode)>,
}

impl Group {
    fn day(&mut self, day: Day) -> &mut GroupDay {
        Arc::make_mut(self.days.entry(day).or_default())
    }

    /// The time of what is open is counted up to now.
    fn tick(&mut self, now: i64) {
        while self.open > 0 && self.counted < now {
            let today = day(self.counted);
            let end = now.min((today.0 + 1).saturating_mul(DAY_SECONDS));
            let seconds = self.open.saturating_mul(u64::from(between(self.counted, end)));
            let of_day = self.day(today);
            of_day.open_seconds = of_day.open_seconds.saturating_add(seconds);
            // A clock that jumped by years is not counted day by day.
            let oldest = (day(now).0 - MAX_DAYS).saturating_mul(DAY_SECONDS);
            self.counted = end.max(oldest);
        }
        self.counted = self.counted.max(now);
    }

    /// Of how many of these seconds it could not act.
    fn observing(&self, from: i64, to: i64) -> u32 {
        let (mut since, mut mode, mut seconds) = (from, GroupMode::Observe, 0_u32);
        for (at, next) in self.modes.iter().copied().chain([(to, GroupMode::Act)]) {
            let at = at.clamp(since, to);
            if mode == GroupMode::Observe {
                seconds = seconds.saturating_add(between(since, at));
            }
            (since, mode) = (at, next);
        }
        seconds
    }
}

/// Cases that left a directive, and may be those of another one by the same cause: a newer version took them over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Moving {
    group: GroupName,
    package: String,
    since: i64,
    left: Timestamp,
    due: Option<Timestamp>,
    assets: AssetSet,
}

/// All that is counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Measures {
    #[serde(skip)]
    groups: Shards<GroupName, Arc<Group>>,
    /// The open cases of each open directive.
    #[serde(skip)]
    cases: Shards<DirectiveId, Arc<Cases>>,
    moving: Vec<Moving>,
    /// Since when, where the record began before that and what happened then is not known.
    since: Option<Timestamp>,
}

impl PartialEq for Measures {
    fn eq(&self, other: &Self) -> bool {
        self.groups.iter().eq(other.groups.iter())
            && self.cases.iter().eq(other.cases.iter())
            && (&self.moving, self.since) == (&other.moving, other.since)
    }
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Verified,
    FixedOtherwise,
    Refused,
    Retired,
    Withdrawn,
}

/// Cases of a group that ended alike.
struct Ended<'a> {
    group: &'a GroupName,
    end: End,
    since: i64,
    at: Timestamp,
    due: Option<Timestamp>,
    times: u64,
}

impl Measures {
    /// What happens to a group at a second.
    fn at(&mut self, group: &GroupName, now: i64) -> &mut Group {
        let group = Arc::make_mut(self.groups.entry(group.clone(), Arc::default));
        group.tick(now);
        let oldest = Day(day(now).0 - MAX_DAYS);
        while group.days.first_key_value().is_some_and(|(day, _)| *day < oldest) {
            group.days.pop_first();
        }
        group
    }

    fn today(&mut self, group: &GroupName, now: i64) -> &mut GroupDay {
        self.at(group, now).day(day(now))
    }

    /// Cases of a group are open since a second.
    fn opened(&mut self, group: &GroupName, now: i64, since: i64, times: u64) {
        let group = self.at(group, now);
        group.open += times;
        *group.day(day(since)).open.entry(since).or_default() += times;
    }

    /// They are not open any more.
    fn shut(&mut self, group: &GroupName, now: i64, since: i64, times: u64) {
        let group = self.at(group, now);
        group.open = group.open.saturating_sub(times);
        let open = &mut group.day(day(since)).open;
        if let Some(count) = open.get_mut(&since) {
            *count = count.saturating_sub(times);
            if *count == 0 {
                open.remove(&since);
            }
        }
    }

    /// Cases that are not open any more have ended, and how.
    fn ended(&mut self, Ended { group, end, since, at, due, times }: Ended<'_>) {
        let now = second(at);
        let counted = self.at(group, now);
        let ends = &mut counted.day(day(now)).ends;
        *match end {
            End::Verified => &mut ends.verified,
            End::FixedOtherwise => &mut ends.fixed_otherwise,
            End::Refused => &mut ends.refused,
            End::Retired => &mut ends.retired,
            End::Withdrawn => &mut ends.withdrawn,
        } += times;
        let done = matches!(end, End::Verified | End::FixedOtherwise);
        let kind = if done { Kind::DONE } else { Kind::ENDED };
        counted.day(day(since)).note(kind, between(since, now), times);
        let Some(due) = due else { return };
        if let Some(of_day) = self.due(group, due, now) {
            match (at > due, done) {
                (true, _) => of_day.missed += times,
                (false, true) => of_day.met += times,
                // Nobody could do it any more.
                (false, false) => {}
            }
        }
    }

    /// What comes due of a group on the day of a date. A date that is further away than days are kept is asked about by nobody.
    fn due(&mut self, group: &GroupName, due: Timestamp, now: i64) -> Option<&mut Due> {
        let ahead = Day::of(due).0.saturating_sub(day(now).0);
        (-MAX_DAYS..=MAX_DAYS).contains(&ahead).then(|| &mut self.at(group, now).day(Day::of(due)).due)
    }

    /// What left directives by the cause before and was taken over by no other has ended.
    pub(crate) fn settle(&mut self) {
        for Moving { group, since, left: at, due, assets, .. } in std::mem::take(&mut self.moving) {
            let times = assets.len();
            self.ended(Ended { group: &group, end: End::Withdrawn, since, at, due, times });
        }
    }

    /// What is counted of each group, by name.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&GroupName, &Group)> {
        let groups: BTreeMap<_, _> = self.groups.iter().map(|(name, group)| (name, group.as_ref())).collect();
        groups.into_iter()
    }

    /// The open cases of each directive, in their order.
    pub(crate) fn open_cases(&self) -> impl Iterator<Item = (&DirectiveId, &Cases)> {
        let cases: BTreeMap<_, _> = self.cases.iter().map(|(id, cases)| (id, cases.as_ref())).collect();
        cases.into_iter()
    }

    pub(crate) fn restore_group(&mut self, name: GroupName, group: Group) {
        self.groups.insert(name, Arc::new(group));
    }

    pub(crate) fn restore_cases(&mut self, id: DirectiveId, mut cases: Cases) {
        cases.recount();
        self.cases.insert(id, Arc::new(cases));
    }

    fn cases(&mut self, id: DirectiveId) -> &mut Cases {
        Arc::make_mut(self.cases.entry(id, Arc::default))
    }
}

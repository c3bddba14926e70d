//! What is lost if nothing is done, by whom and what moved it, as people see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_engine::{Day, Filter, Movement, Part, Sort, Start, Sum, Window, World};
use tenon_model::Timestamp;
use utoipa::ToSchema;

use super::trend::{day_of, points};
use crate::log::LogEntryView;

/// Entries that are told as those that moved it most.
pub(crate) const MOVED: usize = 20;

/// A group's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupRiskView {
    /// The group.
    pub group: String,
    /// Risk points that its open directives remove.
    pub points: String,
    /// How many directives.
    pub directives: u64,
}

/// An entry of the record that moved exposure, with all that followed from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovementView {
    /// The entry.
    pub seq: u64,
    /// Its day, as in 2026-11-25.
    pub day: String,
    /// By so many risk points; below zero where it fell.
    pub points: String,
    /// Its kind; absent where the record does not reach back so far any more.
    pub kind: Option<String>,
    /// What happened, in one sentence; absent likewise.
    pub said: Option<String>,
    /// The person behind it; absent where none is.
    pub by: Option<String>,
}

/// Expected loss: the risk points that the open directives remove together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskView {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// Of which part of the estate: `service shop`; absent where of all.
    pub of: Option<String>,
    /// How many assets that is.
    pub assets: u64,
    /// How many open directives are about them.
    pub directives: u64,
    /// Risk points.
    pub points: String,
    /// Those of the whole estate.
    pub whole: String,
    /// Days of the span, the last as far as it is gone.
    pub days: u16,
    /// What it was before the span; absent for a part, of which only the present is known.
    pub before: Option<String>,
    /// What it would be now, had nothing been newly seen since then; absent likewise.
    pub like_for_like: Option<String>,
    /// The groups, those with most first; empty for a part.
    pub groups: Vec<GroupRiskView>,
    /// The entries that moved it most within the span, at most 20, the largest first; empty for a part. Of one day at most 8
    /// are known.
    pub moved: Vec<MovementView>,
}

/// A span of days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    pub(crate) first: Day,
    pub(crate) last: Day,
    pub(crate) count: u16,
}

/// What the whole queue comes to, and each group's part of it.
fn totals(world: &World, now: Timestamp) -> (Sum, BTreeMap<&str, Sum>) {
    let none = Window { start: Start::Place(0), limit: 0 };
    let queue = world.queue_of(&Filter::default(), Sort::Urgency, none, now);
    queue.map(|queue| (queue.all, queue.groups)).unwrap_or_default()
}

impl RiskView {
    /// Of the whole estate; what `moved` it is told by the record.
    pub(crate) fn of_all(world: &World, now: Timestamp, days: Days, moved: Vec<MovementView>) -> Self {
        let (all, groups) = totals(world, now);
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(name, sum)| (std::cmp::Reverse(sum.removes), *name));
        let trend = world.trend(days.first, days.last);
        let before = trend.first().map(|day| day.exposure.saturating_sub(day.moves.sum()));
        Self {
            generation: world.seq(),
            of: None,
            assets: world.asset_count() as u64,
            directives: all.directives,
            points: all.removes.to_string(),
            whole: all.removes.to_string(),
            days: days.count,
            before: before.map(points),
            like_for_like: trend.last().map(|day| points(day.like_for_like)),
            groups: groups
                .into_iter()
                .map(|(group, sum)| GroupRiskView {
                    group: group.to_owned(),
                    points: sum.removes.to_string(),
                    directives: sum.directives,
                })
                .collect(),
            moved,
        }
    }

    /// Of a part of it.
    pub(crate) fn of_part(world: &World, now: Timestamp, count: u16, name: String, part: &Part) -> Self {
        let (whole, _) = totals(world, now);
        let assets = world.assets_of_part(part);
        let sum = world.expected_loss(&assets);
        Self {
            generation: world.seq(),
            of: Some(name),
            assets: assets.len(),
            directives: sum.directives,
            points: sum.removes.to_string(),
            whole: whole.removes.to_string(),
            days: count,
            before: None,
            like_for_like: None,
            groups: Vec::new(),
            moved: Vec::new(),
        }
    }
}

impl MovementView {
    /// With what the record says of its entry, where it still does.
    pub(crate) fn of(movement: &Movement, entry: Option<LogEntryView>) -> Self {
        let (kind, said, by) =
            entry.map_or((None, None, None), |entry| (Some(entry.kind), Some(entry.said), entry.by));
        Self { seq: movement.seq, day: day_of(movement.day), points: points(movement.net), kind, said, by }
    }
}

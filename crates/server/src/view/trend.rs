//! Exposure over time, as people see it.

use serde::{Deserialize, Serialize};
use tenon_engine::{Day, TrendDay, World};
use tenon_model::RiskPoints;
use utoipa::ToSchema;

/// Exposure over a span of days, and what moved it. Exposure is the risk points that the open directives remove together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrendView {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// The days, each of 24 hours in UTC, the last as far as it is gone.
    pub days: Vec<TrendDayView>,
}

/// One day. Everything is in risk points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrendDayView {
    /// The day, as in 2026-11-25.
    pub day: String,
    /// Exposure at its end.
    pub exposure: String,
    /// The same, had nothing moved it since the span began but what was there before: it does not move when hosts enrol.
    pub like_for_like: String,
    /// Seen for the first time: by hosts on the day of their first report, and upwards by later reports of others.
    pub newly_seen: String,
    /// Upwards by advisories, intel, context and rules, on what is there already.
    pub got_worse: String,
    /// Downwards by the same.
    pub got_better: String,
    /// Downwards by later reports: the host shows that it is done, or has it no more.
    pub done: String,
    /// Out of the queue by a person's refusal; its findings stay open.
    pub refused: String,
    /// Out of the queue by risks that people accept, less what came back once that ended; its findings stay.
    pub accepted: String,
    /// Gone with hosts that are retired.
    pub retired: String,
}

/// Millionths of risk points, signed.
pub(super) fn points(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!("{sign}{}", RiskPoints(millionths.unsigned_abs()))
}

/// A day as in 2026-11-25.
pub(crate) fn day_of(day: Day) -> String {
    let start = day.start().to_string();
    start.split('T').next().unwrap_or(&start).to_owned()
}

impl TrendView {
    pub(crate) fn of(world: &World, first: Day, last: Day) -> Self {
        Self {
            generation: world.seq(),
            days: world.trend(first, last).into_iter().map(TrendDayView::of).collect(),
        }
    }
}

impl TrendDayView {
    fn of(TrendDay { day, exposure, like_for_like, moves }: TrendDay) -> Self {
        Self {
            day: day_of(day),
            exposure: points(exposure),
            like_for_like: points(like_for_like),
            newly_seen: points(moves.newly_seen),
            got_worse: points(moves.got_worse),
            got_better: points(moves.got_better),
            done: points(moves.done),
            refused: points(moves.refused),
            accepted: points(moves.accepted),
            retired: points(moves.retired),
        }
    }
}

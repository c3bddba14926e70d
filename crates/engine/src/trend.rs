//! Exposure over time: what moved it, day by day. It follows from the events alone.
//!
//! Exposure is what the open directives remove together, in risk points. Every event that tells something new is a cause; what
//! its consequences add up to is one movement, counted on its day by what it was that moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_model::{Event, Outcome, RiskPoints, Timestamp, signed_points as signed};

use crate::movements::{Movement, Movements};
use crate::world::World;

/// Days that are kept one by one; what was before is one sum.
const MAX_DAYS: usize = 800;
const DAY_MS: i64 = 86_400_000;

/// A day of 24 hours in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i64);

impl Day {
    /// The day of an instant.
    pub fn of(time: Timestamp) -> Self {
        Self(time.as_millis().div_euclid(DAY_MS))
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(DAY_MS))
    }
}

/// What moved exposure on a day, in millionths of risk points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moves {
    /// By hosts on the day of their first report, up or down, and upwards by later reports of others: what was there and not
    /// seen, or was installed.
    #[serde(with = "signed")]
    pub newly_seen: i64,
    /// Upwards by advisories, intel, context and rules, on what is there already.
    #[serde(with = "signed")]
    pub got_worse: i64,
    /// Downwards by the same: withdrawn, scored lower, stated to matter less.
    #[serde(with = "signed")]
    pub got_better: i64,
    /// Downwards by later reports: the host shows that it is done, or has it no more.
    #[serde(with = "signed")]
    pub done: i64,
    /// Out of the queue by a person's refusal; its findings stay open.
    #[serde(with = "signed")]
    pub refused: i64,
    /// Out of the queue by risks that people accept, less what came back once that ended; its findings stay.
    #[serde(default, with = "signed")]
    pub accepted: i64,
    /// Downwards by hosts that are gone: what was there went with them.
    #[serde(default, with = "signed")]
    pub retired: i64,
}

impl Moves {
    /// What all of it comes to.
    pub fn sum(&self) -> i64 {
        self.newly_seen.saturating_sub(self.retired).saturating_add(self.like_for_like())
    }

    /// The same without what was newly seen and what is gone.
    pub fn like_for_like(&self) -> i64 {
        let up = self.got_worse;
        [self.got_better, self.done, self.refused, self.accepted].into_iter().fold(up, i64::saturating_sub)
    }

    fn add(&mut self, cause: Cause, net: i64) {
        let (part, net) = match (cause, net >= 0) {
            (Cause::FirstReport, _) | (Cause::Report, true) => (&mut self.newly_seen, net),
            (Cause::Report, false) => (&mut self.done, net.saturating_neg()),
            (Cause::Refusal, false) => (&mut self.refused, net.saturating_neg()),
            (Cause::Acceptance, _) => (&mut self.accepted, net.saturating_neg()),
            (Cause::Retirement, false) => (&mut self.retired, net.saturating_neg()),
            (Cause::Stated | Cause::Refusal | Cause::Retirement, true) => (&mut self.got_worse, net),
            (Cause::Stated, false) => (&mut self.got_better, net.saturating_neg()),
        };
        *part = part.saturating_add(net);
    }
}

/// What the events that follow are consequences of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Cause {
    /// A report of a host on the day of its first one.
    FirstReport,
    /// A report of another host.
    Report,
    /// A person refused a directive.
    Refusal,
    /// A person accepted a risk, or it is not accepted any more.
    Acceptance,
    /// A host is gone.
    Retirement,
    /// Advisories, intel, context, rules: what is known of what is there.
    #[default]
    Stated,
}

/// The movements of exposure, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trend {
    days: BTreeMap<Day, Moves>,
    /// What it was before the first of these days.
    #[serde(with = "signed")]
    before: i64,
    /// The cause whose consequences are being applied, with what they come to so far.
    cause: Cause,
    day: Option<Day>,
    #[serde(with = "signed")]
    net: i64,
    /// The entry that is the cause; 0 where it was not noted yet.
    #[serde(skip)]
    pub(crate) seq: u64,
    #[serde(skip)]
    pub(crate) movements: Movements,
}

/// Exposure at the end of a day, and what moved it on that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendDay {
    /// The day.
    pub day: Day,
    /// At its end, in millionths of risk points.
    pub exposure: i64,
    /// At its end, had only that moved it since the first day asked for which was there before: nothing newly seen.
    pub like_for_like: i64,
    /// What moved it.
    pub moves: Moves,
}

impl Trend {
    /// A new cause begins: what the one before came to is counted.
    fn begin(&mut self, cause: Cause, seq: u64, now: Timestamp) {
        self.settle();
        (self.cause, self.seq, self.day) = (cause, seq, Some(Day::of(now)));
    }

    /// The same, with what follows from the last cause so far.
    pub(crate) fn settled(&self) -> Self {
        let mut settled = self.clone();
        settled.settle();
        settled
    }

    fn settle(&mut self) {
        let Some(day) = self.day.filter(|_| self.net != 0) else { return };
        let net = std::mem::take(&mut self.net);
        self.days.entry(day).or_default().add(self.cause, net);
        if self.seq > 0 {
            self.movements.keep(Movement { seq: self.seq, day, net });
        }
        while self.days.len() > MAX_DAYS
            && let Some((_, moves)) = self.days.pop_first()
        {
            self.before = self.before.saturating_add(moves.sum());
        }
        if let Some((first, _)) = self.days.first_key_value() {
            self.movements.begin_with(*first);
        }
    }

    /// What an open directive removes has changed.
    pub(crate) fn moved(&mut self, before: RiskPoints, now: RiskPoints) {
        let points = |points: RiskPoints| i64::try_from(points.0).unwrap_or(i64::MAX);
        self.net = self.net.saturating_add(points(now)).saturating_sub(points(before));
    }
}

/// Whether an event follows from the one that stands before it, or before others of this kind.
pub fn is_consequence(event: &Event) -> bool {
    match event {
        Event::DirectiveRaised { .. }
        | Event::DirectiveChanged { .. }
        | Event::DirectiveRevised { .. }
        | Event::AssetVerified { .. }
        | Event::OrderIssued { .. } => true,
        Event::DirectiveClosed { outcome, .. } => !matches!(outcome, Outcome::Refused { .. }),
        _ => false,
    }
}

impl World {
    /// Notes what the events after this one will be consequences of, where this one is no consequence itself. What follows from
    /// the cause before is complete.
    pub(crate) fn begin_movement(&mut self, event: &Event, now: Timestamp) {
        let cause = match event {
            Event::InventoryReported { asset, .. } | Event::InventoryChanged { asset, .. } => {
                let first = self.asset(asset).and_then(|asset| asset.first_reported);
                match first.is_none_or(|first| Day::of(first) == Day::of(now)) {
                    true => Cause::FirstReport,
                    false => Cause::Report,
                }
            }
            Event::AssetRetired { .. } => Cause::Retirement,
            Event::DirectiveClosed { outcome: Outcome::Refused { .. }, .. } => Cause::Refusal,
            Event::ExceptionGranted { .. } | Event::ExceptionEnded { .. } => Cause::Acceptance,
            event if is_consequence(event) => return,
            _ => Cause::Stated,
        };
        self.trend.begin(cause, self.seq, now);
        self.measures.settle();
    }

    /// Exposure on each day of a span, both ends included, and what moved it. At most 800 days with movements are kept one by
    /// one; of a span that begins before them, the first of them tells all that was before.
    pub fn trend(&self, first: Day, last: Day) -> Vec<TrendDay> {
        let trend = self.trend.settled();
        let earlier = trend.days.range(..first).map(|(_, moves)| moves.sum());
        let mut exposure = earlier.fold(trend.before, i64::saturating_add);
        let mut like_for_like = exposure;
        let days = (first.0..=last.0).take(MAX_DAYS).map(Day);
        days.map(|day| {
            let moves = trend.days.get(&day).copied().unwrap_or_default();
            exposure = exposure.saturating_add(moves.sum());
            like_for_like = like_for_like.saturating_add(moves.like_for_like());
            TrendDay { day, exposure, like_for_like, moves }
        })
        .collect()
    }
}

//! One sheet for whoever does not work with Tenon: better or worse, why, what is needed, and what nobody can see.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tenon_engine::{Day, DueIn, Filter, Moves, Queue, Sort, Start, TrendDay, Window, World};
use tenon_model::{RiskPoints, Timestamp};

use super::{DirectiveLine, FeedView, FiguresView, GapView, MeasuresView, feeds};
use crate::health::Attempt;

/// Days that the sheet looks back over.
pub(crate) const DAYS: u16 = 30;
/// What of each list fits on one sheet of paper.
const MOST: usize = 5;
/// A change of less than this many percent is none.
const AS_BEFORE: i128 = 1;

/// What the sheet says.
#[derive(Debug)]
pub(crate) struct BoardView {
    /// Position of the journal that this shows.
    pub(crate) generation: u64,
    /// Time of the last event.
    pub(crate) time: Option<Timestamp>,
    /// Of when it tells: what is overdue is told from here.
    pub(crate) now: Timestamp,
    /// How many assets there are.
    pub(crate) assets: u64,
    /// Exposure day by day.
    pub(crate) days: Vec<TrendDay>,
    pub(crate) verdict: Verdict,
    /// What moved exposure over these days, the largest first; nothing that is nothing.
    pub(crate) moved: Vec<Moved>,
    /// How the work goes, over these days.
    pub(crate) figures: FiguresView,
    pub(crate) needed: Needed,
    pub(crate) unseen: Unseen,
}

/// Whether exposure fell on what was there all along. Everything is in millionths of risk points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There are no two days of which anything is known.
    TooEarly,
    Told {
        change: Change,
        /// Like for like: hosts that enrol do not move it.
        from: i64,
        to: i64,
        /// The change in tenths of a percent; absent where it began with nothing.
        tenths: Option<i64>,
        /// All of it at the end.
        whole: i64,
        /// The first day of which anything is known, where that is not the first of the span.
        since: Option<Day>,
    },
}

/// Better or worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Better,
    AsBefore,
    Worse,
}

/// One of the things that move exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) word: &'static str,
    pub(crate) says: &'static str,
    /// By how much, in millionths of risk points; what takes away is negative.
    pub(crate) by: i64,
}

/// What is to be done, and what of it removes most.
#[derive(Debug)]
pub(crate) struct Needed {
    /// The directives that remove most.
    pub(crate) first: Vec<DirectiveLine>,
    /// What these remove together.
    pub(crate) first_remove: RiskPoints,
    /// How many directives are open.
    pub(crate) open: u64,
    /// How many of them are overdue.
    pub(crate) overdue: u64,
    /// What all of them remove.
    pub(crate) remove: RiskPoints,
}

/// What is in no figure.
#[derive(Debug)]
pub(crate) struct Unseen {
    /// The gravest gaps.
    pub(crate) gaps: Vec<GapView>,
    /// How many gaps there are.
    pub(crate) gaps_in_all: usize,
    /// Of how many assets something is not known.
    pub(crate) not_whole: u64,
    /// How many feeds there are, ...
    pub(crate) feeds: usize,
    /// ... and those that did not come last.
    pub(crate) broken: Vec<String>,
    /// Risks that people accept.
    pub(crate) accepted: usize,
}

impl BoardView {
    /// The sheet of a World; `None` where its queue cannot be read, which a window from its beginning always can.
    pub(crate) fn of(world: &World, now: Timestamp, attempts: &BTreeMap<String, Attempt>) -> Option<Self> {
        let last = Day::of(now);
        let span = (Day(last.0.saturating_sub(i64::from(DAYS) - 1)), last);
        let days = world.trend(span.0, span.1);
        Some(Self {
            generation: world.seq(),
            time: world.time(),
            now,
            assets: world.asset_count() as u64,
            verdict: Verdict::of(&days),
            moved: moved(&days),
            days,
            figures: MeasuresView::of(world, span, now, None).whole,
            needed: Needed::of(world, now)?,
            unseen: Unseen::of(world, now, attempts),
        })
    }
}

impl Verdict {
    fn of(days: &[TrendDay]) -> Self {
        // Before the first host reported nothing was known, which is not the same as nothing there.
        let known = days.iter().position(|day| day.exposure > 0);
        let (Some(first), Some(last)) = (days.get(known.unwrap_or_default()), days.last()) else {
            return Self::TooEarly;
        };
        if first.day == last.day {
            return Self::TooEarly;
        }
        let (from, to) = (first.like_for_like, last.like_for_like);
        let by = i128::from(to) - i128::from(from);
        let change = match (from > 0, to > 0) {
            (true, _) if by.abs() * 100 < i128::from(from) * AS_BEFORE => Change::AsBefore,
            (true, _) if by < 0 => Change::Better,
            (true, _) | (false, true) => Change::Worse,
            (false, false) => Change::AsBefore,
        };
        let tenths = || {
            let from = i128::from(from);
            let half = if by < 0 { -(from / 2) } else { from / 2 };
            i64::try_from((by * 1_000 + half) / from).ok()
        };
        Self::Told {
            change,
            from,
            to,
            tenths: if from > 0 && change != Change::AsBefore { tenths() } else { None },
            whole: last.exposure,
            since: known.filter(|place| *place > 0).map(|_| first.day),
        }
    }
}

/// One part of the movements, its sign, its name, and what it is.
type Part = (fn(&Moves) -> i64, i64, &'static str, &'static str);

const PARTS: [Part; 7] = [
    (|of| of.newly_seen, 1, "newly seen", "by hosts that report for the first time, or report anew"),
    (|of| of.got_worse, 1, "got worse", "by advisories, intel and context, on what is there"),
    (|of| of.got_better, -1, "got better", "by the same"),
    (|of| of.done, -1, "done", "hosts show it"),
    (|of| of.refused, -1, "refused", "out of the queue by a person; its findings stay open"),
    (
        |of| of.accepted,
        -1,
        "accepted",
        "out of the queue by risks that people accept, less what came back; its findings stay",
    ),
    (|of| of.retired, -1, "retired", "gone with hosts that are no more"),
];

fn moved(days: &[TrendDay]) -> Vec<Moved> {
    let sum = |of: fn(&Moves) -> i64| days.iter().map(|day| of(&day.moves)).fold(0, i64::saturating_add);
    let parts = PARTS.map(|(of, sign, word, says)| Moved { word, says, by: sum(of).saturating_mul(sign) });
    let mut moved: Vec<Moved> = parts.into_iter().filter(|part| part.by != 0).collect();
    moved.sort_by_key(|part| Reverse(part.by.unsigned_abs()));
    moved
}

impl Needed {
    fn of(world: &World, now: Timestamp) -> Option<Self> {
        let window = Window { start: Start::Place(0), limit: MOST };
        let Queue { directives, all, due, .. } =
            world.queue_of(&Filter::default(), Sort::Removes, window, now)?;
        let removes = |sum: u64, of: RiskPoints| sum.saturating_add(of.0);
        let first = directives.iter().map(|(_, state)| state.directive.priority.removes).fold(0, removes);
        Some(Self {
            first: directives.into_iter().map(|(id, state)| DirectiveLine::of(world, id, state)).collect(),
            first_remove: RiskPoints(first),
            open: all.directives,
            overdue: due.get(&DueIn::Overdue).map_or(0, |sum| sum.directives),
            remove: all.removes,
        })
    }
}

impl Unseen {
    fn of(world: &World, now: Timestamp, attempts: &BTreeMap<String, Attempt>) -> Self {
        let (gaps, not_whole) = GapView::all(world, now);
        let (gaps_in_all, gaps) = (gaps.len(), gaps.into_iter().take(MOST));
        let feeds = feeds(world, attempts);
        let broken = |feed: &FeedView| feed.problem.as_ref().map(|_| feed.name.clone());
        Self {
            gaps: gaps.map(|(kind, said, assets)| GapView::of(world, kind, said, &assets)).collect(),
            gaps_in_all,
            not_whole,
            feeds: feeds.len(),
            broken: feeds.iter().filter_map(broken).collect(),
            accepted: world.exceptions().filter(|(_, state)| state.ended.is_none()).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64, exposure: i64, like_for_like: i64) -> TrendDay {
        TrendDay { day: Day(number), exposure, like_for_like, moves: Moves::default() }
    }

    #[test]
    fn better_is_what_falls_like_for_like_however_many_hosts_enrol() {
        let days = [day(1, 100_000_000, 100_000_000), day(2, 900_000_000, 60_000_000)];
        let told = Verdict::Told {
            change: Change::Better,
            from: 100_000_000,
            to: 60_000_000,
            tenths: Some(-400),
            whole: 900_000_000,
            since: None,
        };
        assert_eq!(Verdict::of(&days), told);
        let change = |from, to| match Verdict::of(&[day(1, 1, from), day(2, 1, to)]) {
            Verdict::Told { change, tenths, .. } => (change, tenths),
            Verdict::TooEarly => unreachable!("there are two days"),
        };
        assert_eq!(change(1_000, 1_009), (Change::AsBefore, None), "less than a percent");
        assert_eq!(change(1_000, 1_010), (Change::Worse, Some(10)));
        assert_eq!(change(1_000, 1_173), (Change::Worse, Some(173)));
        assert_eq!(change(0, 5), (Change::Worse, None), "of nothing there is no percentage");
        assert_eq!(change(0, 0), (Change::AsBefore, None));
        assert_eq!(change(i64::MAX, i64::MIN).0, Change::Better, "nothing overflows");
    }

    #[test]
    fn what_was_not_known_is_not_nothing_and_one_day_is_too_early() {
        let days = [day(1, 0, 0), day(2, 500, 500), day(3, 450, 450)];
        let Verdict::Told { change, from, since, .. } = Verdict::of(&days) else { unreachable!("told") };
        assert_eq!((change, from, since), (Change::Better, 500, Some(Day(2))));
        assert_eq!(Verdict::of(&days[..2]), Verdict::TooEarly, "one day is known");
        assert_eq!(Verdict::of(&days[..1]), Verdict::TooEarly);
        assert_eq!(Verdict::of(&[]), Verdict::TooEarly);
    }

    #[test]
    fn what_moved_most_comes_first_and_what_takes_away_is_negative() {
        let mut days = [day(1, 0, 0), day(2, 0, 0)];
        days[0].moves = Moves { newly_seen: 5, done: 4, ..Moves::default() };
        days[1].moves = Moves { done: 4, got_worse: 1, ..Moves::default() };
        let told: Vec<_> = moved(&days).into_iter().map(|part| (part.word, part.by)).collect();
        assert_eq!(told, [("done", -8), ("newly seen", 5), ("got worse", 1)]);
    }
}

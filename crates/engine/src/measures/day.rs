//! What is counted of a group on one day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_model::Outcome;

use super::spread::bucket;

/// Where the time of a case goes, from when it begins until the host shows the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Its group may not act: a person has to let it.
    Promotion,
    /// It waits for its rehearsal: for its turn on the host, or for the host to come.
    Queue,
    /// The rehearsal runs.
    Rehearsal,
    /// The rehearsal passed; a person, or a rule that people set, has to approve.
    Approval,
    /// It is approved and waits for its wave, its window, or the host to come.
    Turn,
    /// The change runs.
    Change,
    /// It is changed, and a later report has to show it.
    Confirmation,
    /// It stopped: it failed, was taken back, or nobody could tell; a person has to look.
    Stop,
}

impl Step {
    /// Every step, in the order of the loop.
    pub const ALL: [Self; 8] = [
        Self::Promotion,
        Self::Queue,
        Self::Rehearsal,
        Self::Approval,
        Self::Turn,
        Self::Change,
        Self::Confirmation,
        Self::Stop,
    ];

    pub(crate) fn place(self) -> usize {
        self as usize
    }
}

/// What is counted by its duration. The steps are the first eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u8);

/// How many kinds have a sum of their own.
const SUMS: usize = 14;

impl Kind {
    /// From the beginning of a case until it was verified.
    pub(crate) const VERIFIED: Self = Self(8);
    /// From a directive's being raised until every host showed the fix.
    pub(crate) const FIXED: Self = Self(9);
    /// Until a case of those that began on this day was done, whoever did it.
    pub(crate) const DONE: Self = Self(14);
    /// Until it ended in another way.
    pub(crate) const ENDED: Self = Self(15);

    pub(crate) fn step(step: Step) -> Self {
        Self(step as u8)
    }

    /// The time up to a milestone of a directive, from 0.
    pub(crate) fn milestone(place: u8) -> Self {
        Self(10 + place)
    }
}

/// Cases by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ends {
    /// Tenon changed the host, and a later report of it shows the fix.
    pub verified: u64,
    /// A report shows the fix, and it came by another hand.
    pub fixed_otherwise: u64,
    /// A person refused the directive; the finding stays open.
    pub refused: u64,
    /// The host was retired.
    pub retired: u64,
    /// The action is not offered or not needed there any more, and no newer version took it over.
    pub withdrawn: u64,
}

impl Ends {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.verified + self.fixed_otherwise + self.refused + self.retired + self.withdrawn
    }
}

/// Directives by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Closings {
    /// Every host shows the fix.
    pub fixed: u64,
    /// A newer version took over.
    pub superseded: u64,
    /// Not needed on any host.
    pub withdrawn: u64,
    /// A person refused.
    pub refused: u64,
}

/// Changes that were ordered, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// A later report shows the fix.
    pub verified: u64,
    /// It did not hold and was taken back.
    pub rolled_back: u64,
    /// It failed.
    pub failed: u64,
    /// The host refused the order, and nothing changed: a person has to look.
    pub refused: u64,
    /// The host did not answer in time.
    pub silent: u64,
    /// The host said it was done and no later report shows it: retried, or not wanted any more.
    pub unconfirmed: u64,
}

impl Changes {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.verified + self.rolled_back + self.failed + self.refused + self.silent + self.unconfirmed
    }
}

/// Rehearsals by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rehearsals {
    /// It would hold.
    pub passed: u64,
    /// It would fail, and nothing changed on the host.
    pub failed: u64,
    /// It could not be rehearsed.
    pub not_rehearsed: u64,
    /// The host did not answer in time.
    pub silent: u64,
}

/// What came due, by whether it was done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Due {
    /// Cases that were done by their due date.
    pub met: u64,
    /// Cases that were open on their due date.
    pub missed: u64,
    /// Directives that were fixed by their due date.
    pub directives_met: u64,
    /// Directives that were open on their due date.
    pub directives_missed: u64,
}

/// What is counted of a group on one day, by the day on which it happened unless something else is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct GroupDay {
    /// Cases that began.
    pub(crate) begun: u64,
    pub(crate) ends: Ends,
    pub(crate) closings: Closings,
    pub(crate) changes: Changes,
    pub(crate) rehearsals: Rehearsals,
    /// By the day of the due date.
    pub(crate) due: Due,
    /// Seconds of all cases that were open on this day.
    pub(crate) open_seconds: u64,
    sums: [u64; SUMS],
    /// How many durations of a kind fell into a bucket, in the order of both.
    counts: Vec<(u8, u16, u32)>,
    /// Cases that began on this day and are open, by the second in which they did.
    pub(crate) open: BTreeMap<i64, u64>,
}

impl GroupDay {
    /// Counts durations of one kind and one length.
    pub(crate) fn note(&mut self, Kind(kind): Kind, seconds: u32, times: u64) {
        if times == 0 {
            return;
        }
        if let Some(sum) = self.sums.get_mut(usize::from(kind)) {
            *sum = sum.saturating_add(u64::from(seconds).saturating_mul(times));
        }
        let (bucket, times) = (bucket(seconds), u32::try_from(times).unwrap_or(u32::MAX));
        match self.counts.binary_search_by_key(&(kind, bucket), |(kind, bucket, _)| (*kind, *bucket)) {
            Ok(place) => self.counts[place].2 = self.counts[place].2.saturating_add(times),
            Err(place) => self.counts.insert(place, (kind, bucket, times)),
        }
    }

    /// The sum of the durations of each kind, in seconds; of the first kinds only.
    pub(crate) fn sums(&self) -> &[u64] {
        &self.sums
    }

    /// How many durations of each kind fell into each bucket.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Kind, u16, u64)> {
        self.counts.iter().map(|(kind, bucket, count)| (Kind(*kind), *bucket, u64::from(*count)))
    }

    pub(crate) fn close(&mut self, outcome: &Outcome) {
        let closings = &mut self.closings;
        *match outcome {
            Outcome::Fixed => &mut closings.fixed,
            Outcome::Superseded { .. } => &mut closings.superseded,
            Outcome::Withdrawn { .. } => &mut closings.withdrawn,
            Outcome::Refused { .. } => &mut closings.refused,
        } += 1;
    }
}

impl Kind {
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// How many kinds there are.
    pub(crate) const COUNT: usize = 16;
}

//! Which entries of the record moved exposure most, day by day: the trend says how much of what kind, this says by what.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::signed_points as signed;

use crate::trend::Day;
use crate::world::World;

/// Of each day so many are kept; what the others come to is in the trend.
const MOST_A_DAY: usize = 8;

/// What the consequences of one entry come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The entry.
    pub seq: u64,
    /// Its day.
    pub day: Day,
    /// By how much exposure moved, in millionths of risk points; above zero upwards.
    #[serde(with = "signed")]
    pub net: i64,
}

/// The largest of each day. Nothing is decided by them, so that they are no part of the digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Movements {
    /// Those of the last day that had any, the largest first.
    last: Vec<Movement>,
    /// Those of the days before. Clones share them.
    before: Arc<BTreeMap<Day, Vec<Movement>>>,
}

impl Movements {
    pub(crate) fn restore(all: Vec<Movement>) -> Self {
        let mut movements = Self::default();
        for movement in all {
            movements.keep(movement);
        }
        movements
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Movement> {
        self.before.values().flatten().chain(&self.last)
    }

    /// Keeps one where it is among the largest of its day; of equals the earlier ones. Days never go back.
    pub(crate) fn keep(&mut self, movement: Movement) {
        if let Some(day) = self.last.first().map(|last| last.day).filter(|day| *day != movement.day) {
            Arc::make_mut(&mut self.before).insert(day, std::mem::take(&mut self.last));
        }
        let size = movement.net.unsigned_abs();
        let place = self.last.partition_point(|other| other.net.unsigned_abs() >= size);
        self.last.insert(place, movement);
        self.last.truncate(MOST_A_DAY);
    }

    /// Days before this one are let go.
    pub(crate) fn begin_with(&mut self, day: Day) {
        if self.before.first_key_value().is_some_and(|(first, _)| *first < day) {
            let before = Arc::make_mut(&mut self.before);
            *before = before.split_off(&day);
        }
    }
}

impl World {
    /// The entries that moved exposure most within a span of days, both ends included, the largest first, at most so many. Of one
    /// day at most 8 are known, and of a record whose World was read from an older snapshot those since then.
    pub fn moved_most(&self, first: Day, last: Day, most: usize) -> Vec<Movement> {
        let settled = self.trend.settled();
        let within = |movement: &&Movement| (first..=last).contains(&movement.day);
        let mut all: Vec<Movement> = settled.movements.iter().filter(within).copied().collect();
        all.sort_by_key(|movement| (std::cmp::Reverse(movement.net.unsigned_abs()), movement.seq));
        all.truncate(most);
        all
    }
}

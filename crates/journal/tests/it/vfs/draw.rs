//! What survives a power cut, drawn from a seed.

use crate::random::Random;

/// What a power cut leaves of the unsynced changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Nothing.
    Synced,
    /// A random subset, drawn from this seed.
    Subset(u64),
    /// A random subset with one write cut at a sector.
    Torn(u64),
}

/// Draws what is kept.
pub(super) struct Draw {
    remains: Remains,
    random: Random,
    /// Of 256 unsynced changes, about so many are kept: with few kept little happens, with most kept the one that is
    /// missing counts.
    density: u64,
}

impl Draw {
    pub(super) fn new(remains: Remains) -> Self {
        let (Remains::Subset(seed) | Remains::Torn(seed)) = remains else {
            return Self { remains, random: Random::new(0), density: 0 };
        };
        let mut draw = Self { remains, random: Random::new(seed), density: 0 };
        draw.density = [32, 128, 224, 254][draw.below(4).unwrap_or(0)];
        draw
    }

    /// An index below `bound`; `None` where there is none.
    pub(super) fn below(&mut self, bound: u64) -> Option<usize> {
        self.random.next().checked_rem(bound).and_then(|index| usize::try_from(index).ok())
    }

    pub(super) fn coin(&mut self) -> bool {
        self.random.next() & 1 == 0
    }

    /// Whether an unsynced change is kept.
    pub(super) fn keeps(&mut self) -> bool {
        self.remains != Remains::Synced && self.random.next() % 256 < self.density
    }

    /// Whether a lost write made the file longer all the same.
    pub(super) fn lengthens(&mut self) -> bool {
        self.remains != Remains::Synced && self.coin()
    }

    /// Whether one write is cut.
    pub(super) fn tears(&self) -> bool {
        matches!(self.remains, Remains::Torn(_))
    }
}

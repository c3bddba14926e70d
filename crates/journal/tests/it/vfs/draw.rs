//! What survives a power cut, drawn from a seed.

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

/// Draws from SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Draw {
    remains: Remains,
    state: u64,
    /// Of 256 unsynced changes, about so many are kept: with few kept little happens, with most kept the one that is
    /// missing counts.
    density: u64,
}

impl Draw {
    pub(super) fn new(remains: Remains) -> Self {
        let (Remains::Subset(state) | Remains::Torn(state)) = remains else {
            return Self { remains, state: 0, density: 0 };
        };
        let mut draw = Self { remains, state, density: 0 };
        draw.density = [32, 128, 224, 254][draw.below(4).unwrap_or(0)];
        draw
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An index below `bound`; `None` where there is none.
    pub(super) fn below(&mut self, bound: u64) -> Option<usize> {
        self.next().checked_rem(bound).and_then(|index| usize::try_from(index).ok())
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    /// Whether an unsynced change is kept.
    pub(super) fn keeps(&mut self) -> bool {
        self.remains != Remains::Synced && self.next() % 256 < self.density
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

//! Sets of assets, small enough for a million of them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use roaring::{MultiOps, RoaringBitmap};
use serde::{Deserialize, Serialize};

use crate::AssetId;

mod text;

pub use text::AssetSetError;

/// Most assets of one instance: what a set may name. Past it an estate is parted over several instances.
pub const MAX_ASSETS: u32 = 1 << 24;
/// Assets of one part of a set, as a power of two: a part is what a writer copies while a reader holds the set.
const PART_BITS: u32 = 16;
/// Most assets of a set that are treated one by one where the other set may be of any size.
const FEW: u64 = 8;

/// The place of an asset in the order of enrolment, from 0: the same on every machine that reads the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetOrdinal(pub u32);

/// A set of assets by their ordinals. Its parts are shared between clones and copied when written.
///
/// Written as runs (`"0-4,9"`); with many runs as a Roaring bitmap (`"roaring:3a30..."`).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AssetSet {
    /// Part `n` holds the ordinals from `n << PART_BITS` on. The last one is not empty.
    parts: Vec<Arc<RoaringBitmap>>,
}

impl fmt::Debug for AssetSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

// Parts are compared before they are worked on: sets are often equal, which is seen in a fraction of the time that walking
// through both takes, and at once where they are shared.

/// A part without assets: one for all sets.
fn empty() -> Arc<RoaringBitmap> {
    static EMPTY: LazyLock<Arc<RoaringBitmap>> = LazyLock::new(Arc::default);
    EMPTY.clone()
}

fn part_of(asset: AssetOrdinal) -> usize {
    usize::try_from(asset.0 >> PART_BITS).unwrap_or(usize::MAX)
}

impl AssetSet {
    /// Adds an asset; whether it was not there.
    pub fn insert(&mut self, asset: AssetOrdinal) -> bool {
        if self.contains(asset) {
            return false;
        }
        let part = part_of(asset);
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, empty);
        }
        Arc::make_mut(&mut self.parts[part]).insert(asset.0)
    }

    /// Adds assets that come in the order of enrolment.
    pub fn insert_all(&mut self, assets: impl IntoIterator<Item = AssetOrdinal>) {
        let mut assets = assets.into_iter().peekable();
        while let Some(part) = assets.peek().map(|asset| part_of(*asset)) {
            if self.parts.len() <= part {
                self.parts.resize_with(part + 1, empty);
            }
            let of_part = Arc::make_mut(&mut self.parts[part]);
            while let Some(asset) = assets.next_if(|asset| part_of(*asset) == part) {
                of_part.insert(asset.0);
            }
        }
    }

    /// The set of assets that stand in the order of enrolment, each once; what does not is left out.
    pub fn in_order(assets: &[AssetOrdinal]) -> Self {
        let mut parts: Vec<Arc<RoaringBitmap>> = Vec::new();
        for of_part in assets.chunk_by(|a, b| part_of(*a) == part_of(*b)) {
            let Some(part) = of_part.first().map(|first| part_of(*first)) else { continue };
            if parts.len() <= part {
                parts.resize_with(part + 1, empty);
            }
            // An error says that the rest is out of order.
            let _in_order = Arc::make_mut(&mut parts[part]).append(of_part.iter().map(|asset| asset.0));
        }
        Self { parts }
    }

    /// Takes an asset out; whether it was there.
    pub fn remove(&mut self, asset: AssetOrdinal) -> bool {
        if !self.contains(asset) {
            return false;
        }
        Arc::make_mut(&mut self.parts[part_of(asset)]).remove(asset.0);
        self.trim();
        true
    }

    fn trim(&mut self) {
        while self.parts.last().is_some_and(|part| part.is_empty()) {
            self.parts.pop();
        }
    }

    /// Whether an asset is in it.
    pub fn contains(&self, asset: AssetOrdinal) -> bool {
        self.parts.get(part_of(asset)).is_some_and(|part| part.contains(asset.0))
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The assets in the order of enrolment.
    pub fn iter(&self) -> impl Iterator<Item = AssetOrdinal> {
        self.parts.iter().flat_map(|part| part.iter()).map(AssetOrdinal)
    }

    fn pairs<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a Arc<RoaringBitmap>, &'a Arc<RoaringBitmap>)> {
        self.parts.iter().zip(&other.parts)
    }

    /// Whether there are so few that they are better treated one by one.
    fn is_few(&self) -> bool {
        // Most parts of a large set hold more, so that it is rarely counted to its end.
        let mut count = 0;
        self.parts.iter().all(|part| {
            count += part.len();
            count <= FEW
        })
    }

    /// The few of one set, and the other set, where one has few.
    fn few_of<'a>(&'a self, other: &'a Self) -> Option<(&'a Self, &'a Self)> {
        if self.is_few() {
            Some((self, other))
        } else if other.is_few() {
            Some((other, self))
        } else {
            None
        }
    }

    /// Those that are in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        if let Some((few, other)) = self.few_of(other) {
            return few.iter().filter(|asset| other.contains(*asset)).collect();
        }
        let mut both = Self { parts: self.pairs(other).map(|(a, b)| meet(a, b)).collect() };
        both.trim();
        both
    }

    /// How many are in both.
    pub fn common(&self, other: &Self) -> u64 {
        if let Some((few, other)) = self.few_of(other) {
            return few.iter().map(|asset| u64::from(other.contains(asset))).sum();
        }
        self.pairs(other).map(|(a, b)| a.intersection_len(b)).sum()
    }

    /// Whether none is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        if let Some((few, other)) = self.few_of(other) {
            return !few.iter().any(|asset| other.contains(asset));
        }
        self.pairs(other).all(|(a, b)| a.is_disjoint(b))
    }

    /// Whether all of it are in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        if self.is_few() {
            return self.iter().all(|asset| other.contains(asset));
        }
        self.parts.len() <= other.parts.len() && self.pairs(other).all(|(a, b)| a == b || a.is_subset(b))
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.subtract(other);
        rest
    }

    /// Takes out those that are in the other.
    pub fn subtract(&mut self, other: &Self) {
        if other.is_few() {
            for asset in other.iter() {
                self.remove(asset);
            }
            return;
        }
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            if mine == theirs {
                *mine = empty();
                continue;
            }
            let rest = mine.as_ref() - theirs.as_ref();
            // What loses nothing goes on being shared.
            match rest.len() {
                0 => *mine = empty(),
                all if all == mine.len() => {}
                _ => *mine = Arc::new(rest),
            }
        }
        self.trim();
    }

    /// Adds those of the other.
    pub fn extend(&mut self, other: &Self) {
        if other.is_few() && !self.parts.is_empty() {
            for asset in other.iter() {
                self.insert(asset);
            }
            return;
        }
        if self.parts.len() < other.parts.len() {
            self.parts.resize_with(other.parts.len(), empty);
        }
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            if mine.is_empty() {
                *mine = theirs.clone();
            } else if mine != theirs && !theirs.is_subset(mine) {
                *Arc::make_mut(mine) |= theirs.as_ref();
            }
        }
    }

    /// All that are in any of these sets.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let sets: Vec<&Self> = sets.into_iter().filter(|set| !set.is_empty()).collect();
        match sets.as_slice() {
            [] => return Self::default(),
            [one] => return (*one).clone(),
            _ => {}
        }
        let parts = sets.iter().map(|set| set.parts.len()).max().unwrap_or_default();
        let part = |n| {
            let of_part = sets.iter().filter_map(|set: &&Self| set.parts.get(n)).map(Arc::as_ref);
            Arc::new(of_part.union())
        };
        Self { parts: (0..parts).map(part).collect() }
    }
}

fn meet(a: &Arc<RoaringBitmap>, b: &Arc<RoaringBitmap>) -> Arc<RoaringBitmap> {
    if a == b {
        return a.clone();
    }
    let both = a.as_ref() & b.as_ref();
    // What is one of them whole is shared with it.
    match both.len() {
        all if all == a.len() => a.clone(),
        all if all == b.len() => b.clone(),
        _ => Arc::new(both),
    }
}

impl FromIterator<AssetOrdinal> for AssetSet {
    fn from_iter<I: IntoIterator<Item = AssetOrdinal>>(assets: I) -> Self {
        let mut set = Self::default();
        for asset in assets {
            set.insert(asset);
        }
        set
    }
}

/// Assets as an event names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Members {
    /// By their ordinals.
    Set(AssetSet),
    /// By their ids, as older journals do.
    Ids(BTreeSet<AssetId>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Set(AssetSet::default())
    }
}

impl Members {
    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Set(set) => set.is_empty(),
            Self::Ids(ids) => ids.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text::BITMAP;
    use super::*;

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn draw(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Sets that share, overlap, and lie in several parts.
    fn sets() -> Vec<BTreeSet<u32>> {
        let mut seed = 1;
        let mut sets =
            vec![BTreeSet::new(), BTreeSet::from([0]), (0..200_000).collect(), (65_500..65_600).collect()];
        for size in [3_u64, 300, 3_000] {
            for below in [400_u64, 70_000, 300_000] {
                let one = |seed: &mut u64| u32::try_from(draw(seed) % below).unwrap();
                sets.push((0..size).map(|_| one(&mut seed)).collect());
            }
        }
        sets
    }

    fn of(assets: &BTreeSet<u32>) -> AssetSet {
        assets.iter().copied().map(AssetOrdinal).collect()
    }

    #[test]
    fn operations_are_those_of_plain_sets() {
        for a in sets() {
            for b in sets() {
                let (x, y) = (of(&a), of(&b));
                assert_eq!(x.intersect(&y), of(&(&a & &b)));
                assert_eq!(x.without(&y), of(&(&a - &b)));
                assert_eq!(AssetSet::union([&x, &y]), of(&(&a | &b)));
                let mut both = x.clone();
                both.extend(&y);
                assert_eq!(both, of(&(&a | &b)));
                let mut both = x.clone();
                both.insert_all(y.iter());
                assert_eq!(both, of(&(&a | &b)));
                assert_eq!(x.common(&y), (&a & &b).len() as u64);
                assert_eq!(x.is_disjoint(&y), a.is_disjoint(&b));
                assert_eq!(x.is_subset(&y), a.is_subset(&b));
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for a in sets() {
            let mut set = of(&a);
            assert_eq!(set.to_string().parse(), Ok(set.clone()));
            assert_eq!(set.len(), a.len() as u64);
            assert!(set.iter().map(|asset| asset.0).eq(a.iter().copied()));
            for asset in a {
                assert!(set.remove(AssetOrdinal(asset)));
            }
            assert_eq!(set, AssetSet::default());
        }
        assert_eq!(of(&BTreeSet::from([0, 1, 2, 9])).to_string(), "0-2,9");
        assert!(of(&(0..2_000).map(|n| n * 2).collect()).to_string().starts_with(BITMAP));
        for bad in ["x", "1-", "4-2", "16777216", "0-4294967295", "roaring:00", "roaring:zz", "1,,2"] {
            assert!(bad.parse::<AssetSet>().is_err(), "{bad}");
        }
    }
}

//! Things of which equal ones are kept once.

use std::sync::Arc;

use crate::shards::{ShardKey, Shards, of_hash};
use crate::stance::print;

/// Where something is looked for: by its hash, and which of several that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Print(u64, u16);

impl ShardKey for Print {
    fn shard(&self) -> usize {
        of_hash(self.0)
    }
}

/// Keeps something under the hash of its content, so that equal ones are found.
trait ByPrint<V: Clone> {
    /// Where one that passes is kept, or else where the next of this hash would be.
    fn place(&self, hash: u64, is: impl Fn(&V) -> bool) -> (Print, Option<&V>);
}

impl<V: Clone> ByPrint<V> for Shards<Print, V> {
    fn place(&self, hash: u64, is: impl Fn(&V) -> bool) -> (Print, Option<&V>) {
        let mut place = Print(hash, 0);
        while let Some(known) = self.get(&place) {
            if is(known) {
                return (place, Some(known));
            }
            // Past so many of one hash the last place is taken over; whoever has what was kept there goes on having it.
            if place.1 == u16::MAX {
                break;
            }
            place.1 += 1;
        }
        (place, None)
    }
}

/// Things of which equal ones are kept once, each with how many use it.
#[derive(Debug)]
pub(crate) struct Pool<T: ?Sized>(Shards<Print, (Arc<T>, u32)>);

impl<T: ?Sized> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self(Shards::default())
    }
}

impl<T: ?Sized + PartialEq + std::hash::Hash> Pool<T> {
    /// The one that is kept of this content, used once more.
    pub(crate) fn take(&mut self, value: &T, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let (place, known) = self.0.place(print(&value), |(known, _)| known.as_ref() == value);
        let (kept, uses) = known.cloned().unwrap_or_else(|| (make(), 0));
        self.0.insert(place, (kept.clone(), uses.saturating_add(1)));
        kept
    }

    /// Used once less.
    pub(crate) fn give_back(&mut self, value: &T) {
        let (place, known) = self.0.place(print(&value), |(known, _)| known.as_ref() == value);
        match known {
            Some((_, uses)) if *uses > 1 => {
                if let Some((_, uses)) = self.0.get_mut(&place) {
                    *uses -= 1;
                }
            }
            // Those of the same hash behind it are kept once more when they come again.
            Some(_) => drop(self.0.remove(&place)),
            None => {}
        }
    }
}

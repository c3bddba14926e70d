//! Things of which equal ones are kept once, for as long as anybody has one.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash};
use std::sync::{Arc, Mutex, PoisonError};

use crate::settling::AsItIs;
use crate::stance::print;

/// Parts of a pool, each with a lock of its own.
const PARTS: usize = 256;
/// Fewest that come to a part before it is looked which of it nobody has any more. Past that, an eighth of it.
const MIN_CAME: usize = 16;

/// Where something is looked for: by its hash, and which of several that share it.
type Print = (u64, u16);

/// All clones of a World share its pool, and whoever works something out for one of them: what is in it shows in nothing but how
/// much is kept twice.
pub(crate) struct Pool<T: ?Sized>(Arc<[Mutex<Part<T>>]>);

struct Part<T: ?Sized> {
    kept: HashMap<Print, Arc<T>, BuildHasherDefault<AsItIs>>,
    /// How many came since it was looked last.
    came: usize,
}

impl<T: ?Sized> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self((0..PARTS).map(|_| Mutex::new(Part { kept: HashMap::default(), came: 0 })).collect())
    }
}

impl<T: ?Sized> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl<T: ?Sized + PartialEq + Hash> Pool<T> {
    /// The one that is kept of this content.
    pub(crate) fn take(&self, value: &T, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let hash = print(&value);
        // Other bits than those by which a map finds its place.
        let part = usize::from((hash >> 48) as u16) % PARTS;
        let mut part = self.0[part].lock().unwrap_or_else(PoisonError::into_inner);
        // Past so many of one hash the last is taken over; whoever has it goes on having it.
        let mut place = (hash, 0);
        while let Some(known) = part.kept.get(&place) {
            if known.as_ref() == value {
                return known.clone();
            }
            match place.1.checked_add(1) {
                Some(next) => place.1 = next,
                None => break,
            }
        }
        let made = make();
        part.kept.insert(place, made.clone());
        part.came += 1;
        if part.came >= MIN_CAME.max(part.kept.len() / 8) {
            part.came = 0;
            // One behind another of its hash that goes is kept once more when it comes again.
            part.kept.retain(|_, kept| Arc::strong_count(kept) > 1);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_are_one_and_what_nobody_has_goes() {
        let (pool, numbers) = (Pool::<[u32]>::default(), 0..20_000_u32);
        let take = |pool: &Pool<[u32]>, number: u32| pool.take(&[number, 7], || Arc::from([number, 7]));
        let held: Vec<Arc<[u32]>> = numbers.clone().map(|number| take(&pool, number)).collect();
        for (number, held) in numbers.zip(&held) {
            assert!(Arc::ptr_eq(&take(&pool.clone(), number), held), "{number}");
        }
        let kept =
            |pool: &Pool<[u32]>| pool.0.iter().map(|part| part.lock().unwrap().kept.len()).sum::<usize>();
        assert_eq!(kept(&pool), held.len());
        drop(held);
        for number in 20_000..40_000 {
            take(&pool, number);
            assert!(kept(&pool) <= 20_000 + 20_000 / 8 + PARTS * MIN_CAME);
        }
        assert!(kept(&pool) <= PARTS * MIN_CAME, "{}", kept(&pool));
    }
}

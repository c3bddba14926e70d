//! Maps that only grow, and are mostly asked for what is in them long since.
//!
//! A report asks for hundreds of stances, nearly all of which are known. What is known long since stands in one flat table that
//! all forks share and nobody writes; what came since waits in shards, which a fork may write, until there is enough of it
//! to be worth another table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use crate::shards::{ShardKey, Shards};

/// Fewest entries that another table is made for.
const MIN_SETTLED: usize = 1_024;

/// Spreads keys that are hashes or digests already, by their first words. Keys are compared whole: whoever grinds some that
/// share a word makes only his own slower to find.
#[derive(Debug, Clone, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(word) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*word);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A map to which entries are added, and of which none is taken away or changed.
#[derive(Debug, Clone)]
pub(crate) struct Settling<K, V> {
    settled: Arc<HashMap<K, V, BuildHasherDefault<AsItIs>>>,
    since: Shards<K, V>,
    since_count: usize,
}

impl<K, V> Default for Settling<K, V> {
    fn default() -> Self {
        Self { settled: Arc::default(), since: Shards::default(), since_count: 0 }
    }
}

impl<K: ShardKey + Hash, V: Clone> Settling<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.settled.get(key).or_else(|| self.since.get(key))
    }

    /// Adds an entry; of a key that is in it the first stays.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.get(&key).is_some() {
            return;
        }
        self.since.insert(key, value);
        self.since_count += 1;
        // Each entry is written again only as often as the whole grows by half.
        if self.since_count >= MIN_SETTLED.max(self.settled.len() / 2) {
            let settled = Arc::make_mut(&mut self.settled);
            settled.extend(self.since.iter().map(|(key, value)| (key.clone(), value.clone())));
            (self.since, self.since_count) = Default::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use tenon_model::Digest;

    use super::*;
    use crate::stance::StanceKey;

    fn key(number: u32) -> StanceKey {
        StanceKey::Whole(Digest::of(&number.to_le_bytes()))
    }

    #[test]
    fn what_came_before_and_after_a_new_table_is_found_in_every_fork() {
        let count = 4 * u32::try_from(MIN_SETTLED).unwrap();
        let (mut found, mut forks) = (Settling::default(), Vec::new());
        for id in 0..count {
            if id % 700 == 0 {
                forks.push((id, found.clone()));
            }
            found.insert(key(id), id);
            found.insert(key(id / 2), u32::MAX);
        }
        forks.push((count, found));
        for (len, fork) in forks {
            for id in 0..count {
                assert_eq!(fork.get(&key(id)), (id < len).then_some(&id), "{id} of {len}");
            }
        }
    }
}

//! One mechanism for fork, snapshot and reads during writes: shards behind `Arc`, copied when written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

/// Branches of a map, and leaves of a branch. A write under a live fork copies one leaf and the way to it; a leaf holds some
/// sixty of a million entries.
const FAN: usize = 128;

/// A key that says which leaf it lives in, the same on every machine.
pub(crate) trait ShardKey: Ord + Clone {
    /// Any number; keys should spread over the low fourteen bits.
    fn shard(&self) -> usize;
}

/// FNV-1a over bytes: a fixed, documented spread (the standard hasher is seeded and not stable).
pub(crate) fn fnv1a(bytes: &[u8]) -> usize {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from((hash ^ (hash >> 32)) & 0x3fff).unwrap_or(0)
}

/// The leaf of a key that is a hash already: both halves of it count.
pub(crate) fn of_hash(hash: u64) -> usize {
    usize::try_from(hash ^ (hash >> 32)).unwrap_or_default()
}

type Leaf<K, V> = Arc<BTreeMap<K, V>>;
/// The leaves of a branch; none where none of them holds anything.
type Branch<K, V> = Arc<Vec<Leaf<K, V>>>;

/// An ordered map whose clone is one reference count and whose writes copy only the leaf they touch.
#[derive(Debug, Clone)]
pub(crate) struct Shards<K, V>(Arc<Vec<Branch<K, V>>>);

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        let empty = Branch::default();
        Self(Arc::new((0..FAN).map(|_| empty.clone()).collect()))
    }
}

impl<K: ShardKey, V: Clone> Shards<K, V> {
    fn leaf(&self, shard: usize) -> Option<&Leaf<K, V>> {
        self.0[shard / FAN % FAN].get(shard % FAN)
    }

    /// A leaf to be written.
    fn leaf_mut(&mut self, shard: usize) -> &mut BTreeMap<K, V> {
        let branch = Arc::make_mut(&mut Arc::make_mut(&mut self.0)[shard / FAN % FAN]);
        if branch.is_empty() {
            let empty = Leaf::default();
            branch.resize_with(FAN, || empty.clone());
        }
        Arc::make_mut(&mut branch[shard % FAN])
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.leaf(key.shard())?.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.get(key)?;
        self.leaf_mut(key.shard()).get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.leaf_mut(key.shard()).insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.get(key)?;
        self.leaf_mut(key.shard()).remove(key)
    }

    /// The value under the key, made with `default` where there is none.
    pub(crate) fn entry(&mut self, key: K, default: impl FnOnce() -> V) -> &mut V {
        self.leaf_mut(key.shard()).entry(key).or_insert_with(default)
    }

    /// Everything, in the order of leaves and then keys: fixed, though not sorted over all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().flat_map(|branch| branch.iter()).flat_map(|leaf| leaf.iter())
    }
}

impl<V: Clone> Shards<String, V> {
    /// The value under a name.
    pub(crate) fn get_by(&self, name: &str) -> Option<&V> {
        self.leaf(fnv1a(name.as_bytes()))?.get(name)
    }
}

impl ShardKey for String {
    fn shard(&self) -> usize {
        fnv1a(self.as_bytes())
    }
}

impl<K: ShardKey + Serialize, V: Clone + Serialize> Serialize for Shards<K, V> {
    /// As a list of pairs in [`Shards::iter`] order, which is what the digest of the World is taken over.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

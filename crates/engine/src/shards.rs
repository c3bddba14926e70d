//! One mechanism for fork, snapshot and reads during writes: shards behind `Arc`, copied when written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

/// How many shards a map has. A write under a live fork copies one shard, a two-hundred-and-fifty-sixth of the map.
const SHARDS: usize = 256;

/// A key that says which shard it lives in, the same on every machine.
pub(crate) trait ShardKey: Ord + Clone {
    /// Any number; keys should spread over the low eight bits.
    fn shard(&self) -> usize;
}

/// FNV-1a over bytes: a fixed, documented spread (the standard hasher is seeded and not stable).
pub(crate) fn fnv1a(bytes: &[u8]) -> usize {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from((hash ^ (hash >> 32)) & 0xff).unwrap_or(0)
}

/// An ordered map whose clone is one reference count and whose writes copy only the shard they touch.
#[derive(Debug, Clone)]
pub(crate) struct Shards<K, V>(Arc<Vec<Arc<BTreeMap<K, V>>>>);

impl<K: ShardKey, V: Clone> Default for Shards<K, V> {
    fn default() -> Self {
        Self(Arc::new((0..SHARDS).map(|_| Arc::default()).collect()))
    }
}

impl<K: ShardKey, V: Clone> Shards<K, V> {
    fn index(key: &K) -> usize {
        key.shard() % SHARDS
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0[Self::index(key)].get(key)
    }

    /// The shard of a key, to be written.
    fn shard_mut(&mut self, key: &K) -> &mut BTreeMap<K, V> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.0)[Self::index(key)])
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.get(key)?;
        self.shard_mut(key).get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.shard_mut(&key).insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.get(key)?;
        self.shard_mut(key).remove(key)
    }

    /// The value under the key, made with `default` where there is none.
    pub(crate) fn entry(&mut self, key: K, default: impl FnOnce() -> V) -> &mut V {
        self.shard_mut(&key).entry(key).or_insert_with(default)
    }

    /// Everything, in the order of shards and then keys: fixed, though not sorted over all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().flat_map(|shard| shard.iter())
    }
}

impl<V: Clone> Shards<String, V> {
    /// The value under a name.
    pub(crate) fn get_by(&self, name: &str) -> Option<&V> {
        self.0[fnv1a(name.as_bytes()) % SHARDS].get(name)
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

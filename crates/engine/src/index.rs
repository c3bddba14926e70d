//! Who carries what: package name -> manifests -> assets. Derived from the assets and their manifests, so that it is no part
//! of the state's digest.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use tenon_model::{AssetId, Digest, Manifest};

use crate::shards::{ShardKey, Shards, fnv1a};

impl ShardKey for String {
    fn shard(&self) -> usize {
        fnv1a(self.as_bytes())
    }
}

impl ShardKey for u32 {
    fn shard(&self) -> usize {
        usize::try_from(*self).unwrap_or_default()
    }
}

/// A manifest that some asset has.
#[derive(Debug, Clone, Default)]
struct Held {
    /// Its number in bitmaps.
    ordinal: u32,
    /// The assets that have it.
    assets: BTreeSet<AssetId>,
}

/// The inverted index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    held: Shards<Digest, Held>,
    digests: Shards<u32, Digest>,
    /// Binary and source package names; an ecosystem parts them where they are matched.
    carriers: Shards<String, RoaringBitmap>,
    next: u32,
}

/// Every name that an advisory may use for a component of this manifest.
fn names(manifest: &Manifest) -> BTreeSet<&str> {
    let components = manifest.components().iter();
    components.flat_map(|component| [component.name.as_str(), component.source.name.as_str()]).collect()
}

impl Index {
    /// Notes that an asset has a manifest.
    pub(crate) fn add(&mut self, digest: Digest, manifest: &Manifest, asset: AssetId) {
        if let Some(held) = self.held.get_mut(&digest) {
            held.assets.insert(asset);
            return;
        }
        let ordinal = self.next;
        self.next += 1;
        self.held.insert(digest, Held { ordinal, assets: BTreeSet::from([asset]) });
        self.digests.insert(ordinal, digest);
        for name in names(manifest) {
            self.carriers.entry(name.to_owned(), RoaringBitmap::new).insert(ordinal);
        }
    }

    /// Notes that an asset does not have a manifest any more; `true` when no asset has it.
    pub(crate) fn remove(&mut self, digest: Digest, manifest: &Manifest, asset: &AssetId) -> bool {
        let Some(held) = self.held.get_mut(&digest) else { return true };
        held.assets.remove(asset);
        if !held.assets.is_empty() {
            return false;
        }
        let ordinal = held.ordinal;
        self.held.remove(&digest);
        self.digests.remove(&ordinal);
        for name in names(manifest) {
            let name = name.to_owned();
            if let Some(bitmap) = self.carriers.get_mut(&name) {
                bitmap.remove(ordinal);
                if bitmap.is_empty() {
                    self.carriers.remove(&name);
                }
            }
        }
        true
    }

    /// The assets that carry a package of one of these names.
    pub(crate) fn carriers<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeSet<AssetId> {
        let mut manifests = RoaringBitmap::new();
        for name in names {
            if let Some(bitmap) = self.carriers.get(&name.to_owned()) {
                manifests |= bitmap;
            }
        }
        let held = manifests.iter().filter_map(|ordinal| self.held.get(self.digests.get(&ordinal)?));
        held.flat_map(|held| held.assets.iter().copied()).collect()
    }
}

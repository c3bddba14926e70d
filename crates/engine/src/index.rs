//! Who carries what: package name -> manifests -> assets. Derived from the assets and their manifests, so that it is no part
//! of the state's digest.
//!
//! ```text
//! name --base--> manifest ordinals (bitmaps) --digests--> manifest --held--> assets
//!       recent manifests, looked through one by one  -------^
//! ```
//!
//! One manifest has hundreds of names, and writing each into its bitmap would copy most of the index whenever a fork or a
//! reader shares it. So new manifests wait in a short list and are merged together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;
use tenon_model::{AssetId, Component, Digest, Manifest};

use crate::shards::{ShardKey, Shards};

impl ShardKey for u32 {
    fn shard(&self) -> usize {
        usize::try_from(*self).unwrap_or_default()
    }
}

/// Most manifests that wait to be merged.
const MAX_RECENT: usize = 64;

/// The merged part: shared by forks, replaced as a whole.
#[derive(Debug, Clone, Default)]
struct Base {
    /// Binary and source package names; an ecosystem parts them where they are matched.
    carriers: BTreeMap<String, RoaringBitmap>,
    /// Manifests by ordinal; those that no asset has any more stay until the next merge takes them out of the bitmaps.
    digests: Vec<Digest>,
}

/// The inverted index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// The assets that have a manifest; no entry where none has it.
    held: Shards<Digest, BTreeSet<AssetId>>,
    base: Arc<Base>,
    /// Manifests that some asset has and that are not in the base.
    recent: BTreeMap<Digest, Arc<Manifest>>,
    /// Manifests of the base that some asset has.
    merged: Shards<Digest, u32>,
    /// Ordinals in the base that no asset has any more.
    gone: RoaringBitmap,
    /// Every component once, by its hash. One that no manifest has any more stays.
    components: Shards<u32, Vec<Arc<Component>>>,
}

/// Every name that an advisory may use for a component of this manifest.
fn names(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let components = manifest.components().iter();
    components.flat_map(|component| [component.name.as_str(), component.source.name.as_str()])
}

/// Where a component is kept: equal ones in the same place. FNV-1a over every field, so that a host cannot put many into one
/// place by what it reports in the others.
fn spread(component: &Component) -> u32 {
    let Component { name, architecture, version, source, module, ecosystem } = component;
    let fields = [
        name.as_str(),
        architecture,
        version,
        &source.name,
        &source.version,
        module.as_deref().unwrap_or_default(),
        ecosystem.as_deref().unwrap_or_default(),
    ];
    let bytes = fields.into_iter().flat_map(|field| field.bytes().chain([0xff]));
    bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Index {
    /// Notes that an asset has a manifest.
    pub(crate) fn add(&mut self, digest: Digest, manifest: &Arc<Manifest>, asset: AssetId) {
        if let Some(assets) = self.held.get_mut(&digest) {
            assets.insert(asset);
            return;
        }
        self.held.insert(digest, BTreeSet::from([asset]));
        self.recent.insert(digest, manifest.clone());
        if self.recent.len() > MAX_RECENT {
            self.merge();
        }
    }

    /// Makes a manifest share its components with all others.
    pub(crate) fn share(&mut self, manifest: &mut Manifest) {
        manifest.share(|component| {
            let key = spread(component);
            let known = self.components.get(&key).into_iter().flatten().find(|known| *known == component);
            if let Some(known) = known {
                return known.clone();
            }
            self.components.entry(key, Vec::new).push(component.clone());
            component.clone()
        });
    }

    /// Notes that an asset does not have a manifest any more; `true` when no asset has it.
    pub(crate) fn remove(&mut self, digest: &Digest, asset: &AssetId) -> bool {
        let Some(assets) = self.held.get_mut(digest) else { return true };
        assets.remove(asset);
        if !assets.is_empty() {
            return false;
        }
        self.held.remove(digest);
        self.recent.remove(digest);
        if let Some(ordinal) = self.merged.remove(digest) {
            self.gone.insert(ordinal);
        }
        true
    }

    fn merge(&mut self) {
        let base = Arc::make_mut(&mut self.base);
        if !self.gone.is_empty() {
            for bitmap in base.carriers.values_mut() {
                *bitmap -= &self.gone;
            }
            base.carriers.retain(|_, bitmap| !bitmap.is_empty());
            self.gone.clear();
        }
        for (digest, manifest) in std::mem::take(&mut self.recent) {
            let Ok(ordinal) = u32::try_from(base.digests.len()) else { return };
            base.digests.push(digest);
            self.merged.insert(digest, ordinal);
            for name in names(&manifest) {
                match base.carriers.get_mut(name) {
                    Some(bitmap) => drop(bitmap.insert(ordinal)),
                    None => {
                        base.carriers.insert(name.to_owned(), RoaringBitmap::from_iter([ordinal]));
                    }
                }
            }
        }
    }

    /// The assets that carry a package of one of these names.
    pub(crate) fn carriers(&self, wanted: &BTreeSet<&str>) -> BTreeSet<AssetId> {
        let mut ordinals = RoaringBitmap::new();
        for bitmap in wanted.iter().filter_map(|name| self.base.carriers.get(*name)) {
            ordinals |= bitmap;
        }
        let merged =
            ordinals.iter().filter_map(|ordinal| self.base.digests.get(usize::try_from(ordinal).ok()?));
        let recent =
            self.recent.iter().filter(|(_, manifest)| names(manifest).any(|name| wanted.contains(name)));
        let digests = merged.chain(recent.map(|(digest, _)| digest));
        digests.filter_map(|digest| self.held.get(digest)).flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenon_model::SourcePackage;

    use super::*;

    fn manifest(names: &[&str]) -> (Digest, Arc<Manifest>) {
        let component = |name: &&str| {
            let source = SourcePackage { name: format!("{name}-source"), version: "1".to_owned() };
            Component::os_package(*name, "amd64", "1", source)
        };
        let manifest = Manifest::new(names.iter().map(component).collect()).unwrap();
        (Digest::of(&manifest.to_blob()), Arc::new(manifest))
    }

    /// However many manifests came and went, the index names the assets that a look through all of them finds.
    #[test]
    fn carriers_are_those_of_a_look_through_all() {
        let mut index = Index::default();
        let mut held: BTreeMap<AssetId, (Digest, Arc<Manifest>)> = BTreeMap::new();
        for step in 0_usize..1_000 {
            let asset = AssetId::of_public_key(&[u8::try_from(step % 97).unwrap()]);
            let (own, shared) = (format!("p{}", step % 131), format!("q{}", step % 7));
            let (digest, now) = manifest(&[&own, &shared, "everywhere"]);
            index.add(digest, &now, asset);
            if let Some((before, _)) = held.insert(asset, (digest, now))
                && before != digest
            {
                let unused = !held.values().any(|(digest, _)| *digest == before);
                assert_eq!(index.remove(&before, &asset), unused);
            }
            for name in ["everywhere", "q3-source", "p5", "nowhere"] {
                let carries = |manifest: &Manifest| names(manifest).any(|other| other == name);
                let looked =
                    held.iter().filter(|(_, (_, manifest))| carries(manifest)).map(|(asset, _)| *asset);
                assert_eq!(index.carriers(&BTreeSet::from([name])), looked.collect(), "{name} at {step}");
            }
        }
    }
}

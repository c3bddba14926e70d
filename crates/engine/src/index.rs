//! Who is in which stance to which package. Derived from the reports, so that it is no part of the state's digest.
//!
//! ```text
//! package name --named--> stances --assets--> the assets that share each
//!                                 --wants---> what follows for them
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{AssetOrdinal, AssetSet, Component, Digest, HostFacts, Manifest, SourcePackage, Want};

use crate::shards::{ShardKey, Shards};
use crate::stance::{Around, Draft, Stance, Sums, drafts, is_split_kernel, print};
use crate::table::Table;

/// A stance by its number, given out in the order in which the journal brings them. One that no asset is in any more
/// stays.
pub(crate) type StanceId = u32;

/// The stances of one host, ascending.
pub(crate) type Stances = Arc<[StanceId]>;

/// What must be done in a stance, by the source version that its offers lead to.
pub(crate) type WantsOf = Arc<[(SourcePackage, Arc<Want>)]>;

/// Where something is looked for: by its hash, and which of several that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Print(u64, u16);

impl ShardKey for Print {
    fn shard(&self) -> usize {
        usize::try_from(self.0 ^ (self.0 >> 32)).unwrap_or_default()
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

/// What is found in a stance, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Open findings.
    pub(crate) open: u64,
    /// Versions that could not be judged, a line each.
    pub(crate) not_assessed: Vec<String>,
}

/// Most assets whose change of stances waits to be merged: who is in a stance is asked through them.
const MAX_MOVED: usize = 512;

/// A stance, who is in it, and what follows.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) stance: Arc<Stance>,
    pub(crate) sums: Sums,
    /// Those that were in it before assets moved that are yet to be merged.
    merged: AssetSet,
    pub(crate) wants: WantsOf,
    pub(crate) tally: Arc<Tally>,
}

/// Things of which equal ones are kept once, each with how many use it.
#[derive(Debug)]
struct Pool<T: ?Sized>(Shards<Print, (Arc<T>, u32)>);

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
    fn take(&mut self, value: &T, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let (place, known) = self.0.place(print(&value), |(known, _)| known.as_ref() == value);
        let (kept, uses) = known.cloned().unwrap_or_else(|| (make(), 0));
        self.0.insert(place, (kept.clone(), uses.saturating_add(1)));
        kept
    }

    /// Used once less.
    fn give_back(&mut self, value: &T) {
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

/// The inverted index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    entries: Table<Entry>,
    /// The stances of assets as they are merged, and as they are. A report changes hundreds of sets, most of which nobody
    /// asks about before the next one comes: they are written together.
    moved: BTreeMap<AssetOrdinal, (Option<Stances>, Stances)>,
    found: Shards<Print, StanceId>,
    /// Package name -> stances to packages of this name, of whatever ecosystem.
    named: Shards<String, Vec<StanceId>>,
    components: Shards<Print, Arc<Component>>,
    lists: Pool<[StanceId]>,
    profiles: Pool<HostFacts>,
    /// What reports were read as: a shortcut, forgotten as a whole now and then.
    read: Shards<Digest, Stances>,
    read_count: usize,
}

/// Most reports that are remembered.
const MAX_READ: usize = 65_536;

impl ShardKey for Digest {
    fn shard(&self) -> usize {
        let bytes = self.as_bytes();
        usize::from(bytes[0]) << 8 | usize::from(bytes[1])
    }
}

/// Everything of a report that its stances are made of, as a digest: a host can choose what it reports, so that a hash which it
/// could make collide with another's does not do. `None` where it cannot be encoded.
fn key_of(manifest: Digest, os: Option<&str>, facts: &HostFacts) -> Option<Digest> {
    let replaced: BTreeSet<&str> =
        facts.stale.iter().filter_map(|process| process.package.as_deref()).collect();
    let said = (manifest, os, &facts.offers, facts.offers_known, replaced, &facts.kernel);
    Some(Digest::of(&serde_json::to_vec(&said).ok()?))
}

impl Index {
    /// A stance with all that is known of it.
    pub(crate) fn entry(&self, id: StanceId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Of these stances each with all that is known of it.
    pub(crate) fn entries_of<'i>(&'i self, ids: &'i [StanceId]) -> impl Iterator<Item = &'i Entry> {
        ids.iter().filter_map(|id| self.entries.get(*id))
    }

    /// The stances to packages of a name, of whatever ecosystem.
    pub(crate) fn named(&self, package: &str) -> &[StanceId] {
        self.named.get_by(package).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every stance.
    pub(crate) fn all(&self) -> impl Iterator<Item = (StanceId, &Entry)> {
        (0..).zip(self.entries.iter())
    }

    /// The stances that a report tells, and those of them that were not known before. Hosts made alike report alike: what was read
    /// once of a manifest with the same offers is not read again.
    pub(crate) fn read(
        &mut self,
        digest: Digest,
        os: Option<&str>,
        facts: &HostFacts,
        manifest: &Manifest,
    ) -> (Stances, Vec<StanceId>) {
        let key = key_of(digest, os, facts);
        if let Some(known) = key.and_then(|key| self.read.get(&key)).cloned() {
            return (self.lists.take(&known, || known.clone()), Vec::new());
        }
        let (stances, fresh) = self.read_anew(os, facts, manifest);
        if let Some(key) = key {
            if self.read_count >= MAX_READ {
                (self.read, self.read_count) = Default::default();
            }
            self.read.insert(key, stances.clone());
            self.read_count += 1;
        }
        (stances, fresh)
    }

    fn read_anew(
        &mut self,
        os: Option<&str>,
        facts: &HostFacts,
        manifest: &Manifest,
    ) -> (Stances, Vec<StanceId>) {
        let components = manifest.components();
        let split = components.iter().any(|component| is_split_kernel(component));
        let around = Around { os, facts, split };
        let (mut ids, fresh) = self.find(drafts(around, components.iter(), facts.offers.iter()));
        ids.sort_unstable();
        (self.list(&ids), fresh)
    }

    /// The stances of drafts, and those of them that were not known before.
    pub(crate) fn find(&mut self, drafts: Vec<Draft<'_>>) -> (Vec<StanceId>, Vec<StanceId>) {
        let mut ids = Vec::with_capacity(drafts.len());
        let mut fresh = Vec::new();
        for draft in drafts {
            let is = |id: &StanceId| self.entries.get(*id).is_some_and(|entry| draft.is(&entry.stance));
            let (place, known) = self.found.place(draft.print(), is);
            if let Some(id) = known {
                ids.push(*id);
                continue;
            }
            let stance = draft.keep(|component| self.share(component));
            let Some(id) = self.add(place, stance) else { continue };
            ids.push(id);
            fresh.push(id);
        }
        (ids, fresh)
    }

    /// A list of stances as all share it, used once more.
    pub(crate) fn list(&mut self, ids: &[StanceId]) -> Stances {
        self.lists.take(ids, || Arc::from(ids))
    }

    /// Of these stances the one to a package.
    pub(crate) fn held(
        &self,
        stances: &[StanceId],
        (ecosystem, package): (Option<&str>, &str),
    ) -> Option<(StanceId, &Entry)> {
        let named = self.named(package);
        let is = |id: &StanceId| {
            let entry = self.entries.get(*id)?;
            let of = entry.stance.package == package && entry.stance.ecosystem.as_deref() == ecosystem;
            of.then_some((*id, entry))
        };
        if named.len() < stances.len() {
            named.iter().filter(|id| stances.binary_search(id).is_ok()).find_map(is)
        } else {
            stances.iter().find_map(is)
        }
    }

    /// What these stances add to the sums of an asset.
    pub(crate) fn sums(&self, stances: &[StanceId]) -> Sums {
        self.entries_of(stances).fold(Sums::default(), |sums, entry| Sums {
            components: sums.components.and(entry.sums.components),
            offers: sums.offers.and(entry.sums.offers),
        })
    }

    /// Adds a stance in which nobody is yet; `None` where there are no numbers left.
    fn add(&mut self, place: Print, stance: Stance) -> Option<StanceId> {
        let package = stance.package.clone();
        let entry = Entry {
            sums: stance.sums(),
            stance: Arc::new(stance),
            merged: AssetSet::default(),
            wants: Arc::default(),
            tally: Arc::default(),
        };
        let id = self.entries.push(entry)?;
        self.found.insert(place, id);
        self.named.entry(package, Vec::new).push(id);
        Some(id)
    }

    /// A component as all share it.
    fn share(&mut self, component: &Arc<Component>) -> Arc<Component> {
        let (place, known) = self.components.place(print(component), |known| known == component);
        if let Some(known) = known {
            return known.clone();
        }
        self.components.insert(place, component.clone());
        component.clone()
    }

    /// What a host says besides its packages and offers, as all share it.
    pub(crate) fn profile(&mut self, profile: HostFacts) -> Arc<HostFacts> {
        let profile = Arc::new(profile);
        self.profiles.take(&profile, || profile.clone())
    }

    /// The assets that are in a stance.
    pub(crate) fn assets_of(&self, id: StanceId) -> AssetSet {
        let mut assets = self.entries.get(id).map(|entry| entry.merged.clone()).unwrap_or_default();
        for (asset, (before, now)) in &self.moved {
            let was = before.as_ref().is_some_and(|before| before.binary_search(&id).is_ok());
            match (was, now.binary_search(&id).is_ok()) {
                (true, false) => drop(assets.remove(*asset)),
                (false, true) => drop(assets.insert(*asset)),
                (true, true) | (false, false) => {}
            }
        }
        assets
    }

    /// An asset takes other stances than before.
    pub(crate) fn replace(&mut self, asset: AssetOrdinal, before: Option<&Stances>, now: &Stances) {
        if before == Some(now) {
            return;
        }
        match self.moved.get_mut(&asset) {
            Some((_, last)) => *last = now.clone(),
            None => drop(self.moved.insert(asset, (before.cloned(), now.clone()))),
        }
        if self.moved.len() > MAX_MOVED {
            self.merge();
        }
    }

    /// Writes what moved into the sets.
    pub(crate) fn merge(&mut self) {
        let (mut came, mut went): (Vec<(StanceId, AssetOrdinal)>, Vec<_>) = Default::default();
        for (asset, (before, now)) in std::mem::take(&mut self.moved) {
            let before = before.as_deref().unwrap_or_default();
            went.extend(only_in(before, &now).map(|id| (id, asset)));
            came.extend(only_in(&now, before).map(|id| (id, asset)));
        }
        self.write(went, |set, assets| {
            assets.for_each(|asset| {
                set.remove(asset);
            });
        });
        self.write(came, |set, assets| set.insert_all(assets));
    }

    /// Writes assets into the set of each of their stances.
    fn write(
        &mut self,
        mut assets: Vec<(StanceId, AssetOrdinal)>,
        write: impl Fn(&mut AssetSet, &mut dyn Iterator<Item = AssetOrdinal>),
    ) {
        assets.sort_unstable();
        for alike in assets.chunk_by(|(a, _), (b, _)| a == b) {
            if let Some(entry) = alike.first().and_then(|(id, _)| self.entries.get_mut(*id)) {
                write(&mut entry.merged, &mut alike.iter().map(|(_, asset)| *asset));
            }
        }
    }

    /// Forgets who is in which stance, and notes it anew.
    pub(crate) fn hold_anew<'a>(&mut self, held: impl Iterator<Item = (AssetOrdinal, &'a Stances)>) {
        self.moved.clear();
        for id in 0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX) {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.merged = AssetSet::default();
            }
        }
        for (asset, stances) in held {
            self.replace(asset, None, stances);
        }
    }

    /// A host has other stances and another profile than these.
    pub(crate) fn give_back(&mut self, stances: Option<&Stances>, profile: Option<&Arc<HostFacts>>) {
        if let Some(stances) = stances {
            self.lists.give_back(stances);
        }
        if let Some(profile) = profile {
            self.profiles.give_back(profile);
        }
    }

    /// A stance of a snapshot, as the next one.
    pub(crate) fn restore(&mut self, mut stance: Stance) {
        stance.components = stance.components.iter().map(|component| self.share(component)).collect();
        let (place, _) = self.found.place(Draft::of(&stance).print(), |_| false);
        self.add(place, stance);
    }

    /// Who is in a stance of a snapshot; `None` where there is no such stance.
    pub(crate) fn restore_held(&mut self, id: StanceId, held: AssetSet) -> Option<()> {
        self.entries.get_mut(id)?.merged = held;
        Some(())
    }

    /// An asset of a snapshot has this profile and these stances.
    pub(crate) fn restore_use(&mut self, profile: &Arc<HostFacts>, stances: Option<&Stances>) {
        self.profiles.take(profile, || profile.clone());
        if let Some(stances) = stances {
            self.lists.take(stances, || stances.clone());
        }
    }

    /// Sets what is found in a stance, and what follows from it.
    pub(crate) fn conclude(&mut self, id: StanceId, wants: WantsOf, tally: Arc<Tally>) {
        let differs = |entry: &Entry| entry.wants != wants || entry.tally != tally;
        if self.entries.get(id).is_some_and(differs)
            && let Some(entry) = self.entries.get_mut(id)
        {
            (entry.wants, entry.tally) = (wants, tally);
        }
    }
}

/// Those of an ascending list that are not in another.
pub(crate) fn only_in<'l>(
    list: &'l [StanceId],
    other: &'l [StanceId],
) -> impl Iterator<Item = StanceId> + 'l {
    let mut rest = other;
    list.iter().copied().filter(move |id| {
        while let [first, tail @ ..] = rest
            && first < id
        {
            rest = tail;
        }
        rest.first() != Some(id)
    })
}

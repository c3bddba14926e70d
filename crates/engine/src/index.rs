//! Who is in which stance to which package. Derived from the reports, so that it is no part of the state's digest.
//!
//! ```text
//! source package --named--\
//! name in advisories -about--> stances --assets--> the assets that share each
//!                                      --wants---> what follows for them
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{AssetOrdinal, AssetSet, Component, Digest, HostFacts, SourcePackage, Want};

use crate::familiar::{FamiliarTo, Familiars};
use crate::lists::only_in;
use crate::pool::Pool;
use crate::reading::{Mark, ReadBefore};
use crate::settling::Settling;
use crate::shards::{ShardKey, Shards};
use crate::stance::{Draft, Stance, StanceKey, print};
use crate::table::Table;

/// A stance by its number, given out in the order in which the journal brings them. One that no asset is in any more
/// stays.
pub(crate) type StanceId = u32;

/// The stances of one host, ascending.
pub(crate) type Stances = Arc<[StanceId]>;

/// What must be done in a stance, by the source version that its offers lead to.
pub(crate) type WantsOf = Arc<[(SourcePackage, Arc<Want>)]>;

/// What is found in a stance, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Open findings.
    pub(crate) open: u64,
    /// Versions that could not be judged, a line each.
    pub(crate) not_assessed: Vec<String>,
}

/// An asset in a stance, in the order of stances and then of assets: one number, since first reports sort millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

impl Place {
    fn of(stance: StanceId, asset: AssetOrdinal) -> Self {
        Self(u64::from(stance) << 32 | u64::from(asset.0))
    }

    fn stance(self) -> StanceId {
        (self.0 >> 32) as StanceId
    }

    fn asset(self) -> AssetOrdinal {
        AssetOrdinal(self.0 as u32)
    }
}

/// Most assets whose change of stances waits to be merged: who is in a stance is asked through them.
const MAX_MOVED: usize = 512;

/// A stance, who is in it, and what follows.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// A hash of this and all stances before it: two indexes that agree in it number these alike.
    history: u64,
    pub(crate) stance: Arc<Stance>,
    /// Those that were in it before assets moved that are yet to be merged.
    merged: AssetSet,
    pub(crate) wants: WantsOf,
    pub(crate) tally: Arc<Tally>,
}

/// The inverted index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    entries: Table<Entry>,
    /// The stances of assets as they are merged, and as they are. A report changes hundreds of sets, most of which nobody
    /// asks about before the next one comes: they are written together.
    moved: BTreeMap<AssetOrdinal, (Option<Stances>, Stances)>,
    /// Of each stance a bit, whether something follows from it: every report asks of all of its stances.
    following: Arc<Vec<u64>>,
    found: Settling<StanceKey, StanceId>,
    familiars: Familiars,
    /// The ecosystems of operating systems by their numbers.
    systems: Shards<String, u32>,
    system_count: u32,
    /// Package name -> stances to packages of this name, of whatever ecosystem.
    named: Shards<String, Vec<StanceId>>,
    /// Name in advisories -> stances to packages of another name, which hold something of this one: advisories about RPM packages
    /// name what was built, not its source.
    built: Shards<String, Vec<StanceId>>,
    components: Shards<Digest, Arc<Component>>,
    lists: Pool<[StanceId]>,
    profiles: Pool<HostFacts>,
    pub(crate) read: ReadBefore,
}

impl ShardKey for Digest {
    fn shard(&self) -> usize {
        let bytes = self.as_bytes();
        usize::from(bytes[0]) << 8 | usize::from(bytes[1])
    }
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

    /// The stances that advisories about this name may bear on.
    pub(crate) fn about(&self, name: &str) -> impl Iterator<Item = StanceId> {
        let built = self.built.get_by(name).map(Vec::as_slice).unwrap_or_default();
        self.named(name).iter().chain(built).copied()
    }

    /// Every stance.
    pub(crate) fn all(&self) -> impl Iterator<Item = (StanceId, &Entry)> {
        (0..).zip(self.entries.iter())
    }

    /// How far this index has come.
    pub(crate) fn mark(&self) -> Mark {
        self.mark_at(u32::try_from(self.entries.len()).unwrap_or(u32::MAX))
    }

    fn mark_at(&self, stances: u32) -> Mark {
        let last = stances.checked_sub(1).and_then(|last| self.entries.get(last));
        Mark { stances, history: last.map_or(0, |entry| entry.history) }
    }

    /// Whether this index came from one with this mark: the numbers of its stances then mean the same here.
    pub(crate) fn comes_from(&self, mark: Mark) -> bool {
        mark.stances as usize <= self.entries.len() && self.mark_at(mark.stances) == mark
    }

    /// A stance that is kept already.
    pub(crate) fn known(&self, key: &StanceKey) -> Option<StanceId> {
        self.found.get(key).copied()
    }

    /// The number of an operating system's ecosystem.
    pub(crate) fn system(&self, ecosystem: &str) -> Option<u32> {
        self.systems.get_by(ecosystem).copied()
    }

    /// By what a stance is found; numbers its system where it is a new one.
    pub(crate) fn key_of(&mut self, draft: &Draft<'_>) -> StanceKey {
        draft.key(|ecosystem| {
            let known = self.system(ecosystem);
            known.unwrap_or_else(|| {
                self.system_count = self.system_count.saturating_add(1);
                self.systems.insert(ecosystem.to_owned(), self.system_count);
                self.system_count
            })
        })
    }

    /// Keeps a stance that is not known; `None` where there are no numbers left.
    pub(crate) fn keep(&mut self, key: StanceKey, draft: &Draft<'_>) -> Option<StanceId> {
        let stance = draft.keep(|part| {
            let known = self.components.get(&part.digest).cloned();
            known.unwrap_or_else(|| {
                let kept = Arc::new(part.component.clone());
                self.components.insert(part.digest, kept.clone());
                kept
            })
        });
        let id = self.add(key, stance)?;
        if let (StanceKey::Alone(_, whereabouts), Some(part)) = (key, draft.parts().next()) {
            self.familiars.insert(*part, whereabouts, draft.ecosystem(), id);
        }
        Some(id)
    }

    /// The components that a host with these facts may have, of those that are known.
    pub(crate) fn familiar_to(&self, facts: &HostFacts) -> FamiliarTo<'_> {
        let system = self.system(facts.os.osv_ecosystem().as_deref().unwrap_or_default());
        FamiliarTo { familiars: &self.familiars, system, offers_known: facts.offers_known }
    }

    /// A list of stances as all share it.
    pub(crate) fn list(&self, ids: &[StanceId]) -> Stances {
        self.lists.take(ids, || Arc::from(ids))
    }

    /// Of these stances the one to a package.
    pub(crate) fn held(
        &self,
        stances: &[StanceId],
        (ecosystem, package): (Option<&str>, &str),
    ) -> Option<(StanceId, &Entry)> {
        /// Of so few each is asked sooner than who is called so.
        const FEW: usize = 16;
        let is = |id: &StanceId| {
            let entry = self.entries.get(*id)?;
            let of = entry.stance.package == package && entry.stance.ecosystem.as_deref() == ecosystem;
            of.then_some((*id, entry))
        };
        if stances.len() <= FEW {
            return stances.iter().find_map(is);
        }
        let named = self.named(package);
        if named.len() < stances.len() {
            named.iter().filter(|id| stances.binary_search(id).is_ok()).find_map(is)
        } else {
            stances.iter().find_map(is)
        }
    }

    /// Adds a stance in which nobody is yet; `None` where there are no numbers left.
    fn add(&mut self, key: StanceKey, stance: Stance) -> Option<StanceId> {
        let package = stance.package.clone();
        let names: BTreeSet<&str> = stance.pairs().map(|(name, _)| name).collect();
        let built: Vec<String> =
            names.into_iter().filter(|name| *name != package).map(str::to_owned).collect();
        let entry = Entry {
            history: print(&(self.mark().history, key)),
            stance: Arc::new(stance),
            merged: AssetSet::default(),
            wants: Arc::default(),
            tally: Arc::default(),
        };
        let id = self.entries.push(entry)?;
        self.found.insert(key, id);
        self.named.entry(package, Vec::new).push(id);
        for name in built {
            self.built.entry(name, Vec::new).push(id);
        }
        Some(id)
    }

    /// What a host says besides its packages and offers, as all share it.
    pub(crate) fn profile(&self, profile: HostFacts) -> Arc<HostFacts> {
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
        let (mut came, mut went): (Vec<Place>, Vec<Place>) = Default::default();
        for (asset, (before, now)) in std::mem::take(&mut self.moved) {
            let before = before.as_deref().unwrap_or_default();
            went.extend(only_in(before, &now).map(|id| Place::of(id, asset)));
            came.extend(only_in(&now, before).map(|id| Place::of(id, asset)));
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
        mut places: Vec<Place>,
        write: impl Fn(&mut AssetSet, &mut dyn Iterator<Item = AssetOrdinal>),
    ) {
        places.sort_unstable();
        for alike in places.chunk_by(|a, b| a.stance() == b.stance()) {
            if let Some(entry) = alike.first().and_then(|place| self.entries.get_mut(place.stance())) {
                write(&mut entry.merged, &mut alike.iter().map(|place| place.asset()));
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

    /// A stance of a snapshot, as the next one.
    pub(crate) fn restore(&mut self, stance: &Stance) {
        let digests: Vec<Digest> = stance.components.iter().map(|component| component.digest()).collect();
        let draft = Draft::of(stance, &digests);
        let key = self.key_of(&draft);
        self.keep(key, &draft);
    }

    /// Who is in a stance of a snapshot; `None` where there is no such stance.
    pub(crate) fn restore_held(&mut self, id: StanceId, held: AssetSet) -> Option<()> {
        self.entries.get_mut(id)?.merged = held;
        Some(())
    }

    /// Sets what is found in a stance, and what follows from it.
    pub(crate) fn conclude(&mut self, id: StanceId, wants: WantsOf, tally: Arc<Tally>) {
        let differs = |entry: &Entry| entry.wants != wants || entry.tally != tally;
        if self.entries.get(id).is_some_and(differs)
            && let Some(entry) = self.entries.get_mut(id)
        {
            let follows = !wants.is_empty();
            (entry.wants, entry.tally) = (wants, tally);
            if self.follows(id) != follows {
                let (word, bit) = bit_of(id);
                let words = Arc::make_mut(&mut self.following);
                words.resize(words.len().max(word + 1), 0);
                words[word] ^= bit;
            }
        }
    }

    /// Whether something follows from a stance: whether it has any wants.
    pub(crate) fn follows(&self, id: StanceId) -> bool {
        let (word, bit) = bit_of(id);
        self.following.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The word that holds a stance's bit, and the bit.
fn bit_of(id: StanceId) -> (usize, u64) {
    (id as usize / 64, 1 << (id % 64))
}

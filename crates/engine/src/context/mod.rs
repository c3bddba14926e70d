//! What an asset is for and who can reach it: what people state, what follows from it, and what the inventory tells, each
//! with its source.
//!
//! ```text
//! by hand, ContextDocument, listeners and addresses --resolve--> Effective (whole) --> views
//!                                                                Bearing (what ranks) --> classes of assets
//! ```

mod bearing;
mod derived;
mod known;
mod preview;
mod resolve;

pub(crate) use bearing::{Bearing, Bearings};
pub use known::KnownContext;
pub(crate) use known::Written;
pub use preview::{Effect, Preview, Unstated, preview, unstated};
pub use resolve::{Effective, Source, Sourced};
pub(crate) use resolve::{Subject, resolve};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tenon_model::context::Glob;
use tenon_model::{AssetOrdinal, AssetSet, ContextDocument, Digest, RedundancyName, ZoneName};

use crate::approach::Footing;
use crate::assets::AssetState;
use crate::world::World;

/// Assets that are weighed together: what is said of them is kept no longer than that.
const BLOCK: u32 = 1 << 16;
/// Fewer are not worth another thread.
const FEW: usize = 1_024;

/// What ranks of an asset, in which group it stands in for others, and in which zone it stands.
type Said = (Bearing, Option<RedundancyName>, Option<ZoneName>);
/// Of each pattern of packages in rules the assets that have one.
type Carriers = BTreeMap<Glob, AssetSet>;
/// Of each package that listens somewhere, by the name under which it is installed, those to which it belongs, as advisories name
/// them, with the assets that have it so.
type Owners<'w> = BTreeMap<&'w str, Vec<(&'w str, AssetSet)>>;

impl World {
    /// The context document that counts; `None` where none was ever taken over.
    pub fn context(&self) -> Option<&KnownContext> {
        self.context.as_ref()
    }

    /// Everything that is said of an asset, each with its source.
    pub fn effective(&self, asset: &AssetState) -> Effective {
        self.resolved(asset, self.context.as_ref())
    }

    pub(crate) fn resolved(&self, asset: &AssetState, context: Option<&KnownContext>) -> Effective {
        let installed = |glob: &Glob| {
            let entries = self.index.entries_of(asset.stances());
            let mut components = entries.flat_map(|entry| &entry.stance.components);
            components.any(|component| glob.matches(&component.name))
        };
        resolve(&Subject { asset, installed: &installed }, context)
    }

    /// Another document counts now.
    pub(crate) fn take_over(&mut self, document: ContextDocument, blob: Digest, version: u32) {
        self.context = Some(KnownContext::after(self.context.as_ref(), document, blob, version));
        self.weigh_all();
    }

    /// What ranks may be another for any asset now.
    pub(crate) fn weigh_all(&mut self) {
        let carriers = self.carriers(self.context.as_ref());
        let count = self.assets.count();
        let mut from = 0;
        while from < count {
            let block = from..count.min(from.saturating_add(BLOCK));
            let (said, rest) = self.said_of_all(block.clone(), &carriers, &self.owners(block.clone()));
            for (ordinal, said) in block.clone().map(AssetOrdinal).zip(said.into_iter().chain(rest)) {
                self.keep_said(ordinal, said);
            }
            from = block.end;
        }
        self.recount_all();
    }

    /// What ranks of each of these assets, and in which group it stands in for others; by two threads, half of them each.
    fn said_of_all(
        &self,
        block: Range<u32>,
        carriers: &Carriers,
        owners: &Owners<'_>,
    ) -> (Vec<Said>, Vec<Said>) {
        let said = |half: Range<u32>| -> Vec<Said> {
            half.map(AssetOrdinal).map(|ordinal| self.said_of(ordinal, carriers, owners)).collect()
        };
        if block.len() < FEW {
            return (said(block), Vec::new());
        }
        let middle = block.start.midpoint(block.end);
        let second = || said(middle..block.end);
        std::thread::scope(|scope| {
            let beside = scope.spawn(second);
            let first = said(block.start..middle);
            // A thread that could not finish is made up for.
            (first, beside.join().unwrap_or_else(|_| second()))
        })
    }

    fn said_of(&self, ordinal: AssetOrdinal, carriers: &Carriers, owners: &Owners<'_>) -> Said {
        let Some(asset) = self.assets.get(ordinal) else { return (Bearing::NOTHING, None, None) };
        let installed = |glob: &Glob| carriers.get(glob).is_some_and(|held| held.contains(ordinal));
        let said = resolve(&Subject { asset, installed: &installed }, self.context.as_ref());
        self.what_ranks((ordinal, asset), said, |name| {
            let all = owners.get(name).into_iter().flatten();
            all.filter(|(_, held)| held.contains(ordinal)).map(|(owner, _)| *owner).collect()
        })
    }

    /// Whether what ranks is another now.
    fn keep_said(&mut self, ordinal: AssetOrdinal, (bearing, stands_in, zone): Said) -> bool {
        self.assets.stand_in(ordinal, stands_in);
        self.assets.place(ordinal, zone);
        self.assets.bear(ordinal, bearing)
    }

    /// Of each pattern of packages in rules the assets that have one: for all assets at once this is found once.
    fn carriers(&self, context: Option<&KnownContext>) -> Carriers {
        let rules = context.map(|known| known.document.rules.as_slice()).unwrap_or_default();
        let globs = rules.iter().filter_map(|rule| rule.when.package.as_ref());
        let held = |glob: &Glob| {
            let matching = self.index.all().filter(|(_, entry)| {
                entry.stance.components.iter().any(|component| glob.matches(&component.name))
            });
            let sets: Vec<AssetSet> = matching.map(|(id, _)| self.index.assets_of(id)).collect();
            AssetSet::union(sets.iter())
        };
        globs.map(|glob| (glob.clone(), held(glob))).collect()
    }

    /// Of what listens on these assets the packages to which it belongs: for many assets at once this is found once.
    fn owners(&self, assets: Range<u32>) -> Owners<'_> {
        let mut owners = Owners::new();
        if !self.context.as_ref().is_some_and(|known| known.document.names_entries()) {
            return owners;
        }
        for asset in assets.filter_map(|ordinal| self.assets.get(AssetOrdinal(ordinal))) {
            let listeners = asset.profile().map(|profile| profile.listeners.as_slice()).unwrap_or_default();
            for name in listeners.iter().filter_map(|listener| listener.package.as_deref()) {
                owners.entry(name).or_default();
            }
        }
        for (id, entry) in self.index.all() {
            let components = entry.stance.components.iter().map(|component| component.name.as_str());
            let listening: BTreeSet<&str> = components.filter(|name| owners.contains_key(name)).collect();
            for name in listening {
                let held = owners.entry(name).or_default();
                held.push((entry.stance.package.as_str(), self.index.assets_of(id)));
            }
        }
        owners
    }

    /// What ranks may be another for this asset now; what it was, where it is.
    pub(crate) fn weigh(&mut self, ordinal: AssetOrdinal) -> Option<Arc<Bearing>> {
        let asset = self.assets.get(ordinal)?;
        let said = self.what_ranks((ordinal, asset), self.effective(asset), |name| {
            let entries = self.index.entries_of(asset.stances());
            let owning = entries
                .filter(|entry| entry.stance.components.iter().any(|component| component.name == name));
            owning.map(|entry| entry.stance.package.as_str()).collect()
        });
        let before = asset.bearing();
        self.keep_said(ordinal, said).then_some(before)
    }

    /// The same, and the directives that it wants count it anew.
    pub(crate) fn weigh_anew(&mut self, ordinal: AssetOrdinal) {
        if let Some(before) = self.weigh(ordinal) {
            self.shift(ordinal, &before);
        }
    }

    /// `owners` are the packages, as advisories name them, to which one of a name belongs on the asset.
    fn what_ranks<'o>(
        &self,
        (ordinal, asset): (AssetOrdinal, &AssetState),
        said: Effective,
        owners: impl Fn(&str) -> Vec<&'o str>,
    ) -> Said {
        let (zone, context) = (said.zone.as_ref().map(|known| &known.value), self.context.as_ref());
        let footing =
            zone.zip(context).and_then(|(zone, known)| Footing::of(asset, zone, &known.document, owners));
        (
            Bearing::of(&said, footing, self.controls.before(ordinal)),
            stands_in(asset, &said),
            said.zone.map(|known| known.value),
        )
    }
}

/// The group in which an asset counts as one that stands in for others. What has never reported, or is retired, stands in for
/// nobody.
fn stands_in(asset: &AssetState, said: &Effective) -> Option<RedundancyName> {
    asset
        .reported
        .filter(|_| asset.retired.is_none())
        .and(said.redundancy.as_ref())
        .map(|known| known.value.clone())
}

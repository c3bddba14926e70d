//! What hosts report as a difference: what it leads to is worked out beside the thread that decides, as whole reports are read.
//!
//! ```text
//! delta --Index::restate (any earlier World, any thread)--> Restated --Index::take_restated (the World that decides)--> stances
//! ```
//!
//! The stances of the asset hold its manifest, so that no stored manifest is needed to read a delta, now or when the journal is
//! replayed. Only the stances of packages that it bears on are looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenon_model::{
    AssetId, Component, Event, HostFacts, InventoryDelta, Offer, Refusal, RefusalCode, SourcePackage,
    Versioned,
};
use tenon_versions::Scheme;

use crate::assets::AssetState;
use crate::index::{Index, StanceId, Stances};
use crate::kernel::is_kernel;
use crate::lists::only_in;
use crate::reading::{Mark, Told};
use crate::reports::following;
use crate::stance::{Around, Part, drafts, is_split_kernel, package_of, replaced};
use crate::world::World;

/// Where the stance to a package is kept: ecosystem and name.
type Place<'a> = (Option<&'a str>, &'a str);

/// A delta that was checked, with what was made ready of it.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) delta: Arc<InventoryDelta>,
    /// How the journal keeps the event that tells of it.
    pub(crate) written: Vec<u8>,
    /// What some World made of it; `None` where it does not follow what the asset said there.
    pub(crate) restated: Option<Restated>,
}

impl Change {
    /// Checks, writes and reads it.
    pub(crate) fn new(
        world: &World,
        asset: AssetId,
        sequence: u64,
        delta: InventoryDelta,
    ) -> Result<Self, Refusal> {
        delta.check().map_err(|error| Refusal::new(RefusalCode::BadInventory, error.to_string()))?;
        let restated = world.asset(&asset).and_then(|state| following(world, state, &delta).ok());
        let delta = Arc::new(delta);
        let event = Event::InventoryChanged { asset, sequence, delta: delta.clone() };
        let written = Versioned::encode(&event)
            .map_err(|error| Refusal::new(RefusalCode::BadContent, format!("cannot be stored: {error}")))?;
        Ok(Self { delta, written, restated })
    }
}

/// What an index made of a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restated {
    mark: Mark,
    /// What the asset said before.
    before: (Stances, Arc<HostFacts>),
    /// What it says besides packages and offers, where that is something else.
    facts: Option<HostFacts>,
    stances: After,
}

/// The stances of an asset after a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
enum After {
    /// Those that it had.
    Same,
    /// Others, all of which are known, and what they brought and took.
    Known(Stances, Moved),
    /// Those that it keeps, and those that it takes, of which some are not known.
    New(Vec<StanceId>, Told),
}

/// Versions of packages that an asset no longer has, and that it did not have before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) went: Vec<SourcePackage>,
    pub(crate) came: Vec<SourcePackage>,
}

impl Restated {
    /// Whether it is what this index, too, would make of a delta to what this asset says.
    pub(crate) fn holds(&self, index: &Index, asset: &AssetState) -> bool {
        let (stances, profile) = &self.before;
        index.comes_from(self.mark)
            && asset.stances.as_ref().is_some_and(|now| Arc::ptr_eq(now, stances))
            && asset.profile.as_ref().is_some_and(|now| Arc::ptr_eq(now, profile))
    }

    pub(crate) fn facts(&self) -> Option<&HostFacts> {
        self.facts.as_ref()
    }

    /// What the stances brought and took, where all of them were known.
    pub(crate) fn moved(&self) -> Option<&Moved> {
        match &self.stances {
            After::Known(_, moved) => Some(moved),
            After::Same | After::New(..) => None,
        }
    }
}

impl Index {
    /// What a delta leads to, from these stances and this profile.
    pub(crate) fn restate(
        &self,
        stances: &Stances,
        profile: &Arc<HostFacts>,
        delta: &InventoryDelta,
    ) -> Restated {
        let facts = (!delta.facts.is_empty()).then(|| {
            let mut changed = profile.as_ref().clone();
            delta.facts.clone().make(&mut changed);
            changed
        });
        let after = self.after(stances, profile, facts.as_ref().unwrap_or(profile), delta);
        Restated { mark: self.mark(), before: (stances.clone(), profile.clone()), facts, stances: after }
    }

    /// The stances after a delta, where they are others, and those of them that were not known before.
    pub(crate) fn take_restated(&mut self, restated: &Restated) -> (Option<Stances>, Vec<StanceId>) {
        match &restated.stances {
            After::Same => (None, Vec::new()),
            After::Known(stances, _) => (Some(self.share(stances)), Vec::new()),
            After::New(kept, told) => {
                let (taken, fresh) = self.find(told);
                (Some(self.list(&in_order(kept.clone(), taken))), fresh)
            }
        }
    }

    fn after(&self, stances: &Stances, before: &HostFacts, now: &HostFacts, delta: &InventoryDelta) -> After {
        let (os_before, os) = (before.os.osv_ecosystem(), now.os.osv_ecosystem());
        let elsewhere = os != os_before || before.offers_known != now.offers_known;
        let touched: Vec<StanceId> = if elsewhere {
            stances.to_vec()
        } else {
            self.touched(stances, os.as_deref(), before, now, delta)
        };
        let held = || self.entries_of(&touched).map(|entry| &entry.stance);
        let removed: BTreeSet<&Component> = delta.removed.iter().collect();
        let mut components: Vec<&Component> =
            held().flat_map(|stance| stance.components.iter().map(Arc::as_ref)).collect();
        components.retain(|component| !removed.contains(component));
        components.extend(&delta.added);
        components.sort_unstable();
        let offers = held().flat_map(|stance| &stance.offers);
        let offers = offers.filter(|offer| !delta.withdrawn.iter().any(|key| key.names(offer)));
        let offers: Vec<&Offer> = offers.chain(&delta.offered).collect();

        let splits = delta.added.iter().chain(&delta.removed).any(is_split_kernel);
        let told = held().find_map(|stance| Some(stance.kernel.as_ref()?.split));
        let split = match told {
            Some(split) if !splits => split,
            _ => {
                let rest = only_in(stances, &touched).filter_map(|id| self.entry(id));
                let rest = rest.flat_map(|entry| entry.stance.components.iter().map(Arc::as_ref));
                // Only kernels ask.
                asks_for_split(os.as_deref(), &components)
                    && components.iter().copied().chain(rest).any(is_split_kernel)
            }
        };
        let around = Around { os: os.as_deref(), facts: now, split };
        let parts = components.iter().map(|component| Part::of(component));
        let told = self.tell(&drafts(around, parts, offers.into_iter()), os.as_deref());
        let mut kept = Vec::with_capacity(stances.len() + told.known.len());
        kept.extend(only_in(stances, &touched));
        if !told.is_known() {
            return After::New(kept, told);
        }
        let ids = in_order(kept, told.known);
        if ids == **stances {
            return After::Same;
        }
        let moved = self.moved(stances, &ids);
        After::Known(ids.into(), moved)
    }

    /// What an asset has, and has no more, where it takes other stances than before.
    pub(crate) fn moved(&self, before: &[StanceId], now: &[StanceId]) -> Moved {
        let pairs = |ids, other| -> BTreeSet<(&str, &str)> {
            let entries = only_in(ids, other).filter_map(|id| self.entry(id));
            entries.flat_map(|entry| entry.stance.pairs()).collect()
        };
        let (gone, come) = (pairs(before, now), pairs(now, before));
        let kept = |(name, version): &(&str, &str)| SourcePackage {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
        };
        Moved {
            went: gone.difference(&come).map(kept).collect(),
            came: come.difference(&gone).map(kept).collect(),
        }
    }

    /// The stances of an asset that a delta bears on, ascending.
    fn touched(
        &self,
        stances: &Stances,
        os: Option<&str>,
        before: &HostFacts,
        now: &HostFacts,
        delta: &InventoryDelta,
    ) -> Vec<StanceId> {
        let components = delta.added.iter().chain(&delta.removed);
        let mut places: BTreeSet<Place<'_>> = components.map(|component| package_of(os, component)).collect();
        places.extend(delta.withdrawn.iter().map(|key| (os, key.source.as_str())));
        places.extend(delta.offered.iter().map(|offer| (os, offer.source.name.as_str())));
        let mut touched: BTreeSet<StanceId> =
            places.into_iter().filter_map(|place| Some(self.held(stances, place)?.0)).collect();
        let splits = delta.added.iter().chain(&delta.removed).any(is_split_kernel);
        let kernels = before.kernel != now.kernel || splits;
        let (was, is) = (replaced(before), replaced(now));
        let other: BTreeSet<&str> = was.symmetric_difference(&is).copied().collect();
        if kernels || !other.is_empty() {
            touched.extend(stances.iter().filter(|id| {
                let Some(entry) = self.entry(**id) else { return false };
                let stance = &entry.stance;
                let runs = |component: &Arc<Component>| other.contains(component.name.as_str());
                kernels && stance.kernel.is_some() || stance.components.iter().any(runs)
            }));
        }
        touched.into_iter().collect()
    }
}

/// Stances that are kept, ascending, with those that are taken.
fn in_order(kept: Vec<StanceId>, taken: Vec<StanceId>) -> Vec<StanceId> {
    let mut ids = kept;
    ids.extend(taken);
    // Nearly all of it is in order already, which this sort sees.
    ids.sort();
    ids
}

/// Whether a kernel is among them, whose stance says whether its image was split off.
fn asks_for_split(os: Option<&str>, components: &[&Component]) -> bool {
    components.iter().any(|component| {
        let scheme = package_of(os, component).0.and_then(Scheme::of_osv_ecosystem);
        scheme.is_some_and(|scheme| is_kernel(scheme, component))
    })
}

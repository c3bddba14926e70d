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
    AssetId, Component, Digest, Event, HostFacts, InventoryDelta, Offer, Refusal, RefusalCode, SourcePackage,
    Versioned,
};
use tenon_versions::Scheme;

use crate::assets::AssetState;
use crate::index::{Index, StanceId, Stances};
use crate::kernel::is_kernel;
use crate::lists::{exchanged, only_in};
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

/// A delta, with what of it an index tells.
#[derive(Debug)]
pub(crate) struct Difference<'a> {
    pub(crate) delta: &'a InventoryDelta,
    /// What the asset says before.
    stances: &'a Stances,
    pub(crate) profile: &'a Arc<HostFacts>,
    /// What it says after besides packages and offers, where that is something else.
    facts: Option<HostFacts>,
    /// The ecosystem of its operating system before and after.
    pub(crate) os_before: Option<String>,
    os: Option<String>,
    /// The stances that it bears on, ascending.
    pub(crate) touched: Vec<StanceId>,
    /// The digests of what it adds.
    pub(crate) added: Vec<Digest>,
}

/// The stances of an asset after a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
enum After {
    /// Those that it had.
    Same,
    /// Others, all of which are known, and what they brought and took.
    Known(Stances, Moved),
    /// Those that it may not keep, and those that it takes, of which some are not known.
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
    /// A delta to these stances and this profile, with what it bears on.
    pub(crate) fn difference<'a>(
        &self,
        stances: &'a Stances,
        profile: &'a Arc<HostFacts>,
        delta: &'a InventoryDelta,
    ) -> Difference<'a> {
        let facts = (!delta.facts.is_empty()).then(|| {
            let mut changed = profile.as_ref().clone();
            delta.facts.clone().make(&mut changed);
            changed
        });
        let now = facts.as_ref().unwrap_or(profile);
        let (os_before, os) = (profile.os.osv_ecosystem(), now.os.osv_ecosystem());
        let elsewhere = os != os_before || profile.offers_known != now.offers_known;
        let touched = if elsewhere {
            stances.to_vec()
        } else {
            self.touched(stances, os.as_deref(), profile, now, delta)
        };
        let added = delta.added.iter().map(Component::digest).collect();
        Difference { delta, stances, profile, facts, os_before, os, touched, added }
    }

    /// What it leads to.
    pub(crate) fn restate(&self, difference: Difference<'_>) -> Restated {
        let after = self.after(&difference);
        let Difference { stances, profile, facts, .. } = difference;
        Restated { mark: self.mark(), before: (stances.clone(), profile.clone()), facts, stances: after }
    }

    /// The stances after a delta, where they are others, and those of them that were not known before.
    pub(crate) fn take_restated(&mut self, restated: &Restated) -> (Option<Stances>, Vec<StanceId>) {
        match &restated.stances {
            After::Same => (None, Vec::new()),
            After::Known(stances, _) => (Some(stances.clone()), Vec::new()),
            After::New(touched, told) => {
                let (taken, fresh) = self.find(told);
                (Some(self.list(&exchanged(&restated.before.0, touched, taken))), fresh)
            }
        }
    }

    fn after(&self, difference: &Difference<'_>) -> After {
        let Difference { delta, stances, profile, touched, os, .. } = difference;
        let held = || self.entries_of(touched).map(|entry| &entry.stance);
        let removed: BTreeSet<&Component> = delta.removed.iter().collect();
        let kept = held().flat_map(|stance| stance.components.iter().map(Arc::as_ref));
        let kept = kept.filter(|component| !removed.contains(component)).map(Part::of);
        let added = delta.added.iter().zip(&difference.added);
        let added = added.map(|(component, digest)| Part { component, digest: *digest });
        let mut parts: Vec<Part<'_>> = kept.chain(added).collect();
        parts.sort_unstable_by_key(|part| part.component);
        let offers = held().flat_map(|stance| &stance.offers);
        let offers = offers.filter(|offer| !delta.withdrawn.iter().any(|key| key.names(offer)));
        let offers: Vec<&Offer> = offers.chain(&delta.offered).collect();

        let splits = delta.added.iter().chain(&delta.removed).any(is_split_kernel);
        let told = held().find_map(|stance| Some(stance.kernel.as_ref()?.split));
        let split = match told {
            Some(split) if !splits => split,
            _ => {
                let rest = only_in(stances, touched).filter_map(|id| self.entry(id));
                let rest = rest.flat_map(|entry| entry.stance.components.iter().map(Arc::as_ref));
                let components = || parts.iter().map(|part| part.component);
                // Only kernels ask.
                asks_for_split(os.as_deref(), components()) && components().chain(rest).any(is_split_kernel)
            }
        };
        let facts = difference.facts.as_ref().unwrap_or(profile);
        let around = Around { os: os.as_deref(), facts, split };
        let told = self.tell(&drafts(around, parts.into_iter(), offers.into_iter()), os.as_deref());
        if !told.is_known() {
            return After::New(touched.clone(), told);
        }
        let ids = exchanged(stances, touched, told.known);
        if ids == ***stances {
            return After::Same;
        }
        let moved = self.moved(stances, &ids);
        After::Known(self.list(&ids), moved)
    }

    /// What an asset has, and has no more, where it takes other stances than before.
    pub(crate) fn moved(&self, before: &[StanceId], now: &[StanceId]) -> Moved {
        let pairs = |ids, other| {
            let entries = only_in(ids, other).filter_map(|id| self.entry(id));
            let mut pairs: Vec<(&str, &str)> = entries.flat_map(|entry| entry.stance.pairs()).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        };
        let (gone, come) = (pairs(before, now), pairs(now, before));
        let only = |these: &[(&str, &str)], others: &[(&str, &str)]| {
            let only = these.iter().filter(|pair| others.binary_search(pair).is_err());
            let kept = |(name, version): &(&str, &str)| SourcePackage {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
            };
            only.map(kept).collect()
        };
        Moved { went: only(&gone, &come), came: only(&come, &gone) }
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
        let mut places: Vec<Place<'_>> = components.map(|component| package_of(os, component)).collect();
        places.extend(delta.withdrawn.iter().map(|key| (os, key.source.as_str())));
        places.extend(delta.offered.iter().map(|offer| (os, offer.source.name.as_str())));
        places.sort_unstable();
        places.dedup();
        let mut touched: Vec<StanceId> =
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
        touched.sort_unstable();
        touched.dedup();
        touched
    }
}

/// Whether a kernel is among them, whose stance says whether its image was split off.
fn asks_for_split<'a>(os: Option<&str>, mut components: impl Iterator<Item = &'a Component>) -> bool {
    components.any(|component| {
        let scheme = package_of(os, component).0.and_then(Scheme::of_osv_ecosystem);
        scheme.is_some_and(|scheme| is_kernel(scheme, component))
    })
}

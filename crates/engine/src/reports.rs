//! What hosts report: whole, or what changed since their last report.
//!
//! A delta is decided and applied against the state alone: the stances of the asset hold its manifest, so that no stored
//! manifest is needed to read it, now or when the journal is replayed. Only the stances of packages that it bears on are
//! looked at. It leads to the same state as the whole report would, for which both sides answer with sums.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use tenon_model::{
    AssetId, AssetOrdinal, Blob, Component, Digest, Event, HostFacts, IndexState, InventoryDelta,
    InventorySum, Offer, Record, Refusal, RefusalCode, SourcePackage, Sum,
};
use tenon_versions::Scheme;

use crate::ahead::Report;
use crate::apply::ApplyError;
use crate::assets::AssetState;
use crate::decide::{Decided, refuse};
use crate::index::{StanceId, Stances, only_in};
use crate::kernel::is_kernel;
use crate::life;
use crate::stance::{Around, Part, drafts, is_split_kernel, package_of, replaced};
use crate::world::{World, count_off, count_one};

/// Where the stance to a package is kept: ecosystem and name.
type Place<'a> = (Option<&'a str>, &'a str);

/// The asset, if this report of it is a new one.
pub(crate) fn reporting(world: &World, asset: AssetId, sequence: u64) -> Result<&AssetState, Refusal> {
    let state = life::enrolled(world, &asset)?;
    if let Some((last, _)) = state.reported
        && sequence <= last
    {
        return refuse(
            RefusalCode::StaleReport,
            format!("report {sequence} of {asset} is not newer than report {last}: it is ignored"),
        );
    }
    Ok(state)
}

/// Decides a whole report.
pub(crate) fn whole(
    world: &World,
    asset: AssetId,
    sequence: u64,
    report: Report,
) -> Result<Decided, Refusal> {
    let state = reporting(world, asset, sequence)?;
    let before = life::before_report(state, Some(&report.facts().hostname));
    let blobs = report.blobs().clone();
    let [manifest, facts] = blobs.each_ref().map(Blob::digest);
    let event = Event::InventoryReported { asset, sequence, manifest, facts };
    let mut decided = Decided::with(event, blobs.into());
    decided.events.splice(..0, before);
    decided.attachments.insert_report(report);
    Ok(decided)
}

/// Decides a delta: its base must be what the asset last said, and it must lead to what it says.
pub(crate) fn delta(
    world: &World,
    asset: AssetId,
    sequence: u64,
    delta: Box<InventoryDelta>,
) -> Result<Decided, Refusal> {
    let state = reporting(world, asset, sequence)?;
    delta.check().map_err(|error| Refusal::new(RefusalCode::BadInventory, error.to_string()))?;
    let stale = |what: String| {
        let message = format!("delta {sequence} of {asset} {what}: send a whole report");
        Refusal::new(RefusalCode::StaleBase, message)
    };
    let (Some(said), Some(profile)) = (state.said, state.profile()) else {
        return Err(stale("follows no report".to_owned()));
    };
    if said != delta.base {
        return Err(stale(format!(
            "differs from packages {} and facts {}, and the last report said {} and {}",
            delta.base.packages, delta.base.facts, said.packages, said.facts
        )));
    }
    let result = result_of(world, state, profile, said, &delta).map_err(&stale)?;
    if result != delta.result {
        return Err(stale(format!(
            "leads to packages {} and facts {}, and says {} and {}",
            result.packages, result.facts, delta.result.packages, delta.result.facts
        )));
    }
    let before = life::before_report(state, delta.hostname.as_deref());
    let mut decided = Decided::of(Event::InventoryChanged { asset, sequence, delta });
    decided.events.splice(..0, before);
    Ok(decided)
}

/// What a delta leads to.
///
/// # Errors
/// What it takes away that is not there, or adds that is.
fn result_of(
    world: &World,
    asset: &AssetState,
    profile: &HostFacts,
    said: InventorySum,
    delta: &InventoryDelta,
) -> Result<InventorySum, String> {
    let InventorySum { mut packages, mut facts } = said;
    let os = profile.os.osv_ecosystem();
    let has = |component: &Component| {
        let held = world.index.held(asset.stances(), package_of(os.as_deref(), component));
        held.is_some_and(|(_, entry)| entry.stance.components.iter().any(|held| **held == *component))
    };
    for component in &delta.removed {
        if !has(component) {
            return Err(format!("removes {} {}, which is not there", component.name, component.version));
        }
        packages = packages.without(&component.digest());
    }
    for component in &delta.added {
        if has(component) {
            return Err(format!("adds {} {}, which is there", component.name, component.version));
        }
        packages = packages.with(&component.digest());
    }
    for key in &delta.withdrawn {
        let held = world.index.held(asset.stances(), (os.as_deref(), &key.source));
        let offers = held.map(|(_, entry)| entry.stance.offers.as_slice()).unwrap_or_default();
        let withdrawn = offers.iter().filter(|offer| key.names(offer)).map(Offer::digest);
        let withdrawn: Vec<Digest> = withdrawn.collect();
        if withdrawn.is_empty() {
            return Err(format!("withdraws an offer for {}, which is not there", key.package));
        }
        facts = withdrawn.iter().fold(facts, Sum::without);
    }
    facts = delta.offered.iter().fold(facts, |facts, offer| facts.with(&offer.digest()));
    facts = match delta.facts.addresses {
        None => delta.facts.sum_after(facts, profile),
        // The addresses are kept apart from what hosts share.
        Some(_) => {
            let before = HostFacts { addresses: asset.addresses.to_vec(), ..profile.clone() };
            delta.facts.sum_after(facts, &before)
        }
    };
    Ok(InventorySum { packages, facts })
}

/// What an asset says after a report; `None` is what it said before.
struct Said {
    stances: Option<Stances>,
    profile: Option<HostFacts>,
    addresses: Option<Arc<[IpAddr]>>,
    index_age: Option<u64>,
    sum: InventorySum,
}

impl World {
    pub(crate) fn replace_inventory(
        &mut self,
        record: &Record,
        (id, sequence): (AssetId, u64),
        report: &Report,
    ) -> Result<(), ApplyError> {
        let ordinal = self.known(record.seq, &id)?;
        let (stances, fresh) = self.index.read(report);
        self.conclude(&fresh);
        let facts = report.facts();
        let said = Said {
            stances: Some(stances),
            addresses: Some(facts.addresses.as_slice().into()),
            index_age: facts.index.oldest_age_seconds,
            sum: report.sum(),
            profile: Some(profile_of(facts.clone())),
        };
        self.take_report(record, ordinal, sequence, said);
        Ok(())
    }

    pub(crate) fn change_inventory(
        &mut self,
        record: &Record,
        (id, sequence): (AssetId, u64),
        delta: &InventoryDelta,
    ) -> Result<(), ApplyError> {
        let dangling = || ApplyError::Dangling { seq: record.seq, what: format!("a report of {id}") };
        let ordinal = self.known(record.seq, &id)?;
        let asset = self.assets.get(ordinal).ok_or_else(dangling)?;
        let (before, profile) = asset.stances.clone().zip(asset.profile.clone()).ok_or_else(dangling)?;
        let mut facts = None;
        if !delta.facts.is_empty() {
            let mut changed = profile.as_ref().clone();
            delta.facts.clone().make(&mut changed);
            facts = Some(changed);
        }
        let now = facts.as_ref().unwrap_or(&profile);
        let (stances, fresh) = self.restate(&before, &profile, now, delta);
        self.conclude(&fresh);
        let said = Said {
            stances,
            addresses: delta.facts.addresses.as_deref().map(Arc::from),
            index_age: delta.index.oldest_age_seconds,
            sum: delta.result,
            profile: facts.map(profile_of),
        };
        self.take_report(record, ordinal, sequence, said);
        Ok(())
    }

    /// The stances of an asset after a delta, where they are others, and those of them that were not known before.
    fn restate(
        &mut self,
        stances: &Stances,
        before: &HostFacts,
        now: &HostFacts,
        delta: &InventoryDelta,
    ) -> (Option<Stances>, Vec<StanceId>) {
        let (os_before, os) = (before.os.osv_ecosystem(), now.os.osv_ecosystem());
        let elsewhere = os != os_before || before.offers_known != now.offers_known;
        let touched: Vec<StanceId> = if elsewhere {
            stances.to_vec()
        } else {
            self.touched(stances, os.as_deref(), before, now, delta)
        };
        let held: Vec<_> = self.index.entries_of(&touched).map(|entry| entry.stance.clone()).collect();
        let removed: BTreeSet<&Component> = delta.removed.iter().collect();
        let mut components: Vec<Arc<Component>> =
            held.iter().flat_map(|stance| stance.components.iter().cloned()).collect();
        components.retain(|component| !removed.contains(component.as_ref()));
        components.extend(delta.added.iter().cloned().map(Arc::new));
        components.sort_unstable();
        let offers = held.iter().flat_map(|stance| &stance.offers);
        let offers = offers.filter(|offer| !delta.withdrawn.iter().any(|key| key.names(offer)));
        let offers: Vec<&Offer> = offers.chain(&delta.offered).collect();

        let splits = delta.added.iter().chain(&delta.removed).any(is_split_kernel);
        let told = held.iter().find_map(|stance| Some(stance.kernel.as_ref()?.split));
        let split = match told {
            Some(split) if !splits => split,
            _ => {
                let rest: Vec<StanceId> = only_in(stances, &touched).collect();
                let rest = self.index.entries_of(&rest).flat_map(|entry| &entry.stance.components);
                // Only kernels ask.
                asks_for_split(os.as_deref(), &components)
                    && components.iter().chain(rest).any(|c| is_split_kernel(c))
            }
        };
        let around = Around { os: os.as_deref(), facts: now, split };
        let drafts =
            drafts(around, components.iter().map(|component| Part::of(component)), offers.into_iter());
        let (found, fresh) = self.index.find(&drafts);
        let mut ids: Vec<StanceId> = only_in(stances, &touched).chain(found).collect();
        ids.sort_unstable();
        let other = ids != **stances;
        (other.then(|| self.index.list(&ids)), fresh)
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
            places.into_iter().filter_map(|place| Some(self.index.held(stances, place)?.0)).collect();
        let splits = delta.added.iter().chain(&delta.removed).any(is_split_kernel);
        let kernels = before.kernel != now.kernel || splits;
        let (was, is) = (replaced(before), replaced(now));
        let other: BTreeSet<&str> = was.symmetric_difference(&is).copied().collect();
        if kernels || !other.is_empty() {
            touched.extend(stances.iter().filter(|id| {
                let Some(entry) = self.index.entry(**id) else { return false };
                let stance = &entry.stance;
                let runs = |component: &Arc<Component>| other.contains(component.name.as_str());
                kernels && stance.kernel.is_some() || stance.components.iter().any(runs)
            }));
        }
        touched.into_iter().collect()
    }

    fn take_report(&mut self, record: &Record, ordinal: AssetOrdinal, sequence: u64, said: Said) {
        let profile = said.profile.map(|profile| self.index.profile(profile));
        let Some(asset) = self.assets.get_mut(ordinal) else { return };
        let profile_before = profile.as_ref().and_then(|profile| asset.profile.replace(profile.clone()));
        let before = said.stances.as_ref().and_then(|now| asset.stances.replace(now.clone()));
        let known = asset.first_reported.is_some();
        if !known {
            asset.first_reported = Some(record.time);
        } else if let (Some(before), Some(now)) = (&before, &said.stances) {
            let pairs = |ids: &[StanceId], other: &[StanceId]| -> BTreeSet<SourcePackage> {
                let entries = only_in(ids, other).filter_map(|id| self.index.entry(id));
                entries.flat_map(|entry| entry.stance.pairs()).collect()
            };
            let (gone, come) = (pairs(before, now), pairs(now, before));
            asset.since.retain(|pair, _| !gone.contains(pair) || come.contains(pair));
            asset.since.extend(come.difference(&gone).map(|pair| (pair.clone(), record.time)));
        }
        asset.reported = Some((sequence, record.time));
        asset.said = Some(said.sum);
        asset.index_age = said.index_age;
        if let Some(addresses) = said.addresses {
            asset.addresses = addresses;
        }
        if let Some(profile) = &profile {
            if let Some(os) = profile_before.as_ref().and_then(|before| before.os.osv_ecosystem()) {
                count_off(&mut self.systems, &os);
            }
            if let Some(os) = profile.os.osv_ecosystem() {
                count_one(&mut self.systems, &os);
            }
        }
        if let Some(now) = &said.stances {
            self.index.replace(ordinal, before.as_ref(), now);
        }
        self.index.give_back(before.as_ref(), profile_before.as_ref());
        let moved = self.weigh(ordinal);
        // What has never reported is counted nowhere.
        if let (true, Some(bearing)) = (known, moved) {
            self.shift(ordinal, &bearing);
        }
    }
}

/// Whether a kernel is among them, whose stance says whether its image was split off.
fn asks_for_split(os: Option<&str>, components: &[Arc<Component>]) -> bool {
    components.iter().any(|component| {
        let scheme = package_of(os, component).0.and_then(Scheme::of_osv_ecosystem);
        scheme.is_some_and(|scheme| is_kernel(scheme, component))
    })
}

/// What differs from host to host, or is in the stances, is not kept a second time.
fn profile_of(facts: HostFacts) -> HostFacts {
    HostFacts {
        hostname: String::new(),
        offers: Vec::new(),
        addresses: Vec::new(),
        index: IndexState { oldest_age_seconds: None },
        ..facts
    }
}

//! What hosts report: whole, or what changed since their last report.
//!
//! A delta is decided and applied against the state alone. It leads to the same state as the whole report would, for which both
//! sides answer with sums.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use tenon_model::{
    AssetId, AssetOrdinal, Blob, Component, Digest, Event, HostFacts, IndexState, InventoryDelta,
    InventorySum, Offer, Record, Refusal, RefusalCode, Sum,
};

use crate::ahead::Report;
use crate::apply::{ApplyError, Attachments};
use crate::assets::AssetState;
use crate::change::{Change, Difference, Moved, Restated};
use crate::decide::{Decided, refuse};
use crate::index::Stances;
use crate::life;
use crate::stance::package_of;
use crate::world::{World, count_off, count_one};

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
    change: Change,
) -> Result<Decided, Refusal> {
    let state = reporting(world, asset, sequence)?;
    let Change { delta, written, restated } = change;
    let holds = |restated: &Restated| state.said == Some(delta.base) && restated.holds(&world.index, state);
    let restated = match restated.filter(holds) {
        Some(restated) => restated,
        None => following(world, state, &delta).map_err(|what| {
            let message = format!("delta {sequence} of {asset} {what}: send a whole report");
            Refusal::new(RefusalCode::StaleBase, message)
        })?,
    };
    let mut decided =
        Decided { events: life::before_report(state, delta.hostname.as_deref()), ..Decided::default() };
    decided.written = Some((decided.events.len(), written));
    decided.events.push(Event::InventoryChanged { asset, sequence, delta });
    decided.attachments.insert_restated(asset, sequence, restated);
    Ok(decided)
}

/// What a delta leads to, which must follow what the asset last said and lead to what it says.
///
/// # Errors
/// What of it does not.
pub(crate) fn following(
    world: &World,
    asset: &AssetState,
    delta: &InventoryDelta,
) -> Result<Restated, String> {
    let (Some(said), Some(profile), Some(stances)) = (asset.said, &asset.profile, &asset.stances) else {
        return Err("follows no report".to_owned());
    };
    if said != delta.base {
        return Err(format!(
            "differs from packages {} and facts {}, and the last report said {} and {}",
            delta.base.packages, delta.base.facts, said.packages, said.facts
        ));
    }
    let difference = world.index.difference(stances, profile, delta);
    let result = result_of(world, asset, said, &difference)?;
    if result != delta.result {
        return Err(format!(
            "leads to packages {} and facts {}, and says {} and {}",
            result.packages, result.facts, delta.result.packages, delta.result.facts
        ));
    }
    Ok(world.index.restate(difference))
}

/// What an asset says after a delta, as sums.
///
/// # Errors
/// What it takes away that is not there, or adds that is.
fn result_of(
    world: &World,
    asset: &AssetState,
    said: InventorySum,
    Difference { delta, profile, os_before: os, touched, added, .. }: &Difference<'_>,
) -> Result<InventorySum, String> {
    let InventorySum { mut packages, mut facts } = said;
    // What it names is in a stance that it bears on, or nowhere.
    let has = |component: &Component| {
        let held = world.index.held(touched, package_of(os.as_deref(), component));
        held.is_some_and(|(_, entry)| entry.stance.components.iter().any(|held| **held == *component))
    };
    for component in &delta.removed {
        if !has(component) {
            return Err(format!("removes {} {}, which is not there", component.name, component.version));
        }
        packages = packages.without(&component.digest());
    }
    for (component, digest) in delta.added.iter().zip(added) {
        if has(component) {
            return Err(format!("adds {} {}, which is there", component.name, component.version));
        }
        packages = packages.with(digest);
    }
    for key in &delta.withdrawn {
        let held = world.index.held(touched, (os.as_deref(), &key.source));
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
            let before = HostFacts { addresses: asset.addresses.to_vec(), ..profile.as_ref().clone() };
            delta.facts.sum_after(facts, &before)
        }
    };
    Ok(InventorySum { packages, facts })
}

/// What an asset says after a report; `None` is what it said before.
struct Said<'m> {
    stances: Option<Stances>,
    /// What these stances brought and took, where it was worked out already.
    moved: Option<&'m Moved>,
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
            moved: None,
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
        blobs: &Attachments,
    ) -> Result<(), ApplyError> {
        let dangling = || ApplyError::Dangling { seq: record.seq, what: format!("a report of {id}") };
        let ordinal = self.known(record.seq, &id)?;
        let asset = self.assets.get(ordinal).ok_or_else(dangling)?;
        let restated = match blobs.restated((id, sequence)) {
            Some(restated) if restated.holds(&self.index, asset) => restated,
            _ => {
                let (stances, profile) =
                    asset.stances.as_ref().zip(asset.profile.as_ref()).ok_or_else(dangling)?;
                Arc::new(self.index.restate(self.index.difference(stances, profile, delta)))
            }
        };
        let (stances, fresh) = self.index.take_restated(&restated);
        self.conclude(&fresh);
        let said = Said {
            stances,
            moved: restated.moved(),
            addresses: delta.facts.addresses.as_deref().map(Arc::from),
            index_age: delta.index.oldest_age_seconds,
            sum: delta.result,
            profile: restated.facts().cloned().map(profile_of),
        };
        self.take_report(record, ordinal, sequence, said);
        Ok(())
    }

    fn take_report(&mut self, record: &Record, ordinal: AssetOrdinal, sequence: u64, said: Said<'_>) {
        let profile = said.profile.map(|profile| self.index.profile(profile));
        let Some(asset) = self.assets.get_mut(ordinal) else { return };
        let profile_before = profile.as_ref().and_then(|profile| asset.profile.replace(profile.clone()));
        let before = said.stances.as_ref().and_then(|now| asset.stances.replace(now.clone()));
        let known = asset.first_reported.is_some();
        if !known {
            asset.first_reported = Some(record.time);
        } else if let (Some(before), Some(now)) = (&before, &said.stances) {
            let moved = said.moved.map_or_else(|| Cow::Owned(self.index.moved(before, now)), Cow::Borrowed);
            for pair in &moved.went {
                asset.since.remove(pair);
            }
            asset.since.extend(moved.came.iter().map(|pair| (pair.clone(), record.time)));
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
        if profile.is_some() {
            self.assets.ask(ordinal);
        }
        if let Some(now) = &said.stances {
            self.index.replace(ordinal, before.as_ref(), now);
        }
        let moved = self.weigh(ordinal);
        // What has never reported is counted nowhere.
        if let (true, Some(bearing)) = (known, moved) {
            self.shift(ordinal, &bearing);
        }
    }
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

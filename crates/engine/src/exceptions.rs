//! Exceptions: what is accepted on which assets, and what that leaves to do.
//!
//! ```text
//! a person grants --> assets on which it is open now --> their directives want it there no more
//! its time is up, or a person takes it back -----------> they want it again, by the clock of before
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tenon_model::{
    AssetOrdinal, AssetSet, Event, Exception, ExceptionEnd, ExceptionId, ExceptionRequest, ExceptionScope,
    Person, Refusal, RefusalCode, SourcePackage, Timestamp, VulnerabilityId, Want,
};

use crate::decide::{refuse, worded};
use crate::life;
use crate::world::World;

/// Longest time that a risk is accepted for, in days: whoever still means it looks at it again once a year.
pub const MAX_EXCEPTION_DAYS: u32 = 366;

/// An exception and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ExceptionState {
    /// What is accepted where, and why.
    pub exception: Exception,
    /// Since when.
    pub granted: Timestamp,
    /// When and how it ended.
    pub ended: Option<(Timestamp, ExceptionEnd)>,
}

/// All that were ever granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exceptions {
    all: BTreeMap<ExceptionId, Arc<ExceptionState>>,
    /// Where a vulnerability is accepted now.
    accepted: BTreeMap<VulnerabilityId, AssetSet>,
    /// The assets on which anything is accepted now.
    touched: AssetSet,
}

impl Serialize for Exceptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all.iter().map(|(id, state)| (id, state.as_ref())))
    }
}

impl Exceptions {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (ExceptionId, &ExceptionState)> {
        self.all.iter().map(|(id, state)| (*id, state.as_ref()))
    }

    pub(crate) fn get(&self, id: ExceptionId) -> Option<&ExceptionState> {
        self.all.get(&id).map(Arc::as_ref)
    }

    fn next(&self) -> ExceptionId {
        let last = self.all.last_key_value().map_or(0, |(id, _)| id.ordinal());
        ExceptionId::new(last.saturating_add(1))
    }

    /// Those that have not ended.
    fn standing(&self) -> impl Iterator<Item = (ExceptionId, &ExceptionState)> {
        self.iter().filter(|(_, state)| state.ended.is_none())
    }

    /// Those about a vulnerability that have not ended.
    fn about<'e>(
        &'e self,
        about: &'e VulnerabilityId,
    ) -> impl Iterator<Item = (ExceptionId, &'e ExceptionState)> {
        self.standing().filter(move |(_, state)| state.exception.vulnerability == *about)
    }

    /// Keeps one; also of a snapshot.
    pub(crate) fn keep(&mut self, id: ExceptionId, state: ExceptionState) {
        let about = state.exception.vulnerability.clone();
        self.all.insert(id, Arc::new(state));
        self.count(&about);
    }

    /// One ended.
    pub(crate) fn end(&mut self, id: ExceptionId, end: &ExceptionEnd, now: Timestamp) -> Option<()> {
        let state = Arc::make_mut(self.all.get_mut(&id)?);
        state.ended = Some((now, end.clone()));
        let about = state.exception.vulnerability.clone();
        self.count(&about);
        Some(())
    }

    /// Finds anew where a vulnerability is accepted.
    fn count(&mut self, about: &VulnerabilityId) {
        let assets = AssetSet::union(self.about(about).map(|(_, state)| &state.exception.assets));
        match assets.is_empty() {
            true => drop(self.accepted.remove(about)),
            false => drop(self.accepted.insert(about.clone(), assets)),
        }
        self.touched = AssetSet::union(self.accepted.values());
    }

    /// Where a vulnerability is accepted.
    pub(crate) fn accepted(&self, about: &VulnerabilityId) -> Option<&AssetSet> {
        self.accepted.get(about)
    }

    /// Whether anything is accepted on an asset.
    pub(crate) fn touches(&self, asset: AssetOrdinal) -> bool {
        self.touched.contains(asset)
    }

    /// The exception by which a vulnerability is accepted on an asset: of several the one that lasts longest.
    pub(crate) fn covering(&self, about: &VulnerabilityId, asset: AssetOrdinal) -> Option<ExceptionId> {
        self.accepted(about).filter(|assets| assets.contains(asset))?;
        let here = self.about(about).filter(|(_, state)| state.exception.assets.contains(asset));
        here.max_by_key(|(_, state)| state.exception.until).map(|(id, _)| id)
    }

    /// Whether anything that a want closes is accepted anywhere.
    pub(crate) fn bear_on(&self, want: &Want) -> bool {
        !self.accepted.is_empty() && want.closes.iter().any(|id| self.accepted.contains_key(id))
    }

    /// What some assets want of a source version, parted by what of it is accepted where. Where all that it closes is accepted, and
    /// it claims nothing else, nothing is wanted.
    pub(crate) fn part(
        &self,
        source: &SourcePackage,
        want: &Arc<Want>,
        assets: &AssetSet,
    ) -> Vec<(Arc<Want>, AssetSet)> {
        let mut parts = vec![(want.clone(), assets.clone())];
        for (about, accepted) in want.closes.iter().filter_map(|id| Some((id, self.accepted(id)?))) {
            let before = std::mem::take(&mut parts);
            for (want, assets) in before {
                let within = assets.intersect(accepted);
                if within.is_empty() {
                    parts.push((want, assets));
                    continue;
                }
                let mut less = want.as_ref().clone();
                less.closes.retain(|id| id != about);
                parts.push((want, assets.without(&within)));
                parts.push((Arc::new(less), within));
            }
        }
        parts.retain(|(want, assets)| {
            let asks = !want.closes.is_empty() || !want.claims.is_empty();
            asks && !assets.is_empty()
        });
        for (want, _) in parts.iter_mut().filter(|(want, _)| want.closes.is_empty()) {
            // As with any update of which only a changelog tells what it closes.
            let vendor = VulnerabilityId::vendor_update(&source.name, &source.version);
            Arc::make_mut(want).closes.extend(vendor);
        }
        parts
    }

    /// Whether all that something closes is accepted on all of these.
    pub(crate) fn accept_all(&self, closes: &[VulnerabilityId], assets: &AssetSet) -> bool {
        let mut each = closes.iter().map(|id| self.accepted(id));
        !closes.is_empty() && each.all(|accepted| accepted.is_some_and(|accepted| assets.is_subset(accepted)))
    }

    /// Since when something was to be done that some assets want again, on which a part of it was accepted meanwhile.
    pub(crate) fn resumed(
        &self,
        closes: &[VulnerabilityId],
        any_wants: impl Fn(&AssetSet) -> bool,
    ) -> Option<Timestamp> {
        let ended = self.iter().filter(|(_, state)| {
            let Exception { vulnerability, assets, .. } = &state.exception;
            let free = || match self.accepted(vulnerability) {
                Some(accepted) => any_wants(&assets.without(accepted)),
                None => any_wants(assets),
            };
            state.ended.is_some() && closes.contains(vulnerability) && free()
        });
        ended.filter_map(|(_, state)| state.exception.since).min()
    }

    /// Those whose time is up.
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = ExceptionId> {
        self.standing().filter(move |(_, state)| state.exception.until <= now).map(|(id, _)| id)
    }
}

impl World {
    /// All exceptions that were ever granted, oldest first.
    pub fn exceptions(&self) -> impl DoubleEndedIterator<Item = (ExceptionId, &ExceptionState)> {
        self.exceptions.iter()
    }

    /// One exception.
    pub fn exception(&self, id: ExceptionId) -> Option<&ExceptionState> {
        self.exceptions.get(id)
    }

    /// The exceptions about a vulnerability that have not ended, oldest first.
    pub fn exceptions_about<'w>(
        &'w self,
        about: &'w VulnerabilityId,
    ) -> impl Iterator<Item = (ExceptionId, &'w ExceptionState)> {
        self.exceptions.about(about)
    }
}

/// What follows from a request, or why it is refused.
pub(crate) fn grant(
    world: &World,
    request: ExceptionRequest,
    by: Person,
    now: Timestamp,
) -> Result<Event, Refusal> {
    let ExceptionRequest { vulnerability, scope, until, owner, control, why } = request;
    worded("an exception needs a control", &control)?;
    worded("an exception needs a reason", &why)?;
    if until <= now || until > now.plus_days(MAX_EXCEPTION_DAYS) {
        let message = format!(
            "an exception ends after now and within {MAX_EXCEPTION_DAYS} days, not at {until}: \
             grant it again then if it still holds"
        );
        return refuse(RefusalCode::BadContent, message);
    }
    let open = world.exposure(&vulnerability).assets();
    let assets = match &scope {
        ExceptionScope::Assets(ids) => {
            let mut assets = AssetSet::default();
            for id in ids {
                let asset = life::enrolled(world, id)?;
                let ordinal = world.ordinal(id).filter(|ordinal| open.contains(*ordinal));
                let Some(ordinal) = ordinal else {
                    let message = format!("{vulnerability} is not open on {} ({id})", asset.hostname);
                    return refuse(RefusalCode::NothingToDo, message);
                };
                assets.insert(ordinal);
            }
            assets
        }
        ExceptionScope::Group(group) => match world.assets.of_group(group) {
            Some(of_group) => open.intersect(of_group),
            None => return refuse(RefusalCode::UnknownAsset, format!("no asset is of group {group}")),
        },
    };
    if assets.is_empty() {
        let message = format!("{vulnerability} is open on none of these assets: there is nothing to accept");
        return refuse(RefusalCode::NothingToDo, message);
    }
    let answering = world.open_directives().filter(|(_, state)| {
        state.directive.closes.contains(&vulnerability) && !state.members.is_disjoint(&assets)
    });
    let raised = answering.map(|(_, state)| state.raised);
    // Accepted before, it has waited for longer than its directive has stood.
    let resumed =
        world.exceptions.resumed(std::slice::from_ref(&vulnerability), |of| !of.is_disjoint(&assets));
    let since = raised.chain(resumed).min();
    let exception = Box::new(Exception { vulnerability, assets, until, owner, control, why, by, since });
    Ok(Event::ExceptionGranted { id: world.exceptions.next(), exception })
}

/// What follows where a person takes an exception back.
pub(crate) fn revoke(world: &World, id: ExceptionId, by: Person, why: String) -> Result<Event, Refusal> {
    if world.exception(id).is_none_or(|state| state.ended.is_some()) {
        let message = format!("{id} is unknown or has ended");
        return refuse(RefusalCode::UnknownException, message);
    }
    worded("to take an exception back needs a reason", &why)?;
    Ok(Event::ExceptionEnded { id, end: ExceptionEnd::Revoked { by, why } })
}

/// The exceptions whose time is up.
pub(crate) fn expire(world: &World, now: Timestamp) -> Vec<Event> {
    let expired = world.exceptions.expired(now);
    expired.map(|id| Event::ExceptionEnded { id, end: ExceptionEnd::Expired }).collect()
}

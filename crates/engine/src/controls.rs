//! Compensating controls: what they leave over of a loss, and how long they count.
//!
//! ```text
//! a person records --> the assets before which it stands bear it --> losses of what it covers are as much less likely
//! its time is up, or a person takes it away ---------------------> they count in full again
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tenon_model::{
    AssetOrdinal, AssetSet, AttackVector, Basis, Control, ControlEnd, ControlId, ControlRequest,
    ControlScope, Event, Person, Refusal, RefusalCode, Timestamp, VulnerabilityId,
};

use crate::assets::AssetState;
use crate::context::Bearing;
use crate::decide::{refuse, worded};
use crate::life;
use crate::priority::danger;
use crate::world::World;

/// Longest time that a control counts for, in days, before somebody has to say again that it stands.
pub const MAX_CONTROL_DAYS: u32 = 366;
/// Most controls that stand at once: each asset is asked for those before it.
pub(crate) const MAX_CONTROLS: usize = 1_000;
/// Most vulnerabilities that one names.
pub(crate) const MAX_COVERED: usize = 1_000;
/// The least that any control leaves over, in parts per million: none keeps everybody out, and what it leaves is an estimate.
pub const LEAST_LEFT: u32 = 10_000;
/// The most: a control that keeps out less is none.
pub const MOST_LEFT: u32 = 990_000;

/// A control and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ControlState {
    /// What stands against what, where.
    pub control: Control,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// When and how it ended.
    pub ended: Option<(Timestamp, ControlEnd)>,
}

impl ControlState {
    /// Whether it stands against a vulnerability that is attacked in this way; `None` where nobody states in which. Then only what
    /// is named is covered: a control against attacks over the network helps against nothing that might be none.
    pub fn covers(&self, about: &VulnerabilityId, vector: Option<AttackVector>) -> bool {
        let Control { vulnerabilities, vectors, .. } = &self.control;
        let named = vulnerabilities.contains(about);
        (named || vulnerabilities.is_empty()) && vector.map_or(named, |vector| vectors.contains(&vector))
    }
}

/// All that were ever recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Controls {
    all: BTreeMap<ControlId, Arc<ControlState>>,
    /// Those that have not ended.
    standing: BTreeMap<ControlId, Arc<ControlState>>,
    /// The assets before which any of those stands.
    touched: AssetSet,
}

impl Serialize for Controls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all.iter().map(|(id, state)| (id, state.as_ref())))
    }
}

impl Controls {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (ControlId, &ControlState)> {
        self.all.iter().map(|(id, state)| (*id, state.as_ref()))
    }

    fn next(&self) -> ControlId {
        let last = self.all.last_key_value().map_or(0, |(id, _)| id.ordinal());
        ControlId::new(last.saturating_add(1))
    }

    /// Keeps one; also of a snapshot.
    pub(crate) fn keep(&mut self, id: ControlId, state: ControlState) {
        let state = Arc::new(state);
        if state.ended.is_none() {
            self.touched.extend(&state.control.assets);
            self.standing.insert(id, state.clone());
        }
        self.all.insert(id, state);
    }

    /// One ended.
    pub(crate) fn end(&mut self, id: ControlId, end: &ControlEnd, now: Timestamp) -> Option<()> {
        Arc::make_mut(self.all.get_mut(&id)?).ended = Some((now, end.clone()));
        self.standing.remove(&id);
        self.touched = AssetSet::union(self.standing.values().map(|state| &state.control.assets));
        Some(())
    }

    /// Those that stand before an asset, in order.
    pub(crate) fn before(&self, asset: AssetOrdinal) -> Vec<ControlId> {
        if !self.touched.contains(asset) {
            return Vec::new();
        }
        let here = self.standing.iter().filter(|(_, state)| state.control.assets.contains(asset));
        here.map(|(id, _)| *id).collect()
    }

    /// Of some controls the one that leaves least of a vulnerability that is attacked in this way. What two leave is not multiplied:
    /// nobody knows whether what gets through one is stopped by the other.
    pub(crate) fn strongest(
        &self,
        of: &[ControlId],
        about: &VulnerabilityId,
        vector: Option<AttackVector>,
    ) -> Option<(ControlId, &ControlState)> {
        let states = of.iter().filter_map(|id| Some((*id, self.standing.get(id)?.as_ref())));
        let covering = states.filter(|(_, state)| state.covers(about, vector));
        covering.min_by_key(|(id, state)| (state.control.leaves, *id))
    }

    /// Those whose time is up.
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = ControlId> {
        self.standing.iter().filter(move |(_, state)| state.control.until <= now).map(|(id, _)| *id)
    }
}

/// Why a loss is as much less likely.
pub(crate) fn basis(id: ControlId, state: &ControlState) -> Basis {
    let Control { kind, leaves, what, until, owner, .. } = &state.control;
    Basis {
        fact: format!("a control ({kind}) lets {leaves} of attacks through, until {until}: {what}"),
        source: format!("{owner}, {id}"),
        as_of: Some(state.recorded),
    }
}

impl World {
    /// All controls that were ever recorded, oldest first.
    pub fn controls(&self) -> impl DoubleEndedIterator<Item = (ControlId, &ControlState)> {
        self.controls.iter()
    }

    /// One control.
    pub fn control(&self, id: ControlId) -> Option<&ControlState> {
        self.controls.all.get(&id).map(Arc::as_ref)
    }

    /// The controls that stand before an asset now, oldest first.
    pub fn controls_before(&self, asset: &AssetState) -> impl Iterator<Item = (ControlId, &ControlState)> {
        let ids = asset.bearing().controls.clone();
        ids.into_iter().filter_map(|id| Some((id, self.control(id)?)))
    }

    /// In which way a vulnerability is attacked; `None` where nobody states it.
    pub fn attack_vector(&self, about: &VulnerabilityId) -> Option<AttackVector> {
        danger(self.intel.get(about)?).vector
    }

    /// The controls that stand against a vulnerability before any of these assets, oldest first.
    pub fn controls_against<'w>(
        &'w self,
        about: &'w VulnerabilityId,
        assets: &'w AssetSet,
    ) -> impl Iterator<Item = (ControlId, &'w ControlState)> {
        let standing = self.controls.standing.iter().map(|(id, state)| (*id, state.as_ref()));
        let vector = self.attack_vector(about);
        standing.filter(move |(_, state)| {
            !state.control.assets.is_disjoint(assets) && state.covers(about, vector)
        })
    }

    /// One more stands before some assets, or one less, as `controls` say: whoever wants directives there bears it.
    pub(crate) fn guard(&mut self, assets: &AssetSet) {
        for ordinal in assets.iter() {
            let Some(before) = self.assets.get(ordinal).map(AssetState::bearing) else { continue };
            let controls = self.controls.before(ordinal);
            self.assets.bear(ordinal, Bearing { controls, ..before.as_ref().clone() });
        }
        self.recount(assets);
    }
}

/// What follows from a request, or why it is refused.
pub(crate) fn record(
    world: &World,
    request: ControlRequest,
    by: Person,
    now: Timestamp,
) -> Result<Event, Refusal> {
    let ControlRequest { kind, vulnerabilities, vectors, scope, leaves, until, owner, what } = request;
    worded("a control needs to say what it is and how it was tried: a text", &what)?;
    let bad = |message: String| refuse(RefusalCode::BadContent, message);
    if until <= now || until > now.plus_days(MAX_CONTROL_DAYS) {
        return bad(format!(
            "a control counts until after now and within {MAX_CONTROL_DAYS} days, not until {until}: \
             record it again then if it still stands"
        ));
    }
    if !(LEAST_LEFT..=MOST_LEFT).contains(&leaves.ppm()) {
        return bad(format!(
            "a control leaves {} to {} parts per million over, not {}: none keeps everything out",
            LEAST_LEFT,
            MOST_LEFT,
            leaves.ppm()
        ));
    }
    if vulnerabilities.len() > MAX_COVERED {
        return bad(format!(
            "a control names up to {MAX_COVERED} vulnerabilities, not {}",
            vulnerabilities.len()
        ));
    }
    let all: BTreeSet<AttackVector> = AttackVector::ALL.iter().copied().collect();
    let vectors = if vectors.is_empty() { all.clone() } else { vectors };
    if vulnerabilities.is_empty() && vectors == all {
        let message = "say against what it stands: against which vulnerabilities, or against which ways of attack; \
                       nothing stands against everything";
        return bad(message.to_owned());
    }
    if world.controls.standing.len() >= MAX_CONTROLS {
        return bad(format!("{MAX_CONTROLS} controls stand already: end those that do not stand any more"));
    }
    let assets = before(world, &scope)?;
    let control =
        Box::new(Control { kind, vulnerabilities, vectors, assets, leaves, until, owner, what, by });
    Ok(Event::ControlRecorded { id: world.controls.next(), control })
}

/// The assets that a scope means.
fn before(world: &World, scope: &ControlScope) -> Result<AssetSet, Refusal> {
    let (assets, none) = match scope {
        ControlScope::Assets(ids) => {
            let mut assets = AssetSet::default();
            for id in ids {
                life::enrolled(world, id)?;
                assets.insert_all(world.ordinal(id));
            }
            (assets, "no asset is named".to_owned())
        }
        ControlScope::Group(group) => {
            let of_group = world.assets.of_group(group).cloned().unwrap_or_default();
            (of_group, format!("no asset is of group {group}"))
        }
        ControlScope::Zone(zone) => (world.assets.in_zone(zone), format!("no asset stands in zone {zone}")),
    };
    if assets.is_empty() {
        return refuse(RefusalCode::UnknownAsset, none);
    }
    Ok(assets)
}

/// What follows where a person says that a control does not stand any more.
pub(crate) fn withdraw(world: &World, id: ControlId, by: Person, why: String) -> Result<Event, Refusal> {
    if world.control(id).is_none_or(|state| state.ended.is_some()) {
        return refuse(RefusalCode::UnknownControl, format!("{id} is unknown or has ended"));
    }
    worded("to end a control needs a reason", &why)?;
    Ok(Event::ControlEnded { id, end: ControlEnd::Withdrawn { by, why } })
}

/// The controls whose time is up.
pub(crate) fn expire(world: &World, now: Timestamp) -> Vec<Event> {
    let expired = world.controls.expired(now);
    expired.map(|id| Event::ControlEnded { id, end: ControlEnd::Expired }).collect()
}

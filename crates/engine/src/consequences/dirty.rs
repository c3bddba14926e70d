//! What a batch of events may have changed, so that only that is looked at again.

use std::collections::BTreeSet;

use tenon_model::{
    AdvisoryDelta, AssetId, Directive, DirectiveId, Event, IntelDelta, VexStatement, VulnerabilityId,
};

use crate::apply::Attachments;
use crate::world::World;

/// What to look at again.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Assets whose needs may have changed, and which may take an order.
    pub(super) assets: BTreeSet<AssetId>,
    /// Assets of which only some packages may be needed otherwise.
    pub(super) partly: BTreeSet<AssetId>,
    /// Those packages, by the names that advisories use.
    pub(super) packages: BTreeSet<String>,
    /// Assets that may take an order.
    pub(super) idle: BTreeSet<AssetId>,
    /// Directives whose priority may have changed.
    pub(super) ranked: BTreeSet<DirectiveId>,
    /// Directives of which something changed, so that nothing may be left to do for them.
    changed: BTreeSet<DirectiveId>,
    /// Other published rules count now: what the old ones set does not bind.
    pub(super) other_rules: bool,
    /// Nothing happened: it is only looked whether the directives are what the assets want.
    pub(super) audit: bool,
}

impl Dirty {
    /// Everything there is.
    pub(super) fn everything(world: &World) -> Self {
        Self {
            assets: world.assets().map(|(id, _)| *id).collect(),
            ranked: world.open_directives().map(|(id, _)| id).collect(),
            audit: true,
            ..Self::default()
        }
    }

    /// Begins another round. What may be closed or ordered stays to be looked at until nothing else follows.
    pub(crate) fn next_round(&mut self) {
        self.idle.append(&mut self.assets);
        self.partly.clear();
        self.packages.clear();
        self.ranked.clear();
        self.other_rules = false;
    }

    /// Notes what an event can have consequences for. Called before the event is applied.
    pub(crate) fn note(&mut self, world: &World, event: &Event, blobs: &Attachments) {
        match event {
            Event::InventoryReported { asset, .. } => drop(self.assets.insert(*asset)),
            Event::AssetVerified { id, asset, .. } => {
                self.assets.insert(*asset);
                self.changed.insert(*id);
            }
            Event::RehearsalRecorded { order, .. }
            | Event::ApplyRecorded { order, .. }
            | Event::OrderExpired { order } => {
                self.idle.extend(world.order(order).map(|state| state.order.asset));
            }
            Event::RetryRequested { asset, .. } => drop(self.idle.insert(*asset)),
            Event::ContextSet { asset, .. } => {
                self.ranked.extend(world.asset(asset).into_iter().flat_map(|state| &state.directives));
            }
            // A blob that cannot be read fails the event itself.
            Event::AdvisoriesChanged { delta, .. } => {
                if let Ok(delta) = blobs.json::<AdvisoryDelta>(delta) {
                    self.advisories(world, &delta);
                }
            }
            Event::IntelChanged { delta, .. } => {
                if let Ok(delta) = blobs.json::<IntelDelta>(delta) {
                    self.intel(world, &delta);
                }
            }
            Event::VexStated { document, statements, .. } => {
                let now: Vec<VexStatement> = blobs.json(statements).unwrap_or_default();
                let before = world.vex.get(document).map(|known| known.as_slice()).unwrap_or_default();
                let ids = now.iter().chain(before).map(|statement| &statement.vulnerability).collect();
                self.vulnerabilities(world, &ids);
            }
            Event::RulesSet { .. } => {
                self.other_rules = true;
                self.ranked.extend(world.open_directives().map(|(id, _)| id));
            }
            Event::GroupPromoted { group, .. } => {
                let of_group = world.assets().filter(|(_, asset)| asset.group == *group);
                self.idle.extend(of_group.map(|(id, _)| *id));
            }
            Event::DirectiveApproved { id, .. } | Event::DirectiveClosed { id, .. } => {
                self.idle.extend(world.directive(id).into_iter().flat_map(|state| state.stages.keys()));
            }
            Event::DirectiveRaised { directive, .. } | Event::DirectiveRevised { directive, .. } => {
                self.idle.extend(directive.assets.keys());
            }
            Event::DirectiveChanged { id, change } => {
                self.changed.insert(*id);
                self.idle.extend(change.joined.keys().chain(&change.settled).chain(&change.left));
            }
            Event::TermBegan { .. }
            | Event::TokenIssued { .. }
            | Event::AssetEnrolled { .. }
            | Event::GroupDemoted { .. }
            | Event::OrderIssued { .. } => {}
        }
    }

    /// Directives for which nothing may be left to do.
    pub(super) fn touched(&self) -> &BTreeSet<DirectiveId> {
        &self.changed
    }

    fn advisories(&mut self, world: &World, delta: &AdvisoryDelta) {
        // What an advisory says of itself is among the reasons, and its date starts clocks.
        let named: BTreeSet<&VulnerabilityId> =
            delta.withdrawn.iter().chain(delta.published.iter().map(|advisory| &advisory.id)).collect();
        self.rank(world, |directive| directive.advisories.iter().any(|id| named.contains(id)));
        let before = named.iter().filter_map(|id| world.advisory(id));
        let affected = before.chain(&delta.published).flat_map(|advisory| &advisory.affected);
        self.carriers(world, affected.map(|affected| affected.package.as_str()).collect());
    }

    fn carriers(&mut self, world: &World, packages: BTreeSet<&str>) {
        self.partly.extend(world.index.carriers(&packages));
        self.packages.extend(packages.into_iter().map(str::to_owned));
    }

    /// Assets that carry a package of an advisory about any of these.
    fn vulnerabilities(&mut self, world: &World, ids: &BTreeSet<&VulnerabilityId>) {
        let about =
            |advisory: &&tenon_model::Advisory| advisory.vulnerabilities().iter().any(|id| ids.contains(id));
        let affected = world.advisories().filter(about).flat_map(|advisory| &advisory.affected);
        self.carriers(world, affected.map(|affected| affected.package.as_str()).collect());
    }

    fn intel(&mut self, world: &World, delta: &IntelDelta) {
        let changed: BTreeSet<&VulnerabilityId> = delta.vulnerabilities().into_iter().collect();
        self.rank(world, |directive| {
            directive.closes.iter().chain(&directive.claims).any(|id| changed.contains(id))
        });
    }

    /// The priority of these open directives may have changed.
    fn rank(&mut self, world: &World, which: impl Fn(&Directive) -> bool) {
        let open = world.open_directives().filter(|(_, state)| which(&state.directive));
        self.ranked.extend(open.map(|(id, _)| id));
    }
}

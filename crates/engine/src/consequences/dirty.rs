//! What a batch of events may have changed, so that only that is looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{
    AdvisoryDelta, ApprovalAsked, AssetId, AssetOrdinal, AssetSet, Detection, DetectionEnd, Directive,
    DirectiveChange, DirectiveId, Event, IntelDelta, NoteKind, OrderAction, ReachDelta, VexStatement,
    VulnerabilityId, Wants, ZoneName,
};

use crate::apply::Attachments;
use crate::assets::AssetState;
use crate::context::Bearing;
use crate::directives::DirectiveState;
use crate::index::Stances;
use crate::priority::is_due_by_attack;
use crate::world::World;

/// On which assets a policy may say something else.
#[derive(Debug)]
pub(super) enum Judged {
    /// On all.
    All,
    /// On these.
    Some(AssetSet),
}

/// What to look at again.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Assets whose report may have changed what they need, and which may take an order.
    pub(super) assets: AssetSet,
    /// The stances that these had before they reported; nothing where it was their first report.
    pub(super) before: BTreeMap<AssetOrdinal, Option<Stances>>,
    /// What bore on the priority of these before they reported.
    bearings: BTreeMap<AssetOrdinal, Option<Arc<Bearing>>>,
    /// The signatures that these asked for before they reported.
    asked: BTreeMap<AssetOrdinal, ApprovalAsked>,
    /// Packages of which something else may be needed now.
    pub(super) packages: BTreeSet<String>,
    /// Assets that may take an order.
    pub(super) idle: AssetSet,
    /// Assets that are retired and leave every directive.
    pub(super) retired: AssetSet,
    /// Directives whose priority may have changed.
    pub(super) ranked: BTreeSet<DirectiveId>,
    /// Directives of which something changed, so that nothing may be left to do for them.
    changed: BTreeSet<DirectiveId>,
    /// Directives of which the policy may say something else.
    judged: BTreeMap<DirectiveId, Judged>,
    /// Other published rules count now: what the old ones set does not bind.
    pub(super) other_rules: bool,
    /// Directives whose due date was set by what turned out to be none.
    pub(super) unbound: BTreeSet<DirectiveId>,
    /// Nothing happened: it is only looked whether the directives are what the assets want.
    pub(super) audit: bool,
}

impl Dirty {
    /// Everything there is.
    pub(super) fn everything(world: &World) -> Self {
        Self {
            packages: world.index.all().map(|(_, entry)| entry.stance.package.clone()).collect(),
            ranked: world.open_directives().map(|(id, _)| id).collect(),
            judged: world.open_directives().map(|(id, _)| (id, Judged::All)).collect(),
            audit: true,
            ..Self::default()
        }
    }

    /// Begins another round. What may be closed or ordered stays to be looked at until nothing else follows.
    pub(crate) fn next_round(&mut self) {
        self.idle.extend(&std::mem::take(&mut self.assets));
        self.packages.clear();
        self.retired = AssetSet::default();
        self.ranked.clear();
        self.other_rules = false;
        self.unbound.clear();
    }

    /// Notes what an event can have consequences for. Called before the event is applied.
    pub(crate) fn note(&mut self, world: &World, event: &Event, blobs: &Attachments) {
        match event {
            Event::InventoryReported { asset, .. } | Event::InventoryChanged { asset, .. } => {
                if let Some(ordinal) = world.ordinal(asset) {
                    self.assets.insert(ordinal);
                    let before = world.asset_at(ordinal).and_then(|asset| asset.stances.clone());
                    self.before.entry(ordinal).or_insert(before);
                    let bearing = world.asset_at(ordinal).and_then(|asset| asset.bearing.clone());
                    self.bearings.entry(ordinal).or_insert(bearing);
                    let asked = world
                        .asset_at(ordinal)
                        .and_then(AssetState::profile)
                        .map(|known| known.approval.clone());
                    self.asked.entry(ordinal).or_insert(asked.unwrap_or_default());
                    self.judge_on(world, ordinal);
                }
            }
            Event::AssetRetired { asset, .. } => self.retired.extend(&one(world, asset)),
            // Orders are held back while two hosts would take them.
            Event::CloneGone { asset } => self.idle.extend(&one(world, asset)),
            Event::AssetVerified { id, asset, .. } => {
                self.assets.extend(&one(world, asset));
                self.freed_all(world, *id, &one(world, asset));
                self.changed.insert(*id);
                self.stand_ins(world, asset);
            }
            Event::RehearsalRecorded { order, .. } => {
                if let Some(state) = world.order(order) {
                    self.idle.extend(&one(world, &state.order.asset));
                    self.stand_ins(world, &state.order.asset);
                    self.changed.insert(state.order.directive);
                    let asset = world.ordinal(&state.order.asset);
                    asset.into_iter().for_each(|asset| self.judge_one(state.order.directive, asset));
                }
            }
            Event::ApplyRecorded { order, .. } | Event::OrderExpired { order } => {
                if let Some(state) = world.order(order) {
                    self.idle.extend(&one(world, &state.order.asset));
                    self.changed.insert(state.order.directive);
                    self.stand_ins(world, &state.order.asset);
                    if matches!(state.order.action, OrderAction::PreserveEvidence { .. }) {
                        self.freed(world, state.order.directive, &state.order.asset);
                    }
                }
            }
            Event::EvidenceSealed { order, .. } | Event::EvidenceMissed { order, .. } => {
                if let Some(state) = world.order(order) {
                    self.freed(world, state.order.directive, &state.order.asset);
                }
            }
            Event::EvidenceWaived { id, assets, .. } => {
                assets.iter().for_each(|asset| self.freed(world, *id, asset));
            }
            Event::RetryRequested { id, asset, .. } => {
                self.idle.extend(&one(world, asset));
                self.changed.insert(*id);
                self.stand_ins(world, asset);
            }
            Event::WaveBegan { id, wave } => {
                self.changed.insert(*id);
                let rollout = world.directive(id).and_then(|state| state.rollout.as_ref());
                if let Some(wave) = rollout.and_then(|rollout| rollout.wave(*wave)) {
                    self.idle.extend(&wave.assets);
                }
            }
            Event::RolloutPlanned { id, .. }
            | Event::WaveEnded { id, .. }
            | Event::RolloutHalted { id, .. }
            | Event::RolloutResumed { id, .. } => drop(self.changed.insert(*id)),
            Event::ContextSet { asset, .. } => {
                let wanted = world.ordinal(asset).map(|asset| world.directives_wanted_by(asset));
                self.ranked.extend(wanted.unwrap_or_default());
                world.ordinal(asset).into_iter().for_each(|asset| self.judge_on(world, asset));
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
            Event::ReachAssessed { delta, .. } => {
                if let Ok(delta) = blobs.json::<ReachDelta>(delta) {
                    let moved: BTreeSet<&ZoneName> = delta.about().collect();
                    let open = world.open_directives();
                    let stands_there = |state: &DirectiveState| {
                        let mut footings = state.bearings().footings();
                        footings.any(|footing| footing.depends_on(&moved))
                    };
                    let there: Vec<DirectiveId> =
                        open.filter(|(_, state)| stands_there(state)).map(|(id, _)| id).collect();
                    if world.policy().is_some_and(|known| known.asks_of_reach) {
                        self.judge_all(world, there.iter().copied());
                        // What has begun on a host that does not want it any more is judged as well.
                        let stand_there = world.assets.bearing(|bearing| {
                            bearing.footing.as_ref().is_some_and(|footing| footing.depends_on(&moved))
                        });
                        stand_there.iter().for_each(|asset| self.judge_begun(world, asset));
                    }
                    self.ranked.extend(there);
                }
            }
            Event::VexStated { document, statements, .. } => {
                let now: Vec<VexStatement> = blobs.json(statements).unwrap_or_default();
                let before = world.vex.get(document).map(|known| known.as_slice()).unwrap_or_default();
                let ids = now.iter().chain(before).map(|statement| &statement.vulnerability).collect();
                self.packages.extend(world.packages_about(&ids));
            }
            Event::ExceptionGranted { exception, .. } => self.accepted(world, &exception.vulnerability),
            Event::ExceptionEnded { id, .. } => {
                if let Some(state) = world.exception(*id) {
                    self.accepted(world, &state.exception.vulnerability);
                }
            }
            Event::ControlRecorded { control, .. } => {
                self.ranked.extend(world.directives_wanted_by_any(&control.assets));
            }
            Event::ControlEnded { id, .. } => {
                if let Some(state) = world.control(*id) {
                    self.ranked.extend(world.directives_wanted_by_any(&state.control.assets));
                }
            }
            // Reasons name the host that is attacked.
            Event::AssetRenamed { asset, .. } => {
                let named = world.ordinal(asset).map(|asset| world.directives_of_attacks_on(asset));
                self.ranked.extend(named.unwrap_or_default());
                // What is signed is signed for a host of that name.
                if let Some(ordinal) = world.ordinal(asset).filter(|asset| world.asking().contains(*asset)) {
                    self.judge_begun(world, ordinal);
                }
            }
            Event::DetectionReported { detection, .. } => self.attacked(world, detection),
            Event::DetectionFaded { id, .. } => {
                if let Some(state) = world.detection(*id) {
                    self.ranked.extend(world.directives_about(&state.detection.vulnerability));
                }
            }
            Event::DetectionEnded { id, end } => {
                let Some(state) = world.detection(*id) else { return };
                self.attacked(world, &state.detection);
                // What was no attack sets no date either.
                if matches!(end, DetectionEnd::Dismissed { .. }) {
                    let about = &state.detection.vulnerability;
                    let due_by_it = |id: &DirectiveId| {
                        world
                            .directive(id)
                            .is_some_and(|state| is_due_by_attack(&state.directive.priority, about))
                    };
                    let there = state.asset.into_iter();
                    let there = there.flat_map(|asset| world.directives_closing(about, asset));
                    self.unbound.extend(there.filter(due_by_it));
                }
            }
            Event::ContextTakenOver { .. } => {
                self.ranked.extend(world.open_directives().map(|(id, _)| id));
                self.judge_all(world, world.open_directives().map(|(id, _)| id));
            }
            // Windows and freezes of another policy may be open, and what it forbade may go out.
            Event::PolicySet { .. } => {
                self.judged.extend(world.open_directives().map(|(id, _)| (id, Judged::All)));
                self.changed.extend(world.open_directives().map(|(id, _)| id));
                let open = world.open_directives().map(|(_, state)| state.approved());
                self.idle.extend(&AssetSet::union(open));
            }
            Event::RulesSet { rules, .. } => {
                self.other_rules |= world.rules().release(rules);
                self.ranked.extend(world.open_directives().map(|(id, _)| id));
            }
            Event::GroupPromoted { group, .. } => {
                if let Some(of_group) = world.assets.of_group(group) {
                    self.idle.extend(of_group);
                }
            }
            Event::ApprovalGiven { id, rehearsals, evidence_waived: Some(_), .. } => {
                rehearsals.iter().for_each(|(asset, _)| self.freed(world, *id, asset));
            }
            Event::DirectiveApproved { id, .. }
            | Event::ApprovedByPolicy { id, .. }
            | Event::DirectiveClosed { id, .. } => {
                self.changed.insert(*id);
                if let Some(state) = world.directive(id) {
                    self.idle.extend(&state.members);
                    self.freed_all(world, *id, &state.members);
                }
            }
            // What a rule approves was held back by what this answers.
            Event::DirectiveNoted { id, kind: NoteKind::Answer, .. } => {
                self.judge_all(world, std::iter::once(*id));
            }
            // What waits for it may begin now.
            Event::ChangesSigned { id, leaves, .. } => {
                self.changed.insert(*id);
                self.judged.insert(*id, Judged::All);
                self.idle.extend(&leaves.iter().filter_map(|(asset, _)| world.ordinal(asset)).collect());
            }
            Event::DirectiveRaised { directive, wants, .. } => {
                add_all(&mut self.idle, wants);
                if directive.priority.decision.forensics {
                    self.held(world, wants);
                }
            }
            Event::DirectiveChanged { id, change } => {
                self.changed.insert(*id);
                self.evidence_asked(world, *id, change);
                let of_size = || world.policy().is_some_and(|known| known.asks_of_size);
                if change.priority.is_some() || change.grounds.is_some() || of_size() {
                    self.judge_all(world, std::iter::once(*id));
                }
                add_all(&mut self.idle, &change.joined);
                self.idle.extend(&world.set_of(&change.settled));
                self.idle.extend(&world.set_of(&change.left));
            }
            Event::DirectiveNoted { .. }
            | Event::DirectiveAssigned { .. }
            | Event::DirectiveRevised { .. }
            | Event::TermBegan { .. }
            | Event::HistoryCut { .. }
            | Event::TempoSet { .. }
            | Event::ApprovalGiven { .. }
            | Event::TokenIssued { .. }
            | Event::AssetEnrolled { .. }
            | Event::AssetReturned { .. }
            | Event::AgentStarted { .. }
            | Event::CloneSeen { .. }
            | Event::GroupDemoted { .. }
            | Event::OrderIssued { .. } => {}
        }
    }

    /// Evidence of an asset was sealed, waived or missed: what was held back there, by whichever directive, may go on.
    fn freed(&mut self, world: &World, id: DirectiveId, asset: &AssetId) {
        if let Some(ordinal) = world.ordinal(asset) {
            self.idle.insert(ordinal);
            self.judge_one(id, ordinal);
            self.judge_begun(world, ordinal);
        }
    }

    /// A directive that may have held back other changes of these asks for nothing there any more.
    fn freed_all(&mut self, world: &World, id: DirectiveId, assets: &AssetSet) {
        if world.directive(&id).is_some_and(DirectiveState::asks_for_evidence) {
            self.idle.extend(assets);
            assets.iter().for_each(|asset| self.judge_begun(world, asset));
        }
    }

    /// Other changes of what wants this are held back from now on.
    fn held(&mut self, world: &World, wants: &Wants) {
        if let Wants::Classes(classes) = wants {
            for asset in classes.iter().flat_map(|class| class.assets.iter()) {
                self.judge_begun(world, asset);
            }
        }
    }

    /// What a change of a directive holds back and lets go, where its row asks for evidence before or after.
    fn evidence_asked(&mut self, world: &World, id: DirectiveId, change: &DirectiveChange) {
        let Some(state) = world.directive(&id) else { return };
        let before = state.asks_for_evidence();
        let now = change.priority.as_ref().map_or(before, |priority| priority.decision.forensics);
        if before != now {
            self.idle.extend(&state.members);
            state.members.iter().for_each(|asset| self.judge_begun(world, asset));
        }
        if before {
            self.freed_all(world, id, &world.set_of(&change.settled));
            self.freed_all(world, id, &world.set_of(&change.left));
        }
        if now {
            self.held(world, &change.joined);
        }
    }

    /// Notes the directives of assets that reported and ask for other signatures now. Called after the events are applied.
    pub(crate) fn ask(&mut self, world: &World) {
        for (ordinal, before) in std::mem::take(&mut self.asked) {
            let asks = world.asset_at(ordinal).and_then(AssetState::profile).map(|profile| &profile.approval);
            if asks.is_some_and(|now| *now != before) {
                self.judge_begun(world, ordinal);
            }
        }
    }

    /// Notes the directives of assets that reported and whose context bears otherwise now. Called after the events are
    /// applied.
    pub(crate) fn weigh(&mut self, world: &World) {
        for (ordinal, before) in std::mem::take(&mut self.bearings) {
            // What has never reported is counted nowhere.
            let counted = self.before.get(&ordinal).is_some_and(Option::is_some);
            if counted && world.asset_at(ordinal).is_some_and(|asset| asset.bearing != before) {
                self.ranked.extend(world.directives_wanted_by(ordinal));
            }
        }
    }

    /// What is said of an asset may be another, and with it the rule that matches.
    fn judge_on(&mut self, world: &World, asset: AssetOrdinal) {
        if world.policy().is_some() {
            self.judge_begun(world, asset);
        }
    }

    fn judge_begun(&mut self, world: &World, asset: AssetOrdinal) {
        let begun = world.asset_at(asset).map(|asset| &asset.begun);
        for id in begun.into_iter().flatten() {
            self.judge_one(*id, asset);
        }
    }

    fn judge_one(&mut self, id: DirectiveId, asset: AssetOrdinal) {
        self.changed.insert(id);
        if let Judged::Some(assets) = self.judged.entry(id).or_insert(Judged::Some(AssetSet::default())) {
            assets.insert(asset);
        }
    }

    /// The same on every asset of some directives.
    fn judge_all(&mut self, world: &World, ids: impl Iterator<Item = DirectiveId>) {
        if world.policy().is_some() {
            for id in ids {
                self.changed.insert(id);
                self.judged.insert(id, Judged::All);
            }
        }
    }

    /// Directives of which the policy may say something else, each with the assets on which it may.
    pub(super) fn judged(&self) -> impl Iterator<Item = (DirectiveId, &Judged)> {
        self.judged.iter().map(|(id, judged)| (*id, judged))
    }

    /// Whether the policy may say something else of a directive as a whole.
    pub(super) fn is_judged_anew(&self, id: DirectiveId) -> bool {
        matches!(self.judged.get(&id), Some(Judged::All))
    }

    /// What stands in for an asset may be changed once that is healthy again.
    fn stand_ins(&mut self, world: &World, asset: &AssetId) {
        let redundancy = world.asset(asset).and_then(|asset| asset.redundancy.as_ref());
        if let Some(others) = redundancy.and_then(|name| world.assets.of_redundancy(name)) {
            self.idle.extend(others);
        }
    }

    /// The assets that reported.
    pub(super) fn reported(&self) -> impl Iterator<Item = AssetOrdinal> {
        self.before.keys().copied()
    }

    /// Directives for which nothing may be left to do, or whose rollout may go on.
    pub(super) fn touched(&self) -> &BTreeSet<DirectiveId> {
        &self.changed
    }

    /// Whether attacks are seen changes: on an asset, and thereby near others.
    fn attacked(&mut self, world: &World, Detection { vulnerability, asset, .. }: &Detection) {
        self.ranked.extend(world.directives_about(vulnerability));
        let Some(asset) = asset.as_ref().and_then(|asset| world.ordinal(asset)) else { return };
        for id in world.directives_closing(vulnerability, asset) {
            self.ranked.insert(id);
            self.judge_one(id, asset);
        }
        // Where that makes it an emergency, it may go out now.
        self.idle.insert(asset);
    }

    /// Where a vulnerability is accepted changes.
    fn accepted(&mut self, world: &World, about: &VulnerabilityId) {
        self.packages.extend(world.packages_about(&BTreeSet::from([about])));
    }

    fn advisories(&mut self, world: &World, delta: &AdvisoryDelta) {
        let packages = world.packages_of(delta);
        // What an advisory says of itself is among the reasons, and its date starts clocks.
        let named: BTreeSet<&VulnerabilityId> =
            delta.withdrawn.iter().chain(delta.published.iter().map(|advisory| &advisory.id)).collect();
        for (id, state) in packages.iter().flat_map(|package| world.open_where(package, |_| true)) {
            if state.directive.advisories.iter().any(|id| named.contains(id)) {
                self.ranked.insert(id);
            }
        }
        self.packages.extend(packages);
    }

    fn intel(&mut self, world: &World, delta: &IntelDelta) {
        let changed: BTreeSet<&VulnerabilityId> = delta.vulnerabilities().into_iter().collect();
        let about = |directive: &Directive| {
            directive.closes.iter().chain(&directive.claims).any(|id| changed.contains(id))
        };
        let open = world.open_directives().filter(|(_, state)| about(&state.directive));
        let open: Vec<DirectiveId> = open.map(|(id, _)| id).collect();
        self.judge_all(world, open.iter().copied());
        self.ranked.extend(open);
    }
}

fn one(world: &World, asset: &AssetId) -> AssetSet {
    world.ordinal(asset).into_iter().collect()
}

/// Adds the assets of wants as they are decided now. One class after the other: to make one set of them first takes longer than
/// to add it.
fn add_all(to: &mut AssetSet, wants: &Wants) {
    if let Wants::Classes(classes) = wants {
        for class in classes {
            to.extend(&class.assets);
        }
    }
}

//! What follows from the World as it now stands: directives raised, revised, closed; orders issued.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{
    Action, AssetContext, AssetId, Directive, DirectiveId, Event, GroupName, HostFacts, Manifest, Offer,
    OfferState, Order, OrderAction, OrderId, Outcome, PackageTarget, SourcePackage, Stage, Timestamp,
    VulnerabilityId,
};
use tenon_model::{Capability, Generation};
use tenon_versions::{compare, dpkg};

use crate::apply::Attachments;
use crate::findings::{FindingState, findings};
use crate::kernel::can_lag;
use crate::matching::name;
use crate::priority::{Subject, is_bound, prioritise};
use crate::world::{AssetState, DirectiveState, GroupMode, World};

/// How long a host may take to begin a rehearsal, in seconds.
const REHEARSE_EXPIRES_SECONDS: u32 = 1_800;
/// How long a host may take to begin an apply, in seconds. Short: an approval speaks of the host as it was.
const APPLY_EXPIRES_SECONDS: u32 = 1_800;

/// What a batch of events may have changed, so that only that is looked at again.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    groups: BTreeSet<GroupName>,
    /// Other published rules count now: what the old ones set does not bind.
    other_rules: bool,
}

impl Dirty {
    /// Notes the groups an event can have consequences in. Called before the event is applied.
    pub(crate) fn note(&mut self, world: &World, event: &Event, _blobs: &Attachments) {
        self.other_rules |= matches!(event, Event::RulesSet { .. });
        match event {
            Event::InventoryReported { asset, .. } => {
                self.groups.extend(world.asset(asset).map(|a| a.group.clone()));
            }
            Event::AssetVerified { id, .. } => {
                self.groups.extend(world.directive(id).map(|state| state.directive.group.clone()));
            }
            Event::ContextSet { asset, .. } => {
                self.groups.extend(world.asset(asset).map(|a| a.group.clone()));
            }
            Event::AdvisoriesChanged { .. }
            | Event::IntelChanged { .. }
            | Event::RulesSet { .. }
            | Event::VexStated { .. } => {
                self.groups.extend(world.assets().map(|(_, asset)| asset.group.clone()));
            }
            _ => {}
        }
    }
}

/// The consequences of the World as it stands; empty when nothing is left to conclude.
pub(crate) fn consequences(world: &World, dirty: &Dirty, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut next_directive = world.next_directive;
    for group in &dirty.groups {
        direct(world, group, dirty, now, &mut next_directive, &mut events);
    }
    if events.is_empty() {
        close_finished(world, &mut events);
    }
    if events.is_empty() {
        dispatch(world, now, &mut events);
    }
    events
}

/// What one asset adds to a directive.
#[derive(Default)]
struct Need {
    targets: Vec<PackageTarget>,
    closes: BTreeSet<VulnerabilityId>,
    claims: BTreeSet<VulnerabilityId>,
    advisories: BTreeSet<VulnerabilityId>,
    security: bool,
}

/// What an asset needs, by the source version its own repositories offer.
fn needs(world: &World, asset: &AssetState) -> BTreeMap<SourcePackage, Need> {
    let mut needs: BTreeMap<SourcePackage, Need> = BTreeMap::new();
    let Some(facts) = &asset.facts else { return needs };
    for offer in facts.offers.iter().filter(|offer| offer.state == OfferState::Offered) {
        let need = needs.entry(offer.source.clone()).or_default();
        need.targets.push(target_of(offer));
        need.security |= offer.security;
        need.claims.extend(offer.claims.iter().cloned());
    }
    for finding in findings(world, asset).findings {
        let FindingState::FixOffered { candidate } = finding.state else { continue };
        let source = SourcePackage { name: finding.source.name, version: candidate };
        if let Some(need) = needs.get_mut(&source) {
            need.closes.insert(finding.vulnerability);
            need.advisories.insert(finding.advisory);
        }
    }
    needs.retain(|_, need| need.security || !need.closes.is_empty());
    for (source, need) in &mut needs {
        need.targets.sort_unstable();
        need.claims.retain(|claim| !need.closes.contains(claim));
        if need.closes.is_empty()
            && let Ok(vendor) = VulnerabilityId::vendor_update(&source.name, &source.version)
        {
            need.closes.insert(vendor);
        }
    }
    needs
}

/// Raises, revises and supersedes the directives of one group.
fn direct(
    world: &World,
    group: &GroupName,
    dirty: &Dirty,
    now: Timestamp,
    next: &mut u64,
    events: &mut Vec<Event>,
) {
    let mut wanted: BTreeMap<SourcePackage, BTreeMap<AssetId, Need>> = BTreeMap::new();
    for (id, asset) in world.assets().filter(|(_, asset)| asset.group == *group) {
        for (source, need) in needs(world, asset) {
            wanted.entry(source).or_default().insert(*id, need);
        }
    }
    // An asset that reports a fix is verified first, so that its directive is looked at with that in mind.
    let verified_before = events.len();
    for (id, state) in open_of(world, group) {
        let Action::Upgrade { source } = &state.directive.action;
        for (asset_id, stage) in &state.stages {
            let Some(asset) = world.asset(asset_id) else { continue };
            let Some((sequence, _)) = asset.reported else { continue };
            let later = match stage {
                Stage::Applied { after_sequence, .. } => sequence > *after_sequence,
                Stage::Rehearsing { .. }
                | Stage::Applying { .. }
                | Stage::Verified
                | Stage::FixedOtherwise => false,
                _ => true,
            };
            if later && !still_needed(world, asset, source) {
                events.push(Event::AssetVerified { id, asset: *asset_id, sequence });
            }
        }
    }
    if events.len() > verified_before {
        return;
    }
    // The newest version of each source that is wanted.
    let mut superseding: BTreeMap<String, (SourcePackage, DirectiveId)> = BTreeMap::new();
    for (source, assets) in &wanted {
        let key = (group.clone(), source.clone());
        match world.standing.get(&key).and_then(|id| world.directive(id).map(|state| (*id, state))) {
            Some((_, state)) if state.closed.is_some() => {}
            Some((id, state)) => {
                supersede(&mut superseding, source, id);
                let directive = assemble(world, group, dirty, source, assets, Some(state), now);
                if directive != state.directive {
                    events.push(Event::DirectiveRevised { id, directive });
                }
            }
            None => {
                *next += 1;
                let id = DirectiveId::new(*next);
                supersede(&mut superseding, source, id);
                let directive = assemble(world, group, dirty, source, assets, None, now);
                events.push(Event::DirectiveRaised { id, directive });
            }
        }
    }
    for (id, state) in open_of(world, group) {
        let Action::Upgrade { source } = &state.directive.action;
        if wanted.contains_key(source) {
            continue;
        }
        let keeps = kept_assets(state, &BTreeMap::new());
        if !keeps.is_empty() {
            // What has begun goes on; no host is ordered what it is not offered any more.
            if keeps != state.directive.assets {
                let directive = Directive { assets: keeps, ..state.directive.clone() };
                events.push(Event::DirectiveRevised { id, directive });
            }
            continue;
        }
        let outcome =
            match superseding.get(&source.name) {
                Some((_, by)) if *by != id => Outcome::Superseded { by: *by },
                _ if state.directive.assets.keys().all(|asset| {
                    world.asset(asset).is_some_and(|asset| !still_needed(world, asset, source))
                }) =>
                {
                    continue;
                }
                _ => Outcome::Withdrawn {
                    reason: "no host of the group is offered this version any more".to_owned(),
                },
            };
        events.push(Event::DirectiveClosed { id, outcome });
    }
}

/// Notes a wanted version if it is newer than the one noted for its source.
fn supersede(
    newest: &mut BTreeMap<String, (SourcePackage, DirectiveId)>,
    source: &SourcePackage,
    id: DirectiveId,
) {
    let known = newest.get(&source.name);
    if known.is_none_or(|(known, _)| dpkg::compare(&known.version, &source.version) == Ok(Ordering::Less)) {
        newest.insert(source.name.clone(), (source.clone(), id));
    }
}

fn open_of<'w>(
    world: &'w World,
    group: &'w GroupName,
) -> impl Iterator<Item = (DirectiveId, &'w DirectiveState)> + use<'w> {
    world
        .directives()
        .filter(move |(_, state)| state.closed.is_none() && state.directive.group == *group)
        .map(|(id, state)| (*id, state))
}

/// Assets that stay part of a directive although their repositories no longer offer it: work that has begun, or is
/// done, is not forgotten.
fn kept_assets(
    state: &DirectiveState,
    wanted: &BTreeMap<AssetId, Need>,
) -> BTreeMap<AssetId, Vec<PackageTarget>> {
    state
        .stages
        .iter()
        .filter(|(asset, stage)| {
            !wanted.contains_key(*asset)
                && (stage.is_done()
                    || stage.outstanding_order().is_some()
                    || matches!(stage, Stage::Applied { .. }))
        })
        .filter_map(|(asset, _)| Some((*asset, state.directive.assets.get(asset)?.clone())))
        .collect()
}

fn assemble(
    world: &World,
    group: &GroupName,
    dirty: &Dirty,
    source: &SourcePackage,
    needs: &BTreeMap<AssetId, Need>,
    standing: Option<&DirectiveState>,
    now: Timestamp,
) -> Directive {
    let mut assets: BTreeMap<_, _> =
        needs.iter().map(|(asset, need)| (*asset, need.targets.clone())).collect();
    let (mut closes, mut claims, mut advisories) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for need in needs.values() {
        closes.extend(need.closes.iter().cloned());
        claims.extend(need.claims.iter().cloned());
        advisories.extend(need.advisories.iter().cloned());
    }
    if let Some(state) = standing {
        assets.extend(kept_assets(state, needs));
    }
    let raised = standing.map_or(now, |state| state.raised);
    let mut contexts: BTreeMap<AssetContext, u64> = BTreeMap::new();
    for asset in needs.keys().filter_map(|asset| world.asset(asset)) {
        *contexts.entry(asset.context).or_default() += 1;
    }
    let mut priority = prioritise(
        world,
        &Subject { closes: &closes, claims: &claims, advisories: &advisories, contexts: &contexts, raised },
    );
    // A due date that was set is not moved later: several clocks run, the earliest counts, none restarts. Nor does a
    // newer version that takes an asset over from an older one restart it. Only where something was assumed and is now
    // known, or other rules count, is it set anew.
    let binding = |state: &DirectiveState| {
        let before = &state.directive.priority;
        before.due.filter(|_| !dirty.other_rules && is_bound(before, &priority))
    };
    let old_due = standing.and_then(binding);
    let taken_over = open_of(world, group).filter(|(_, other)| {
        let Action::Upgrade { source: old } = &other.directive.action;
        old.name == source.name
            && dpkg::compare(&old.version, &source.version) == Ok(Ordering::Less)
            && other.directive.assets.keys().any(|asset| assets.contains_key(asset))
    });
    let taken_over = taken_over.filter_map(|(_, other)| binding(other)).min();
    priority.due = [priority.due, old_due, taken_over].into_iter().flatten().min();
    Directive {
        group: group.clone(),
        action: Action::Upgrade { source: source.clone() },
        assets,
        closes: closes.into_iter().collect(),
        claims: claims.into_iter().collect(),
        advisories: advisories.into_iter().collect(),
        priority,
    }
}

/// Whether the last report still shows a binary of the source below the version to reach, or a process that runs code from
/// before it. Old kernel images stay installed after the fix: of those, only the running one counts.
fn still_needed(world: &World, asset: &AssetState, source: &SourcePackage) -> bool {
    let (Some(facts), Some(manifest)) = (&asset.facts, world.manifest_of(asset)) else {
        return true;
    };
    lagging(facts, manifest, source) || runs_replaced(facts, manifest, source)
}

/// Whether a process still runs files that a package of this source has replaced: the fix is on the disk and not in
/// force.
fn runs_replaced(facts: &HostFacts, manifest: &Manifest, source: &SourcePackage) -> bool {
    facts.stale.iter().filter_map(|process| process.package.as_ref()).any(|package| {
        manifest
            .components()
            .iter()
            .any(|component| component.name == *package && component.source.name == source.name)
    })
}

fn lagging(facts: &HostFacts, manifest: &Manifest, source: &SourcePackage) -> bool {
    let os = facts.os.osv_ecosystem();
    manifest.components().iter().any(|component| {
        let Some(named) = name(os.as_deref(), component) else { return false };
        named.package == source.name
            && can_lag(named.scheme, facts, component)
            // A version that cannot be compared is no evidence of the fix.
            && !matches!(
                compare(named.scheme, named.version, &source.version),
                Ok(Ordering::Equal | Ordering::Greater)
            )
    })
}

fn close_finished(world: &World, events: &mut Vec<Event>) {
    for (id, state) in world.directives().filter(|(_, state)| state.closed.is_none()) {
        if !state.stages.is_empty() && state.stages.values().all(Stage::is_done) {
            events.push(Event::DirectiveClosed { id: *id, outcome: Outcome::Fixed });
        }
    }
}

/// Gives every idle asset of an acting group its next order: approved work first, then the most urgent rehearsal.
/// One order at a time on a host.
fn dispatch(world: &World, now: Timestamp, events: &mut Vec<Event>) {
    let mut busy: BTreeSet<AssetId> = BTreeSet::new();
    let mut next_order = world.next_order;
    let queue = world.queue();
    let approved = |stage: &Stage| matches!(stage, Stage::Approved { .. });
    let proposed = |stage: &Stage| matches!(stage, Stage::Proposed);
    let passes: [&dyn Fn(&Stage) -> bool; 2] = [&approved, &proposed];
    for wanted in passes {
        for (id, state) in &queue {
            for (asset_id, stage) in state.stages.iter().filter(|(_, stage)| wanted(stage)) {
                let targets = state.directive.assets.get(asset_id);
                let ready = world
                    .asset(asset_id)
                    .is_some_and(|asset| can_act(world, asset) && targets.is_some_and(|t| offers(asset, t)));
                if !ready || busy.contains(asset_id) {
                    continue;
                }
                let Some((action, expires)) = order_for(state, asset_id, stage) else { continue };
                busy.insert(*asset_id);
                next_order += 1;
                events.push(Event::OrderIssued {
                    order: Order {
                        id: OrderId::new(next_order),
                        asset: *asset_id,
                        directive: *id,
                        generation: Generation { term: world.term(), counter: next_order },
                        issued: now,
                        expires: now.plus_seconds(expires),
                        action,
                    },
                });
            }
        }
    }
}

fn can_act(world: &World, asset: &AssetState) -> bool {
    world.mode(&asset.group) == GroupMode::Act
        && asset.outstanding.is_none()
        && asset.facts.as_ref().is_some_and(|facts| facts.capability == Capability::Act)
}

/// Whether the host's last report still offers every one of these. Where it does not, the order would fail on the host;
/// the next report settles what becomes of the directive.
fn offers(asset: &AssetState, targets: &[PackageTarget]) -> bool {
    let Some(facts) = &asset.facts else { return false };
    targets.iter().all(|target| {
        facts.offers.iter().any(|offer| offer.state == OfferState::Offered && *target == target_of(offer))
    })
}

fn target_of(offer: &Offer) -> PackageTarget {
    PackageTarget {
        package: offer.package.clone(),
        architecture: offer.architecture.clone(),
        from: offer.installed.clone(),
        to: offer.candidate.clone(),
    }
}

fn order_for(state: &DirectiveState, asset: &AssetId, stage: &Stage) -> Option<(OrderAction, u32)> {
    let targets = state.directive.assets.get(asset)?.clone();
    if matches!(stage, Stage::Approved { .. }) {
        let report = state.rehearsals.get(asset)?;
        let (transaction, files) = (report.transaction.clone(), report.files.clone());
        return Some((OrderAction::Apply { targets, transaction, files }, APPLY_EXPIRES_SECONDS));
    }
    Some((OrderAction::Rehearse { targets }, REHEARSE_EXPIRES_SECONDS))
}

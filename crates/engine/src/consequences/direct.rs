//! Which directives are raised, change and close, and by what they change.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{
    Action, AssetId, Directive, DirectiveChange, DirectiveId, Event, Grounds, GroupName, Outcome, Priority,
    SourcePackage, Stage, Timestamp, Want,
};
use tenon_versions::dpkg;

use super::dirty::Dirty;
use super::needs::{needs, still_needed};
use crate::priority::{Subject, contexts, is_bound, prioritise};
use crate::world::{AssetState, DirectiveState, World};

/// Assets of a directive and what each adds.
type Wants = BTreeMap<AssetId, Arc<Want>>;

/// What changes of the directives that dirty assets are part of, or become part of.
pub(super) fn direct(world: &World, dirty: &Dirty, now: Timestamp) -> Vec<Event> {
    // An asset that reports a fix is verified first, and looked at again with that in mind.
    let (mut events, verified) = if dirty.audit { Default::default() } else { verified(world, dirty) };
    let mut joining: BTreeMap<DirectiveId, Wants> = BTreeMap::new();
    let mut raised: BTreeMap<(GroupName, SourcePackage), Wants> = BTreeMap::new();
    let mut parting: BTreeMap<DirectiveId, BTreeSet<AssetId>> = BTreeMap::new();
    let whole = dirty.assets.difference(&verified).map(|id| (id, None));
    let partly = dirty.partly.difference(&dirty.assets).map(|id| (id, Some(&dirty.packages)));
    for (id, among) in whole.chain(partly) {
        let Some(asset) = world.asset(id) else { continue };
        // Where nobody could ask what the host is offered, its silence says nothing.
        if asset.facts.as_ref().is_some_and(|facts| !facts.offers_known) {
            continue;
        }
        let mut wanted = BTreeSet::new();
        for (source, want) in needs(world, asset, among) {
            let key = (asset.group.clone(), source);
            match world.standing.get(&key).and_then(|id| world.directive(id).map(|state| (*id, state))) {
                // Refused: it stands, so that it is not raised again.
                Some((_, state)) if state.closed.is_some() => {}
                Some((directive, state)) => {
                    wanted.insert(directive);
                    if state.wants.get(id).map(Arc::as_ref) != Some(&want) {
                        joining.entry(directive).or_default().insert(*id, Arc::new(want));
                    }
                }
                None => drop(raised.entry(key).or_default().insert(*id, Arc::new(want))),
            }
        }
        for directive in asset.directives.difference(&wanted) {
            if among.is_some_and(|among| !is_about(world, *directive, among)) {
                continue;
            }
            parting.entry(*directive).or_default().insert(*id);
        }
    }
    let mut next = world.next_directive;
    let mut fresh: BTreeMap<(GroupName, String), Vec<(SourcePackage, DirectiveId)>> = BTreeMap::new();
    for ((group, source), wants) in raised {
        next += 1;
        let id = DirectiveId::new(next);
        fresh.entry((group.clone(), source.name.clone())).or_default().push((source.clone(), id));
        let grounds = grounds(&wants);
        let assets: BTreeSet<AssetId> = wants.keys().copied().collect();
        let priority = priority(world, dirty, &group, &source, &wants, &assets, &grounds, None, now);
        let assets = wants.iter().map(|(asset, want)| (*asset, want.targets.clone())).collect();
        let Grounds { closes, claims, advisories } = grounds;
        let action = Action::Upgrade { source };
        let directive = Directive { group, action, assets, closes, claims, advisories, priority };
        events.push(Event::DirectiveRaised { id, directive, wants });
    }
    let mut unwanted = BTreeSet::new();
    let ids: BTreeSet<DirectiveId> =
        joining.keys().chain(parting.keys()).chain(&dirty.ranked).copied().collect();
    for id in ids {
        let Some(state) = world.directive(&id).filter(|state| state.closed.is_none()) else { continue };
        let joined = joining.remove(&id).unwrap_or_default();
        let parting = parting.remove(&id).unwrap_or_default();
        match change(world, dirty, state, joined, &parting, now) {
            Changed::To(change) if change.is_empty() => {}
            Changed::To(change) => events.push(Event::DirectiveChanged { id, change }),
            Changed::Unwanted => drop(unwanted.insert(id)),
        }
    }
    for id in &unwanted {
        if let Some(state) = world.directive(id)
            && let Some(outcome) = outcome(world, *id, state, &fresh, &unwanted)
        {
            events.push(Event::DirectiveClosed { id: *id, outcome });
        }
    }
    events
}

/// Whether a directive is about one of these packages.
fn is_about(world: &World, id: DirectiveId, packages: &BTreeSet<String>) -> bool {
    world.directive(&id).is_some_and(|state| {
        let Action::Upgrade { source } = &state.directive.action;
        packages.contains(&source.name)
    })
}

/// Assets whose later report shows a fix, and the events that say so.
fn verified(world: &World, dirty: &Dirty) -> (Vec<Event>, BTreeSet<AssetId>) {
    let (mut events, mut assets) = (Vec::new(), BTreeSet::new());
    for asset_id in &dirty.assets {
        let Some(asset) = world.asset(asset_id) else { continue };
        let Some((sequence, _)) = asset.reported else { continue };
        for id in &asset.directives {
            let Some(state) = world.directive(id) else { continue };
            let Action::Upgrade { source } = &state.directive.action;
            let later = match state.stages.get(asset_id) {
                Some(Stage::Applied { after_sequence, .. }) => sequence > *after_sequence,
                None
                | Some(
                    Stage::Rehearsing { .. }
                    | Stage::Applying { .. }
                    | Stage::Verified
                    | Stage::FixedOtherwise,
                ) => false,
                Some(_) => true,
            };
            if later && !still_needed(world, asset, source) {
                events.push(Event::AssetVerified { id: *id, asset: *asset_id, sequence });
                assets.insert(*asset_id);
            }
        }
    }
    (events, assets)
}

/// What becomes of a directive.
enum Changed {
    To(Box<DirectiveChange>),
    /// No asset wants it, and none has begun.
    Unwanted,
}

fn change(
    world: &World,
    dirty: &Dirty,
    state: &DirectiveState,
    joined: Wants,
    parting: &BTreeSet<AssetId>,
    now: Timestamp,
) -> Changed {
    let directive = &state.directive;
    let (mut settled, mut left) = (BTreeSet::new(), BTreeSet::new());
    for asset in parting {
        // Work that has begun, or is done, is not forgotten.
        let begun = state.stages.get(asset).is_some_and(|stage| {
            stage.is_done() || stage.outstanding_order().is_some() || matches!(stage, Stage::Applied { .. })
        });
        // What an asset did not want before stays until its own next report, which alone settles what became of it.
        let wants = state.wants.contains_key(asset);
        if !begun && (wants || !dirty.audit) {
            left.insert(*asset);
        } else if begun && wants {
            settled.insert(*asset);
        }
    }
    let mut wants = state.wants.clone();
    wants.retain(|asset, _| !left.contains(asset) && !settled.contains(asset));
    wants.extend(joined.iter().map(|(asset, want)| (*asset, want.clone())));
    let mut assets: BTreeSet<AssetId> = directive.assets.keys().copied().collect();
    assets.extend(joined.keys());
    assets.retain(|asset| !left.contains(asset));
    if assets.is_empty() {
        return Changed::Unwanted;
    }
    let mut change = Box::new(DirectiveChange { joined, settled, left, grounds: None, priority: None });
    // Where no asset wants it any more, what has begun goes on for the reasons it began for.
    if wants.is_empty() {
        return Changed::To(change);
    }
    let grounds = grounds(&wants);
    let joining: BTreeSet<AssetId> =
        change.joined.keys().filter(|asset| !directive.assets.contains_key(asset)).copied().collect();
    let Action::Upgrade { source } = &directive.action;
    let priority =
        priority(world, dirty, &directive.group, source, &wants, &joining, &grounds, Some(state), now);
    change.priority = (priority != directive.priority).then_some(priority);
    let same = grounds.closes == directive.closes
        && grounds.claims == directive.claims
        && grounds.advisories == directive.advisories;
    change.grounds = (!same).then_some(grounds);
    Changed::To(change)
}

/// What the assets' wants say together.
fn grounds(wants: &Wants) -> Grounds {
    let (mut closes, mut claims, mut advisories) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for want in wants.values() {
        closes.extend(&want.closes);
        claims.extend(&want.claims);
        advisories.extend(&want.advisories);
    }
    let ids = |ids: BTreeSet<&tenon_model::VulnerabilityId>| ids.into_iter().cloned().collect();
    Grounds { closes: ids(closes), claims: ids(claims), advisories: ids(advisories) }
}

#[expect(clippy::too_many_arguments, reason = "a directive before it is one")]
fn priority(
    world: &World,
    dirty: &Dirty,
    group: &GroupName,
    source: &SourcePackage,
    wants: &Wants,
    joining: &BTreeSet<AssetId>,
    grounds: &Grounds,
    standing: Option<&DirectiveState>,
    now: Timestamp,
) -> Priority {
    let contexts = contexts(world, wants.keys());
    let raised = standing.map_or(now, |state| state.raised);
    let mut priority = prioritise(world, &Subject { grounds, contexts: &contexts, raised });
    // A due date that was set is not moved later: several clocks run, the earliest counts, none restarts. Only where
    // something was assumed and is now known, or other rules count, is it set anew.
    let binding = |state: &DirectiveState| {
        let before = &state.directive.priority;
        before.due.filter(|_| !dirty.other_rules && is_bound(before, &priority))
    };
    let old_due = standing.and_then(binding);
    // Nor does a newer version that takes an asset over from an older one restart it.
    let taken_over = open_of_source(world, group, &source.name).filter(|(_, older, other)| {
        dpkg::compare(&older.version, &source.version) == Ok(Ordering::Less)
            && joining.iter().any(|asset| other.directive.assets.contains_key(asset))
    });
    let taken_over = taken_over.filter_map(|(_, _, other)| binding(other)).min();
    priority.due = [priority.due, old_due, taken_over].into_iter().flatten().min();
    priority
}

/// The open directives of a group about any version of a source package.
fn open_of_source<'w>(
    world: &'w World,
    group: &GroupName,
    name: &str,
) -> impl Iterator<Item = (DirectiveId, &'w SourcePackage, &'w DirectiveState)> {
    let first = SourcePackage { name: name.to_owned(), version: String::new() };
    let (group, name) = (group.clone(), name.to_owned());
    world
        .standing
        .range((group.clone(), first)..)
        .take_while(move |((of, source), _)| *of == group && source.name == name)
        .filter_map(|((_, source), id)| Some((*id, source, world.directive(id)?)))
        .filter(|(_, _, state)| state.closed.is_none())
}

/// How a directive ends that no asset wants; `None` while its assets show the fix and that is yet to be noted.
fn outcome(
    world: &World,
    id: DirectiveId,
    state: &DirectiveState,
    fresh: &BTreeMap<(GroupName, String), Vec<(SourcePackage, DirectiveId)>>,
    unwanted: &BTreeSet<DirectiveId>,
) -> Option<Outcome> {
    let Action::Upgrade { source } = &state.directive.action;
    let group = &state.directive.group;
    let standing = open_of_source(world, group, &source.name)
        .filter(|(id, _, other)| !other.wants.is_empty() && !unwanted.contains(id))
        .map(|(id, source, _)| (source.clone(), id));
    let raised = fresh.get(&(group.clone(), source.name.clone())).cloned().unwrap_or_default();
    let newest =
        standing.chain(raised).filter(|(_, by)| *by != id).reduce(|newest, other| {
            match dpkg::compare(&newest.0.version, &other.0.version) {
                Ok(Ordering::Less) => other,
                _ => newest,
            }
        });
    if let Some((_, by)) = newest {
        return Some(Outcome::Superseded { by });
    }
    let shows_fix = |asset: &AssetId| {
        world.asset(asset).is_some_and(|asset: &AssetState| !still_needed(world, asset, source))
    };
    if state.directive.assets.keys().all(shows_fix) {
        return None;
    }
    Some(Outcome::Withdrawn { reason: "no host of the group is offered this version any more".to_owned() })
}

//! Which directives are raised, change and close, and by what they change.
//!
//! ```text
//! reports: stances that came and went --\
//!                                        scopes, a package each --> what is wanted there --> by what directives change
//! advisories: every stance to a package /
//! ```

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{
    AssetOrdinal, AssetSet, Directive, DirectiveChange, DirectiveId, Event, Grounds, GroupName, Members,
    Outcome, Priority, SourcePackage, Stage, Timestamp, Want, WantClass, Wants,
};
use tenon_versions::dpkg;

use super::dirty::Dirty;
use super::needs::still_needed;
use super::scope::{ChangedPackages, Scope, Scopes, changed_packages};
use crate::directives::DirectiveState;
use crate::index::StanceId;
use crate::priority::{Subject, is_bound, prioritise};
use crate::world::World;

/// Assets by what they add. No asset is in two of these.
type Classes = BTreeMap<Arc<Want>, AssetSet>;

/// What changes of the directives that dirty assets are part of, or become part of.
pub(super) fn direct(world: &World, dirty: &Dirty, now: Timestamp) -> Vec<Event> {
    // An asset that reports a fix is verified first, and looked at again with that in mind.
    let changed = changed_packages(world, dirty);
    let (mut events, verified) = if dirty.audit { Default::default() } else { verified(world, &changed) };
    let mut work = Work::default();
    for (package, scope) in Scopes::of(world, dirty, &changed, &verified).0 {
        work.look(world, &package, &scope);
    }
    let Work { mut joining, raised, mut parting } = work;
    let mut next = world.next_directive;
    let mut fresh: BTreeMap<(GroupName, String), Vec<(SourcePackage, DirectiveId)>> = BTreeMap::new();
    for ((group, source), classes) in raised {
        next += 1;
        let id = DirectiveId::new(next);
        fresh.entry((group.clone(), source.name.clone())).or_default().push((source.clone(), id));
        let grounds = grounds(classes.keys());
        let assets = AssetSet::union(classes.values());
        let subject =
            About { group: &group, source: &source, wanting: &assets, joining: &assets, standing: None };
        let priority = subject.priority(world, dirty, &grounds, now);
        let Grounds { closes, claims, advisories } = grounds;
        let action = tenon_model::Action::Upgrade { source };
        let directive =
            Directive { group, action, assets: BTreeMap::new(), closes, claims, advisories, priority };
        events.push(Event::DirectiveRaised { id, directive, wants: told(classes) });
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

fn told(classes: Classes) -> Wants {
    Wants::Classes(classes.into_iter().map(|(want, assets)| WantClass { want, assets }).collect())
}

/// What was found to change.
#[derive(Default)]
struct Work {
    joining: BTreeMap<DirectiveId, Classes>,
    raised: BTreeMap<(GroupName, SourcePackage), Classes>,
    parting: BTreeMap<DirectiveId, AssetSet>,
}

impl Work {
    /// Looks at assets in their stances to one package.
    fn look(&mut self, world: &World, package: &str, Scope { assets, stances }: &Scope) {
        let mut wanted: BTreeMap<(&SourcePackage, &Arc<Want>), AssetSet> = BTreeMap::new();
        for (id, here) in stances {
            for (source, want) in world.index.entry(*id).into_iter().flat_map(|entry| entry.wants.iter()) {
                wanted.entry((source, want)).or_default().extend(here);
            }
        }
        let mut still: BTreeMap<DirectiveId, AssetSet> = BTreeMap::new();
        for ((source, want), all) in wanted {
            for (group, here) in world.assets.by_group(&all) {
                let standing =
                    world.standing(group, package).find(|standing| standing.version == source.version);
                match standing.and_then(|standing| Some((standing.id, world.directive(&standing.id)?))) {
                    // Refused: it stands, so that it is not raised again.
                    Some((_, state)) if state.closed.is_some() => {}
                    Some((id, state)) => {
                        still.entry(id).or_default().extend(&here);
                        let joined = match state.wanting_just(want) {
                            Some(already) => here.without(already),
                            None => here,
                        };
                        if !joined.is_empty() {
                            let classes = self.joining.entry(id).or_default();
                            classes.entry(want.clone()).or_default().extend(&joined);
                        }
                    }
                    None => {
                        let classes = self.raised.entry((group.clone(), source.clone())).or_default();
                        classes.entry(want.clone()).or_default().extend(&here);
                    }
                }
            }
        }
        for (id, state) in world.open_about(package) {
            let mut parting = state.members.intersect(assets);
            if let Some(still) = still.get(&id) {
                parting.subtract(still);
            }
            if !parting.is_empty() {
                self.parting.entry(id).or_default().extend(&parting);
            }
        }
    }
}

/// Assets whose later report shows a fix, and the events that say so.
fn verified(world: &World, changed: &ChangedPackages) -> (Vec<Event>, AssetSet) {
    let (mut events, mut assets) = (Vec::new(), AssetSet::default());
    for (&ordinal, packages) in changed {
        let Some(asset) = world.asset_at(ordinal) else { continue };
        let Some((sequence, _)) = asset.reported else { continue };
        // Where nothing has begun, only what changed can show a fix that was not shown before.
        let mut about: BTreeSet<DirectiveId> = asset.begun.clone();
        for package in packages {
            about.extend(world.open_about(package).map(|(id, _)| id));
        }
        for id in about {
            let Some(state) = world.directive(&id).filter(|state| state.closed.is_none()) else { continue };
            let later = match state.stage(ordinal) {
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
            if later && !shows_need(world, ordinal, state.source()) {
                events.push(Event::AssetVerified { id, asset: asset.id, sequence });
                assets.insert(ordinal);
            }
        }
    }
    (events, assets)
}

/// Whether the last report of an asset shows that it still lacks a version.
fn shows_need(world: &World, asset: AssetOrdinal, source: &SourcePackage) -> bool {
    let Some(state) = world.asset_at(asset) else { return true };
    let Some(stances) = &state.stances else { return true };
    let mut about = world.index.entries_of(stances).filter(|entry| entry.stance.package == source.name);
    about.any(|entry| still_needed(&entry.stance, source))
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
    joined: Classes,
    parting: &AssetSet,
    now: Timestamp,
) -> Changed {
    let directive = &state.directive;
    // Work that has begun, or is done, is not forgotten.
    let (mut left, mut settled) = (AssetSet::default(), AssetSet::default());
    if !parting.is_empty() {
        let wanting = state.wanting();
        let busy = state.busy();
        left = parting.without(&busy);
        // What an asset did not want before stays until its own next report, which alone settles what became of it.
        if dirty.audit {
            left = left.intersect(&wanting);
        }
        settled = parting.intersect(&busy).intersect(&wanting);
    }
    let coming = AssetSet::union(joined.values());
    let gone = AssetSet::union([&left, &settled, &coming]);
    let mut wants = Classes::new();
    for class in &state.wants {
        let rest = class.assets.without(&gone);
        if !rest.is_empty() {
            wants.insert(class.want.clone(), rest);
        }
    }
    for (want, assets) in &joined {
        wants.entry(want.clone()).or_default().extend(assets);
    }
    let mut members = state.members.without(&left);
    members.extend(&coming);
    if members.is_empty() {
        return Changed::Unwanted;
    }
    let mut change = Box::new(DirectiveChange {
        joined: told(joined),
        settled: Members::Set(settled),
        left: Members::Set(left),
        grounds: None,
        priority: None,
    });
    // Where no asset wants it any more, what has begun goes on for the reasons it began for.
    if wants.is_empty() {
        return Changed::To(change);
    }
    let grounds = grounds(wants.keys());
    let subject = About {
        group: &directive.group,
        source: state.source(),
        wanting: &AssetSet::union(wants.values()),
        joining: &coming.without(&state.members),
        standing: Some(state),
    };
    let priority = subject.priority(world, dirty, &grounds, now);
    change.priority = (priority != directive.priority).then_some(priority);
    let same = grounds.closes == directive.closes
        && grounds.claims == directive.claims
        && grounds.advisories == directive.advisories;
    change.grounds = (!same).then_some(grounds);
    Changed::To(change)
}

/// What wants say together.
fn grounds<'w>(wants: impl Iterator<Item = &'w Arc<Want>>) -> Grounds {
    let (mut closes, mut claims, mut advisories) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for want in wants {
        closes.extend(&want.closes);
        claims.extend(&want.claims);
        advisories.extend(&want.advisories);
    }
    let ids = |ids: BTreeSet<&tenon_model::VulnerabilityId>| ids.into_iter().cloned().collect();
    Grounds { closes: ids(closes), claims: ids(claims), advisories: ids(advisories) }
}

/// A directive that is or becomes one.
struct About<'a> {
    group: &'a GroupName,
    source: &'a SourcePackage,
    /// The assets that want it.
    wanting: &'a AssetSet,
    /// Those of them that were no part of it.
    joining: &'a AssetSet,
    /// The directive as it was.
    standing: Option<&'a DirectiveState>,
}

impl About<'_> {
    fn priority(&self, world: &World, dirty: &Dirty, grounds: &Grounds, now: Timestamp) -> Priority {
        let bearings = world.assets.bearings(self.wanting);
        let raised = self.standing.map_or(now, |state| state.raised);
        let mut priority = prioritise(world, &Subject { grounds, bearings: &bearings, raised });
        // A due date that was set is not moved later: several clocks run, the earliest counts, none restarts. Only where
        // something was assumed and is now known, or other rules count, is it set anew.
        let binding = |state: &DirectiveState| {
            let before = &state.directive.priority;
            before.due.filter(|_| !dirty.other_rules && is_bound(before, &priority))
        };
        let old_due = self.standing.and_then(binding);
        // Nor does a newer version that takes an asset over from an older one restart it.
        let taken_over = open_of_source(world, self.group, &self.source.name).filter(|(_, other)| {
            dpkg::compare(&other.source().version, &self.source.version) == Ok(Ordering::Less)
                && !other.members.is_disjoint(self.joining)
        });
        let taken_over = taken_over.filter_map(|(_, other)| binding(other)).min();
        priority.due = [priority.due, old_due, taken_over].into_iter().flatten().min();
        priority
    }
}

/// The open directives of a group about any version of a source package.
fn open_of_source<'w>(
    world: &'w World,
    group: &'w GroupName,
    name: &str,
) -> impl Iterator<Item = (DirectiveId, &'w DirectiveState)> {
    world.open_about(name).filter(move |(_, state)| state.directive.group == *group)
}

/// How a directive ends that no asset wants; `None` while its assets show the fix and that is yet to be noted.
fn outcome(
    world: &World,
    id: DirectiveId,
    state: &DirectiveState,
    fresh: &BTreeMap<(GroupName, String), Vec<(SourcePackage, DirectiveId)>>,
    unwanted: &BTreeSet<DirectiveId>,
) -> Option<Outcome> {
    let source = state.source();
    let group = &state.directive.group;
    let standing = open_of_source(world, group, &source.name)
        .filter(|(id, other)| !other.wants.is_empty() && !unwanted.contains(id))
        .map(|(id, other)| (other.source().clone(), id));
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
    let needed =
        |id: &&StanceId| world.index.entry(**id).is_some_and(|entry| still_needed(&entry.stance, source));
    let mut needed = world.index.named(&source.name).iter().filter(needed);
    if needed.all(|id| world.index.assets_of(*id).is_disjoint(&state.members)) {
        return None;
    }
    Some(Outcome::Withdrawn { reason: "no host of the group is offered this version any more".to_owned() })
}

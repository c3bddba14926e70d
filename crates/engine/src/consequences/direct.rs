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
    Outcome, Person, Priority, RiskPoints, SourcePackage, Stage, Timestamp, VulnerabilityId, Want, WantClass,
    Wants,
};
use tenon_versions::{Scheme, compare};

use super::dirty::Dirty;
use super::needs::still_needed;
use super::scope::{ChangedPackages, Scope, Scopes, changed_packages};
use crate::context::Bearings;
use crate::directives::DirectiveState;
use crate::index::StanceId;
use crate::priority::{Reasons, Subject, at_stake, is_bound, prioritise};
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
    let mut fresh: BTreeMap<(GroupName, String), Vec<Version>> = BTreeMap::new();
    for ((group, source), classes) in raised {
        next += 1;
        let id = DirectiveId::new(next);
        let grounds = grounds(classes.keys());
        let assets = AssetSet::union(classes.values());
        let version = Version { scheme: scheme(world, &assets), version: source.version.clone(), id };
        fresh.entry((group.clone(), source.name.clone())).or_default().push(version);
        let about = About {
            group: &group,
            source: &source,
            reasons: (&grounds).into(),
            bearings: &world.assets.bearings(&assets),
            coming: &assets,
            gone: &AssetSet::default(),
            joining: &assets,
            joined: &classes,
            standing: None,
        };
        let priority = about.priority(world, dirty, now);
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
        match change(world, dirty, (id, state), joined, &parting, now) {
            Changed::To(change) if change.is_empty() => {}
            Changed::To(change) => events.push(Event::DirectiveChanged { id, change }),
            Changed::Unwanted => drop(unwanted.insert(id)),
        }
    }
    for id in &unwanted {
        if let Some(state) = world.directive(id)
            && let Some(outcome) = outcome(world, *id, state, &fresh, &unwanted)
        {
            let assigned = state.assigned.as_ref();
            let taken_over = match (&outcome, assigned) {
                (Outcome::Superseded { by }, Some(assigned)) => Some((*by, assigned.to.clone())),
                _ => None,
            };
            events.push(Event::DirectiveClosed { id: *id, outcome });
            if let Some((by, to)) = taken_over {
                takes_over(world, by, to, &mut events);
            }
        }
    }
    events
}

/// Who did what another directive supersedes does that one, unless somebody else does: the work is the same.
fn takes_over(world: &World, id: DirectiveId, to: Person, events: &mut Vec<Event>) {
    let assigned =
        |event: &Event| matches!(event, Event::DirectiveAssigned { id: known, .. } if *known == id);
    let is_free = world.directive(&id).is_none_or(|state| state.assigned.is_none());
    if is_free && !events.iter().any(assigned) {
        events.push(Event::DirectiveAssigned { id, to: Some(to), by: None });
    }
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
        let mut wanted: BTreeMap<(&SourcePackage, Arc<Want>), AssetSet> = BTreeMap::new();
        for (id, here) in stances {
            for (source, want) in world.index.entry(*id).into_iter().flat_map(|entry| entry.wants.iter()) {
                if !world.exceptions.bear_on(want) {
                    wanted.entry((source, want.clone())).or_default().extend(here);
                    continue;
                }
                for (want, here) in world.exceptions.part(source, want, here) {
                    wanted.entry((source, want)).or_default().extend(&here);
                }
            }
        }
        let mut still: BTreeMap<DirectiveId, Vec<AssetSet>> = BTreeMap::new();
        for ((source, want), all) in wanted {
            for (group, here) in world.assets.by_group(&all) {
                let standing =
                    world.standing(group, package).find(|standing| standing.version == source.version);
                match standing.and_then(|standing| Some((standing.id, world.directive(&standing.id)?))) {
                    // Refused: it stands, so that it is not raised again.
                    Some((_, state)) if state.closed.is_some() => {}
                    Some((id, state)) => {
                        let joined = match state.wanting_just(&want) {
                            Some(already) => here.without(already),
                            None => here.clone(),
                        };
                        still.entry(id).or_default().push(here);
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
        // A report speaks of one asset.
        let only = world.assets.only_group(assets);
        for (id, state) in world.open_where(package, |group| only.is_none_or(|only| only == group)) {
            let mut parting = state.members.intersect(assets);
            if let Some(still) = still.get(&id) {
                parting.subtract(&AssetSet::union(still));
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
            about.extend(world.open_in(&asset.group, package).map(|(id, _)| id));
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
    (id, state): (DirectiveId, &DirectiveState),
    joined: Classes,
    parting: &AssetSet,
    now: Timestamp,
) -> Changed {
    let directive = &state.directive;
    // Work that has begun, or is done, is not forgotten.
    let (mut left, mut settled) = (AssetSet::default(), AssetSet::default());
    if !parting.is_empty() {
        let busy = state.busy();
        left = parting.without(&busy);
        // What an asset did not want before stays until its own next report, which alone settles what became of it.
        if dirty.audit {
            left = left.intersect(state.wanting());
        }
        // Nobody will tell what became of it where the host is gone; what it showed before stays.
        let gone = parting.intersect(world.assets.retired()).without(&state.done());
        left.extend(&gone);
        settled = parting.intersect(&busy).intersect(state.wanting()).without(&gone);
    }
    let coming = AssetSet::union(joined.values());
    if coming.is_empty() && state.members.is_subset(&left) {
        return Changed::Unwanted;
    }
    let gone = AssetSet::union([&left, &settled, &coming]);
    let all_go = gone == *state.wanting();
    let stays = |class: &&WantClass| !all_go && !class.assets.is_subset(&gone);
    let stay: Vec<&Arc<Want>> = state.wants.iter().filter(stays).map(|class| &class.want).collect();
    let mut change = Box::new(DirectiveChange {
        joined: Wants::default(),
        settled: Members::Set(settled),
        left: Members::Set(left),
        grounds: None,
        priority: None,
        removes: None,
    });
    // Where no asset wants it any more, what has begun goes on for the reasons it began for.
    if joined.is_empty() && stay.is_empty() {
        return Changed::To(change);
    }
    let reasons = Reasons::from(directive);
    let same_reasons = !state.wants.is_empty()
        && stay.len() == state.wants.len()
        && joined.keys().all(|want| reasons.include(want));
    if !same_reasons {
        let grounds = grounds(stay.into_iter().chain(joined.keys()));
        let same = grounds.closes == directive.closes
            && grounds.claims == directive.claims
            && grounds.advisories == directive.advisories;
        change.grounds = (!same).then_some(grounds);
    }
    let mut bearings = state.bearings().clone();
    bearings.take_all(&world.assets.bearings(&gone.intersect(state.wanting())));
    bearings.add_all(world.assets.bearings(&coming));
    let about = About {
        group: &directive.group,
        source: state.source(),
        reasons: change.grounds.as_ref().map_or(reasons, Reasons::from),
        bearings: &bearings,
        coming: &coming,
        gone: &gone,
        joining: &coming.without(&state.members),
        joined: &joined,
        standing: Some((id, state)),
    };
    let only = change.grounds.is_none() && !dirty.ranked.contains(&id);
    if let Some(removes) = only.then(|| about.only_removes(world, state)).flatten() {
        change.removes = (removes != directive.priority.removes).then_some(removes);
    } else {
        let priority = about.priority(world, dirty, now);
        let removes = priority.removes;
        if priority != directive.priority {
            let alike = Priority { removes, ..directive.priority.clone() } == priority;
            (change.removes, change.priority) =
                if alike { (Some(removes), None) } else { (None, Some(priority)) };
        }
    }
    change.joined = told(joined);
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
    reasons: Reasons<'a>,
    /// What of the context of the assets that want it bears on it.
    bearings: &'a Bearings,
    /// Those that want it now, or want it differently.
    coming: &'a AssetSet,
    /// Those that do not want it any more, and those that want it differently.
    gone: &'a AssetSet,
    /// Of the coming those that were no part of it.
    joining: &'a AssetSet,
    /// What the coming want.
    joined: &'a Classes,
    /// The directive as it was.
    standing: Option<(DirectiveId, &'a DirectiveState)>,
}

impl About<'_> {
    fn priority(&self, world: &World, dirty: &Dirty, now: Timestamp) -> Priority {
        let raised = self.standing.map_or(now, |(_, state)| state.raised);
        // Nor does a time in which the risk was accepted.
        let raised = self.resumed(world).map_or(raised, |since| since.min(raised));
        let attacks = world.attacks(self.reasons.counted(), |id| self.wanting_for(id));
        let (package, reasons) = (self.source.name.as_str(), self.reasons);
        let subject =
            Subject { package, group: self.group, reasons, bearings: self.bearings, attacks, raised };
        let mut priority = prioritise(world, &subject);
        // A due date that was set is not moved later: several clocks run, the earliest counts, none restarts. Only where
        // something was assumed and is now known, or other rules count, is it set anew.
        let binding = |state: &DirectiveState| {
            let before = &state.directive.priority;
            before.due.filter(|_| !dirty.other_rules && is_bound(before, &priority))
        };
        let standing = self.standing.filter(|(id, _)| !dirty.unbound.contains(id));
        let old_due = standing.and_then(|(_, state)| binding(state));
        // Nor does a newer version that takes an asset over from an older one restart it.
        let taken_over = self.taken_over(world).filter_map(binding).min();
        priority.due = [priority.due, old_due, taken_over].into_iter().flatten().min();
        priority
    }

    /// What it removes, where nothing else of its priority is another than it was. The assets that joined or left are like
    /// others that stay: neither decision nor clocks count them.
    fn only_removes(&self, world: &World, before: &DirectiveState) -> Option<RiskPoints> {
        let wanted = |of: &AssetSet| !of.is_disjoint(before.wanting());
        let resumed = world.exceptions.resumed(self.reasons.closes(), wanted);
        let other_clock = resumed != self.resumed(world) || self.taken_over(world).next().is_some();
        let attacked = world.detections.bear_on(self.reasons.counted());
        if other_clock || attacked || !self.bearings.say_what(before.bearings()) {
            return None;
        }
        let package = Some(self.source.name.as_str());
        let now = at_stake(world, package, self.reasons, self.bearings, &[]);
        let most = at_stake(world, package, self.reasons, before.bearings(), &[]).most;
        let same = match (now.most, most) {
            (Some(now), Some(before)) => now.says_what(before),
            (None, None) => true,
            _ => false,
        };
        same.then_some(now.removes)
    }

    /// Of those that want it then, those for which that is because of this vulnerability.
    fn wanting_for(&self, id: &VulnerabilityId) -> AssetSet {
        let stay = self.standing.map(|(_, state)| state.wanting_for(id).without(self.gone));
        let come = self.joined.iter().filter(|(want, _)| want.is_for(id)).map(|(_, assets)| assets);
        AssetSet::union(stay.iter().chain(come))
    }

    /// Since when something of it was to be done, where that was accepted meanwhile.
    fn resumed(&self, world: &World) -> Option<Timestamp> {
        world.exceptions.resumed(self.reasons.closes(), |of| {
            let stays = |state: &DirectiveState| !of.intersect(state.wanting()).is_subset(self.gone);
            !of.is_disjoint(self.coming) || self.standing.is_some_and(|(_, state)| stays(state))
        })
    }

    /// The directives about older versions whose assets it takes over.
    fn taken_over<'w>(&'w self, world: &'w World) -> impl Iterator<Item = &'w DirectiveState> {
        let of_source = world.open_in(self.group, &self.source.name).map(|(_, state)| state);
        let scheme = scheme(world, self.joining);
        of_source.filter(move |other| {
            compare(scheme, &other.source().version, &self.source.version) == Ok(Ordering::Less)
                && !other.members.is_disjoint(self.joining)
        })
    }
}

/// The version that a directive leads to.
#[derive(Clone)]
struct Version {
    scheme: Scheme,
    version: String,
    id: DirectiveId,
}

/// Assets that are asked which system they run.
const ASKED: usize = 16;

/// How versions of operating-system packages compare on these assets, as the first says that is of a known system; else as Debian's do.
fn scheme(world: &World, assets: &AssetSet) -> Scheme {
    let of = |ordinal| {
        let stances = world.asset_at(ordinal)?.stances.as_deref()?;
        let mut systems = world.index.entries_of(stances).map(|entry| entry.stance.ecosystem.as_deref());
        systems.find_map(|ecosystem| Scheme::of_osv_ecosystem(ecosystem?))
    };
    assets.iter().take(ASKED).find_map(of).unwrap_or(Scheme::Dpkg)
}

/// How a directive ends that no asset wants; `None` while its assets show the fix and that is yet to be noted.
fn outcome(
    world: &World,
    id: DirectiveId,
    state: &DirectiveState,
    fresh: &BTreeMap<(GroupName, String), Vec<Version>>,
    unwanted: &BTreeSet<DirectiveId>,
) -> Option<Outcome> {
    let source = state.source();
    let group = &state.directive.group;
    if world.exceptions.accept_all(&state.directive.closes, &state.members) {
        return Some(Outcome::Withdrawn { reason: "its risk is accepted on every host of it".to_owned() });
    }
    let scheme_here = scheme(world, &state.members);
    let standing = world
        .open_in(group, &source.name)
        .filter(|(id, other)| !other.wants.is_empty() && !unwanted.contains(id))
        .map(|(id, other)| Version {
            scheme: scheme(world, &other.members),
            version: other.source().version.clone(),
            id,
        });
    let raised = fresh.get(&(group.clone(), source.name.clone())).cloned().unwrap_or_default();
    // A group may hold hosts of several distributions; only what compares with it takes its place.
    let newest = standing.chain(raised).filter(|other| other.id != id && other.scheme == scheme_here).reduce(
        |newest, other| match compare(scheme_here, &newest.version, &other.version) {
            Ok(Ordering::Less) => other,
            _ => newest,
        },
    );
    if let Some(Version { id: by, .. }) = newest {
        return Some(Outcome::Superseded { by });
    }
    if state.members.is_subset(world.assets.retired()) {
        return Some(Outcome::Withdrawn { reason: "every host of it is retired".to_owned() });
    }
    let needed =
        |id: &&StanceId| world.index.entry(**id).is_some_and(|entry| still_needed(&entry.stance, source));
    let mut needed = world.index.named(&source.name).iter().filter(needed);
    if needed.all(|id| world.index.assets_of(*id).is_disjoint(&state.members)) {
        return None;
    }
    Some(Outcome::Withdrawn { reason: "no host of the group is offered this version any more".to_owned() })
}

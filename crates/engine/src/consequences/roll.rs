//! Which step of its rollout follows for a directive: a plan, a wave, its end, or a halt.
//!
//! ```text
//! approved --> plan --> wave --> ended --> watched --> next wave ... --> over
//!                         \--> too many failed, or no word in time --> halt --> a person --> another plan
//! ```

use std::collections::{BTreeMap, BTreeSet};

use tenon_checker::check;
use tenon_model::context::Environment;
use tenon_model::{
    AssetOrdinal, AssetSet, Digest, DirectiveId, Event, HeldBack, RedundancyName, ServiceName, Stage, Step,
    Tempo, Timestamp, Wave,
};
use tenon_planner::{Candidate, Needs, Question, Redundancy, Service, plan};
use tenon_policy::Approval;

use super::dirty::Dirty;
use crate::directives::DirectiveState;
use crate::policy::{Asker, Ruling};
use crate::priority::harm;
use crate::rollout::Rollout;
use crate::world::World;

/// The next steps of the rollouts that events may have moved.
pub(super) fn roll(world: &World, dirty: &Dirty, now: Timestamp, events: &mut Vec<Event>) {
    for id in dirty.touched() {
        let Some(state) = world.directive(id).filter(|state| state.closed.is_none()) else { continue };
        events.extend(step(world, *id, state, now, dirty.is_judged_anew(*id)));
    }
    if events.is_empty() {
        unconfirmed(world, dirty, events);
    }
}

/// What is due on rollouts because time has passed.
pub(crate) fn due(world: &World, now: Timestamp) -> Vec<Event> {
    let open = world.rolling().filter_map(|id| Some((id, world.directive(&id)?)));
    open.filter(|(_, state)| state.rollout.is_some())
        .filter_map(|(id, state)| step(world, id, state, now, false))
        .collect()
}

/// The next step of one; `None` while it waits. `anew`: the policy may say something else of any asset of it.
///
/// Late approvals make another plan, but not while a wave is under way or watched: what a canary is to show is waited for.
fn step(world: &World, id: DirectiveId, state: &DirectiveState, now: Timestamp, anew: bool) -> Option<Event> {
    let Some(rollout) = &state.rollout else {
        return (!state.approved().is_empty()).then(|| planned(world, id, state, now));
    };
    if rollout.halted.is_some() {
        return None;
    }
    let allowed = rollout.running().map_or(0, |(_, wave)| u64::from(wave.may_fail));
    if rollout.failed.len() > allowed && !matches!(rollout.step, Step::Soaking { .. }) {
        let why = format!(
            "{} of {} assets of the wave failed, {allowed} may: look at them, then resume, which plans the rest anew",
            rollout.failed.len(),
            rollout.set_out
        );
        return Some(Event::RolloutHalted { id, why, by: None });
    }
    if rollout.stale {
        return Some(planned(world, id, state, now));
    }
    let next = match rollout.step {
        Step::Running { wave } if rollout.open.is_empty() => {
            return Some(Event::WaveEnded { id, wave, failed: rollout.failed.len() });
        }
        Step::Running { .. } => {
            let left = rollout.open.intersect(state.approved());
            return if is_closed(world, state, &left, now, anew) {
                Some(planned(world, id, state, now))
            } else {
                too_late(id, rollout, now)
            };
        }
        Step::Planned if !rollout.open.is_empty() => return too_late(id, rollout, now),
        Step::Soaking { .. } if !rollout.is_watched(now) => return None,
        Step::Planned => 0,
        Step::Soaking { wave } => wave.saturating_add(1),
    };
    let begins = begin(world, (id, state), rollout, next, now, anew);
    let waits = rollout.wave(next).is_some() && begins.is_none();
    if waits && another_may_begin(world, state, rollout, next, now) {
        return Some(planned(world, id, state, now));
    }
    if !state.asks_for_plan() {
        return begins;
    }
    // Approvals may come one by one while a window is closed: it is planned once for all of them, when something may begin.
    (!waits || late_may_begin(world, state, rollout, now)).then(|| planned(world, id, state, now))
}

/// Whether a later wave may begin while the next one waits for its window, and that is news since the plan was made or a wave
/// ended: what does not change, as where the later one is of a later environment, is not planned over and over.
fn another_may_begin(
    world: &World,
    state: &DirectiveState,
    rollout: &Rollout,
    next: u32,
    now: Timestamp,
) -> bool {
    let asker = Asker::new(world, state);
    let first = |wave: &Wave| wave.assets.iter().find(|asset| state.approved().contains(*asset));
    let open_at = |asset: AssetOrdinal, at: Timestamp| asker.ruling(asset, at).is_open();
    let ended = matches!(rollout.step, Step::Soaking { .. });
    let Some(waiting) = rollout.wave(next).and_then(first) else { return false };
    let news = ended || open_at(waiting, rollout.since);
    let ahead = usize::try_from(next).unwrap_or(usize::MAX).saturating_add(1);
    let mut later = rollout.plan.waves.iter().skip(ahead).filter_map(first);
    later.any(|asset| open_at(asset, now) && (news || !open_at(asset, rollout.since)))
}

/// Whether what was approved since the plan was made may begin before what is planned; the first is asked for all.
fn late_may_begin(world: &World, state: &DirectiveState, rollout: &Rollout, now: Timestamp) -> bool {
    let late = state.approved().without(&rollout.to_come());
    let asker = Asker::new(world, state);
    let asked = if may_lack(world, &late) { usize::MAX } else { 1 };
    let mut rulings = late.iter().take(asked).map(|asset| asker.ruling(asset, now));
    rulings.any(|ruling| ruling.is_open() && ruling.approval != Approval::Forbidden)
}

/// Begins a wave, where every asset of it may begin. Where only some may, or the policy forbids one by now, the plan is of
/// another time and made anew.
fn begin(
    world: &World,
    (id, state): (DirectiveId, &DirectiveState),
    rollout: &Rollout,
    wave: u32,
    now: Timestamp,
    anew: bool,
) -> Option<Event> {
    let assets = rollout.wave(wave)?.assets.intersect(state.approved());
    let asker = Asker::new(world, state);
    let (mut open, mut closed) = (false, false);
    let (asked, anew) = (may_wait(world, &assets), anew || may_lack(world, &assets));
    for asset in assets.iter().take_while(|_| asked) {
        let ruling = asker.ruling(asset, now);
        if ruling.approval == Approval::Forbidden {
            return Some(planned(world, id, state, now));
        }
        open |= ruling.is_open();
        closed |= !ruling.is_open();
        if open && closed {
            return Some(planned(world, id, state, now));
        }
        // Those of one wave had one calendar when it was planned: while that is closed one is asked for all.
        if closed && !anew {
            return None;
        }
    }
    (!closed && world.rehearses_ahead(state, &assets, now).is_none()).then_some(Event::WaveBegan { id, wave })
}

impl World {
    /// A host of an earlier environment that rehearses while these wait to be changed: what it finds may concern them, and if it is
    /// approved its turn comes first. An emergency does not wait for it.
    pub fn rehearses_ahead(
        &self,
        state: &DirectiveState,
        wave: &AssetSet,
        now: Timestamp,
    ) -> Option<AssetOrdinal> {
        let environment = |asset: AssetOrdinal| {
            let said = self.effective(self.asset_at(asset)?);
            Some(rank(said.environment.map(|known| known.value)))
        };
        let first = wave.iter().next()?;
        let mut rehearsing = state.begun().filter(|(_, stage)| matches!(stage, Stage::Rehearsing { .. }));
        let (ahead, _) = rehearsing.find(|(asset, _)| environment(*asset) < environment(first))?;
        let ruling = Asker::new(self, state).ruling(first, now);
        (!ruling.verdict.is_some_and(|verdict| verdict.emergency)).then_some(ahead)
    }
}

/// Whether what a wave has not set out on may not begin any more: its window has ended, or the policy forbids it.
fn is_closed(world: &World, state: &DirectiveState, left: &AssetSet, now: Timestamp, anew: bool) -> bool {
    if !may_wait(world, left) {
        return false;
    }
    let asker = Asker::new(world, state);
    let asked = if anew || may_lack(world, left) { usize::MAX } else { 1 };
    left.iter().take(asked).any(|asset| {
        let ruling = asker.ruling(asset, now);
        ruling.approval == Approval::Forbidden || !ruling.is_open()
    })
}

/// Whether anything may keep some of these from beginning: a policy, signatures that their hosts ask for, or evidence.
fn may_wait(world: &World, assets: &AssetSet) -> bool {
    world.policy().is_some() || may_lack(world, assets)
}

/// Whether some of these ask for signatures, or lack evidence: both come for one and not for another.
fn may_lack(world: &World, assets: &AssetSet) -> bool {
    !assets.is_disjoint(world.asking()) || world.may_lack_evidence(assets)
}

/// Hosts of which nothing is heard stop the rollout.
fn too_late(id: DirectiveId, rollout: &Rollout, now: Timestamp) -> Option<Event> {
    let until = rollout.waits_until()?;
    (now > until).then(|| Event::RolloutHalted {
        id,
        why: format!(
            "{} assets have not shown the fix within 24 hours: look at them, then resume, which plans the rest anew",
            rollout.open.len()
        ),
        by: None,
    })
}

/// A host that reports after its change, and still lacks the fix, stops the rollout.
fn unconfirmed(world: &World, dirty: &Dirty, events: &mut Vec<Event>) {
    let mut halted = BTreeSet::new();
    for ordinal in dirty.reported() {
        let Some(asset) = world.asset_at(ordinal) else { continue };
        for id in &asset.begun {
            let Some(state) = world.directive(id) else { continue };
            let Some(rollout) = state.rollout.as_ref().filter(|rollout| rollout.halted.is_none()) else {
                continue;
            };
            let later = match state.stage(ordinal) {
                Some(Stage::Applied { after_sequence, .. }) => {
                    asset.reported.is_some_and(|(last, _)| last > *after_sequence)
                }
                _ => false,
            };
            if later && rollout.open.contains(ordinal) && halted.insert(*id) {
                let why = format!(
                    "{} was changed and its next report still lacks the fix (a restart or a reboot may be missing): look at \
                     it, then resume, which plans the rest anew",
                    asset.hostname
                );
                events.push(Event::RolloutHalted { id: *id, why, by: None });
            }
        }
    }
}

fn planned(world: &World, id: DirectiveId, state: &DirectiveState, now: Timestamp) -> Event {
    let version = state.rollout.as_ref().map_or(1, |rollout| rollout.plan.version.saturating_add(1));
    let (question, forbidden) = question(world, state, now);
    let mut plan = plan(&question, version);
    let broken = check(&question, &plan);
    plan.held_back.extend(forbidden);
    match broken.first() {
        None => Event::RolloutPlanned { id, plan },
        // Nothing is done by a plan that breaks what plans must keep.
        Some(broken) => {
            let waves = Vec::new();
            let held = HeldBack {
                assets: state.approved().clone(),
                why: format!("the plan fails its check, a defect of Tenon that should be reported: {broken}"),
            };
            Event::RolloutPlanned { id, plan: tenon_model::Plan { waves, held_back: vec![held], ..plan } }
        }
    }
}

/// What the planner must know of what is approved, and what the policy forbids by now.
fn question(world: &World, state: &DirectiveState, now: Timestamp) -> (Question, Vec<HeldBack>) {
    let document = world.context().map(|known| known.document.as_ref());
    let services: BTreeMap<&ServiceName, Service> =
        document.into_iter().flat_map(|document| document.services.keys()).zip(0..).collect();
    let needs = |name: &ServiceName| {
        let entry = document.and_then(|document| document.services.get(name));
        let needed = entry.into_iter().flat_map(|entry| &entry.depends_on);
        Needs(needed.filter_map(|name| services.get(name).copied()).collect())
    };
    let mut redundancy: BTreeMap<&RedundancyName, usize> = BTreeMap::new();
    let mut groups = Vec::new();
    let mut candidates = Vec::new();
    let asker = Asker::new(world, state);
    let mut calendars: BTreeMap<Calendar<'_>, usize> = BTreeMap::new();
    let mut closed: BTreeSet<usize> = BTreeSet::new();
    let mut forbidden: BTreeMap<String, AssetSet> = BTreeMap::new();
    let mut tempo: Option<Tempo> = None;
    for asset in state.approved().iter() {
        let Some((known, class)) = world.asset_at(asset).zip(class_of(state, asset)) else { continue };
        let ruling = asker.ruling(asset, now);
        if ruling.approval == Approval::Forbidden {
            forbidden.entry(ruling.waits().unwrap_or_default()).or_default().insert(asset);
            continue;
        }
        // What goes out together goes as slowly as the slowest of it.
        let its = asker.tempo(&ruling);
        tempo = Some(tempo.map_or(its, |tempo| tempo.min(its)));
        let next = calendars.len();
        let calendar = *calendars.entry(Calendar::of(&ruling)).or_insert(next);
        if !ruling.is_open() {
            closed.insert(calendar);
        }
        let stands_in = known.redundancy.as_ref().map(|name| {
            *redundancy.entry(name).or_insert_with(|| {
                groups.push(group(world, name));
                groups.len() - 1
            })
        });
        let said = world.effective(known);
        candidates.push(Candidate {
            asset,
            class,
            environment: rank(said.environment.map(|known| known.value)),
            harm: harm(&known.bearing()),
            redundancy: stands_in,
            carries: said.services.iter().filter_map(|name| services.get(name).copied()).collect(),
            calendar,
        });
    }
    let question = Question {
        candidates,
        proven: state.verified().iter().filter_map(|asset| class_of(state, asset)).collect(),
        redundancy: groups,
        services: services.keys().map(|name| needs(name)).collect(),
        closed,
        tempo: tempo.unwrap_or(world.tempo()),
    };
    let held = forbidden.into_iter().map(|(why, assets)| HeldBack { assets, why });
    (question, held.collect())
}

/// When something may begin: the windows and freezes that it keeps to, by their names, and whether it waits to be signed, or for evidence of its host.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Calendar<'p> {
    windows: Vec<&'p str>,
    freezes: Vec<&'p str>,
    unsigned: bool,
    unsealed: bool,
}

impl<'p> Calendar<'p> {
    fn of(ruling: &Ruling<'p>) -> Self {
        Self {
            windows: ruling.windows.iter().map(|window| window.name.as_str()).collect(),
            freezes: ruling.freezes.iter().map(|freeze| freeze.name.as_str()).collect(),
            unsigned: ruling.unsigned.is_some(),
            unsealed: ruling.unsealed.is_some(),
        }
    }
}

fn class_of(state: &DirectiveState, asset: AssetOrdinal) -> Option<Digest> {
    state.rehearsals.get(&asset).map(|report| report.class)
}

fn group(world: &World, name: &RedundancyName) -> Redundancy {
    let document = world.context().map(|known| known.document.as_ref());
    let minimum =
        document.and_then(|document| document.redundancy.get(name)).map_or(0, |group| group.minimum);
    Redundancy {
        name: name.to_string(),
        members: world.assets.of_redundancy(name).map_or(0, AssetSet::len),
        minimum: u64::from(minimum),
    }
}

/// Development first. What nobody says ranks as production.
fn rank(environment: Option<Environment>) -> u8 {
    match environment {
        Some(Environment::Development) => 0,
        Some(Environment::Test) => 1,
        Some(Environment::Staging) => 2,
        Some(Environment::Production) | None => 3,
    }
}

/// How many more of what stands in for an asset may be missing: those are counted on which any directive is changing
/// something, or left something broken.
pub(super) fn spare(world: &World, asset: AssetOrdinal, besides: &BTreeSet<AssetOrdinal>) -> Option<u64> {
    let name = world.asset_at(asset)?.redundancy.as_ref()?;
    let members = world.assets.of_redundancy(name)?;
    let missing = members.iter().filter(|other| *other != asset).filter(|other| {
        let begun = world.asset_at(*other).into_iter().flat_map(|asset| &asset.begun);
        let mut stages = begun.filter_map(|id| world.directive(id)?.stage(*other));
        besides.contains(other)
            || stages.any(|stage| {
                matches!(stage, Stage::Applying { .. } | Stage::Applied { .. } | Stage::Failed { .. })
            })
    });
    Some(group(world, name).spare().saturating_sub(missing.count() as u64))
}

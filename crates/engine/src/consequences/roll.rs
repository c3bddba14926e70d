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
    AssetOrdinal, Digest, DirectiveId, Event, RedundancyName, ServiceName, Stage, Step, Timestamp,
};
use tenon_planner::{Candidate, Needs, Question, Redundancy, Service, plan};

use super::dirty::Dirty;
use crate::directives::DirectiveState;
use crate::priority::harm;
use crate::rollout::Rollout;
use crate::world::World;

/// The next steps of the rollouts that events may have moved.
pub(super) fn roll(world: &World, dirty: &Dirty, now: Timestamp, events: &mut Vec<Event>) {
    for id in dirty.touched() {
        let Some(state) = world.directive(id).filter(|state| state.closed.is_none()) else { continue };
        events.extend(step(world, *id, state, now));
    }
    if events.is_empty() {
        unconfirmed(world, dirty, events);
    }
}

/// What is due on rollouts because time has passed.
pub(crate) fn due(world: &World, now: Timestamp) -> Vec<Event> {
    let open = world.rolling().filter_map(|id| Some((id, world.directive(&id)?)));
    open.filter_map(|(id, state)| in_time(id, state.rollout.as_ref()?, now)).collect()
}

/// The next step of one; `None` while it waits.
fn step(world: &World, id: DirectiveId, state: &DirectiveState, now: Timestamp) -> Option<Event> {
    let Some(rollout) = &state.rollout else {
        return (!state.approved().is_empty()).then(|| planned(world, id, state));
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
    let asked = rollout.stale || !state.approved().is_subset(&rollout.to_come());
    if asked && (rollout.stale || !state.approved().is_empty()) {
        return Some(planned(world, id, state));
    }
    match rollout.step {
        Step::Planned if rollout.open.is_empty() && !rollout.plan.waves.is_empty() => {
            Some(Event::WaveBegan { id, wave: 0 })
        }
        Step::Running { wave } if rollout.open.is_empty() => {
            Some(Event::WaveEnded { id, wave, failed: rollout.failed.len() })
        }
        _ => in_time(id, rollout, now),
    }
}

/// The step that only waits for time to pass.
fn in_time(id: DirectiveId, rollout: &Rollout, now: Timestamp) -> Option<Event> {
    let until = rollout.waits_until()?;
    match rollout.step {
        Step::Soaking { wave } => {
            rollout.wave(wave + 1)?;
            (now >= until).then_some(Event::WaveBegan { id, wave: wave + 1 })
        }
        Step::Planned | Step::Running { .. } => (now > until).then(|| Event::RolloutHalted {
            id,
            why: format!(
                "{} assets have not shown the fix within 24 hours: look at them, then resume, which plans the rest anew",
                rollout.open.len()
            ),
            by: None,
        }),
    }
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

fn planned(world: &World, id: DirectiveId, state: &DirectiveState) -> Event {
    let version = state.rollout.as_ref().map_or(1, |rollout| rollout.plan.version.saturating_add(1));
    let question = question(world, state);
    let plan = plan(&question, version);
    let broken = check(&question, &plan);
    match broken.first() {
        None => Event::RolloutPlanned { id, plan },
        // Nothing is done by a plan that breaks what plans must keep.
        Some(broken) => {
            let waves = Vec::new();
            let held = tenon_model::HeldBack {
                assets: state.approved().clone(),
                why: format!("the plan fails its check, a defect of Tenon that should be reported: {broken}"),
            };
            Event::RolloutPlanned { id, plan: tenon_model::Plan { waves, held_back: vec![held], ..plan } }
        }
    }
}

/// What the planner must know of what is approved.
fn question(world: &World, state: &DirectiveState) -> Question {
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
    for asset in state.approved().iter() {
        let Some((known, class)) = world.asset_at(asset).zip(class_of(state, asset)) else { continue };
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
        });
    }
    let exploited = |id| world.intel(id).kev.is_some();
    let directive = &state.directive;
    let hurried = directive.closes.iter().chain(&directive.claims).any(exploited);
    Question {
        candidates,
        proven: state.verified().iter().filter_map(|asset| class_of(state, asset)).collect(),
        redundancy: groups,
        services: services.keys().map(|name| needs(name)).collect(),
        tempo: if hurried { world.tempo().hurried() } else { world.tempo() },
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
        members: world.assets.of_redundancy(name).map_or(0, tenon_model::AssetSet::len),
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

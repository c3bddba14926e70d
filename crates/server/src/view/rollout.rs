//! A rollout as people see it: the waves, how far they are, and what each waits for.

use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, Rollout, World};
use tenon_model::{AssetOrdinal, AssetSet, Phase, Step};
use utoipa::ToSchema;

/// Most hosts that are named of one wave.
const MAX_HOSTS: usize = 20;

/// In which waves what is approved is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutView {
    /// Counts the plans of the directive, from 1.
    pub version: u32,
    /// How fast it goes: `cautious`, `standard` or `fast`.
    pub tempo: String,
    /// `planned`, `running`, `watched`, `halted` or `over`.
    pub state: String,
    /// What it waits for, in words; absent when it is over.
    pub waits: Option<String>,
    /// The person who halted it; absent where it stopped by itself, or goes on.
    pub halted_by: Option<String>,
    /// The waves in their order.
    pub waves: Vec<WaveView>,
    /// What stays out of it.
    pub held_back: Vec<HeldBackView>,
}

/// Assets that are changed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaveView {
    /// `canary` or `widening`.
    pub phase: String,
    /// `waiting`, `running` or `ended`.
    pub state: String,
    /// How many assets it holds.
    pub assets: u64,
    /// How many of them show the fix.
    pub done: u64,
    /// How many of them may fail before everything stops.
    pub may_fail: u32,
    /// How long it is watched before the next, in seconds.
    pub soak_seconds: u32,
    /// Why these, and why then.
    pub because: String,
    /// Hosts of it by name, at most 20.
    pub hosts: Vec<String>,
}

/// Assets that no wave holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBackView {
    /// How many.
    pub assets: u64,
    /// Hosts by name, at most 20.
    pub hosts: Vec<String>,
    /// Why, and what would let them go.
    pub why: String,
}

fn hosts(world: &World, assets: &AssetSet) -> Vec<String> {
    let known = assets.iter().take(MAX_HOSTS).filter_map(|asset| world.asset_at(asset));
    known.map(|asset| asset.hostname.clone()).collect()
}

impl RolloutView {
    pub(super) fn of(world: &World, state: &DirectiveState, rollout: &Rollout) -> Self {
        let done = state.done();
        let (ended, running) = progress(rollout);
        let waves = rollout.plan.waves.iter().zip(0_u32..).map(|(wave, number)| WaveView {
            phase: match wave.phase {
                Phase::Canary => "canary".to_owned(),
                Phase::Widening => "widening".to_owned(),
            },
            state: if number < ended {
                "ended".to_owned()
            } else if Some(number) == running {
                "running".to_owned()
            } else {
                "waiting".to_owned()
            },
            assets: wave.assets.len(),
            done: wave.assets.common(&done),
            may_fail: wave.may_fail,
            soak_seconds: wave.soak_seconds,
            because: wave.because.clone(),
            hosts: hosts(world, &wave.assets),
        });
        Self {
            version: rollout.plan.version,
            tempo: rollout.plan.tempo.to_string(),
            state: name(rollout).to_owned(),
            waits: waits(rollout),
            halted_by: rollout.halted.as_ref().and_then(|halt| halt.by.as_ref()).map(ToString::to_string),
            waves: waves.collect(),
            held_back: rollout
                .plan
                .held_back
                .iter()
                .map(|held| HeldBackView {
                    assets: held.assets.len(),
                    hosts: hosts(world, &held.assets),
                    why: held.why.clone(),
                })
                .collect(),
        }
    }
}

/// How many waves have ended, and which one is under way.
fn progress(rollout: &Rollout) -> (u32, Option<u32>) {
    match rollout.step {
        Step::Planned => (0, None),
        Step::Running { wave } => (wave, Some(wave)),
        Step::Soaking { wave } => (wave.saturating_add(1), None),
    }
}

fn name(rollout: &Rollout) -> &'static str {
    match rollout.step {
        _ if rollout.halted.is_some() => "halted",
        _ if rollout.is_over() => "over",
        Step::Planned => "planned",
        Step::Running { .. } => "running",
        Step::Soaking { .. } => "watched",
    }
}

/// What the rollout as a whole waits for.
fn waits(rollout: &Rollout) -> Option<String> {
    if let Some(halt) = &rollout.halted {
        return Some(format!("halted at {}: {}", halt.at, halt.why));
    }
    if rollout.is_over() {
        return None;
    }
    Some(match rollout.step {
        Step::Planned => format!("{} assets on which an earlier plan set out", rollout.open.len()),
        Step::Running { wave } => format!("{} assets of wave {}", rollout.open.len(), wave + 1),
        Step::Soaking { wave } => {
            let soak = rollout.wave(wave).map_or(0, |wave| wave.soak_seconds);
            format!("wave {} is watched until {}", wave + 1, rollout.since.plus_seconds(soak))
        }
    })
}

/// Why an approved asset is not changed yet.
pub(super) fn why_not_yet(state: &DirectiveState, asset: AssetOrdinal) -> Option<String> {
    let rollout = state.rollout.as_ref()?;
    if let Some(held) = rollout.plan.held_back.iter().find(|held| held.assets.contains(asset)) {
        return Some(held.why.clone());
    }
    let wave = rollout.plan.waves.iter().position(|wave| wave.assets.contains(asset))?;
    let of = rollout.plan.waves.len();
    match (rollout.running(), waits(rollout)) {
        _ if rollout.halted.is_some() => waits(rollout),
        (Some((running, _)), _) if usize::try_from(running) == Ok(wave) => {
            Some("its wave is under way: it waits until the host takes an order, or until what stands in for it is healthy".to_owned())
        }
        (_, Some(waits)) => Some(format!("it is in wave {} of {of}; {waits}", wave + 1)),
        (_, None) => Some(format!("it is in wave {} of {of}", wave + 1)),
    }
}

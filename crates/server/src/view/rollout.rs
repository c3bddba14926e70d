//! A rollout as people see it: the waves, how far they are, and what each waits for.

use serde::{Deserialize, Serialize};
use tenon_engine::{Asker, DirectiveState, Rollout, World};
use tenon_model::{AssetOrdinal, AssetSet, Phase, Stage, Step};
use utoipa::ToSchema;

use super::AssigneeView;
use super::directive::stage_on;

/// Most hosts that are shown of one wave, and of what is held back for one reason.
const MAX_HOSTS: usize = 200;

/// In which waves what is approved is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutView {
    /// Counts the plans of the directive, from 1.
    pub version: u32,
    /// How fast it goes: `cautious`, `standard` or `fast`.
    pub tempo: String,
    /// `planned`, `running`, `watched`, `halted` or `over`.
    pub state: String,
    /// Since when it is at the step that it is at, RFC 3339.
    pub since: String,
    /// What it waits for, in words; absent when it is over.
    pub waits: Option<String>,
    /// When that has an end of its own, RFC 3339: the watching of a wave, or the time after which hosts without word halt it.
    pub until: Option<String>,
    /// How long the waves that are still to begin wait for watching alone, in seconds: it cannot be over sooner.
    pub watching_ahead_seconds: u64,
    /// Why it stands still, where it does.
    pub halt: Option<HaltView>,
    /// The waves in their order.
    pub waves: Vec<WaveView>,
    /// What stays out of it.
    pub held_back: Vec<HeldBackView>,
}

/// Why a rollout stands still until a person resumes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HaltView {
    /// Since when, RFC 3339.
    pub at: String,
    /// The person who halted it; absent where it stopped by itself.
    pub by: Option<String>,
    /// What happened, and what to do.
    pub why: String,
    /// Who is waited for: whoever does the directive; absent where nobody does.
    pub owner: Option<AssigneeView>,
}

/// Assets that are changed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaveView {
    /// `canary` or `widening`.
    pub phase: String,
    /// `waiting`, `running`, `watched` or `ended`.
    pub state: String,
    /// How many assets it holds.
    pub assets: u64,
    /// How many of them show the fix.
    pub done: u64,
    /// How many of them failed, were rolled back, or need a person.
    pub failed: u64,
    /// How many of them have their order, or report a change that a later inventory must confirm.
    pub under_way: u64,
    /// How many of them may fail before everything stops.
    pub may_fail: u32,
    /// How long it is watched before the next, in seconds.
    pub soak_seconds: u32,
    /// Why these, and why then.
    pub because: String,
    /// Hosts of it, at most 200.
    pub hosts: Vec<WaveHostView>,
}

/// A host of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaveHostView {
    /// The asset.
    pub id: String,
    /// Its name.
    pub hostname: String,
    /// How far the directive is there, as in the directive's own list; `left` where it is no part of it any more.
    pub stage: String,
    /// Why it does not show the fix yet; absent where it does.
    pub why_not_yet: Option<String>,
    /// Who is waited for, as in the directive's own list.
    pub owner: Option<AssigneeView>,
}

/// Assets that no wave holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBackView {
    /// How many.
    pub assets: u64,
    /// The hosts, at most 200.
    pub hosts: Vec<WaveHostView>,
    /// Why, and what would let them go.
    pub why: String,
}

fn hosts(world: &World, state: &DirectiveState, assets: &AssetSet) -> Vec<WaveHostView> {
    let host = |ordinal: AssetOrdinal| {
        let asset = world.asset_at(ordinal)?;
        let (stage, reason, owner) = match state.stage(ordinal) {
            None => ("left".to_owned(), Some("it is no part of the directive any more".to_owned()), None),
            Some(stage) => {
                let view = stage_on(world, state, ordinal, stage);
                (view.name, view.reason.or_else(|| awaited(stage).map(str::to_owned)), view.owner)
            }
        };
        Some(WaveHostView {
            id: asset.id.to_string(),
            hostname: asset.hostname.clone(),
            stage,
            why_not_yet: reason,
            owner,
        })
    };
    assets.iter().take(MAX_HOSTS).filter_map(host).collect()
}

/// What comes next at a stage that states no reason of its own.
pub(super) fn awaited(stage: &Stage) -> Option<&'static str> {
    match stage {
        Stage::Proposed => Some("it waits to be rehearsed"),
        Stage::Rehearsing { .. } => Some("it is being rehearsed again"),
        Stage::AwaitingApproval { .. } => Some("its rehearsal passed and waits for approval"),
        Stage::Applying { .. } => Some("it has its order; the host's report is awaited"),
        Stage::Applied { .. } => Some("the host reports success; its next inventory must confirm it"),
        Stage::Approved { .. }
        | Stage::Verified
        | Stage::FixedOtherwise
        | Stage::NeedsPerson { .. }
        | Stage::RolledBack { .. }
        | Stage::Failed { .. } => None,
    }
}

/// How many of these assets are at a stage like that.
fn at(state: &DirectiveState, assets: &AssetSet, like: fn(&Stage) -> bool) -> u64 {
    state.begun().filter(|(asset, stage)| like(stage) && assets.contains(*asset)).count() as u64
}

fn failed(stage: &Stage) -> bool {
    matches!(stage, Stage::Failed { .. } | Stage::RolledBack { .. } | Stage::NeedsPerson { .. })
}

fn under_way(stage: &Stage) -> bool {
    matches!(stage, Stage::Applying { .. } | Stage::Applied { .. })
}

impl RolloutView {
    pub(super) fn of(world: &World, state: &DirectiveState, rollout: &Rollout) -> Self {
        let done = state.done();
        let waves = rollout.plan.waves.iter().zip(0_u32..).map(|(wave, number)| WaveView {
            phase: match wave.phase {
                Phase::Canary => "canary".to_owned(),
                Phase::Widening => "widening".to_owned(),
            },
            state: wave_state(rollout, number).to_owned(),
            assets: wave.assets.len(),
            done: wave.assets.common(&done),
            failed: at(state, &wave.assets, failed),
            under_way: at(state, &wave.assets, under_way),
            may_fail: wave.may_fail,
            soak_seconds: wave.soak_seconds,
            because: wave.because.clone(),
            hosts: hosts(world, state, &wave.assets),
        });
        Self {
            version: rollout.plan.version,
            tempo: rollout.plan.tempo.to_string(),
            state: name(rollout).to_owned(),
            since: rollout.since.to_string(),
            waits: waits(world, state, rollout),
            until: rollout.waits_until().map(|until| until.to_string()),
            watching_ahead_seconds: watching_ahead(rollout),
            halt: rollout.halted.as_ref().map(|halt| HaltView {
                at: halt.at.to_string(),
                by: halt.by.as_ref().map(ToString::to_string),
                why: halt.why.clone(),
                owner: AssigneeView::on(state).filter(|_| state.closed.is_none()),
            }),
            waves: waves.collect(),
            held_back: rollout
                .plan
                .held_back
                .iter()
                .map(|held| HeldBackView {
                    assets: held.assets.len(),
                    hosts: hosts(world, state, &held.assets),
                    why: held.why.clone(),
                })
                .collect(),
        }
    }
}

fn wave_state(rollout: &Rollout, wave: u32) -> &'static str {
    match rollout.step {
        Step::Running { wave: running } if wave == running => "running",
        Step::Running { wave: running } if wave < running => "ended",
        // Behind the last wave nothing waits for what it shows.
        Step::Soaking { wave: last } if wave == last && !rollout.is_over() => "watched",
        Step::Soaking { wave: last } if wave <= last => "ended",
        Step::Planned | Step::Running { .. } | Step::Soaking { .. } => "waiting",
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

/// The watching of every wave that has not ended, but for the last, which nothing waits for.
fn watching_ahead(rollout: &Rollout) -> u64 {
    let ahead = match rollout.step {
        Step::Planned => 0,
        Step::Running { wave } => wave,
        Step::Soaking { wave } => wave.saturating_add(1),
    };
    let before_last = rollout.plan.waves.len().saturating_sub(1);
    let waves =
        rollout.plan.waves.iter().take(before_last).skip(usize::try_from(ahead).unwrap_or(usize::MAX));
    waves.map(|wave| u64::from(wave.soak_seconds)).sum()
}

/// What the rollout as a whole waits for.
fn waits(world: &World, state: &DirectiveState, rollout: &Rollout) -> Option<String> {
    if let Some(halt) = &rollout.halted {
        return Some(format!("a person to resume it: halted at {}: {}", halt.at, halt.why));
    }
    if rollout.is_over() {
        return None;
    }
    if let Some(waits) = waits_for_window(world, state, rollout) {
        return Some(waits);
    }
    Some(match rollout.step {
        Step::Planned => format!("{} on which an earlier plan set out", plural(rollout.open.len())),
        Step::Running { wave } => {
            format!("{} of wave {} to show the fix", plural(rollout.open.len()), wave + 1)
        }
        Step::Soaking { wave } => {
            let until = rollout.waits_until().unwrap_or(rollout.since);
            format!("the end of watching wave {}, at {until}", wave + 1)
        }
    })
}

/// What the next wave waits for, where it waits for its window.
fn waits_for_window(world: &World, state: &DirectiveState, rollout: &Rollout) -> Option<String> {
    let now = world.time()?;
    let next = match rollout.step {
        Step::Planned if rollout.open.is_empty() => 0,
        Step::Soaking { wave } if rollout.waits_until().is_some_and(|until| until <= now) => {
            wave.saturating_add(1)
        }
        Step::Planned | Step::Running { .. } | Step::Soaking { .. } => return None,
    };
    let asker = Asker::new(world, state);
    let wave = &rollout.wave(next)?.assets;
    let mut waiting = wave.iter().filter(|asset| matches!(state.stage(*asset), Some(Stage::Approved { .. })));
    let ahead = || {
        let asset = world.asset_at(world.rehearses_ahead(state, wave, now)?)?;
        Some(format!("{} of an earlier environment to rehearse it", asset.hostname))
    };
    let why = waiting.next().and_then(|asset| asker.ruling(asset, now).waits()).or_else(ahead)?;
    Some(format!("the beginning of wave {}: {why}", next + 1))
}

fn plural(hosts: u64) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

/// What an asset waits for, where evidence of it is asked for that is neither sealed nor waived.
pub(super) fn unsealed(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> Option<String> {
    world.unsealed(asset).filter(|_| state.closed.is_none())
}

/// What an asset waits for that is to be rehearsed and of which nothing was heard for long.
pub(super) fn away(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> Option<String> {
    let now = world.time().filter(|_| state.closed.is_none())?;
    let since = world.asset_at(asset)?.quiet_since(now)?;
    Some(format!("nothing was heard of it since {since}: it is rehearsed when it reports"))
}

/// What an asset waits for, where it asks for signatures that are missing.
pub(super) fn unsigned(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> Option<String> {
    let now = world.time().filter(|_| state.closed.is_none())?;
    world.unsigned(state, asset, now)
}

/// Why an approved asset is not changed yet.
pub(super) fn why_not_yet(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> Option<String> {
    if let Some(unsealed) = unsealed(world, state, asset) {
        return Some(unsealed);
    }
    // A person can do something about it, whatever the rollout waits for.
    if let Some(unsigned) = unsigned(world, state, asset) {
        return Some(unsigned);
    }
    let rollout = state.rollout.as_ref()?;
    if let Some(held) = rollout.plan.held_back.iter().find(|held| held.assets.contains(asset)) {
        return Some(format!("held back: {}", held.why));
    }
    let Some(wave) = rollout.plan.waves.iter().position(|wave| wave.assets.contains(asset)) else {
        let after = waits(world, state, rollout).map(|waits| format!(", after {waits}")).unwrap_or_default();
        return Some(format!("it was approved since the plan was made, and another takes it in{after}"));
    };
    let of = rollout.plan.waves.len();
    let its = format!("it is in wave {} of {of}", wave + 1);
    if rollout.halted.is_some() {
        return Some(format!("{its}, and the rollout is halted until a person resumes it"));
    }
    if rollout.running().is_some_and(|(running, _)| usize::try_from(running) == Ok(wave)) {
        let known = world.asset_at(asset)?;
        let ruling = world.time().map(|now| Asker::new(world, state).ruling(asset, now));
        if let Some(waits) = ruling.and_then(|ruling| ruling.waits()) {
            return Some(format!("its wave is under way: {waits}"));
        }
        return Some(match world.effective(known).redundancy {
            Some(group) => format!(
                "its wave is under way: it takes its order when it next asks, and when redundancy group {} can spare it",
                group.value
            ),
            None => "its wave is under way: it takes its order when it next asks".to_owned(),
        });
    }
    Some(match waits(world, state, rollout) {
        Some(waits) => format!("{its}, which waits for {waits}"),
        None => its,
    })
}

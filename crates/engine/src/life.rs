//! The life of an asset: the runs of its agent, its machine, and how it ends.
//!
//! ```text
//! enrolled --> (another installation of its machine takes its place) --> retired --> reports again --> returned
//!          --> (a person says so, or it was silent for long enough) --/
//! ```
//!
//! A retired asset counts nowhere. It is never a way to hide: whatever reports is back with its report.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{
    AgentRun, AssetId, Event, GroupName, MachineId, Person, Refusal, RefusalCode, Retirement, Timestamp,
};

use crate::apply::ApplyError;
use crate::assets::AssetState;
use crate::decide::{Decided, refuse};
use crate::world::{World, count_off};

/// Runs that were replaced and are still known again.
const MAX_REPLACED: usize = 4;
/// For how long a run that speaks again speaks for a second host. Hosts report several times in it.
const CLONE_SECONDS: u32 = 3_600;
/// How often it is noted that it still does, in seconds.
const CLONE_NOTED_SECONDS: u32 = 600;
/// How long after a start hosts may take to report, in seconds: before, nobody could.
const AFTER_START_SECONDS: u32 = 3_600;
/// Most assets that retire by rule at once.
const MAX_AT_ONCE: usize = 1_000;
/// Longest name of a host, in characters (RFC 1035 2.3.4).
const MAX_NAME: usize = 253;

/// A name as a host gives it, fit to be shown.
pub(crate) fn shown(hostname: &str) -> String {
    hostname.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// Since when and why an asset counts nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    #[serde(flatten)]
    pub why: Retirement,
}

/// The runs of an asset's agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Runs {
    /// The one whose reports count; `None` where the agent does not say.
    pub current: Option<AgentRun>,
    /// Those before it, the last of them last.
    replaced: Vec<AgentRun>,
    /// Of those, one spoke again: when, and how often within an hour each.
    again: Option<(Timestamp, u32)>,
}

impl Runs {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether two hosts use the key of this asset. A late word of an agent that was just stopped is no second host.
    pub fn is_cloned(&self) -> bool {
        self.again.is_some_and(|(_, times)| times >= 2)
    }

    /// Whether a word of this run changes nothing of what is known.
    pub fn is_settled(&self, run: AgentRun) -> bool {
        self.current == Some(run) && self.again.is_none()
    }

    fn start(&mut self, run: AgentRun) {
        self.replaced.retain(|known| *known != run);
        if let Some(before) = self.current.replace(run).filter(|before| *before != run) {
            self.replaced.push(before);
        }
        let over = self.replaced.len().saturating_sub(MAX_REPLACED);
        self.replaced.drain(..over);
    }

    fn speak_again(&mut self, now: Timestamp) {
        let before = self.again.filter(|(at, _)| at.plus_seconds(CLONE_SECONDS) >= now);
        self.again = Some((now, before.map_or(1, |(_, times)| times.saturating_add(1))));
    }
}

/// An asset that is enrolled.
pub(crate) fn enrolled<'w>(world: &'w World, asset: &AssetId) -> Result<&'w AssetState, Refusal> {
    world
        .asset(asset)
        .ok_or_else(|| Refusal::new(RefusalCode::UnknownAsset, format!("{asset} is not enrolled")))
}

/// Decides what the word of a run means.
pub(crate) fn hear(world: &World, asset: AssetId, run: AgentRun, now: Timestamp) -> Result<Decided, Refusal> {
    let state = enrolled(world, &asset)?;
    let runs = &state.runs;
    let long_ago = |at: Timestamp| at.plus_seconds(CLONE_SECONDS) < now;
    if runs.current == Some(run) {
        return match runs.again {
            Some((at, _)) if long_ago(at) => Ok(Decided::of(Event::CloneGone { asset })),
            _ => refuse(RefusalCode::NothingToDo, format!("{run} speaks for {asset} already")),
        };
    }
    let current_is_silent = state.reported.is_none_or(|(_, at)| long_ago(at));
    if !runs.replaced.contains(&run) || current_is_silent {
        return Ok(Decided::of(Event::AgentStarted { asset, run }));
    }
    match runs.again {
        Some((at, times)) if times >= 2 && at.plus_seconds(CLONE_NOTED_SECONDS) > now => {
            refuse(RefusalCode::NothingToDo, format!("it is known that two hosts speak for {asset}"))
        }
        _ => Ok(Decided::of(Event::CloneSeen { asset, run })),
    }
}

/// The asset whose place a new one takes: the last one of its machine. A token speaks for one group, so that it takes no
/// place in another.
pub(crate) fn replaced_by<'w>(
    world: &'w World,
    machine: Option<&MachineId>,
    group: &GroupName,
) -> Option<&'w AssetState> {
    let before = world.assets.of_machine(machine?)?;
    (before.group == *group && !before.shares_machine).then_some(before)
}

/// Decides that an asset is gone because a person says so.
pub(crate) fn retire(world: &World, asset: AssetId, by: Person, why: String) -> Result<Decided, Refusal> {
    let state = enrolled(world, &asset)?;
    if let Some(retired) = &state.retired {
        let message = format!("{} is retired since {} already", state.hostname, retired.at);
        return refuse(RefusalCode::NothingToDo, message);
    }
    if let Some(order) = state.outstanding {
        let message =
            format!("{order} is out to {}: wait for its report, or until it expires", state.hostname);
        return refuse(RefusalCode::WrongStage, message);
    }
    if why.trim().is_empty() {
        return refuse(RefusalCode::BadContent, "a retirement needs a reason");
    }
    Ok(Decided::of(Event::AssetRetired { asset, why: Retirement::ByPerson { by, why } }))
}

/// Decides which assets have been silent for longer than the policy gives them.
pub(crate) fn retire_silent(world: &World, now: Timestamp) -> Result<Decided, Refusal> {
    let heard = world.term_began.is_some_and(|began| began.plus_seconds(AFTER_START_SECONDS) < now);
    let Some(policy) = world.policy().filter(|_| heard) else {
        return refuse(RefusalCode::NothingToDo, "no rule retires anything now");
    };
    let mut events = Vec::new();
    for (group, assets) in world.assets.groups() {
        // As with the rules of changes, the first that matches counts.
        let Some(rule) = policy.policy.retire.iter().find(|rule| rule.is_about(group)) else { continue };
        for asset in assets.iter().filter_map(|ordinal| world.asset_at(ordinal)) {
            let last = asset.reported.map_or(asset.enrolled, |(_, at)| at);
            if last.plus_seconds(rule.silent_seconds) < now && asset.outstanding.is_none() {
                let why = Retirement::Silent { rule: rule.name.clone(), version: policy.version };
                events.push(Event::AssetRetired { asset: asset.id, why });
                if events.len() == MAX_AT_ONCE {
                    return Ok(Decided { events, ..Decided::default() });
                }
            }
        }
    }
    if events.is_empty() {
        return refuse(RefusalCode::NothingToDo, "no host has been silent for long enough");
    }
    Ok(Decided { events, ..Decided::default() })
}

/// What is to be noted before a report of an asset: that it is back, or goes by another name.
pub(crate) fn before_report(asset: &AssetState, hostname: Option<&str>) -> Vec<Event> {
    let mut events = Vec::new();
    if asset.retired.is_some() {
        events.push(Event::AssetReturned { asset: asset.id });
    }
    let name = hostname.map(shown).filter(|name| !name.is_empty() && *name != asset.hostname);
    events.extend(name.map(|hostname| Event::AssetRenamed { asset: asset.id, hostname }));
    events
}

impl World {
    /// Nothing of the asset counts any more. What an order asks of it nobody waits for.
    pub(crate) fn retire(
        &mut self,
        seq: u64,
        id: &AssetId,
        why: &Retirement,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let ordinal = self.known(seq, id)?;
        if let Some(order) = self.assets.get(ordinal).and_then(|asset| asset.outstanding) {
            self.settle(seq, order)?;
        }
        let Some(asset) = self.assets.get_mut(ordinal) else { return Ok(()) };
        let (stances, profile) = (asset.stances.take(), asset.profile.take());
        asset.retired = Some(Arc::new(Retired { at: now, why: why.clone() }));
        (asset.said, asset.first_reported, asset.index_age) = (None, None, None);
        asset.since.clear();
        asset.addresses = Arc::default();
        self.assets.retire(ordinal);
        self.assets.ask(ordinal);
        if let Some(os) = profile.as_ref().and_then(|profile| profile.os.osv_ecosystem()) {
            count_off(&mut self.systems, &os);
        }
        if stances.is_some() {
            let nothing = self.index.list(&[]);
            self.index.replace(ordinal, stances.as_ref(), &nothing);
        }
        // Without addresses and packages the context says something else of it, as it would after a restart.
        self.weigh_anew(ordinal);
        Ok(())
    }

    /// A retired asset reports again.
    pub(crate) fn take_back(&mut self, seq: u64, id: &AssetId) -> Result<(), ApplyError> {
        let ordinal = self.known(seq, id)?;
        let retired = self.assets.get_mut(ordinal).and_then(|asset| asset.retired.take());
        self.assets.take_back(ordinal);
        // Both are there, so that what their firmware says names neither.
        if let Some(Retirement::Superseded { by }) = retired.as_deref().map(|retired| &retired.why) {
            let other = self.assets.ordinal(by);
            for ordinal in [Some(ordinal), other].into_iter().flatten() {
                if let Some(asset) = self.assets.get_mut(ordinal) {
                    asset.shares_machine = true;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn rename(&mut self, seq: u64, id: &AssetId, hostname: &str) -> Result<(), ApplyError> {
        let ordinal = self.known(seq, id)?;
        if let Some(asset) = self.assets.get_mut(ordinal) {
            hostname.clone_into(&mut asset.hostname);
        }
        Ok(())
    }

    /// A run of the agent begins: its reports count from here, and every one of them is later than what was before.
    pub(crate) fn start_agent(&mut self, seq: u64, id: &AssetId, run: AgentRun) -> Result<(), ApplyError> {
        let ordinal = self.known(seq, id)?;
        let Some(asset) = self.assets.get_mut(ordinal) else { return Ok(()) };
        asset.runs.start(run);
        asset.reported = asset.reported.map(|(_, at)| (0, at));
        for id in asset.begun.clone() {
            self.directive_mut(seq, id)?.count_reports_anew(ordinal);
        }
        for id in self.forensic.clone() {
            self.directive_mut(seq, id)?.try_evidence_anew(ordinal);
        }
        Ok(())
    }

    /// A run that was replaced speaks again at this time; `None`: none has for long enough.
    pub(crate) fn hear_again(
        &mut self,
        seq: u64,
        id: &AssetId,
        at: Option<Timestamp>,
    ) -> Result<(), ApplyError> {
        let ordinal = self.known(seq, id)?;
        if let Some(asset) = self.assets.get_mut(ordinal) {
            match at {
                Some(at) => asset.runs.speak_again(at),
                None => asset.runs.again = None,
            }
        }
        Ok(())
    }
}

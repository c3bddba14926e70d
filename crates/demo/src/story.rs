//! What the story does next. Where it is follows from the World; only since when it is there is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenon_engine::{DirectiveState, World};
use tenon_model::{
    AdvisoryDelta, Command, DirectiveId, GroupName, IdError, OrderAction, Person, Stage, Timestamp,
};
use tenon_server::{Demo, Guide};

use crate::clock::Clock;
use crate::estate::{DATA, HERO, HERO_HOSTS, System};
use crate::feed::{BULLETINS, Bulletin, DATA_SOURCE, HERO as HERO_ADVISORY, HERO_SOURCE, exploited};
use crate::guide::guide;
use crate::host::{Ending, Played};

/// Parts of the story, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The estate comes.
    Arriving,
    /// Nothing happens that calls for anybody.
    Quiet,
    /// A fix is offered.
    Offered,
    /// It is disclosed what it mends.
    Disclosed,
    /// That is exploited.
    Exploited,
    /// Waits for approval.
    Approval,
    /// Waves roll.
    Rolling,
    /// The rollout stands still.
    Halted,
    /// What stands still on single hosts is left.
    Left,
    /// Verified everywhere.
    Over,
}

/// Seconds of the story that a part takes until the next begins by itself.
const QUIET_SECONDS: u32 = 20 * 60;
const OFFERED_SECONDS: u32 = 12 * 60;
const DISCLOSED_SECONDS: u32 = 12 * 60;

impl Part {
    pub(crate) fn number(self) -> u32 {
        self as u32 + 1
    }

    /// Where the story is. `offered` says whether the hosts have told of the fix.
    pub(crate) fn of(world: &World, offered: bool) -> Self {
        if !arrived(world) {
            return Self::Arriving;
        }
        let Some((_, state)) = hero(world) else {
            return if offered { Self::Offered } else { Self::Quiet };
        };
        if state.closed.is_some() {
            return Self::Over;
        }
        let has = |wanted: fn(&Stage) -> bool| state.begun().any(|(_, stage)| wanted(stage));
        let rehearses =
            has(|stage| matches!(stage, Stage::Rehearsing { .. })) || !state.proposed().is_empty();
        match &state.rollout {
            Some(rollout) if rollout.halted.is_some() => Self::Halted,
            Some(rollout) if !rollout.is_over() => Self::Rolling,
            Some(_) => Self::Left,
            None if !is_exploited(world) => Self::Disclosed,
            None if rehearses => Self::Exploited,
            None => Self::Approval,
        }
    }
}

/// Whether the estate is there: its last command decides that the story's team may act.
pub(crate) fn arrived(world: &World) -> bool {
    HERO.parse::<GroupName>().is_ok_and(|group| world.mode_decided(&group).is_some())
}

fn is_exploited(world: &World) -> bool {
    let id = crate::feed::HERO_VULNERABILITY.parse();
    id.is_ok_and(|id| world.intel(&id).kev.is_some())
}

/// The directive that the story is about.
pub(crate) fn hero(world: &World) -> Option<(DirectiveId, &DirectiveState)> {
    of_source(world, HERO_SOURCE, HERO)
}

fn of_source<'w>(world: &'w World, source: &str, group: &str) -> Option<(DirectiveId, &'w DirectiveState)> {
    let mut all = world.directives();
    let found =
        all.find(|(_, state)| state.source().name == source && state.directive.group.to_string() == group);
    found.map(|(id, state)| (*id, state))
}

/// What the story itself does when a part is over: not what hosts do.
pub(crate) fn next(part: Part, since: Timestamp) -> Option<(Timestamp, Act)> {
    match part {
        Part::Quiet => Some((since.plus_seconds(QUIET_SECONDS), Act::Offer)),
        Part::Offered => Some((since.plus_seconds(OFFERED_SECONDS), Act::Disclose)),
        Part::Disclosed => Some((since.plus_seconds(DISCLOSED_SECONDS), Act::List)),
        _ => None,
    }
}

/// What the story does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The repositories have the fix.
    Offer,
    /// The advisory is published.
    Disclose,
    /// The vulnerability is listed as exploited.
    List,
}

/// The bulletin of the story.
fn bulletin() -> Option<&'static Bulletin> {
    BULLETINS.iter().find(|bulletin| bulletin.id == HERO_ADVISORY)
}

/// The commands that publish a bulletin.
pub(crate) fn publish(bulletin: &Bulletin, now: Timestamp) -> Result<Vec<Command>, IdError> {
    let delta = AdvisoryDelta { published: vec![bulletin.advisory(now)?], withdrawn: Vec::new() };
    Ok(vec![
        Command::ChangeIntel { delta: bulletin.scores(now)?, as_of: Some(now) },
        Command::ChangeIntel { delta: bulletin.profiles(now)?, as_of: Some(now) },
        Command::ChangeAdvisories { feed: "demo advisories".to_owned(), delta, as_of: Some(now) },
    ])
}

/// The commands of an act that is no host's.
pub(crate) fn commands(act: Act, now: Timestamp) -> Result<Vec<Command>, IdError> {
    match (act, bulletin()) {
        (Act::Disclose, Some(bulletin)) => publish(bulletin, now),
        (Act::List, _) => Ok(vec![Command::ChangeIntel { delta: exploited(now)?, as_of: Some(now) }]),
        (Act::Offer, _) | (Act::Disclose, None) => Ok(Vec::new()),
    }
}

/// The directive of the rollout that is under way when the visitor comes.
pub(crate) fn colleagues(world: &World) -> Option<(DirectiveId, &DirectiveState)> {
    of_source(world, DATA_SOURCE, DATA)
}

/// Team data approves its own upgrade once it is rehearsed: a rollout is under way when the visitor comes.
pub(crate) fn colleague(world: &World) -> Result<Option<Command>, IdError> {
    let Some((directive, state)) = colleagues(world) else { return Ok(None) };
    let waits = state.begun().any(|(_, stage)| matches!(stage, Stage::AwaitingApproval { .. }));
    let rehearses = state.begun().any(|(_, stage)| matches!(stage, Stage::Rehearsing { .. }));
    if state.closed.is_some()
        || state.rollout.is_some()
        || !waits
        || rehearses
        || !state.proposed().is_empty()
    {
        return Ok(None);
    }
    let by: Person = "dana-of-the-demo".parse()?;
    Ok(Some(Command::Approve { directive, by, roles: BTreeSet::new(), reports: None, waive_evidence: None }))
}

/// How an order ends on a host.
pub(crate) fn ending(world: &World, host: &Played, directive: DirectiveId, action: &OrderAction) -> Ending {
    let Some((id, state)) = hero(world).filter(|(id, _)| *id == directive) else { return Ending::Well };
    match action {
        // One host, the first time.
        OrderAction::Rehearse { .. } => {
            let orders = state.orders.iter().filter_map(|order| world.order(order));
            let rehearses = |action: &OrderAction| matches!(action, OrderAction::Rehearse { .. });
            let here = orders.filter(|state| state.order.asset == host.host.asset);
            let tried = here.filter(|state| rehearses(&state.order.action)).count();
            let unlucky = unlucky(world, id);
            if tried <= 1 && unlucky == Some(host.host.asset) { Ending::Badly } else { Ending::Well }
        }
        OrderAction::PreserveEvidence { .. } => Ending::Well,
        // The first canary of one system among the hosts whose configuration was changed by hand.
        OrderAction::Apply { .. } => {
            let first = state.rollout.as_ref().is_some_and(|rollout| rollout.plan.version == 1);
            let odd = host.host.changed_by_hand && host.host.system == System::Debian12;
            if first && odd { Ending::Badly } else { Ending::Well }
        }
    }
}

/// The host whose rehearsal does not work: the last of the directive, which is none of its first canaries.
fn unlucky(world: &World, id: DirectiveId) -> Option<tenon_model::AssetId> {
    let state = world.directive(&id)?;
    let last = state.members.iter().last()?;
    Some(world.asset_at(last)?.id)
}

/// The story as the server asks for it.
#[derive(Debug)]
pub struct Show {
    pub(crate) clock: Arc<Clock>,
}

impl Show {
    /// A story by this clock.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { clock }
    }
}

impl Demo for Show {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn pace(&self) -> u32 {
        self.clock.factor()
    }

    fn guide(&self, world: &World) -> Guide {
        guide(world, Part::of(world, offered(world)))
    }
}

/// Whether the hosts have told of the story's fix: one of them tells for all.
pub(crate) fn offered(world: &World) -> bool {
    let prefix = format!("{HERO_HOSTS}-");
    let host = world.assets().find(|(_, asset)| asset.hostname.starts_with(&prefix));
    let offers = host.and_then(|(_, asset)| world.offers_of(asset)).unwrap_or_default();
    offers.iter().any(|offer| offer.source.name == HERO_SOURCE)
}

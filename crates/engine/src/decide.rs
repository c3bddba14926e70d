//! `decide`: a command against the World gives events, or a refusal with a reason. Pure.

use tenon_model::{
    ApplyReport, AssetId, Blob, ClockRule, Command, Event, GroupName, OrderAction, OrderId, Record, Refusal,
    RefusalCode, RehearsalReport, Retirement, Stage, Timestamp, Versioned,
};
use tenon_risk::regulation::Regulations;

use crate::ahead::{Kind, Prepared, Report};
use crate::apply::{ActionWanted, Attachments};
use crate::approvals::{self, Approval};
use crate::assigning;
use crate::change::Change;
use crate::consequences::{Dirty, asks_people, consequences, due};
use crate::controls;
use crate::detections;
use crate::directives::DirectiveState;
use crate::evidence;
use crate::exceptions;
use crate::life;
use crate::reports;
use crate::rollout::Rollout;
use crate::signatures::{self, Sent};
use crate::world::{GroupMode, OrderState, World};

/// How often consequences may have consequences before something is wrong: verified, settled, closed, dispatched is the
/// longest known chain.
const MAX_ROUNDS: usize = 16;
/// How long after its expiry an order waits for the answer to work that was begun in time, in seconds.
const ANSWER_GRACE_SECONDS: u32 = 900;

/// What a command leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// The facts and all their consequences, in order.
    pub events: Vec<Event>,
    /// Blobs the events name; store them first.
    pub blobs: Vec<Blob>,
    /// The same for [`World::apply`].
    pub attachments: Attachments,
    /// What the shell should do once the events are durable.
    pub wanted: Vec<ActionWanted>,
    /// How the journal keeps one of the events, where that was made ready, and which.
    pub(crate) written: Option<(usize, Vec<u8>)>,
}

impl Decided {
    pub(crate) fn of(event: Event) -> Self {
        Self { events: vec![event], ..Self::default() }
    }

    pub(crate) fn with(event: Event, blobs: Vec<Blob>) -> Self {
        Self { events: vec![event], blobs, ..Self::default() }
    }

    /// The events as the journal keeps them, each once.
    ///
    /// # Errors
    /// When an event cannot be encoded, which none causes.
    pub fn payloads(&mut self) -> Result<Vec<Vec<u8>>, serde_json::Error> {
        let mut written = self.written.take();
        let payload = |(place, event)| match written.take_if(|(of, _)| *of == place) {
            Some((_, payload)) => Ok(payload),
            None => Versioned::encode(event),
        };
        self.events.iter().enumerate().map(payload).collect()
    }
}

pub(crate) fn refuse<T>(code: RefusalCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, message))
}

/// Longest text of people, in characters.
const MAX_WORDS: usize = 1_000;

/// Refuses a text that says nothing, or too much; `need` tells what it is for.
pub(crate) fn worded(need: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() || text.chars().count() > MAX_WORDS {
        return refuse(RefusalCode::BadContent, format!("{need} of 1 to {MAX_WORDS} characters"));
    }
    Ok(())
}

pub(crate) fn encode<T: serde::Serialize>(value: &T) -> Result<Blob, Refusal> {
    serde_json::to_vec(value)
        .map(Blob::new)
        .map_err(|error| Refusal::new(RefusalCode::BadContent, format!("cannot be stored: {error}")))
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// Decided against; the World is as it was.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What it leads to cannot be applied: a defect of this program. The World may hold half of it and must be dropped.
    #[error("what this command leads to cannot be applied: {0}")]
    Broken(String),
}

/// Decides one command at the time `now`, which the shell stamps on every event. The World stays as it is.
///
/// # Errors
/// A [`Refusal`] with a stable code; nothing changes then.
pub fn decide(world: &World, command: impl Into<Prepared>, now: Timestamp) -> Result<Decided, Refusal> {
    advance(&mut world.clone(), command, now).map_err(|undecided| match undecided {
        Undecided::Refused(refusal) => refusal,
        Undecided::Broken(error) => Refusal::new(RefusalCode::BadContent, error),
    })
}

/// Decides one command like [`decide`], and applies what it leads to. What is large is best made ready before:
/// [`Prepared::on`].
///
/// # Errors
/// [`Undecided`]: after a refusal the World is as it was.
pub fn advance(
    world: &mut World,
    command: impl Into<Prepared>,
    now: Timestamp,
) -> Result<Decided, Undecided> {
    let now = world.time().map_or(now, |last| last.max(now));
    let mut decided = match command.into().0 {
        Kind::Plain(command) => primary(world, *command, now)?,
        Kind::Report(asset, sequence, report) => reports::whole(world, asset, sequence, *report)?,
        Kind::Delta(asset, sequence, change) => reports::delta(world, asset, sequence, *change)?,
    };
    for blob in &decided.blobs {
        decided.attachments.insert(blob.clone());
    }
    let mut pending = decided.events.clone();
    let mut dirty = Dirty::default();
    for _ in 0..MAX_ROUNDS {
        dirty.next_round();
        for event in pending {
            dirty.note(world, &event, &decided.attachments);
            let record = Record { seq: world.seq() + 1, time: now, event };
            world
                .apply(&record, &decided.attachments, &mut decided.wanted)
                .map_err(|error| Undecided::Broken(error.to_string()))?;
        }
        dirty.weigh(world);
        dirty.ask(world);
        pending = consequences(world, &dirty, now);
        if pending.is_empty() {
            // What the policy has approved asks nobody.
            decided.wanted.retain(|wanted| match wanted {
                ActionWanted::AskApproval { directive } => asks_people(world, *directive),
                ActionWanted::SendOrder { .. } => true,
            });
            return Ok(decided);
        }
        decided.events.extend(pending.iter().cloned());
    }
    Err(Undecided::Broken(format!("its consequences did not settle in {MAX_ROUNDS} rounds")))
}

/// The facts a command states, before any consequence.
fn primary(world: &World, command: Command, now: Timestamp) -> Result<Decided, Refusal> {
    match command {
        Command::BeginTerm => Ok(Decided::of(Event::TermBegan { term: world.term() + 1 })),
        Command::ChangeAdvisories { feed, delta, as_of } => {
            let (published, withdrawn) = (count(delta.published.len()), count(delta.withdrawn.len()));
            if published == 0 && withdrawn == 0 {
                return refuse(RefusalCode::NothingToDo, format!("feed {feed} brings no change"));
            }
            let blob = encode(&delta)?;
            let delta = blob.digest();
            let event = Event::AdvisoriesChanged { feed, delta, published, withdrawn, as_of };
            Ok(Decided::with(event, vec![blob]))
        }
        Command::ChangeIntel { delta, as_of } => {
            let changed = count(delta.vulnerabilities().len());
            if changed == 0 {
                return refuse(RefusalCode::NothingToDo, "the intel feed brings no change");
            }
            let (source, blob) = (delta.source(), encode(&delta)?);
            let event = Event::IntelChanged { source, delta: blob.digest(), changed, as_of };
            Ok(Decided::with(event, vec![blob]))
        }
        Command::AssessReach { delta } => {
            let zones = count(delta.about().count());
            if zones == 0 {
                return refuse(RefusalCode::NothingToDo, "no zone is reached otherwise than before");
            }
            let (most, blob) = (world.approach.moves_most(&delta), encode(&delta)?);
            Ok(Decided::with(Event::ReachAssessed { delta: blob.digest(), zones, most }, vec![blob]))
        }
        Command::IssueToken { token, secret, group, expires, by } => {
            if expires <= now {
                return refuse(
                    RefusalCode::BadToken,
                    format!("a token that expires at {expires} is of no use"),
                );
            }
            Ok(Decided::of(Event::TokenIssued { token, secret, group, expires, by }))
        }
        Command::Enrol { asset, hostname, token, secret, machine } => {
            let known =
                world.tokens.get(&token).filter(|known| known.secret == secret && known.expires > now);
            let Some(known) = known else {
                return refuse(
                    RefusalCode::BadToken,
                    format!("enrolment token {token} is unknown, used up, expired or wrong: make a new one"),
                );
            };
            if world.asset(&asset).is_some() {
                return refuse(RefusalCode::AlreadyEnrolled, format!("{asset} is enrolled already"));
            }
            let group = known.group.clone();
            let before = life::replaced_by(world, machine.as_ref(), &group);
            let replaces = before.map(|before| before.id);
            let hostname = life::shown(&hostname);
            let enrolled = Event::AssetEnrolled { asset, hostname, group, token, machine, replaces };
            let mut decided = Decided::of(enrolled);
            if let Some(before) = before.filter(|before| before.retired.is_none()) {
                let why = Retirement::Superseded { by: asset };
                decided.events.push(Event::AssetRetired { asset: before.id, why });
            }
            Ok(decided)
        }
        Command::HearRun { asset, run } => life::hear(world, asset, run, now),
        Command::Retire { asset, by, why } => life::retire(world, asset, by, why),
        Command::RetireSilent => life::retire_silent(world, now),
        Command::ReportInventory { asset, sequence, inventory } => {
            reports::whole(world, asset, sequence, Report::new(&world.index, inventory)?)
        }
        Command::ReportDelta { asset, sequence, delta } => {
            reports::delta(world, asset, sequence, Change::new(world, asset, sequence, *delta)?)
        }
        Command::SetContext { asset, context, by } => {
            if life::enrolled(world, &asset)?.context == context {
                return refuse(RefusalCode::NothingToDo, format!("that is stated about {asset} already"));
            }
            Ok(Decided::of(Event::ContextSet { asset, context, by }))
        }
        Command::TakeOverContext { document, compared, by } => {
            document.check().map_err(|error| Refusal::new(RefusalCode::BadContent, error.to_string()))?;
            let version = world.context().map_or(0, |known| known.version);
            if compared != version {
                let message =
                    format!("the context is at version {version}, and {compared} was looked at: look again");
                return refuse(RefusalCode::EvidenceChanged, message);
            }
            if world.context().is_some_and(|known| *known.document == document) {
                return refuse(
                    RefusalCode::NothingToDo,
                    format!("context version {version} says that already"),
                );
            }
            let blob = encode(&document)?;
            let document = blob.digest();
            let event = Event::ContextTakenOver { version: version.saturating_add(1), document, by };
            Ok(Decided::with(event, vec![blob]))
        }
        Command::StateVex { document, mut statements, by } => {
            statements.sort();
            let known = world.vex.get(&document).map(|known| known.as_slice()).unwrap_or_default();
            if known == statements {
                return refuse(RefusalCode::NothingToDo, format!("{document} says that already"));
            }
            let blob = encode(&statements)?;
            let count = count(statements.len());
            let statements = blob.digest();
            let event = Event::VexStated { document, statements, count, by };
            Ok(Decided::with(event, vec![blob]))
        }
        Command::GrantException { request, by } => {
            Ok(Decided::of(exceptions::grant(world, *request, by, now)?))
        }
        Command::EndException { exception, by, why } => {
            Ok(Decided::of(exceptions::revoke(world, exception, by, why)?))
        }
        Command::RecordControl { request, by } => {
            Ok(Decided::of(controls::record(world, *request, by, now)?))
        }
        Command::EndControl { control, by, why } => {
            Ok(Decided::of(controls::withdraw(world, control, by, why)?))
        }
        Command::ReportDetection { detection } => {
            Ok(Decided::of(detections::report(world, *detection, now)?))
        }
        Command::DismissDetection { detection, by, why } => {
            let events = detections::dismiss(world, detection, &by, &why)?;
            Ok(Decided { events, ..Decided::default() })
        }
        Command::SetRules { rules, .. } if *world.rules() == rules => {
            refuse(RefusalCode::NothingToDo, "these rules count already")
        }
        Command::SetRules { rules, .. }
            if rules.vdr.is_some() != rules.clocks.contains(&ClockRule::FedrampVdr) =>
        {
            let message =
                "the clock fedramp-vdr and the class and PAIN that it counts by are chosen together";
            refuse(RefusalCode::BadContent, message)
        }
        Command::SetRules { rules, by } => {
            Regulations::read(rules.regulations.iter().map(String::as_str))
                .map_err(|why| Refusal::new(RefusalCode::BadContent, why.to_string()))?;
            Ok(Decided::of(Event::RulesSet { rules, by }))
        }
        Command::Promote { group, by } => {
            expect_other_mode(world, &group, GroupMode::Act)?;
            Ok(Decided::of(Event::GroupPromoted { group, by }))
        }
        Command::Demote { group, by } => {
            expect_other_mode(world, &group, GroupMode::Observe)?;
            Ok(Decided::of(Event::GroupDemoted { group, by }))
        }
        Command::ReportRehearsal { asset, order, report } => rehearsed(world, asset, order, &report),
        Command::ReportEvidence { asset, order, outcome } => evidence::report(world, asset, order, outcome),
        Command::WaiveEvidence { directive, assets, why, by } => {
            Ok(Decided::of(evidence::waive(world, directive, assets, why, by)?))
        }
        Command::ReportApply { asset, order, report } => applied(world, asset, order, &report),
        Command::SignChanges { directive, statement, signature, key, assets, by } => {
            let sent = Sent { statement, signature, key, assets, by };
            Ok(Decided::of(signatures::sign(world, directive, sent, now)?))
        }
        Command::SetPolicy { text, compared, by } => approvals::set_policy(world, text, compared, by),
        Command::Approve { directive, by, roles, reports, waive_evidence } => {
            let approval = Approval { by, roles, reports, waive_evidence };
            approvals::approve(world, directive, approval, now)
        }
        Command::Refuse { directive: id, by, why } => {
            let state = open_directive(world, id)?;
            if state.begun().any(|(_, stage)| matches!(stage, Stage::Applying { .. })) {
                return refuse(
                    RefusalCode::WrongStage,
                    format!("{id} is being applied: wait for the host's report"),
                );
            }
            if why.trim().is_empty() {
                return refuse(RefusalCode::BadContent, "a refusal needs a reason");
            }
            Ok(Decided::of(Event::DirectiveClosed { id, outcome: tenon_model::Outcome::Refused { by, why } }))
        }
        Command::Note { directive, kind, text, by } => approvals::note(world, directive, kind, &text, by),
        Command::Assign { directive, to, by, may } => assigning::assign(world, directive, to, by, may),
        Command::CutHistory { base } => {
            let (last, now) = (world.seq(), world.time());
            if base.seq == 0 || base.seq > last || now.is_some_and(|now| base.time > now) {
                let text = format!("the record cannot begin with entry {} of {last}", base.seq);
                return refuse(RefusalCode::BadContent, text);
            }
            Ok(Decided::of(Event::HistoryCut { base }))
        }
        Command::SetTempo { tempo, by } => {
            if world.tempo() == tempo {
                return refuse(RefusalCode::NothingToDo, format!("rollouts are {tempo} already"));
            }
            Ok(Decided::of(Event::TempoSet { tempo, by }))
        }
        Command::Halt { directive: id, by, why } => {
            let state = open_directive(world, id)?;
            if why.trim().is_empty() {
                return refuse(RefusalCode::BadContent, "a halt needs a reason");
            }
            match &state.rollout {
                Some(rollout) if rollout.halted.is_none() && !rollout.is_over() => {
                    Ok(Decided::of(Event::RolloutHalted { id, why, by: Some(by) }))
                }
                _ => refuse(RefusalCode::WrongStage, format!("{id} has no rollout under way")),
            }
        }
        Command::Resume { directive: id, by } => {
            let rollout = open_directive(world, id)?.rollout.as_ref();
            let waits = |rollout: &&Rollout| rollout.halted.is_some() || !rollout.plan.held_back.is_empty();
            match rollout.filter(waits) {
                Some(_) => Ok(Decided::of(Event::RolloutResumed { id, by })),
                None => refuse(
                    RefusalCode::WrongStage,
                    format!("{id} has no rollout that is halted or holds assets back"),
                ),
            }
        }
        Command::Retry { directive: id, asset, by } => match stage(world, open_directive(world, id)?, &asset)
        {
            Some(Stage::NeedsPerson { .. } | Stage::Failed { .. } | Stage::RolledBack { .. }) => {
                Ok(Decided::of(Event::RetryRequested { id, asset, by }))
            }
            // A later report had its say and does not show the fix.
            Some(Stage::Applied { after_sequence, .. })
                if world
                    .asset(&asset)
                    .and_then(|asset| asset.reported)
                    .is_some_and(|(last, _)| last > *after_sequence) =>
            {
                Ok(Decided::of(Event::RetryRequested { id, asset, by }))
            }
            Some(_) if missed_evidence(world, id, &asset) => {
                Ok(Decided::of(Event::RetryRequested { id, asset, by }))
            }
            Some(_) => refuse(RefusalCode::WrongStage, format!("{id} is not standing still on {asset}")),
            None => refuse(RefusalCode::UnknownAsset, format!("{asset} is not part of {id}")),
        },
        Command::Tick => {
            let expired = world.open_orders.iter().map(|(order, ())| order).filter(|order| {
                world
                    .order(order)
                    .is_some_and(|state| state.order.expires.plus_seconds(ANSWER_GRACE_SECONDS) < now)
            });
            let mut events: Vec<_> = expired.map(|order| Event::OrderExpired { order: *order }).collect();
            // What failed by silence is counted before anything goes on.
            if events.is_empty() {
                events = exceptions::expire(world, now);
            }
            if events.is_empty() {
                events = controls::expire(world, now);
            }
            if events.is_empty() {
                events = detections::expire(world, now);
            }
            if events.is_empty() {
                events = detections::fade(world, now);
            }
            if events.is_empty() {
                events = due(world, now);
            }
            if events.is_empty() {
                return refuse(RefusalCode::NothingToDo, "nothing is due");
            }
            Ok(Decided { events, ..Decided::default() })
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn stage<'w>(world: &World, state: &'w DirectiveState, asset: &AssetId) -> Option<&'w Stage> {
    state.stage(world.ordinal(asset)?)
}

pub(crate) fn open_directive(
    world: &World,
    id: tenon_model::DirectiveId,
) -> Result<&DirectiveState, Refusal> {
    world
        .directive(&id)
        .filter(|state| state.closed.is_none())
        .ok_or_else(|| Refusal::new(RefusalCode::UnknownDirective, format!("{id} is unknown or closed")))
}

/// Whether evidence of an asset was missed.
fn missed_evidence(world: &World, id: tenon_model::DirectiveId, asset: &AssetId) -> bool {
    let state = world.directive(&id).zip(world.ordinal(asset));
    state.is_some_and(|(state, asset)| state.missed_evidence(asset))
}

fn expect_other_mode(world: &World, group: &GroupName, wanted: GroupMode) -> Result<(), Refusal> {
    if world.mode(group) == wanted {
        return refuse(RefusalCode::NothingToDo, format!("group {group} is in this mode already"));
    }
    Ok(())
}

/// The order this asset may answer with a report of this kind.
pub(crate) fn answered(world: &World, asset: AssetId, order: OrderId) -> Result<&OrderState, Refusal> {
    world
        .order(&order)
        .filter(|state| state.order.asset == asset)
        .ok_or_else(|| Refusal::new(RefusalCode::UnknownOrder, format!("{order} is not an order to {asset}")))
}

fn rehearsed(
    world: &World,
    asset: AssetId,
    order: OrderId,
    report: &RehearsalReport,
) -> Result<Decided, Refusal> {
    let state = answered(world, asset, order)?;
    if state.settled || !matches!(state.order.action, OrderAction::Rehearse { .. }) {
        return refuse(RefusalCode::UnknownOrder, format!("{order} does not wait for a rehearsal report"));
    }
    let outcome = report.outcome.clone();
    let blob = encode(report)?;
    let event = Event::RehearsalRecorded { order, report: blob.digest(), outcome };
    Ok(Decided::with(event, vec![blob]))
}

fn applied(world: &World, asset: AssetId, order: OrderId, report: &ApplyReport) -> Result<Decided, Refusal> {
    let state = answered(world, asset, order)?;
    // A report that comes after the order was given up still tells what happened on the host: it is taken, once.
    let given_up = world
        .directive(&state.order.directive)
        .and_then(|directive| stage(world, directive, &asset))
        .is_some_and(|stage| matches!(stage, Stage::Failed { report: None, .. }));
    let waits = !state.settled || (given_up && state.report.is_none());
    if !waits || !matches!(state.order.action, OrderAction::Apply { .. }) {
        return refuse(RefusalCode::UnknownOrder, format!("{order} does not wait for an apply report"));
    }
    let outcome = report.outcome.clone();
    let blob = encode(report)?;
    let event = Event::ApplyRecorded { order, report: blob.digest(), outcome };
    Ok(Decided::with(event, vec![blob]))
}

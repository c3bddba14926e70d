//! Which entries of the record are worth a message, and what it says.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tenon_engine::{EvidenceState, World};
use tenon_journal::Entry;
use tenon_model::{
    ApplyOutcome, AssetId, ControlEnd, Digest, DirectiveId, Event, EventError, ExceptionEnd, GroupName,
    NoteKind, OrderId, RehearsalOutcome, Stage, TOO_LATE, Timestamp, Versioned,
};

use super::{Message, Topic};
use crate::access::Names;
use crate::log::said;
use crate::pages::words::minute;
use crate::view::DirectiveLine;

/// A directive is urgent when it is due within so many days: the shortest that published tables set is three.
const URGENT_DAYS: u32 = 3;
/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// Vulnerabilities that a sentence names; the rest is counted.
const NAMED: usize = 3;
/// Kinds of entries that can be worth a message. What hosts report all day long is not read further than its kind.
const KINDS: [&str; 13] = [
    "apply-recorded",
    "clone-seen",
    "control-ended",
    "detection-reported",
    "directive-changed",
    "directive-closed",
    "directive-noted",
    "directive-raised",
    "evidence-missed",
    "exception-ended",
    "order-expired",
    "rehearsal-recorded",
    HALTED,
];
/// The kind of a rollout's halt.
const HALTED: &str = "rollout-halted";

/// The messages of a few entries, in their order. `world` is that of the last of them or a later one: what was settled
/// meanwhile is not asked of anybody. People are told by their names, which the record does not hold.
///
/// # Errors
/// When an entry is no event.
pub(super) fn messages(entries: &[Entry], world: &World, names: &Names) -> Result<Vec<Message>, EventError> {
    let mut messages = Vec::new();
    // Hosts rehearse side by side; people are asked once, when the last of them is done, however that ends.
    let mut rehearsed: BTreeMap<DirectiveId, (u64, Timestamp)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| may_tell(entry)) {
        let event = Versioned::decode(entry.seq, &entry.payload)?;
        let time = Timestamp::from_millis(entry.time_ms);
        if let Some(directive) = may_end_rehearsals(&event, world) {
            rehearsed.insert(directive, (entry.seq, time));
        }
        messages
            .extend(about(&event, time, world).map(|told| told.at(entry.seq, time, &event, world, names)));
    }
    messages.extend(rehearsed.into_iter().filter_map(|(id, at)| approval(id, at, world, names)));
    halted_by_failures(&mut messages);
    messages.sort_by_key(|message| message.seq);
    Ok(messages)
}

/// A host that fails stops its rollout at the same moment: that is one message, and always told, as somebody may have let the
/// rollout go on after the same failure.
fn halted_by_failures(messages: &mut Vec<Message>) {
    let at = |message: &Message| Some((message.time, message.directive.as_ref()?.0));
    let halts: BTreeSet<_> =
        messages.iter().filter(|message| message.kind == HALTED).filter_map(at).collect();
    let mut told = BTreeSet::new();
    for message in messages.iter_mut().filter(|message| message.cause.is_some()) {
        if let Some(halt) = at(message).filter(|halt| halts.contains(halt))
            && told.insert(halt)
        {
            message.said.push_str("; the rollout stands still until somebody resumes it");
            message.cause = None;
        }
    }
    messages.retain(|message| message.kind != HALTED || at(message).is_none_or(|halt| !told.contains(&halt)));
}

/// Whether the entry's kind can be worth a message. What cannot be read is, so that decoding it says why.
fn may_tell(entry: &Entry) -> bool {
    #[derive(Deserialize)]
    struct Kind<'e> {
        #[serde(borrow)]
        event: Cow<'e, str>,
    }
    serde_json::from_slice::<Kind<'_>>(&entry.payload)
        .map_or(true, |kind| KINDS.contains(&kind.event.as_ref()))
}

/// What an event is to those who are told.
struct Told {
    topic: Topic,
    directive: Option<DirectiveId>,
    asset: Option<AssetId>,
    /// Why a host failed, and on which day.
    cause: Option<Digest>,
}

impl Told {
    fn new(topic: Topic, directive: Option<DirectiveId>, asset: Option<AssetId>) -> Self {
        Self { topic, directive, asset, cause: None }
    }

    fn of(topic: Topic, directive: DirectiveId) -> Self {
        Self::new(topic, Some(directive), None)
    }

    fn at(self, seq: u64, time: Timestamp, event: &Event, world: &World, names: &Names) -> Message {
        let directive = self.directive.and_then(|id| line(id, world, names));
        let said = match (&directive, self.topic) {
            // The record says only what changed, and its reader wants the whole.
            (Some((id, line)), Topic::Urgent | Topic::Raised) if self.asset.is_none() => {
                format!("{id}: {}", words(line))
            }
            _ => said(event, world),
        };
        let said = match &directive {
            Some((_, line)) => with_assignee(said, line),
            None => said,
        };
        let group = self.directive.and_then(|id| world.directive(&id)).map(|state| &state.directive.group);
        let group = group.or_else(|| Some(&world.asset(&self.asset?)?.group)).cloned();
        Message {
            seq,
            time,
            topic: self.topic,
            kind: event.kind(),
            said,
            group,
            directive,
            asset: self.asset,
            asks: None,
            cause: self.cause,
        }
    }
}

/// What stands for a cause. What fails alike on another day is news: somebody tried again.
fn cause(kind: &str, reason: &str, time: Timestamp) -> Digest {
    Digest::of(format!("{kind}\n{}\n{reason}", time.as_millis().div_euclid(DAY_MS)).as_bytes())
}

fn about(event: &Event, time: Timestamp, world: &World) -> Option<Told> {
    let is_urgent = |due: Option<Timestamp>| due.is_some_and(|due| due <= time.plus_days(URGENT_DAYS));
    let of_order = |order: &OrderId| {
        let order = &world.order(order)?.order;
        Some(Told::new(Topic::Trouble, Some(order.directive), Some(order.asset)))
    };
    // Hosts that are alike fail alike, and whoever is told of the first looks at all of them.
    let failed = |order: &OrderId, reason: &str| {
        Some(Told { cause: Some(cause(event.kind(), reason, time)), ..of_order(order)? })
    };
    match event {
        Event::DirectiveRaised { id, directive, .. } => {
            let topic = if is_urgent(directive.priority.due) { Topic::Urgent } else { Topic::Raised };
            Some(Told::of(topic, *id))
        }
        Event::DirectiveChanged { id, change } => {
            let due = change.priority.as_ref()?.due;
            let open = world.directive(id).is_some_and(|state| state.closed.is_none());
            (open && is_urgent(due)).then(|| Told::of(Topic::Urgent, *id))
        }
        Event::DirectiveClosed { id, .. } => Some(Told::of(Topic::Done, *id)),
        Event::DetectionReported { detection, .. } => Some(Told::new(Topic::Urgent, None, detection.asset)),
        Event::RehearsalRecorded { order, outcome, .. } => match outcome {
            RehearsalOutcome::Passed => None,
            RehearsalOutcome::NotRehearsed { reason } | RehearsalOutcome::Failed { reason } => {
                failed(order, reason)
            }
        },
        Event::ApplyRecorded { order, outcome, .. } => match outcome {
            ApplyOutcome::Verified => None,
            // It is ordered again by itself.
            ApplyOutcome::Refused { code, .. }
                if code == TOO_LATE && world.order(order)?.order.is_late(time) =>
            {
                None
            }
            ApplyOutcome::RolledBack { reason }
            | ApplyOutcome::Failed { reason, .. }
            | ApplyOutcome::Refused { detail: reason, .. } => failed(order, reason),
        },
        Event::OrderExpired { order } => failed(order, "no word in time"),
        // Tried again by itself, until that is for a person to say: the last attempt, of those that are read at once.
        Event::EvidenceMissed { order, .. } => {
            let told = &world.order(order)?.order;
            let (state, asset) = (world.directive(&told.directive)?, world.ordinal(&told.asset)?);
            let is_last =
                matches!(state.evidence(asset), Some(EvidenceState::Missed { at, .. }) if *at == time);
            (is_last && state.evidence_needs_person(asset)).then(|| of_order(order)).flatten()
        }
        // It waits for somebody to answer.
        Event::DirectiveNoted { id, kind: NoteKind::Dispute, .. } => Some(Told::of(Topic::Trouble, *id)),
        // Who halts it knows.
        Event::RolloutHalted { id, by: None, .. } => Some(Told::of(Topic::Trouble, *id)),
        Event::CloneSeen { asset, .. } => Some(Told::new(Topic::Trouble, None, Some(*asset))),
        Event::ExceptionEnded { end: ExceptionEnd::Expired, .. }
        | Event::ControlEnded { end: ControlEnd::Expired, .. } => {
            Some(Told::new(Topic::Exception, None, None))
        }
        _ => None,
    }
}

/// The message that a directive waits for approval, unless further hosts rehearse, or nobody is asked any more.
fn approval(id: DirectiveId, (seq, time): (u64, Timestamp), world: &World, names: &Names) -> Option<Message> {
    let state = world.directive(&id).filter(|state| state.closed.is_none())?;
    let mut waits = 0_u64;
    let (mut asked, mut unsigned) = (Vec::new(), 0_u64);
    let missing =
        |asset| world.signatures(state, asset, time).is_some_and(|signatures| signatures.missing() > 0);
    for (asset, stage) in state.begun() {
        match stage {
            Stage::Rehearsing { .. } => return None,
            Stage::AwaitingApproval { report } => {
                waits += 1;
                unsigned += u64::from(missing(asset));
                asked.extend_from_slice(&asset.0.to_be_bytes());
                asked.extend_from_slice(report.as_bytes());
            }
            // A rule approved it, and its host asks for more than that.
            Stage::Approved { report } if missing(asset) => {
                unsigned += 1;
                asked.extend_from_slice(&asset.0.to_be_bytes());
                asked.extend_from_slice(report.as_bytes());
            }
            _ => {}
        }
    }
    if waits + unsigned == 0 {
        return None;
    }
    let what = match (waits, unsigned) {
        (_, 0) => format!("approval on {}", hosts(waits)),
        (0, _) => format!("signatures on {} (tenon approve {id} --key FILE)", hosts(unsigned)),
        _ => {
            let (waits, unsigned) = (hosts(waits), hosts(unsigned));
            format!("approval on {waits}, and for signatures on {unsigned} (tenon approve {id} --key FILE)")
        }
    };
    let (_, line) = line(id, world, names)?;
    Some(Message {
        seq,
        time,
        topic: Topic::Approval,
        kind: "rehearsal-recorded",
        said: with_assignee(format!("{id} waits for {what}: {}", words(&line)), &line),
        group: Some(state.directive.group.clone()),
        directive: Some((id, line)),
        asset: None,
        asks: Some(Digest::of(&asked)),
        cause: None,
    })
}

/// The directive of which a host rehearses no more after this.
fn may_end_rehearsals(event: &Event, world: &World) -> Option<DirectiveId> {
    match event {
        Event::RehearsalRecorded { order, .. } | Event::OrderExpired { order } => {
            world.order(order).map(|state| state.order.directive)
        }
        Event::DirectiveChanged { id, change } => {
            (!change.left.is_empty() || !change.settled.is_empty()).then_some(*id)
        }
        _ => None,
    }
}

fn line(id: DirectiveId, world: &World, names: &Names) -> Option<(DirectiveId, Box<DirectiveLine>)> {
    let mut line = DirectiveLine::of(world, id, world.directive(&id)?);
    line.assignee.iter_mut().for_each(|assignee| assignee.put_names(names));
    Some((id, Box::new(line)))
}

/// The same, and who does it while it is open: whoever reads it knows whether it is theirs.
fn with_assignee(mut said: String, line: &DirectiveLine) -> String {
    if let Some(assignee) = line.assignee.as_ref().filter(|_| line.closed.is_none()) {
        said.push_str(&format!("; {} does it", assignee.person));
    }
    said
}

/// What to do, where, by when and why.
fn words(line: &DirectiveLine) -> String {
    let mut words = format!("{} on {} of group {}", line.title, hosts(line.asset_count), line.group);
    if let Some(due) = &line.due {
        words.push_str(&format!(", due {}", minute(due)));
    }
    let more = line.closes_count.saturating_sub(NAMED as u64);
    let named: Vec<&str> = line.closes.iter().take(NAMED).map(String::as_str).collect();
    match (named.is_empty(), more) {
        (true, _) => {}
        (false, 0) => words.push_str(&format!("; closes {}", named.join(", "))),
        (false, more) => words.push_str(&format!("; closes {} and {more} more", named.join(", "))),
    }
    if line.attacked > 0 {
        words.push_str(&format!("; attacks seen on {}", hosts(line.attacked)));
    } else if line.exploited {
        words.push_str("; exploited somewhere");
    }
    words
}

fn hosts(count: u64) -> String {
    match count {
        1 => "1 host".to_owned(),
        count => format!("{count} hosts"),
    }
}

/// Whether an addressee with these groups is told.
pub(super) fn concerns(message: &Message, groups: Option<&BTreeSet<GroupName>>) -> bool {
    match (groups, &message.group) {
        (Some(groups), Some(group)) => groups.contains(group),
        // What is nobody's alone is everybody's.
        _ => true,
    }
}

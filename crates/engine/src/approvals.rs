//! Approvals by people, as the policy asks for them, and the policy itself.

use std::collections::BTreeSet;

use tenon_model::{
    AssetId, AssetOrdinal, Blob, Digest, DirectiveId, Event, MAX_NOTE, NoteKind, Person, Refusal,
    RefusalCode, Role, Stage, Timestamp,
};
use tenon_policy as policy;

use crate::decide::{Decided, open_directive, refuse, worded};
use crate::evidence;
use crate::policy::Asker;
use crate::world::World;

/// Most notes in one thread.
const MAX_NOTES: usize = 200;

/// What a person approves.
pub(crate) struct Approval {
    pub(crate) by: Person,
    pub(crate) roles: BTreeSet<Role>,
    /// The reports that were looked at.
    pub(crate) reports: Option<BTreeSet<Digest>>,
    pub(crate) waive_evidence: Option<String>,
}

/// What an approval comes to.
#[derive(Default)]
struct Sorted {
    /// Enough people have approved now.
    whole: Vec<(AssetId, Digest)>,
    /// More are needed.
    part: Vec<(AssetId, Digest)>,
    /// Why the first of the others is neither.
    refused: Option<Refusal>,
}

/// Approves whatever waits and may be approved by this person.
pub(crate) fn approve(
    world: &World,
    id: DirectiveId,
    approval: Approval,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    let state = open_directive(world, id)?;
    let waiting: Vec<(AssetOrdinal, Digest)> = state
        .begun()
        .filter_map(|(asset, stage)| match stage {
            Stage::AwaitingApproval { report } => Some((asset, *report)),
            _ => None,
        })
        .collect();
    if waiting.is_empty() {
        return refuse(
            RefusalCode::NothingToApprove,
            format!("{id} has no asset with a passed rehearsal that waits for approval"),
        );
    }
    if let Some(dispute) = state.disputed() {
        return refuse(
            RefusalCode::WrongStage,
            format!("{id} is disputed since {}: {}: answer that first", dispute.at, dispute.text),
        );
    }
    let told: BTreeSet<Digest> = waiting.iter().map(|(_, report)| *report).collect();
    if approval.reports.as_ref().is_some_and(|seen| *seen != told) {
        return refuse(
            RefusalCode::EvidenceChanged,
            format!("what waits for approval on {id} is not what was looked at: look again"),
        );
    }
    let waived = approval.waive_evidence.filter(|why| !why.trim().is_empty());
    if let Some(why) = &waived {
        worded("a waiver of evidence needs a reason", why)?;
    }
    // What is sealed or waived already needs no waiver, whatever is said.
    let evidence_waived = waived.filter(|_| waiting.iter().any(|(asset, _)| state.lacks_evidence(*asset)));
    let by = approval.by;
    let asker = Asker::new(world, state);
    let mut sorted = Sorted::default();
    for (asset, report) in waiting {
        let Some(known) = world.asset_at(asset) else { continue };
        let ruling = asker.ruling(asset, now);
        let given = state.given(asset).filter(|given| given.report == report).map(|given| &given.by);
        let before = given.map_or(0, BTreeSet::len);
        let again = given.is_some_and(|given| given.contains(&by));
        let refused = if evidence_waived.is_none() && state.lacks_evidence(asset) {
            Some((RefusalCode::EvidenceRequired, evidence::required(world, state, asset)))
        } else if ruling.approval == policy::Approval::Forbidden {
            let why = ruling.waits().unwrap_or_default();
            Some((RefusalCode::ForbiddenByPolicy, format!("{id} on {}: {why}", known.hostname)))
        } else if !ruling.may_approve(&approval.roles) {
            let why = format!(
                "{id} on {}: policy rule {} asks for an approval {}",
                known.hostname,
                ruling.rule(),
                ruling.approval
            );
            Some((RefusalCode::RoleNeeded, why))
        } else if again && before < ruling.people() {
            let why = format!(
                "{by} has approved {id} on {} already; policy rule {} asks for an approval {}: another person must",
                known.hostname,
                ruling.rule(),
                ruling.approval
            );
            Some((RefusalCode::AnotherPersonNeeded, why))
        } else {
            None
        };
        match refused {
            Some((code, why)) => drop(sorted.refused.get_or_insert_with(|| Refusal::new(code, why))),
            None if before + usize::from(!again) >= ruling.people() => sorted.whole.push((known.id, report)),
            None => sorted.part.push((known.id, report)),
        }
    }
    let mut decided = Decided::default();
    if !sorted.part.is_empty() {
        let (by, rehearsals, evidence_waived) = (by.clone(), sorted.part, evidence_waived.clone());
        decided.events.push(Event::ApprovalGiven { id, by, rehearsals, evidence_waived });
    }
    if !sorted.whole.is_empty() {
        decided.events.push(Event::DirectiveApproved { id, by, rehearsals: sorted.whole, evidence_waived });
    }
    match sorted.refused.filter(|_| decided.events.is_empty()) {
        Some(refusal) => Err(refusal),
        None => Ok(decided),
    }
}

/// Another policy counts, where it reads.
pub(crate) fn set_policy(world: &World, text: String, compared: u32, by: Person) -> Result<Decided, Refusal> {
    if let Err(problems) = policy::read(&text) {
        let told: Vec<String> = problems.listed().iter().take(10).map(ToString::to_string).collect();
        let message = format!("{} problems in the policy: {}", problems.total(), told.join("; "));
        return refuse(RefusalCode::BadContent, message);
    }
    let version = world.policy().map_or(0, |known| known.version);
    if compared != version {
        let message = format!("the policy is at version {version}, and {compared} was looked at: look again");
        return refuse(RefusalCode::EvidenceChanged, message);
    }
    if world.policy().is_some_and(|known| *known.text == *text) {
        return refuse(RefusalCode::NothingToDo, format!("policy version {version} says that already"));
    }
    let blob = Blob::new(text.into_bytes());
    let policy = blob.digest();
    let event = Event::PolicySet { version: version.saturating_add(1), policy, by };
    Ok(Decided::with(event, vec![blob]))
}

/// What may be said in the thread of a directive.
pub(crate) fn note(
    world: &World,
    id: DirectiveId,
    kind: NoteKind,
    text: &str,
    by: Person,
) -> Result<Decided, Refusal> {
    let state = open_directive(world, id)?;
    let text = text.trim();
    let is_plain = |character: char| character == '\n' || !character.is_control();
    if text.is_empty() || text.len() > MAX_NOTE || !text.chars().all(is_plain) {
        let why = format!("a note is plain text of 1 to {MAX_NOTE} bytes; this one has {}", text.len());
        return refuse(RefusalCode::BadContent, why);
    }
    if state.thread.len() >= MAX_NOTES {
        return refuse(RefusalCode::WrongStage, format!("{id} has {MAX_NOTES} notes, the most there can be"));
    }
    match (kind, state.disputed()) {
        (NoteKind::Dispute, Some(dispute)) => {
            refuse(RefusalCode::NothingToDo, format!("{id} is disputed already: {}", dispute.text))
        }
        (NoteKind::Answer, None) => {
            refuse(RefusalCode::WrongStage, format!("nothing is disputed on {id}: comment on it instead"))
        }
        _ => Ok(Decided::of(Event::DirectiveNoted { id, kind, text: text.to_owned(), by })),
    }
}

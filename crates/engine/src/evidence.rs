//! Evidence first: where a directive's row asks for it, nothing of its hosts is changed before what a change would destroy is
//! sealed in the record, or a person has waived that by name.
//!
//! ```text
//! raised --> order to preserve --> sealed ----------------------------> changes may begin
//!                  \--> missed, tried again after the next report --/
//!                          \--> three times: a person retries or waives --/
//! ```
//!
//! It holds for every change of such a host, whichever directive it serves: any of them would destroy it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenon_model::{
    AssetId, AssetOrdinal, AssetSet, Blob, Digest, DirectiveId, Event, EvidenceDocument, EvidenceOutcome,
    EvidencePart, Order, OrderAction, OrderId, Person, Record, Refusal, RefusalCode, Timestamp,
};

use crate::apply::ApplyError;
use crate::assets::AssetState;
use crate::decide::{Decided, answered, open_directive, refuse, worded};
use crate::directives::DirectiveState;
use crate::world::World;

/// How often a host is ordered to preserve it before that waits for a person.
const MAX_ATTEMPTS: u32 = 3;
/// Longest reason of a host, in characters.
const MAX_REASON: usize = 1_000;

/// How it stands with what a directive asks to preserve on an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum EvidenceState {
    /// It is sealed in the record.
    Sealed {
        /// The order that was answered.
        order: OrderId,
        /// The document.
        document: Digest,
        /// Its size, in bytes.
        bytes: u64,
        /// The parts of which something is missing in it.
        gaps: BTreeSet<EvidencePart>,
        /// When.
        at: Timestamp,
    },
    /// A person lets the asset be changed without.
    Waived {
        /// Who.
        by: Person,
        /// Why.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// The host could not preserve it.
    Missed {
        /// Why, the last time.
        reason: String,
        /// When, the last time.
        at: Timestamp,
        /// How often it was tried.
        attempts: u32,
        /// It is tried again after a report with a sequence above this one.
        after_sequence: u64,
    },
}

impl EvidenceState {
    /// Whether changes may begin.
    fn is_settled(&self) -> bool {
        match self {
            Self::Sealed { .. } | Self::Waived { .. } => true,
            Self::Missed { .. } => false,
        }
    }
}

impl DirectiveState {
    /// Whether its row asks for evidence before anything changes, and it still counts.
    pub fn asks_for_evidence(&self) -> bool {
        self.closed.is_none() && self.directive.priority.decision.forensics
    }

    /// How it stands with the evidence of an asset; `None` where the host has not answered.
    pub fn evidence(&self, asset: AssetOrdinal) -> Option<&EvidenceState> {
        self.evidence.get(&asset)
    }

    /// Whether nothing of the asset may be changed for want of evidence that this asks for.
    pub fn lacks_evidence(&self, asset: AssetOrdinal) -> bool {
        self.asks_for_evidence()
            && self.is_left(asset)
            && !self.evidence.get(&asset).is_some_and(EvidenceState::is_settled)
    }

    /// Its assets that may not be changed for want of it, in the order of enrolment.
    pub fn lacking_evidence(&self) -> AssetSet {
        if !self.asks_for_evidence() {
            return AssetSet::default();
        }
        let mut lacking = self.open_among(&self.members);
        for (asset, _) in self.evidence.iter().filter(|(_, state)| state.is_settled()) {
            lacking.remove(*asset);
        }
        lacking
    }

    /// Every asset of which something was sealed, waived or missed.
    pub fn evidence_known(&self) -> &BTreeMap<AssetOrdinal, EvidenceState> {
        &self.evidence
    }

    /// What was sealed for a directive that assets leave and join again, or go back behind, says nothing of what happened
    /// there since.
    pub(crate) fn forget_evidence(&mut self, coming: &AssetSet) {
        let done = self.done();
        let members = &self.members;
        self.evidence.retain(|asset, _| {
            !coming.contains(*asset) || (members.contains(*asset) && !done.contains(*asset))
        });
    }

    /// The reports of an asset are counted from the beginning.
    pub(crate) fn try_evidence_anew(&mut self, asset: AssetOrdinal) {
        if let Some(EvidenceState::Missed { after_sequence, .. }) = self.evidence.get_mut(&asset) {
            *after_sequence = 0;
        }
    }

    /// A person asks for another attempt.
    pub(crate) fn retry_evidence(&mut self, asset: AssetOrdinal) {
        self.evidence.retain(|of, state| *of != asset || state.is_settled());
    }

    /// Whether the host could not preserve it: a person may ask for another attempt.
    pub fn missed_evidence(&self, asset: AssetOrdinal) -> bool {
        self.lacks_evidence(asset) && self.evidence.contains_key(&asset)
    }

    /// Whether nothing more is tried by itself.
    pub fn evidence_needs_person(&self, asset: AssetOrdinal) -> bool {
        let attempts = match self.evidence.get(&asset) {
            Some(EvidenceState::Missed { attempts, .. }) => *attempts,
            _ => 0,
        };
        self.lacks_evidence(asset) && attempts >= MAX_ATTEMPTS
    }

    fn may_be_ordered(&self, ordinal: AssetOrdinal, asset: &AssetState) -> bool {
        let last = asset.reported.map_or(0, |(sequence, _)| sequence);
        self.lacks_evidence(ordinal)
            && match self.evidence.get(&ordinal) {
                Some(EvidenceState::Missed { attempts, after_sequence, .. }) => {
                    *attempts < MAX_ATTEMPTS && last > *after_sequence
                }
                _ => true,
            }
    }
}

impl World {
    /// The open directives whose rows ask for evidence, most urgent first, of which an asset lacks it.
    fn asking_evidence(&self, asset: AssetOrdinal) -> Vec<(DirectiveId, &DirectiveState)> {
        let states = self.forensic.iter().filter_map(|id| Some((*id, self.directive(id)?)));
        let mut lacking: Vec<_> = states.filter(|(_, state)| state.lacks_evidence(asset)).collect();
        lacking.sort_by_key(|(id, state)| state.rank(*id));
        lacking
    }

    /// Whether some of these may not be changed for want of evidence, whichever directive asks for it.
    pub(crate) fn may_lack_evidence(&self, assets: &AssetSet) -> bool {
        let states = self.forensic.iter().filter_map(|id| self.directive(id));
        states.into_iter().any(|state| {
            let open = state.open_among(assets);
            open.iter().any(|asset| state.lacks_evidence(asset))
        })
    }

    /// What an asset is to preserve before it is ordered anything else.
    pub(crate) fn evidence_order(
        &self,
        ordinal: AssetOrdinal,
        asset: &AssetState,
    ) -> Option<(DirectiveId, OrderAction)> {
        let (id, state) = self
            .asking_evidence(ordinal)
            .into_iter()
            .find(|(_, state)| state.may_be_ordered(ordinal, asset))?;
        let targets = state.targets(ordinal).map(|targets| targets.to_vec()).unwrap_or_default();
        Some((id, OrderAction::PreserveEvidence { targets }))
    }

    /// What a change of an asset waits for, in words, where evidence is asked for that is neither sealed nor waived: by
    /// whom, since when, and what comes next.
    pub fn unsealed(&self, asset: AssetOrdinal) -> Option<String> {
        let (id, state) = *self.asking_evidence(asset).first()?;
        let known = self.asset_at(asset)?;
        let host = &known.hostname;
        let order = known.outstanding.and_then(|order| self.order(&order)).map(|state| &state.order);
        let next = match (order.filter(|order| preserves(order, id)), state.evidence.get(&asset)) {
            (Some(order), _) => format!("the host has its order ({}, since {})", order.id, order.issued),
            (None, Some(EvidenceState::Missed { reason, at, attempts, .. })) if *attempts < MAX_ATTEMPTS => {
                format!(
                    "it was missed at {at} ({reason}) and is tried again after the host's next report, or when a person retries"
                )
            }
            (None, Some(EvidenceState::Missed { reason, at, attempts, .. })) => format!(
                "it was missed {attempts} times, the last at {at} ({reason}): retry, or waive it by name with `tenon \
                 evidence waive {id} --host {host} --why TEXT`"
            ),
            (None, _) => "the host is ordered to preserve it as soon as it may have an order".to_owned(),
        };
        let since = state.forensics_since.unwrap_or(state.raised);
        let group = &state.directive.group;
        Some(format!(
            "evidence is not sealed yet, which {id} of group {group} asks for since {since}: {next}"
        ))
    }

    /// Keeps which open directives ask for evidence, and since when. Called whenever a directive has changed.
    pub(crate) fn note_forensics(&mut self, id: DirectiveId) {
        let now = self.time;
        let Some(state) = self.directive(&id) else { return };
        let (asks, is_open) = (state.asks_for_evidence(), state.closed.is_none());
        let changes = is_open && asks != state.forensics_since.is_some();
        if asks {
            self.forensic.insert(id);
        } else {
            self.forensic.remove(&id);
        }
        // How it was when it was closed stays.
        if changes && let Some(state) = self.directives.get_mut(&id) {
            std::sync::Arc::make_mut(state).forensics_since = now.filter(|_| asks);
        }
    }

    fn keep_evidence(
        &mut self,
        seq: u64,
        (id, asset): (DirectiveId, AssetOrdinal),
        change: impl FnOnce(Option<EvidenceState>) -> EvidenceState,
    ) -> Result<(), ApplyError> {
        let state = self.directive_mut(seq, id)?;
        let before = state.evidence.remove(&asset);
        state.evidence.insert(asset, change(before));
        Ok(())
    }

    /// What a host preserved is sealed.
    pub(crate) fn seal(&mut self, seq: u64, order: &Order, sealed: EvidenceState) -> Result<(), ApplyError> {
        let asset = self.known(seq, &order.asset)?;
        self.keep_evidence(seq, (order.directive, asset), |_| sealed)
    }

    /// A host could not preserve it, or did not answer.
    pub(crate) fn miss_evidence(
        &mut self,
        seq: u64,
        order: &Order,
        reason: String,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let asset = self.known(seq, &order.asset)?;
        let after_sequence =
            self.asset_at(asset).and_then(|asset| asset.reported).map_or(0, |(sequence, _)| sequence);
        self.keep_evidence(seq, (order.directive, asset), |before| match before {
            Some(settled) if settled.is_settled() => settled,
            Some(EvidenceState::Missed { attempts, .. }) => EvidenceState::Missed {
                reason,
                at: now,
                attempts: attempts.saturating_add(1),
                after_sequence,
            },
            _ => EvidenceState::Missed { reason, at: now, attempts: 1, after_sequence },
        })
    }

    /// A person lets assets be changed without. What is sealed stays so.
    pub(crate) fn waive_evidence<'a>(
        &mut self,
        seq: u64,
        id: DirectiveId,
        assets: impl Iterator<Item = &'a AssetId>,
        (by, why): (&Person, &str),
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        for asset in assets {
            let asset = self.known(seq, asset)?;
            self.keep_evidence(seq, (id, asset), |before| match before {
                Some(settled) if settled.is_settled() => settled,
                _ => EvidenceState::Waived { by: by.clone(), why: why.to_owned(), at: now },
            })?;
        }
        Ok(())
    }

    /// The same for what a person approves, where the approval says why it goes without.
    pub(crate) fn waive_with_approval(
        &mut self,
        record: &Record,
        id: DirectiveId,
        rehearsals: &[(AssetId, Digest)],
        (by, why): (&Person, Option<&str>),
    ) -> Result<(), ApplyError> {
        let Some(why) = why else { return Ok(()) };
        self.waive_evidence(record.seq, id, rehearsals.iter().map(|(asset, _)| asset), (by, why), record.time)
    }
}

/// Whether an order asks for the evidence of a directive.
pub(crate) fn preserves(order: &Order, id: DirectiveId) -> bool {
    order.directive == id && matches!(order.action, OrderAction::PreserveEvidence { .. })
}

/// Why an approval is refused where it is neither sealed nor waived.
pub(crate) fn required(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> String {
    let decision = &state.directive.priority.decision;
    let host = world.asset_at(asset).map_or("a host", |known| known.hostname.as_str());
    let waits = world.unsealed(asset).unwrap_or_default();
    format!(
        "{} is decided by {} row {}, which asks for evidence before anything changes, on {host} too: {waits}",
        state.id, decision.table, decision.row
    )
}

/// Decides what the answer of a host comes to. The bytes are held against the digest that it states, and against what was
/// asked for.
pub(crate) fn report(
    world: &World,
    asset: AssetId,
    id: OrderId,
    outcome: EvidenceOutcome,
) -> Result<Decided, Refusal> {
    let state = answered(world, asset, id)?;
    // What comes after the order was given up is preserved all the same; what a host said it could not preserve is not.
    let answered = state.report.is_some() || state.missed;
    let late = matches!(outcome, EvidenceOutcome::Preserved { .. }) && !answered;
    let waits = !state.settled || late;
    if !waits || !matches!(state.order.action, OrderAction::PreserveEvidence { .. }) {
        return refuse(RefusalCode::UnknownOrder, format!("{id} does not wait for evidence"));
    }
    let (digest, text) = match outcome {
        EvidenceOutcome::Preserved { digest, document } => (digest, document),
        EvidenceOutcome::NotPreserved { reason } => {
            let plain = reason.chars().filter(|character| !character.is_control());
            let reason: String = plain.take(MAX_REASON).collect();
            return Ok(Decided::of(Event::EvidenceMissed { order: id, reason }));
        }
    };
    let bad = |error: tenon_model::EvidenceError| Refusal::new(RefusalCode::BadContent, error.to_string());
    let read = EvidenceDocument::read(text.as_bytes(), digest).map_err(bad)?;
    if (read.order, read.asset, read.directive) != (id, asset, state.order.directive) {
        return Err(bad(tenon_model::EvidenceError::Another { order: read.order, asset: read.asset }));
    }
    let blob = Blob::new(text.into_bytes());
    let bytes = blob.bytes().len() as u64;
    let event = Event::EvidenceSealed { order: id, document: blob.digest(), bytes, gaps: read.missing() };
    Ok(Decided::with(event, vec![blob]))
}

/// Decides whether a person may let assets be changed without.
pub(crate) fn waive(
    world: &World,
    id: DirectiveId,
    assets: Option<BTreeSet<AssetId>>,
    why: String,
    by: Person,
) -> Result<Event, Refusal> {
    let state = open_directive(world, id)?;
    worded("a waiver of evidence needs a reason", &why)?;
    if !state.asks_for_evidence() {
        let decision = &state.directive.priority.decision;
        return refuse(
            RefusalCode::WrongStage,
            format!("{id} is decided by {} row {}, which asks for no evidence", decision.table, decision.row),
        );
    }
    let lacking = state.lacking_evidence();
    let known = |asset: AssetOrdinal| world.asset_at(asset).map(|known| known.id);
    let assets: Vec<AssetId> = match assets {
        None => lacking.iter().filter_map(known).collect(),
        Some(named) => {
            for asset in &named {
                if world.ordinal(asset).and_then(|ordinal| state.stage(ordinal)).is_none() {
                    let message = format!("{asset} is not part of {id}");
                    return refuse(RefusalCode::UnknownAsset, message);
                }
            }
            let lacks = |asset: &AssetId| world.ordinal(asset).is_some_and(|asset| lacking.contains(asset));
            named.into_iter().filter(lacks).collect()
        }
    };
    if assets.is_empty() {
        return refuse(RefusalCode::NothingToDo, format!("no evidence is missing there that {id} asks for"));
    }
    Ok(Event::EvidenceWaived { id, assets, why, by })
}

//! What is preserved of hosts before they are changed, where a directive's row asks for that.

use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, EvidenceState, World};
use tenon_model::{AssetOrdinal, OrderAction};
use utoipa::ToSchema;

use super::rollout::unsealed;

/// How many assets of a directive have what its row asks to preserve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceCountsView {
    /// Of so many it is sealed in the record.
    pub sealed: u64,
    /// So many may be changed without, as a person said.
    pub waived: u64,
    /// Of so many it is neither: nothing of them is changed, by this directive or another.
    pub lacking: u64,
}

/// How it stands with the evidence of an asset. Reading the document itself takes the right `investigate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// `sealed`, `waived`, `missed` (the host could not preserve it), `ordered` or `waiting`.
    pub state: String,
    /// Since when it is so, RFC 3339.
    pub since: Option<String>,
    /// Digest of what is sealed.
    pub document: Option<String>,
    /// Its size, in bytes.
    pub bytes: Option<u64>,
    /// The parts of which something is missing in it: `processes`, `sockets`, `maps`, `sessions`, `logs`, `packages`, or the
    /// `copy` that the host keeps.
    pub gaps: Vec<String>,
    /// Who waived it.
    pub by: Option<String>,
    /// Why it was waived, or missed.
    pub why: Option<String>,
    /// What the host waits for, in words; absent where it waits for no evidence, whichever directive asks.
    pub waits: Option<String>,
}

impl EvidenceCountsView {
    /// Of a directive; `None` where its row asks for none and nothing is known.
    pub(super) fn of(state: &DirectiveState) -> Option<Self> {
        let known = state.evidence_known();
        if !state.directive.priority.decision.forensics && known.is_empty() {
            return None;
        }
        let count = |is: fn(&EvidenceState) -> bool| known.values().filter(|state| is(state)).count() as u64;
        Some(Self {
            sealed: count(|state| matches!(state, EvidenceState::Sealed { .. })),
            waived: count(|state| matches!(state, EvidenceState::Waived { .. })),
            lacking: state.lacking_evidence().len(),
        })
    }
}

impl EvidenceView {
    /// On an asset; `None` where none is asked for and nothing is known.
    pub(super) fn on(world: &World, state: &DirectiveState, asset: AssetOrdinal) -> Option<Self> {
        let waits = unsealed(world, state, asset);
        let nothing = Self {
            state: "waiting".to_owned(),
            since: None,
            document: None,
            bytes: None,
            gaps: Vec::new(),
            by: None,
            why: None,
            waits,
        };
        let out = world.asset_at(asset).and_then(|known| known.outstanding).and_then(|id| world.order(&id));
        let order = out.map(|state| &state.order).filter(|order| {
            matches!(order.action, OrderAction::PreserveEvidence { .. })
                && state.orders.binary_search(&order.id).is_ok()
        });
        match (state.evidence(asset), order) {
            (Some(EvidenceState::Sealed { document, bytes, gaps, at, .. }), _) => Some(Self {
                state: "sealed".to_owned(),
                since: Some(at.to_string()),
                document: Some(document.to_string()),
                bytes: Some(*bytes),
                gaps: gaps.iter().map(ToString::to_string).collect(),
                ..nothing
            }),
            (Some(EvidenceState::Waived { by, why, at }), _) => Some(Self {
                state: "waived".to_owned(),
                since: Some(at.to_string()),
                by: Some(by.to_string()),
                why: Some(why.clone()),
                ..nothing
            }),
            (_, Some(order)) => {
                Some(Self { state: "ordered".to_owned(), since: Some(order.issued.to_string()), ..nothing })
            }
            (Some(EvidenceState::Missed { reason, at, .. }), None) => Some(Self {
                state: "missed".to_owned(),
                since: Some(at.to_string()),
                why: Some(reason.clone()),
                ..nothing
            }),
            (None, None) => state.lacks_evidence(asset).then_some(nothing),
        }
    }
}

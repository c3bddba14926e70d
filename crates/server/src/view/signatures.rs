//! Signatures that hosts ask for, and what there is to sign.

use serde::{Deserialize, Serialize};
use tenon_approval::{MAX_CHANGES, MAX_KEYS};
use tenon_engine::{DirectiveState, Signatures, World};
use tenon_model::{ApprovalAsked, AssetOrdinal, DirectiveId, PackageTarget, PinnedFile, Stage, Transaction};
use utoipa::ToSchema;

/// The signatures of people that a host asks for before any change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedView {
    /// By how many different keys.
    pub needed: u32,
    /// The keys that count, by their fingerprints (`SHA256:...`).
    pub keys: Vec<String>,
}

/// The signatures that a host asks for, and those that it has for one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignaturesView {
    /// By how many different keys.
    pub needed: u32,
    /// The keys that count, by their fingerprints (`SHA256:...`).
    pub keys: Vec<String>,
    /// Those that count for this change as it is now.
    pub given: Vec<GivenSignatureView>,
    /// How many more it waits for.
    pub missing: u32,
}

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenSignatureView {
    /// The key that made it.
    pub key: String,
    /// Who sent it.
    pub by: String,
    /// Until when it counts, RFC 3339.
    pub until: String,
}

/// What can be signed of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignableView {
    /// The directive.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// The changes that wait for signatures, in the order of their assets' ids; at most 4,096.
    pub changes: Vec<SignableChangeView>,
    /// How many more wait, which another signature covers.
    pub more: u64,
}

/// The change of one host: all that its leaf is made of, and what it is good to know beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignableChangeView {
    /// The asset.
    pub asset: String,
    /// The name that it gives itself.
    pub hostname: String,
    /// What is asked for.
    #[schema(value_type = Vec<Object>)]
    pub targets: Vec<PackageTarget>,
    /// Everything that changes with it.
    #[schema(value_type = Object)]
    pub transaction: Transaction,
    /// The package files by their digests.
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<PinnedFile>,
    /// What is not signed: units that the rehearsal says are touched.
    pub units: Vec<String>,
    /// The signatures that the host asks for, and has.
    pub signatures: SignaturesView,
}

/// A host names no more than so many; whatever it says, no more are shown.
fn keys(asked: &ApprovalAsked) -> Vec<String> {
    asked.keys.iter().take(MAX_KEYS).map(ToString::to_string).collect()
}

impl AskedView {
    pub(super) fn of(asked: &ApprovalAsked) -> Option<Self> {
        let keys = keys(asked);
        (!asked.is_none()).then_some(Self { needed: asked.needed, keys })
    }
}

impl SignaturesView {
    fn of(signatures: &Signatures<'_>) -> Self {
        let given = signatures.given.iter().map(|signed| GivenSignatureView {
            key: signed.key.to_string(),
            by: signed.by.to_string(),
            until: signed.expires.to_string(),
        });
        Self {
            needed: signatures.asked.needed,
            keys: keys(signatures.asked),
            given: given.collect(),
            missing: signatures.missing(),
        }
    }

    /// Those of an asset where the change waits or is about to be made; `None` where it asks for none.
    pub(super) fn on(
        world: &World,
        state: &DirectiveState,
        asset: AssetOrdinal,
        stage: &Stage,
    ) -> Option<Self> {
        let waits = matches!(stage, Stage::AwaitingApproval { .. } | Stage::Approved { .. });
        let now = world.time().filter(|_| waits && state.closed.is_none())?;
        world.signatures(state, asset, now).as_ref().map(Self::of)
    }
}

impl SignableView {
    pub(crate) fn of(world: &World, id: DirectiveId) -> Option<Self> {
        let (state, now) = (world.directive(&id)?, world.time()?);
        let mut view = Self {
            id: id.to_string(),
            title: state.directive.action.to_string(),
            changes: Vec::new(),
            more: 0,
        };
        if state.closed.is_some() {
            return Some(view);
        }
        for (asset, change) in world.signable(state) {
            let signatures =
                world.signatures(state, asset, now).filter(|signatures| signatures.missing() > 0);
            let Some(signatures) = signatures else { continue };
            if view.changes.len() as u64 >= MAX_CHANGES {
                view.more += 1;
                continue;
            }
            let units = state.rehearsals.get(&asset).map(|report| &report.units);
            view.changes.push(SignableChangeView {
                asset: change.asset.to_string(),
                hostname: change.hostname.to_owned(),
                targets: change.targets.to_vec(),
                transaction: change.transaction.clone(),
                files: change.files.to_vec(),
                units: units.into_iter().flatten().map(|unit| unit.0.clone()).collect(),
                signatures: SignaturesView::of(&signatures),
            });
        }
        Some(view)
    }
}

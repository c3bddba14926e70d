//! Bodies of the gateway's requests and answers: JSON, bounded.

use serde::{Deserialize, Serialize};
use tenon_model::{
    ApplyReport, AssetId, EvidenceOutcome, GroupName, Inventory, InventoryDelta, MachineId, OrderId,
    RehearsalReport,
};

use crate::Secret;

/// Largest inventory report, in bytes.
pub const MAX_INVENTORY_BYTES: usize = 32 << 20;
/// Largest delta report, in bytes. What does not fit is told as a whole report.
pub const MAX_DELTA_BYTES: usize = 1 << 20;
/// Largest rehearsal or apply report, in bytes.
pub const MAX_REPORT_BYTES: usize = 8 << 20;
/// Largest order, in bytes.
pub const MAX_ORDER_BYTES: usize = 4 << 20;

/// Paths of the gateway.
pub mod path {
    /// `GET`, no client certificate: the certificate authority, PEM. The host compares its digest with its token.
    pub const AUTHORITY: &str = "/agent/v1/authority";
    /// `POST`, no client certificate: [`super::EnrolRequest`] to [`super::EnrolResponse`].
    pub const ENROL: &str = "/agent/v1/enrol";
    /// `POST`: [`super::InventoryReport`] to [`super::ReportAccepted`].
    pub const INVENTORY: &str = "/agent/v1/inventory";
    /// `POST`: [`super::DeltaReport`] to [`super::ReportAccepted`]. Servers before it answer 404, and want whole reports.
    pub const INVENTORY_DELTA: &str = "/agent/v1/inventory/delta";
    /// `GET`, held open until there is one: [`crate::SignedOrder`], or 204 after the hold.
    pub const ORDER: &str = "/agent/v1/order";
    /// `POST`: [`super::RehearsalAnswer`] to [`super::ReportAccepted`].
    pub const REHEARSAL: &str = "/agent/v1/rehearsal";
    /// `POST`: [`super::EvidenceAnswer`] to [`super::ReportAccepted`].
    pub const EVIDENCE: &str = "/agent/v1/evidence";
    /// `POST`: [`super::ApplyAnswer`] to [`super::ReportAccepted`].
    pub const APPLY: &str = "/agent/v1/apply";
}

/// Header of a host's requests: the run of its agent ([`tenon_model::AgentRun`]). Agents before it do not say.
pub const RUN_HEADER: &str = "tenon-agent-run";

/// A host asks to become an asset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// Certificate signing request (PKCS #10, PEM) for the key that the host made for itself.
    pub request: String,
    /// The name it goes by.
    pub hostname: String,
    /// The machine that its firmware names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// Public half of its token.
    pub token: tenon_model::TokenId,
    /// Secret half.
    #[serde(with = "secret_text")]
    pub secret: Secret,
}

/// The host is an asset now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// Its id: follows from its key.
    pub asset: AssetId,
    /// Its group.
    pub group: GroupName,
    /// Its client certificate, PEM.
    pub certificate: String,
    /// The key that signs orders, see [`crate::DirectivePublicKey`].
    pub order_key: String,
}

/// What the host looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryReport {
    /// Grows with every report of this host.
    pub sequence: u64,
    /// The inventory.
    pub inventory: Inventory,
}

/// What changed on the host since its last report that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaReport {
    /// Grows with every report of this host, whole or not.
    pub sequence: u64,
    /// What changed.
    pub delta: InventoryDelta,
}

/// The answer to a rehearsal order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalAnswer {
    /// Which order.
    pub order: OrderId,
    /// What happened.
    pub report: RehearsalReport,
}

/// The answer to an order to preserve evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceAnswer {
    /// Which order.
    pub order: OrderId,
    /// The document, or why there is none.
    #[serde(flatten)]
    pub outcome: EvidenceOutcome,
}

/// The answer to an apply order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyAnswer {
    /// Which order.
    pub order: OrderId,
    /// What happened.
    pub report: ApplyReport,
}

/// The report is in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAccepted {
    /// Position of the last event it led to.
    pub seq: u64,
}

/// Why a request failed; every error of gateway and API has this body (RFC 9457).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:tenon:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of failure in words, the same for every failure of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// For people: what, with which value, and what to do.
    pub detail: String,
    /// `urn:tenon:request:ID`: the request, as the server's log names it.
    pub instance: String,
    /// For programs: a refusal code or the name of an HTTP failure, see `docs/reference/refusals.md`.
    pub code: String,
}

mod secret_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

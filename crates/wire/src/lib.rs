//! What agents and the server say to each other.
//!
//! Transport is mutual TLS 1.3. Orders carry a signature of their own, so that whoever terminates TLS, or takes over
//! the gateway's certificate, still cannot order anything:
//!
//! ```text
//! server: Order --JSON--> bytes --Ed25519 over (domain, bytes)--> SignedOrder
//! agent:  SignedOrder --verify the exact bytes--> parse --> is it mine, in time, newer than the last? --> Order
//! ```

mod generations;
mod message;
mod secret;
mod signing;
mod token;

pub use generations::{OrderGate, OrderRefusal};
pub use message::{
    ApplyAnswer, DeltaReport, EnrolRequest, EnrolResponse, EvidenceAnswer, InventoryReport, MAX_DELTA_BYTES,
    MAX_INVENTORY_BYTES, MAX_ORDER_BYTES, MAX_REPORT_BYTES, Problem, RUN_HEADER, RehearsalAnswer,
    ReportAccepted, path,
};
pub use secret::Secret;
pub use signing::{DirectiveKey, DirectivePublicKey, KeyError, SignatureError, SignedOrder};
pub use token::{EnrolToken, TokenError};

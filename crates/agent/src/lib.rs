//! The agent: enrols a host with a key of its own, reports what the host is, asks for orders and carries them out.
//!
//! ```text
//! enrol once:  key -> certificate request + token -> certificate, order key
//! then:        inventory -> server; long poll -> signed order -> gate -> host crate -> report -> inventory -> ...
//! ```
//!
//! There is no listening port and no way to run a command that was sent: an order names packages and versions, and
//! the host's own package manager brings them from the host's own repositories.

mod client;
pub mod command;
mod enrol;
mod error;
mod report;
mod run;
mod state;

pub use command::Program;
pub use enrol::enrol;
pub use error::AgentError;
pub use run::{Control, run};
pub use state::{AgentState, Identity};

//! Public feeds: fetched or read from a mirror, checked, kept as last good copy, and compared with what is known.
//!
//! ```text
//! public addresses, mirror folder or web mirror --sync--> Store --by package, by vulnerability--> a scan
//! bundle file <--export-- Store <--import-- bundle file      |
//!                                                            +--advisory_delta, intel_deltas--> commands of a server
//! ```
//!
//! Every byte of a feed is hostile: archives are bounded in entries, record size and total size, downloads in size and
//! time, lengths a server states are never trusted, and a record that cannot be read is reported while the rest is
//! kept. What a feed fails to spell stays as it last could be read.

mod ahead;
mod archive;
mod bundle;
mod delta;
mod error;
mod evidence;
mod fetch;
mod file;
mod foresight;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod history;
mod index;
mod json_path;
mod lines;
mod name;
mod problem;
mod sources;
mod stop;
mod store;
mod sync;

pub use bundle::{Imported, export, import};
pub use delta::{advisory_delta, intel_deltas};
pub use error::FeedError;
pub use fetch::{Limits, Progress};
pub use foresight::{Asked, Foresight, known_by};
pub use history::{Depth, ReadHistory, Reading, Survey, read_history, survey_history};
pub use name::{Choice, EvidenceKind, FeedName};
pub use problem::{FeedProblem, MAX_LISTED};
pub use sources::Source;
pub use stop::Stop;
pub use store::{
    Advisories, CveFacts, CvssVector, Evidence, FeedState, KevRetraction, Store, VulnerabilityFacts,
};
pub use sync::{Change, Selection, SyncOptions, SyncReport, Synced, sync};

//! Public feeds: fetched or read from a mirror, checked, kept as last good copy, and compared with what is known.
//!
//! A fetch gives a whole [`FeedDocument`]; the difference functions reduce it to what changed, so that an unchanged
//! feed gives an empty delta and the journal holds changes only. Every byte of a feed is hostile: archives are bounded
//! in entries, record size and total size, downloads in size and time, lengths a server states are never trusted, and
//! a record that cannot be read is reported while the rest is kept. What a feed fails to spell is never withdrawn.
//!
//! [`sync`] keeps the feeds in a [`Store`], parsed once, from which advisories are read by package and facts by
//! vulnerability; [`export`] and [`import`] carry a store to where there is no network.

mod archive;
mod bundle;
mod delta;
mod document;
mod error;
mod evidence;
mod fetch;
mod file;
mod index;
mod json_path;
mod lines;
mod name;
mod problem;
mod sources;
mod store;
mod sync;

pub use bundle::{Imported, export, import};
pub use delta::{advisory_delta, epss_delta, intel_delta_is_empty, kev_delta};
pub use document::{FeedDocument, Origin};
pub use error::FeedError;
pub use fetch::{Limits, Progress};
pub use name::{Choice, EvidenceKind, FeedName};
pub use problem::{FeedProblem, MAX_LISTED};
pub use sources::{EpssScores, Source, fetch_epss, fetch_kev, fetch_osv};
pub use store::{
    Advisories, CveFacts, CvssVector, Evidence, FeedState, KevRetraction, Store, VulnerabilityFacts,
};
pub use sync::{Change, SyncOptions, SyncReport, Synced, sync};
pub use tenon_formats::{Problem, Problems};

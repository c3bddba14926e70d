//! The deterministic core: all state in memory, commands decided into events, events applied.
//!
//! ```text
//! Command --decide(&World)--> events + blobs --journal (shell)--> World::apply --> actions (shell)
//! ```
//!
//! No clock, no I/O, no randomness, no floats. The same journal gives the same [`World`], bit for bit, which
//! [`World::digest`] shows.

mod apply;
mod consequences;
mod decide;
mod directives;
mod feeds;
mod findings;
mod index;
mod kernel;
mod matching;
mod priority;
mod shards;
mod world;

pub use apply::{ActionWanted, ApplyError, Attachments};
pub use consequences::recompute;
pub use decide::{Decided, decide};
pub use findings::{Assessment, Finding, FindingState, findings, not_assessed, not_loaded};
pub use priority::{Factors, Flip, FlipSet, Weighed, Why, why};
pub use world::{AssetState, DirectiveState, GroupMode, OrderState, World};

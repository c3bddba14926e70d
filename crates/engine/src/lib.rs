//! The deterministic core: all state in memory, commands decided into events, events applied.
//!
//! ```text
//! Command --advance--> World, events, blobs --journal (shell)--> acknowledged, actions (shell)
//! journal --World::apply--> World
//! ```
//!
//! No clock, no I/O, no randomness, no floats. The same journal gives the same [`World`], bit for bit, which
//! [`World::digest`] shows.

mod ahead;
mod apply;
mod approach;
mod approvals;
mod assets;
mod assigning;
mod change;
mod closed;
mod column;
mod consequences;
mod context;
mod controls;
mod coverage;
mod decide;
mod detections;
mod directives;
mod evidence;
mod exceptions;
mod exposure;
mod familiar;
mod feeds;
mod findings;
mod index;
mod kernel;
mod life;
mod lists;
mod matching;
mod measures;
mod movements;
mod named;
mod parting;
mod parts;
mod policy;
mod pool;
mod priority;
mod queue;
mod reading;
mod reports;
mod rollout;
mod rows;
mod settling;
mod shards;
mod signatures;
mod snapshot;
mod stance;
mod table;
mod terrain;
mod trend;
mod vulnerabilities;
mod world;

pub use ahead::Prepared;
pub use apply::{ActionWanted, ApplyError, Attachments};
pub use assets::AssetState;
pub use assigning::AssignedTo;
pub use closed::{Closed, ClosedFilter, Ending};
pub use consequences::recompute;
pub use context::{Effect, Effective, KnownContext, Preview, Source, Sourced, Unstated, preview, unstated};
pub use controls::{ControlState, LEAST_LEFT, MAX_CONTROL_DAYS, MOST_LEFT};
pub use coverage::{GapKind, Gaps};
pub use decide::{Decided, Undecided, advance, decide};
pub use detections::{DETECTION_DAYS, DetectionState};
pub use directives::DirectiveState;
pub use evidence::EvidenceState;
pub use exceptions::{ExceptionState, MAX_EXCEPTION_DAYS};
pub use exposure::{Exposed, Exposure};
pub use findings::{Assessment, Finding, FindingState, findings, not_assessed, not_loaded, tally};
pub use life::{Retired, Runs};
pub use measures::{
    Changes, Closings, Due, Ends, Figures, Measured, Open, Rehearsals, Spread, Step, Survival,
};
pub use movements::Movement;
pub use parting::{By, Common, Foremost};
pub use parts::Part;
pub use policy::{Asker, KnownPolicy, Outlook, Ruling, Said, outlook};
pub use priority::{ASSUMED_THREAT, Factors, Flip, FlipSet, Weighed, Why, WhyHere, why, why_here};
pub use queue::{DueIn, Filter, Order, Queue, Sort, Start, Sum, Window};
pub use rollout::Rollout;
pub use signatures::{Signatures, SignedChanges};
pub use snapshot::{SNAPSHOT_VERSION, SnapshotError};
pub use terrain::{Exploit, OnAsset, Terrain, TerrainService, TerrainZone, ZoneOrigin};
pub use trend::{Day, Moves, TrendDay, is_consequence};
pub use vulnerabilities::OpenVulnerability;
pub use world::{GroupMode, OrderState, World};

//! What people state: about assets and what lies around them, and which published rules count.
//!
//! ```text
//! zones, flows, services, redundancy, teams, assets, rules, defaults = one ContextDocument, reviewed as a whole
//! before -> after = a ContextDiff, which a person reads first
//! ```

mod diff;
mod document;
mod labels;
mod pattern;
mod published;
mod stated;

pub use diff::{Change, ContextDiff, DiffError, EntryDiff};
pub use document::{
    AssetKey, ContextDocument, ContextError, Flow, FlowProtocol, Redundancy, Reference, Rule, ServiceEntry,
    Team, Zone, limits, passes,
};
pub use labels::{Criticality, Environment, Labels, Sensitivity};
pub use pattern::{Condition, Glob, Listening, Network, PatternError, PortRange};
pub use published::{ClockRule, DecisionTable, Rules, Vdr, VdrClass, VdrPain};
pub use stated::AssetContext;

//! What people decide beforehand: a reviewed file of rules, windows and freezes, read once and asked often.
//!
//! ```text
//! YAML --read--> Policy            every expression checked against the table of fields, every problem with its place
//! Policy + Facts --verdict-->      the first rule that matches: who approves, in which windows, how fast
//! Policy + Verdict + time --turn--> may a change begin now, until when; else when
//! ```
//!
//! Pure: no clock, no I/O, no randomness, no floats. `docs/policy.md` describes the file.

mod calendar;
mod expression;
mod fields;
mod policy;
mod presets;
mod read;
mod retire;
mod token;

pub use calendar::{DAYS, Freeze, Turn, Window, time_of_day, zone_named};
pub use expression::{Expression, ExpressionError, MAX_EXPRESSION};
pub use fields::{AssetFacts, DirectiveFacts, Facts, Field, RehearsalFacts, Type, nearest};
pub use policy::{Approval, Emergency, LAST_START_SECONDS, Policy, Rule, Verdict};
pub use presets::{PRESETS, Preset};
pub use read::{MAX_POLICY, read};
pub use retire::Retire;

//! Who does a directive.

use serde::{Deserialize, Serialize};

use crate::{Person, Timestamp};

/// That somebody does a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who does it.
    pub to: Person,
    /// Who said so; `None` where the directive took over the work of another, which this person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// Since when.
    pub since: Timestamp,
}

/// Of whom somebody may say that they do a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MayAssign {
    /// Of themselves alone: they take it, and give back what is theirs.
    Themselves,
    /// Of anybody.
    Anybody,
}

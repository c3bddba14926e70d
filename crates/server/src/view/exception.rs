//! Exceptions, as people see them.

use serde::{Deserialize, Serialize};
use tenon_engine::{ExceptionState, World};
use tenon_model::{ExceptionEnd, ExceptionId};
use utoipa::ToSchema;

use super::first_names;

/// A risk that somebody accepts: a vulnerability may stay on some assets until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionView {
    /// `exc_...`
    pub id: String,
    /// The vulnerability.
    pub vulnerability: String,
    /// `standing`, `expired` or `revoked`.
    pub state: String,
    /// On how many assets. Those that enrol later are not meant.
    pub assets: u64,
    /// Names of the first 20 of them.
    pub hosts: Vec<String>,
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// Who answers for the risk.
    pub owner: String,
    /// What stands against it meanwhile.
    pub control: String,
    /// Why it is not mended now.
    pub why: String,
    /// Who granted it.
    pub by: String,
    /// When, RFC 3339.
    pub granted: String,
    /// Since when what closes it was to be done there, RFC 3339; the clocks go on from then once it ends.
    pub since: Option<String>,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// Who took it back.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
}

impl ExceptionView {
    /// An exception of a World.
    pub fn of(world: &World, id: ExceptionId, state: &ExceptionState) -> Self {
        let exception = &state.exception;
        let (said, ended_by, ended_why) = match &state.ended {
            None => ("standing", None, None),
            Some((_, ExceptionEnd::Expired)) => ("expired", None, None),
            Some((_, ExceptionEnd::Revoked { by, why })) => {
                ("revoked", Some(by.to_string()), Some(why.clone()))
            }
        };
        Self {
            id: id.to_string(),
            vulnerability: exception.vulnerability.to_string(),
            state: said.to_owned(),
            assets: exception.assets.len(),
            hosts: first_names(world, &exception.assets),
            until: exception.until.to_string(),
            owner: exception.owner.to_string(),
            control: exception.control.clone(),
            why: exception.why.clone(),
            by: exception.by.to_string(),
            granted: state.granted.to_string(),
            since: exception.since.map(|since| since.to_string()),
            ended: state.ended.as_ref().map(|(at, _)| at.to_string()),
            ended_by,
            ended_why,
        }
    }
}

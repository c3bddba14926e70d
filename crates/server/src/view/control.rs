//! Compensating controls, as people see them.

use serde::{Deserialize, Serialize};
use tenon_engine::{ControlState, World};
use tenon_model::{Control, ControlEnd, ControlId};
use utoipa::ToSchema;

use super::first_names;

/// What stands between attackers and some assets, against what, and how much of it gets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ControlView {
    /// `ctl_...`
    pub id: String,
    /// `waf-rule`, `ips-rule`, `segmentation`, `feature-off` or `hardening`.
    pub kind: String,
    /// The vulnerabilities that it stands against; none: all that are attacked in one of these ways.
    pub vulnerabilities: Vec<String>,
    /// The ways of attack (CVSS attack vector) that it stands against: `network`, `adjacent`, `local`, `physical`.
    pub vectors: Vec<String>,
    /// How many of the attacks that come get through it, in parts per million.
    pub leaves_ppm: u32,
    /// `standing`, `expired` or `withdrawn`.
    pub state: String,
    /// Before how many assets. Those that enrol later are not meant.
    pub assets: u64,
    /// Names of the first 20 of them.
    pub hosts: Vec<String>,
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is, and how it was tried.
    pub what: String,
    /// Who recorded it.
    pub by: String,
    /// When, RFC 3339.
    pub recorded: String,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// Who said that it does not stand any more.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
}

impl ControlView {
    /// A control of a World.
    pub fn of(world: &World, id: ControlId, state: &ControlState) -> Self {
        let Control { kind, vulnerabilities, vectors, assets, leaves, until, owner, what, by } =
            &state.control;
        let (said, ended_by, ended_why) = match &state.ended {
            None => ("standing", None, None),
            Some((_, ControlEnd::Expired)) => ("expired", None, None),
            Some((_, ControlEnd::Withdrawn { by, why })) => {
                ("withdrawn", Some(by.to_string()), Some(why.clone()))
            }
        };
        Self {
            id: id.to_string(),
            kind: kind.to_string(),
            vulnerabilities: vulnerabilities.iter().map(ToString::to_string).collect(),
            vectors: vectors.iter().map(ToString::to_string).collect(),
            leaves_ppm: leaves.ppm(),
            state: said.to_owned(),
            assets: assets.len(),
            hosts: first_names(world, assets),
            until: until.to_string(),
            owner: owner.to_string(),
            what: what.clone(),
            by: by.to_string(),
            recorded: state.recorded.to_string(),
            ended: state.ended.as_ref().map(|(at, _)| at.to_string()),
            ended_by,
            ended_why,
        }
    }
}

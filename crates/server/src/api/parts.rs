//! What the queue comes to, as a whole and in parts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_engine::{By, Common, DueIn, Foremost, Queue, Sum};
use utoipa::ToSchema;

use super::assign::{by_name, name_of};
use super::lists::MOST;
use crate::access::Names;

/// What the open directives under a filter come to together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueTotals {
    /// How many there are in each group.
    pub groups: BTreeMap<String, u64>,
    /// How many there are of each outcome of the table that decided.
    pub outcomes: BTreeMap<String, u64>,
    /// How many each person does, by name; `nobody` for those that nobody does.
    pub assignees: BTreeMap<String, u64>,
    /// How many are due when: `overdue`, within `1d`, `3d`, `7d`, `30d`, `later`, `no-date`.
    pub due: BTreeMap<String, u64>,
    /// Risk points that doing all of them removes.
    pub removes: String,
    /// Assets of all of them; one that is in several counts in each.
    pub assets: u64,
}

/// What some of the open directives come to together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    /// What they have in common: a group, outcome or package, who does them (`nobody`), a span until a due date or a stage, as their names are elsewhere.
    pub name: String,
    /// How many there are.
    pub directives: u64,
    /// Assets of all of them; one that is in several counts in each.
    pub assets: u64,
    /// Risk points that doing all of them removes.
    pub removes: String,
    /// The earliest due date of them, RFC 3339; absent where none has one.
    pub due: Option<String>,
}

pub(super) const PARTS: [(&str, By); 6] = [
    ("group", By::Group),
    ("outcome", By::Outcome),
    ("package", By::Package),
    ("assignee", By::Assignee),
    ("due", By::Due),
    ("stage", By::Stage),
];

fn due(due: DueIn) -> &'static str {
    match due {
        DueIn::Overdue => "overdue",
        DueIn::Day => "1d",
        DueIn::ThreeDays => "3d",
        DueIn::Week => "7d",
        DueIn::Month => "30d",
        DueIn::Later => "later",
        DueIn::NoDate => "no-date",
    }
}

/// As the stages of its assets are called.
fn stage(foremost: Foremost) -> &'static str {
    match foremost {
        Foremost::NeedsPerson => "needs-person",
        Foremost::Failed => "failed",
        Foremost::RolledBack => "rolled-back",
        Foremost::AwaitingApproval => "awaiting-approval",
        Foremost::Applying => "applying",
        Foremost::Approved => "approved",
        Foremost::Rehearsing => "rehearsing",
        Foremost::Proposed => "proposed",
        Foremost::Applied => "applied",
        Foremost::Verified => "verified",
        Foremost::FixedOtherwise => "fixed-otherwise",
    }
}

pub(super) fn totals(queue: &Queue<'_>, names: &Names) -> QueueTotals {
    let counts = |sums: &BTreeMap<&str, Sum>| {
        sums.iter().map(|(name, sum)| ((*name).to_owned(), sum.directives)).collect()
    };
    QueueTotals {
        groups: counts(&queue.groups),
        outcomes: counts(&queue.outcomes),
        assignees: by_name(&queue.assignees, names)
            .into_iter()
            .map(|(name, sum)| (name, sum.directives))
            .collect(),
        due: queue.due.iter().map(|(when, sum)| (due(*when).to_owned(), sum.directives)).collect(),
        removes: queue.all.removes.to_string(),
        assets: queue.all.assets,
    }
}

/// The first parts in their order.
pub(super) fn parts(queue: &Queue<'_>, names: &Names) -> Vec<PartView> {
    let part = |(common, sum): &(Common<'_>, Sum)| PartView {
        name: match common {
            Common::Named(name) => (*name).to_owned(),
            Common::DoneBy(who) => name_of(*who, names),
            Common::Due(when) => due(*when).to_owned(),
            Common::Stage(foremost) => stage(*foremost).to_owned(),
        },
        directives: sum.directives,
        assets: sum.assets,
        removes: sum.removes.to_string(),
        due: sum.due.map(|due| due.to_string()),
    };
    queue.parts.iter().take(MOST).map(part).collect()
}

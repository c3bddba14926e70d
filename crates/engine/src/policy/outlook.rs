//! What another policy would say of the directives that are open, before it counts.

use std::collections::BTreeMap;

use tenon_model::{DirectiveId, Stage, Timestamp};
use tenon_policy::{Approval, Policy, Turn};

use super::{Asker, Ruling};
use crate::directives::DirectiveState;
use crate::world::World;

/// What assets have in common of which a policy says the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The rule that matches; `None` where that depends on a rehearsal.
    pub rule: Option<String>,
    /// Whether its rehearsal has passed and it waits for approval.
    pub rehearsed: bool,
    /// Who approves, in words; what is approved already is so.
    pub approval: String,
    /// Why it is not automatic, though the rule says so.
    pub not_automatic: Option<String>,
    /// When it may begin, where that is not now.
    pub opens: Option<Timestamp>,
    /// Why it may not begin now, where it may not.
    pub waits: Option<String>,
}

/// What two policies say of a directive, and on how many assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The directive.
    pub id: DirectiveId,
    /// By the policy that counts.
    pub before: BTreeMap<Said, u64>,
    /// By the other one.
    pub after: BTreeMap<Said, u64>,
}

impl Said {
    fn of(ruling: &Ruling<'_>, stage: &Stage) -> Self {
        let approved = matches!(stage, Stage::Approved { .. });
        let approval = match ruling.approval {
            // What was approved stays approved; what is forbidden by now is held back all the same.
            approval if approved && approval != Approval::Forbidden => "given already".to_owned(),
            _ if ruling.verdict.is_none() => "not known before its rehearsal".to_owned(),
            approval => approval.to_string(),
        };
        let opens = match &ruling.turn {
            Turn::Closed { opens, .. } => *opens,
            Turn::Open { .. } => None,
        };
        Self {
            rule: ruling.verdict.map(|verdict| verdict.name().to_owned()),
            rehearsed: matches!(stage, Stage::AwaitingApproval { .. }),
            approval,
            not_automatic: ruling.not_automatic.filter(|_| !approved).map(str::to_owned),
            opens,
            waits: ruling.verdict.and_then(|_| ruling.waits()),
        }
    }
}

/// Every open directive of which the other policy would say something else on assets where the change has not begun, the
/// most urgent first.
pub fn outlook(world: &World, policy: &Policy, now: Timestamp) -> Vec<Outlook> {
    let queue = world.queue().into_iter();
    let told = queue.map(|(id, state)| {
        let before = said(&Asker::new(world, state), state, now);
        let after = said(&Asker::of(world, state, policy), state, now);
        Outlook { id, before, after }
    });
    told.filter(|outlook| outlook.before != outlook.after).collect()
}

fn said(asker: &Asker<'_>, state: &DirectiveState, now: Timestamp) -> BTreeMap<Said, u64> {
    let mut told = BTreeMap::new();
    for (asset, stage) in state.stages() {
        let waits = matches!(
            stage,
            Stage::Proposed
                | Stage::Rehearsing { .. }
                | Stage::AwaitingApproval { .. }
                | Stage::Approved { .. }
        );
        if waits {
            *told.entry(Said::of(&asker.by_policy(asset, now), stage)).or_default() += 1;
        }
    }
    told
}

//! What the policy approves by itself: what passed its rehearsal, where a rule says so.

use std::collections::BTreeMap;

use tenon_model::{AssetId, AssetOrdinal, Digest, DirectiveId, Event, Stage, Timestamp};
use tenon_policy::Approval;

use super::dirty::{Dirty, Judged};
use crate::directives::DirectiveState;
use crate::policy::Asker;
use crate::world::World;

/// The approvals by rules of directives of which the policy may say something else; nothing where no policy is set.
pub(super) fn approve(world: &World, dirty: &Dirty, now: Timestamp, events: &mut Vec<Event>) {
    let Some(known) = world.policy() else { return };
    for (id, judged) in dirty.judged() {
        let Some(state) = world.directive(&id).filter(|state| state.closed.is_none()) else { continue };
        // People disagree: no rule decides that for them.
        if state.disputed().is_some() {
            continue;
        }
        for (rule, rehearsals) in by_rule(world, state, judged, now) {
            let (version, policy) = (known.version, known.blob);
            events.push(Event::ApprovedByPolicy { id, version, policy, rule, rehearsals });
        }
    }
}

/// Whether the policy leaves an approval of a directive to people.
pub(crate) fn asks_people(world: &World, id: DirectiveId) -> bool {
    let state = world.directive(&id).filter(|state| state.closed.is_none());
    state.is_some_and(|state| state.begun().any(|(_, stage)| matches!(stage, Stage::AwaitingApproval { .. })))
}

/// What waits for approval and is automatic, by the rule that says so.
fn by_rule(
    world: &World,
    state: &DirectiveState,
    judged: &Judged,
    now: Timestamp,
) -> BTreeMap<String, Vec<(AssetId, Digest)>> {
    let begun: Vec<AssetOrdinal> = match judged {
        Judged::All => state.begun().map(|(asset, _)| asset).collect(),
        Judged::Some(assets) => assets.iter().collect(),
    };
    let mut found: BTreeMap<String, Vec<(AssetId, Digest)>> = BTreeMap::new();
    let mut asker = None;
    for asset in begun {
        let Some(Stage::AwaitingApproval { report }) = state.stage(asset) else { continue };
        let ruling = asker.get_or_insert_with(|| Asker::new(world, state)).ruling(asset, now);
        if let (Approval::Automatic, Some(known)) = (ruling.approval, world.asset_at(asset)) {
            found.entry(ruling.rule().to_owned()).or_default().push((known.id, *report));
        }
    }
    found
}

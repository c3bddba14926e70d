//! The next order of assets that have none: one at a time on a host.

use std::collections::BTreeSet;

use tenon_model::{
    AssetId, Capability, DirectiveId, Event, Generation, OfferState, Order, OrderAction, OrderId,
    PackageTarget, Stage, Timestamp,
};

use super::dirty::Dirty;
use super::needs::target_of;
use crate::world::{AssetState, DirectiveState, GroupMode, World};

/// How long a host may take to begin a rehearsal, in seconds.
const REHEARSE_EXPIRES_SECONDS: u32 = 1_800;
/// How long a host may take to begin an apply, in seconds. Short: an approval speaks of the host as it was.
const APPLY_EXPIRES_SECONDS: u32 = 1_800;

/// Gives every idle asset of an acting group its next order: approved work first, then the most urgent rehearsal.
pub(super) fn dispatch(world: &World, dirty: &Dirty, now: Timestamp, events: &mut Vec<Event>) {
    let candidates: BTreeSet<AssetId> = dirty.assets.union(&dirty.idle).copied().collect();
    let mut next_order = world.next_order;
    for id in candidates {
        let Some(asset) = world.asset(&id).filter(|asset| can_act(world, asset)) else { continue };
        let Some((directive, action, expires)) = next(world, &id, asset) else { continue };
        next_order += 1;
        events.push(Event::OrderIssued {
            order: Order {
                id: OrderId::new(next_order),
                asset: id,
                directive,
                generation: Generation { term: world.term(), counter: next_order },
                issued: now,
                expires: now.plus_seconds(expires),
                action,
            },
        });
    }
}

/// What an asset should do next.
fn next(world: &World, id: &AssetId, asset: &AssetState) -> Option<(DirectiveId, OrderAction, u32)> {
    let open = asset.directives.iter().filter_map(|id| Some((*id, world.directive(id)?)));
    let waiting = open.filter_map(|(directive, state)| {
        let stage = state.stages.get(id)?;
        let approved = matches!(stage, Stage::Approved { .. });
        (approved || matches!(stage, Stage::Proposed)).then_some((!approved, directive, state, stage))
    });
    let mut waiting: Vec<_> = waiting.collect();
    waiting.sort_by_key(|(unapproved, directive, state, _)| (*unapproved, state.rank(*directive)));
    waiting.into_iter().find_map(|(_, directive, state, stage)| {
        let targets = state.directive.assets.get(id).filter(|targets| offers(asset, targets))?;
        let (action, expires) = order_for(state, id, stage, targets)?;
        Some((directive, action, expires))
    })
}

fn can_act(world: &World, asset: &AssetState) -> bool {
    world.mode(&asset.group) == GroupMode::Act
        && asset.outstanding.is_none()
        && asset.facts.as_ref().is_some_and(|facts| facts.capability == Capability::Act)
}

/// Whether the host's last report still offers every one of these. Where it does not, the order would fail on the host;
/// the next report settles what becomes of the directive.
fn offers(asset: &AssetState, targets: &[PackageTarget]) -> bool {
    let Some(facts) = &asset.facts else { return false };
    targets.iter().all(|target| {
        facts.offers.iter().any(|offer| offer.state == OfferState::Offered && *target == target_of(offer))
    })
}

fn order_for(
    state: &DirectiveState,
    asset: &AssetId,
    stage: &Stage,
    targets: &[PackageTarget],
) -> Option<(OrderAction, u32)> {
    let targets = targets.to_vec();
    if matches!(stage, Stage::Approved { .. }) {
        let report = state.rehearsals.get(asset)?;
        let (transaction, files) = (report.transaction.clone(), report.files.clone());
        return Some((OrderAction::Apply { targets, transaction, files }, APPLY_EXPIRES_SECONDS));
    }
    Some((OrderAction::Rehearse { targets }, REHEARSE_EXPIRES_SECONDS))
}

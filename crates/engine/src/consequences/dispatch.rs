//! The next order of assets that have none: one at a time on a host.

use std::collections::{BTreeMap, BTreeSet};

use tenon_checker::{Begins, EvidenceAsked, check_begins};
use tenon_model::{
    AssetOrdinal, AssetSet, Capability, DirectiveId, Event, Generation, Offer, OfferState, Order,
    OrderAction, OrderId, PackageTarget, Stage, Timestamp,
};
use tenon_policy::{Approval, Turn};

use super::dirty::Dirty;
use super::needs::target_of;
use super::roll::spare;
use crate::assets::AssetState;
use crate::directives::DirectiveState;
use crate::evidence::EvidenceState;
use crate::policy::Asker;
use crate::world::{GroupMode, World};

/// How long a host may take to begin a rehearsal, in seconds.
const REHEARSE_EXPIRES_SECONDS: u32 = 1_800;
/// How long a host may take to begin to preserve evidence, in seconds.
const EVIDENCE_EXPIRES_SECONDS: u32 = 1_800;
/// How long a host may take to begin an apply, in seconds. Short: an approval speaks of the host as it was.
const APPLY_EXPIRES_SECONDS: u32 = 1_800;

/// Gives every idle asset of an acting group its next order: evidence that is asked for first, then approved work, then the most
/// urgent rehearsal.
pub(super) fn dispatch(world: &World, dirty: &Dirty, now: Timestamp, events: &mut Vec<Event>) {
    let candidates = AssetSet::union([&dirty.assets, &dirty.idle]);
    let acting = world.assets.groups().filter(|(group, _)| world.mode(group) == GroupMode::Act);
    let acting: AssetSet = AssetSet::union(acting.map(|(_, assets)| assets));
    let mut next_order = world.next_order;
    let mut round =
        Round { world, now, changing: BTreeSet::new(), askers: BTreeMap::new(), halted: BTreeMap::new() };
    for ordinal in candidates.intersect(&acting).iter() {
        let Some(asset) = world.asset_at(ordinal).filter(|asset| can_act(asset)) else { continue };
        let Some((directive, action, expires)) = round.next(ordinal, asset) else { continue };
        next_order += 1;
        if matches!(action, OrderAction::Apply { .. }) {
            round.changing.insert(ordinal);
        }
        events.push(Event::OrderIssued {
            order: Order {
                id: OrderId::new(next_order),
                asset: asset.id,
                directive,
                generation: Generation { term: world.term(), counter: next_order },
                issued: now,
                expires,
                action,
            },
        });
    }
    let halted = round.halted.into_iter();
    events.extend(halted.map(|(id, why)| Event::RolloutHalted { id, why, by: None }));
}

/// What one round of orders has come to so far.
struct Round<'w> {
    world: &'w World,
    now: Timestamp,
    /// The assets that are sent to change, besides those of earlier rounds.
    changing: BTreeSet<AssetOrdinal>,
    askers: BTreeMap<DirectiveId, Asker<'w>>,
    /// Rollouts of which the checker refuses an order, each with what is wrong.
    halted: BTreeMap<DirectiveId, String>,
}

impl<'w> Round<'w> {
    /// What an asset should do next, and until when it may begin.
    fn next(
        &mut self,
        ordinal: AssetOrdinal,
        asset: &AssetState,
    ) -> Option<(DirectiveId, OrderAction, Timestamp)> {
        let world = self.world;
        // Before anything else, a rehearsal too: every process that it starts is one more between now and then.
        if let Some((directive, action)) = world.evidence_order(ordinal, asset) {
            return Some((directive, action, self.now.plus_seconds(EVIDENCE_EXPIRES_SECONDS)));
        }
        let ids: BTreeSet<DirectiveId> =
            asset.begun.iter().copied().chain(world.wanted_by(ordinal)).collect();
        let open = ids.iter().filter_map(|id| Some((*id, world.directive(id)?)));
        let waiting = open.filter(|(_, state)| state.closed.is_none()).filter_map(|(directive, state)| {
            let stage = state.stage(ordinal)?;
            let approved = matches!(stage, Stage::Approved { .. });
            // A rehearsal can wait until the host is back; whether a change may be left out of its wave is not for silence to say.
            let may = if approved {
                has_turn(state, ordinal)
            } else {
                matches!(stage, Stage::Proposed) && asset.quiet_since(self.now).is_none()
            };
            may.then_some((!approved, directive, state, stage))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting
            .sort_by_key(|(unapproved, directive, state, _)| (*unapproved, state.rank_on_asset(*directive)));
        waiting.into_iter().find_map(|(_, directive, state, stage)| {
            let targets = state.targets(ordinal).filter(|targets| offers(world, asset, state, targets))?;
            let (action, signed_until) = self.order_for(state, ordinal, stage, targets)?;
            if !matches!(action, OrderAction::Apply { .. }) {
                return Some((directive, action, self.now.plus_seconds(REHEARSE_EXPIRES_SECONDS)));
            }
            // Over all rollouts together: no group of stand-ins falls below its minimum.
            if spare(world, ordinal, &self.changing) == Some(0) {
                return None;
            }
            Some((directive, action, self.apply_until(ordinal, directive, state, signed_until)?))
        })
    }

    fn order_for(
        &self,
        state: &DirectiveState,
        asset: AssetOrdinal,
        stage: &Stage,
        targets: &[PackageTarget],
    ) -> Option<(OrderAction, Option<Timestamp>)> {
        let targets = targets.to_vec();
        if matches!(stage, Stage::Approved { .. }) {
            let report = state.rehearsals.get(&asset)?;
            let (transaction, files) = (report.transaction.clone(), report.files.clone());
            let (approvals, until) = self.world.approvals(state, asset, self.now);
            return Some((OrderAction::Apply { targets, transaction, files, approvals }, until));
        }
        Some((OrderAction::Rehearse { targets }, None))
    }

    /// Until when a change may begin; `None` where it may not now.
    fn apply_until(
        &mut self,
        asset: AssetOrdinal,
        id: DirectiveId,
        state: &'w DirectiveState,
        signed_until: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let usual = self.now.plus_seconds(APPLY_EXPIRES_SECONDS);
        let asker = self.askers.entry(id).or_insert_with(|| Asker::new(self.world, state));
        let ruling = asker.ruling(asset, self.now);
        // The host would refuse it, or it would destroy what is asked to be preserved.
        if ruling.approval == Approval::Forbidden || ruling.unsigned.is_some() || ruling.unsealed.is_some() {
            return None;
        }
        // What counts no more when it is begun late is refused there.
        let usual = signed_until.map_or(usual, |until| until.min(usual));
        let expires = match ruling.turn {
            Turn::Closed { .. } => return None,
            // An order that is begun late is begun inside its window, or not at all.
            Turn::Open { until } => until.map_or(usual, |until| until.min(usual)),
        };
        let asked = evidence_asked(self.world, asset);
        let begins = Begins {
            evidence: &asked,
            approval: ruling.approval,
            windows: &ruling.windows,
            freezes: &ruling.freezes,
            from: self.now,
            until: expires,
        };
        match check_begins(&begins) {
            Ok(()) => Some(expires),
            Err(wrong) => {
                let why =
                    format!("an order fails its check, a defect of Tenon that should be reported: {wrong}");
                self.halted.entry(id).or_insert(why);
                None
            }
        }
    }
}

/// Which directives that an asset wants, or on which work has begun there, ask for evidence, and whether each has it. Told from
/// these, not from what the World keeps of those that ask: the checker is to find out where that is wrong.
fn evidence_asked(world: &World, ordinal: AssetOrdinal) -> Vec<EvidenceAsked> {
    let begun = world.asset_at(ordinal).into_iter().flat_map(|asset| asset.begun.iter().copied());
    let ids: BTreeSet<DirectiveId> = begun.chain(world.wanted_by(ordinal)).collect();
    let states = ids.iter().filter_map(|id| Some((*id, world.directive(id)?)));
    let asking = states.filter(|(_, state)| state.directive.priority.decision.forensics);
    asking
        .map(|(directive, state)| {
            let has = match state.evidence(ordinal) {
                Some(EvidenceState::Sealed { .. } | EvidenceState::Waived { .. }) => true,
                Some(EvidenceState::Missed { .. }) | None => false,
            };
            EvidenceAsked { directive, has }
        })
        .collect()
}

/// Whether the wave that is under way holds the asset.
fn has_turn(state: &DirectiveState, asset: AssetOrdinal) -> bool {
    let rollout = state.rollout.as_ref().filter(|rollout| rollout.halted.is_none());
    rollout.and_then(|rollout| rollout.running()).is_some_and(|(_, wave)| wave.assets.contains(asset))
}

fn can_act(asset: &AssetState) -> bool {
    asset.outstanding.is_none()
        && !asset.runs.is_cloned()
        && asset.profile().is_some_and(|profile| profile.capability == Capability::Act)
}

/// Whether the host's last report still offers every one of these. Where it does not, the order would fail on the host;
/// the next report settles what becomes of the directive.
fn offers(world: &World, asset: &AssetState, state: &DirectiveState, targets: &[PackageTarget]) -> bool {
    let about = world.index.entries_of(asset.stances()).map(|entry| &entry.stance);
    let offers: Vec<&Offer> = about
        .filter(|stance| stance.package == state.source().name)
        .flat_map(|stance| &stance.offers)
        .filter(|offer| offer.state == OfferState::Offered)
        .collect();
    targets.iter().all(|target| offers.iter().any(|offer| *target == target_of(offer)))
}

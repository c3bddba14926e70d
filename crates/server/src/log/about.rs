//! What an entry is about.

use tenon_engine::World;
use tenon_model::{
    AssetId, AssetOrdinal, Control, Detection, Directive, DirectiveId, Event, Exception, Members, Retirement,
    VulnerabilityId, Wants,
};

use super::LogFilter;

/// A filter, with what the World knows of what it names.
pub(super) struct Wanted<'a> {
    filter: &'a LogFilter,
    world: &'a World,
    asset: Option<(AssetId, Option<AssetOrdinal>)>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(filter: &'a LogFilter, world: &'a World) -> Self {
        let asset = filter.asset.map(|asset| (asset, world.ordinal(&asset)));
        Self { filter, world, asset }
    }

    pub(super) fn holds(&self, event: &Event) -> bool {
        let kind = self.filter.kind.as_ref().is_none_or(|kind| event.kind().starts_with(kind));
        kind && self.asset.is_none_or(|(id, ordinal)| self.is_about_asset(event, id, ordinal))
            && self.filter.directive.is_none_or(|id| self.is_about_directive(event, id))
            && self.filter.vulnerability.as_ref().is_none_or(|id| self.names(event, id))
    }

    fn is_about_asset(&self, event: &Event, id: AssetId, ordinal: Option<AssetOrdinal>) -> bool {
        let wants = |wants: &Wants| match wants {
            Wants::Classes(classes) => {
                ordinal.is_some_and(|at| classes.iter().any(|class| class.assets.contains(at)))
            }
            Wants::Each(each) => each.contains_key(&id),
        };
        let member = |members: &Members| match members {
            Members::Set(set) => ordinal.is_some_and(|at| set.contains(at)),
            Members::Ids(ids) => ids.contains(&id),
        };
        if asset_of(event, self.world) == Some(id) {
            return true;
        }
        match event {
            Event::ExceptionGranted { .. } | Event::ExceptionEnded { .. } => ordinal.is_some_and(|at| {
                exception_of(event, self.world).is_some_and(|exception| exception.assets.contains(at))
            }),
            Event::ControlRecorded { .. } | Event::ControlEnded { .. } => ordinal.is_some_and(|at| {
                control_of(event, self.world).is_some_and(|control| control.assets.contains(at))
            }),
            Event::AssetEnrolled { replaces, .. } => *replaces == Some(id),
            Event::AssetRetired { why, .. } => {
                matches!(why, Retirement::Superseded { by } if *by == id)
            }
            Event::DirectiveRaised { directive, wants: each, .. } => {
                directive.assets.contains_key(&id) || wants(each)
            }
            Event::DirectiveRevised { directive, .. } => directive.assets.contains_key(&id),
            Event::DirectiveChanged { change, .. } => {
                wants(&change.joined) || member(&change.settled) || member(&change.left)
            }
            Event::DirectiveApproved { rehearsals, .. }
            | Event::ApprovalGiven { rehearsals, .. }
            | Event::ApprovedByPolicy { rehearsals, .. } => rehearsals.iter().any(|(asset, _)| *asset == id),
            Event::ChangesSigned { leaves, .. } => leaves.iter().any(|(asset, _)| *asset == id),
            Event::EvidenceWaived { assets, .. } => assets.contains(&id),
            _ => false,
        }
    }

    fn is_about_directive(&self, event: &Event, id: DirectiveId) -> bool {
        directive_of(event, self.world) == Some(id)
    }

    /// What an entry names itself. What a feed brought lies in the blob beside it.
    fn names(&self, event: &Event, id: &VulnerabilityId) -> bool {
        let of_whole = |directive: &Directive| {
            [&directive.closes, &directive.claims, &directive.advisories]
                .into_iter()
                .any(|ids| ids.contains(id))
        };
        match event {
            Event::DirectiveRaised { directive, .. } | Event::DirectiveRevised { directive, .. } => {
                of_whole(directive)
            }
            Event::ExceptionGranted { .. } | Event::ExceptionEnded { .. } => {
                exception_of(event, self.world).is_some_and(|exception| exception.vulnerability == *id)
            }
            Event::ControlRecorded { .. } | Event::ControlEnded { .. } => {
                control_of(event, self.world).is_some_and(|control| control.vulnerabilities.contains(id))
            }
            Event::DetectionReported { .. } | Event::DetectionFaded { .. } | Event::DetectionEnded { .. } => {
                detection_of(event, self.world).is_some_and(|detection| detection.vulnerability == *id)
            }
            // How it goes on with a directive that answers it.
            _ => directive_of(event, self.world)
                .and_then(|directive| self.world.directive(&directive))
                .is_some_and(|state| of_whole(&state.directive)),
        }
    }
}

/// The exception that an event is about.
fn exception_of<'a>(event: &'a Event, world: &'a World) -> Option<&'a Exception> {
    match event {
        Event::ExceptionGranted { exception, .. } => Some(exception),
        Event::ExceptionEnded { id, .. } => world.exception(*id).map(|state| &state.exception),
        _ => None,
    }
}

/// The control that an event is about.
fn control_of<'a>(event: &'a Event, world: &'a World) -> Option<&'a Control> {
    match event {
        Event::ControlRecorded { control, .. } => Some(control),
        Event::ControlEnded { id, .. } => world.control(*id).map(|state| &state.control),
        _ => None,
    }
}

/// The detection that an event is about.
fn detection_of<'a>(event: &'a Event, world: &'a World) -> Option<&'a Detection> {
    match event {
        Event::DetectionReported { detection, .. } => Some(detection),
        Event::DetectionFaded { id, .. } | Event::DetectionEnded { id, .. } => {
            world.detection(*id).map(|state| &state.detection)
        }
        _ => None,
    }
}

/// The one asset that an event is about.
pub(super) fn asset_of(event: &Event, world: &World) -> Option<AssetId> {
    match event {
        Event::AssetEnrolled { asset, .. }
        | Event::AssetRetired { asset, .. }
        | Event::AssetReturned { asset }
        | Event::AssetRenamed { asset, .. }
        | Event::AgentStarted { asset, .. }
        | Event::CloneSeen { asset, .. }
        | Event::CloneGone { asset }
        | Event::ContextSet { asset, .. }
        | Event::InventoryReported { asset, .. }
        | Event::InventoryChanged { asset, .. }
        | Event::RetryRequested { asset, .. }
        | Event::AssetVerified { asset, .. } => Some(*asset),
        Event::DetectionReported { .. } | Event::DetectionFaded { .. } | Event::DetectionEnded { .. } => {
            detection_of(event, world).and_then(|detection| detection.asset)
        }
        Event::OrderIssued { order } => Some(order.asset),
        Event::RehearsalRecorded { order, .. }
        | Event::EvidenceSealed { order, .. }
        | Event::EvidenceMissed { order, .. }
        | Event::ApplyRecorded { order, .. }
        | Event::OrderExpired { order } => world.order(order).map(|state| state.order.asset),
        _ => None,
    }
}

/// The directive that an event is about.
pub(super) fn directive_of(event: &Event, world: &World) -> Option<DirectiveId> {
    match event {
        Event::DirectiveRaised { id, .. }
        | Event::DirectiveChanged { id, .. }
        | Event::DirectiveRevised { id, .. }
        | Event::DirectiveClosed { id, .. }
        | Event::DirectiveNoted { id, .. }
        | Event::DirectiveAssigned { id, .. }
        | Event::DirectiveApproved { id, .. }
        | Event::ApprovalGiven { id, .. }
        | Event::ApprovedByPolicy { id, .. }
        | Event::ChangesSigned { id, .. }
        | Event::EvidenceWaived { id, .. }
        | Event::RolloutPlanned { id, .. }
        | Event::WaveBegan { id, .. }
        | Event::WaveEnded { id, .. }
        | Event::RolloutHalted { id, .. }
        | Event::RolloutResumed { id, .. }
        | Event::RetryRequested { id, .. }
        | Event::AssetVerified { id, .. } => Some(*id),
        Event::OrderIssued { order } => Some(order.directive),
        Event::RehearsalRecorded { order, .. }
        | Event::EvidenceSealed { order, .. }
        | Event::EvidenceMissed { order, .. }
        | Event::ApplyRecorded { order, .. }
        | Event::OrderExpired { order } => world.order(order).map(|state| state.order.directive),
        _ => None,
    }
}

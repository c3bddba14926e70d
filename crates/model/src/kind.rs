//! The kinds of events by the names under which the journal keeps them.

use crate::Event;

/// Every kind, as the tag `event` of an entry's payload names it.
pub const EVENT_KINDS: [&str; 54] = [
    "term-began",
    "advisories-changed",
    "intel-changed",
    "reach-assessed",
    "token-issued",
    "asset-enrolled",
    "asset-renamed",
    "asset-retired",
    "asset-returned",
    "agent-started",
    "clone-seen",
    "clone-gone",
    "context-set",
    "context-taken-over",
    "vex-stated",
    "exception-granted",
    "exception-ended",
    "control-recorded",
    "control-ended",
    "detection-reported",
    "detection-faded",
    "detection-ended",
    "rules-set",
    "inventory-reported",
    "inventory-changed",
    "group-promoted",
    "group-demoted",
    "directive-raised",
    "directive-changed",
    "directive-revised",
    "directive-closed",
    "directive-noted",
    "directive-assigned",
    "order-issued",
    "rehearsal-recorded",
    "policy-set",
    "approval-given",
    "approved-by-policy",
    "directive-approved",
    "changes-signed",
    "tempo-set",
    "rollout-planned",
    "wave-began",
    "wave-ended",
    "rollout-halted",
    "rollout-resumed",
    "retry-requested",
    "history-cut",
    "evidence-sealed",
    "evidence-missed",
    "evidence-waived",
    "apply-recorded",
    "asset-verified",
    "order-expired",
];

impl Event {
    /// Its kind: one of [`EVENT_KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TermBegan { .. } => "term-began",
            Self::AdvisoriesChanged { .. } => "advisories-changed",
            Self::IntelChanged { .. } => "intel-changed",
            Self::ReachAssessed { .. } => "reach-assessed",
            Self::TokenIssued { .. } => "token-issued",
            Self::AssetEnrolled { .. } => "asset-enrolled",
            Self::AssetRenamed { .. } => "asset-renamed",
            Self::AssetRetired { .. } => "asset-retired",
            Self::AssetReturned { .. } => "asset-returned",
            Self::AgentStarted { .. } => "agent-started",
            Self::CloneSeen { .. } => "clone-seen",
            Self::CloneGone { .. } => "clone-gone",
            Self::ContextSet { .. } => "context-set",
            Self::ContextTakenOver { .. } => "context-taken-over",
            Self::VexStated { .. } => "vex-stated",
            Self::ExceptionGranted { .. } => "exception-granted",
            Self::ExceptionEnded { .. } => "exception-ended",
            Self::ControlRecorded { .. } => "control-recorded",
            Self::ControlEnded { .. } => "control-ended",
            Self::DetectionReported { .. } => "detection-reported",
            Self::DetectionFaded { .. } => "detection-faded",
            Self::DetectionEnded { .. } => "detection-ended",
            Self::RulesSet { .. } => "rules-set",
            Self::InventoryReported { .. } => "inventory-reported",
            Self::InventoryChanged { .. } => "inventory-changed",
            Self::GroupPromoted { .. } => "group-promoted",
            Self::GroupDemoted { .. } => "group-demoted",
            Self::DirectiveRaised { .. } => "directive-raised",
            Self::DirectiveChanged { .. } => "directive-changed",
            Self::DirectiveRevised { .. } => "directive-revised",
            Self::DirectiveClosed { .. } => "directive-closed",
            Self::DirectiveNoted { .. } => "directive-noted",
            Self::DirectiveAssigned { .. } => "directive-assigned",
            Self::OrderIssued { .. } => "order-issued",
            Self::RehearsalRecorded { .. } => "rehearsal-recorded",
            Self::PolicySet { .. } => "policy-set",
            Self::ApprovalGiven { .. } => "approval-given",
            Self::ApprovedByPolicy { .. } => "approved-by-policy",
            Self::DirectiveApproved { .. } => "directive-approved",
            Self::ChangesSigned { .. } => "changes-signed",
            Self::TempoSet { .. } => "tempo-set",
            Self::RolloutPlanned { .. } => "rollout-planned",
            Self::WaveBegan { .. } => "wave-began",
            Self::WaveEnded { .. } => "wave-ended",
            Self::RolloutHalted { .. } => "rollout-halted",
            Self::RolloutResumed { .. } => "rollout-resumed",
            Self::RetryRequested { .. } => "retry-requested",
            Self::HistoryCut { .. } => "history-cut",
            Self::EvidenceSealed { .. } => "evidence-sealed",
            Self::EvidenceMissed { .. } => "evidence-missed",
            Self::EvidenceWaived { .. } => "evidence-waived",
            Self::ApplyRecorded { .. } => "apply-recorded",
            Self::AssetVerified { .. } => "asset-verified",
            Self::OrderExpired { .. } => "order-expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EVENT_KINDS;
    use crate::Event;

    /// The decoder names every tag that it knows when it meets another.
    #[test]
    fn the_kinds_are_the_tags_of_the_encoding() {
        let said = serde_json::from_str::<Event>(r#"{"event":"none-such"}"#).unwrap_err().to_string();
        let (_, known) = said.split_once("expected one of ").unwrap();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert_eq!(known, EVENT_KINDS);
    }
}

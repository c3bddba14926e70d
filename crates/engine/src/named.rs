//! Which blobs a World names.

use std::collections::BTreeSet;

use tenon_model::{Digest, Stage};

use crate::world::World;

impl World {
    /// Every blob that a view of this World can name: reports of rehearsals and changes, also of directives that are
    /// closed, the context document and the policy. Whoever lets blobs go keeps these, and those that later entries name.
    ///
    /// Manifests, host facts and feed deltas are not among them: the World holds what they said.
    pub fn named_blobs(&self) -> BTreeSet<Digest> {
        let mut named = BTreeSet::new();
        named.extend(self.orders.iter().filter_map(|(_, state)| state.report.map(|(_, report)| report)));
        for (_, state) in self.directives() {
            // Where nothing was begun there is no report.
            named.extend(state.begun().filter_map(|(_, stage)| report_of(stage)));
        }
        named.extend(self.context.as_ref().map(|context| context.blob));
        named.extend(self.policy().map(|policy| policy.blob));
        named
    }
}

fn report_of(stage: &Stage) -> Option<Digest> {
    match stage {
        Stage::AwaitingApproval { report }
        | Stage::Approved { report }
        | Stage::Applying { report, .. }
        | Stage::Applied { report, .. }
        | Stage::RolledBack { report, .. } => Some(*report),
        Stage::NeedsPerson { report, .. } | Stage::Failed { report, .. } => *report,
        Stage::Proposed | Stage::Rehearsing { .. } | Stage::Verified | Stage::FixedOtherwise => None,
    }
}

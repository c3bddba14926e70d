//! CISA coordinator table 2.0.3 (SSVC `cisa:CISA_Levels`; CERTCC/SSVC, revision and licence stand with the table).

use crate::points::{Automatable, Exploitation, MissionAndWellBeing, TechnicalImpact, decision_point};
use crate::tables::{Decided, Inputs, Published, published};

pub(crate) static COORDINATOR: Published =
    Published::new(|| published(include_str!("../data/cisa_coordinator.csv")));

decision_point! {
    /// CISA Levels 1.1.0, from the least urgent.
    Level {
        /// Remediate within standard update timelines.
        Track = "track",
        /// As track, but watch more closely for changes.
        TrackStar = "track*",
        /// Needs attention of supervisory level; remediate sooner than standard update timelines.
        Attend = "attend",
        /// Needs attention of leadership level; remediate as soon as possible.
        Act = "act",
    }
}

/// Columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coordinator {
    /// Exploitation.
    pub exploitation: Exploitation,
    /// Automatable.
    pub automatable: Automatable,
    /// Technical impact.
    pub technical_impact: TechnicalImpact,
    /// Mission and well-being impact.
    pub mission_and_well_being: MissionAndWellBeing,
}

impl Coordinator {
    /// The same as inputs of the table.
    pub fn inputs(self) -> Inputs<'static> {
        COORDINATOR.pick([
            self.exploitation as usize,
            self.automatable as usize,
            self.technical_impact as usize,
            self.mission_and_well_being as usize,
        ])
    }

    /// The row for these inputs.
    pub fn decide(self) -> (Level, Decided<'static>) {
        let decided = self.inputs().decide();
        // Unknown text would be a defect of the table, which a test excludes; the most urgent outcome is the safe one.
        (Level::parse(decided.outcome).unwrap_or(Level::Act), decided)
    }
}

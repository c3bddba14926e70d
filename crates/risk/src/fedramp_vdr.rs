//! FedRAMP Vulnerability Detection and Response: time frames of rule VDR-TFR-PVR (FedRAMP/2026-markdown, 2026-08-13).
//!
//! Hours run from the evaluation of the finding. A finding of PAIN 1 has no time frame.

use crate::points::decision_point;
use crate::tables::{Decided, Published, published};

pub(crate) static TIMEFRAMES: Published =
    Published::new(|| published(include_str!("../data/fedramp_vdr.csv")));

pub use tenon_model::{VdrClass as Class, VdrPain as Pain};

decision_point! {
    /// Whether the vulnerability is likely exploitable (LEV; not the metric of [`crate::lev`]) and, if so, whether a
    /// payload from the internet can trigger it (IRV), be it behind a proxy (VER-EVA-EIR).
    Likelihood {
        /// Likely exploitable, internet-reachable.
        LevIrv = "LEV+IRV",
        /// Likely exploitable, not internet-reachable.
        LevNirv = "LEV+NIRV",
        /// Not likely exploitable.
        Nlev = "NLEV",
    }
}

/// Days from evaluation after which a finding that is not fully mitigated or remediated must be categorised as accepted
/// (rule VER-TFR-MAV).
pub const ACCEPTED_AFTER_DAYS: u32 = 192;

/// Hours from evaluation, and the row that says so; `None` for PAIN 1, of which no row speaks.
pub fn decide(class: Class, pain: Pain, likelihood: Likelihood) -> Option<(u32, Decided<'static>)> {
    if pain == Pain::One {
        return None;
    }
    let decided = TIMEFRAMES.decide_numbers([class as usize, pain as usize, likelihood as usize]);
    // Every outcome is a number of hours, which a test checks.
    Some((decided.outcome.parse().ok()?, decided))
}

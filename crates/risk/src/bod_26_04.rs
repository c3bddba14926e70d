//! CISA Binding Operational Directive 26-04, Table 1: remediation timelines (2026-06-10; the SSVC decision table
//! `cisa:BOD_26_04` 1.0.0 of CERT/CC encodes it).

pub use crate::points::TechnicalImpact;
use crate::tables::{self, Published, published};

pub(crate) static TIMELINES: Published =
    Published::new(|| published(include_str!("../data/cisa_bod_26_04.csv")));

/// The four columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    /// Listed in the KEV catalogue.
    pub in_kev: bool,
    /// Reachable from the public internet; the operator's own knowledge.
    pub publicly_exposed: bool,
    /// SSVC Automatable 2.0.0: an attacker can automate the first four steps of the kill chain.
    pub automatable: bool,
    /// SSVC Technical Impact.
    pub technical_impact: TechnicalImpact,
}

impl Inputs {
    /// The same as inputs of the table.
    pub fn table_inputs(self) -> tables::Inputs<'static> {
        TIMELINES.pick([
            usize::from(self.in_kev),
            usize::from(self.publicly_exposed),
            usize::from(self.automatable),
            self.technical_impact as usize,
        ])
    }
}

/// Whether an outcome of the table asks for volatile evidence to be preserved before anything changes.
pub fn asks_for_forensics(outcome: &str) -> bool {
    outcome.ends_with("& forensic investigation")
}

/// Calendar days that an outcome of the table sets; `None` for "fix on system upgrade", which sets no date.
pub(crate) fn days(outcome: &str) -> Option<u32> {
    outcome.split_once(" days").and_then(|(days, _)| days.parse().ok())
}

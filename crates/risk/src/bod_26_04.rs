//! CISA Binding Operational Directive 26-04, Table 1: remediation timelines (2026-06-10; the SSVC decision table
//! `cisa:BOD_26_04` 1.0.0 of CERT/CC encodes it).

pub use crate::points::TechnicalImpact;
use crate::tables::{self, Published, published};

/// Name and version of the table, as shown with every decision.
pub const TABLE: &str = "cisa-bod-26-04 1.0.0";

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

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Row number, as published.
    pub number: u32,
    /// Outcome, as published.
    pub outcome: &'static str,
    /// Calendar days to remediate; `None` for "fix on system upgrade", which sets no date.
    pub days: Option<u32>,
    /// Whether volatile evidence must be preserved before anything changes.
    pub forensics: bool,
}

/// The row for these inputs.
pub fn decide(inputs: Inputs) -> Row {
    let decided = inputs.table_inputs().decide();
    let (days, forensics) = clock(decided.outcome);
    Row { number: decided.row, outcome: decided.outcome, days, forensics }
}

/// Days and forensics that an outcome of the table states.
pub(crate) fn clock(outcome: &str) -> (Option<u32>, bool) {
    let days = outcome.split_once(" days").and_then(|(days, _)| days.parse().ok());
    (days, outcome.ends_with("& forensic investigation"))
}

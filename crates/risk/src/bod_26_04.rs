//! CISA Binding Operational Directive 26-04, Table 1: remediation timelines (2026-06-10; the SSVC decision table
//! `cisa:BOD_26_04` 1.0.0 of CERT/CC encodes it).

/// Name and version of the table, as shown with every decision.
pub const TABLE: &str = "cisa-bod-26-04 1.0.0";

/// SSVC Technical Impact 1.0.0: what an exploit gives the attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TechnicalImpact {
    /// Limited control, or disclosure of some information.
    Partial,
    /// Total control, or disclosure of all information.
    Total,
}

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

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Row number, as published.
    pub number: u32,
    /// Outcome, as published.
    pub outcome: &'static str,
    /// Days to remediate; `None` for "fix on system upgrade", which sets no date.
    pub days: Option<u32>,
    /// Whether volatile evidence must be preserved before anything changes.
    pub forensics: bool,
}

const UPGRADE: (&str, Option<u32>, bool) = ("fix on system upgrade", None, false);
const SIXTY: (&str, Option<u32>, bool) = ("60 days", Some(60), false);
const FOURTEEN: (&str, Option<u32>, bool) = ("14 days", Some(14), false);
const THREE: (&str, Option<u32>, bool) = ("3 days", Some(3), false);
const FORENSIC: (&str, Option<u32>, bool) = ("3 days & forensic investigation", Some(3), true);

/// The row for these inputs.
pub fn decide(inputs: Inputs) -> Row {
    use TechnicalImpact::{Partial, Total};
    let columns = (inputs.technical_impact, inputs.in_kev, inputs.publicly_exposed, inputs.automatable);
    let (number, (outcome, days, forensics)) = match columns {
        (Partial, false, false, false) => (0, UPGRADE),
        (Partial, true, false, false) => (1, FOURTEEN),
        (Partial, false, true, false) => (2, SIXTY),
        (Partial, false, false, true) => (3, SIXTY),
        (Total, false, false, false) => (4, UPGRADE),
        (Partial, true, true, false) => (5, FOURTEEN),
        (Partial, true, false, true) => (6, FOURTEEN),
        (Partial, false, true, true) => (7, FOURTEEN),
        (Total, true, false, false) => (8, FOURTEEN),
        (Total, false, true, false) => (9, FOURTEEN),
        (Total, false, false, true) => (10, SIXTY),
        (Partial, true, true, true) => (11, THREE),
        (Total, true, true, false) => (12, FORENSIC),
        (Total, true, false, true) => (13, FORENSIC),
        (Total, false, true, true) => (14, THREE),
        (Total, true, true, true) => (15, FORENSIC),
    };
    Row { number, outcome, days, forensics }
}

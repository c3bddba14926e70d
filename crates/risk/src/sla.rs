//! Other published due-date rules, each as a table. Where a rule is silent its table says "no date"; which rows those
//! are stands in the table's source.

use crate::bod_26_04;
use crate::points::decision_point;
use crate::tables::{Decided, Published, Table, published};

pub(crate) static FEDRAMP_REV5: Published =
    Published::new(|| published(include_str!("../data/sla_fedramp_rev5.csv")));
pub(crate) static BOD_22_01: Published =
    Published::new(|| published(include_str!("../data/sla_bod_22_01.csv")));
pub(crate) static BOD_19_02: Published =
    Published::new(|| published(include_str!("../data/sla_bod_19_02.csv")));
pub(crate) static PCI_DSS_4_0: Published =
    Published::new(|| published(include_str!("../data/sla_pci_dss_4_0.csv")));
pub(crate) static PCI_DSS_4_0_1: Published =
    Published::new(|| published(include_str!("../data/sla_pci_dss_4_0_1.csv")));

decision_point! {
    /// Severity as these rules name it; PCI DSS ranks by its requirement 6.3.1, the others by CVSS.
    Severity {
        /// Critical.
        Critical = "critical",
        /// High.
        High = "high",
        /// Moderate, which CVSS calls medium.
        Moderate = "moderate",
        /// Low.
        Low = "low",
    }
}

/// When a finding is due, from the start of the rule's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So many hours later.
    Hours(u32),
    /// So many days later.
    Days(u32),
    /// So many calendar months later.
    Months(u32),
    /// On the date that the entry of the KEV catalogue states.
    KevDueDate,
    /// The rule sets no date.
    NoDate,
}

impl Due {
    /// From the outcome of one of these tables or of BOD 26-04; `None` for another text.
    pub fn parse(outcome: &str) -> Option<Self> {
        match outcome {
            "kev.dueDate" => return Some(Self::KevDueDate),
            "no date" | "fix on system upgrade" => return Some(Self::NoDate),
            _ => {}
        }
        if let Some(days) = bod_26_04::days(outcome) {
            return Some(Self::Days(days));
        }
        let (count, unit) = outcome.split_once(' ')?;
        let count = count.parse().ok()?;
        match unit {
            "hour" | "hours" => Some(Self::Hours(count)),
            "day" => Some(Self::Days(count)),
            "month" | "months" => Some(Self::Months(count)),
            _ => None,
        }
    }
}

/// What starts a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Detection of the finding.
    Detection,
    /// Day the entry was added to the KEV catalogue.
    KevAdded,
    /// Release of the patch.
    PatchRelease,
    /// Not stated with the rule: it counts calendar days.
    CalendarDays,
}

/// A due-date rule.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Short name.
    pub name: &'static str,
    table: &'static Published,
    /// What starts its clock.
    pub clock: Clock,
    /// Day since which it no longer binds anybody, if revoked (ISO 8601).
    pub revoked: Option<&'static str>,
    /// What else to know.
    pub note: &'static str,
}

impl Preset {
    /// Its table; the outcomes read as [`Due`].
    pub fn table(&self) -> &'static Table {
        self.table
    }
}

/// Every rule.
pub static PRESETS: [Preset; 6] = [
    Preset {
        name: "fedramp_rev5",
        table: &FEDRAMP_REV5,
        clock: Clock::Detection,
        revoked: None,
        note: "superseded by VDR for adopters",
    },
    Preset {
        name: "bod_22_01",
        table: &BOD_22_01,
        clock: Clock::KevAdded,
        revoked: Some("2026-06-10"),
        note: "due date is the catalog field",
    },
    Preset {
        name: "bod_19_02",
        table: &BOD_19_02,
        clock: Clock::Detection,
        revoked: Some("2026-06-10"),
        note: "",
    },
    Preset {
        name: "bod_26_04",
        table: &bod_26_04::TIMELINES,
        clock: Clock::CalendarDays,
        revoked: None,
        note: "3 of 16 rows also need forensic triage",
    },
    Preset {
        name: "pci_dss_4_0",
        table: &PCI_DSS_4_0,
        clock: Clock::PatchRelease,
        revoked: None,
        note: "severity by the ranking of requirement 6.3.1",
    },
    Preset {
        name: "pci_dss_4_0_1",
        table: &PCI_DSS_4_0_1,
        clock: Clock::PatchRelease,
        revoked: None,
        note: "other patches: time frame set by the entity",
    },
];

fn due(decided: Decided<'static>) -> (Due, Decided<'static>) {
    // Every outcome reads as a due date, which a test checks.
    (Due::parse(decided.outcome).unwrap_or(Due::NoDate), decided)
}

/// FedRAMP continuous monitoring, Rev. 5.
pub fn fedramp_rev5(severity: Severity) -> (Due, Decided<'static>) {
    due(FEDRAMP_REV5.decide_numbers([severity as usize]))
}

/// CISA BOD 22-01 (revoked).
pub fn bod_22_01(in_kev: bool) -> (Due, Decided<'static>) {
    due(BOD_22_01.decide_numbers([usize::from(in_kev)]))
}

/// CISA BOD 19-02 (revoked).
pub fn bod_19_02(internet_facing: bool, severity: Severity) -> (Due, Decided<'static>) {
    due(BOD_19_02.decide_numbers([usize::from(internet_facing), severity as usize]))
}

/// PCI DSS v4.0 requirement 6.3.3.
pub fn pci_dss_4_0(severity: Severity) -> (Due, Decided<'static>) {
    due(PCI_DSS_4_0.decide_numbers([severity as usize]))
}

/// PCI DSS v4.0.1 requirement 6.3.3.
pub fn pci_dss_4_0_1(severity: Severity) -> (Due, Decided<'static>) {
    due(PCI_DSS_4_0_1.decide_numbers([severity as usize]))
}

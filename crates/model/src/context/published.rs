//! Which published rules count.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::decision_point;

decision_point! {
    /// The published table that decides.
    DecisionTable {
        /// CISA BOD 26-04.
        Bod2604 = "bod-26-04",
        /// SSVC deployer.
        SsvcDeployer = "ssvc-deployer",
        /// CISA coordinator.
        CisaCoordinator = "cisa-coordinator",
    }
}

#[allow(clippy::derivable_impls, reason = "the macro derives no default")]
impl Default for DecisionTable {
    fn default() -> Self {
        Self::Bod2604
    }
}

decision_point! {
    /// A published rule that sets due dates.
    ClockRule {
        /// CISA BOD 26-04.
        Bod2604 = "bod-26-04",
        /// CISA BOD 22-01, revoked 2026-06-10: the due date in the KEV catalogue.
        Bod2201 = "bod-22-01",
        /// CISA BOD 19-02, revoked 2026-06-10.
        Bod1902 = "bod-19-02",
        /// FedRAMP continuous monitoring, Rev. 5.
        FedrampRev5 = "fedramp-rev5",
        /// PCI DSS v4.0, requirement 6.3.3.
        PciDss40 = "pci-dss-4.0",
        /// PCI DSS v4.0.1, requirement 6.3.3.
        PciDss401 = "pci-dss-4.0.1",
    }
}

/// Which published rules count. Several clocks run together; the earliest due date counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The table that decides.
    pub table: DecisionTable,
    /// The rules that set due dates.
    pub clocks: BTreeSet<ClockRule>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { table: DecisionTable::default(), clocks: BTreeSet::from([ClockRule::Bod2604]) }
    }
}

impl Rules {
    /// Whether these are the rules that count where nobody chose.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

//! Which published rules count.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{GroupName, decision_point};

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
        /// FedRAMP Vulnerability Detection and Response, time frames of rule VDR-TFR-PVR; what it asks of each group is in [`Vdr`].
        FedrampVdr = "fedramp-vdr",
        /// PCI DSS v4.0, requirement 6.3.3.
        PciDss40 = "pci-dss-4.0",
        /// PCI DSS v4.0.1, requirement 6.3.3.
        PciDss401 = "pci-dss-4.0.1",
    }
}

decision_point! {
    /// Certification class of a cloud service (FedRAMP 2026).
    VdrClass {
        /// Class A.
        A = "A",
        /// Class B.
        B = "B",
        /// Class C.
        C = "C",
        /// Class D.
        D = "D",
    }
}

decision_point! {
    /// PAIN rating (FedRAMP VDR): the potential adverse impact of a finding on agencies, 5 the worst.
    VdrPain {
        /// PAIN 5.
        Five = "5",
        /// PAIN 4.
        Four = "4",
        /// PAIN 3.
        Three = "3",
        /// PAIN 2.
        Two = "2",
        /// PAIN 1, which has no time frame.
        One = "1",
    }
}

/// What FedRAMP VDR asks of findings, by the group of assets on which they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vdr {
    /// The class of the cloud service.
    pub class: VdrClass,
    /// The rating of findings on assets of groups that are not named.
    pub pain: VdrPain,
    /// The rating of findings on assets of these groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<GroupName, VdrPain>,
}

impl Vdr {
    /// The rating of findings on assets of a group.
    pub fn pain_of(&self, group: &GroupName) -> VdrPain {
        self.groups.get(group).copied().unwrap_or(self.pain)
    }
}

/// Which published rules count. Several clocks run together; the earliest due date counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The table that decides.
    pub table: DecisionTable,
    /// The rules that set due dates.
    pub clocks: BTreeSet<ClockRule>,
    /// What FedRAMP VDR asks of whom, where it is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdr: Option<Vdr>,
    /// Files of regulations that count besides, each version of them, in the order in which they were adopted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regulations: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            table: DecisionTable::default(),
            clocks: BTreeSet::from([ClockRule::Bod2604]),
            vdr: None,
            regulations: Vec::new(),
        }
    }
}

impl Rules {
    /// Whether what is due by these rules does not bind any more where those count: another table or other published clocks were
    /// chosen, or a regulation was withdrawn. One that is adopted leaves the dates of before as they are.
    pub fn release(&self, then: &Self) -> bool {
        let kept = self.regulations.iter().all(|one| then.regulations.contains(one));
        (self.table, &self.clocks, &self.vdr) != (then.table, &then.clocks, &then.vdr) || !kept
    }

    /// Whether these are the rules that count where nobody chose.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

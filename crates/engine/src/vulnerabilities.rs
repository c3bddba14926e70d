//! Every vulnerability that is open somewhere in the estate: "what have we got, and what of it can we do nothing about?"

use std::collections::BTreeMap;

use tenon_model::{AssetSet, RiskPoints, Timestamp, VulnerabilityId};
use tenon_risk::cvss::Cvss;

use crate::consequences::assess;
use crate::findings::FindingState;
use crate::priority::{Reasons, at_stake};
use crate::world::World;

/// A vulnerability that is open somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenVulnerability {
    /// The vulnerability.
    pub id: VulnerabilityId,
    /// Since when the first advisory that finds it here is known here.
    pub known: Option<Timestamp>,
    /// On how many assets it is open; those where its risk is accepted are not among them.
    pub assets: u64,
    /// On how many of them something of it stays open whatever is offered there: there is no fix, or not there, or it waits for a
    /// reboot.
    pub not_offered: u64,
    /// On how many of those no fix is published.
    pub no_fix: u64,
    /// On how many of them attacks by it were seen.
    pub attacked: u64,
    /// Expected loss by it if nothing is done.
    pub loss: RiskPoints,
    /// CVSS score in tenths, of the vector that counts.
    pub cvss_tenths: Option<u8>,
}

/// Where one stands.
#[derive(Default)]
struct Found {
    package: Holds,
    known: Option<Timestamp>,
    open: AssetSet,
    not_offered: AssetSet,
    no_fix: AssetSet,
}

/// What holds it.
#[derive(Default)]
enum Holds {
    #[default]
    Nothing,
    One(String),
    Several,
}

impl Holds {
    fn also(&mut self, package: &str) {
        match self {
            Self::Nothing => *self = Self::One(package.to_owned()),
            Self::One(known) if known != package => *self = Self::Several,
            Self::One(_) | Self::Several => {}
        }
    }

    /// The package where it is one.
    fn only(&self) -> Option<&str> {
        match self {
            Self::One(package) => Some(package),
            Self::Nothing | Self::Several => None,
        }
    }
}

impl World {
    /// Every vulnerability that is open somewhere, by id, in one pass over what differs in the estate: a second or more of a
    /// million assets. A security update that no advisory explains is a directive and no vulnerability.
    pub fn open_vulnerabilities(&self) -> Vec<OpenVulnerability> {
        let mut all: BTreeMap<VulnerabilityId, Found> = BTreeMap::new();
        for (stance, entry) in self.index.all() {
            let assessment = assess(self, &entry.stance);
            if assessment.findings.is_empty() {
                continue;
            }
            let assets = self.index.assets_of(stance);
            if assets.is_empty() {
                continue;
            }
            for finding in assessment.findings {
                let known = self.advisories.get(&finding.advisory).map(|known| known.known);
                let found = all.entry(finding.vulnerability).or_default();
                found.known = found.known.into_iter().chain(known).min();
                found.open.extend(&assets);
                found.package.also(&finding.source.name);
                if !matches!(finding.state, FindingState::FixOffered { .. }) {
                    found.not_offered.extend(&assets);
                }
                if finding.state == FindingState::NoFix {
                    found.no_fix.extend(&assets);
                }
            }
        }
        all.into_iter().filter_map(|(id, found)| self.stands(id, found)).collect()
    }

    fn cvss_tenths(&self, id: &VulnerabilityId) -> Option<u8> {
        let vector = &self.intel.get(id)?.profile.cvss.as_ref()?.vector;
        Some(vector.parse::<Cvss>().ok()?.scores().score.tenths())
    }

    /// How it stands; `None` where its risk is accepted wherever it is.
    fn stands(&self, id: VulnerabilityId, mut found: Found) -> Option<OpenVulnerability> {
        if let Some(accepted) = self.exceptions.accepted(&id) {
            for assets in [&mut found.open, &mut found.not_offered, &mut found.no_fix] {
                assets.subtract(accepted);
            }
        }
        if found.open.is_empty() {
            return None;
        }
        let attacks = self.attacks(std::iter::once(&id), |_| found.open.clone());
        let bearings = self.assets.bearings(&found.open);
        let loss = at_stake(self, found.package.only(), Reasons::of_one(&id), &bearings, &attacks).removes;
        let attacked = attacks.iter().map(|attack| attack.bearings.assets()).sum();
        Some(OpenVulnerability {
            known: found.known,
            assets: found.open.len(),
            not_offered: found.not_offered.len(),
            no_fix: found.no_fix.len(),
            attacked,
            loss,
            cvss_tenths: self.cvss_tenths(&id),
            id,
        })
    }
}

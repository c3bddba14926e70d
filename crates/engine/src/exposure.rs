//! Where one vulnerability stands in the whole estate: "are we affected, where, and what can we not see?"

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{AssetSet, DirectiveId, GroupName, SourcePackage, Timestamp, VulnerabilityId};

use crate::consequences::assess;
use crate::findings::FindingState;
use crate::index::StanceId;
use crate::world::World;

/// Assets on which a vulnerability stands alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// OSV ecosystem with release.
    pub ecosystem: String,
    /// What is installed, in the form that advisories name it.
    pub source: SourcePackage,
    /// The version that fixes it, when one is published.
    pub fixed: Option<String>,
    /// Where it stands. How old a host's package index is makes no difference here: that is seen on the host.
    pub state: FindingState,
    /// The assets.
    pub assets: AssetSet,
}

/// Where one vulnerability stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exposure {
    /// The advisories about it.
    pub advisories: Vec<VulnerabilityId>,
    /// Since when the first of them is known here.
    pub known: Option<Timestamp>,
    /// Assets on which it is open, by how it stands there.
    pub open: Vec<Exposed>,
    /// Assets on which a supplier's statement takes it off the list, and nothing leaves it open.
    pub suppressed: AssetSet,
    /// Assets on which its risk is accepted, and which would otherwise be open.
    pub accepted: AssetSet,
    /// Open directives that close it, or whose changelog claims to.
    pub directives: Vec<DirectiveId>,
    /// Assets whose operating system some loaded advisory speaks of.
    pub covered: u64,
    /// All others: of them nothing is known in this matter. Never read it as "not vulnerable".
    pub not_covered: u64,
}

impl Exposure {
    /// Every asset on which it is open.
    pub fn assets(&self) -> AssetSet {
        AssetSet::union(self.open.iter().map(|exposed| &exposed.assets))
    }
}

impl World {
    /// Where a vulnerability stands.
    pub fn exposure(&self, id: &VulnerabilityId) -> Exposure {
        let about = |known: &&crate::world::KnownAdvisory| known.advisory.vulnerabilities().contains(id);
        let known: Vec<_> = self.advisories.iter().map(|(_, known)| known).filter(about).collect();
        let packages: BTreeSet<&str> = known
            .iter()
            .flat_map(|known| &known.advisory.affected)
            .map(|affected| affected.package.as_str())
            .collect();
        let mut open: BTreeMap<(String, SourcePackage, Option<String>, FindingState), AssetSet> =
            BTreeMap::new();
        let mut suppressed = AssetSet::default();
        // Advisories name one by one what was built from one source.
        let stances: BTreeSet<StanceId> =
            packages.iter().flat_map(|package| self.index.about(package)).collect();
        for stance in stances {
            let Some(entry) = self.index.entry(stance) else { continue };
            let assets = self.index.assets_of(stance);
            if assets.is_empty() {
                continue;
            }
            let assessment = assess(self, &entry.stance);
            for finding in assessment.findings.into_iter().filter(|finding| finding.vulnerability == *id) {
                let key = (finding.ecosystem, finding.source, finding.fixed, finding.state);
                open.entry(key).or_default().extend(&assets);
            }
            if assessment.suppressed.iter().any(|(finding, _)| finding.vulnerability == *id) {
                suppressed.extend(&assets);
            }
        }
        let all = || AssetSet::union(open.values());
        let accepted = self.exceptions.accepted(id).map(|accepted| accepted.intersect(&all()));
        let accepted = accepted.unwrap_or_default();
        let still = open.into_iter().map(|(key, assets)| (key, assets.without(&accepted)));
        let open: Vec<Exposed> = still
            .filter(|(_, assets)| !assets.is_empty())
            .map(|((ecosystem, source, fixed, state), assets)| Exposed {
                ecosystem,
                source,
                fixed,
                state,
                assets,
            })
            .collect();
        for exposed in &open {
            suppressed.subtract(&exposed.assets);
        }
        suppressed.subtract(&accepted);
        let answers = |state: &crate::DirectiveState| {
            state.directive.closes.contains(id) || state.directive.claims.contains(id)
        };
        let mut directives: Vec<DirectiveId> =
            self.open_directives().filter(|(_, state)| answers(state)).map(|(id, _)| id).collect();
        directives.sort_unstable();
        let covered = self.systems.iter().filter(|(system, _)| self.ecosystems.contains_key(*system));
        let covered: u64 = covered.map(|(_, count)| count).sum();
        Exposure {
            advisories: known.iter().map(|known| known.advisory.id.clone()).collect(),
            known: known.iter().map(|known| known.known).min(),
            open,
            suppressed,
            accepted,
            directives,
            covered,
            not_covered: (self.asset_count() as u64).saturating_sub(covered),
        }
    }

    /// How many of these assets each group has.
    pub fn count_by_group(&self, assets: &AssetSet) -> BTreeMap<GroupName, u64> {
        self.assets.by_group(assets).into_iter().map(|(group, here)| (group.clone(), here.len())).collect()
    }
}

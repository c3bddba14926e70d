//! What must be done in a stance, and whether it still must.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{Offer, OfferState, PackageTarget, SourcePackage, Timestamp, VulnerabilityId, Want};
use tenon_versions::compare;

use crate::findings::{Assessment, FindingState, PackageIndex, judge};
use crate::index::WantsOf;
use crate::kernel::can_lag;
use crate::matching::name;
use crate::stance::Stance;
use crate::world::World;

#[derive(Default)]
struct Need {
    targets: Vec<PackageTarget>,
    closes: BTreeSet<VulnerabilityId>,
    claims: BTreeSet<VulnerabilityId>,
    advisories: BTreeSet<VulnerabilityId>,
    security: bool,
}

/// What matching finds in a stance. When a finding opened differs from host to host, and makes no difference here.
pub(crate) fn assess(world: &World, stance: &Stance) -> Assessment {
    let mut assessment = Assessment::default();
    judge(world, stance, PackageIndex::Fresh, &|_| Timestamp::from_millis(0), &mut assessment);
    assessment.settle();
    assessment
}

/// What must be done in a stance of which this is found, by the source version that is offered there.
pub(crate) fn wants_of(stance: &Stance, assessment: &Assessment) -> WantsOf {
    let mut needs: BTreeMap<&SourcePackage, Need> = BTreeMap::new();
    for offer in stance.offers.iter().filter(|offer| offer.state == OfferState::Offered) {
        let need = needs.entry(&offer.source).or_default();
        need.targets.push(target_of(offer));
        need.security |= offer.security;
        need.claims.extend(offer.claims.iter().cloned());
    }
    // What the report itself shows as done is not wanted, whatever is offered besides.
    needs.retain(|source, _| still_needed(stance, source));
    if needs.is_empty() {
        return WantsOf::default();
    }
    for finding in &assessment.findings {
        let FindingState::FixOffered { candidate } = &finding.state else { continue };
        let source = SourcePackage { name: stance.package.clone(), version: candidate.clone() };
        if let Some(need) = needs.get_mut(&source) {
            need.closes.insert(finding.vulnerability.clone());
            need.advisories.insert(finding.advisory.clone());
        }
    }
    needs.retain(|_, need| need.security || !need.closes.is_empty());
    let wanted = needs.into_iter().map(|(source, mut need)| {
        need.targets.sort_unstable();
        need.claims.retain(|claim| !need.closes.contains(claim));
        if need.closes.is_empty()
            && let Ok(vendor) = VulnerabilityId::vendor_update(&source.name, &source.version)
        {
            need.closes.insert(vendor);
        }
        let want = Want {
            targets: Arc::new(need.targets),
            closes: need.closes.into_iter().collect(),
            claims: need.claims.into_iter().collect(),
            advisories: need.advisories.into_iter().collect(),
        };
        (source.clone(), Arc::new(want))
    });
    wanted.collect()
}

/// An offer as what an order asks for.
pub(super) fn target_of(offer: &Offer) -> PackageTarget {
    PackageTarget {
        package: offer.package.clone(),
        architecture: offer.architecture.clone(),
        from: offer.installed.clone(),
        to: offer.candidate.clone(),
    }
}

/// Whether a stance still shows a binary of the source below the version to reach, or a process that runs code from before
/// it: the fix is on the disk and not in force. Old kernel images stay installed after the fix: of those, only the running one
/// counts.
pub(super) fn still_needed(stance: &Stance, source: &SourcePackage) -> bool {
    stance.runs_replaced || lagging(stance, source)
}

fn lagging(stance: &Stance, source: &SourcePackage) -> bool {
    stance.components.iter().any(|component| {
        let Some(named) = name(stance.ecosystem.as_deref(), component) else { return false };
        let of_system = component.ecosystem.is_none();
        let version = if of_system { component.source.version.as_str() } else { named.version };
        can_lag(named.scheme, stance, component)
            // A version that cannot be compared is no evidence of the fix.
            && !matches!(
                compare(named.scheme, version, &source.version),
                Ok(Ordering::Equal | Ordering::Greater)
            )
    })
}

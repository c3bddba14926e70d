//! What one asset needs, and whether it still does.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{
    HostFacts, Manifest, Offer, OfferState, PackageTarget, SourcePackage, VulnerabilityId, Want,
};
use tenon_versions::compare;

use crate::findings::{FindingState, findings_among};
use crate::kernel::can_lag;
use crate::matching::{Among, name};
use crate::world::{AssetState, World};

#[derive(Default)]
struct Need {
    targets: Vec<PackageTarget>,
    closes: BTreeSet<VulnerabilityId>,
    claims: BTreeSet<VulnerabilityId>,
    advisories: BTreeSet<VulnerabilityId>,
    security: bool,
}

/// What an asset needs of these packages, by the source version its own repositories offer.
pub(super) fn needs(world: &World, asset: &AssetState, among: Among<'_>) -> BTreeMap<SourcePackage, Want> {
    let mut needs: BTreeMap<SourcePackage, Need> = BTreeMap::new();
    let Some(facts) = &asset.facts else { return BTreeMap::new() };
    let offered = facts.offers.iter().filter(|offer| {
        offer.state == OfferState::Offered && among.is_none_or(|among| among.contains(&offer.source.name))
    });
    for offer in offered {
        let need = needs.entry(offer.source.clone()).or_default();
        need.targets.push(target_of(offer));
        need.security |= offer.security;
        need.claims.extend(offer.claims.iter().cloned());
    }
    if needs.is_empty() {
        return BTreeMap::new();
    }
    // No other package's findings can be answered by what is offered.
    let offered: BTreeSet<String> = needs.keys().map(|source| source.name.clone()).collect();
    for finding in findings_among(world, asset, Some(&offered)).findings {
        let FindingState::FixOffered { candidate } = finding.state else { continue };
        let source = SourcePackage { name: finding.source.name, version: candidate };
        if let Some(need) = needs.get_mut(&source) {
            need.closes.insert(finding.vulnerability);
            need.advisories.insert(finding.advisory);
        }
    }
    // What the report itself shows as done is not wanted, whatever is offered besides.
    needs.retain(|source, need| {
        (need.security || !need.closes.is_empty()) && still_needed(world, asset, source)
    });
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
        (source, want)
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

/// Whether the last report still shows a binary of the source below the version to reach, or a process that runs code from
/// before it. Old kernel images stay installed after the fix: of those, only the running one counts.
pub(super) fn still_needed(world: &World, asset: &AssetState, source: &SourcePackage) -> bool {
    let (Some(facts), Some(manifest)) = (&asset.facts, world.manifest_of(asset)) else {
        return true;
    };
    lagging(facts, manifest, source) || runs_replaced(facts, manifest, source)
}

/// Whether a process still runs files that a package of this source has replaced: the fix is on the disk and not in
/// force.
fn runs_replaced(facts: &HostFacts, manifest: &Manifest, source: &SourcePackage) -> bool {
    facts.stale.iter().filter_map(|process| process.package.as_ref()).any(|package| {
        manifest
            .components()
            .iter()
            .any(|component| component.name == *package && component.source.name == source.name)
    })
}

fn lagging(facts: &HostFacts, manifest: &Manifest, source: &SourcePackage) -> bool {
    let os = facts.os.osv_ecosystem();
    manifest.components().iter().any(|component| {
        let Some(named) = name(os.as_deref(), component) else { return false };
        named.package == source.name
            && can_lag(named.scheme, facts, component)
            // A version that cannot be compared is no evidence of the fix.
            && !matches!(
                compare(named.scheme, named.version, &source.version),
                Ok(Ordering::Equal | Ordering::Greater)
            )
    })
}

//! Findings: the join of what is installed and what is published. Computed, never stored.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tenon_model::{
    Affected, AffectedRange, Component, HostFacts, Manifest, OfferState, SourcePackage, Timestamp,
    Virtualization, VulnerabilityId,
};
use tenon_versions::{VersionError, dpkg};

use crate::world::{AssetState, PackageKey, World};

/// Where a finding stands on its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum FindingState {
    /// The host's own repositories offer a fixed version.
    FixOffered {
        /// Candidate source version.
        candidate: String,
    },
    /// A fixed version is offered and held or pinned away.
    FixHeld {
        /// Candidate source version.
        candidate: String,
    },
    /// The advisory names a fix that this host's repositories do not offer: an outdated index, a lagging mirror, pins.
    FixNotOffered,
    /// No fix is published.
    NoFix,
    /// A kernel image that is installed but not the one that runs.
    NotRunning,
    /// A fixed kernel is installed; the running one is still vulnerable.
    RebootPending,
}

/// One vulnerability on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// The advisory that says so.
    pub advisory: VulnerabilityId,
    /// The installed source package it is in.
    pub source: SourcePackage,
    /// The version that fixes it, when one is published.
    pub fixed: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: FindingState,
    /// Since when component and advisory coexist, as far as Tenon knows.
    pub opened: Timestamp,
}

/// What matching found on one asset, and what it could not judge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Assessment {
    /// Open findings, by vulnerability.
    pub findings: Vec<Finding>,
    /// What is not assessed and why. Never read it as "not vulnerable".
    pub not_assessed: Vec<String>,
}

/// Why an asset as a whole is not assessed; `None` when it is.
pub fn not_assessed(world: &World, asset: &AssetState) -> Option<String> {
    let Some(facts) = &asset.facts else { return Some("no inventory yet".to_owned()) };
    let Some(ecosystem) = facts.os.osv_ecosystem() else {
        return Some(format!("no advisories are read for {} {}", facts.os.id, facts.os.version_id));
    };
    let known = world.advisories_of.iter().any(|(key, _)| key.ecosystem == ecosystem);
    (!known).then(|| format!("no advisories for {ecosystem} have been loaded"))
}

/// Everything open on one asset.
pub fn findings(world: &World, asset: &AssetState) -> Assessment {
    let (Some(facts), Some(manifest)) =
        (&asset.facts, asset.manifest.and_then(|digest| world.manifest(&digest)))
    else {
        return Assessment { not_assessed: vec!["no inventory yet".to_owned()], ..Assessment::default() };
    };
    let mut assessment = Assessment::default();
    if let Some(reason) = not_assessed(world, asset) {
        assessment.not_assessed.push(reason);
    }
    let Some(ecosystem) = facts.os.osv_ecosystem() else { return assessment };
    for (source, binaries) in by_source(manifest) {
        let key = PackageKey { ecosystem: ecosystem.clone(), package: source.name.clone() };
        for id in world.advisories_of.get(&key).into_iter().flatten() {
            let Some(known) = world.advisories.get(id) else { continue };
            for affected in known
                .advisory
                .affected
                .iter()
                .filter(|a| a.ecosystem == ecosystem && a.package == source.name)
            {
                let hit = match hit(affected, &source.version) {
                    Ok(Some(hit)) => hit,
                    Ok(None) => continue,
                    Err(error) => {
                        assessment
                            .not_assessed
                            .push(format!("{} {} against {id}: {error}", source.name, source.version));
                        continue;
                    }
                };
                let Some(state) =
                    state_of(facts, manifest, source, &binaries, affected, hit.fixed.as_deref())
                else {
                    continue;
                };
                let since = asset.installed_since.get(source).copied().unwrap_or(asset.enrolled);
                for vulnerability in known.advisory.vulnerabilities() {
                    assessment.findings.push(Finding {
                        vulnerability: vulnerability.clone(),
                        advisory: id.clone(),
                        source: source.clone(),
                        fixed: hit.fixed.clone(),
                        state: state.clone(),
                        opened: since.max(known.known),
                    });
                }
            }
        }
    }
    assessment.findings.sort_by(|a, b| {
        (&a.vulnerability, &a.source, &a.advisory).cmp(&(&b.vulnerability, &b.source, &b.advisory))
    });
    assessment.findings.dedup_by(|a, b| a.vulnerability == b.vulnerability && a.source == b.source);
    assessment
}

/// Distinct source packages with the binaries that were built from them.
fn by_source(manifest: &Manifest) -> BTreeMap<&SourcePackage, Vec<&Component>> {
    let mut sources: BTreeMap<&SourcePackage, Vec<&Component>> = BTreeMap::new();
    for component in manifest.components() {
        sources.entry(&component.source).or_default().push(component);
    }
    sources
}

struct Hit {
    fixed: Option<String>,
}

/// Whether a version is affected (OSV schema, "Evaluation"): listed, or inside a range.
fn hit(affected: &Affected, version: &str) -> Result<Option<Hit>, VersionError> {
    for range in &affected.ranges {
        if in_range(range, version)? {
            return Ok(Some(Hit { fixed: range.fixed.clone() }));
        }
    }
    Ok(affected.versions.iter().any(|listed| listed == version).then_some(Hit { fixed: None }))
}

fn in_range(range: &AffectedRange, version: &str) -> Result<bool, VersionError> {
    if let Some(introduced) = &range.introduced
        && dpkg::compare(version, introduced)? == Ordering::Less
    {
        return Ok(false);
    }
    if let Some(fixed) = &range.fixed {
        return Ok(dpkg::compare(version, fixed)? == Ordering::Less);
    }
    if let Some(last) = &range.last_affected {
        return Ok(dpkg::compare(version, last)? != Ordering::Greater);
    }
    Ok(true)
}

/// Whether a version is affected by what an advisory says, for callers that only need the verdict.
pub(crate) fn is_affected(affected: &Affected, version: &str) -> Result<bool, VersionError> {
    Ok(hit(affected, version)?.is_some())
}

/// The state of a hit, or `None` where it is no finding: kernel headers and tools, a container's kernel.
fn state_of(
    facts: &HostFacts,
    manifest: &Manifest,
    source: &SourcePackage,
    binaries: &[&Component],
    affected: &Affected,
    fixed: Option<&str>,
) -> Option<FindingState> {
    if source.name == "linux" {
        match kernel_state(facts, manifest, binaries, affected) {
            KernelState::NoFinding => return None,
            KernelState::State(state) => return Some(state),
            KernelState::Running => {}
        }
    }
    let offers = facts.offers.iter().filter(|offer| {
        offer.source.name == source.name && is_affected(affected, &offer.source.version) == Ok(false)
    });
    let mut held = None;
    for offer in offers {
        let candidate = offer.source.version.clone();
        if offer.state == OfferState::Offered {
            return Some(FindingState::FixOffered { candidate });
        }
        held = Some(FindingState::FixHeld { candidate });
    }
    Some(held.unwrap_or(if fixed.is_some() { FindingState::FixNotOffered } else { FindingState::NoFix }))
}

enum KernelState {
    NoFinding,
    State(FindingState),
    /// The running image is vulnerable: the ordinary states apply.
    Running,
}

/// A kernel image package: `linux-image-6.1.0-44-amd64`. Headers, kbuild and tools carry no running kernel code, and
/// the meta package `linux-image-amd64` carries none at all.
pub(crate) fn image_release(name: &str) -> Option<&str> {
    let release = name.strip_prefix("linux-image-")?;
    let release = release.strip_suffix("-unsigned").unwrap_or(release);
    release.starts_with(|c: char| c.is_ascii_digit()).then_some(release)
}

fn kernel_state(
    facts: &HostFacts,
    manifest: &Manifest,
    binaries: &[&Component],
    affected: &Affected,
) -> KernelState {
    if facts.kernel.owner == Virtualization::Container {
        return KernelState::NoFinding;
    }
    let images: BTreeSet<&str> = binaries.iter().filter_map(|binary| image_release(&binary.name)).collect();
    if images.is_empty() {
        return KernelState::NoFinding;
    }
    if !images.contains(facts.kernel.running.as_str()) {
        return KernelState::State(FindingState::NotRunning);
    }
    let fixed_installed = manifest.components().iter().any(|other| {
        other.source.name == "linux"
            && image_release(&other.name).is_some()
            && is_affected(affected, &other.source.version) == Ok(false)
    });
    if fixed_installed { KernelState::State(FindingState::RebootPending) } else { KernelState::Running }
}

//! Findings: the join of what is installed and what is published. Computed, never stored.

use std::collections::BTreeMap;

use serde::Serialize;
use tenon_model::{
    Affected, Component, ExceptionId, Offer, OfferState, SourcePackage, Timestamp, VexStatement, VexSubject,
    VulnerabilityId,
};
use tenon_versions::Scheme;

use crate::assets::AssetState;
use crate::kernel::{KernelState, is_kernel, kernel_state};
use crate::matching::{Hit, Named, hit, is_safe, speaks_of};
use crate::stance::Stance;
use crate::world::{PackageKey, World};

/// Age of a host's package index beyond which its silence says nothing, in seconds: two days.
pub(crate) const MAX_INDEX_AGE_SECONDS: u64 = 2 * 86_400;

/// Where a finding stands on its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum FindingState {
    /// The host's own repositories offer a fixed version.
    FixOffered {
        /// Candidate source version.
        candidate: String,
    },
    /// A fixed version is offered and kept back by a hold.
    FixHeld {
        /// Candidate source version.
        candidate: String,
    },
    /// A fixed version is offered in phases, and this host's turn has not come.
    FixPhased {
        /// Candidate source version.
        candidate: String,
    },
    /// A fixed version is offered and kept back by pins or dependencies.
    FixKeptBack {
        /// Candidate source version.
        candidate: String,
    },
    /// The advisory names a fix; what this host's repositories offer is not known.
    FixPublished {
        /// First fixed version, as the advisory writes it.
        version: String,
    },
    /// The advisory names a fix; this host's package index is missing or too old to say whether its repositories offer it.
    IndexStale,
    /// The advisory names a fix that this host's repositories do not offer: a mirror that lags, a suite that is not
    /// enabled, a pin.
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
    /// OSV ecosystem with release.
    pub ecosystem: String,
    /// What is installed, in the form that advisories name it: on Debian the source package.
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
    /// Findings that a supplier's statement takes off the list, each with the statement.
    pub suppressed: Vec<(Finding, VexStatement)>,
    /// Findings whose risk somebody accepts on the asset, each with the exception.
    pub accepted: Vec<(Finding, ExceptionId)>,
    /// What is not assessed and why. Never read it as "not vulnerable".
    pub not_assessed: Vec<String>,
}

/// Why an asset as a whole is not assessed; `None` when it is.
pub fn not_assessed(world: &World, asset: &AssetState) -> Option<String> {
    let Some(profile) = asset.profile() else { return Some("no inventory yet".to_owned()) };
    let Some(ecosystem) = profile.os.osv_ecosystem() else {
        // A bill of materials of an application has no system and needs none.
        let entries = world.index.entries_of(asset.stances());
        let mut packages = entries.flat_map(|entry| &entry.stance.components);
        if packages.all(|component| component.ecosystem.is_some()) {
            return None;
        }
        let release = format!("{} {}", profile.os.id, profile.os.version_id);
        return Some(match release.trim() {
            "" => "the release of the operating system is not known".to_owned(),
            release => format!("no advisories are read for {release}"),
        });
    };
    (!world.ecosystems.contains_key(&ecosystem)).then(|| not_loaded(&ecosystem))
}

/// What is said of an asset whose release no advisory of the World speaks of.
pub fn not_loaded(ecosystem: &str) -> String {
    format!("no advisories for {ecosystem} have been loaded")
}

/// Everything open on one asset.
pub fn findings(world: &World, asset: &AssetState) -> Assessment {
    if asset.stances.is_none() {
        return Assessment { not_assessed: vec!["no inventory yet".to_owned()], ..Assessment::default() };
    }
    let mut assessment = Assessment::default();
    assessment.not_assessed.extend(not_assessed(world, asset));
    assessment.not_assessed.extend(nameless(world, asset));
    let index = match asset.index_age.is_none_or(|age| age > MAX_INDEX_AGE_SECONDS) {
        true => PackageIndex::Stale,
        false => PackageIndex::Fresh,
    };
    for entry in world.index.entries_of(asset.stances()) {
        judge(world, &entry.stance, index, &|pair| asset.installed_since(pair), &mut assessment);
    }
    assessment.settle();
    if let Some(ordinal) = world.ordinal(&asset.id).filter(|ordinal| world.exceptions.touches(*ordinal)) {
        for finding in std::mem::take(&mut assessment.findings) {
            match world.exceptions.covering(&finding.vulnerability, ordinal) {
                Some(exception) => assessment.accepted.push((finding, exception)),
                None => assessment.findings.push(finding),
            }
        }
    }
    assessment
}

/// How many findings are open on one asset, and what of it is not assessed: as [`findings`] tells, and at no cost where nothing is
/// accepted on it.
pub fn tally(world: &World, asset: &AssetState) -> (u64, Vec<String>) {
    if asset.stances.is_none() {
        return (0, vec!["no inventory yet".to_owned()]);
    }
    if world.ordinal(&asset.id).is_some_and(|ordinal| world.exceptions.touches(ordinal)) {
        let found = findings(world, asset);
        return (found.findings.len() as u64, found.not_assessed);
    }
    let mut lines: Vec<String> =
        not_assessed(world, asset).into_iter().chain(nameless(world, asset)).collect();
    let mut open = 0;
    for entry in world.index.entries_of(asset.stances()) {
        open += entry.tally.open;
        lines.extend(entry.tally.not_assessed.iter().cloned());
    }
    (open, lines)
}

/// How much a host's package index says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageIndex {
    /// It is young enough.
    Fresh,
    /// It is missing or too old.
    Stale,
}

/// What matching finds in one stance, and which versions it could not judge. `since` tells when a version came.
pub(crate) fn judge(
    world: &World,
    stance: &Stance,
    index: PackageIndex,
    since: &dyn Fn(&SourcePackage) -> Timestamp,
    assessment: &mut Assessment,
) {
    for (named, binaries) in &stance.named() {
        let key = PackageKey { ecosystem: named.ecosystem.to_owned(), package: named.package.to_owned() };
        for id in world.advisories_of.get(&key).into_iter().flatten() {
            let Some(known) = world.advisories.get(id) else { continue };
            for affected in known.advisory.affected.iter().filter(|affected| speaks_of(affected, named)) {
                let hit = match hit(affected, named.scheme, named.version) {
                    Ok(Some(hit)) => hit,
                    Ok(None) => continue,
                    Err(error) => {
                        let line = format!("{} {} against {id}: {error}", named.package, named.version);
                        assessment.not_assessed.push(line);
                        continue;
                    }
                };
                let Some(state) = state_of(stance, index, named, binaries, affected, &hit) else {
                    continue;
                };
                let source = named.pair();
                let since = since(&source);
                for vulnerability in known.advisory.vulnerabilities() {
                    let finding = Finding {
                        vulnerability: vulnerability.clone(),
                        advisory: id.clone(),
                        ecosystem: named.ecosystem.to_owned(),
                        source: source.clone(),
                        fixed: hit.fixed.clone(),
                        state: state.clone(),
                        opened: since.max(known.known),
                    };
                    match suppressing(world, vulnerability, named, binaries) {
                        Some(vex) => assessment.suppressed.push((finding, vex.clone())),
                        None => assessment.findings.push(finding),
                    }
                }
            }
        }
    }
}

impl Finding {
    /// Whether both tell of one vulnerability in one installed version.
    fn is_about_the_same_as(&self, other: &Self) -> bool {
        (&self.vulnerability, &self.source, &self.ecosystem)
            == (&other.vulnerability, &other.source, &other.ecosystem)
    }
}

impl Assessment {
    /// Of several advisories about one vulnerability the one that leads furthest speaks.
    pub(crate) fn settle(&mut self) {
        self.findings.sort_by(|a, b| {
            (&a.vulnerability, &a.source, &a.ecosystem, &a.state, &a.advisory).cmp(&(
                &b.vulnerability,
                &b.source,
                &b.ecosystem,
                &b.state,
                &b.advisory,
            ))
        });
        self.findings.dedup_by(|a, b| a.is_about_the_same_as(b));
        self.suppressed.sort_by(|(a, _), (b, _)| {
            (&a.vulnerability, &a.source, &a.ecosystem, &a.state).cmp(&(
                &b.vulnerability,
                &b.source,
                &b.ecosystem,
                &b.state,
            ))
        });
        self.suppressed.dedup_by(|(a, _), (b, _)| a.is_about_the_same_as(b));
    }
}

/// The statement that takes a finding off the list: one about the source package, or one about each binary package that
/// was built from it and is installed. Of several the first is shown.
fn suppressing<'w>(
    world: &'w World,
    id: &'w VulnerabilityId,
    named: &Named<'_>,
    binaries: &[&Component],
) -> Option<&'w VexStatement> {
    let family = named.ecosystem.split(':').next().unwrap_or(named.ecosystem);
    let speaks = |vex: &VexStatement, subject: VexSubject, name: &str, version: &str| {
        vex.subject == subject
            && vex.ecosystem == family
            && (vex.package == name || (family == "Go" && vex.package.eq_ignore_ascii_case(name)))
            && vex.version.as_deref().is_none_or(|stated| stated == version)
            && vex.release.as_deref().is_none_or(|release| release == named.ecosystem)
    };
    let of_source = |vex: &&VexStatement| speaks(vex, VexSubject::Source, named.package, named.version);
    if let Some(vex) = world.vex_of(id).find(of_source) {
        return Some(vex);
    }
    let of_binary = |binary: &&Component| {
        world.vex_of(id).find(|vex| {
            let built = vex.architecture.as_ref().is_none_or(|stated| *stated == binary.architecture);
            built && speaks(vex, VexSubject::Binary, &binary.name, &binary.version)
        })
    };
    let each: Option<Vec<&VexStatement>> = binaries.iter().map(of_binary).collect();
    each?.into_iter().next()
}

/// Ecosystems of components that cannot be matched, one line each.
fn nameless(world: &World, asset: &AssetState) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in world.index.entries_of(asset.stances()) {
        // Without an ecosystem the whole system is not assessed, which is said already.
        if let Some(ecosystem) = entry.stance.ecosystem.as_deref()
            && Scheme::of_osv_ecosystem(ecosystem).is_none()
        {
            *counts.entry(ecosystem).or_default() += entry.stance.components.len();
        }
    }
    let line = |(ecosystem, count)| {
        format!("{count} packages of {ecosystem}: the order of its versions is not known here")
    };
    counts.into_iter().filter(|(_, count)| *count > 0).map(line).collect()
}

/// The version, in the form that ranges speak of, to which an offer leads what is named so; `None` where it is an offer for
/// something else of the same source.
fn offered<'o>(named: &Named<'_>, offer: &'o Offer) -> Option<&'o str> {
    match named.scheme {
        Scheme::Rpm => (offer.package == named.package).then_some(&offer.candidate),
        _ => Some(&offer.source.version),
    }
}

/// The state of a hit, or `None` where it is no finding: kernel headers and tools, a container's kernel.
fn state_of(
    stance: &Stance,
    index: PackageIndex,
    named: &Named<'_>,
    binaries: &[&Component],
    affected: &Affected,
    hit: &Hit,
) -> Option<FindingState> {
    if binaries.iter().any(|binary| is_kernel(named.scheme, binary)) {
        match kernel_state(stance, named, binaries, affected) {
            KernelState::NoFinding => return None,
            KernelState::State(state) => return Some(state),
            KernelState::Running => {}
        }
    }
    let offers = stance.offers.iter().filter(|offer| {
        offered(named, offer).is_some_and(|version| is_safe(affected, named.scheme, version))
    });
    let mut back = None;
    for offer in offers {
        let candidate = offer.source.version.clone();
        back = Some(match offer.state {
            OfferState::Offered => return Some(FindingState::FixOffered { candidate }),
            OfferState::Held => FindingState::FixHeld { candidate },
            OfferState::Phased => FindingState::FixPhased { candidate },
            OfferState::KeptBack => FindingState::FixKeptBack { candidate },
        });
    }
    Some(back.unwrap_or(match (&hit.fixed, index) {
        (None, _) => FindingState::NoFix,
        (Some(fixed), _) if !stance.offers_known => FindingState::FixPublished { version: fixed.clone() },
        (Some(_), PackageIndex::Stale) => FindingState::IndexStale,
        (Some(_), PackageIndex::Fresh) => FindingState::FixNotOffered,
    }))
}

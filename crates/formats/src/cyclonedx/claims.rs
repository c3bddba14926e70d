//! What a bill of materials says does not matter in its own components, in the words of the model.

use std::collections::BTreeMap;

use tenon_model::{Timestamp, VexStatement, VexSubject, VulnerabilityId};

use super::{AffectedStatus, AffectedVersions, AnalysisState, Bom, BomComponent, VersionsOf};
use crate::vers::Vers;

impl Bom {
    /// The analyses that take a finding off the list: not affected, found by mistake, remediated. They speak of components
    /// as listed, in the version listed, and not of those whose version the entry calls affected; `author` is who answers
    /// for the document.
    pub fn claims(&self, author: &str) -> Vec<VexStatement> {
        let components = self.describes.iter().chain(&self.components);
        let by_reference: BTreeMap<&str, &BomComponent> =
            components.filter_map(|component| Some((component.reference.as_deref()?, component))).collect();
        let mut claims = Vec::new();
        for entry in &self.vulnerabilities {
            let Some(analysis) = &entry.analysis else { continue };
            let state = match analysis.state {
                Some(AnalysisState::NotAffected) => "not affected",
                Some(AnalysisState::FalsePositive) => "found by mistake",
                Some(AnalysisState::Resolved | AnalysisState::ResolvedWithPedigree) => "remediated",
                _ => continue,
            };
            let Some(Ok(id)) = entry.id.as_deref().map(str::parse::<VulnerabilityId>) else { continue };
            let detail = analysis.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            for affects in &entry.affects {
                let Some(component) = by_reference.get(affects.reference.as_str()) else { continue };
                let Some(purl) = &component.purl else { continue };
                let Some((ecosystem, package)) = purl.osv_package() else { continue };
                let Some(version) = purl.osv_version(component.version.as_deref()) else { continue };
                let listed = component.version.as_deref().unwrap_or(&version);
                if affects.versions.iter().any(|entry| may_affect(entry, listed)) {
                    continue;
                }
                claims.push(VexStatement {
                    vulnerability: id.clone(),
                    ecosystem: ecosystem.to_owned(),
                    package,
                    subject: VexSubject::Binary,
                    release: None,
                    architecture: purl.qualifiers().get("arch").cloned(),
                    version: Some(version),
                    reason: format!("{state}{detail}"),
                    author: author.to_owned(),
                    made: entry.updated.or(self.created).unwrap_or(Timestamp::from_millis(0)),
                });
            }
        }
        claims
    }
}

/// Whether an entry says that a version is affected, or may say so: a range that cannot be read may.
fn may_affect(entry: &AffectedVersions, version: &str) -> bool {
    entry.status != AffectedStatus::Unaffected
        && match &entry.versions {
            VersionsOf::Version(stated) => stated == version,
            VersionsOf::Range(range) => {
                Vers::parse(range).ok().and_then(|range| range.contains(version).ok()).unwrap_or(true)
            }
        }
}

//! What a bill of materials says does not matter in its own components, in the words of the model.

use std::collections::BTreeMap;

use tenon_model::{Timestamp, VexStatement, VulnerabilityId};

use super::{AnalysisState, Bom, BomComponent};

impl Bom {
    /// The analyses that take a finding off the list: not affected, found by mistake, remediated. They speak of the
    /// components as listed, in their versions; `author` is who answers for the document.
    pub fn claims(&self, author: &str) -> Vec<VexStatement> {
        let by_reference: BTreeMap<&str, &BomComponent> = self
            .components
            .iter()
            .filter_map(|component| Some((component.reference.as_deref()?, component)))
            .collect();
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
                let component = by_reference.get(affects.reference.as_str());
                let purl = component.and_then(|component| component.purl.as_ref());
                let Some((purl, (ecosystem, package))) =
                    purl.and_then(|purl| Some((purl, purl.osv_package()?)))
                else {
                    continue;
                };
                claims.push(VexStatement {
                    vulnerability: id.clone(),
                    ecosystem: ecosystem.to_owned(),
                    package,
                    version: purl.version().map(str::to_owned),
                    reason: format!("{state}{detail}"),
                    author: author.to_owned(),
                    made: entry.updated.or(self.created).unwrap_or(Timestamp::from_millis(0)),
                });
            }
        }
        claims
    }
}

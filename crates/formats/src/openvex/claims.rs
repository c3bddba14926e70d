//! What a document takes off the list, in the words of the model.

use std::collections::BTreeMap;

use tenon_model::{Timestamp, VexStatement, VulnerabilityId};

use super::{Justification, OpenVex, Statement, Status};

/// What a statement is about: vulnerability, ecosystem, package, version.
type Subject = (VulnerabilityId, String, String, Option<String>);

/// What a document takes off the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// One for each vulnerability and package.
    pub statements: Vec<VexStatement>,
    /// How many products were left out because the document speaks of a part of them (a library in an image), which
    /// holds inside that product only, or because no ecosystem is known for them.
    pub left_out: u64,
}

impl Justification {
    /// In words.
    fn words(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "the component is not there",
            Self::VulnerableCodeNotPresent => "the vulnerable code is not there",
            Self::VulnerableCodeNotInExecutePath => "the vulnerable code never runs",
            Self::VulnerableCodeCannotBeControlledByAdversary => "no attacker can steer the vulnerable code",
            Self::InlineMitigationsAlreadyExist => "what prevents the exploit is built in",
        }
    }
}

impl OpenVex {
    /// What the document says does not matter. Of two statements on one subject the later holds, so that one that was
    /// taken back says nothing.
    pub fn claims(&self) -> Claims {
        let mut latest: BTreeMap<Subject, (Timestamp, Option<VexStatement>)> = BTreeMap::new();
        let mut left_out = 0;
        for statement in &self.statements {
            let aliases = statement.aliases.iter().filter_map(|alias| alias.parse().ok());
            let ids: Vec<VulnerabilityId> =
                std::iter::once(statement.vulnerability.clone()).chain(aliases).collect();
            for product in &statement.products {
                let whole = product.subcomponents.is_empty();
                let purl = product.component.purl.as_ref().filter(|_| whole);
                let Some((purl, (ecosystem, package))) =
                    purl.and_then(|purl| Some((purl, purl.osv_package()?)))
                else {
                    left_out += 1;
                    continue;
                };
                let version = purl.version().map(str::to_owned);
                for id in &ids {
                    let claim = reason(statement).map(|reason| VexStatement {
                        vulnerability: id.clone(),
                        ecosystem: ecosystem.to_owned(),
                        package: package.clone(),
                        version: version.clone(),
                        reason,
                        author: self.author.clone(),
                        made: statement.made,
                    });
                    let subject = (id.clone(), ecosystem.to_owned(), package.clone(), version.clone());
                    if latest.get(&subject).is_none_or(|(made, _)| *made <= statement.made) {
                        latest.insert(subject, (statement.made, claim));
                    }
                }
            }
        }
        Claims { statements: latest.into_values().filter_map(|(_, claim)| claim).collect(), left_out }
    }
}

/// Why the vulnerability does not matter, in words; `None` where the statement does not say so.
fn reason(statement: &Statement) -> Option<String> {
    let mut reason = match statement.status {
        Status::NotAffected => "not affected".to_owned(),
        Status::Fixed => "fixed".to_owned(),
        Status::Affected | Status::UnderInvestigation => return None,
    };
    if let Some(justification) = statement.justification {
        reason.push_str(&format!(": {}", justification.words()));
    }
    if let Some(impact) = &statement.impact {
        reason.push_str(&format!(" ({impact})"));
    }
    Some(reason)
}

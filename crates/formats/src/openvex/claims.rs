//! What a document takes off the list, in the words of the model.

use std::collections::HashMap;

use tenon_model::{Timestamp, VexStatement, VexSubject, VulnerabilityId};

use super::{Justification, OpenVex, Statement, Status};
use crate::cyclonedx::release;
use crate::purl::Purl;

/// What a document takes off the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Sorted.
    pub statements: Vec<VexStatement>,
    /// How many products were left out: those of which the document speaks of a part (a library in an image), which holds
    /// inside that product only; those without a known ecosystem, or narrowed in a way that is not read here; fixes without
    /// a version.
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

/// Qualifiers of a package-url that are read; any other narrows what is meant in a way that would be lost.
const QUALIFIERS: [&str; 4] = ["arch", "distro", "epoch", "upstream"];

/// What a product is, where all of what is said of it can be kept.
#[derive(Clone)]
struct Subject {
    ecosystem: &'static str,
    package: String,
    subject: VexSubject,
    release: Option<String>,
    architecture: Option<String>,
    version: Option<String>,
}

fn subject(purl: &Purl) -> Option<Subject> {
    let (ecosystem, package) = purl.osv_package()?;
    if purl.subpath().is_some() || purl.qualifiers().keys().any(|key| !QUALIFIERS.contains(&key.as_str())) {
        return None;
    }
    let release = match purl.qualifiers().get("distro") {
        None => None,
        // `debian-12`; a code name says nothing here.
        Some(distro) => {
            let (id, version) = distro.rsplit_once('-')?;
            let release = release(id, version).osv_ecosystem()?;
            (release.split(':').next() == Some(ecosystem)).then_some(Some(release))?
        }
    };
    let arch = purl.qualifiers().get("arch");
    let is_source = purl.is_of_distribution() && arch.is_some_and(|arch| arch == "source" || arch == "src");
    Some(Subject {
        ecosystem,
        package,
        subject: if is_source { VexSubject::Source } else { VexSubject::Binary },
        release,
        architecture: arch.filter(|_| !is_source).cloned(),
        version: purl.osv_version(None),
    })
}

impl OpenVex {
    /// What the document says does not matter. A later statement that a package is affected, be it in one version, takes
    /// back what was said of it before.
    pub fn claims(&self) -> Claims {
        let mut claims: Vec<VexStatement> = Vec::new();
        let mut affected: HashMap<VulnerabilityId, Vec<(Subject, Timestamp)>> = HashMap::new();
        let mut left_out = 0;
        for statement in &self.statements {
            let aliases = statement.aliases.iter().filter_map(|alias| alias.parse().ok());
            let ids: Vec<VulnerabilityId> =
                std::iter::once(statement.vulnerability.clone()).chain(aliases).collect();
            let reason = reason(statement);
            for product in &statement.products {
                let purl = product.component.purl.as_ref();
                let whole = purl.filter(|_| product.subcomponents.is_empty());
                let subject = match (&reason, purl, whole.and_then(subject)) {
                    // Wider than what is said, so that nothing that is affected is taken off the list.
                    (None, Some(purl), None) => widest(purl),
                    (Some(_), _, Some(subject))
                        if statement.status == Status::Fixed && subject.version.is_none() =>
                    {
                        None
                    }
                    (_, _, subject) => subject,
                };
                let Some(subject) = subject else {
                    left_out += u64::from(reason.is_some());
                    continue;
                };
                for id in &ids {
                    match &reason {
                        Some(reason) => claims.push(VexStatement {
                            vulnerability: id.clone(),
                            ecosystem: subject.ecosystem.to_owned(),
                            package: subject.package.clone(),
                            subject: subject.subject,
                            release: subject.release.clone(),
                            architecture: subject.architecture.clone(),
                            version: subject.version.clone(),
                            reason: reason.clone(),
                            author: self.author.clone(),
                            made: statement.made,
                        }),
                        None => {
                            affected.entry(id.clone()).or_default().push((subject.clone(), statement.made));
                        }
                    }
                }
            }
        }
        claims.retain(|claim| {
            let later = affected.get(&claim.vulnerability);
            !later.is_some_and(|later| later.iter().any(|(subject, made)| takes_back(subject, *made, claim)))
        });
        claims.sort();
        claims.dedup();
        Claims { statements: claims, left_out }
    }
}

/// A product by ecosystem and name alone.
fn widest(purl: &Purl) -> Option<Subject> {
    let (ecosystem, package) = purl.osv_package()?;
    let (subject, version) = (VexSubject::Binary, None);
    Some(Subject { ecosystem, package, subject, release: None, architecture: None, version })
}

/// Whether a statement that something is affected by the claim's vulnerability, made at `made`, may speak of what the claim
/// speaks of.
fn takes_back(affected: &Subject, made: Timestamp, claim: &VexStatement) -> bool {
    let may_be_one = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    claim.ecosystem == affected.ecosystem
        && claim.package == affected.package
        && claim.made <= made
        && may_be_one(&claim.version, &affected.version)
        && may_be_one(&claim.release, &affected.release)
        && may_be_one(&claim.architecture, &affected.architecture)
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

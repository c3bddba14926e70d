//! What is known of a vulnerability, and one rule at a time, for people who ask why and programs that check.

mod cvss;
mod decision;
mod lines;
mod purl;
mod vers;
mod version;
mod vulnerability;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::common::Common;

/// What is known of a vulnerability, or one rule.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenon explain CVE-2024-3094\n  tenon explain DSA-5649-1\n  \
                  tenon explain version --ecosystem Debian 3.0.20-1~deb12u2 3.0.22-1~deb12u2"
)]
pub(crate) struct Explain {
    #[command(subcommand)]
    rule: Option<Rule>,
    #[command(flatten)]
    vulnerability: vulnerability::Vulnerability,
}

#[derive(Subcommand)]
enum Rule {
    /// The order of two versions in an ecosystem.
    Version(version::Version),
    /// The scores of a CVSS vector, v2 to v4.
    Cvss(cvss::Vectors),
    /// The row of a published decision table, and the smallest change that would flip it.
    Decision(decision::Decision),
    /// A package-url: its parts and its canonical form.
    Purl(purl::Purls),
    /// Whether a version lies in a VERS range.
    Vers(vers::Vers),
}

impl Explain {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self.rule {
            None => self.vulnerability.run(common),
            Some(Rule::Version(version)) => version.run(common),
            Some(Rule::Cvss(vectors)) => vectors.run(common),
            Some(Rule::Decision(decision)) => decision.run(common),
            Some(Rule::Purl(purls)) => purls.run(common),
            Some(Rule::Vers(vers)) => vers.run(common),
        }
    }
}

//! One rule at a time, for people who ask why and programs that check.

mod cvss;
mod decision;
mod lines;
mod purl;
mod vers;
mod version;

use anyhow::Result;
use clap::Subcommand;

use crate::common::Common;

#[derive(Subcommand)]
pub(crate) enum Explain {
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
        match self {
            Self::Version(version) => version.run(common),
            Self::Cvss(vectors) => vectors.run(common),
            Self::Decision(decision) => decision.run(common),
            Self::Purl(purls) => purls.run(common),
            Self::Vers(vers) => vers.run(common),
        }
    }
}

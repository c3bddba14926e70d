//! Version ranges in VERS form.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tenon_formats::vers::Vers as Range;

use super::lines;
use crate::common::{Common, Format};

/// A range and a version.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon explain vers 'vers:deb/>=1.0|<1.2' 1.1-3\n  tenon explain vers --stdin < pairs.tsv"
)]
pub(crate) struct Vers {
    /// Read lines `VERS<TAB>VERSION`; print `true` or `false` for each, `!` where one is not valid.
    #[arg(long, conflicts_with_all = ["range", "version"])]
    stdin: bool,
    /// The range.
    #[arg(required_unless_present = "stdin")]
    range: Option<String>,
    /// The version.
    #[arg(required_unless_present = "stdin")]
    version: Option<String>,
}

fn contains(range: &str, version: &str) -> Result<bool> {
    Ok(Range::parse(range)?.contains(version)?)
}

impl Vers {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        if self.stdin {
            return lines::for_each(|line| {
                let (range, version) = line.split_once('\t').unwrap_or((line, ""));
                match contains(range, version) {
                    Ok(contained) => println!("{contained}"),
                    Err(error) => {
                        println!("!");
                        eprintln!("{line:?}: {error}");
                    }
                }
                Ok(())
            });
        }
        let (range, version) =
            (self.range.as_deref().unwrap_or_default(), self.version.as_deref().unwrap_or_default());
        let contained = contains(range, version)?;
        match common.format {
            Format::Json => {
                println!("{}", json!({ "range": range, "version": version, "contained": contained }));
            }
            Format::Text => println!("{version} is {}in {range}", if contained { "" } else { "not " }),
        }
        Ok(())
    }
}

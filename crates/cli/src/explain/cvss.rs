//! CVSS vectors.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tenon_risk::cvss::{Cvss, Version};

use super::lines;
use crate::common::{Common, Format};

/// A vector.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon explain cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n  \
                  tenon explain cvss --stdin < vectors.txt")]
pub(crate) struct Vectors {
    /// Read one vector a line; print one JSON object for each.
    #[arg(long, conflicts_with = "vector")]
    stdin: bool,
    /// The vector.
    #[arg(required_unless_present = "stdin")]
    vector: Option<String>,
}

fn scores(cvss: &Cvss) -> Value {
    let scores = cvss.scores();
    let number = |score: tenon_risk::cvss::Score| f64::from(score.tenths()) / 10.0;
    // Version 2 and 3 call the group temporal, version 4 threat.
    let group = if cvss.version() == Version::V4_0 { "threat" } else { "temporal" };
    json!({
        "base": number(scores.base),
        group: scores.threat.map(number),
        "environmental": scores.environmental.map(number),
        "score": number(scores.score),
        "severity": scores.severity.to_string(),
    })
}

impl Vectors {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        if self.stdin {
            return lines::for_each(|line| {
                match line.trim().parse::<Cvss>() {
                    Ok(cvss) => println!("{}", scores(&cvss)),
                    Err(error) => println!("{}", json!({ "error": error.to_string() })),
                }
                Ok(())
            });
        }
        let cvss: Cvss = self.vector.as_deref().unwrap_or_default().parse()?;
        let scores = scores(&cvss);
        match common.format {
            Format::Json => println!("{scores}"),
            Format::Text => {
                let said = scores.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
                for (name, value) in said {
                    println!(
                        "{name:<14} {}",
                        value.as_str().map_or_else(|| format!("{value:.1}"), str::to_owned)
                    );
                }
            }
        }
        Ok(())
    }
}

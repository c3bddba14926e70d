//! Package-urls.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tenon_formats::purl::Purl;

use super::lines;
use crate::common::{Common, Format};

/// A package-url.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon explain purl 'pkg:deb/debian/curl@7.88.1-10?arch=amd64'\n  tenon explain purl --stdin < purls.txt"
)]
pub(crate) struct Purls {
    /// Read one package-url a line; print one JSON object for each.
    #[arg(long, conflicts_with = "purl")]
    stdin: bool,
    /// The package-url.
    #[arg(required_unless_present = "stdin")]
    purl: Option<String>,
}

fn parts(purl: &Purl) -> Value {
    json!({
        "canonical": purl.to_string(), "type": purl.kind(), "namespace": purl.namespace(), "name": purl.name(),
        "version": purl.version(), "qualifiers": purl.qualifiers(), "subpath": purl.subpath(),
    })
}

impl Purls {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        if self.stdin {
            return lines::for_each(|line| {
                match Purl::parse_lenient(line) {
                    Ok(purl) => println!("{}", parts(&purl)),
                    Err(error) => println!("{}", json!({ "error": error.to_string() })),
                }
                Ok(())
            });
        }
        let parts = parts(&Purl::parse_lenient(self.purl.as_deref().unwrap_or_default())?);
        match common.format {
            Format::Json => println!("{parts}"),
            Format::Text => {
                for (name, value) in
                    parts.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
                {
                    println!(
                        "{name:<10} {}",
                        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                    );
                }
            }
        }
        Ok(())
    }
}

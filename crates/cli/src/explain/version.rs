//! The order of versions.

use std::cmp::Ordering;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use tenon_versions::{Scheme, compare, sort_key};

use super::lines;
use crate::common::{Common, Format};

/// Two versions.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon explain version --ecosystem Debian 3.0.20-1~deb12u2 3.0.22-1~deb12u2\n  \
                  printf '1.0\\t1.0.1\\n' | tenon explain version --ecosystem crates.io --stdin"
)]
pub(crate) struct Version {
    /// Ecosystem as OSV spells it: Debian, Ubuntu, AlmaLinux, Alpine, PyPI, npm, Go...
    #[arg(long)]
    ecosystem: String,
    /// Read lines `A<TAB>B`; print `<`, `=` or `>` for each, `!` where one is not valid.
    #[arg(long, conflicts_with_all = ["a", "b"])]
    stdin: bool,
    /// One version.
    #[arg(required_unless_present = "stdin")]
    a: Option<String>,
    /// The other.
    #[arg(required_unless_present = "stdin")]
    b: Option<String>,
}

fn sign(order: Ordering) -> &'static str {
    match order {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    }
}

impl Version {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let Some(scheme) = Scheme::of_osv_ecosystem(&self.ecosystem) else {
            bail!(
                "versions of {:?} are not assessed: no exact order is known here for that ecosystem",
                self.ecosystem
            );
        };
        if self.stdin {
            return lines::for_each(|line| {
                let compared = line.split_once('\t').ok_or("no tab between two versions".to_owned());
                match compared.and_then(|(a, b)| compare(scheme, a, b).map_err(|error| error.to_string())) {
                    Ok(order) => println!("{}", sign(order)),
                    Err(reason) => {
                        println!("!");
                        eprintln!("{line:?}: {reason}");
                    }
                }
                Ok(())
            });
        }
        let (a, b) = (self.a.as_deref().unwrap_or_default(), self.b.as_deref().unwrap_or_default());
        let order = sign(compare(scheme, a, b)?);
        match common.format {
            Format::Text => println!("{a} {order} {b}  ({})", scheme.name()),
            Format::Json => println!(
                "{}",
                json!({ "a": a, "b": b, "order": order, "scheme": scheme.name(),
                        "keys": [hex(sort_key(scheme, a)?.as_bytes()), hex(sort_key(scheme, b)?.as_bytes())] })
            ),
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

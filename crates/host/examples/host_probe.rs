//! Runs the host library by hand or inside a test host and prints its report as JSON.
//!
//! ```text
//! host_probe inventory [WORK]
//! host_probe rehearse WORK < targets.json
//! host_probe apply WORK < order.json
//! host_probe recover WORK
//! ```

use std::path::PathBuf;

use tenon_host::{Ordered, Rules, System};
use tenon_model::{AssetId, DirectiveId, OrderId, PackageTarget, PinnedFile, Transaction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(code) = tenon_host::child_main() {
        std::process::exit(code);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = arguments.get(1).map(PathBuf::from);
    let rules = Rules::of_this_host();
    let report = match (arguments.first().map(String::as_str), work) {
        (Some("inventory"), work) => {
            serde_json::to_string(&tenon_host::inventory(&System::live(), work.as_deref())?)?
        }
        (Some("rehearse"), Some(work)) => {
            let targets: Vec<PackageTarget> = serde_json::from_reader(std::io::stdin())?;
            serde_json::to_string(&tenon_host::rehearse(&targets, &work, &rules))?
        }
        (Some("apply"), Some(work)) => {
            let (targets, transaction, files): (Vec<PackageTarget>, Transaction, Vec<PinnedFile>) =
                serde_json::from_reader(std::io::stdin())?;
            let (order, directive) = (OrderId::new(7), DirectiveId::new(3));
            let asset = AssetId::of_public_key(b"this host");
            let ordered = Ordered {
                order,
                asset,
                directive,
                targets: &targets,
                transaction: &transaction,
                files: &files,
                approvals: &[],
            };
            serde_json::to_string(&tenon_host::apply(&ordered, &work, &rules))?
        }
        (Some("recover"), Some(work)) => serde_json::to_string(&tenon_host::recover(&work, &rules.hooks))?,
        _ => {
            return Err(
                "usage: host_probe inventory [WORK] | rehearse WORK | apply WORK | recover WORK".into()
            );
        }
    };
    println!("{report}");
    Ok(())
}

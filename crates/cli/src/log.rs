//! The record: proving it, and taking it along.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde_json::json;
use tenon_journal::{Head, JournalError, export, verify, verify_export};
use tenon_model::Digest;
use tenon_server::{DataFolder, replay};

use crate::api::Api;
use crate::common::{Common, Format, RecordStore};

#[derive(Subcommand)]
pub(crate) enum Log {
    /// Recompute every hash of the record: of an export, of a stopped data folder, of a database, or of the running server's.
    #[command(
        after_help = "Examples:\n  tenon log verify                 the record of this machine's Tenon, running or not\n  tenon log verify audit.jsonl     an export, anywhere, without Tenon's data"
    )]
    Verify {
        /// An export; without it the record of the data folder.
        export: Option<PathBuf>,
        #[command(flatten)]
        store: RecordStore,
    },
    /// Print the whole record, one JSON line per entry: of the running server, or of a store that is named.
    Export {
        #[command(flatten)]
        store: RecordStore,
    },
}

impl Log {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self {
            Self::Export { store } => {
                match store.named()? {
                    Some(store) => {
                        export(store.open_read_only()?.as_ref(), &mut std::io::stdout().lock())?;
                    }
                    None => print!("{}", Api::new(common)?.get_text("/api/v1/journal")?),
                }
                Ok(())
            }
            Self::Verify { export, store } => verify_log(common, prove(common, export, &store)?),
        }
    }
}

/// What a verification proved.
struct Proven {
    what: String,
    head: Head,
    /// Digest of the World that the record gives, where its blobs are at hand.
    world: Option<Digest>,
}

fn prove(common: &Common, export: Option<PathBuf>, store: &RecordStore) -> Result<Proven> {
    if let Some(path) = export {
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        let head = verify_export(&mut BufReader::new(file))?;
        return Ok(Proven { what: path.display().to_string(), head, world: None });
    }
    let store = match store.named()? {
        Some(store) => store,
        None => DataFolder::existing(&common.data()?)?.store(),
    };
    match store.open_read_only() {
        Ok(journal) => {
            let head = verify(journal.as_ref())?.head;
            let world = replay(journal.as_ref())?;
            Ok(Proven { what: store.to_string(), head, world: Some(world.digest()?) })
        }
        // A server writes it: it hands out the record, and this program computes the hashes.
        Err(JournalError::InUse { .. }) => {
            let lines = Api::new(common)?.get_text("/api/v1/journal")?;
            let head = verify_export(&mut lines.as_bytes())?;
            Ok(Proven { what: format!("the record of {}", common.url()), head, world: None })
        }
        Err(error) => Err(error.into()),
    }
}

fn verify_log(common: &Common, proven: Proven) -> Result<()> {
    let Proven { what, head, world } = proven;
    match common.format {
        Format::Json => {
            println!(
                "{}",
                json!({ "verified": what, "entries": head.seq, "head": head.hash, "world": world })
            );
        }
        Format::Text => {
            println!("{what}: {} entries, every hash right", head.seq);
            println!("head  {}", head.hash);
            if let Some(world) = world {
                println!("world {world}  (replayed from the first entry)");
            }
            println!(
                "Compare the head with one that somebody else kept: a chain proves nothing against its own owner."
            );
        }
    }
    Ok(())
}

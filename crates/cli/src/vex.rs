//! What suppliers state about exploitability (VEX).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;
use tenon_formats::openvex::{self, MAX_DOCUMENT, OpenVex};

use crate::api::Api;
use crate::common::{Common, Format, document};

/// Take over OpenVEX documents. What they say is not affected or fixed comes off the list, visibly.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon vex vendor.openvex.json\n\n\
    A document that is taken over again replaces what it said before. A statement is a claim of its author: Tenon checks no\n\
    signature.")]
pub(crate) struct Vex {
    /// OpenVEX documents.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Reads a document and says on standard error what of it cannot be taken over.
pub(crate) fn read(path: &Path) -> Result<OpenVex> {
    parse(path, &document(path, MAX_DOCUMENT)?)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<OpenVex> {
    let document = openvex::parse(bytes).with_context(|| path.display().to_string())?;
    if let Some(first) = document.problems.listed().first() {
        eprintln!(
            "warning: {}: {} places cannot be read, and statements that are not whole are left out; the first: {first}",
            path.display(),
            document.problems.total()
        );
    }
    let left_out = document.claims().left_out;
    if left_out > 0 {
        eprintln!(
            "warning: {}: {left_out} products are left out: parts of other products, of no ecosystem known here, narrowed in a way \
             that is not read, or fixed without a version",
            path.display()
        );
    }
    Ok(document)
}

impl Vex {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        for path in &self.files {
            let bytes = document(path, MAX_DOCUMENT)?;
            let document = parse(path, &bytes)?;
            let whole: Value = serde_json::from_slice(&bytes)?;
            let answer: Value = Api::new(common)?.post("/api/v1/vex", &whole)?;
            match common.format {
                Format::Json => println!("{answer}"),
                Format::Text => println!(
                    "{}: {} statements of {} taken over",
                    path.display(),
                    document.claims().statements.len(),
                    document.author
                ),
            }
        }
        Ok(())
    }
}

//! What the programs of Tenon share at a terminal: how results are printed, documents read, what happens told.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Reads a document. Of one longer than `most` bytes it takes one byte more, so that its parser sees and says so.
///
/// # Errors
/// When the file cannot be read; the error names it.
pub fn document(path: &Path, most: usize) -> Result<Vec<u8>> {
    let shown = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(shown)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).with_context(shown)?;
    Ok(bytes)
}

/// Log lines to standard error; `RUST_LOG` chooses which. Once in a process.
pub fn log_to_stderr() {
    log_lines_to_stderr("info,ureq=warn,rustls=warn");
}

/// The same, with other lines where nothing chooses.
pub fn log_lines_to_stderr(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

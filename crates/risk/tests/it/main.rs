//! Published standards: this crate against what was published.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail as tests do")]

mod bod_26_04;
mod cvss;
mod cvss_strings;
mod flip;
mod joint;
mod lev;
mod regulation;
mod tables;

use std::path::PathBuf;

/// A file of the public test vectors; where they are not there, says so for the test of this name.
fn vectors(test: &str, path: &str) -> Option<String> {
    let root = std::env::var_os("TENON_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let file = root.join("vectors").join(path);
    if !file.is_file() {
        eprintln!("skipped: {test}: no vectors (name their folder's parent in TENON_SHARED)");
        return None;
    }
    Some(std::fs::read_to_string(file).unwrap())
}

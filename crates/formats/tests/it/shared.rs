//! Where public test vectors and feeds lie, and what a test says when they do not.

use std::path::PathBuf;

/// A file or folder below the shared folder; says that the test is skipped when it is not there.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: {test}: no {path} (name the folder that holds it in TENON_SHARED)");
    None
}

/// A JSON file of the vectors.
pub(crate) fn json(path: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

//! A store in one file, for machines without a network.
//!
//! A bundle is a zip: `feeds/N.jsonl`, one JSON value a line, for each feed, and `manifest.json` with the SHA-256 of
//! each. It holds rows and no database: a database from elsewhere is code and pages to trust, lines are only parsed.

mod export;
mod import;

use serde::{Deserialize, Serialize};
use tenon_model::{Digest, Timestamp};

pub use export::export;
pub use import::{Imported, import};

/// Names the format in the manifest.
const FORMAT: &str = "tenon-feeds-bundle";
/// The version written and read.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    version: u32,
    created: Timestamp,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    feed: String,
    bytes: u64,
    sha256: Digest,
}

/// The first line of a feed's file: how it stood.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    feed: String,
    origin: String,
    edition: String,
    as_of: Option<Timestamp>,
    fetched: Option<Timestamp>,
    checked: Option<Timestamp>,
    digest: Option<Digest>,
    records: u64,
    problems: u64,
}

/// Every further line. Names are one letter, because a bundle has half a million of them.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// A problem: file, record, field, reason.
    P(String, String, String, String),
    /// A record: id, modified, and the row's body without its version where it affects anything.
    A(String, Timestamp, Option<String>),
    /// What the record before affects: ecosystem, package, body.
    F(String, String, String),
    /// A KEV entry: CVE, added, due, ransomware.
    K(String, Timestamp, Option<Timestamp>, bool),
    /// A retracted one, and since when it is missing.
    R(String, Timestamp, Option<Timestamp>, bool, Timestamp),
    /// Model and day of the scores that follow.
    D(String, Timestamp),
    /// A score: CVE, parts per million.
    E(String, u32),
    /// A CVE record: id, rejected, published, updated, body.
    C(String, bool, Option<Timestamp>, Option<Timestamp>, String),
    /// Evidence: CVE, first seen, on or before, count.
    X(String, Option<Timestamp>, bool, u32),
}

//! Doors for the fuzzer to readers that nothing outside this crate calls.

use std::io::Cursor;

use tenon_model::Timestamp;

use crate::name::{EvidenceKind, FeedName};
use crate::problem::Ledger;
use crate::store::{decode_affected, decode_cve, decode_head};
use crate::{archive, evidence, index, json_path};

/// A list of changes; lists of exploits of every kind.
pub fn lists(bytes: &[u8]) {
    let _changes = index::read(bytes, Timestamp::from_millis(0), 100);
    for kind in EvidenceKind::ALL {
        let _list = evidence::read(kind, bytes, &mut Ledger::new(FeedName::Exploits(kind)));
    }
}

/// A zip archive of records.
pub fn archive(bytes: &[u8]) {
    let mut seen = 0_u64;
    let _records = archive::each("fuzz", Cursor::new(bytes), &mut |_| {}, &mut |_, _| {
        seen += 1;
        Ok(())
    });
}

/// Rows of a store or bundle, and the place of a fault in JSON.
pub fn rows(bytes: &[u8]) {
    let _affected = decode_affected("Debian:12", "openssl", bytes);
    let _head = decode_head("DSA-1-1", bytes);
    let _cve = decode_cve(bytes);
    let _path = json_path::of_error(bytes, "expected value at line 1 column 2");
}

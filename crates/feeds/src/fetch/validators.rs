//! What makes a later request conditional, and the digest of what came.

use std::fs::File;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenon_model::Digest;

/// What a server gave to ask again by, and for which address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    /// The address that gave the copy.
    pub(crate) address: String,
    /// Its `ETag`.
    pub(crate) etag: Option<String>,
    /// Its `Last-Modified`.
    pub(crate) last_modified: Option<String>,
}

/// SHA-256 of a file; `None` when it is longer than `limit`.
pub(crate) fn digest_of(file: &mut File, limit: u64) -> io::Result<Option<Digest>> {
    let mut hash = Sha256::new();
    let length = io::copy(&mut file.take(limit.saturating_add(1)), &mut hash)?;
    Ok((length <= limit).then(|| Digest::from_bytes(hash.finalize().into())))
}

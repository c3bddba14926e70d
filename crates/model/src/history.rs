//! Where a record begins whose oldest part was let go.

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp};

/// The entry with which a record begins, and the state after it. It is written down in the record before anything is removed,
/// so that the chain itself names what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryBase {
    /// The entry, which is kept.
    pub seq: u64,
    /// Its hash: a copy of the record from before shows the same there.
    pub hash: Digest,
    /// Its stamp.
    pub time: Timestamp,
    /// The digest of all state after it, as the program that cut computed it from the entries.
    pub world: Digest,
    /// SHA-256 of the snapshot of that state, which is kept.
    pub snapshot: Digest,
    /// How many days of history were to be kept.
    pub days: u32,
}

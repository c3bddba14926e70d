//! A feed as it was read, whole.

use tenon_formats::Problems;
use tenon_model::{Digest, Timestamp};

/// A feed as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedDocument<T> {
    /// What the feed says.
    pub content: T,
    /// How far the feed reaches by its own account: the newest `modified` of its records, or its release or score date.
    /// `None` only for an archive without a readable record.
    pub as_of: Option<Timestamp>,
    /// SHA-256 of the bytes as published; over the digests in order when the feed is several files.
    pub digest: Digest,
    /// How many records, entries or rows it held, wanted or not.
    pub records: u64,
    /// What could not be read.
    pub problems: Problems,
    /// Where the bytes came from.
    pub origin: Origin,
}

/// Where the bytes of a feed came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A mirror folder.
    Mirror,
    /// Downloaded now.
    Fetched,
    /// The copy at hand, which the server confirms as current.
    Confirmed,
    /// The last good copy, because the feed could not be had.
    LastGood {
        /// What happened at each address.
        because: String,
    },
}

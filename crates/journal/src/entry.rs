//! Entries and the chain that binds them.

use sha2::Digest as _;
use tenon_model::Digest;

/// Domain tag of an entry's hash, so that no other hash of Tenon can be taken for one.
const ENTRY_TAG: &[u8] = b"tenon-journal-entry";
/// Domain tag whose SHA-256 is the `prev` of the first entry.
const GENESIS_TAG: &[u8] = b"tenon-journal-genesis";
/// Version of the encoding that is hashed.
const ENCODING_VERSION: u8 = 1;

/// The `prev` of the first entry: SHA-256 of the bytes `tenon-journal-genesis`.
pub fn genesis_hash() -> Digest {
    Digest::of(GENESIS_TAG)
}

/// The hash of an entry: SHA-256 (FIPS 180-4) over, in this order and without separators,
///
/// | field | bytes |
/// | --- | --- |
/// | domain tag | the 19 bytes `tenon-journal-entry` |
/// | encoding version | 1 byte, `1` |
/// | `seq` | 8, unsigned, big endian |
/// | `time_ms` | 8, two's complement, big endian |
/// | `term` | 8, unsigned, big endian |
/// | length of the payload | 8, unsigned, big endian |
/// | payload | as many |
/// | `prev` | 32 |
///
/// Every field but the payload has a fixed width and the payload's length precedes it, so that two different
/// entries never encode to the same bytes.
pub fn entry_hash(seq: u64, time_ms: i64, term: u64, payload: &[u8], prev: &Digest) -> Digest {
    let mut hasher = sha2::Sha256::new();
    hasher.update(ENTRY_TAG);
    hasher.update([ENCODING_VERSION]);
    hasher.update(seq.to_be_bytes());
    hasher.update(time_ms.to_be_bytes());
    hasher.update(term.to_be_bytes());
    hasher.update((payload.len() as u64).to_be_bytes());
    hasher.update(payload);
    hasher.update(prev.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// What a caller appends; the journal gives it its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The leader's stamp, in milliseconds since the Unix epoch; never before the previous entry's.
    pub time_ms: i64,
    /// The leader's term; never below the previous entry's.
    pub term: u64,
    /// The event, opaque to the journal; at most [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes.
    pub payload: Vec<u8>,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place: from 1, without gaps.
    pub seq: u64,
    /// The leader's stamp, in milliseconds since the Unix epoch; never decreases along the chain.
    pub time_ms: i64,
    /// The term of the leader that wrote it; never decreases along the chain.
    pub term: u64,
    /// The event, opaque to the journal.
    pub payload: Vec<u8>,
    /// Hash of the entry before, or [`genesis_hash`].
    pub prev: Digest,
    /// [`entry_hash`] of the fields above.
    pub hash: Digest,
}

impl Entry {
    /// The entry that follows `head`.
    pub(crate) fn following(head: &Head, new: &NewEntry) -> Self {
        let seq = head.seq + 1;
        let hash = entry_hash(seq, new.time_ms, new.term, &new.payload, &head.hash);
        Self {
            seq,
            time_ms: new.time_ms,
            term: new.term,
            payload: new.payload.clone(),
            prev: head.hash,
            hash,
        }
    }

    /// The head of a journal that ends with this entry.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, time_ms: self.time_ms, term: self.term, hash: self.hash }
    }
}

/// The end of the chain: whoever holds it can prove every entry before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Place of the last entry; 0 in an empty journal.
    pub seq: u64,
    /// Stamp of the last entry; 0 in an empty journal.
    pub time_ms: i64,
    /// Term of the last entry; 0 in an empty journal.
    pub term: u64,
    /// Hash of the last entry; [`genesis_hash`] in an empty journal.
    pub hash: Digest,
}

impl Head {
    /// The head of an empty journal.
    pub fn genesis() -> Self {
        Self { seq: 0, time_ms: 0, term: 0, hash: genesis_hash() }
    }
}

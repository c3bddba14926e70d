//! A journal that asks a guard of the test before it writes.

use tenon_journal::{
    Acknowledged, Batch, ClientKey, Durability, Entry, Head, Journal, JournalError, Removal, Snapshot,
    SqliteJournal,
};
use tenon_model::Digest;

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Append,
    Removal,
}

/// Lets it be done, also later, or fails it.
pub(crate) type Guard = Box<dyn FnMut(Call) -> Result<(), JournalError> + Send>;

pub(crate) struct Guarded {
    pub(crate) inner: SqliteJournal,
    pub(crate) guard: Guard,
}

/// The failure of a storage in a test.
pub(crate) fn failed() -> JournalError {
    JournalError::Storage {
        doing: "go on with",
        path: "the journal of a test".into(),
        source: "it ends here".into(),
    }
}

impl Guarded {
    fn removing(&mut self) -> Result<&mut SqliteJournal, JournalError> {
        (self.guard)(Call::Removal)?;
        Ok(&mut self.inner)
    }
}

impl Journal for Guarded {
    fn append(&mut self, expected: &Head, batches: &[Batch]) -> Result<Head, JournalError> {
        (self.guard)(Call::Append)?;
        self.inner.append(expected, batches)
    }
    fn head(&self) -> Result<Head, JournalError> {
        self.inner.head()
    }
    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(from_seq, limit)
    }
    fn put_blob(&mut self, content: &[u8]) -> Result<Digest, JournalError> {
        self.inner.put_blob(content)
    }
    fn get_blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        self.inner.get_blob(digest)
    }
    fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, JournalError> {
        self.inner.blobs(after, limit)
    }
    fn lookup_client_key(&self, key: &ClientKey) -> Result<Option<Acknowledged>, JournalError> {
        self.inner.lookup_client_key(key)
    }
    fn begin_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        self.inner.begin_snapshot(snapshot)
    }
    fn add_to_snapshot(&mut self, seq: u64, part: u32, content: &[u8]) -> Result<(), JournalError> {
        self.inner.add_to_snapshot(seq, part, content)
    }
    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError> {
        self.inner.snapshots()
    }
    fn leftover_snapshots(&self) -> Result<Vec<u64>, JournalError> {
        self.inner.leftover_snapshots()
    }
    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, JournalError> {
        self.inner.snapshot_part(seq, part)
    }
    fn forget_snapshot(&mut self, seq: u64) -> Result<Removal, JournalError> {
        self.removing()?.forget_snapshot(seq)
    }
    fn base(&self) -> Result<Option<Head>, JournalError> {
        self.inner.base()
    }
    fn cut(&mut self, expected: &Head, base: &Head) -> Result<(), JournalError> {
        self.removing()?.cut(expected, base)
    }
    fn remove_before_base(&mut self, expected: &Head) -> Result<Removal, JournalError> {
        self.removing()?.remove_before_base(expected)
    }
    fn remove_blobs(&mut self, expected: &Head, blobs: &[Digest]) -> Result<usize, JournalError> {
        // A few at a time, so that a test meets the middle of it.
        self.removing()?.remove_blobs(expected, &blobs[..blobs.len().min(7)])
    }
    fn give_room_back(&mut self) -> Result<Removal, JournalError> {
        self.removing()?.give_room_back()
    }
    fn durability(&self) -> Result<Durability, JournalError> {
        self.inner.durability()
    }
}

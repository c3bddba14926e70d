//! Snapshots: copies of the state at an entry, so that a start need not read every entry before it. They are kept beside the
//! record and prove nothing; a damaged one is passed over.

use tenon_model::{Digest, Parts};

use crate::{Entry, Head, Journal, JournalError};

/// What is known of a snapshot without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that its state knows.
    pub head: Head,
    /// The version of its encoding, which the journal does not know.
    pub format: u32,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub digest: Digest,
}

impl Snapshot {
    /// What is known of a snapshot with this content.
    pub fn of(head: &Head, format: u32, content: &Parts) -> Self {
        Self { head: *head, format, size: content.len(), digest: content.digest() }
    }

    /// Its content from its parts, checked against its digest; `None` where it was let go meanwhile.
    ///
    /// # Errors
    /// [`JournalError::SnapshotDamaged`], or when a part cannot be read.
    pub fn read<E: From<JournalError>>(
        &self,
        mut part: impl FnMut(u32) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Parts>, E> {
        let mut content = Parts::default();
        for number in 0.. {
            let Some(read) = part(number)? else { break };
            content.push(read);
        }
        let actual = content.digest();
        if actual == self.digest {
            return Ok(Some(content));
        }
        // Letting go begins with the last part and takes the first last.
        if content.len() < self.size {
            return Ok(None);
        }
        Err(JournalError::SnapshotDamaged { seq: self.head.seq, recorded: self.digest, actual }.into())
    }

    /// A snapshot of another history would be taken for the state of this one.
    pub(crate) fn check(head: &Head, entry: Option<Entry>) -> Result<(), JournalError> {
        match entry {
            Some(entry) if entry.head() == *head => Ok(()),
            _ => Err(JournalError::SnapshotUnfounded { seq: head.seq, hash: head.hash }),
        }
    }
}

/// The newest state that could be read from a snapshot.
#[derive(Debug)]
pub struct Restored<T> {
    /// The state, and the entry after which the journal goes on; `None` where no snapshot could be read.
    pub state: Option<(T, Head)>,
    /// The snapshots that were passed over, newest first, each with the reason.
    pub passed_over: Vec<(u64, String)>,
}

/// Reads snapshots, the newest first, until one is whole, belongs to this chain, has this format and decodes.
///
/// # Errors
/// When the storage fails; damage to a snapshot only passes it over.
pub fn restore<T, E: std::fmt::Display>(
    journal: &dyn Journal,
    format: u32,
    mut decode: impl FnMut(&Snapshot, Parts) -> Result<T, E>,
) -> Result<Restored<T>, JournalError> {
    let mut passed_over = Vec::new();
    for snapshot in journal.snapshots()? {
        let seq = snapshot.head.seq;
        if snapshot.format != format {
            let reason = format!("its format is {}, this program reads {format}", snapshot.format);
            passed_over.push((seq, reason));
            continue;
        }
        // It belonged to the chain when it was stored; the journal may have been put back from an older backup since.
        let founded = Snapshot::check(&snapshot.head, journal.read(seq, 1)?.into_iter().next());
        let read = || snapshot.read(|part| journal.snapshot_part(seq, part));
        let content = match founded.and_then(|()| read()) {
            Ok(Some(content)) => content,
            Ok(None) => continue,
            Err(
                error @ (JournalError::SnapshotDamaged { .. }
                | JournalError::SnapshotUnfounded { .. }
                | JournalError::Damaged { .. }),
            ) => {
                passed_over.push((seq, error.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        };
        match decode(&snapshot, content) {
            Ok(state) => return Ok(Restored { state: Some((state, snapshot.head)), passed_over }),
            Err(error) => passed_over.push((seq, error.to_string())),
        }
    }
    Ok(Restored { state: None, passed_over })
}

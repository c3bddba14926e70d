//! From a journal back to the World.

use tenon_engine::{ApplyError, Attachments, World};
use tenon_journal::{Journal, JournalError, MAX_PAGE_ENTRIES};
use tenon_model::{EventError, Record, Timestamp, Versioned};

/// Why a journal cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry is no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An event does not fit what came before.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Applies every event of the journal to an empty World. What events asked the shell to do was done then, and is not
/// done again.
///
/// # Errors
/// A [`ReplayError`]: the journal is damaged, or of a newer Tenon.
pub fn replay(journal: &dyn Journal) -> Result<World, ReplayError> {
    let mut world = World::default();
    loop {
        let page = journal.read(world.seq() + 1, MAX_PAGE_ENTRIES)?;
        if page.is_empty() {
            return Ok(world);
        }
        for entry in page {
            let event = Versioned::decode(entry.seq, &entry.payload)?;
            let mut attachments = Attachments::default();
            for digest in event.blobs() {
                // One that is missing is named by `apply`, with the event that needs it.
                if let Some(content) = journal.get_blob(&digest)? {
                    attachments.insert(content);
                }
            }
            let record = Record { seq: entry.seq, time: Timestamp::from_millis(entry.time_ms), event };
            world.apply(&record, &attachments, &mut Vec::new())?;
        }
    }
}

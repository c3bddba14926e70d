//! From a journal back to the World.

use tenon_engine::{ApplyError, Attachments, SNAPSHOT_VERSION, World};
use tenon_journal::{Journal, JournalError, MAX_PAGE_ENTRIES, Snapshot};
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
    follow(World::default(), journal)
}

/// The same World as [`replay`] gives, from the newest snapshot that can be read and the entries since; from all entries where
/// there is none. A snapshot that cannot be read is passed over, which the log says.
///
/// # Errors
/// Those of [`replay`].
pub fn restore(journal: &dyn Journal) -> Result<World, ReplayError> {
    let decode = |snapshot: &Snapshot, content: &[u8]| {
        let world = World::from_snapshot(content).map_err(|error| error.to_string())?;
        let (seq, wanted) = (world.seq(), snapshot.head.seq);
        if seq == wanted {
            Ok(world)
        } else {
            Err(format!("its state is that after entry {seq}, not {wanted}"))
        }
    };
    let restored = tenon_journal::restore(journal, u32::from(SNAPSHOT_VERSION), decode)?;
    for (seq, reason) in restored.passed_over {
        tracing::warn!(seq, reason, "a snapshot is passed over");
    }
    follow(restored.state.map(|(world, _)| world).unwrap_or_default(), journal)
}

/// Applies what comes after the World's last entry.
fn follow(mut world: World, journal: &dyn Journal) -> Result<World, ReplayError> {
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

//! When the writer keeps a copy of the World, so that the next start reads that and not every entry.

use tenon_engine::{SNAPSHOT_VERSION, World};
use tenon_journal::{Head, Journal, JournalError};

/// Entries after which a new snapshot is worth its size: so many replay in seconds.
pub(crate) const SNAPSHOT_EVERY: u64 = 10_000;
/// Snapshots held: should the newest be damaged, there is one before it.
const HELD: usize = 2;

/// What the writer knows of its snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    every: u64,
    /// The entry of the newest, or of the last one that failed.
    last: u64,
    under_way: bool,
}

impl Snapshots {
    pub(crate) fn new(journal: &dyn Journal, every: u64) -> Result<Self, JournalError> {
        let last = journal.snapshots()?.first().map_or(0, |newest| newest.head.seq);
        Ok(Self { every, last, under_way: false })
    }

    /// Whether to begin one now: encoding goes on beside the writer, one at a time.
    pub(crate) fn is_due(&mut self, seq: u64) -> bool {
        let due = !self.under_way && seq.saturating_sub(self.last) >= self.every;
        self.under_way |= due;
        due
    }

    /// Whether one is worth it at the end, which it delays: a start soon follows.
    pub(crate) fn is_due_at_stop(&self, seq: u64) -> bool {
        seq.saturating_sub(self.last) >= (self.every / 10).max(1)
    }

    /// Keeps one and lets those go that are too many. A failure is only told: the record does not need it.
    pub(crate) fn keep(&mut self, journal: &mut dyn Journal, head: &Head, content: Result<Vec<u8>, String>) {
        self.under_way = false;
        self.last = head.seq;
        let kept = content.and_then(|content| {
            let size = content.len();
            keep(journal, head, &content).map(|()| size).map_err(|error| error.to_string())
        });
        match kept {
            Ok(size) => tracing::info!(seq = head.seq, size, "a snapshot is kept"),
            Err(error) => tracing::warn!(%error, seq = head.seq, "no snapshot is kept"),
        }
    }
}

/// A World as the content of a snapshot.
pub(crate) fn encode(world: &World) -> Result<Vec<u8>, String> {
    world.to_snapshot().map_err(|error| error.to_string())
}

fn keep(journal: &mut dyn Journal, head: &Head, content: &[u8]) -> Result<(), JournalError> {
    journal.keep_snapshot(head, u32::from(SNAPSHOT_VERSION), content)?;
    for old in journal.snapshots()?.into_iter().skip(HELD) {
        journal.forget_snapshot(old.head.seq)?;
    }
    Ok(())
}

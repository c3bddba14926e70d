//! From a journal back to the World.

use tenon_engine::{ApplyError, Attachments, SNAPSHOT_VERSION, World};
use tenon_journal::{Entry, Journal, JournalError, MAX_PAGE_ENTRIES, Snapshot};
use tenon_model::{Blob, Digest, EventError, Parts, Record, Timestamp, Versioned};

use crate::writer::{SubmitError, Writer};

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
    /// What the record begins with cannot be read.
    #[error(
        "the record begins with the state after entry {seq}, and that cannot be read ({reason}): \
         use the Tenon that wrote it, or restore it from a backup"
    )]
    Beginning {
        /// The entry.
        seq: u64,
        /// What is wrong with its snapshot.
        reason: String,
    },
    /// Who has the journal open stopped.
    #[error(transparent)]
    Stopped(#[from] SubmitError),
}

/// Applies every event of the journal to the World with which it begins. What events asked the shell to do was done then, and is not
/// done again.
///
/// # Errors
/// A [`ReplayError`]: the journal is damaged, or of a newer Tenon.
pub fn replay(journal: &dyn Journal) -> Result<World, ReplayError> {
    follow(beginning(journal)?, journal, u64::MAX)
}

/// The World with which the record begins: the empty one, or where it was cut that of the snapshot it rests on.
///
/// # Errors
/// [`ReplayError::Beginning`], or when the journal cannot be read.
pub(crate) fn beginning(journal: &dyn Journal) -> Result<World, ReplayError> {
    let Some(base) = journal.base()? else { return Ok(World::default()) };
    let seq = base.seq;
    let unreadable = |reason: String| ReplayError::Beginning { seq, reason };
    let snapshot = journal.snapshots()?.into_iter().find(|snapshot| snapshot.head.seq == seq);
    let snapshot = snapshot.ok_or_else(|| unreadable("its snapshot is gone".to_owned()))?;
    read_snapshot(&snapshot, journal)?.map_err(unreadable)
}

/// The World after an entry, from all entries up to it.
///
/// # Errors
/// Those of [`replay`].
pub fn replay_to(journal: &dyn Journal, seq: u64) -> Result<World, ReplayError> {
    follow(beginning(journal)?, journal, seq)
}

/// The same World as [`replay`] gives, from the newest snapshot that can be read and the entries since; from all entries where
/// there is none. A snapshot that cannot be read is passed over, which the log says.
///
/// # Errors
/// Those of [`replay`].
pub fn restore(journal: &dyn Journal) -> Result<World, ReplayError> {
    let restored = tenon_journal::restore(journal, u32::from(SNAPSHOT_VERSION), of_snapshot)?;
    for (seq, reason) in restored.passed_over {
        tracing::warn!(seq, reason, "a snapshot is passed over");
    }
    let world = match restored.state {
        Some((world, _)) => world,
        None => beginning(journal)?,
    };
    follow(world, journal, u64::MAX)
}

/// The World of a snapshot that a source holds, or why it cannot be had from there.
pub(crate) fn read_snapshot<S: Source + ?Sized>(
    snapshot: &Snapshot,
    source: &S,
) -> Result<Result<World, String>, ReplayError> {
    match snapshot.read(|part| source.snapshot_part(snapshot.head.seq, part)) {
        Ok(Some(content)) => Ok(of_snapshot(snapshot, content)),
        Ok(None) => Ok(Err("its snapshot is gone".to_owned())),
        Err(ReplayError::Journal(error @ JournalError::SnapshotDamaged { .. })) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// The World of a snapshot, or why it is none of this entry.
fn of_snapshot(snapshot: &Snapshot, content: Parts) -> Result<World, String> {
    let world = World::from_snapshot(content).map_err(|error| error.to_string())?;
    match (world.seq(), snapshot.head.seq) {
        (seq, wanted) if seq == wanted => Ok(world),
        (seq, wanted) => Err(format!("its state is that after entry {seq}, not {wanted}")),
    }
}

/// Where entries and blobs are read from.
pub(crate) trait Source {
    /// Some of the entries from a place on; none where the record ends.
    fn entries(&self, from: u64) -> Result<Vec<Entry>, ReplayError>;

    /// A part of a snapshot; none past its last.
    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, ReplayError>;

    /// The content of a blob.
    fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, ReplayError>;
}

impl Source for dyn Journal + '_ {
    fn entries(&self, from: u64) -> Result<Vec<Entry>, ReplayError> {
        Ok(self.read(from, MAX_PAGE_ENTRIES)?)
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, ReplayError> {
        Ok(Journal::snapshot_part(self, seq, part)?)
    }

    fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, ReplayError> {
        Ok(self.get_blob(&digest)?)
    }
}

/// Entries that a writer hands out at a time, between two appends.
const BESIDE_APPENDS: usize = 256;

impl Source for Writer {
    fn entries(&self, from: u64) -> Result<Vec<Entry>, ReplayError> {
        Ok(self.wait_for(move |journal| journal.read(from, BESIDE_APPENDS))??)
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, ReplayError> {
        Ok(self.wait_for(move |journal| journal.snapshot_part(seq, part))??)
    }

    fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, ReplayError> {
        Ok(self.wait_for(move |journal| journal.get_blob(&digest))??)
    }
}

/// Applies what comes after the World's last entry, up to an entry.
pub(crate) fn follow<S: Source + ?Sized>(
    mut world: World,
    source: &S,
    end: u64,
) -> Result<World, ReplayError> {
    loop {
        let page = if world.seq() < end { source.entries(world.seq() + 1)? } else { Vec::new() };
        if page.is_empty() {
            return Ok(world);
        }
        for entry in page.into_iter().take_while(|entry| entry.seq <= end) {
            let event = Versioned::decode(entry.seq, &entry.payload)?;
            let mut attachments = Attachments::default();
            for digest in event.blobs() {
                // One that is missing is named by `apply`, with the event that needs it.
                if let Some(content) = source.blob(digest)? {
                    attachments.insert(Blob::new(content));
                }
            }
            let record = Record { seq: entry.seq, time: Timestamp::from_millis(entry.time_ms), event };
            world.apply(&record, &attachments, &mut Vec::new())?;
        }
    }
}

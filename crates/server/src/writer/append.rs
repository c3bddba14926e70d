//! The thread that appends, so that the next group is decided while one becomes durable.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tenon_journal::{Batch, Head, Journal, JournalError};

/// A journal that nobody appends to just now.
pub(super) struct Resting {
    pub(super) journal: Box<dyn Journal>,
    /// Its end, as this writer left it: whatever else came behind it makes the next append fail.
    pub(super) head: Head,
}

/// A group that is durable, and the journal that came back.
pub(super) struct Appended {
    pub(super) resting: Resting,
    pub(super) took: Duration,
    /// Of the events and of what they name.
    pub(super) bytes: u64,
}

/// Appends beside whoever has this, one group at a time: the journal goes to the thread and comes back.
pub(super) struct Appender {
    work: SyncSender<(Resting, Vec<Batch>)>,
    done: Receiver<Result<Appended, JournalError>>,
}

/// The thread is gone, and the journal with it.
pub(super) struct Gone;

impl Appender {
    /// Starts the thread, which ends with the result.
    pub(super) fn start() -> Self {
        let (work, todo) = sync_channel::<(Resting, Vec<Batch>)>(1);
        let (tell, done) = sync_channel(1);
        std::thread::spawn(move || {
            for (resting, batches) in todo {
                if tell.send(append(resting, &batches)).is_err() {
                    return;
                }
            }
        });
        Self { work, done }
    }

    /// Hands a group over.
    pub(super) fn begin(&self, resting: Resting, batches: Vec<Batch>) -> Result<(), Gone> {
        self.work.send((resting, batches)).map_err(|_| Gone)
    }

    /// Waits for the group that was handed over.
    pub(super) fn wait(&self) -> Result<Result<Appended, JournalError>, Gone> {
        self.done.recv().map_err(|_| Gone)
    }
}

fn append(resting: Resting, batches: &[Batch]) -> Result<Appended, JournalError> {
    let Resting { mut journal, head } = resting;
    let start = Instant::now();
    let head = journal.append(&head, batches)?;
    Ok(Appended { resting: Resting { journal, head }, took: start.elapsed(), bytes: size_of(batches) })
}

/// Bytes of the events and of what they name.
fn size_of(batches: &[Batch]) -> u64 {
    let sizes = |batch: &Batch| -> usize {
        let payloads: usize = batch.entries.iter().map(|entry| entry.payload.len()).sum();
        payloads + batch.blobs.iter().map(|blob| blob.bytes().len()).sum::<usize>()
    };
    batches.iter().map(sizes).sum::<usize>() as u64
}

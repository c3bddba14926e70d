//! The World as it was: one at a time, made from the record beside the writer.
//!
//! A request names a time; the World is that after the last entry stamped at or before it. It is made from the newest snapshot
//! of an entry before that and the entries since. It stays for those who ask for the same entry next, until somebody
//! asks for another or nobody asks for a while: never more than one, because a World may fill half of the memory.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tenon_engine::{SNAPSHOT_VERSION, World};
use tenon_journal::{Head, JournalError, Snapshot};
use tenon_model::Timestamp;
use tokio::sync::{Mutex, Semaphore};

use crate::replay::{ReplayError, beginning, follow, read_snapshot};
use crate::writer::{SubmitError, Writer};

/// Requests that wait for another World than the one that is there; more are turned away. Each may take seconds.
const WAITING: usize = 8;

/// A place in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the last entry stamped at or before this time.
    Time(Timestamp),
    /// After this entry.
    Entry(u64),
}

/// Why there is no World of a time.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PastError {
    /// Nothing is recorded of the future.
    #[error("{asked} is still to come: it is {now}; ask for a time before that")]
    Ahead {
        /// What was asked for.
        asked: Timestamp,
        /// What it is now.
        now: Timestamp,
    },
    /// The record begins later.
    #[error("the record begins at {first}, after {asked}: ask for that time or a later one")]
    BeforeRecord {
        /// What was asked for.
        asked: Timestamp,
        /// The stamp of the first entry.
        first: Timestamp,
    },
    /// What was recorded then was let go.
    #[error("history is kept from {first} (entry {seq}) on: ask for that time or a later one")]
    LetGo {
        /// The oldest time that can be asked for.
        first: Timestamp,
        /// The first entry.
        seq: u64,
    },
    /// The record has no such entry.
    #[error("the record has the entries 1 to {last}, not {asked}")]
    NoEntry {
        /// What was asked for.
        asked: u64,
        /// The last entry.
        last: u64,
    },
    /// Others wait already.
    #[error("{WAITING} others wait to see other times, one at a time: ask again in a while")]
    Busy,
    /// The record does not lead there.
    #[error("the record cannot be replayed to entry {seq}: {reason}")]
    Replay {
        /// The entry.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
    /// The writer has stopped.
    #[error("Tenon has stopped writing: see its log for the first failure, then start it again")]
    Stopped,
}

impl From<SubmitError> for PastError {
    fn from(_: SubmitError) -> Self {
        Self::Stopped
    }
}

/// The one World of the past that there may be. Cloning it is cheap.
#[derive(Clone)]
pub struct Past(Arc<Inner>);

struct Inner {
    writer: Writer,
    /// How long a World stays when nobody asks for it.
    idle: Duration,
    /// Locked while a World is made, so that whoever wants the same waits for it, and whoever wants another for its turn.
    slot: Mutex<Option<Held>>,
    waiting: Semaphore,
}

struct Held {
    world: Arc<World>,
    asked: Instant,
}

impl Past {
    /// Nothing is held yet.
    pub fn new(writer: Writer, idle: Duration) -> Self {
        let (slot, waiting) = (Mutex::new(None), Semaphore::new(WAITING));
        Self(Arc::new(Inner { writer, idle, slot, waiting }))
    }

    /// The World as it was; the live one where nothing happened since. `now` is the time of asking.
    ///
    /// # Errors
    /// [`PastError`].
    pub async fn at(&self, moment: Moment, now: Timestamp) -> Result<Arc<World>, PastError> {
        let live = self.0.writer.world();
        let last = live.seq();
        let seq = match moment {
            Moment::Time(asked) if asked > now => return Err(PastError::Ahead { asked, now }),
            Moment::Time(asked) if live.time().is_some_and(|time| time <= asked) => last,
            Moment::Time(asked) => self.0.last_at(asked, last).await?,
            Moment::Entry(asked) if (1..=last).contains(&asked) => self.0.kept(asked).await?,
            Moment::Entry(asked) => return Err(PastError::NoEntry { asked, last }),
        };
        if seq == last {
            return Ok(live);
        }
        let Ok(permit) = self.0.waiting.try_acquire() else { return Err(PastError::Busy) };
        let inner = self.0.clone();
        // Of its own, so that a client that goes away does not leave a second World in the making behind.
        let made = tokio::spawn(async move { inner.get(seq).await });
        let made = made.await.map_err(|error| PastError::Replay { seq, reason: error.to_string() })?;
        drop(permit);
        made
    }

    /// The entry after which a World is held, if one is.
    pub async fn held(&self) -> Option<u64> {
        self.0.slot.lock().await.as_ref().map(|held| held.world.seq())
    }
}

impl Inner {
    /// The last entry stamped at or before a time. Stamps never decrease.
    async fn last_at(&self, asked: Timestamp, end: u64) -> Result<u64, PastError> {
        let found = self.writer.look(move |journal| {
            let base = journal.base()?;
            let (mut low, mut high, mut first) = (base.map_or(1, |base| base.seq), end + 1, None);
            while low < high {
                let middle = low + (high - low) / 2;
                let Some(entry) = journal.read(middle, 1)?.into_iter().next() else { break };
                if entry.time_ms <= asked.as_millis() {
                    low = middle + 1;
                } else {
                    high = middle;
                    first = Some(entry.time_ms);
                }
            }
            Ok::<_, JournalError>((low - 1, first, base))
        });
        match found.await?.map_err(|error| PastError::Replay { seq: end, reason: error.to_string() })? {
            (seq, _, Some(base)) if seq < base.seq => Err(before(base)),
            (0, first, _) => {
                let first = Timestamp::from_millis(first.unwrap_or_default());
                Err(PastError::BeforeRecord { asked, first })
            }
            (seq, ..) => Ok(seq),
        }
    }

    /// The same entry, unless it was let go.
    async fn kept(&self, asked: u64) -> Result<u64, PastError> {
        let base = self.writer.look(|journal| journal.base()).await?;
        match base.map_err(|error| PastError::Replay { seq: asked, reason: error.to_string() })? {
            Some(base) if asked < base.seq => Err(before(base)),
            _ => Ok(asked),
        }
    }

    /// The World after an entry: that which is held, or another in its place.
    async fn get(self: Arc<Self>, seq: u64) -> Result<Arc<World>, PastError> {
        let mut slot = self.slot.lock().await;
        if let Some(held) = slot.as_mut().filter(|held| held.world.seq() == seq) {
            held.asked = Instant::now();
            return Ok(held.world.clone());
        }
        // Before the next one is made: two may not fit.
        *slot = None;
        let writer = self.writer.clone();
        let made = tokio::task::spawn_blocking(move || world_after(&writer, seq)).await;
        let broken = |reason: String| PastError::Replay { seq, reason };
        let made = made.map_err(|error| broken(error.to_string()))?;
        let world = Arc::new(made.map_err(|error| broken(error.to_string()))?);
        *slot = Some(Held { world: world.clone(), asked: Instant::now() });
        drop(slot);
        tokio::spawn(let_go(Arc::downgrade(&self), self.idle, seq));
        Ok(world)
    }
}

/// Lets the World go when nobody asked for it for long, or another has taken its place.
async fn let_go(past: Weak<Inner>, idle: Duration, seq: u64) {
    let mut wait = idle;
    loop {
        tokio::time::sleep(wait).await;
        let Some(past) = past.upgrade() else { return };
        let mut slot = past.slot.lock().await;
        let Some(held) = slot.as_ref().filter(|held| held.world.seq() == seq) else { return };
        match idle.checked_sub(held.asked.elapsed()) {
            Some(rest) if !rest.is_zero() => wait = rest,
            _ => {
                *slot = None;
                return;
            }
        }
    }
}

fn before(base: Head) -> PastError {
    PastError::LetGo { first: Timestamp::from_millis(base.time_ms), seq: base.seq }
}

/// The World after an entry, from the newest good snapshot before it.
fn world_after(writer: &Writer, seq: u64) -> Result<World, ReplayError> {
    follow(newest_before(writer, seq.saturating_add(1))?, writer, seq)
}

/// The World of the newest good snapshot of an entry before this one; that with which the record begins where there is none.
pub(crate) fn newest_before(writer: &Writer, seq: u64) -> Result<World, ReplayError> {
    let usable =
        |snapshot: &Snapshot| snapshot.head.seq < seq && snapshot.format == u32::from(SNAPSHOT_VERSION);
    let held = writer.wait_for(|journal| journal.snapshots())??;
    for snapshot in held.into_iter().filter(usable) {
        match read_snapshot(&snapshot, writer)? {
            Ok(world) => return Ok(world),
            Err(reason) => tracing::warn!(seq = snapshot.head.seq, reason, "a snapshot is passed over"),
        }
    }
    writer.wait_for(|journal| beginning(journal))?
}

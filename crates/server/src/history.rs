//! Letting old history go: the record then begins later, with the state after an entry that is older than what is to be kept.
//!
//! A round goes so, and may be cut off anywhere (decision 27):
//!
//! 1. The newest snapshot from before the horizon is proven: the entries before it are replayed and must give the same World.
//! 2. An entry that names it, `history-cut`, is appended: the removal is on the record before it begins.
//! 3. The journal is cut there; what lies before is removed by small steps between the writer's appends.
//! 4. Blobs go that neither the state there nor an entry since names.

mod marks;

use std::time::Duration;

use tenon_engine::{SNAPSHOT_VERSION, World};
use tenon_journal::{Head, Journal, JournalError, Removal, Snapshot};
use tenon_model::{Command, Digest, EventError, HistoryBase, Timestamp};
use tokio::sync::watch;

use crate::between::{Between, Reach, WorkError};
use crate::replay::{ReplayError, follow, read_snapshot};
use crate::snapshots;
use crate::writer::{SubmitError, Writer};
use marks::Marks;

/// How often is looked whether something can go.
const EVERY: Duration = Duration::from_secs(3_600);
/// The record begins later only where that lets go a twentieth of what is kept, because each time all of it is read.
const SHARE: u32 = 20;
/// In milliseconds.
const DAY: i64 = 86_400_000;
/// Blobs that are looked at in one step.
const PAGE: usize = 1_000;

/// What a round let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LetGo {
    /// The entry with which the record begins now, where it began earlier before.
    pub base: Option<u64>,
    /// How many blobs went.
    pub blobs: u64,
}

/// Why history was not let go. What is there is whole: the next round goes on.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The writer stopped.
    #[error(transparent)]
    Stopped(#[from] SubmitError),
    /// The journal refused or failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The record does not replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// An entry is no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The state does not encode.
    #[error("the state after entry {seq} has no digest: {source}")]
    Digest {
        /// The entry.
        seq: u64,
        /// What the encoder says.
        source: serde_json::Error,
    },
    /// The entries say something else than the snapshot.
    #[error(
        "the snapshot after entry {seq} is not what the entries before it give ({reason}): nothing is let go; \
         verify the record, and restore it from a backup"
    )]
    Unproven {
        /// The entry.
        seq: u64,
        /// What differs.
        reason: String,
    },
    /// Another Tenon writes the record.
    #[error("another Tenon leads since term {term}: it lets history go, this one does not")]
    Superseded {
        /// Its term.
        term: u64,
    },
}

impl From<WorkError> for HistoryError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Stopped(error) => error.into(),
            WorkError::Journal(error) => error.into(),
        }
    }
}

/// Keeps so many days of history until told to stop.
pub(crate) async fn keep_days(writer: Writer, days: u32, mut stopped: watch::Receiver<bool>) {
    let mut swept = None;
    loop {
        let round = writer.clone();
        let done = tokio::task::spawn_blocking(move || keep_once(&round, days, swept)).await;
        match done {
            Ok(Ok(base)) => swept = base,
            Ok(Err(HistoryError::Stopped(_))) => return,
            Ok(Err(error)) => tracing::error!(%error, "no history is let go"),
            Err(error) => tracing::error!(%error, "no history is let go"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// One look. `swept` is the base behind which nothing is left, as far as is known; returned is that of now.
fn keep_once(writer: &Writer, days: u32, swept: Option<u64>) -> Result<Option<u64>, HistoryError> {
    let Some(now) = writer.world().time() else { return Ok(swept) };
    let base = writer.wait_for(|journal| journal.base())??;
    let before = Timestamp::from_millis(now.as_millis().saturating_sub(i64::from(days) * DAY));
    let worth = base.is_none_or(|base| {
        let begins = Timestamp::from_millis(base.time_ms);
        begins.plus_days(days.div_ceil(SHARE)) <= before
    });
    if !worth && base.map(|base| base.seq) == swept {
        return Ok(swept);
    }
    // A round that was cut off is finished in any case.
    let before = if worth { before } else { Timestamp::from_millis(0) };
    let gone = let_go(writer, before, days)?;
    if gone != LetGo::default() {
        tracing::info!(base = gone.base, blobs = gone.blobs, "old history is let go");
    }
    Ok(writer.wait_for(|journal| journal.base())??.map(|base| base.seq))
}

/// Lets go what is not needed to see the World of any moment after `before`. `days` is written down as how much was to be
/// kept. It reads much, and takes memory for another World; not for an asynchronous task.
///
/// # Errors
/// [`HistoryError`]; what must be kept is there in any case.
pub fn let_go(writer: &Writer, before: Timestamp, days: u32) -> Result<LetGo, HistoryError> {
    let mut between = writer.between();
    let term = writer.world().term();
    let mut gone = LetGo::default();
    if let Some(snapshot) = newest_before(writer, before)? {
        let head = snapshot.head;
        let world = proven(writer, &snapshot)?;
        let time = Timestamp::from_millis(head.time_ms);
        let base =
            HistoryBase { seq: head.seq, hash: head.hash, time, world, snapshot: snapshot.digest, days };
        writer.wait_to_submit(Command::CutHistory { base })?;
        between.change(move |journal| led(journal, term, |journal, last| journal.cut(last, &head)))??;
        gone.base = Some(head.seq);
    }
    if let Some(base) = writer.wait_for(|journal| journal.base())?? {
        remove_before(&mut between, term, base.seq)?;
        gone.blobs = sweep(writer, &mut between, term, &base)?;
        while between.change(|journal| journal.give_room_back())? == Removal::Partly {}
    }
    Ok(gone)
}

/// The newest snapshot of an entry stamped before a time with which the record does not begin yet.
fn newest_before(writer: &Writer, before: Timestamp) -> Result<Option<Snapshot>, HistoryError> {
    let (held, base) =
        writer.wait_for(|journal| Ok::<_, JournalError>((journal.snapshots()?, journal.base()?)))??;
    let later = |snapshot: &Snapshot| base.is_none_or(|base| snapshot.head.seq > base.seq);
    let usable = |snapshot: &Snapshot| {
        snapshot.head.time_ms < before.as_millis()
            && snapshot.format == u32::from(SNAPSHOT_VERSION)
            && later(snapshot)
    };
    Ok(held.into_iter().find(usable))
}

/// The digest of the World of a snapshot, once the entries before it give the same: from the snapshot before it on, or from
/// where the record begins.
fn proven(writer: &Writer, snapshot: &Snapshot) -> Result<Digest, HistoryError> {
    let seq = snapshot.head.seq;
    let digest_of = |world: World| world.digest().map_err(|source| HistoryError::Digest { seq, source });
    // One World at a time.
    let replayed = digest_of(follow(crate::past::newest_before(writer, seq)?, writer, seq)?)?;
    let unproven = |reason: String| HistoryError::Unproven { seq, reason };
    let told = digest_of(read_snapshot(snapshot, writer)?.map_err(unproven)?)?;
    if told != replayed {
        return Err(unproven(format!("its state has the digest {told}, that of the entries {replayed}")));
    }
    Ok(told)
}

/// Does something to the journal at its end, if this Tenon still leads.
fn led<T>(
    journal: &mut dyn Journal,
    term: u64,
    work: impl FnOnce(&mut dyn Journal, &Head) -> Result<T, JournalError>,
) -> Result<Result<T, HistoryError>, JournalError> {
    let head = journal.head()?;
    if head.term > term {
        return Ok(Err(HistoryError::Superseded { term: head.term }));
    }
    work(journal, &head).map(Ok)
}

/// Removes snapshots, entries and client keys from before the base.
fn remove_before(between: &mut Between, term: u64, base: u64) -> Result<(), HistoryError> {
    for seq in between.change(|journal| journal.leftover_snapshots())? {
        // The others are under way.
        if seq < base {
            snapshots::let_go(between, seq)?;
        }
    }
    let mut step = || {
        between.change(move |journal| led(journal, term, |journal, head| journal.remove_before_base(head)))
    };
    while step()?? == Removal::Partly {}
    Ok(())
}

/// Removes the blobs that nothing names any more, and says how many.
fn sweep(writer: &Writer, between: &mut Between, term: u64, base: &Head) -> Result<u64, HistoryError> {
    let mut marks = Marks::of(&writer.wait_for(|journal| crate::replay::beginning(journal))??, base.seq);
    marks.read_to_the_end(writer)?;
    let (mut after, mut gone) = (None, 0);
    loop {
        let page = writer.wait_for(move |journal| journal.blobs(after.as_ref(), PAGE))??;
        let Some(last) = page.last() else { return Ok(gone) };
        after = Some(*last);
        let mut doomed = marks.unnamed(page);
        while !doomed.is_empty() {
            let step = move |journal: &mut dyn Journal| {
                let removed = led(journal, term, |journal, head| marks.remove(journal, head, &mut doomed))?;
                Ok((marks, doomed, removed))
            };
            let removed;
            (marks, doomed, removed) = between.change(step)?;
            match removed?? {
                Some(count) => gone += count,
                // More was appended meanwhile than is read between two appends.
                None => marks.read_to_the_end(writer)?,
            }
        }
    }
}

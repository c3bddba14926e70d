//! When the writer keeps a copy of the World, so that the next start reads that and not every entry.
//!
//! Encoding goes on in another thread, and what it makes is written in small parts between the writer's appends.

use std::collections::BTreeSet;
use std::time::Instant;

use tenon_engine::{SNAPSHOT_VERSION, World};
use tenon_journal::{Head, Journal, JournalError, Removal, Snapshot};
use tenon_model::Timestamp;

use crate::between::{Reach, WorkError};

/// The newest snapshots, which are held in any case: should the newest be damaged, there is one before it.
const NEWEST: usize = 2;
const DAY: i64 = 86_400_000;
/// Of the ones before, the last of each span is held so long: looking back replays what is between two of them (decision 26).
/// Span and age of the oldest, in milliseconds.
const THINNED: [(i64, i64); 3] = [(DAY, 7 * DAY), (7 * DAY, 42 * DAY), (30 * DAY, 432 * DAY)];
/// After one that took so long, so many times that passes before the next: a large World under load would else be copied
/// without end.
const REST: u32 = 4;

/// After how much a new snapshot is worth its size. Whatever comes first counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cadence {
    /// Entries.
    entries: u64,
    /// Bytes of events and of what they name.
    bytes: u64,
    /// Time by the stamps of entries, where a tenth of the entries came.
    age_ms: i64,
}

impl Cadence {
    /// So many entries and bytes replay in seconds; and looking back finds one of every day.
    pub(crate) const USUAL: Self = Self { entries: 10_000, bytes: 256 << 20, age_ms: DAY };

    /// Like the usual, with another number of entries.
    pub(crate) fn every(entries: u64) -> Self {
        Self { entries, ..Self::USUAL }
    }

    /// A tenth of the entries: as many as make one worth it where something else asks for it.
    fn few(self) -> u64 {
        (self.entries / 10).max(1)
    }
}

/// What the writer knows of its snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    cadence: Cadence,
    /// The entry of the newest, or of the last one that failed.
    last: u64,
    /// Its stamp.
    last_ms: Option<i64>,
    /// What was appended since.
    bytes: u64,
    pace: Pace,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    Ready,
    UnderWay { began: Instant },
    Resting { until: Instant },
}

impl Snapshots {
    pub(crate) fn new(journal: &dyn Journal, cadence: Cadence) -> Result<Self, JournalError> {
        let newest = journal.snapshots()?.first().map(|newest| newest.head);
        let (last, last_ms) = (newest.map_or(0, |head| head.seq), newest.map(|head| head.time_ms));
        Ok(Self { cadence, last, last_ms, bytes: 0, pace: Pace::Ready })
    }

    /// So much was appended.
    pub(crate) fn grew(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether to begin one now, after this entry with this stamp: one at a time.
    pub(crate) fn is_due(&mut self, seq: u64, time: Option<Timestamp>, now: Instant) -> bool {
        match self.pace {
            Pace::UnderWay { .. } => return false,
            Pace::Resting { until } if now < until => return false,
            Pace::Resting { .. } | Pace::Ready => {}
        }
        let entries = seq.saturating_sub(self.last);
        let aged =
            self.last_ms.zip(time).is_some_and(|(last, time)| time.as_millis() - last >= self.cadence.age_ms);
        let due = entries >= self.cadence.entries
            || (entries > 0 && self.bytes >= self.cadence.bytes)
            || (entries >= self.cadence.few() && aged);
        if due {
            self.pace = Pace::UnderWay { began: now };
            self.last = seq;
            self.last_ms = time.map(Timestamp::as_millis);
            self.bytes = 0;
        }
        due
    }

    /// The one that was begun is kept, or given up.
    pub(crate) fn ended(&mut self, now: Instant) {
        if let Pace::UnderWay { began } = self.pace {
            self.pace = Pace::Resting { until: now + (now - began) * REST };
        }
    }

    /// Whether one is worth it at the end, which it delays: a start soon follows. One under way does not come to its end.
    pub(crate) fn is_due_at_stop(&self, seq: u64) -> bool {
        matches!(self.pace, Pace::UnderWay { .. }) || seq.saturating_sub(self.last) >= self.cadence.few()
    }
}

/// Lets the work of every other thread of this process go first: a copy is worth no request's time. On Linux a niceness is that of
/// one thread; where the kernel refuses, the copy only takes more from the others.
pub(crate) fn step_aside() {
    const NICENESS: i32 = 10;
    let thread = Some(rustix::thread::gettid());
    if let Err(error) = rustix::process::setpriority_process(thread, NICENESS) {
        tracing::debug!(%error, "snapshots are made at the priority of everything else");
    }
}

/// Encodes the World after an entry, keeps that, and lets those go that are too many. A failure is only told: the record does
/// not need it.
pub(crate) fn keep(reach: &mut impl Reach, head: Head, world: World) {
    let started = Instant::now();
    match try_keep(reach, head, world) {
        Ok(size) => {
            let took = started.elapsed();
            tracing::info!(seq = head.seq, size, ?took, "a snapshot is kept");
        }
        Err(error) => tracing::warn!(%error, seq = head.seq, "no snapshot is kept"),
    }
}

fn try_keep(reach: &mut impl Reach, head: Head, world: World) -> Result<u64, KeepError> {
    let content = world.to_snapshot()?;
    // From here on the live World need not keep what it replaces for this one.
    drop(world);
    let snapshot = Snapshot::of(&head, u32::from(SNAPSHOT_VERSION), &content);
    for seq in reach.change(|journal| journal.leftover_snapshots())? {
        let_go(reach, seq)?;
    }
    reach.change(move |journal| journal.begin_snapshot(&snapshot))?;
    let size = content.len();
    for (part, content) in (0..).zip(content) {
        reach.change(move |journal| journal.add_to_snapshot(head.seq, part, &content))?;
    }
    for seq in too_many(&reach.change(|journal| journal.snapshots())?) {
        let_go(reach, seq)?;
    }
    Ok(size)
}

/// Lets a snapshot go, part by part.
pub(crate) fn let_go(reach: &mut impl Reach, seq: u64) -> Result<(), WorkError> {
    while reach.change(move |journal| journal.forget_snapshot(seq))? == Removal::Partly {}
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error(transparent)]
    Encoding(#[from] tenon_engine::SnapshotError),
}

/// Which of these, the newest first, need not be held.
fn too_many(held: &[Snapshot]) -> Vec<u64> {
    let newest = held.first().map_or(0, |newest| newest.head.time_ms);
    let mut spans = BTreeSet::new();
    let mut forget = Vec::new();
    for (place, snapshot) in held.iter().enumerate() {
        let time = snapshot.head.time_ms;
        let span = THINNED
            .iter()
            .find(|(_, oldest)| newest.saturating_sub(time) < *oldest)
            .map(|(span, _)| (*span, time.div_euclid(*span)));
        let is_first_of_span = span.is_some_and(|span| spans.insert(span));
        // What another program wrote is of no use to this one.
        let is_readable = snapshot.format == u32::from(SNAPSHOT_VERSION);
        if place >= NEWEST && !(is_first_of_span && is_readable) {
            forget.push(snapshot.head.seq);
        }
    }
    forget
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenon_journal::MemoryJournal;
    use tenon_model::Digest;

    use super::*;

    fn due(snapshots: &mut Snapshots, seq: u64, time_ms: i64, now: Instant) -> bool {
        snapshots.is_due(seq, Some(Timestamp::from_millis(time_ms)), now)
    }

    #[test]
    fn one_is_due_after_entries_after_bytes_and_after_a_day_and_not_at_once_again() {
        let start = Instant::now();
        let mut snapshots = Snapshots::new(&MemoryJournal::new(0), Cadence::every(100)).unwrap();
        assert!(!due(&mut snapshots, 99, 0, start));
        assert!(due(&mut snapshots, 100, 0, start));
        // While it is under way, and while it rests after that.
        assert!(!due(&mut snapshots, 300, 0, start));
        let ended = start + Duration::from_secs(10);
        snapshots.ended(ended);
        assert!(!due(&mut snapshots, 300, 0, ended + Duration::from_secs(39)));
        let rested = ended + Duration::from_secs(41);
        assert!(due(&mut snapshots, 300, 0, rested));
        snapshots.ended(rested);
        snapshots.grew((256 << 20) - 1);
        assert!(!due(&mut snapshots, 301, 0, rested));
        snapshots.grew(1);
        assert!(due(&mut snapshots, 301, 1, rested));
        snapshots.ended(rested);
        assert!(!due(&mut snapshots, 310, DAY + 1, rested), "too few entries for a day");
        assert!(!due(&mut snapshots, 311, DAY, rested), "not yet a day");
        assert!(due(&mut snapshots, 311, DAY + 1, rested));
    }

    #[test]
    fn snapshots_thin_out_with_age_and_leave_one_before_every_time_of_the_last_year() {
        let step = 5 * 3_600_000;
        let mut held: Vec<Snapshot> = Vec::new();
        for seq in 1..3_000_u64 {
            let head = Head { seq, time_ms: seq as i64 * step, term: 1, hash: Digest::of(b"") };
            let format = u32::from(SNAPSHOT_VERSION);
            held.insert(0, Snapshot { head, format, size: 0, digest: Digest::of(b"") });
            let forget = too_many(&held);
            held.retain(|snapshot| !forget.contains(&snapshot.head.seq));
            assert!(held.len() <= 30, "{}", held.len());
            assert_eq!(held[0].head.seq, seq);
            assert!(seq < 2 || held[1].head.seq == seq - 1);
        }
        let newest = held[0].head.time_ms;
        for age in 0..400 {
            let wanted = newest - age * DAY;
            let before = held.iter().map(|one| one.head.time_ms).find(|time| *time <= wanted).unwrap();
            let most = if age < 6 {
                2
            } else if age < 35 {
                14
            } else {
                60
            };
            assert!(wanted - before <= most * DAY, "{age} days back: {} days", (wanted - before) / DAY);
        }
    }

    #[test]
    fn what_this_program_cannot_read_goes_before_what_it_can() {
        let of = |seq, format| {
            let head = Head { seq, time_ms: seq as i64 * DAY, term: 1, hash: Digest::of(b"") };
            Snapshot { head, format, size: 0, digest: Digest::of(b"") }
        };
        let (ours, other) = (u32::from(SNAPSHOT_VERSION), u32::from(SNAPSHOT_VERSION) + 1);
        assert_eq!(too_many(&[of(4, ours), of(3, ours), of(2, other), of(1, ours)]), [2]);
        assert_eq!(too_many(&[of(2, ours), of(1, other)]), [0; 0]);
    }
}

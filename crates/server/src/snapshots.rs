//! When the writer keeps a copy of the World, so that the next start reads that and not every entry.

use std::collections::BTreeSet;

use tenon_engine::{SNAPSHOT_VERSION, World};
use tenon_journal::{Head, Journal, JournalError, Snapshot};

/// Entries after which a new snapshot is worth its size: so many replay in seconds.
pub(crate) const SNAPSHOT_EVERY: u64 = 10_000;
/// The newest snapshots, which are held in any case: should the newest be damaged, there is one before it.
const NEWEST: usize = 2;
const DAY: i64 = 86_400_000;
/// Of the ones before, the last of each span is held so long: looking back replays what is between two of them (decision 26).
/// Span and age of the oldest, in milliseconds.
const THINNED: [(i64, i64); 3] = [(DAY, 7 * DAY), (7 * DAY, 42 * DAY), (30 * DAY, 432 * DAY)];

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
    for seq in too_many(&journal.snapshots()?) {
        journal.forget_snapshot(seq)?;
    }
    Ok(())
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
    use tenon_model::Digest;

    use super::*;

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

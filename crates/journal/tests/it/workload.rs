//! What the journal is asked to do, and what it must hold after every step.

use std::collections::BTreeMap;
use std::fmt;

use tenon_journal::{
    Acknowledged, Batch, ClientKey, Entry, Head, Journal, JournalError, MemoryJournal, NewEntry, Removal,
    Snapshot, entry_hash, verify,
};
use tenon_model::{Blob, Digest};

/// Where a workload's journal is kept, and what may fail there.
pub(crate) trait Place {
    type Journal: Journal;

    /// Opens the journal; `checkpoint_after` is for those that have such a thing.
    ///
    /// # Errors
    /// When it does not open.
    fn open(&self, checkpoint_after: Option<u32>) -> Result<Self::Journal, JournalError>;

    /// Whether nothing has failed there so far, so that no step may either.
    fn is_sound(&self) -> bool;

    /// What happens after the last step, with the journal still open.
    fn end(&self);

    /// Told of every error of an open or a step, before a step that was refused for want of space is repeated.
    fn failed(&self, _: &JournalError) {}
}

/// One thing asked of the journal.
enum Step {
    Append(Vec<Batch>),
    PutBlob(Vec<u8>),
    /// Keep a snapshot of so many bytes after the last entry.
    Snapshot(usize),
    /// Let the journal begin with the entry of the newest snapshot.
    Cut,
    /// Remove what lies before that.
    RemoveOld,
    /// Remove these blobs.
    RemoveBlobs(Vec<Digest>),
    GiveRoomBack,
    /// Close the journal and open it again.
    Reopen,
}

impl Step {
    /// Does it with a journal that is in this state, and returns where it ends.
    ///
    /// # Errors
    /// Those of the journal.
    fn take(&self, journal: &mut dyn Journal, state: &State) -> Result<Head, JournalError> {
        let head = state.head;
        match self {
            Self::Append(batches) => return journal.append(&head, batches),
            Self::PutBlob(content) => drop(journal.put_blob(content)?),
            Self::Snapshot(size) => {
                let content = vec![11; *size];
                // Begun and cut off the last time: begin again.
                for seq in journal.leftover_snapshots()? {
                    while journal.forget_snapshot(seq)? == Removal::Partly {}
                }
                journal.keep_snapshot(&head, 1, &content)?;
            }
            Self::Cut => journal.cut(&head, &state.snapshots[0].head)?,
            Self::RemoveOld => while journal.remove_before_base(&head)? == Removal::Partly {},
            Self::RemoveBlobs(blobs) => {
                let mut left = blobs.as_slice();
                while !left.is_empty() {
                    left = &left[journal.remove_blobs(&head, left)?..];
                }
            }
            Self::GiveRoomBack => while journal.give_room_back()? == Removal::Partly {},
            Self::Reopen => {}
        }
        Ok(head)
    }
}

/// Steps, with the state after each of them as the journal in memory has it.
pub(crate) struct Workload {
    /// Pages in the log after which it is written back; `None` for SQLite's default.
    checkpoint_after: Option<u32>,
    steps: Vec<Step>,
    /// `states[n]` is the state after `n` steps.
    states: Vec<State>,
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    head: Head,
    blobs: Vec<Digest>,
    keys: BTreeMap<ClientKey, Acknowledged>,
    base: Option<Head>,
    snapshots: Vec<Snapshot>,
}

impl State {
    /// All that a journal holds but the entries, which the head stands for once they are verified.
    fn of(journal: &dyn Journal, keys: &[ClientKey]) -> Result<Self, JournalError> {
        let mut acknowledged = BTreeMap::new();
        for key in keys {
            acknowledged.extend(journal.lookup_client_key(key)?.map(|answer| (key.clone(), answer)));
        }
        Ok(Self {
            head: journal.head()?,
            blobs: journal.blobs(None, usize::MAX)?,
            keys: acknowledged,
            base: journal.base()?,
            snapshots: journal.snapshots()?,
        })
    }
}

/// How far a run came before the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Steps that returned success.
    pub(crate) acknowledged: usize,
    /// Steps that may be there: one more than acknowledged where the journal said that it does not know.
    pub(crate) possible: usize,
    /// Steps that were refused for want of space, and succeeded at once when they were repeated.
    pub(crate) repeated: usize,
}

/// What a run must find on the disk afterwards, and does not.
#[derive(Debug)]
pub(crate) enum Violation {
    /// The journal does not open, or breaks a promise that has nothing to do with what was acknowledged.
    Broken(String),
    /// An acknowledged step is not there.
    Lost(String),
    /// A step is there in part, or one is there that the journal said was not written.
    Half(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(detail) => write!(f, "broken: {detail}"),
            Self::Lost(detail) => write!(f, "lost: {detail}"),
            Self::Half(detail) => write!(f, "half there: {detail}"),
        }
    }
}

impl std::error::Error for Violation {}

impl Workload {
    /// Small and large entries, groups, blobs, keys and restarts, with a checkpoint every few steps.
    pub(crate) fn mixed() -> Self {
        let text = |size: usize, fill: u8| vec![fill; size];
        let steps = vec![
            Step::Append(vec![batch(0, &[40], vec![text(100, 1)])]),
            Step::Append(vec![
                batch(1, &[30, 900], vec![text(5_000, 2)]),
                batch(2, &[], vec![]),
                batch(3, &[10, 10, 10], vec![text(0, 0), text(9_000, 3)]),
            ]),
            Step::PutBlob(text(12_000, 4)),
            Step::Append(vec![batch(4, &[60_000], vec![])]),
            Step::Append(vec![
                batch(5, &[20], vec![text(5_000, 2), text(70_000, 5)]),
                batch(6, &[20], vec![]),
            ]),
            Step::Append(vec![batch(7, &[4_096, 4_000], vec![])]),
            Step::Reopen,
            Step::Append(vec![batch(8, &[100], vec![text(300, 6)])]),
            Step::PutBlob(text(300, 6)),
            Step::Snapshot(20_000),
            Step::Append(vec![batch(9, &[300], vec![text(8_000, 10)])]),
            Step::Cut,
            Step::RemoveOld,
            Step::RemoveBlobs([text(5_000, 2), text(70_000, 5)].map(|blob| Digest::of(&blob)).to_vec()),
            Step::GiveRoomBack,
            Step::Append(vec![batch(10, &[100], vec![]), batch(11, &[25_000], vec![text(600, 7)])]),
            Step::Reopen,
            Step::Append(vec![batch(13, &[1], vec![])]),
        ];
        Self::of(Some(8), steps)
    }

    /// One command whose content overflows the page cache and the log, so that the log starts over afterwards.
    pub(crate) fn large() -> Self {
        let steps = vec![
            Step::Append(vec![batch(0, &[50], vec![])]),
            Step::Append(vec![batch(1, &[700_000, 60], vec![vec![8; 3_600_000]])]),
            Step::Append(vec![batch(2, &[50], vec![vec![9; 9_000]])]),
            Step::Append(vec![batch(3, &[50], vec![]), batch(4, &[50], vec![])]),
        ];
        Self::of(None, steps)
    }

    fn of(checkpoint_after: Option<u32>, steps: Vec<Step>) -> Self {
        let mut model = MemoryJournal::new(0);
        let mut workload = Self { checkpoint_after, steps, states: Vec::new(), entries: Vec::new() };
        let keys = workload.keys();
        workload.states.push(State::of(&model, &keys).unwrap());
        for step in &workload.steps {
            let last = model.head().unwrap().seq;
            step.take(&mut model, &workload.states[workload.states.len() - 1]).unwrap();
            workload.states.push(State::of(&model, &keys).unwrap());
            workload.entries.extend(model.read(last + 1, usize::MAX).unwrap());
        }
        workload
    }

    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    fn keys(&self) -> Vec<ClientKey> {
        let appends = self.steps.iter().filter_map(|step| match step {
            Step::Append(batches) => Some(batches),
            _ => None,
        });
        appends.flatten().filter_map(|batch| batch.client_key.clone()).collect()
    }

    fn open<P: Place>(&self, place: &P) -> Result<P::Journal, JournalError> {
        place.open(self.checkpoint_after)
    }

    /// Runs the steps after the first `from` until one fails, at the latest until the place ends after the last of
    /// them. `observe` is told of every step that was acknowledged.
    ///
    /// # Errors
    /// When a step fails on a sound disk, or answers what the model does not.
    pub(crate) fn run<P: Place>(
        &self,
        place: &P,
        from: usize,
        mut observe: impl FnMut(usize),
    ) -> Result<Progress, Violation> {
        let mut progress = Progress { acknowledged: from, possible: from, repeated: 0 };
        let failed = |progress, error: &JournalError| {
            place.failed(error);
            if place.is_sound() {
                Err(Violation::Broken(format!("{progress:?} failed where nothing had: {error}")))
            } else {
                Ok(progress)
            }
        };
        let mut journal = match self.open(place) {
            Ok(journal) => journal,
            Err(error) => return failed(progress, &error),
        };
        for (done, step) in self.steps.iter().enumerate().skip(from) {
            let take = |journal: &mut P::Journal| step.take(journal, &self.states[done]);
            if let Step::Reopen = step {
                drop(journal);
                match self.open(place) {
                    Ok(opened) => journal = opened,
                    Err(error) => return failed(progress, &error),
                }
            }
            let mut result = take(&mut journal);
            if let Err(error @ JournalError::StorageFull { .. }) = &result {
                place.failed(error);
                result = take(&mut journal);
                progress.repeated += usize::from(result.is_ok());
            }
            match result {
                Ok(head) if head == self.states[done + 1].head => {}
                Ok(head) => return Err(Violation::Broken(format!("step {done} answered {head:?}"))),
                Err(error) => {
                    if matches!(error, JournalError::OutcomeUnknown { .. }) {
                        progress.possible += 1;
                        if !matches!(journal.head(), Err(JournalError::NeedsReopen { .. })) {
                            let detail = "the handle goes on after an unknown outcome";
                            return Err(Violation::Broken(detail.to_owned()));
                        }
                    }
                    return failed(progress, &error);
                }
            }
            progress = Progress { acknowledged: done + 1, possible: done + 1, ..progress };
            observe(done);
        }
        place.end();
        Ok(progress)
    }

    /// Opens what is left, checks it against the promises of the journal, and appends one more entry where
    /// it is not there yet: life goes on. Returns the number of steps that are there.
    ///
    /// # Errors
    /// The promise that is broken.
    pub(crate) fn check<P: Place>(
        &self,
        place: &P,
        progress: Progress,
        one_more: OneMore,
    ) -> Result<usize, Violation> {
        let broken = |error: &dyn fmt::Display| Violation::Broken(format!("{progress:?}: {error}"));
        let mut journal = self.open(place).map_err(|error| broken(&error))?;
        let report = verify(&journal).map_err(|error| broken(&error))?;
        let state = State::of(&journal, &self.keys()).map_err(|error| broken(&error))?;
        let same = |wanted: &State, head| {
            let kept = |of: &State| (of.base, of.snapshots.clone());
            (head, &wanted.blobs, &wanted.keys, kept(wanted))
                == (state.head, &state.blobs, &state.keys, kept(&state))
        };
        let plain = |wanted: &State| one_more != OneMore::There && same(wanted, wanted.head);
        let longer = |wanted: &State| one_more != OneMore::Absent && same(wanted, following(&wanted.head).1);
        let holds = |steps: &usize| plain(&self.states[*steps]) || longer(&self.states[*steps]);
        // The later one first: a step that only opens or stores what is there already leaves the state as it was.
        let Some(steps) = (progress.acknowledged..=progress.possible).rev().find(holds) else {
            let detail = format!("{progress:?}, {one_more:?}: {} entries are there", state.head.seq);
            // A state from before, with the one more entry or without it.
            let lost = self.states[..=progress.acknowledged]
                .iter()
                .any(|old| same(old, old.head) || same(old, following(&old.head).1));
            return Err(if lost { Violation::Lost(detail) } else { Violation::Half(detail) });
        };
        let entries = journal.read(1, usize::MAX).map_err(|error| broken(&error))?;
        let last = usize::try_from(self.states[steps].head.seq).unwrap();
        let known = &self.entries[state.base.map_or(0, |base| usize::try_from(base.seq).unwrap() - 1)..last];
        if !entries.starts_with(known) || report.head != state.head || report.base != state.base {
            return Err(Violation::Half(format!("{progress:?}: the entries are not those appended")));
        }
        if !longer(&self.states[steps]) {
            let batch = Batch { entries: vec![following(&state.head).0], ..Batch::default() };
            journal.append(&state.head, &[batch]).map_err(|error| broken(&error))?;
        }
        Ok(steps)
    }

    /// How many of the possible steps a journal opened now shows.
    ///
    /// # Errors
    /// When it shows neither.
    pub(crate) fn seen<P: Place>(&self, place: &P, progress: Progress) -> Result<usize, Violation> {
        let state = self.open(place).and_then(|journal| State::of(&journal, &self.keys()));
        let state = state.map_err(|error| Violation::Broken(error.to_string()))?;
        let mut possible = (progress.acknowledged..=progress.possible).rev();
        possible
            .find(|steps| self.states[*steps] == state)
            .ok_or_else(|| Violation::Lost(format!("{progress:?}: {} entries are seen", state.head.seq)))
    }
}

/// Whether the entry that [`Workload::check`] appends is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneMore {
    Absent,
    /// The power failed around its append.
    Perhaps,
    There,
}

/// The entry that [`Workload::check`] appends, and the head after it.
fn following(head: &Head) -> (NewEntry, Head) {
    let entry = NewEntry { time_ms: 1_800_000_000_000, term: 2, payload: b"{\"one\":\"more\"}".to_vec() };
    let hash = entry_hash(head.seq + 1, entry.time_ms, entry.term, &entry.payload, &head.hash);
    let head = Head { seq: head.seq + 1, time_ms: entry.time_ms, term: entry.term, hash };
    (entry, head)
}

/// A batch with a key of its own, entries of these sizes and these blobs.
fn batch(number: usize, sizes: &[usize], blobs: Vec<Vec<u8>>) -> Batch {
    let entry = |(n, size): (usize, &usize)| {
        let mut payload = format!("{{\"command\":{number},\"event\":{n},\"text\":\"").into_bytes();
        payload.resize(payload.len() + size, b'x');
        NewEntry { time_ms: 1_700_000_000_000 + number as i64, term: 1, payload }
    };
    Batch {
        blobs: blobs.into_iter().map(Blob::new).collect(),
        entries: sizes.iter().enumerate().map(entry).collect(),
        client_key: Some(format!("command-{number}").parse().unwrap()),
    }
}

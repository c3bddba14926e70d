//! A journal in memory, for tests and simulations, on a simulated disk that fails on request.

use std::collections::{BTreeMap, btree_map};
use std::path::PathBuf;

use tenon_model::{Blob, Digest};

use crate::journal::{
    Checked, REMOVED_AT_ONCE, check, check_base, check_blob, check_expected, removed_at_once,
};
use crate::{
    Acknowledged, Batch, ClientKey, Durability, Entry, Head, Journal, JournalError, MAX_PAGE_BYTES,
    MAX_PAGE_ENTRIES, Removal, Snapshot,
};

/// What happens to one write (an append or a blob) of a [`MemoryJournal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space is left: refused, nothing is written.
    DiskFull,
    /// The process dies before anything reaches the disk.
    CrashBeforeWrite,
    /// The process dies while writing: a seeded prefix of the pieces is on the disk, perhaps all of them.
    TornWrite,
    /// The process dies while writing and the disk completed out of order: a seeded subset of the pieces is there.
    Reordered,
    /// The process dies after the sync, before it can acknowledge: the write is durable.
    CrashAfterSync,
    /// The disk lies: the write is acknowledged, yet only a seeded subset of its pieces survives a restart. No
    /// journal can survive this; it exists to show that a test notices.
    LostSync,
}

/// A journal in memory. Without faults it keeps the contract for as long as the process lives.
#[derive(Debug)]
pub struct MemoryJournal {
    entries: Vec<Entry>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    keys: BTreeMap<ClientKey, Acknowledged>,
    snapshots: BTreeMap<u64, Held>,
    base: Option<Head>,
    records: Vec<Record>,
    faults: BTreeMap<u64, Fault>,
    writes: u64,
    rng: u64,
    crashed: bool,
}

/// A snapshot and the parts of it that are there.
type Held = (Snapshot, Vec<Vec<u8>>);

fn is_whole((snapshot, parts): &Held) -> bool {
    parts.iter().map(|part| part.len() as u64).sum::<u64>() == snapshot.size
}

/// One write as the disk has it: every entry, blob and key is a piece, and one more marks the end.
#[derive(Debug)]
struct Record {
    entries: usize,
    blobs: Vec<Digest>,
    keys: Vec<ClientKey>,
    survives: Survives,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Survives {
    Whole,
    /// Some piece is missing, so that recovery takes it for a write that never ended.
    Partly,
}

impl MemoryJournal {
    /// An empty journal whose faults draw from a generator (SplitMix64) that starts in this state.
    pub fn new(rng: u64) -> Self {
        Self {
            entries: Vec::new(),
            blobs: BTreeMap::new(),
            keys: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            base: None,
            records: Vec::new(),
            faults: BTreeMap::new(),
            writes: 0,
            rng,
            crashed: false,
        }
    }

    /// Lets the write number `write` (from 0, counted since the journal was made) meet a fault.
    pub fn inject(&mut self, write: u64, fault: Fault) {
        self.faults.insert(write, fault);
    }

    /// Opens the journal again after a crash, with what is on the disk: every write up to the first incomplete one.
    #[must_use]
    pub fn restart(mut self) -> Self {
        let whole = self.records.iter().take_while(|record| record.survives == Survives::Whole).count();
        for record in self.records.drain(whole..).rev() {
            self.entries.truncate(self.entries.len().saturating_sub(record.entries));
            for digest in &record.blobs {
                self.blobs.remove(digest);
            }
            for key in &record.keys {
                self.keys.remove(key);
            }
        }
        // A snapshot is durable when it is stored, yet not the entries that a lying disk lost.
        let last = self.current_head().seq;
        self.snapshots.retain(|seq, _| *seq <= last);
        self.crashed = false;
        self
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn draw(&mut self) -> u64 {
        self.rng = self.rng.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.rng;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn draw_subset(&mut self, pieces: usize) -> Survives {
        // Drawn for every piece, so that one more piece disturbs nothing drawn before.
        let kept = (0..pieces).filter(|_| self.draw() & 1 == 0).count();
        if kept == pieces { Survives::Whole } else { Survives::Partly }
    }

    fn path() -> PathBuf {
        PathBuf::from("the memory journal")
    }

    fn alive(&self) -> Result<(), JournalError> {
        if self.crashed { Err(JournalError::NeedsReopen { path: Self::path() }) } else { Ok(()) }
    }

    fn write(&mut self, checked: Checked, contents: &[&Blob]) -> Result<Head, JournalError> {
        let fault = self.faults.remove(&self.writes);
        self.writes += 1;
        let pieces = checked.entries.len() + checked.keys.len() + contents.len() + 1;
        let survives = match fault {
            None | Some(Fault::CrashAfterSync) => Survives::Whole,
            Some(Fault::DiskFull) => return Err(JournalError::StorageFull { path: Self::path() }),
            Some(Fault::CrashBeforeWrite) => Survives::Partly,
            Some(Fault::TornWrite) => {
                let kept = self.draw() % (pieces as u64 + 1);
                if kept == pieces as u64 { Survives::Whole } else { Survives::Partly }
            }
            Some(Fault::Reordered | Fault::LostSync) => self.draw_subset(pieces),
        };
        let mut record =
            Record { entries: checked.entries.len(), blobs: Vec::new(), keys: Vec::new(), survives };
        for content in contents {
            if let btree_map::Entry::Vacant(place) = self.blobs.entry(content.digest()) {
                place.insert(content.bytes().to_vec());
                record.blobs.push(content.digest());
            }
        }
        for (key, acknowledged) in checked.keys {
            self.keys.insert(key.clone(), acknowledged);
            record.keys.push(key);
        }
        self.entries.extend(checked.entries);
        self.records.push(record);
        match fault {
            None | Some(Fault::LostSync | Fault::DiskFull) => Ok(checked.head),
            Some(Fault::CrashBeforeWrite | Fault::TornWrite | Fault::Reordered | Fault::CrashAfterSync) => {
                self.crashed = true;
                Err(JournalError::OutcomeUnknown {
                    path: Self::path(),
                    source: "the simulated process died".into(),
                })
            }
        }
    }

    /// A removal is one piece: it happened or it did not. One that a lying disk loses leaves more than there must be.
    fn remove<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, JournalError> {
        let fault = self.faults.remove(&self.writes);
        self.writes += 1;
        let happens = match fault {
            None | Some(Fault::LostSync) => return Ok(work(self)),
            Some(Fault::DiskFull) => return Err(JournalError::StorageFull { path: Self::path() }),
            Some(Fault::CrashBeforeWrite) => false,
            Some(Fault::TornWrite | Fault::Reordered) => self.draw() & 1 == 0,
            Some(Fault::CrashAfterSync) => true,
        };
        if happens {
            work(self);
        }
        self.crashed = true;
        Err(JournalError::OutcomeUnknown { path: Self::path(), source: "the simulated process died".into() })
    }

    /// The place of the first entry that is read.
    fn first(&self) -> u64 {
        self.base.map_or(1, |base| base.seq)
    }

    fn current_head(&self) -> Head {
        self.entries.last().map_or_else(Head::genesis, Entry::head)
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, expected: &Head, batches: &[Batch]) -> Result<Head, JournalError> {
        self.alive()?;
        let checked = check(self.current_head(), expected, batches)?;
        for (key, _) in &checked.keys {
            if let Some(acknowledged) = self.keys.get(key) {
                return Err(JournalError::ClientKeyUsed { key: key.clone(), acknowledged: *acknowledged });
            }
        }
        let contents: Vec<&Blob> = batches.iter().flat_map(|batch| &batch.blobs).collect();
        self.write(checked, &contents)
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.alive()?;
        Ok(self.current_head())
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.alive()?;
        // Entries before the base are there until they are removed.
        let held_from = self.entries.first().map_or(1, |entry| entry.seq);
        let from = from_seq.max(self.first()).saturating_sub(held_from);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let mut page = Vec::new();
        let mut bytes = 0;
        for entry in self.entries.iter().skip(from).take(limit.min(MAX_PAGE_ENTRIES)) {
            bytes += entry.payload.len();
            page.push(entry.clone());
            if bytes >= MAX_PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }

    fn put_blob(&mut self, content: &[u8]) -> Result<Digest, JournalError> {
        self.alive()?;
        check_blob(content)?;
        let checked = Checked { entries: Vec::new(), keys: Vec::new(), head: self.current_head() };
        let blob = Blob::new(content);
        self.write(checked, &[&blob])?;
        Ok(blob.digest())
    }

    fn get_blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        self.alive()?;
        Ok(self.blobs.get(digest).cloned())
    }

    fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, JournalError> {
        self.alive()?;
        let limit = limit.min(MAX_PAGE_ENTRIES);
        Ok(self
            .blobs
            .keys()
            .filter(|digest| after.is_none_or(|after| *digest > after))
            .take(limit)
            .copied()
            .collect())
    }

    fn lookup_client_key(&self, key: &ClientKey) -> Result<Option<Acknowledged>, JournalError> {
        self.alive()?;
        Ok(self.keys.get(key).copied())
    }

    fn begin_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        let seq = snapshot.head.seq;
        Snapshot::check(&snapshot.head, self.read(seq, 1)?.into_iter().next())?;
        match self.snapshots.entry(seq) {
            btree_map::Entry::Occupied(_) => Err(JournalError::SnapshotHeld { seq }),
            btree_map::Entry::Vacant(place) => {
                place.insert((*snapshot, Vec::new()));
                Ok(())
            }
        }
    }

    fn add_to_snapshot(&mut self, seq: u64, part: u32, content: &[u8]) -> Result<(), JournalError> {
        self.alive()?;
        match self.snapshots.get_mut(&seq) {
            Some((_, parts)) if parts.len() == part as usize => {
                parts.push(content.to_vec());
                Ok(())
            }
            _ => Err(JournalError::Storage {
                doing: "add to a snapshot in",
                path: Self::path(),
                source: format!("no snapshot after entry {seq} waits for its part {part}").into(),
            }),
        }
    }

    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError> {
        self.alive()?;
        let held = self.snapshots.range(self.first()..).rev().map(|(_, held)| held);
        Ok(held.filter(|held| is_whole(held)).map(|(snapshot, _)| *snapshot).collect())
    }

    fn leftover_snapshots(&self) -> Result<Vec<u64>, JournalError> {
        self.alive()?;
        let is_none = |(seq, held): &(&u64, &Held)| **seq < self.first() || !is_whole(held);
        Ok(self.snapshots.iter().filter(is_none).map(|(seq, _)| *seq).collect())
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, JournalError> {
        self.alive()?;
        let held = self.snapshots.get(&seq);
        Ok(held.and_then(|(_, parts)| parts.get(part as usize)).cloned())
    }

    fn forget_snapshot(&mut self, seq: u64) -> Result<Removal, JournalError> {
        self.alive()?;
        if self.base.is_some_and(|base| base.seq == seq) {
            return Err(JournalError::SnapshotNeeded { seq });
        }
        let Some((_, parts)) = self.snapshots.get_mut(&seq) else { return Ok(Removal::Whole) };
        parts.pop();
        if !parts.is_empty() {
            return Ok(Removal::Partly);
        }
        self.snapshots.remove(&seq);
        Ok(Removal::Whole)
    }

    fn base(&self) -> Result<Option<Head>, JournalError> {
        self.alive()?;
        Ok(self.base)
    }

    fn cut(&mut self, expected: &Head, base: &Head) -> Result<(), JournalError> {
        self.alive()?;
        check_expected(self.current_head(), expected)?;
        let entry = self.read(base.seq, 1)?.into_iter().next();
        check_base(base, self.base, entry, &self.snapshots()?)?;
        self.remove(|journal| journal.base = Some(*base))
    }

    fn remove_before_base(&mut self, expected: &Head) -> Result<Removal, JournalError> {
        self.alive()?;
        check_expected(self.current_head(), expected)?;
        let first = self.first();
        self.remove(|journal| {
            let before = journal.entries.iter().take_while(|entry| entry.seq < first);
            let sizes: Vec<usize> = before.map(|entry| entry.payload.len()).collect();
            if !sizes.is_empty() {
                journal.entries.drain(..removed_at_once(sizes));
                return Removal::Partly;
            }
            let old = journal.keys.iter().filter(|(_, answer)| answer.last < first);
            let old: Vec<ClientKey> = old.map(|(key, _)| key.clone()).take(REMOVED_AT_ONCE).collect();
            for key in &old {
                journal.keys.remove(key);
            }
            if old.len() < REMOVED_AT_ONCE { Removal::Whole } else { Removal::Partly }
        })
    }

    fn remove_blobs(&mut self, expected: &Head, blobs: &[Digest]) -> Result<usize, JournalError> {
        self.alive()?;
        check_expected(self.current_head(), expected)?;
        self.remove(|journal| {
            let size = |digest| journal.blobs.get(digest).map_or(0, Vec::len);
            let some = removed_at_once(blobs.iter().map(size)).min(blobs.len());
            for digest in &blobs[..some] {
                journal.blobs.remove(digest);
            }
            some
        })
    }

    fn give_room_back(&mut self) -> Result<Removal, JournalError> {
        self.alive()?;
        Ok(Removal::Whole)
    }

    fn durability(&self) -> Result<Durability, JournalError> {
        Ok(Durability::Process)
    }
}

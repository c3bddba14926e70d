//! The model of the disk.
//!
//! **Content.** Every file has a durable image, which is what the last sync left, and a list of the writes and
//! truncates since. The running process sees all of them; a power cut leaves the durable image and, depending on
//! [`Remains`], any of the others: later ones without earlier ones, one cut at a sector, and zeros where a lost write
//! had made the file longer. A write never damages bytes outside its range (SQLite's "powersafe overwrite", which its
//! unix VFS assumes too).
//!
//! **Names.** A file that was created or deleted is durable in its directory once the directory was synced: by a
//! deletion that asks for it, and by the first sync of a log that was just created. SQLite's unix VFS syncs the
//! directory on the first sync after every opening of a log, also of one that was there; that is not relied on. The
//! database itself is durable in its directory as soon as it is created, because the journal
//! promises that part for the file system it uses itself (`create_file` in `open.rs`), before SQLite runs.

use std::collections::BTreeMap;

use super::draw::{Draw, Remains};

/// Unit in which a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// A call that the disk did not carry out, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskError {
    /// The power is off.
    NoPower,
    /// There is no file of this name.
    NoFile,
    /// No space is left; nothing was written.
    Full,
    /// The sync failed, and what it should have made durable never will be.
    BadSync,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Write,
    Truncate,
    Sync,
    Delete,
}

/// One operation as the disk received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

/// How the directory learns of a file that is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// At once.
    Durable,
    /// With the first sync of the file.
    WithFirstSync,
    /// Never: the file has no name and ends with the process.
    Unnamed,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { len: u64 },
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let start = usize::try_from(*offset).unwrap();
                let end = start + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[start..end].copy_from_slice(bytes);
            }
            Self::Truncate { len } => image.truncate(usize::try_from(*len).unwrap()),
        }
    }

    /// What a lost write may leave all the same: the file is longer, by zeros.
    fn lengthen(&self, image: &mut Vec<u8>) {
        if let Self::Write { offset, bytes } = self {
            let end = usize::try_from(*offset).unwrap() + bytes.len();
            image.resize(image.len().max(end), 0);
        }
    }

    /// The sector boundaries inside a write, where it can be cut.
    fn cuts(&self) -> Vec<u64> {
        let Self::Write { offset, bytes } = self else { return Vec::new() };
        let end = offset + bytes.len() as u64;
        (offset / SECTOR + 1..).map(|sector| sector * SECTOR).take_while(|cut| *cut < end).collect()
    }

    /// The part of a write before or after a cut.
    fn part(&self, cut: u64, first: bool) -> Self {
        let Self::Write { offset, bytes } = self else { return self.clone() };
        let at = usize::try_from(cut - offset).unwrap();
        if first {
            Self::Write { offset: *offset, bytes: bytes[..at].to_vec() }
        } else {
            Self::Write { offset: cut, bytes: bytes[at..].to_vec() }
        }
    }
}

#[derive(Debug, Clone, Default)]
struct File {
    name: String,
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    /// The first sync also syncs the directory.
    syncs_directory: bool,
}

impl File {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }
}

/// A disk with one directory.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// Unsynced changes of the directory; `None` is a deletion.
    name_changes: Vec<(String, Option<u64>)>,
    files: BTreeMap<u64, File>,
    next: u64,
    operations: Vec<Operation>,
    power_fails_at: Option<usize>,
    off: bool,
    /// Which syncs, by the name of the file, this disk acknowledges and ignores.
    lies_about: Option<fn(&Disk, &str) -> bool>,
    sync_fails_at: Option<usize>,
    sync_failed: bool,
    full_at: Option<usize>,
    was_full: bool,
}

impl Disk {
    /// Lets the power fail in the operation with this number, counted from 1 and from the disk's start.
    pub(crate) fn fail_at(mut self, operation: usize) -> Self {
        self.power_fails_at = Some(operation);
        self
    }

    /// Lets the disk acknowledge these syncs, by the name of the file, and ignore them.
    pub(crate) fn lying_about(mut self, syncs: fn(&Disk, &str) -> bool) -> Self {
        self.lies_about = Some(syncs);
        self
    }

    /// Lets the sync with this operation number fail as Linux lets it fail: it reports the error once, forgets that
    /// the pages were dirty and goes on showing them, so that later syncs succeed without them.
    pub(crate) fn fail_sync_at(mut self, operation: usize) -> Self {
        self.sync_fails_at = Some(operation);
        self
    }

    /// Lets the disk be full when the operation with this number comes and is a write; there is space again right after it.
    pub(crate) fn full_at(mut self, operation: usize) -> Self {
        self.full_at = Some(operation);
        self
    }

    /// Whether a write found the disk full.
    pub(crate) fn was_full(&self) -> bool {
        self.was_full
    }

    /// Whether the sync of [`Disk::fail_sync_at`] came and failed.
    pub(crate) fn sync_failed(&self) -> bool {
        self.sync_failed
    }

    pub(crate) fn cut_power(&mut self) {
        self.off = true;
    }

    pub(crate) fn has_power(&self) -> bool {
        !self.off
    }

    /// Everything received since the disk's start, in order.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many writes and truncates, of all files, no sync has covered.
    pub(crate) fn unsynced(&self) -> usize {
        self.names.values().filter_map(|id| self.files.get(id)).map(|file| file.unsynced.len()).sum()
    }

    /// The disk after a power cut and a restart.
    pub(crate) fn restart(mut self, remains: Remains) -> Self {
        let mut draw = Draw::new(remains);
        let mut disk = Self::default();
        let mut names = std::mem::take(&mut self.durable_names);
        for (name, id) in self.name_changes.iter().filter(|_| draw.keeps()) {
            match id {
                Some(id) => names.insert(name.clone(), *id),
                None => names.remove(name),
            };
        }
        let torn = self.torn_write(&names, &mut draw);
        for (name, id) in names {
            let Some(file) = self.files.remove(&id) else { continue };
            let mut image = file.durable;
            for (at, change) in file.unsynced.iter().enumerate() {
                match &torn {
                    Some((torn_id, torn_at, part)) if (*torn_id, *torn_at) == (id, at) => {
                        part.apply(&mut image);
                    }
                    _ if draw.keeps() => change.apply(&mut image),
                    _ if draw.lengthens() => change.lengthen(&mut image),
                    _ => {}
                }
            }
            let file = File { name: name.clone(), live: image.clone(), durable: image, ..File::default() };
            disk.files.insert(disk.next, file);
            disk.names.insert(name, disk.next);
            disk.next += 1;
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    fn torn_write(&self, names: &BTreeMap<String, u64>, draw: &mut Draw) -> Option<(u64, usize, Change)> {
        if !draw.tears() {
            return None;
        }
        let mut candidates = Vec::new();
        for (id, file) in names.values().filter_map(|id| Some((*id, self.files.get(id)?))) {
            let writes = file.unsynced.iter().enumerate().filter(|(_, change)| !change.cuts().is_empty());
            candidates.extend(writes.map(|(at, change)| (id, at, change)));
        }
        let (id, at, change) = candidates.get(draw.below(candidates.len() as u64)?)?;
        let cuts = change.cuts();
        let cut = cuts[draw.below(cuts.len() as u64)?];
        Some((*id, *at, change.part(cut, draw.coin())))
    }

    /// Counts an operation. Says whether the power fails in it: it may then reach the disk or not, like every
    /// unsynced one, and is never acknowledged.
    fn step(&mut self, kind: Kind, name: &str) -> Result<bool, DiskError> {
        if self.off {
            return Err(DiskError::NoPower);
        }
        self.operations.push(Operation { kind, name: name.to_owned() });
        self.off = self.power_fails_at == Some(self.operations.len());
        Ok(self.off)
    }

    fn acknowledge(fails: bool) -> Result<(), DiskError> {
        if fails { Err(DiskError::NoPower) } else { Ok(()) }
    }

    /// Opens a file, and creates it where there is none and `create` says how.
    pub(crate) fn open(&mut self, name: &str, create: Option<Naming>) -> Result<u64, DiskError> {
        if self.off {
            return Err(DiskError::NoPower);
        }
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let naming = create.ok_or(DiskError::NoFile)?;
        let id = self.next;
        self.next += 1;
        let syncs_directory = naming == Naming::WithFirstSync;
        self.files.insert(id, File { name: name.to_owned(), syncs_directory, ..File::default() });
        if naming == Naming::Unnamed {
            return Ok(id);
        }
        let fails = self.step(Kind::Create, name)?;
        self.names.insert(name.to_owned(), id);
        self.name_changes.push((name.to_owned(), Some(id)));
        if naming == Naming::Durable && !fails {
            self.sync_directory();
        }
        Self::acknowledge(fails)?;
        Ok(id)
    }

    fn sync_directory(&mut self) {
        self.durable_names = self.names.clone();
        self.name_changes.clear();
    }

    /// Whether SQLite's unix VFS would say that the file exists: it takes an empty one for none.
    pub(crate) fn exists(&self, name: &str) -> Result<bool, DiskError> {
        if self.off {
            return Err(DiskError::NoPower);
        }
        Ok(self.names.get(name).and_then(|id| self.files.get(id)).is_some_and(|file| !file.live.is_empty()))
    }

    pub(crate) fn delete(&mut self, name: &str, sync_directory: bool) -> Result<(), DiskError> {
        if !self.off && !self.names.contains_key(name) {
            return Err(DiskError::NoFile);
        }
        let fails = self.step(Kind::Delete, name)?;
        self.names.remove(name);
        self.name_changes.push((name.to_owned(), None));
        if sync_directory && !fails && !self.lies(name) {
            self.sync_directory();
        }
        Self::acknowledge(fails)
    }

    fn lies(&self, name: &str) -> bool {
        self.lies_about.is_some_and(|about| about(self, name))
    }

    fn file(&mut self, id: u64) -> Result<&mut File, DiskError> {
        self.files.get_mut(&id).ok_or(DiskError::NoFile)
    }

    pub(crate) fn write(&mut self, id: u64, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let name = self.file(id)?.name.clone();
        let fails = self.step(Kind::Write, &name)?;
        if self.full_at == Some(self.operations.len()) {
            self.was_full = true;
            return Err(DiskError::Full);
        }
        self.file(id)?.change(Change::Write { offset, bytes: bytes.to_vec() });
        Self::acknowledge(fails)
    }

    pub(crate) fn truncate(&mut self, id: u64, len: u64) -> Result<(), DiskError> {
        let name = self.file(id)?.name.clone();
        let fails = self.step(Kind::Truncate, &name)?;
        self.file(id)?.change(Change::Truncate { len });
        Self::acknowledge(fails)
    }

    pub(crate) fn sync(&mut self, id: u64) -> Result<(), DiskError> {
        let name = self.file(id)?.name.clone();
        let fails = self.step(Kind::Sync, &name)?;
        Self::acknowledge(fails)?;
        if self.lies(&name) {
            return Ok(());
        }
        if self.sync_fails_at == Some(self.operations.len()) {
            self.sync_failed = true;
            self.file(id)?.unsynced.clear();
            return Err(DiskError::BadSync);
        }
        let file = self.file(id)?;
        for change in std::mem::take(&mut file.unsynced) {
            change.apply(&mut file.durable);
        }
        if std::mem::take(&mut file.syncs_directory) {
            self.sync_directory();
        }
        Ok(())
    }

    pub(crate) fn len(&mut self, id: u64) -> Result<u64, DiskError> {
        if self.off {
            return Err(DiskError::NoPower);
        }
        Ok(self.file(id)?.live.len() as u64)
    }

    /// Reads into `buffer` and returns how many bytes the file had there.
    pub(crate) fn read(&mut self, id: u64, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        if self.off {
            return Err(DiskError::NoPower);
        }
        let live = &self.file(id)?.live;
        let start = usize::try_from(offset).unwrap().min(live.len());
        let end = (start + buffer.len()).min(live.len());
        buffer[..end - start].copy_from_slice(&live[start..end]);
        Ok(end - start)
    }
}

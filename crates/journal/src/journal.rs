//! The contract that every journal keeps.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tenon_model::{Blob, Digest, Parts};

use crate::{Entry, Head, NewEntry, Snapshot};

/// Largest payload of one entry, in bytes. Whatever is larger belongs into a blob.
pub const MAX_PAYLOAD: usize = 4 << 20;
/// Largest blob, in bytes: room for the largest single advisory feed document, far below SQLite's own limit of 1 GB.
pub const MAX_BLOB: usize = 256 << 20;
/// Most entries in one append.
pub const MAX_GROUP_ENTRIES: usize = 65_536;
/// Most entries in one page of [`Journal::read`].
pub const MAX_PAGE_ENTRIES: usize = 4_096;
/// A page of [`Journal::read`] ends once its payloads hold this many bytes.
pub const MAX_PAGE_BYTES: usize = 16 << 20;
/// Longest client key, in bytes.
const MAX_CLIENT_KEY: usize = 200;

/// Names one command of one client, so that a repetition is answered and not repeated. It is personal data's
/// neighbour, not part of the chain: keys may be forgotten without breaking a hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(String);

/// A text that cannot be a client key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client key takes 1 to {MAX_CLIENT_KEY} visible ASCII characters; this text has {bytes} bytes")]
pub struct ClientKeyError {
    bytes: usize,
}

impl ClientKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientKey {
    type Err = ClientKeyError;

    fn from_str(text: &str) -> Result<Self, ClientKeyError> {
        if (1..=MAX_CLIENT_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ClientKeyError { bytes: text.len() })
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one command leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Content that the entries name; stored in the same transaction, so durable no later than they are.
    pub blobs: Vec<Blob>,
    /// The events, in order; empty for a command that changed nothing but must not be repeated.
    pub entries: Vec<NewEntry>,
    /// The key under which a repetition of the command finds this batch.
    pub client_key: Option<ClientKey>,
}

/// The entries that a command was acknowledged with: `after < seq <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Place of the last entry before the batch.
    pub after: u64,
    /// Place of the last entry of the batch; equals `after` for a batch without entries.
    pub last: u64,
}

/// A journal with one writer.
///
/// **Group commit.** One [`append`](Journal::append) is one transaction with one sync, and takes any number of
/// batches: the caller, a single writer thread, gathers the commands that arrived during the previous append and
/// hands them over together. The journal starts no thread and waits for nobody.
pub trait Journal: Send {
    /// Appends the batches in order, all or nothing, and returns the new head. When it returns, everything in them
    /// is durable.
    ///
    /// # Errors
    /// [`JournalError::HeadMoved`] when the journal does not end with `expected` (compare and append);
    /// [`JournalError::TimeBackwards`], [`JournalError::TermOutdated`], a size error, or
    /// [`JournalError::ClientKeyUsed`]: nothing was written. [`JournalError::OutcomeUnknown`]: the storage failed
    /// while committing, see there.
    fn append(&mut self, expected: &Head, batches: &[Batch]) -> Result<Head, JournalError>;

    /// The end of the chain.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn head(&self) -> Result<Head, JournalError>;

    /// A page of entries from `from_seq` on, in order. It holds at most `limit` and [`MAX_PAGE_ENTRIES`] entries and
    /// ends early after [`MAX_PAGE_BYTES`], yet holds at least one where one exists; an empty page means the end.
    /// It does not check hashes: [`verify`](fn@crate::verify) does.
    ///
    /// # Errors
    /// When the storage cannot be read, or holds what is no entry.
    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// Stores content under its SHA-256, durable when it returns. Storing it again changes nothing.
    ///
    /// # Errors
    /// [`JournalError::BlobTooLarge`], or when the storage fails.
    fn put_blob(&mut self, content: &[u8]) -> Result<Digest, JournalError>;

    /// The content of this address, checked against it.
    ///
    /// # Errors
    /// [`JournalError::BlobDamaged`] when the content does not hash to its address.
    fn get_blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError>;

    /// The addresses of the blobs held, ascending, after `after`, at most `limit` and [`MAX_PAGE_ENTRIES`].
    ///
    /// # Errors
    /// When the storage cannot be read, or holds what is no address.
    fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, JournalError>;

    /// What the command with this key was acknowledged with.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn lookup_client_key(&self, key: &ClientKey) -> Result<Option<Acknowledged>, JournalError>;

    /// Begins a snapshot: a copy of the state after an entry. Its content follows in parts, with any appends between; until
    /// its last byte is there it is neither listed nor read.
    ///
    /// # Errors
    /// [`JournalError::SnapshotUnfounded`] when the journal has no such entry, [`JournalError::SnapshotHeld`] when one of the
    /// same entry is there or begun, or when the storage fails.
    fn begin_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError>;

    /// Adds a part to the snapshot after this entry that was begun; durable when it returns. Parts are numbered from 0
    /// and hold at most [`PART`](tenon_model::PART) bytes, so that nothing waits long for one.
    ///
    /// # Errors
    /// When no such snapshot was begun, or the storage fails.
    fn add_to_snapshot(&mut self, seq: u64, part: u32, content: &[u8]) -> Result<(), JournalError>;

    /// Stores a whole snapshot; it waits for all of it. One that was stored for the same entry is replaced.
    ///
    /// # Errors
    /// Those of [`begin_snapshot`](Journal::begin_snapshot) and [`add_to_snapshot`](Journal::add_to_snapshot).
    fn keep_snapshot(&mut self, head: &Head, format: u32, content: &[u8]) -> Result<(), JournalError> {
        while self.forget_snapshot(head.seq)? == Removal::Partly {}
        let content = Parts::from(content);
        self.begin_snapshot(&Snapshot::of(head, format, &content))?;
        for (part, content) in (0..).zip(content.iter()) {
            self.add_to_snapshot(head.seq, part, content)?;
        }
        Ok(())
    }

    /// The snapshots held, the newest first.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError>;

    /// The entries of snapshots that are none: of which parts are missing (under way, or left behind by a process that
    /// ended), or from before the base.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn leftover_snapshots(&self) -> Result<Vec<u64>, JournalError>;

    /// A part of a snapshot that is held; `None` past its last.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, JournalError>;

    /// The content of the snapshot after this entry, checked against its digest; it waits for all of it.
    ///
    /// # Errors
    /// [`JournalError::SnapshotDamaged`], or when the storage cannot be read.
    fn read_snapshot(&self, seq: u64) -> Result<Option<Parts>, JournalError> {
        let held = self.snapshots()?.into_iter().find(|snapshot| snapshot.head.seq == seq);
        held.map_or(Ok(None), |held| held.read(|part| self.snapshot_part(seq, part)))
    }

    /// Lets the snapshot after this entry go, finished or not, one part at a time: from the first on it is not held any more.
    /// Doing it again where nothing is left changes nothing.
    ///
    /// # Errors
    /// [`JournalError::SnapshotNeeded`] for that of the base, or when the storage fails.
    fn forget_snapshot(&mut self, seq: u64) -> Result<Removal, JournalError>;

    /// The entry with which the journal begins since it was cut; `None` where it begins with the first.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn base(&self) -> Result<Option<Head>, JournalError>;

    /// Lets this entry be the first from now on, durable when it returns: what lies before it is not read any more, and
    /// [`remove_before_base`](Journal::remove_before_base) removes it. The snapshot after it is what the journal then rests on,
    /// and cannot be let go.
    ///
    /// # Errors
    /// [`JournalError::HeadMoved`] as with an append, [`JournalError::BaseUnfounded`], or when the storage fails; nothing was
    /// changed then, but for [`JournalError::OutcomeUnknown`].
    fn cut(&mut self, expected: &Head, base: &Head) -> Result<(), JournalError>;

    /// Removes some of the entries before the base, then of the client keys that were acknowledged before it: a bounded part
    /// in each call. A command whose key is gone is taken for a new one.
    ///
    /// # Errors
    /// [`JournalError::HeadMoved`] as with an append, or when the storage fails.
    fn remove_before_base(&mut self, expected: &Head) -> Result<Removal, JournalError>;

    /// Removes blobs: the first of these, at least one and at most some MiB, and says how many. The caller knows that nothing
    /// up to `expected` names them.
    ///
    /// # Errors
    /// [`JournalError::HeadMoved`] as with an append, or when the storage fails.
    fn remove_blobs(&mut self, expected: &Head, blobs: &[Digest]) -> Result<usize, JournalError>;

    /// Gives some of the room that removals left back to the file system, where the storage does that when asked.
    ///
    /// # Errors
    /// When the storage fails.
    fn give_room_back(&mut self) -> Result<Removal, JournalError>;

    /// What an acknowledged append survives.
    ///
    /// # Errors
    /// When the storage cannot be asked.
    fn durability(&self) -> Result<Durability, JournalError>;
}

/// One call removes at most so many entries, keys or blobs ...
pub(crate) const REMOVED_AT_ONCE: usize = 1_000;
/// ... and of entries and blobs what holds so many bytes, or one: so long an append waits.
pub(crate) const REMOVED_BYTES: usize = 4 << 20;

/// How many of these sizes one call removes.
pub(crate) fn removed_at_once(sizes: impl IntoIterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let fits = sizes.into_iter().take(REMOVED_AT_ONCE).take_while(|size| {
        bytes += size;
        bytes <= REMOVED_BYTES
    });
    fits.count().max(1)
}

/// How far something was removed that is removed step by step, so that appends need not wait for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Nothing of it is left.
    Whole,
    /// Ask again.
    Partly,
}

/// What an acknowledged append survives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: it is gone with the process.
    Process,
    /// A crash and a power cut, yet not the loss of the one machine that keeps it.
    OneMachine,
    /// Also the loss of the database server: a standby had it before it was acknowledged.
    Replicated {
        /// The standbys as the server names them (`synchronous_standby_names`).
        standbys: String,
    },
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("kept in memory only"),
            Self::OneMachine => {
                f.write_str("kept on one machine; with it is lost what the last backup lacks")
            }
            Self::Replicated { standbys } => {
                write!(f, "replicated before it is acknowledged, to {standbys}")
            }
        }
    }
}

/// Content that a storage holds under an address, once it hashes to it.
///
/// # Errors
/// [`JournalError::BlobDamaged`].
pub(crate) fn checked_blob(
    digest: &Digest,
    content: Option<Vec<u8>>,
) -> Result<Option<Vec<u8>>, JournalError> {
    if let Some(content) = &content {
        let actual = Digest::of(content);
        if actual != *digest {
            return Err(JournalError::BlobDamaged { digest: *digest, actual });
        }
    }
    Ok(content)
}

/// Why the journal refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another append came first, or the caller belongs to another journal.
    #[error(
        "the journal ends at entry {} ({}), not at {} ({}) as the writer expected: read the new entries, decide again",
        actual.seq, actual.hash, expected.seq, expected.hash
    )]
    HeadMoved {
        /// What the caller expected.
        expected: Box<Head>,
        /// Where the journal ends.
        actual: Box<Head>,
    },
    /// An entry is stamped before the one it would follow, or before 1970.
    #[error(
        "an entry stamped {time_ms} ms cannot follow one stamped {last_ms} ms: the leader must stamp the later of both"
    )]
    TimeBackwards {
        /// The refused stamp.
        time_ms: i64,
        /// The stamp before it.
        last_ms: i64,
    },
    /// The writer has been superseded by a leader with a later term.
    #[error(
        "an entry of term {term} cannot follow one of term {last_term}: this leader was superseded, stop it"
    )]
    TermOutdated {
        /// The refused term.
        term: u64,
        /// The term of the journal.
        last_term: u64,
    },
    /// A term or place that the storage cannot hold (above 2^63 - 1).
    #[error("{what} {value} is beyond 2^63 - 1, the largest that a journal stores")]
    NumberTooLarge {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A payload above [`MAX_PAYLOAD`].
    #[error(
        "a payload of {size} bytes is above the limit of {MAX_PAYLOAD}: put the content in a blob and name it"
    )]
    PayloadTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// A blob above [`MAX_BLOB`].
    #[error("a blob of {size} bytes is above the limit of {MAX_BLOB}: split it")]
    BlobTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// More entries in one append than [`MAX_GROUP_ENTRIES`].
    #[error(
        "an append of {entries} entries is above the limit of {MAX_GROUP_ENTRIES}: append in several groups"
    )]
    GroupTooLarge {
        /// How many.
        entries: usize,
    },
    /// The command was acknowledged before: answer with that, do not repeat it.
    #[error("the command {key} was already acknowledged with the entries after {} up to {}", acknowledged.after, acknowledged.last)]
    ClientKeyUsed {
        /// The key.
        key: ClientKey,
        /// What it was acknowledged with.
        acknowledged: Acknowledged,
    },
    /// Two batches of one append bear the same key.
    #[error("two batches of one append bear the client key {key}: drop the repetition")]
    ClientKeyRepeated {
        /// The key.
        key: ClientKey,
    },
    /// A blob whose content does not hash to its address.
    #[error("the blob {digest} is damaged: its content hashes to {actual}; restore it from a backup")]
    BlobDamaged {
        /// Its address.
        digest: Digest,
        /// What its content hashes to.
        actual: Digest,
    },
    /// A snapshot of a state that this journal does not lead to.
    #[error("this journal holds no entry {seq} with the hash {hash}, so no snapshot of the state after it")]
    SnapshotUnfounded {
        /// The place of its last entry.
        seq: u64,
        /// The hash of its last entry.
        hash: Digest,
    },
    /// A snapshot of the same entry is there.
    #[error("a snapshot after entry {seq} is held or begun already: let it go first")]
    SnapshotHeld {
        /// The place of its last entry.
        seq: u64,
    },
    /// The snapshot that stands for all that was let go.
    #[error("the record begins with the snapshot after entry {seq}: it stays until the record begins later")]
    SnapshotNeeded {
        /// The place of its last entry.
        seq: u64,
    },
    /// An entry with which the journal cannot begin.
    #[error("the journal cannot begin with entry {seq}: {why}")]
    BaseUnfounded {
        /// Its place.
        seq: u64,
        /// What is missing.
        why: &'static str,
    },
    /// A snapshot that is not as it was stored.
    #[error(
        "the snapshot after entry {seq} is damaged: its content hashes to {actual}, recorded is {recorded}"
    )]
    SnapshotDamaged {
        /// The place of its last entry.
        seq: u64,
        /// The recorded hash.
        recorded: Digest,
        /// What the content hashes to.
        actual: Digest,
    },
    /// The storage failed while committing. Whether the append happened is known only after the journal is opened
    /// again; until then this handle refuses everything (a failed sync cannot be repeated: the kernel may have
    /// dropped the pages).
    #[error("the storage of {path} failed during a commit, its outcome is unknown: open the journal again: {source}", path = path.display())]
    OutcomeUnknown {
        /// The journal's file.
        path: PathBuf,
        /// The failure.
        source: Box<dyn Error + Send + Sync>,
    },
    /// This handle met [`JournalError::OutcomeUnknown`] before.
    #[error("{path} failed during an earlier commit: open the journal again", path = path.display())]
    NeedsReopen {
        /// The journal's file.
        path: PathBuf,
    },
    /// No space is left; nothing was written.
    #[error("no space is left for {path}: free some, then repeat the command", path = path.display())]
    StorageFull {
        /// The journal's file.
        path: PathBuf,
    },
    /// Another process has the journal open.
    #[error("{path} is in use by another process: stop it first (a journal has one writer)", path = path.display())]
    InUse {
        /// The journal's file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{path} is not a Tenon journal ({found}): name another file, it was not changed", path = path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A journal of a later Tenon.
    #[error("{path} has journal format {found}, this Tenon knows {known}: use the Tenon that wrote it", path = path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format this code reads and writes.
        known: i64,
    },
    /// The file is a journal, and broken.
    #[error("{path} is damaged ({detail}): restore it from a backup", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Any other failure of the storage; nothing was written.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Storage {
        /// The operation.
        doing: &'static str,
        /// The journal's file.
        path: PathBuf,
        /// The failure.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Largest number that every storage holds: SQL integers are signed.
const MAX_NUMBER: u64 = i64::MAX as u64;

/// An append that has passed every check that needs no storage but the head.
pub(crate) struct Checked {
    /// The entries in order, chained to the head.
    pub(crate) entries: Vec<Entry>,
    /// The keys and what each is acknowledged with.
    pub(crate) keys: Vec<(ClientKey, Acknowledged)>,
    /// The head after the append.
    pub(crate) head: Head,
}

/// Applies the rules of [`Journal::append`] that all implementations share.
pub(crate) fn check(actual: Head, expected: &Head, batches: &[Batch]) -> Result<Checked, JournalError> {
    check_expected(actual, expected)?;
    let count: usize = batches.iter().map(|batch| batch.entries.len()).sum();
    if count > MAX_GROUP_ENTRIES {
        return Err(JournalError::GroupTooLarge { entries: count });
    }
    let mut head = actual;
    let mut entries = Vec::with_capacity(count);
    let mut keys: Vec<(ClientKey, Acknowledged)> = Vec::new();
    for batch in batches {
        for blob in &batch.blobs {
            check_blob(blob.bytes())?;
        }
        let after = head.seq;
        for new in &batch.entries {
            check_entry(&head, new)?;
            let entry = Entry::following(&head, new);
            head = entry.head();
            entries.push(entry);
        }
        if let Some(key) = &batch.client_key {
            keys.push((key.clone(), Acknowledged { after, last: head.seq }));
        }
    }
    let mut sorted: Vec<&ClientKey> = keys.iter().map(|(key, _)| key).collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(JournalError::ClientKeyRepeated { key: pair[0].clone() });
    }
    Ok(Checked { entries, keys, head })
}

fn check_entry(head: &Head, new: &NewEntry) -> Result<(), JournalError> {
    if new.payload.len() > MAX_PAYLOAD {
        return Err(JournalError::PayloadTooLarge { size: new.payload.len() });
    }
    if new.time_ms < head.time_ms {
        return Err(JournalError::TimeBackwards { time_ms: new.time_ms, last_ms: head.time_ms });
    }
    if new.term < head.term {
        return Err(JournalError::TermOutdated { term: new.term, last_term: head.term });
    }
    if new.term > MAX_NUMBER {
        return Err(JournalError::NumberTooLarge { what: "term", value: new.term });
    }
    if head.seq >= MAX_NUMBER {
        return Err(JournalError::NumberTooLarge { what: "entry", value: head.seq });
    }
    Ok(())
}

/// Refuses whoever expects another head.
pub(crate) fn check_expected(actual: Head, expected: &Head) -> Result<(), JournalError> {
    if actual == *expected {
        return Ok(());
    }
    Err(JournalError::HeadMoved { expected: Box::new(*expected), actual: Box::new(actual) })
}

/// Applies the rules of [`Journal::cut`] that all implementations share. `entry` is what stands in the place of the base,
/// `snapshots` are those that are whole.
pub(crate) fn check_base(
    base: &Head,
    now: Option<Head>,
    entry: Option<Entry>,
    snapshots: &[Snapshot],
) -> Result<(), JournalError> {
    let unfounded = |why| Err(JournalError::BaseUnfounded { seq: base.seq, why });
    if now.is_some_and(|now| base.seq <= now.seq) {
        return unfounded("it begins there or later already");
    }
    if entry.is_none_or(|entry| entry.head() != *base) {
        return unfounded("it holds no such entry");
    }
    if !snapshots.iter().any(|snapshot| snapshot.head == *base) {
        return unfounded("it holds no snapshot after it");
    }
    Ok(())
}

pub(crate) fn check_blob(content: &[u8]) -> Result<(), JournalError> {
    if content.len() > MAX_BLOB {
        return Err(JournalError::BlobTooLarge { size: content.len() });
    }
    Ok(())
}

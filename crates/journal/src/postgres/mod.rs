//! The journal in a PostgreSQL database.
//!
//! **One leader.** Every append locks the row that holds the head, compares head and term inside its own transaction, and
//! writes the new head there: of two writers one waits, and then finds that the head has moved. No lock outlives a
//! transaction and no setting a session, so that a pooler that hands out connections by the transaction changes
//! nothing; statements are unnamed for the same reason.
//!
//! **Durability.** Each transaction turns `synchronous_commit` on for itself; a server that does not sync is refused.
//! Where the server replicates synchronously, a commit waits for the standby too; a wait that was cut short is only
//! warned of, so any warning during a commit makes its outcome unknown.

mod history;
mod open;
mod rows;
#[cfg(feature = "testing")]
pub mod server;
mod snapshots;
mod url;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::Client;
use postgres::error::{Severity, SqlState};
use postgres::types::Type;
use tenon_model::Digest;

use self::rows::{
    acknowledged_of_row, bytes, digest_of_column, head_of_row, insert_blob, insert_entries, insert_keys,
    read_entries, stored,
};
pub use self::url::{PostgresUrl, PostgresUrlError};
use crate::journal::{check, check_base, check_blob, check_expected, checked_blob};
use crate::{
    Acknowledged, Batch, ClientKey, Durability, Entry, Head, Journal, JournalError, MAX_PAGE_ENTRIES,
    Removal, Snapshot,
};

/// Begins every writing transaction.
///
/// - READ COMMITTED, whatever the database's default: a writer that waited for the row of the head then sees it as it is.
/// - The wait for a lock is bounded, and so is the time that a leader which was frozen keeps it from others.
/// - No statement is cancelled by a time-out: a cancelled wait for the standby looks like a commit.
/// - `remote_apply` promises more than `on` and is kept.
const BEGIN: &str = "
    START TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '30s';
    SELECT set_config('synchronous_commit', 'on', true)
        WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
";

/// A journal in a PostgreSQL database. Several processes may open it; each append names the head it follows, so one of
/// them leads.
///
/// It drives its connection on the calling thread and must not be used inside an asynchronous task.
pub struct PostgresJournal {
    url: PostgresUrl,
    /// `None` after the connection was lost, until the next use.
    client: RefCell<Option<Client>>,
    /// Set by a warning of the server.
    warned: Arc<AtomicBool>,
    health: Cell<Health>,
    /// Where it began when it was opened, or since this one cut it.
    base: Cell<Option<Head>>,
    access: Access,
}

/// What a journal was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

impl Drop for PostgresJournal {
    /// Closing a connection waits for it, which an asynchronous task must not; a journal may yet be dropped in one, when a
    /// start fails.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // The thread's end is waited for; how a connection ended is of no interest any more.
            let _closed = std::thread::spawn(move || drop(client)).join();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Sound,
    /// The connection broke during a commit.
    Suspect,
}

/// How an operation ends without a value.
enum Failure {
    /// A rule of the journal.
    Refused(JournalError),
    /// The server, or the connection to it; nothing was committed.
    Sql(postgres::Error),
    /// During the commit.
    Unknown(Box<dyn Error + Send + Sync>),
    /// The server is not one to keep a journal on.
    Unfit(&'static str),
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    fn into_error(self, place: &Path, doing: &'static str) -> JournalError {
        let path = place.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Unknown(source) => JournalError::OutcomeUnknown { path, source },
            Self::Unfit(why) => JournalError::Storage { doing, path, source: why.into() },
            Self::Sql(source) => match source.code() {
                Some(&SqlState::DISK_FULL) => JournalError::StorageFull { path },
                Some(&SqlState::LOCK_NOT_AVAILABLE) => JournalError::InUse { path },
                Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => {
                    JournalError::Damaged { path, detail: told(&source).to_string() }
                }
                _ if lost(&source) => {
                    JournalError::Storage { doing, path, source: told_with_advice(&source) }
                }
                _ => JournalError::Storage { doing, path, source: told(&source) },
            },
        }
    }
}

/// The error with what caused it, which its own text leaves out.
fn told(error: &postgres::Error) -> Box<dyn Error + Send + Sync> {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.into()
}

/// What to look at where there is no connection: a server that is out of room, or recovers from that, says little to whom it
/// turns away or cuts off.
fn told_with_advice(error: &postgres::Error) -> Box<dyn Error + Send + Sync> {
    let told = told(error);
    format!("{told}: see that the server runs and that its disk has room, its log says more").into()
}

/// Whether the connection is gone: the error did not come from the server, or is its last word.
fn lost(error: &postgres::Error) -> bool {
    error
        .as_db_error()
        .is_none_or(|error| matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic) | None))
}

/// Runs `work` in one transaction and commits it durably.
fn transact<T>(
    client: &mut Client,
    warned: &AtomicBool,
    work: impl FnOnce(&mut Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    client.batch_execute(BEGIN)?;
    match work(client) {
        Ok(value) => {
            warned.store(false, Ordering::SeqCst);
            match client.batch_execute("COMMIT") {
                Ok(()) if !warned.load(Ordering::SeqCst) => Ok(value),
                Ok(()) => Err(Failure::Unknown(
                    "the server warned that the commit may not have reached its standby".into(),
                )),
                Err(source) => Err(Failure::Unknown(told(&source))),
            }
        }
        Err(failure) => {
            // What fails here has lost the connection, and the transaction with it.
            client.batch_execute("ROLLBACK")?;
            Err(failure)
        }
    }
}

impl PostgresJournal {
    fn sound(&self) -> Result<(), JournalError> {
        match self.health.get() {
            Health::Sound => Ok(()),
            Health::Suspect => Err(JournalError::NeedsReopen { path: self.url.place() }),
        }
    }

    /// Runs `work` on the connection. Where the connection turns out to be lost (an idle one, after the server was
    /// started again), once more on a new one: unless it broke in a commit, nothing has happened.
    fn run<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Client) -> Result<T, Failure>,
    ) -> Result<T, JournalError> {
        self.sound()?;
        let mut kept = self.client.borrow_mut();
        let gone = |outcome: &Result<T, Failure>| matches!(outcome, Err(Failure::Sql(error)) if lost(error));
        let outcome = match kept.as_mut().map(&work) {
            Some(outcome) if !gone(&outcome) => outcome,
            _ => {
                *kept = None;
                work(kept.insert(open::connect(&self.url, &self.warned)?))
            }
        };
        if gone(&outcome) {
            *kept = None;
        }
        if let Err(Failure::Unknown(_)) = &outcome {
            self.health.set(Health::Suspect);
        }
        outcome.map_err(|failure| failure.into_error(&self.url.place(), doing))
    }

    /// The place of the first entry that is read.
    fn first(&self) -> u64 {
        self.base.get().map_or(1, |base| base.seq)
    }

    /// Keeps every other writer waiting until the transaction ends, and refuses where one came first.
    fn lock_head(&self, client: &mut Client, expected: &Head) -> Result<Head, Failure> {
        let row = client
            .query_typed_one("SELECT seq, time_ms, term, hash, format FROM tenon.journal FOR UPDATE", &[])?;
        open::check_format(row.try_get(4)?, &self.url)?;
        let head = head_of_row(&row, &self.url)?;
        check_expected(head, expected)?;
        Ok(head)
    }

    fn transact<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Client) -> Result<T, Failure>,
    ) -> Result<T, JournalError> {
        if self.access == Access::Read {
            let source = "it was opened for reading".into();
            return Err(JournalError::Storage { doing, path: self.url.place(), source });
        }
        self.run(doing, |client| transact(client, &self.warned, &work))
    }
}

impl Journal for PostgresJournal {
    fn append(&mut self, expected: &Head, batches: &[Batch]) -> Result<Head, JournalError> {
        self.transact("append to", |client| {
            let checked = check(self.lock_head(client, expected)?, expected, batches)?;
            insert_keys(client, &self.url, &checked.keys)?;
            for blob in batches.iter().flat_map(|batch| &batch.blobs) {
                insert_blob(client, &blob.digest(), blob.bytes())?;
            }
            insert_entries(client, &checked.entries)?;
            let Head { seq, time_ms, term, hash } = checked.head;
            client.query_typed(
                "UPDATE tenon.journal SET seq = $1, time_ms = $2, term = $3, hash = $4",
                &[
                    (&stored(seq), Type::INT8),
                    (&time_ms, Type::INT8),
                    (&stored(term), Type::INT8),
                    (&bytes(&hash), Type::BYTEA),
                ],
            )?;
            Ok(checked.head)
        })
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.run("read the head of", |client| {
            let row = client.query_typed_one("SELECT seq, time_ms, term, hash FROM tenon.journal", &[])?;
            head_of_row(&row, &self.url)
        })
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let from = from_seq.max(self.first());
        self.run("read", |client| read_entries(client, &self.url, from, limit))
    }

    fn put_blob(&mut self, content: &[u8]) -> Result<Digest, JournalError> {
        check_blob(content)?;
        let digest = Digest::of(content);
        self.transact("store a blob in", |client| insert_blob(client, &digest, content))?;
        Ok(digest)
    }

    fn get_blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        let content: Option<Vec<u8>> = self.run("read a blob of", |client| {
            let row = client.query_typed_opt(
                "SELECT content FROM tenon.blob WHERE digest = $1",
                &[(&bytes(digest), Type::BYTEA)],
            )?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })?;
        checked_blob(digest, content)
    }

    fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, JournalError> {
        // An empty byte string sorts before every address.
        let after = after.map_or(&[][..], |digest| &digest.as_bytes()[..]);
        let limit = limit.min(MAX_PAGE_ENTRIES) as i64;
        self.run("list the blobs of", |client| {
            let rows = client.query_typed(
                "SELECT digest FROM tenon.blob WHERE digest > $1 ORDER BY digest LIMIT $2",
                &[(&after, Type::BYTEA), (&limit, Type::INT8)],
            )?;
            rows.iter().map(|row| digest_of_column(row, 0, &self.url)).collect()
        })
    }

    fn lookup_client_key(&self, key: &ClientKey) -> Result<Option<Acknowledged>, JournalError> {
        self.run("look up a client key in", |client| {
            let row = client.query_typed_opt(
                "SELECT after, last FROM tenon.client_key WHERE key = $1",
                &[(&key.as_str(), Type::TEXT)],
            )?;
            row.map(|row| acknowledged_of_row(&row, 0, &self.url)).transpose()
        })
    }

    fn begin_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        self.transact("begin a snapshot in", |client| snapshots::begin(client, &self.url, snapshot))
    }

    fn add_to_snapshot(&mut self, seq: u64, part: u32, content: &[u8]) -> Result<(), JournalError> {
        self.transact("add to a snapshot in", |client| snapshots::add(client, seq, part, content))
    }

    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError> {
        self.run("list the snapshots of", |client| snapshots::list(client, &self.url, self.first()))
    }

    fn leftover_snapshots(&self) -> Result<Vec<u64>, JournalError> {
        self.run("list the snapshots of", |client| snapshots::leftover(client, &self.url, self.first()))
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, JournalError> {
        self.run("read a snapshot of", |client| snapshots::part(client, seq, part))
    }

    fn forget_snapshot(&mut self, seq: u64) -> Result<Removal, JournalError> {
        if self.base.get().is_some_and(|base| base.seq == seq) {
            return Err(JournalError::SnapshotNeeded { seq });
        }
        self.transact("let go a snapshot of", |client| snapshots::forget(client, seq))
    }

    fn base(&self) -> Result<Option<Head>, JournalError> {
        self.sound()?;
        Ok(self.base.get())
    }

    fn cut(&mut self, expected: &Head, base: &Head) -> Result<(), JournalError> {
        self.transact("cut", |client| {
            self.lock_head(client, expected)?;
            let now = history::read_base(client, &self.url)?;
            let entry = read_entries(client, &self.url, base.seq, 1)?.into_iter().next();
            check_base(base, now, entry, &snapshots::list(client, &self.url, self.first())?)?;
            history::write_base(client, base)
        })?;
        self.base.set(Some(*base));
        Ok(())
    }

    fn remove_before_base(&mut self, expected: &Head) -> Result<Removal, JournalError> {
        let Some(base) = self.base.get() else { return Ok(Removal::Whole) };
        self.transact("remove entries from", |client| {
            self.lock_head(client, expected)?;
            history::remove_before(client, base.seq)
        })
    }

    fn remove_blobs(&mut self, expected: &Head, blobs: &[Digest]) -> Result<usize, JournalError> {
        self.transact("remove blobs from", |client| {
            self.lock_head(client, expected)?;
            history::remove_blobs(client, blobs)
        })
    }

    fn give_room_back(&mut self) -> Result<Removal, JournalError> {
        self.sound()?;
        Ok(Removal::Whole)
    }

    fn durability(&self) -> Result<Durability, JournalError> {
        let standbys: String = self.run("ask for the replication of", |client| {
            let row = client.query_typed_one("SELECT current_setting('synchronous_standby_names')", &[])?;
            Ok(row.try_get(0)?)
        })?;
        Ok(if standbys.is_empty() { Durability::OneMachine } else { Durability::Replicated { standbys } })
    }
}

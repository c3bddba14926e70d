//! The journal in one SQLite file.
//!
//! Durability rests on three settings, made before anything is read (see `open.rs`): write-ahead log,
//! `synchronous = EXTRA` (the log is synced before a commit returns, the database before the log is reused, and the
//! directory after the journal of the switch to the log is deleted) and
//! `locking_mode = EXCLUSIVE` (one process; the index of the log lives in memory instead of a shared file).

mod history;
mod open;
mod snapshots;

use std::path::PathBuf;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use tenon_model::Digest;

use crate::journal::{check, check_base, check_blob, check_expected, checked_blob};
use crate::{
    Acknowledged, Batch, ClientKey, Durability, Entry, Head, Journal, JournalError, MAX_PAGE_BYTES,
    MAX_PAGE_ENTRIES, Removal, Snapshot,
};

/// A journal in one SQLite file, with one writer.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    health: Health,
    base: Option<Head>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Sound,
    /// A commit failed half-way: what the kernel still holds of it is unknown.
    Suspect,
}

impl SqliteJournal {
    /// The place of the first entry that is read.
    fn first(&self) -> i64 {
        self.base.map_or(1, |base| stored(base.seq))
    }

    fn sound(&self) -> Result<(), JournalError> {
        match self.health {
            Health::Sound => Ok(()),
            Health::Suspect => Err(JournalError::NeedsReopen { path: self.path.clone() }),
        }
    }

    fn error(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> JournalError + use<> {
        let path = self.path.clone();
        move |source| storage_error(&path, doing, source)
    }

    /// Runs `work` in one transaction and commits it durably.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &std::path::Path) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.sound()?;
        let begin = self.error("begin a transaction in");
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(begin)?;
        // An early return drops the transaction, which rolls it back.
        let value = work(&transaction, &self.path)?;
        match transaction.commit() {
            Ok(()) => Ok(value),
            Err(source) if source.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Err(JournalError::StorageFull { path: self.path.clone() })
            }
            Err(source) => {
                self.health = Health::Suspect;
                Err(JournalError::OutcomeUnknown { path: self.path.clone(), source: Box::new(source) })
            }
        }
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, expected: &Head, batches: &[Batch]) -> Result<Head, JournalError> {
        self.transact(|connection, path| {
            let failed = |source| storage_error(path, "append to", source);
            let checked = check(read_head(connection, path)?, expected, batches)?;
            let mut lookup = connection.prepare_cached(LOOKUP_KEY).map_err(failed)?;
            let mut insert_key = connection
                .prepare_cached("INSERT INTO client_key (key, after, last) VALUES (?1, ?2, ?3)")
                .map_err(failed)?;
            for (key, acknowledged) in &checked.keys {
                let used =
                    lookup.query_row([key.as_str()], acknowledged_of_row).optional().map_err(failed)?;
                if let Some(acknowledged) = used {
                    return Err(JournalError::ClientKeyUsed { key: key.clone(), acknowledged });
                }
                let (after, last) = (stored(acknowledged.after), stored(acknowledged.last));
                insert_key.execute(params![key.as_str(), after, last]).map_err(failed)?;
            }
            for blob in batches.iter().flat_map(|batch| &batch.blobs) {
                insert_blob(connection, &blob.digest(), blob.bytes()).map_err(failed)?;
            }
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO entry (seq, time_ms, term, payload, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .map_err(failed)?;
            for entry in &checked.entries {
                insert
                    .execute(params![
                        stored(entry.seq),
                        entry.time_ms,
                        stored(entry.term),
                        entry.payload,
                        entry.prev.as_bytes(),
                        entry.hash.as_bytes()
                    ])
                    .map_err(failed)?;
            }
            Ok(checked.head)
        })
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.sound()?;
        read_head(&self.connection, &self.path)
    }

    fn read(&self, from_seq: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.sound()?;
        let Ok(from) = i64::try_from(from_seq) else { return Ok(Vec::new()) };
        let failed = self.error("read");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT seq, time_ms, term, payload, prev, hash FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
            )
            .map_err(&failed)?;
        let limit = limit.min(MAX_PAGE_ENTRIES);
        let mut rows = statement.query(params![from.max(self.first()), limit as i64]).map_err(&failed)?;
        let mut page = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next().map_err(&failed)? {
            let entry = entry_of_row(row, &self.path)?;
            bytes += entry.payload.len();
            page.push(entry);
            if bytes >= MAX_PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }

    fn put_blob(&mut self, content: &[u8]) -> Result<Digest, JournalError> {
        check_blob(content)?;
        let digest = Digest::of(content);
        self.transact(|connection, path| {
            insert_blob(connection, &digest, content)
                .map_err(|source| storage_error(path, "store a blob in", source))
        })?;
        Ok(digest)
    }

    fn get_blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        self.sound()?;
        let content: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT content FROM blob WHERE digest = ?1")
            .and_then(|mut statement| statement.query_row([digest.as_bytes()], |row| row.get(0)).optional())
            .map_err(self.error("read a blob of"))?;
        checked_blob(digest, content)
    }

    fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, JournalError> {
        self.sound()?;
        let failed = self.error("list the blobs of");
        // An empty byte string sorts before every address.
        let after = after.map_or(&[][..], |digest| &digest.as_bytes()[..]);
        let mut statement = self
            .connection
            .prepare_cached("SELECT digest FROM blob WHERE digest > ?1 ORDER BY digest LIMIT ?2")
            .map_err(&failed)?;
        let mut rows =
            statement.query(params![after, limit.min(MAX_PAGE_ENTRIES) as i64]).map_err(&failed)?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            page.push(digest_of_column(row, 0).map_err(|error| {
                let detail = format!("the table of blobs holds what is no address: {error}");
                JournalError::Damaged { path: self.path.clone(), detail }
            })?);
        }
        Ok(page)
    }

    fn lookup_client_key(&self, key: &ClientKey) -> Result<Option<Acknowledged>, JournalError> {
        self.sound()?;
        self.connection
            .prepare_cached(LOOKUP_KEY)
            .and_then(|mut statement| statement.query_row([key.as_str()], acknowledged_of_row).optional())
            .map_err(self.error("look up a client key in"))
    }

    fn begin_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), JournalError> {
        self.transact(|connection, path| snapshots::begin(connection, path, snapshot))
    }

    fn add_to_snapshot(&mut self, seq: u64, part: u32, content: &[u8]) -> Result<(), JournalError> {
        self.transact(|connection, path| snapshots::add(connection, path, seq, part, content))
    }

    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError> {
        self.sound()?;
        snapshots::list(&self.connection, &self.path, self.first())
    }

    fn leftover_snapshots(&self) -> Result<Vec<u64>, JournalError> {
        self.sound()?;
        snapshots::leftover(&self.connection, &self.path, self.first())
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Option<Vec<u8>>, JournalError> {
        self.sound()?;
        snapshots::part(&self.connection, &self.path, seq, part)
    }

    fn forget_snapshot(&mut self, seq: u64) -> Result<Removal, JournalError> {
        if self.base.is_some_and(|base| base.seq == seq) {
            return Err(JournalError::SnapshotNeeded { seq });
        }
        self.transact(|connection, path| snapshots::forget(connection, path, seq))
    }

    fn base(&self) -> Result<Option<Head>, JournalError> {
        self.sound()?;
        Ok(self.base)
    }

    fn cut(&mut self, expected: &Head, base: &Head) -> Result<(), JournalError> {
        let (now, first) = (self.base, self.first());
        self.transact(|connection, path| {
            check_expected(read_head(connection, path)?, expected)?;
            let entry = snapshots::entry(connection, path, base.seq)?;
            check_base(base, now, entry, &snapshots::list(connection, path, first)?)?;
            history::write_base(connection, path, base)
        })?;
        self.base = Some(*base);
        Ok(())
    }

    fn remove_before_base(&mut self, expected: &Head) -> Result<Removal, JournalError> {
        let Some(base) = self.base else { return Ok(Removal::Whole) };
        self.transact(|connection, path| {
            check_expected(read_head(connection, path)?, expected)?;
            history::remove_before(connection, path, base.seq)
        })
    }

    fn remove_blobs(&mut self, expected: &Head, blobs: &[Digest]) -> Result<usize, JournalError> {
        self.transact(|connection, path| {
            check_expected(read_head(connection, path)?, expected)?;
            history::remove_blobs(connection, path, blobs)
        })
    }

    fn give_room_back(&mut self) -> Result<Removal, JournalError> {
        self.sound()?;
        if history::free_pages(&self.connection, &self.path)? == 0 {
            return Ok(Removal::Whole);
        }
        self.transact(history::give_back)?;
        let left = history::free_pages(&self.connection, &self.path)?;
        Ok(if left == 0 { Removal::Whole } else { Removal::Partly })
    }

    fn durability(&self) -> Result<Durability, JournalError> {
        Ok(Durability::OneMachine)
    }
}

const LOOKUP_KEY: &str = "SELECT after, last FROM client_key WHERE key = ?1";

/// Numbers were checked to fit when they entered; see [`check`].
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn insert_blob(connection: &Connection, digest: &Digest, content: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO blob (digest, content) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING")?
        .execute(params![digest.as_bytes(), content])?;
    Ok(())
}

fn read_head(connection: &Connection, path: &std::path::Path) -> Result<Head, JournalError> {
    let failed = |source| storage_error(path, "read the head of", source);
    let mut statement = connection
        .prepare_cached("SELECT seq, time_ms, term, x'', prev, hash FROM entry ORDER BY seq DESC LIMIT 1")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    match rows.next().map_err(failed)? {
        Some(row) => Ok(entry_of_row(row, path)?.head()),
        None => Ok(Head::genesis()),
    }
}

fn entry_of_row(row: &rusqlite::Row<'_>, path: &std::path::Path) -> Result<Entry, JournalError> {
    let seq: i64 = row.get(0).map_err(|source| storage_error(path, "read an entry of", source))?;
    let entry = || -> rusqlite::Result<Entry> {
        Ok(Entry {
            seq: unsigned_of_column(row, 0)?,
            time_ms: row.get(1)?,
            term: unsigned_of_column(row, 2)?,
            payload: row.get(3)?,
            prev: digest_of_column(row, 4)?,
            hash: digest_of_column(row, 5)?,
        })
    };
    entry().map_err(|error| JournalError::Damaged {
        path: path.to_owned(),
        detail: format!("entry {seq} is malformed: {error}"),
    })
}

fn unsigned_of_column(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn digest_of_column(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    row.get(column).map(Digest::from_bytes)
}

fn acknowledged_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Acknowledged> {
    Ok(Acknowledged { after: unsigned_of_column(row, 0)?, last: unsigned_of_column(row, 1)? })
}

fn storage_error(path: &std::path::Path, doing: &'static str, source: rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::InUse { path },
        Some(ErrorCode::DiskFull) => JournalError::StorageFull { path },
        Some(ErrorCode::NotADatabase) => {
            JournalError::NotAJournal { path, found: "not an SQLite database".to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt) => JournalError::Damaged { path, detail: source.to_string() },
        _ => JournalError::Storage { doing, path, source: Box::new(source) },
    }
}

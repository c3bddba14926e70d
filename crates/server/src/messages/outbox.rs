//! How far each addressee was told: `messages.sqlite` in the data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use tenon_model::DirectiveId;

/// Version of the tables below, in `user_version`.
const VERSION: i64 = 1;
const TABLES: &str = "
CREATE TABLE place (
    addressee TEXT PRIMARY KEY,
    next      INTEGER NOT NULL
) STRICT;
CREATE TABLE urgent (
    addressee TEXT NOT NULL REFERENCES place (addressee) ON DELETE CASCADE,
    directive TEXT NOT NULL,
    PRIMARY KEY (addressee, directive)
) STRICT;
";

/// Why the place of an addressee is not known, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// SQLite fails.
    #[error("messages.sqlite: {0}")]
    Store(#[from] rusqlite::Error),
    /// A file of another release.
    #[error(
        "messages.sqlite is of version {0}, which this program does not know: use the release that wrote it"
    )]
    Version(i64),
    /// A stored value is not what it must be.
    #[error("messages.sqlite holds {0:?}: remove it, and messages begin with what happens next")]
    Damaged(String),
}

/// Where an addressee stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The entry to read next.
    pub(crate) next: u64,
    /// Open directives of which it was told that they are urgent: once is enough.
    pub(crate) urgent: BTreeSet<DirectiveId>,
}

/// The places of all addressees. A statement takes as long as the disk; callers may block.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(Arc<Mutex<Connection>>);

impl Outbox {
    /// Opens the file, making it where there is none.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub(crate) fn open(path: &Path) -> Result<Self, OutboxError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        match connection.query_row("PRAGMA user_version", [], |row| row.get(0))? {
            0 => connection
                .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
            VERSION => {}
            other => return Err(OutboxError::Version(other)),
        }
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Where each of these stands. Who is new begins with entry `next`; who is no addressee any more is forgotten.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub(crate) fn begin(&self, names: &[&str], next: u64) -> Result<BTreeMap<String, Standing>, OutboxError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let known: Vec<String> = {
            let mut asked = transaction.prepare("SELECT addressee FROM place")?;
            asked.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        for gone in known.iter().filter(|known| !names.contains(&known.as_str())) {
            transaction.execute("DELETE FROM place WHERE addressee = ?1", [gone])?;
        }
        let mut standings = BTreeMap::new();
        for name in names {
            transaction
                .execute("INSERT OR IGNORE INTO place VALUES (?1, ?2)", params![name, next.cast_signed()])?;
            let place: i64 =
                transaction
                    .query_row("SELECT next FROM place WHERE addressee = ?1", [name], |row| row.get(0))?;
            let mut asked = transaction.prepare("SELECT directive FROM urgent WHERE addressee = ?1")?;
            let told = asked.query_map([name], |row| row.get::<_, String>(0))?;
            let urgent = told.map(|id| {
                let id = id?;
                id.parse().map_err(|_| OutboxError::Damaged(id))
            });
            let standing =
                Standing { next: place.cast_unsigned(), urgent: urgent.collect::<Result<_, OutboxError>>()? };
            standings.insert((*name).to_owned(), standing);
        }
        transaction.commit()?;
        Ok(standings)
    }

    /// Keeps where an addressee stands: the entry to read next, what it was told is urgent, and which of that is closed. Durable
    /// when this returns.
    ///
    /// # Errors
    /// [`OutboxError`]; nothing is kept then.
    pub(crate) fn keep(
        &self,
        name: &str,
        next: u64,
        urgent: &[DirectiveId],
        closed: &[DirectiveId],
    ) -> Result<(), OutboxError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        transaction
            .execute("UPDATE place SET next = ?2 WHERE addressee = ?1", params![name, next.cast_signed()])?;
        for id in urgent {
            transaction
                .execute("INSERT OR IGNORE INTO urgent VALUES (?1, ?2)", params![name, id.to_string()])?;
        }
        for id in closed {
            transaction.execute(
                "DELETE FROM urgent WHERE addressee = ?1 AND directive = ?2",
                params![name, id.to_string()],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}

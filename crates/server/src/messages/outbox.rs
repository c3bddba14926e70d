//! How far each addressee was told: `messages.sqlite` in the data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use tenon_model::{Digest, DirectiveId};

use super::Once;

/// Version of the tables below, in `user_version`.
const VERSION: i64 = 2;
const TABLES: &str = "
CREATE TABLE place (
    addressee TEXT PRIMARY KEY,
    next      INTEGER NOT NULL
) STRICT;
CREATE TABLE told (
    addressee TEXT NOT NULL REFERENCES place (addressee) ON DELETE CASCADE,
    directive TEXT NOT NULL,
    urgent    INTEGER NOT NULL DEFAULT 0,
    asked     TEXT,
    PRIMARY KEY (addressee, directive)
) STRICT;
";
/// What version 2 adds.
const FAILED: &str = "
CREATE TABLE failed (
    addressee TEXT NOT NULL REFERENCES place (addressee) ON DELETE CASCADE,
    directive TEXT NOT NULL,
    cause     TEXT NOT NULL,
    PRIMARY KEY (addressee, directive, cause)
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
    /// What approval it was asked for last, by directive.
    pub(crate) asked: BTreeMap<DirectiveId, Digest>,
    /// By which causes it was told that hosts failed, by directive: what fails on many hosts alike is told once.
    pub(crate) failed: BTreeMap<DirectiveId, BTreeSet<Digest>>,
}

impl Standing {
    fn at(next: u64) -> Self {
        Self { next, urgent: BTreeSet::new(), asked: BTreeMap::new(), failed: BTreeMap::new() }
    }

    /// Forgets what was told once of a directive; whether anything was.
    pub(super) fn forget(&mut self, id: &DirectiveId) -> bool {
        let asked = self.asked.remove(id).is_some();
        let failed = self.failed.remove(id).is_some();
        self.urgent.remove(id) || asked || failed
    }
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
            0 => connection.execute_batch(&format!(
                "BEGIN; {TABLES} {FAILED} PRAGMA user_version = {VERSION}; COMMIT;"
            ))?,
            1 => connection
                .execute_batch(&format!("BEGIN; {FAILED} PRAGMA user_version = {VERSION}; COMMIT;"))?,
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
        // A place behind the record's end is of another record: an older one was restored since. Where that differs is not known, so
        // that what happens from now on is told.
        transaction.execute("DELETE FROM place WHERE next > ?1", [next.cast_signed()])?;
        let mut standings = BTreeMap::new();
        for name in names {
            transaction
                .execute("INSERT OR IGNORE INTO place VALUES (?1, ?2)", params![name, next.cast_signed()])?;
            let place: i64 =
                transaction
                    .query_row("SELECT next FROM place WHERE addressee = ?1", [name], |row| row.get(0))?;
            let mut standing = Standing::at(place.cast_unsigned());
            let mut told =
                transaction.prepare("SELECT directive, urgent, asked FROM told WHERE addressee = ?1")?;
            let mut rows = told.query([name])?;
            while let Some(row) = rows.next()? {
                let id = read::<DirectiveId>(row.get(0)?)?;
                if row.get(1)? {
                    standing.urgent.insert(id);
                }
                if let Some(asked) = row.get::<_, Option<String>>(2)? {
                    standing.asked.insert(id, read(asked)?);
                }
            }
            drop(rows);
            let mut failed =
                transaction.prepare("SELECT directive, cause FROM failed WHERE addressee = ?1")?;
            let mut rows = failed.query([name])?;
            while let Some(row) = rows.next()? {
                let causes = standing.failed.entry(read(row.get(0)?)?).or_default();
                causes.insert(read(row.get(1)?)?);
            }
            drop(rows);
            standings.insert((*name).to_owned(), standing);
        }
        transaction.commit()?;
        Ok(standings)
    }

    /// Keeps where an addressee stands: the entry to read next, what it was told that is told once, and which directives are
    /// closed. Durable when this returns.
    ///
    /// # Errors
    /// [`OutboxError`]; nothing is kept then.
    pub(crate) fn keep(
        &self,
        name: &str,
        next: u64,
        once: &[Once],
        closed: &[DirectiveId],
    ) -> Result<(), OutboxError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        transaction
            .execute("UPDATE place SET next = ?2 WHERE addressee = ?1", params![name, next.cast_signed()])?;
        for told in once {
            let (Once::Urgent(id) | Once::Asked(id, _) | Once::Failed(id, _)) = told;
            let id = id.to_string();
            transaction
                .execute("INSERT OR IGNORE INTO told (addressee, directive) VALUES (?1, ?2)", [name, &id])?;
            match told {
                Once::Failed(_, cause) => transaction.execute(
                    "INSERT OR IGNORE INTO failed VALUES (?1, ?2, ?3)",
                    [name, &id, &cause.to_string()],
                )?,
                Once::Urgent(_) => transaction.execute(
                    "UPDATE told SET urgent = 1 WHERE addressee = ?1 AND directive = ?2",
                    [name, &id],
                )?,
                Once::Asked(_, asked) => transaction.execute(
                    "UPDATE told SET asked = ?3 WHERE addressee = ?1 AND directive = ?2",
                    [name, &id, &asked.to_string()],
                )?,
            };
        }
        for id in closed {
            for table in ["told", "failed"] {
                let forget = format!("DELETE FROM {table} WHERE addressee = ?1 AND directive = ?2");
                transaction.execute(&forget, [name, &id.to_string()])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

fn read<T: FromStr>(text: String) -> Result<T, OutboxError> {
    text.parse().map_err(|_| OutboxError::Damaged(text))
}

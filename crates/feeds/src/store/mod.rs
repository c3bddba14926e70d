//! What feeds say, parsed once and kept in one SQLite file (`feeds.sqlite`), found by package or by vulnerability.
//!
//! The log is SQLite's write-ahead log, so that readers never wait for a sync and see each feed as it was or as it is,
//! never a mix: a feed is replaced in one transaction. Losing the last transaction in a power cut costs a download, so
//! the log is not synced at each commit.

mod body;
mod facts;
mod read;
mod state;
mod write;
mod write_facts;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::FeedError;

pub(crate) use body::{cve_key, cve_of_key, decode_affected, decode_cve, decode_head, json_of, of_json};
pub use facts::{CveFacts, CvssVector, Evidence, FeedState, KevRetraction, VulnerabilityFacts};
pub use read::Advisories;
pub(crate) use read::optional_time;
pub(crate) use state::Cursor;
pub(crate) use write::Swap;

/// The file in a store's folder.
const FILE: &str = "feeds.sqlite";
/// "TenF": marks the file as a Tenon store of feeds (<https://www.sqlite.org/fileformat2.html>, offset 68).
const APPLICATION_ID: i64 = 0x5465_6e46;
/// The format written by this code; grows with every change of the schema.
const FORMAT: i64 = 2;
/// How long to wait for a writer's commit; readers do not wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages kept in memory, in KiB.
const CACHE_KIB: i64 = 8_192;

/// An advisory's head is one row, what it says of each package another, kept in the order of packages: a host is
/// assessed by reading a few neighbouring pages, whatever else an advisory affects. `STRICT`, so that a column holds
/// what its type says whoever wrote it. CVE ids are numbers (see `body`; in
/// `addresses` other ids are texts), times are milliseconds since 1970 in UTC.
const SCHEMA: &str = "
    CREATE TABLE feed (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        origin TEXT NOT NULL,
        edition TEXT NOT NULL,
        as_of INTEGER,
        fetched INTEGER,
        checked INTEGER,
        digest BLOB CHECK (digest IS NULL OR length(digest) = 32),
        records INTEGER NOT NULL,
        unlisted INTEGER NOT NULL,
        failure TEXT,
        cursor TEXT NOT NULL
    ) STRICT;
    CREATE TABLE problem (
        feed INTEGER NOT NULL,
        file TEXT NOT NULL,
        record TEXT NOT NULL,
        field TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX problem_feed ON problem (feed);
    CREATE TABLE ecosystem (
        id INTEGER PRIMARY KEY,
        feed INTEGER NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (feed, name)
    ) STRICT;
    CREATE TABLE advisory (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        feed INTEGER NOT NULL,
        id TEXT NOT NULL,
        modified INTEGER NOT NULL,
        body BLOB
    ) STRICT;
    CREATE INDEX advisory_id ON advisory (id, feed);
    CREATE TABLE affects (
        ecosystem INTEGER NOT NULL,
        package TEXT NOT NULL,
        advisory INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (ecosystem, package, advisory)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX affects_advisory ON affects (advisory);
    CREATE TABLE addresses (
        vulnerability ANY NOT NULL,
        advisory INTEGER NOT NULL,
        PRIMARY KEY (vulnerability, advisory)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX addresses_advisory ON addresses (advisory);
    CREATE TABLE kev (
        cve INTEGER PRIMARY KEY,
        added INTEGER NOT NULL,
        due INTEGER,
        ransomware INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE kev_retracted (
        cve INTEGER PRIMARY KEY,
        added INTEGER NOT NULL,
        due INTEGER,
        ransomware INTEGER NOT NULL,
        missing_since INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE epss_day (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        scored INTEGER NOT NULL,
        UNIQUE (model, scored)
    ) STRICT;
    CREATE TABLE epss (
        cve INTEGER PRIMARY KEY,
        ppm INTEGER NOT NULL,
        day INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE cve (
        cve INTEGER PRIMARY KEY,
        generation INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        published INTEGER,
        updated INTEGER,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE evidence (
        cve INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        first_seen INTEGER,
        on_or_before INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (cve, kind)
    ) STRICT, WITHOUT ROWID;
";

/// A store of feeds.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    path: PathBuf,
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder` for reading and writing; makes folder and store where there are none.
    ///
    /// # Errors
    /// When the folder or file cannot be made or opened, or the file is something else or of another format.
    pub fn open(folder: &Path) -> Result<Self, FeedError> {
        fs::create_dir_all(folder).map_err(|error| FeedError::file("make", folder, error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(folder, flags)?;
        store
            .connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            .map_err(store.failed("open"))?;
        if store.is_empty()? {
            let transaction = store
                .connection
                .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
                .map_err(|source| failed_at(&store.path, "make", source))?;
            let made = make(&transaction).and_then(|()| transaction.commit());
            made.map_err(store.failed("make"))?;
        }
        store.identify()?;
        Ok(store)
    }

    /// Opens an existing store in `folder` for reading. It may be read while a sync writes it.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or it is something else or of another format.
    pub fn open_read_only(folder: &Path) -> Result<Self, FeedError> {
        let path = folder.join(FILE);
        if !path.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(FeedError::file("open the store of feeds", &path, source));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::connect(folder, flags)?;
        store.identify()?;
        Ok(store)
    }

    fn connect(folder: &Path, flags: OpenFlags) -> Result<Self, FeedError> {
        let path = folder.join(FILE);
        let connection =
            Connection::open_with_flags(&path, flags).map_err(|error| failed_at(&path, "open", error))?;
        let store = Self { connection, path, folder: folder.to_owned() };
        let failed = store.failed("open");
        store.connection.busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
        // The file may have been written by others: nothing in its schema is to run code.
        store.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(&failed)?;
        store.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(&failed)?;
        store.connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(&failed)?;
        store.connection.set_prepared_statement_cache_capacity(64);
        Ok(store)
    }

    fn is_empty(&self) -> Result<bool, FeedError> {
        let failed = self.failed("open");
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let id = pragma("application_id").map_err(&failed)?;
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = self.connection.query_row(tables, [], |row| row.get(0)).map_err(&failed)?;
        Ok(id == 0 && tables == 0)
    }

    fn identify(&self) -> Result<(), FeedError> {
        let failed = self.failed("open");
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (id, format) =
            (pragma("application_id").map_err(&failed)?, pragma("user_version").map_err(&failed)?);
        let reason = match (id, format) {
            (APPLICATION_ID, FORMAT) => return Ok(()),
            (APPLICATION_ID, _) => {
                format!("it has format {format}, this program writes {FORMAT}; sync into a new folder")
            }
            _ => "it is another database".to_owned(),
        };
        Err(FeedError::NotAStore { path: self.path.clone(), reason })
    }

    /// The folder of this store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives `read` one state of the store, whatever a sync changes meanwhile.
    ///
    /// # Errors
    /// When the store fails, and whatever `read` fails with.
    pub fn consistent<T>(&self, read: impl FnOnce(&Self) -> Result<T, FeedError>) -> Result<T, FeedError> {
        let _snapshot = self.snapshot()?;
        read(self)
    }

    /// One state of the store for as long as this lives; `None` where one is held already.
    fn snapshot(&self) -> Result<Option<rusqlite::Transaction<'_>>, FeedError> {
        let begin = || self.connection.unchecked_transaction();
        self.connection.is_autocommit().then(begin).transpose().map_err(self.failed("read"))
    }

    /// Brings the log into the file and cuts it, as far as readers let it.
    pub(crate) fn settle(&self) {
        // A busy reader only puts it off.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    pub(crate) fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> FeedError + use<> {
        let path = self.path.clone();
        move |source| failed_at(&path, doing, source)
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> FeedError {
        FeedError::Damaged { path: self.path.clone(), what: what.into() }
    }
}

fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

fn failed_at(path: &Path, doing: &'static str, source: rusqlite::Error) -> FeedError {
    FeedError::Store { doing, path: path.to_owned(), source }
}

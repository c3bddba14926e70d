//! Opening and creating the file.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Health, SqliteJournal, history, storage_error};
use crate::JournalError;

/// "Tenj": marks the file as a Tenon journal (<https://www.sqlite.org/fileformat2.html>, offset 68).
const APPLICATION_ID: i64 = 0x5465_6e6a;
/// The format written by this code; grows with every change of the schema.
///
/// 1: entries, blobs, client keys. 2: snapshots too. 3: where the journal begins, since it can be cut.
const FORMAT: i64 = 3;
/// How long to wait for a process that is just ending to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// `STRICT`, so that a column holds what its type says whoever wrote it.
const SCHEMA: &str = "
    CREATE TABLE entry (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        time_ms INTEGER NOT NULL,
        term INTEGER NOT NULL,
        payload BLOB NOT NULL,
        prev BLOB NOT NULL CHECK (length(prev) = 32),
        hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TABLE blob (
        digest BLOB PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
        content BLOB NOT NULL
    ) STRICT;
    CREATE TABLE client_key (
        key TEXT PRIMARY KEY NOT NULL,
        after INTEGER NOT NULL,
        last INTEGER NOT NULL CHECK (last >= after)
    ) STRICT, WITHOUT ROWID;
";

/// What format 2 adds. A snapshot and its parts are written in one transaction.
const SNAPSHOTS: &str = "
    CREATE TABLE snapshot (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        format INTEGER NOT NULL,
        size INTEGER NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT;
    CREATE TABLE snapshot_part (
        seq INTEGER NOT NULL REFERENCES snapshot (seq) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (seq, part)
    ) STRICT;
";

/// What format 3 adds. Keys are found by the entry that acknowledged them, to let the old ones go.
const HISTORY: &str = "
    CREATE TABLE base (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL CHECK (seq > 0),
        time_ms INTEGER NOT NULL,
        term INTEGER NOT NULL,
        hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE INDEX client_key_last ON client_key (last);
";

impl SqliteJournal {
    /// Opens the journal at `path` for writing, and creates it (mode 0600) where there is none. The directory must
    /// exist.
    ///
    /// # Errors
    /// [`JournalError::InUse`], [`JournalError::NotAJournal`], [`JournalError::UnknownFormat`],
    /// [`JournalError::Damaged`], or the failure of the storage.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        create_file(path).map_err(|source| JournalError::Storage {
            doing: "create",
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|source| storage_error(path, "open", source))?;
        Self::with_connection(connection, path)
    }

    /// Opens the journal at `path` through the SQLite VFS of this name. Creating the file with its mode and making
    /// its directory entry durable, which [`open`](Self::open) does itself, is the VFS's part.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_with_vfs(path: &Path, vfs: &str) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags_and_vfs(path, flags, vfs)
            .map_err(|source| storage_error(path, "open", source))?;
        Self::with_connection(connection, path)
    }

    /// Opens an existing journal for reading, to verify or export it while no server runs on it. Every append is
    /// refused by the storage.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`JournalError::Storage`] where there is no file.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| storage_error(path, "open for reading", source);
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        harden(&connection).map_err(failed)?;
        let base = match identify(&connection, path)? {
            Content::Journal { format: 1 | 2 } => None,
            Content::Journal { .. } => history::read_base(&connection, path)?,
            Content::Empty => {
                return Err(JournalError::NotAJournal {
                    path: path.to_owned(),
                    found: "an empty database".to_owned(),
                });
            }
        };
        Ok(Self { connection, path: path.to_owned(), health: Health::Sound, base })
    }

    /// Lets the log be written back into the database whenever it holds so many pages, instead of SQLite's 1,000: with
    /// few pages a short workload meets everything that can happen around it.
    ///
    /// # Errors
    /// When the storage fails.
    #[cfg(feature = "testing")]
    pub fn checkpoint_after(&mut self, pages: u32) -> Result<(), JournalError> {
        self.connection
            .query_row(&format!("PRAGMA wal_autocheckpoint = {pages}"), [], |_| Ok(()))
            .map_err(self.error("set up"))
    }

    fn with_connection(connection: Connection, path: &Path) -> Result<Self, JournalError> {
        let failed = |source| storage_error(path, "open", source);
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        harden(&connection).map_err(failed)?;
        // Before the first read: only then is the index of the log kept in memory, and the lock held from that read.
        pragma(&connection, "locking_mode", "EXCLUSIVE", path)?;
        let content = identify(&connection, path)?;
        // Before the switch to the log, which is a transaction with a rollback journal: only EXTRA syncs the directory
        // after that journal is deleted. Were it to come back after a power cut, it would roll back the database to
        // what it was before the switch, and everything acknowledged since with it.
        connection
            .execute_batch(
                "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
            )
            .map_err(failed)?;
        // Before the first page is written: only then does the file keep account of what it takes to give room back.
        if let Content::Empty = content {
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;").map_err(failed)?;
        }
        pragma(&connection, "journal_mode", "WAL", path)?;
        // One transaction: a crash leaves what was there or a whole journal.
        let made = match content {
            Content::Empty => {
                format!("{SCHEMA} {SNAPSHOTS} {HISTORY} PRAGMA application_id = {APPLICATION_ID};")
            }
            Content::Journal { format: 1 } => format!("{SNAPSHOTS} {HISTORY}"),
            Content::Journal { format: 2 } => HISTORY.to_owned(),
            Content::Journal { .. } => String::new(),
        };
        if !made.is_empty() {
            connection
                .execute_batch(&format!("BEGIN IMMEDIATE; {made} PRAGMA user_version = {FORMAT}; COMMIT;"))
                .map_err(|source| storage_error(path, "initialise", source))?;
        }
        let base = history::read_base(&connection, path)?;
        Ok(Self { connection, path: path.to_owned(), health: Health::Sound, base })
    }
}

/// What an openable file holds.
enum Content {
    Journal { format: i64 },
    Empty,
}

fn identify(connection: &Connection, path: &Path) -> Result<Content, JournalError> {
    let number = |sql: &str| -> Result<i64, JournalError> {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|source| storage_error(path, "read the header of", source))
    };
    let application = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    if application == 0 && format == 0 && objects == 0 {
        return Ok(Content::Empty);
    }
    if application != APPLICATION_ID {
        let found = format!("an SQLite database with application id {application:#x} and {objects} objects");
        return Err(JournalError::NotAJournal { path: path.to_owned(), found });
    }
    if !(1..=FORMAT).contains(&format) {
        return Err(JournalError::UnknownFormat { path: path.to_owned(), found: format, known: FORMAT });
    }
    Ok(Content::Journal { format })
}

/// The file may come from elsewhere: it may not run functions from its schema, nor reach into SQLite's internals.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;")
}

/// Sets a pragma that answers with the value in force, and checks the answer: SQLite declines silently.
fn pragma(connection: &Connection, name: &str, value: &'static str, path: &Path) -> Result<(), JournalError> {
    let failed = |source| storage_error(path, "set up", source);
    let actual: String =
        connection.query_row(&format!("PRAGMA {name} = {value}"), [], |row| row.get(0)).map_err(failed)?;
    if actual.eq_ignore_ascii_case(value) {
        return Ok(());
    }
    Err(JournalError::Storage {
        doing: "set up",
        path: path.to_owned(),
        source: format!("SQLite keeps {name} = {actual} and refuses {value} on this file system").into(),
    })
}

/// Creates an empty file that only its owner reads, with its directory entry on the disk. SQLite syncs the directory
/// for its logs, yet not for the database itself; without this a power cut could take the whole file.
///
/// An existing file is not opened here: closing it again would drop this process's locks on it (POSIX).
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            file.sync_all()?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

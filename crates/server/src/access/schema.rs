//! The file of people: `people.sqlite` in the data folder.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::people::PeopleError;

/// Version of the tables below, in `user_version`.
const VERSION: i64 = 1;

/// Digests stand for secrets, which are not kept. What belongs to a person goes with them.
const TABLES: &str = "
CREATE TABLE user (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE COLLATE NOCASE,
    roles    TEXT NOT NULL,
    password TEXT,
    owner    INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT;
CREATE TABLE invitation (
    digest  BLOB PRIMARY KEY,
    user    TEXT NOT NULL UNIQUE REFERENCES user (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
    digest  BLOB PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    used    INTEGER NOT NULL
) STRICT;
CREATE TABLE token (
    id      TEXT PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,
    user    TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    label   TEXT NOT NULL,
    roles   TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
";

/// Opens the file, making it (0600) where there is none.
pub(super) fn open(path: &Path) -> Result<Connection, PeopleError> {
    let io = |source| PeopleError::File { path: path.to_owned(), source };
    // Made with its mode before SQLite opens it, which would take the umask's.
    OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(path).map_err(io)?;
    let connection = Connection::open(path)?;
    // What is erased is overwritten, and no copy of it stays in a log beside the file.
    connection.execute_batch(
        "PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        0 => {
            connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
        }
        VERSION => {}
        version => return Err(PeopleError::Version { path: path.to_owned(), version }),
    }
    Ok(connection)
}

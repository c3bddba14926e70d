//! Where a journal is kept, and opening it there.

use std::fmt;
use std::path::PathBuf;

use crate::{Journal, JournalError, SqliteJournal};

/// Where a journal is kept. Printing it shows no password.
#[derive(Debug, Clone)]
pub enum Store {
    /// In an SQLite file.
    File(PathBuf),
    /// In a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::PostgresUrl),
}

/// A text that names no store. It is not repeated here: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Not an address of a database.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] crate::postgres::PostgresUrlError),
    /// This program was built without the feature `postgres`.
    #[cfg(not(feature = "postgres"))]
    #[error(
        "this program was built without PostgreSQL: leave the store out to keep the record in the data folder"
    )]
    NotBuilt,
}

impl Store {
    /// The store with this address: `postgres://USER@HOST:PORT/DATABASE`.
    ///
    /// # Errors
    /// When it is no such address, or this program was built without PostgreSQL.
    pub fn at(address: &str) -> Result<Self, StoreError> {
        #[cfg(feature = "postgres")]
        return Ok(Self::Postgres(address.parse()?));
        #[cfg(not(feature = "postgres"))]
        {
            let _unused = address;
            Err(StoreError::NotBuilt)
        }
    }

    /// Opens the journal for writing, and creates it where there is none. Blocks: not for an asynchronous task.
    ///
    /// # Errors
    /// Those of the kind of journal.
    pub fn open(&self) -> Result<Box<dyn Journal>, JournalError> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteJournal::open(path)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Box::new(crate::postgres::PostgresJournal::open(url)?),
        })
    }

    /// Opens an existing journal for reading. Blocks: not for an asynchronous task.
    ///
    /// # Errors
    /// Those of the kind of journal.
    pub fn open_read_only(&self) -> Result<Box<dyn Journal>, JournalError> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteJournal::open_read_only(path)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Box::new(crate::postgres::PostgresJournal::open_read_only(url)?),
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

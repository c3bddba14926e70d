//! Why a feed could not be had.

use std::io;
use std::path::{Path, PathBuf};

use tenon_formats::FormatError;

/// Why a feed could not be had. Whatever it was, the caller's last known state stands.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A local file or folder failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A mirror folder has no such feed.
    #[error("the mirror has no {feed}: {} is not there; check the folder or choose another source", path.display())]
    NotMirrored {
        /// The feed.
        feed: String,
        /// The file that should be there.
        path: PathBuf,
    },
    /// One address failed.
    #[error("{feed} cannot be downloaded: {reason}")]
    Download {
        /// The feed.
        feed: String,
        /// What happened.
        reason: String,
    },
    /// More bytes, entries or expanded bytes than accepted.
    #[error("{feed} has {what} beyond the {limit} accepted; it was not read")]
    TooLarge {
        /// The feed.
        feed: String,
        /// What there is too much of.
        what: &'static str,
        /// The most that is accepted.
        limit: u64,
    },
    /// The document as a whole is not of its format.
    #[error("{feed} is unreadable: {source}")]
    Format {
        /// The feed.
        feed: String,
        /// What is wrong.
        source: FormatError,
    },
    /// The compressed container is broken.
    #[error("{feed} cannot be unpacked: {reason}")]
    Archive {
        /// The feed.
        feed: String,
        /// What is wrong.
        reason: String,
    },
    /// A source that has fallen behind what is stored; the newer state is kept.
    #[error("{feed}: this source reaches only to {offered}, stored is {stored}; the newer state is kept")]
    Older {
        /// The feed.
        feed: String,
        /// How far the source reaches.
        offered: tenon_model::Timestamp,
        /// How far the stored feed reaches.
        stored: tenon_model::Timestamp,
    },
    /// The local store failed.
    #[error("cannot {doing} the store {}: {source}", path.display())]
    Store {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The local store is not one, or not one that this program reads.
    #[error("{} is not a store of feeds that this program reads: {reason}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A row of the local store does not hold what it must.
    #[error("the store {} is damaged: {what}; sync again into a new folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which row.
        what: String,
    },
    /// It was told to stop before the feed was whole.
    #[error("{feed} was not read to its end: Tenon was told to stop")]
    Stopped {
        /// The feed.
        feed: String,
    },
    /// Another process writes to the store.
    #[error("another sync or import works on {}; wait until it ends", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A bundle is refused; nothing was changed.
    #[error("the bundle is refused, nothing was changed: {file}: {reason}")]
    Bundle {
        /// The file in the bundle, or the bundle itself.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The feed was asked for in a way that cannot be answered.
    #[error("{value:?} is not {expected}")]
    Request {
        /// The offending text.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
}

impl FeedError {
    pub(crate) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), source }
    }
}

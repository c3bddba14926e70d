//! Getting the bytes of one feed file over HTTP.

mod get;
mod http;
mod request;
mod validators;

pub(crate) use get::{Getter, Got, Streamed, Wanted};
pub use http::Limits;
pub(crate) use validators::{Validators, digest_of};

/// What is going on, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Bytes arrive.
    Downloading {
        /// The feed.
        feed: &'a str,
        /// So many bytes so far.
        bytes: u64,
        /// Of so many, by the server's word.
        of: Option<u64>,
    },
    /// Records are read.
    Reading {
        /// The feed.
        feed: &'a str,
        /// So many records so far.
        records: u64,
        /// Of so many.
        of: u64,
    },
}

//! How asking the feeds goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenon_model::Timestamp;

use crate::clock::clock;

/// How the last attempt at a feed went; not part of the record, which holds what feeds said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// When.
    pub(crate) at: Timestamp,
    /// How far the feed reaches by its own account.
    pub(crate) as_of: Option<Timestamp>,
    /// What is wrong with it, if anything is.
    pub(crate) problem: Option<String>,
}

impl Attempt {
    /// An attempt that was made now.
    pub(crate) fn made(as_of: Option<Timestamp>, problem: Option<String>) -> Self {
        Self { at: clock(), as_of, problem }
    }

    /// One that failed now.
    pub(crate) fn failed(problem: String) -> Self {
        Self::made(None, Some(problem))
    }
}

/// The last attempts, by feed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeedHealth(Arc<Mutex<BTreeMap<String, Attempt>>>);

impl FeedHealth {
    pub(crate) fn attempts(&self) -> BTreeMap<String, Attempt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes an attempt.
    pub(crate) fn note(&self, feed: &str, attempt: Attempt) {
        if let Some(problem) = &attempt.problem {
            tracing::warn!(feed, problem, "feed");
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(feed.to_owned(), attempt);
    }

    /// Forgets what was wrong and is no more.
    pub(crate) fn forget(&self, feed: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(feed);
    }
}

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
    /// What is wrong with it, if anything is.
    pub(crate) problem: Option<String>,
}

/// The last attempts, by feed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeedHealth(Arc<Mutex<BTreeMap<String, Attempt>>>);

impl FeedHealth {
    pub(crate) fn attempts(&self) -> BTreeMap<String, Attempt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes an attempt, now.
    pub(crate) fn note(&self, feed: &str, problem: Option<String>) {
        if let Some(problem) = &problem {
            tracing::warn!(feed, problem, "feed");
        }
        let attempt = Attempt { at: clock(), problem };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(feed.to_owned(), attempt);
    }
}

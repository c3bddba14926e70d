//! What a reader could not read while keeping the rest.

use std::fmt;

use tenon_model::VulnerabilityId;

/// At most this many problems are kept with their words; the rest are counted.
pub const MAX_LISTED_PROBLEMS: usize = 100;

/// One record, entry or row that was not read, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: a file in an archive, an entry or a line (`DSA-5514-1.json`, `entry 3`, `line 17`).
    pub place: String,
    /// Which vulnerability or advisory the unread record speaks of, where that much could be read.
    pub subject: Option<VulnerabilityId>,
    /// What is wrong, with field and value.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// The problems of one document: the first [`MAX_LISTED_PROBLEMS`] in words, all of them counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    total: u64,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.total = self.total.saturating_add(1);
        if self.listed.len() < MAX_LISTED_PROBLEMS {
            self.listed.push(problem);
        }
    }

    /// Whether further problems are only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.listed.len() >= MAX_LISTED_PROBLEMS
    }

    /// Counts one without its words.
    pub(crate) fn count(&mut self) {
        self.total = self.total.saturating_add(1);
    }

    /// Adds those of another part of the same document.
    pub fn append(&mut self, part: Self) {
        let unlisted = part.total - part.listed.len() as u64;
        for problem in part.listed {
            self.push(problem);
        }
        self.total = self.total.saturating_add(unlisted);
    }

    /// The first ones, in the order of the document.
    pub fn listed(&self) -> &[Problem] {
        &self.listed
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether the whole document was read.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Whether the absence of `id` from what was read means that the document does not hold it. It does not when the
    /// record of `id`, or a record that could not be told from it, was unreadable: a feed must not withdraw what it
    /// fails to spell.
    pub fn proves_absence_of(&self, id: &VulnerabilityId) -> bool {
        self.total == self.listed.len() as u64
            && self.listed.iter().all(|problem| problem.subject.as_ref().is_some_and(|subject| subject != id))
    }
}

//! What could not be read of a feed, with file, record and field.

use std::collections::HashSet;

use tenon_formats::{FormatError, Problems};
use tenon_model::VulnerabilityId;

use crate::error::FeedError;
use crate::json_path;
use crate::name::FeedName;

/// Problems of one feed that are kept with their words; the rest are counted.
pub const MAX_LISTED: usize = 1_000;
/// Most unreadable records that are remembered by id; beyond that nothing counts as gone.
const MAX_UNSPELLED: usize = 100_000;

/// One record or part of a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedProblem {
    /// The feed.
    pub feed: FeedName,
    /// The file, as the source names it; for an archive its name and the entry (`all.zip/DSA-1-1.json`).
    pub file: String,
    /// The record: its id as far as it can be told, else its line or entry number. Empty where the whole file is meant.
    pub record: String,
    /// The field, from the record's root, where it can be told (`affected[0].package.name`).
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

/// What could not be read of one feed, and what that leaves unknown.
#[derive(Debug)]
pub(crate) struct Ledger {
    feed: FeedName,
    listed: Vec<FeedProblem>,
    total: u64,
    unspelled: HashSet<String>,
    blind: bool,
}

impl Ledger {
    pub(crate) fn new(feed: FeedName) -> Self {
        Self { feed, listed: Vec::new(), total: 0, unspelled: HashSet::new(), blind: false }
    }

    pub(crate) fn feed(&self) -> &FeedName {
        &self.feed
    }

    pub(crate) fn listed(&self) -> &[FeedProblem] {
        &self.listed
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Adds a problem of the record `subject`, or of one whose id cannot be told.
    pub(crate) fn add(
        &mut self,
        file: &str,
        subject: Option<&VulnerabilityId>,
        record: &str,
        field: String,
        reason: String,
    ) {
        match subject {
            Some(id) if self.unspelled.len() < MAX_UNSPELLED => {
                self.unspelled.insert(id.to_string());
            }
            _ => self.blind = true,
        }
        self.note(file, record, field, reason);
    }

    /// Adds a problem that leaves no record unknown.
    pub(crate) fn note(&mut self, file: &str, record: &str, field: String, reason: String) {
        self.total = self.total.saturating_add(1);
        if self.listed.len() < MAX_LISTED {
            self.listed.push(FeedProblem {
                feed: self.feed.clone(),
                file: file.to_owned(),
                record: record.to_owned(),
                field,
                reason,
            });
        }
    }

    /// Adds what a reader of a whole document found. `present` says whether a record is there all the same, so that
    /// only a part of it was not read.
    pub(crate) fn add_all(
        &mut self,
        file: &str,
        problems: &Problems,
        present: impl Fn(&VulnerabilityId) -> bool,
    ) {
        for problem in problems.listed() {
            let record = match &problem.subject {
                Some(id) if problem.place.contains(id.as_str()) => problem.place.clone(),
                Some(id) => format!("{id} ({})", problem.place),
                None => problem.place.clone(),
            };
            let field = named_field(&problem.reason);
            match &problem.subject {
                Some(id) if present(id) => self.note(file, &record, field, problem.reason.clone()),
                subject => self.add(file, subject.as_ref(), &record, field, problem.reason.clone()),
            }
        }
        let unlisted = problems.total() - problems.listed().len() as u64;
        if unlisted > 0 {
            self.blind = true;
            self.total = self.total.saturating_add(unlisted);
        }
    }

    /// Adds why a record of these bytes cannot be read.
    pub(crate) fn unreadable(
        &mut self,
        file: &str,
        subject: Option<&VulnerabilityId>,
        bytes: &[u8],
        error: &FormatError,
    ) {
        let record = subject.map(ToString::to_string).unwrap_or_default();
        let reason = error.to_string();
        let field = match error {
            FormatError::Field { field, .. } => (*field).to_owned(),
            FormatError::Json { reason, .. } => json_path::of_error(bytes, reason),
            FormatError::Range { .. } => "affected[].ranges".to_owned(),
            _ => String::new(),
        };
        self.add(file, subject, &record, field, reason);
    }

    /// Refuses an archive of which no record could be read: it is not of this feed, whatever its name says.
    ///
    /// # Errors
    /// When nothing was kept.
    pub(crate) fn some_read(&self, feed: &str, kept: u64) -> Result<(), FeedError> {
        match self.listed.first() {
            Some(first) if kept == 0 => Err(FeedError::Archive {
                feed: feed.to_owned(),
                reason: format!(
                    "none of its {} records can be read, the first: {}: {}",
                    self.total, first.file, first.reason
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Counts problems whose words are elsewhere or lost.
    pub(crate) fn count_unlisted(&mut self, count: u64) {
        self.total = self.total.saturating_add(count);
    }

    /// Whether the absence of `id` from what was read means that the feed no longer has it: a feed must not withdraw
    /// what it fails to spell.
    pub(crate) fn proves_absence_of(&self, id: &str) -> bool {
        !self.blind && !self.unspelled.contains(id)
    }

    /// Whether everything was read.
    pub(crate) fn is_blind_or_unspelled(&self) -> bool {
        self.blind || !self.unspelled.is_empty()
    }
}

/// The field a reason names, which readers of whole documents write as `field NAME is ...` or `field NAME: ...`.
fn named_field(reason: &str) -> String {
    let Some(rest) = reason.strip_prefix("field ") else { return String::new() };
    let end = rest.find(" is ").into_iter().chain(rest.find(": ")).min();
    end.and_then(|end| rest.get(..end)).unwrap_or_default().to_owned()
}

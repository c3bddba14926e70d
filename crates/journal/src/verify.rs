//! Re-computing the chain.

use tenon_model::Digest;

use crate::{Entry, Head, Journal, JournalError, MAX_PAGE_ENTRIES, entry_hash};

/// What a whole verification found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The entry with which the journal begins, where it was cut: nothing before it is proven by this journal.
    pub base: Option<Head>,
    /// The proven end of the chain. A chain cut short at its end is still a chain: compare this with a head noted
    /// elsewhere (an export, another person's note) to prove that nothing is missing.
    pub head: Head,
    /// Blobs checked against their addresses.
    pub blobs: u64,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Another entry stands in its place.
    #[error("it is missing: entry {found} stands in its place")]
    Missing {
        /// The entry found.
        found: u64,
    },
    /// It is not linked to the entry before it.
    #[error("it follows the hash {found}, the entry before has {expected}")]
    Unlinked {
        /// The hash of the entry before.
        expected: Digest,
        /// The hash that this entry names.
        found: Digest,
    },
    /// Its fields do not hash to its hash.
    #[error("its content hashes to {actual}, recorded is {recorded}")]
    Altered {
        /// The recorded hash.
        recorded: Digest,
        /// What the content hashes to.
        actual: Digest,
    },
    /// Its stamp lies before the previous one's.
    #[error("its time {time_ms} ms lies before the previous entry's {last_ms} ms")]
    TimeBackwards {
        /// Its stamp.
        time_ms: i64,
        /// The stamp before.
        last_ms: i64,
    },
    /// Its term lies below the previous one's.
    #[error("its term {term} lies below the previous entry's {last_term}")]
    TermBackwards {
        /// Its term.
        term: u64,
        /// The term before.
        last_term: u64,
    },
}

/// Why a journal does not verify.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The first entry that is not as it was written.
    #[error("the journal is broken at entry {seq}: {fault}")]
    Entry {
        /// Its place.
        seq: u64,
        /// What is wrong.
        fault: EntryFault,
    },
    /// The storage failed, or a blob is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Checks that `entry` is the base as it is recorded; what it follows is not there to be compared.
fn begin(base: &Head, entry: &Entry) -> Result<Head, ChainError> {
    let fault = |fault| Err(ChainError::Entry { seq: base.seq, fault });
    if entry.seq != base.seq {
        return fault(EntryFault::Missing { found: entry.seq });
    }
    let actual = entry_hash(entry.seq, entry.time_ms, entry.term, &entry.payload, &entry.prev);
    if actual != base.hash || entry.head() != *base {
        return fault(EntryFault::Altered { recorded: base.hash, actual });
    }
    Ok(*base)
}

/// Calls `each` with every entry, in order and once it is proven to be as it was written. Returns base and head.
///
/// # Errors
/// The first entry that is wrong, the first failure of `each`, or the failure of the storage.
pub(crate) fn walk<E: From<ChainError>>(
    journal: &dyn Journal,
    mut each: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(Option<Head>, Head), E> {
    let failed = |error: JournalError| E::from(ChainError::from(error));
    let base = journal.base().map_err(failed)?;
    let mut reached = None;
    loop {
        let from = match (reached, base) {
            (Some(Head { seq, .. }), _) => seq + 1,
            (None, Some(base)) => base.seq,
            (None, None) => 1,
        };
        let page = journal.read(from, MAX_PAGE_ENTRIES).map_err(failed)?;
        if page.is_empty() {
            return match (reached, base) {
                (Some(head), _) => Ok((base, head)),
                (None, None) => Ok((None, Head::genesis())),
                (None, Some(Head { seq, .. })) => {
                    Err(failed(JournalError::BaseUnfounded { seq, why: "it holds no such entry" }))
                }
            };
        }
        for entry in page {
            reached = Some(next(reached, base, &entry)?);
            each(entry)?;
        }
    }
}

/// The head after an entry: the first of the journal where none was `reached`.
pub(crate) fn next(reached: Option<Head>, base: Option<Head>, entry: &Entry) -> Result<Head, ChainError> {
    match (reached, base) {
        (None, Some(base)) => begin(&base, entry),
        (reached, _) => follow(&reached.unwrap_or_else(Head::genesis), entry),
    }
}

/// Checks that `entry` follows `head` and returns the head after it.
fn follow(head: &Head, entry: &Entry) -> Result<Head, ChainError> {
    let expected = head.seq + 1;
    let fault = |fault| Err(ChainError::Entry { seq: expected, fault });
    if entry.seq != expected {
        return fault(EntryFault::Missing { found: entry.seq });
    }
    if entry.prev != head.hash {
        return fault(EntryFault::Unlinked { expected: head.hash, found: entry.prev });
    }
    let actual = entry_hash(entry.seq, entry.time_ms, entry.term, &entry.payload, &entry.prev);
    if actual != entry.hash {
        return fault(EntryFault::Altered { recorded: entry.hash, actual });
    }
    if entry.time_ms < head.time_ms {
        return fault(EntryFault::TimeBackwards { time_ms: entry.time_ms, last_ms: head.time_ms });
    }
    if entry.term < head.term {
        return fault(EntryFault::TermBackwards { term: entry.term, last_term: head.term });
    }
    Ok(entry.head())
}

/// Re-computes the chain from its base on and every blob's address, one page in memory at a time. Client keys are not part of
/// the chain and are not proven.
///
/// # Errors
/// The first entry that is wrong, else the first damaged blob, or the failure of the storage.
pub fn verify(journal: &dyn Journal) -> Result<VerifyReport, ChainError> {
    verify_each(journal, &mut |_| {})
}

/// The same; `each` is shown every entry once it is proven.
///
/// # Errors
/// Those of [`verify`].
pub fn verify_each(journal: &dyn Journal, each: &mut dyn FnMut(&Entry)) -> Result<VerifyReport, ChainError> {
    let (base, head) = walk(journal, |entry| {
        each(&entry);
        Ok::<_, ChainError>(())
    })?;
    let mut blobs = 0;
    let mut last = None;
    loop {
        let page = journal.blobs(last.as_ref(), MAX_PAGE_ENTRIES)?;
        let Some(end) = page.last() else { break };
        last = Some(*end);
        for digest in &page {
            journal.get_blob(digest)?;
            blobs += 1;
        }
    }
    Ok(VerifyReport { base, head, blobs })
}

//! What a record proves that was cut: an entry of its own must name the place where it begins.

use tenon_journal::{ChainError, Entry, ExportError, Exported, Head, Journal, VerifyReport};
use tenon_model::{Event, HistoryBase, Versioned};

/// Where a record begins, and the entry that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// What it says.
    pub base: HistoryBase,
    /// The place of the entry.
    pub said_by: u64,
}

/// Why a record is not proven.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The chain is broken.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The export is broken.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Something was removed, and not by Tenon.
    #[error(
        "the record begins with entry {seq}, and no entry says that what was before was let go: \
         it was cut by another hand, restore it from a backup"
    )]
    Unsaid {
        /// The first entry.
        seq: u64,
    },
    /// The snapshot with which it begins is another.
    #[error(
        "the record begins with the state after entry {seq}, and its snapshot is not the one that entry {said_by} names: \
         restore it from a backup"
    )]
    Snapshot {
        /// The first entry.
        seq: u64,
        /// The entry that names the snapshot.
        said_by: u64,
    },
}

/// Every place at which the record says that it begins, with the entry that says so.
#[derive(Default)]
struct Said(Vec<Beginning>);

impl Said {
    fn note(&mut self, entry: &Entry) {
        // Most entries say something else; whether they are events is for a replay to tell.
        if let Ok(Event::HistoryCut { base }) = Versioned::decode(entry.seq, &entry.payload) {
            self.0.push(Beginning { base, said_by: entry.seq });
        }
    }

    fn find(self, base: Option<Head>) -> Result<Option<Beginning>, ProofError> {
        let Some(base) = base else { return Ok(None) };
        let is_meant = |said: &HistoryBase| {
            (said.seq, said.hash, said.time.as_millis()) == (base.seq, base.hash, base.time_ms)
        };
        let said = self.0.into_iter().find(|beginning| is_meant(&beginning.base));
        said.map(Some).ok_or(ProofError::Unsaid { seq: base.seq })
    }
}

/// Re-computes the chain of a journal and every blob's address; where the journal was cut, an entry must say so and name the
/// snapshot that stands for what is gone.
///
/// # Errors
/// [`ProofError`].
pub fn prove(journal: &dyn Journal) -> Result<(VerifyReport, Option<Beginning>), ProofError> {
    let mut said = Said::default();
    let report = tenon_journal::verify_each(journal, &mut |entry| said.note(entry))?;
    let beginning = said.find(report.base)?;
    if let Some(Beginning { base, said_by }) = &beginning {
        let held = journal.snapshots().map_err(ChainError::from)?;
        let (seq, said_by) = (base.seq, *said_by);
        // Its content is hashed when it is read.
        if !held.iter().any(|held| held.head.seq == seq && held.digest == base.snapshot) {
            return Err(ProofError::Snapshot { seq, said_by });
        }
    }
    Ok((report, beginning))
}

/// The same of an export, which holds neither blobs nor the snapshot.
///
/// # Errors
/// [`ProofError`].
pub fn prove_export(input: &mut dyn std::io::BufRead) -> Result<(Exported, Option<Beginning>), ProofError> {
    let mut said = Said::default();
    let exported = tenon_journal::verify_export(input, &mut |entry| said.note(entry))?;
    let beginning = said.find(exported.base)?;
    Ok((exported, beginning))
}

//! Which blobs are named, up to which entry.

use std::collections::HashSet;

use tenon_engine::World;
use tenon_journal::{Entry, Head, Journal, JournalError};
use tenon_model::{Digest, Event, EventError, Versioned};

use super::HistoryError;
use crate::writer::Writer;

/// Entries that are read between two appends and decoded beside them ...
const BESIDE: usize = 256;
/// ... and decoded there too, before blobs go: so many may have been appended since.
const SINCE: usize = 4_096;

/// The blobs that the state at the base names, and the entries from there on.
pub(super) struct Marks {
    named: HashSet<Digest>,
    /// The next entry to be read.
    next: u64,
}

impl Marks {
    /// Those of the state at the base.
    pub(super) fn of(world: &World, base: u64) -> Self {
        // The entry of the base is kept and shown, with what it names.
        Self { named: world.named_blobs().into_iter().collect(), next: base }
    }

    fn read(&mut self, entries: &[Entry]) -> Result<(), EventError> {
        for entry in entries {
            let event = Versioned::decode(entry.seq, &entry.payload)?;
            self.named.extend(event.blobs());
            // What is approved was looked at.
            if let Event::DirectiveApproved { rehearsals, .. }
            | Event::ApprovalGiven { rehearsals, .. }
            | Event::ApprovedByPolicy { rehearsals, .. } = &event
            {
                self.named.extend(rehearsals.iter().map(|(_, report)| *report));
            }
            if let Event::ApprovedByPolicy { policy, .. } = &event {
                self.named.insert(*policy);
            }
            self.next = entry.seq + 1;
        }
        Ok(())
    }

    /// Reads what was appended so far, beside the writer.
    pub(super) fn read_to_the_end(&mut self, writer: &Writer) -> Result<(), HistoryError> {
        loop {
            let from = self.next;
            let page = writer.wait_for(move |journal| journal.read(from, BESIDE))??;
            if page.is_empty() {
                return Ok(());
            }
            self.read(&page)?;
        }
    }

    /// Those that are not named.
    pub(super) fn unnamed(&self, blobs: Vec<Digest>) -> Vec<Digest> {
        blobs.into_iter().filter(|blob| !self.named.contains(blob)).collect()
    }

    /// Removes some of the doomed from the journal, and from the list what is done with. What was appended since is read first:
    /// it may name one of them again. `None` where that is too much to be read between two appends.
    pub(super) fn remove(
        &mut self,
        journal: &mut dyn Journal,
        head: &Head,
        doomed: &mut Vec<Digest>,
    ) -> Result<Result<Option<u64>, EventError>, JournalError> {
        if let Err(error) = self.read(&journal.read(self.next, SINCE)?) {
            return Ok(Err(error));
        }
        if self.next <= head.seq {
            return Ok(Ok(None));
        }
        doomed.retain(|blob| !self.named.contains(blob));
        if doomed.is_empty() {
            return Ok(Ok(Some(0)));
        }
        let removed = journal.remove_blobs(head, doomed)?;
        doomed.drain(..removed);
        Ok(Ok(Some(removed as u64)))
    }
}

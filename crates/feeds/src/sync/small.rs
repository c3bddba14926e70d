//! Feeds of one file that is read at once: KEV, EPSS, exploit evidence.

use std::io::BufReader;

use crate::error::FeedError;
use crate::evidence;
use crate::file::{read_epss, read_kev};
use crate::name::{EvidenceKind, FeedName};
use crate::problem::Ledger;
use crate::sources;
use crate::store::{Cursor, FeedState, Swap};

use super::from::{Fresh, Location, WHOLE};
use super::{Change, Job};

/// Most bytes of the catalogue; it held 1.6 MB in 2026.
const MAX_KEV: u64 = 16 << 20;
/// Most bytes of a day, gzipped; one held 2.5 MB in 2026.
const MAX_EPSS: u64 = 32 << 20;
/// Most bytes of a list of evidence; the longest held 0.5 MB in 2026.
const MAX_EVIDENCE: u64 = 64 << 20;

impl Job<'_> {
    /// Gets the whole file; when it is as it was, that is noted.
    pub(super) fn fresh(
        &mut self,
        feed: &FeedName,
        location: &Location,
        limit: u64,
    ) -> Result<Option<(Fresh, Option<FeedState>)>, FeedError> {
        let known = self.store.feed(feed)?;
        let fresh =
            self.origin.fresh(&feed.to_string(), location, limit, known.as_ref(), &mut *self.progress)?;
        match (fresh, known) {
            (Some(fresh), known) => Ok(Some((fresh, known.map(|(state, _)| state)))),
            (None, known) => {
                let mut cursor = known.map(|(_, cursor)| cursor).unwrap_or_default();
                cursor.whole = Some(self.now);
                self.store.confirm(feed, &cursor, self.now)?;
                Ok(None)
            }
        }
    }

    /// How a feed stands that was just read as a whole, and where its next sync goes on.
    pub(super) fn stands(&self, feed: FeedName, fresh: &Fresh) -> (FeedState, Cursor) {
        let mut state = FeedState::new(feed);
        state.origin.clone_from(&fresh.origin);
        state.fetched = Some(self.now);
        state.checked = Some(self.now);
        state.digest = Some(fresh.digest);
        let mut cursor = Cursor { whole: Some(self.now), ..Cursor::default() };
        if let Some(validators) = &fresh.validators {
            cursor.validators.insert(WHOLE.to_owned(), validators.clone());
        }
        (state, cursor)
    }
}

/// Refuses a source that has fallen behind what is stored: its silence would look like a retraction.
fn not_older(state: &FeedState, before: Option<&FeedState>) -> Result<(), FeedError> {
    match (state.as_of, before.and_then(|before| before.as_of)) {
        (Some(offered), Some(stored)) if offered < stored => {
            Err(FeedError::Older { feed: state.feed.to_string(), offered, stored })
        }
        _ => Ok(()),
    }
}

fn swapped(
    job: &mut Job<'_>,
    state: &FeedState,
    cursor: &Cursor,
    mut ledger: Ledger,
    put: impl FnOnce(&Swap<'_>, &mut Ledger) -> Result<(), FeedError>,
) -> Result<Change, FeedError> {
    let swap = job.store.swap(&state.feed)?;
    put(&swap, &mut ledger)?;
    swap.finish(state, cursor, &ledger, true)?;
    Ok(Change::Replaced)
}

pub(super) fn kev(job: &mut Job<'_>) -> Result<Change, FeedError> {
    let location = job.origin.location(&format!("kev/{}", sources::KEV_FILE), &sources::KEV);
    let Some((fresh, before)) = job.fresh(&FeedName::Kev, &location, MAX_KEV)? else {
        return Ok(Change::Unchanged);
    };
    let (mut state, cursor) = job.stands(FeedName::Kev, &fresh);
    let catalogue = read_kev("kev", fresh.file, MAX_KEV)?;
    (state.edition, state.as_of) = (catalogue.version, Some(catalogue.released));
    state.records = catalogue.entries.len() as u64;
    not_older(&state, before.as_ref())?;
    let mut ledger = Ledger::new(FeedName::Kev);
    let entries = &catalogue.entries;
    ledger.add_all(sources::KEV_FILE, &catalogue.problems, |id| {
        entries.binary_search_by(|(entry, _)| entry.cmp(id)).is_ok()
    });
    swapped(job, &state, &cursor, ledger, |swap, ledger| swap.put_kev(entries, catalogue.released, ledger))
}

pub(super) fn epss(job: &mut Job<'_>) -> Result<Change, FeedError> {
    let location = job.origin.epss()?;
    let Some((fresh, before)) = job.fresh(&FeedName::Epss, &location, MAX_EPSS)? else {
        return Ok(Change::Unchanged);
    };
    let (mut state, cursor) = job.stands(FeedName::Epss, &fresh);
    let day = read_epss("epss", fresh.file)?;
    (state.edition, state.as_of, state.records) = (day.model, Some(day.scored), day.rows);
    not_older(&state, before.as_ref())?;
    let mut ledger = Ledger::new(FeedName::Epss);
    let file = fresh.origin.rsplit('/').next().unwrap_or_default();
    ledger.add_all(file, &day.problems, |id| day.scores.binary_search_by(|(row, _)| row.cmp(id)).is_ok());
    swapped(job, &state, &cursor, ledger, |swap, ledger| {
        swap.put_epss(&state.edition, day.scored, &day.scores, ledger)
    })
}

pub(super) fn evidence(job: &mut Job<'_>, kind: EvidenceKind) -> Result<Change, FeedError> {
    let feed = FeedName::Exploits(kind);
    let location = job.origin.location(&format!("exploits/{}", kind.file()), &[]);
    let Some((fresh, _)) = job.fresh(&feed, &location, MAX_EVIDENCE)? else { return Ok(Change::Unchanged) };
    let (mut state, cursor) = job.stands(feed.clone(), &fresh);
    let mut ledger = Ledger::new(feed);
    let list = evidence::read(kind, BufReader::new(fresh.file), &mut ledger)?;
    (state.as_of, state.records) = (list.newest, list.rows);
    swapped(job, &state, &cursor, ledger, |swap, ledger| swap.put_evidence(kind, &list.entries, ledger))
}

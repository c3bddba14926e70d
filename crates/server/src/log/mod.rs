//! The record as a list: which entries there are of something, the newest first, each as one sentence.

mod about;
mod moves;
mod told;

pub(crate) use moves::read_moves;
pub use moves::{MoveView, MovesView};
pub(crate) use told::{retired, said};

use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_journal::{Entry, JournalError};
use tenon_model::{AssetId, DirectiveId, Event, EventError, Timestamp, Versioned, VulnerabilityId};
use utoipa::ToSchema;

/// Entries that are read at a time.
const STEP: u64 = 256;
/// Most entries that one page looks through: what is rare in a long record comes over several pages.
const MOST_LOOKED_AT: u64 = 20_000;

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Only those whose kind begins so (`directive`, `directive-closed`).
    pub kind: Option<String>,
    /// Only those about this asset.
    pub asset: Option<AssetId>,
    /// Only those about this directive.
    pub directive: Option<DirectiveId>,
    /// Only those that name this vulnerability.
    pub vulnerability: Option<VulnerabilityId>,
    /// Only those stamped at or after this time.
    pub since: Option<Timestamp>,
    /// Only those stamped before this time.
    pub until: Option<Timestamp>,
}

/// One entry of the record, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntryView {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was stamped, RFC 3339.
    pub time: String,
    /// Its kind, as the record keeps it (`directive-raised`).
    pub kind: String,
    /// The person behind it; absent where none is.
    pub by: Option<String>,
    /// What happened, in one sentence.
    pub said: String,
    /// The asset that it is about; absent where that is none or several.
    pub asset: Option<String>,
    /// The directive that it is about; absent likewise.
    pub directive: Option<String>,
    /// Its hash, SHA-256 over the one before it and its content.
    pub hash: String,
    /// The contents that it names, by SHA-256.
    pub blobs: Vec<String>,
}

impl LogEntryView {
    pub(crate) fn of(entry: &Entry, event: &Event, world: &World) -> Self {
        Self {
            seq: entry.seq,
            time: Timestamp::from_millis(entry.time_ms).to_string(),
            kind: event.kind().to_owned(),
            by: told::by(event).map(ToString::to_string),
            said: told::said(event, world),
            asset: about::asset_of(event, world).map(|id| id.to_string()),
            directive: about::directive_of(event, world).map(|id| id.to_string()),
            hash: entry.hash.to_string(),
            blobs: event.blobs().iter().map(ToString::to_string).collect(),
        }
    }
}

/// A part of the record, the newest entry first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// The entries. There may be fewer than asked for, and even none, where others follow.
    pub items: Vec<LogEntryView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

impl LogPage {
    /// The `before` of the page that follows; `None` on the last.
    pub fn before(&self) -> Option<u64> {
        self.next.as_deref().and_then(place)
    }
}

/// Why the record cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The record cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry is no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Who has the record open stopped meanwhile.
    #[error(transparent)]
    Stopped(#[from] crate::writer::SubmitError),
}

/// Entries from a place on, at most so many.
pub type ReadEntries<'a> = &'a dyn Fn(u64, u64) -> Result<Vec<Entry>, LogError>;

/// The newest entries before `before` that are as the filter says, at most `limit`. `read` gives entries from a place on, at
/// most so many; `world` knows the names, and is that of the entry before `before` or a later one.
///
/// # Errors
/// When the record cannot be read.
pub fn read_log(
    read: ReadEntries<'_>,
    world: &World,
    filter: &LogFilter,
    before: u64,
    limit: usize,
) -> Result<LogPage, LogError> {
    let end = before.min(world.seq() + 1);
    let end = match filter.until {
        Some(until) => first_since(read, until, end)?,
        None => end,
    };
    let start = match filter.since {
        Some(since) => first_since(read, since, end)?,
        None => 1,
    };
    // A record that was cut begins later.
    let first = read(1, 1)?.first().map_or(1, |entry| entry.seq);
    let (start, end) = (start.max(first), end.max(first));
    let wanted = about::Wanted::of(filter, world);
    let mut items = Vec::new();
    let mut at = end;
    while at > start && end - at < MOST_LOOKED_AT && items.len() < limit {
        let from = at.saturating_sub(STEP).max(start);
        let mut found = read_step(read, &wanted, world, from..at)?;
        // The newest first; what is too many comes with the next page.
        let room = limit - items.len();
        let spare = found.len().saturating_sub(room);
        at = found.get(spare).filter(|_| spare > 0).map_or(from, |oldest| oldest.seq);
        items.extend(found.drain(spare..).rev());
    }
    let next = (at > start).then(|| format!("e{at}"));
    Ok(LogPage { generation: world.seq(), items, next })
}

/// The place that a page's `next` names.
pub(crate) fn place(cursor: &str) -> Option<u64> {
    cursor.strip_prefix('e')?.parse().ok().filter(|place| *place > 0)
}

/// What is wanted of a few entries, the oldest first.
fn read_step(
    read: ReadEntries<'_>,
    wanted: &about::Wanted<'_>,
    world: &World,
    range: std::ops::Range<u64>,
) -> Result<Vec<LogEntryView>, LogError> {
    let mut found = Vec::new();
    each_entry(read, range, |entry, event| {
        if wanted.holds(&event) {
            found.push(LogEntryView::of(&entry, &event, world));
        }
    })?;
    Ok(found)
}

/// Reads a few entries, the oldest first.
fn each_entry(
    read: ReadEntries<'_>,
    range: std::ops::Range<u64>,
    mut take: impl FnMut(Entry, Event),
) -> Result<(), LogError> {
    let mut from = range.start;
    while from < range.end {
        // A page ends early where its entries are large.
        let page = read(from, range.end - from)?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        for entry in page.into_iter().filter(|entry| entry.seq < range.end) {
            let event = Versioned::decode(entry.seq, &entry.payload)?;
            take(entry, event);
        }
    }
    Ok(())
}

/// The place of the first entry before `end` that is stamped at or after a time, or `end`. Stamps never decrease.
fn first_since(read: ReadEntries<'_>, time: Timestamp, end: u64) -> Result<u64, LogError> {
    let (mut low, mut high) = (1, end.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match read(middle, 1)?.first() {
            Some(entry) if entry.time_ms < time.as_millis() => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

//! The record as a list.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tenon_engine::World;
use tenon_journal::Entry;
use tenon_model::{DirectiveId, EVENT_KINDS, Timestamp, Versioned};
use utoipa::IntoParams;

use super::as_of::AsOf;
use super::lists::{limit, no_cursor};
use super::read::parse;
use super::{ApiError, Code, Shared};
use crate::access::Names;
use crate::log::{LogEntryView, LogError, LogFilter, LogPage, MovesView, place, read_log, read_moves};
use crate::writer::Writer;

/// Which entries, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Only those of this kind, or of all kinds that begin so: `directive-closed`, `directive`.
    kind: Option<String>,
    /// Only those about this asset.
    asset: Option<String>,
    /// Only those about this directive.
    directive: Option<String>,
    /// Only those of directives that close this vulnerability, or whose vendor claims it.
    vulnerability: Option<String>,
    /// Only those stamped at or after this day or time, RFC 3339.
    since: Option<String>,
    /// Only those stamped before this day or time, RFC 3339.
    until: Option<String>,
    /// Entries wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl LogQuery {
    fn filter(&self) -> Result<LogFilter, ApiError> {
        if let Some(kind) =
            self.kind.as_ref().filter(|kind| !EVENT_KINDS.iter().any(|known| known.starts_with(*kind)))
        {
            let known = EVENT_KINDS.join(", ");
            return Err(ApiError::bad_request(format!("{kind:?} is no kind of entry: {known}")));
        }
        Ok(LogFilter {
            kind: self.kind.clone(),
            asset: self.asset.as_deref().map(parse).transpose()?,
            directive: self.directive.as_deref().map(parse).transpose()?,
            vulnerability: self.vulnerability.as_deref().map(parse).transpose()?,
            since: self.since.as_deref().map(time).transpose()?,
            until: self.until.as_deref().map(time).transpose()?,
        })
    }
}

/// A time that a query says.
pub(super) fn time(said: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse(said).ok_or_else(|| {
        ApiError::bad_request(format!("{said:?} is no day or time, as in 2026-11-25 or 2026-11-25T06:00:00Z"))
    })
}

/// Entries at these places, in words; nothing where the record does not reach back so far any more.
pub(super) async fn entries_at(
    context: &Shared,
    world: Arc<World>,
    places: Vec<u64>,
) -> Result<Vec<Option<LogEntryView>>, ApiError> {
    let writer = context.writer.clone();
    let read = tokio::task::spawn_blocking(move || {
        let one = |place: u64| -> Result<Option<LogEntryView>, LogError> {
            let read = writer.wait_for(move |journal| journal.read(place, 1))??;
            // A record that was cut begins later.
            let entry = read.first().filter(|entry| entry.seq == place);
            entry
                .map(|entry| {
                    Ok(LogEntryView::of(entry, &Versioned::decode(entry.seq, &entry.payload)?, &world))
                })
                .transpose()
        };
        places.into_iter().map(one).collect()
    });
    let entries: Result<_, LogError> = read.await.map_err(|error| ApiError::internal(&error))?;
    entries.map_err(failed)
}

fn failed(error: LogError) -> ApiError {
    match error {
        LogError::Event(error) => ApiError::internal(&error),
        error => ApiError::new(Code::JournalFailed, error.to_string()),
    }
}

/// Entries that are told of what moved one directive.
const MOVES: usize = 20;

/// What moved the expected loss of a directive: the entries of the record from which it followed, the last first, at most 20.
#[utoipa::path(get, path = "/api/v1/directives/{id}/moves", params(("id" = String, Path, description = "as in dir_7"), AsOf),
    responses((status = OK, body = MovesView), (status = NOT_FOUND)))]
pub(super) async fn moves(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: DirectiveId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    if then.world.directive(&id).is_none() {
        return Err(ApiError::not_found(format!("{id} is unknown")));
    }
    let (writer, world) = (context.writer.clone(), then.world.clone());
    let listed = tokio::task::spawn_blocking(move || read_moves(&reading(&writer), &world, id, MOVES));
    let view = listed.await.map_err(|error| ApiError::internal(&error))?.map_err(failed)?;
    Ok(then.answer(view))
}

/// Reads the record through whoever writes it.
fn reading(writer: &Writer) -> impl Fn(u64, u64) -> Result<Vec<Entry>, LogError> + '_ {
    |from, most| {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(writer.wait_for(move |journal| journal.read(from, most))??)
    }
}

/// The entries of the record in words, the newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/log", params(LogQuery), responses((status = OK, body = LogPage)))]
pub(super) async fn log(
    State(context): State<Shared>,
    Query(query): Query<LogQuery>,
) -> Result<Json<LogPage>, ApiError> {
    let limit = limit(query.limit)?;
    let filter = query.filter()?;
    let before = match &query.cursor {
        Some(text) => place(text).ok_or_else(|| no_cursor(text))?,
        None => u64::MAX,
    };
    let (writer, world) = (context.writer.clone(), context.writer.world());
    // Decoding is work, and the writer has its own.
    let listed =
        tokio::task::spawn_blocking(move || read_log(&reading(&writer), &world, &filter, before, limit));
    let page = listed.await.map_err(|error| ApiError::internal(&error))?;
    let mut page = page.map_err(failed)?;
    let names = Names::of(&context.people)?;
    for entry in &mut page.items {
        entry.by = entry.by.take().map(|id| names.of_id(id));
        names.put_into_said(entry);
    }
    Ok(Json(page))
}

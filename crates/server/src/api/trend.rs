//! Exposure over time.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tenon_engine::Day;
use tenon_model::Timestamp;
use utoipa::IntoParams;

use super::{ApiError, Shared};
use crate::view::TrendView;

/// Days where nobody says how many, and the most.
pub(super) const USUAL: u16 = 30;
pub(super) const MOST: u16 = 366;

/// Which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// How many days: 1 to 366, 30 where nothing is said.
    days: Option<u16>,
    /// The last of them, as in 2026-11-25; today, or the day of `as_of`, where nothing is said.
    until: Option<String>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// Exposure over time, and what moved it: newly seen, got worse, got better, done, refused, retired.
#[utoipa::path(get, path = "/api/v1/trend", params(Span), responses((status = OK, body = TrendView)))]
pub(super) async fn trend(
    State(context): State<Shared>,
    Query(span): Query<Span>,
) -> Result<Response, ApiError> {
    let days = span.days.unwrap_or(USUAL);
    if !(1..=MOST).contains(&days) {
        return Err(ApiError::bad_request(format!("a trend has 1 to {MOST} days, not {days}")));
    }
    let then = context.then(span.as_of.as_ref()).await?;
    let last = last_day(span.until.as_ref(), then.now)?;
    let first = Day(last.0.saturating_sub(i64::from(days) - 1));
    Ok(then.answer(TrendView::of(&then.world, first, last)))
}

/// The last day of a span: the one that is said, or that of now.
pub(super) fn last_day(said: Option<&String>, now: Timestamp) -> Result<Day, ApiError> {
    let Some(said) = said else { return Ok(Day::of(now)) };
    let until = Timestamp::parse(said);
    until.map(Day::of).ok_or_else(|| ApiError::bad_request(format!("{said:?} is no day, as in 2026-11-25")))
}

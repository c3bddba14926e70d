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
const USUAL: u16 = 30;
const MOST: u16 = 366;

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
    let days = days_of("a trend", span.days)?;
    let then = context.then(span.as_of.as_ref()).await?;
    let (first, last) = span_of(days, span.until.as_ref(), then.now)?;
    Ok(then.answer(TrendView::of(&then.world, first, last)))
}

/// How many days are asked for: what is said, or as many as usual.
pub(super) fn days_of(what: &str, said: Option<u16>) -> Result<u16, ApiError> {
    let days = said.unwrap_or(USUAL);
    let within = (1..=MOST).contains(&days).then_some(days);
    within.ok_or_else(|| ApiError::bad_request(format!("{what} has 1 to {MOST} days, not {days}")))
}

/// The first and the last day of a span, which ends on the day that is said, or on that of now.
pub(super) fn span_of(days: u16, until: Option<&String>, now: Timestamp) -> Result<(Day, Day), ApiError> {
    let last = match until {
        None => Day::of(now),
        Some(said) => Timestamp::parse(said)
            .map(Day::of)
            .ok_or_else(|| ApiError::bad_request(format!("{said:?} is no day, as in 2026-11-25")))?,
    };
    Ok((Day(last.0.saturating_sub(i64::from(days) - 1)), last))
}

//! Measures of the loop.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tenon_model::GroupName;
use utoipa::IntoParams;

use super::trend::{days_of, span_of};
use super::{ApiError, Shared};
use crate::view::MeasuresView;

/// Which days, and of whom.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// How many days: 1 to 366, 30 where nothing is said.
    days: Option<u16>,
    /// The last of them, as in 2026-11-25; today, or the day of `as_of`, where nothing is said.
    until: Option<String>,
    /// Only this group; all, and each for itself, where nothing is said.
    group: Option<String>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// Where the time of the loop goes, from what must be done to what is verified, and how things end; with what each figure means.
#[utoipa::path(get, path = "/api/v1/measures", params(Span), responses((status = OK, body = MeasuresView)))]
pub(super) async fn measures(
    State(context): State<Shared>,
    Query(span): Query<Span>,
) -> Result<Response, ApiError> {
    let days = days_of("a span", span.days)?;
    let group = span.group.as_deref().map(str::parse::<GroupName>).transpose();
    let group = group.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let then = context.then(span.as_of.as_ref()).await?;
    let span = span_of(days, span.until.as_ref(), then.now)?;
    Ok(then.answer(MeasuresView::of(&then.world, span, then.now, group.as_ref())))
}

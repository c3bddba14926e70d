//! What is lost if nothing is done, and what moved it.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tenon_engine::Part;
use utoipa::IntoParams;

use super::log::entries_at;
use super::read::parse;
use super::trend::{days_of, span_of};
use super::{ApiError, Shared};
use crate::access::Names;
use crate::view::{Days, MOVED, MovementView, RiskView};

/// Of what, and over which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RiskQuery {
    /// Only what carries this service; the whole estate where nothing is said.
    service: Option<String>,
    /// Only what this team owns, as the context document says.
    team: Option<String>,
    /// Only what stands in this zone.
    zone: Option<String>,
    /// How many days: 1 to 366, 30 where nothing is said.
    days: Option<u16>,
    /// The last of them, as in 2026-11-25; today, or the day of `as_of`, where nothing is said.
    until: Option<String>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

impl RiskQuery {
    fn part(&self) -> Result<Option<(String, Part)>, ApiError> {
        match (&self.service, &self.team, &self.zone) {
            (None, None, None) => Ok(None),
            (Some(name), None, None) => Ok(Some((format!("service {name}"), Part::Service(parse(name)?)))),
            (None, Some(name), None) => Ok(Some((format!("team {name}"), Part::Team(parse(name)?)))),
            (None, None, Some(name)) => Ok(Some((format!("zone {name}"), Part::Zone(parse(name)?)))),
            _ => Err(ApiError::bad_request("name a service, a team or a zone, and not several of them")),
        }
    }
}

/// Expected loss of the estate, or of a service, a team or a zone; what it was, and which entries of the record moved it most.
#[utoipa::path(get, path = "/api/v1/risk", params(RiskQuery),
    responses((status = OK, body = RiskView), (status = BAD_REQUEST)))]
pub(super) async fn risk(
    State(context): State<Shared>,
    Query(query): Query<RiskQuery>,
) -> Result<Response, ApiError> {
    let count = days_of("a span", query.days)?;
    let part = query.part()?;
    let then = context.then(query.as_of.as_ref()).await?;
    let (first, last) = span_of(count, query.until.as_ref(), then.now)?;
    let (world, now) = (then.world.clone(), then.now);
    if let Some((name, part)) = part {
        let work = move || RiskView::of_part(&world, now, count, name, &part);
        let view = context.solved.aside.work_out(work).await?;
        return Ok(then.answer(view));
    }
    let moved = world.moved_most(first, last, MOVED);
    let entries = entries_at(&context, world.clone(), moved.iter().map(|one| one.seq).collect()).await?;
    let names = Names::of(&context.people)?;
    let moved = moved.iter().zip(entries).map(|(movement, entry)| {
        let mut view = MovementView::of(movement, entry);
        view.by = view.by.take().map(|id| names.of_id(id));
        view
    });
    let days = Days { first, last, count };
    Ok(then.answer(RiskView::of_all(&world, now, days, moved.collect())))
}

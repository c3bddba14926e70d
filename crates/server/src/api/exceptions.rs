//! Exceptions: risks that people accept for a time.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_model::{AssetId, Command, ExceptionId, ExceptionRequest, ExceptionScope, RefusalCode};
use utoipa::ToSchema;

use super::read::parse;
use super::standing::{StandingQuery, end_of};
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::view::ExceptionView;

/// Exceptions, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionsView {
    /// The first of them.
    pub items: Vec<ExceptionView>,
    /// How many there are in all.
    pub total: u64,
}

/// A risk to accept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionBody {
    /// The vulnerability.
    vulnerability: String,
    /// On these assets (`ast_...`); it is open on each. Say this or `group`.
    #[serde(default)]
    assets: Vec<String>,
    /// On those of this group on which it is open now.
    group: Option<String>,
    /// When it is to end, within 366 days: a time, RFC 3339, or a day, to whose end it lasts (UTC).
    until: String,
    /// Who answers for the risk; whoever grants it where nothing is said.
    owner: Option<String>,
    /// What stands against it meanwhile.
    control: String,
    /// Why it is not mended now.
    why: String,
}

/// Why an exception ends before its time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionEndBody {
    /// Why.
    why: String,
}

/// Exceptions: which risks are accepted, where, until when, and by whom.
#[utoipa::path(get, path = "/api/v1/exceptions", params(StandingQuery),
    responses((status = OK, body = ExceptionsView), (status = BAD_REQUEST)))]
pub(super) async fn exceptions(
    State(context): State<Shared>,
    Query(query): Query<StandingQuery>,
) -> Result<Response, ApiError> {
    let asked = query.read()?;
    let then = context.then(query.as_of.as_ref()).await?;
    let world = &then.world;
    let wanted = world
        .exceptions()
        .rev()
        .filter(|(_, state)| asked.means(|id| *id == state.exception.vulnerability, state.ended.is_some()));
    let (items, total) = asked.shown(wanted, |(id, state)| ExceptionView::of(world, id, state));
    Ok(then.answer(ExceptionsView { items, total }))
}

/// Accept a risk for a time: what closes it is not wanted on these assets until then. The finding stays, as accepted.
#[utoipa::path(post, path = "/api/v1/exceptions", request_body = ExceptionBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn grant_exception(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<ExceptionBody>,
) -> Result<Json<Done>, ApiError> {
    let bad = |message: String| ApiError::new(Code::Refused(RefusalCode::BadContent), message);
    let scope = match (body.group, body.assets.as_slice()) {
        (Some(group), []) => ExceptionScope::Group(parse(&group)?),
        (None, [_, ..]) => {
            let assets: Result<_, ApiError> = body.assets.iter().map(|id| parse::<AssetId>(id)).collect();
            ExceptionScope::Assets(assets?)
        }
        _ => return Err(bad("say either on which assets or in which group".to_owned())),
    };
    let until = end_of("an exception", &body.until)?;
    let owner = body.owner.as_deref().map(parse).transpose()?.unwrap_or_else(|| caller.person.clone());
    let request = Box::new(ExceptionRequest {
        vulnerability: parse(&body.vulnerability)?,
        scope,
        until,
        owner,
        control: body.control,
        why: body.why,
    });
    submit(&context, &headers, Command::GrantException { request, by: caller.person }).await
}

/// Take an exception back before its time: what it took off the queue is back, by the clock of before.
#[utoipa::path(post, path = "/api/v1/exceptions/{id}/end", params(("id" = String, Path)), request_body = ExceptionEndBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub(super) async fn end_exception(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<ExceptionEndBody>,
) -> Result<Json<Done>, ApiError> {
    let exception: ExceptionId = parse(&id)?;
    submit(&context, &headers, Command::EndException { exception, by: caller.person, why: body.why }).await
}

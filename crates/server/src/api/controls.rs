//! Compensating controls: what stands against attacks while the fix is not there yet.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_model::{
    AssetId, AttackVector, Command, ControlId, ControlKind, ControlRequest, ControlScope, Probability,
    RefusalCode,
};
use utoipa::ToSchema;

use super::read::parse;
use super::standing::{StandingQuery, end_of};
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::view::ControlView;

/// Controls, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ControlsView {
    /// The first of them.
    pub items: Vec<ControlView>,
    /// How many there are in all.
    pub total: u64,
}

/// A control to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlBody {
    /// `waf-rule`, `ips-rule`, `segmentation`, `feature-off` or `hardening`.
    kind: String,
    /// The vulnerabilities that it stands against; where none is named, all that are attacked in one of `vectors`.
    #[serde(default)]
    vulnerabilities: Vec<String>,
    /// The ways of attack that it stands against: `network`, `adjacent`, `local`, `physical`; all, where vulnerabilities are named and
    /// nothing is said.
    #[serde(default)]
    vectors: Vec<String>,
    /// Before these assets (`ast_...`). Say this, `group` or `zone`.
    #[serde(default)]
    assets: Vec<String>,
    /// Before those that are of this group now.
    group: Option<String>,
    /// Before those that stand in this zone now.
    zone: Option<String>,
    /// How many of the attacks that come get through it, in parts per million: 10,000 to 990,000.
    leaves_ppm: u32,
    /// When it is to end, within 366 days: a time, RFC 3339, or a day, to whose end it lasts (UTC).
    until: String,
    /// Who answers for it; whoever records it where nothing is said.
    owner: Option<String>,
    /// What it is, and how it was tried.
    what: String,
}

/// Why a control ends before its time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlEndBody {
    /// Why.
    why: String,
}

/// Compensating controls: what stands against what, where, how much of it gets through, and until when.
#[utoipa::path(get, path = "/api/v1/controls", params(StandingQuery),
    responses((status = OK, body = ControlsView), (status = BAD_REQUEST)))]
pub(super) async fn controls(
    State(context): State<Shared>,
    Query(query): Query<StandingQuery>,
) -> Result<Response, ApiError> {
    let asked = query.read()?;
    let then = context.then(query.as_of.as_ref()).await?;
    let world = &then.world;
    let vector = asked.about().and_then(|id| world.attack_vector(id));
    let wanted = world
        .controls()
        .rev()
        .filter(|(_, state)| asked.means(|id| state.covers(id, vector), state.ended.is_some()));
    let (items, total) = asked.shown(wanted, |(id, state)| ControlView::of(world, id, state));
    Ok(then.answer(ControlsView { items, total }))
}

/// Record a compensating control: what it stands against is as much less likely on these assets until then. No date moves, and the
/// finding stays.
#[utoipa::path(post, path = "/api/v1/controls", request_body = ControlBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn record_control(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<ControlBody>,
) -> Result<Json<Done>, ApiError> {
    let bad = |message: String| ApiError::new(Code::Refused(RefusalCode::BadContent), message);
    let scope = match (body.group, body.zone, body.assets.as_slice()) {
        (Some(group), None, []) => ControlScope::Group(parse(&group)?),
        (None, Some(zone), []) => ControlScope::Zone(parse(&zone)?),
        (None, None, [_, ..]) => {
            let assets: Result<_, ApiError> = body.assets.iter().map(|id| parse::<AssetId>(id)).collect();
            ControlScope::Assets(assets?)
        }
        _ => return Err(bad("say before which assets, or which group, or which zone".to_owned())),
    };
    let kinds = || ControlKind::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let kind = ControlKind::parse(&body.kind)
        .ok_or_else(|| bad(format!("a control is one of {}, not {:?}", kinds(), body.kind)))?;
    let vector = |text: &String| {
        AttackVector::parse(text).ok_or_else(|| {
            bad(format!("a way of attack is network, adjacent, local or physical, not {text:?}"))
        })
    };
    let until = end_of("a control", &body.until)?;
    let leaves = Probability::from_ppm(body.leaves_ppm)
        .ok_or_else(|| bad(format!("parts per million are 0 to 1,000,000, not {}", body.leaves_ppm)))?;
    let owner = body.owner.as_deref().map(parse).transpose()?.unwrap_or_else(|| caller.person.clone());
    let request = Box::new(ControlRequest {
        kind,
        vulnerabilities: body.vulnerabilities.iter().map(|id| parse(id)).collect::<Result<_, ApiError>>()?,
        vectors: body.vectors.iter().map(vector).collect::<Result<_, ApiError>>()?,
        scope,
        leaves,
        until,
        owner,
        what: body.what,
    });
    submit(&context, &headers, Command::RecordControl { request, by: caller.person }).await
}

/// Say that a control does not stand any more: what it stood against counts in full again.
#[utoipa::path(post, path = "/api/v1/controls/{id}/end", params(("id" = String, Path)), request_body = ControlEndBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub(super) async fn end_control(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<ControlEndBody>,
) -> Result<Json<Done>, ApiError> {
    let control: ControlId = parse(&id)?;
    submit(&context, &headers, Command::EndControl { control, by: caller.person, why: body.why }).await
}

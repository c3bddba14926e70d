//! Who an attacker can reach.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tenon_engine::World;
use tenon_model::{AssetId, DirectiveId};
use tenon_reach::ZoneId;
use utoipa::IntoParams;

use super::as_of::AsOf;
use super::last::{Of, OfWorld};
use super::read::parse;
use super::{ApiError, Shared};
use crate::view::{AssetReachView, DirectiveReachView, ReachView, Solved};

impl OfWorld for Solved {
    fn of(world: &World) -> Self {
        Self::of(world)
    }

    fn generation(&self) -> u64 {
        self.generation()
    }
}

/// What is asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReachQuery {
    /// As if an attacker were in this zone for certain, and nowhere else: what becomes reachable from there.
    within: Option<String>,
    /// With what closing the flow from this zone comes to, ...
    close_from: Option<String>,
    /// ... to this one.
    close_to: Option<String>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// Who an attacker can reach: zones with the likeliest path into each, flows, and which of them most depends on.
#[utoipa::path(get, path = "/api/v1/reach", params(ReachQuery),
    responses((status = OK, body = ReachView), (status = BAD_REQUEST)))]
pub(super) async fn reach(
    State(context): State<Shared>,
    Query(query): Query<ReachQuery>,
) -> Result<Response, ApiError> {
    let then = context.then(query.as_of.as_ref()).await?;
    let solved = context.solved.of(&then.world, Of::now_unless(query.as_of.is_some())).await?;
    let zone = |name: Option<&String>| -> Result<Option<ZoneId>, ApiError> {
        let found = |name: &String| {
            solved.zone(name).ok_or_else(|| ApiError::bad_request(format!("there is no zone {name:?}")))
        };
        name.map(found).transpose()
    };
    let within = zone(query.within.as_ref())?;
    let close = match (zone(query.close_from.as_ref())?, zone(query.close_to.as_ref())?) {
        (Some(from), Some(to)) if from != to => Some((from, to)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("inside a zone everything is allowed: a flow joins two zones"));
        }
        _ => return Err(ApiError::bad_request("a flow is closed from one zone to another: name both")),
    };
    let world = then.world.clone();
    let view: ReachView = context.solved.aside.work_out(move || solved.view(&world, within, close)).await?;
    Ok(then.answer(view))
}

/// What doing a directive on all of its assets takes from an attacker.
#[utoipa::path(get, path = "/api/v1/directives/{id}/reach", params(("id" = String, Path, description = "as in dir_7"), AsOf),
    responses((status = OK, body = DirectiveReachView), (status = NOT_FOUND)))]
pub(super) async fn directive_reach(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: DirectiveId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    // Before and after are of one World.
    let solved = context.solved.of(&then.world, Of::This).await?;
    let world = then.world.clone();
    let view = context.solved.aside.work_out(move || solved.directive(&world, id)).await?;
    view.map(|view| then.answer(view)).ok_or_else(|| ApiError::not_found(format!("{id} is unknown")))
}

/// Whether an attacker reaches an asset, and by what.
#[utoipa::path(get, path = "/api/v1/assets/{id}/reach", params(("id" = String, Path, description = "as in ast_0123..."), AsOf),
    responses((status = OK, body = AssetReachView), (status = NOT_FOUND)))]
pub(super) async fn asset_reach(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: AssetId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let solved = context.solved.of(&then.world, Of::now_unless(as_of.is_some())).await?;
    let view = solved.asset(&then.world, &id);
    view.map(|view| then.answer(view)).ok_or_else(|| ApiError::not_found(format!("{id} is not enrolled")))
}

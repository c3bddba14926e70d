//! The policy: looked at, tried against what is open, set.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tenon_model::{Command, RefusalCode};
use utoipa::ToSchema;

use super::as_of::AsOf;
use super::context::in_background;
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::clock::clock;
use crate::view::{PolicyCheckView, PolicyPresetView, PolicyPreviewView, PolicyView};

/// A policy that takes the place of the one before.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct SetPolicy {
    /// The file, as `docs/policy.md` describes it.
    text: String,
    /// The version that it was compared with; when another counts by now, nothing changes (`evidence-changed`).
    compared: u32,
}

/// A policy to try.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TriedPolicy {
    /// The file.
    text: String,
}

/// The policy that counts.
#[utoipa::path(get, path = "/api/v1/policy", params(AsOf), responses((status = OK, body = PolicyView)))]
pub(super) async fn policy(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    Ok(then.answer(PolicyView::of(&then.world)))
}

/// The policies to begin with, the most careful first.
#[utoipa::path(get, path = "/api/v1/policy/presets", responses((status = OK, body = Vec<PolicyPresetView>)))]
pub(super) async fn policy_presets() -> Json<Vec<PolicyPresetView>> {
    Json(tenon_policy::PRESETS.iter().map(PolicyPresetView::of).collect())
}

/// What is wrong with a policy, for whoever is writing one. Nothing changes.
#[utoipa::path(post, path = "/api/v1/policy/check", request_body = TriedPolicy,
    responses((status = OK, body = PolicyCheckView), (status = UNAUTHORIZED)))]
pub(super) async fn check_policy(Input(body): Input<TriedPolicy>) -> Json<PolicyCheckView> {
    Json(PolicyCheckView::of(&body.text))
}

/// What would change for the open directives if another policy counted. Nothing changes.
#[utoipa::path(post, path = "/api/v1/policy/preview", request_body = TriedPolicy,
    responses((status = OK, body = PolicyPreviewView), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn preview_policy(
    State(context): State<Shared>,
    Input(body): Input<TriedPolicy>,
) -> Result<Json<PolicyPreviewView>, ApiError> {
    let policy = tenon_policy::read(&body.text).map_err(|problems| {
        let told: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        let detail = format!("{} problems in the policy: {}", problems.total(), told.join("; "));
        ApiError::new(Code::Refused(RefusalCode::BadContent), detail)
    })?;
    let (world, now) = (context.writer.world(), clock());
    in_background(move || PolicyPreviewView::of(&world, &body.text, &policy, now)).await.map(Json)
}

/// Set a policy. It replaces the one before.
#[utoipa::path(post, path = "/api/v1/policy", request_body = SetPolicy,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn set_policy(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(SetPolicy { text, compared }): Input<SetPolicy>,
) -> Result<Json<Done>, ApiError> {
    submit(&context, &headers, Command::SetPolicy { text, compared, by: caller.person }).await
}

//! Regulations: due-date rules that are adopted as one reviewed file each.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tenon_engine::World;
use tenon_model::{Command, Person, Rules};
use utoipa::ToSchema;

use super::as_of::AsOf;
use super::write::{Done, submit_if};
use super::{ApiError, Input, Shared};
use crate::access::Caller;
use crate::view::RegulationView;
use crate::writer::Condition;

/// A regulation to adopt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdoptRegulation {
    /// The file, as `docs/regulations.md` describes it.
    text: String,
}

/// The regulations that were adopted, in that order, with their files.
#[utoipa::path(get, path = "/api/v1/regulations", params(AsOf), responses((status = OK, body = Vec<RegulationView>)))]
pub(super) async fn regulations(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    let rules = then.world.rules();
    let all = then.world.regulations().all().iter().zip(&rules.regulations);
    let views: Vec<RegulationView> = all.map(|(one, text)| RegulationView::of(one, text)).collect();
    Ok(then.answer(views))
}

/// Adopt a regulation. It counts for what is raised from its effective day on; due dates of before stand.
#[utoipa::path(post, path = "/api/v1/regulations", request_body = AdoptRegulation,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn adopt(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(AdoptRegulation { text }): Input<AdoptRegulation>,
) -> Result<Json<Done>, ApiError> {
    let world = context.writer.world();
    let mut regulations = world.rules().regulations.clone();
    regulations.push(text);
    let (command, condition) = instead(&world, regulations, caller.person);
    submit_if(&context, &headers, command, Some(condition)).await
}

/// Withdraw a version of a regulation. Due dates are set anew, without it.
#[utoipa::path(delete, path = "/api/v1/regulations/{regulation}/{version}",
    params(("regulation" = String, Path, description = "its id"), ("version" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub(super) async fn withdraw(
    State(context): State<Shared>,
    caller: Caller,
    Path((regulation, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let world = context.writer.world();
    let all = world.regulations().all().iter().zip(&world.rules().regulations);
    let others = all.filter(|(one, _)| (one.table().id(), one.table().version()) != (&regulation, &version));
    let regulations: Vec<String> = others.map(|(_, text)| text.clone()).collect();
    if regulations.len() == world.rules().regulations.len() {
        let said = format!("no version {version} of a regulation {regulation} was adopted");
        return Err(ApiError::not_found(said));
    }
    let (command, condition) = instead(&world, regulations, caller.person);
    submit_if(&context, &headers, command, Some(condition)).await
}

/// The same rules with other regulations, as long as the rules are those that were read.
fn instead(world: &World, regulations: Vec<String>, by: Person) -> (Command, Condition) {
    let before = world.rules().clone();
    let rules = Rules { regulations, ..before.clone() };
    (Command::SetRules { rules, by }, Box::new(move |world: &World| *world.rules() == before))
}

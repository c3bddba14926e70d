//! Lists, a page at a time. A cursor stays good while the record moves on.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, World};
use tenon_model::DirectiveId;
use utoipa::{IntoParams, ToSchema};

use super::read::Names;
use super::{ApiError, Shared};
use crate::view::{AssetView, DirectiveView, closed_directives};

/// Items of a page where nobody says how many, and the most.
const USUAL: usize = 100;
const MOST: usize = 500;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which directives, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DirectivesQuery {
    /// `open`, the most urgent first, where nothing is said; or `closed`, the newest first.
    state: Option<String>,
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// A page of assets, in the order in which they enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetsPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many there are in all.
    pub total: u64,
    /// The page.
    pub items: Vec<AssetView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

/// A page of directives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectivesPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many there are in all.
    pub total: u64,
    /// The page.
    pub items: Vec<DirectiveView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        other => Err(ApiError::bad_request(format!("a page has 1 to {MOST} items, not {other}"))),
    }
}

fn no_cursor(text: &str) -> ApiError {
    ApiError::bad_request(format!("{text:?} is no cursor: take the `next` of a page, or leave it out"))
}

/// The assets, a page at a time.
#[utoipa::path(get, path = "/api/v1/assets", params(Paging), responses((status = OK, body = AssetsPage)))]
pub(super) async fn assets(
    State(context): State<Shared>,
    Query(paging): Query<Paging>,
) -> Result<Json<AssetsPage>, ApiError> {
    let limit = limit(paging.limit)?;
    // Assets stay in the order in which they enrolled, so a number is a place for good.
    let place = |text: &str| text.strip_prefix('n')?.parse::<usize>().ok();
    let start = match &paging.cursor {
        Some(text) => place(text).ok_or_else(|| no_cursor(text))?,
        None => 0,
    };
    let world = context.writer.world();
    let items: Vec<_> =
        world.assets().skip(start).take(limit).map(|(id, asset)| AssetView::of(&world, id, asset)).collect();
    let end = start.saturating_add(items.len());
    let total = world.asset_count();
    let next = (end < total).then(|| format!("n{end}"));
    Ok(Json(AssetsPage { generation: world.seq(), total: total as u64, items, next }))
}

/// Where a page begins: behind the directive that was last shown, wherever that stands by now. One that has left the queue
/// still has its rank, which tells what it stood before. `None` when it never was in such a list.
fn behind(world: &World, list: &[(DirectiveId, &DirectiveState)], last: DirectiveId) -> Option<usize> {
    if let Some(at) = list.iter().position(|(id, _)| *id == last) {
        return Some(at + 1);
    }
    let gone = world.directive(&last).filter(|state| state.closed.is_some())?.rank(last);
    Some(list.partition_point(|(id, state)| state.rank(*id) <= gone))
}

fn listed<'w>(
    world: &'w World,
    state: Option<&str>,
) -> Result<Vec<(DirectiveId, &'w DirectiveState)>, ApiError> {
    match state.unwrap_or("open") {
        "open" => Ok(world.queue()),
        "closed" => Ok(closed_directives(world)),
        other => Err(ApiError::bad_request(format!("{other:?} is no state of directives: open or closed"))),
    }
}

/// The directives, a page at a time.
#[utoipa::path(get, path = "/api/v1/directives", params(DirectivesQuery), responses((status = OK, body = DirectivesPage)))]
pub(super) async fn directives(
    State(context): State<Shared>,
    Query(query): Query<DirectivesQuery>,
) -> Result<Json<DirectivesPage>, ApiError> {
    let limit = limit(query.limit)?;
    let world = context.writer.world();
    let list = listed(&world, query.state.as_deref())?;
    let start = match &query.cursor {
        Some(text) => {
            let last = text.parse().ok();
            last.and_then(|last| behind(&world, &list, last)).ok_or_else(|| no_cursor(text))?
        }
        None => 0,
    };
    let end = start.saturating_add(limit).min(list.len());
    let shown = list.get(start..end).unwrap_or_default();
    let names = Names::of(&context)?;
    let view = |(id, state): &(DirectiveId, &DirectiveState)| {
        let mut view = DirectiveView::of(&world, *id, state);
        names.put(&mut view);
        view
    };
    let next = shown.last().filter(|_| end < list.len()).map(|(id, _)| id.to_string());
    Ok(Json(DirectivesPage {
        generation: world.seq(),
        total: list.len() as u64,
        items: shown.iter().map(view).collect(),
        next,
    }))
}

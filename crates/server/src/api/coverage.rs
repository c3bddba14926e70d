//! What cannot be seen, and how the feeds are.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lists::{Paging, limit, place};
use super::{ApiError, Shared};
use crate::view::{FeedView, GapView, feeds as feed_views};

/// A page of the gaps of the estate: the gravest kinds first, and of each what most assets have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapsPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many gaps there are.
    pub total: u64,
    /// How many assets there are.
    pub assets: u64,
    /// Of how many of them something is not known, besides whether Tenon may act there.
    pub not_whole: u64,
    /// The page.
    pub items: Vec<GapView>,
    /// Where the next page begins; absent on the last. It is a place, so that what moves over it is shown twice or not at all.
    pub next: Option<String>,
}

/// The feeds: what they last brought, and how asking them last went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedsPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many there are.
    pub total: u64,
    /// The page, by name.
    pub items: Vec<FeedView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

/// What cannot be seen: hosts that are silent or not assessed, what agents could not find out, a page at a time.
#[utoipa::path(get, path = "/api/v1/gaps", params(Paging), responses((status = OK, body = GapsPage)))]
pub(super) async fn gaps(
    State(context): State<Shared>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let (limit, start) = (limit(paging.limit)?, place(paging.cursor.as_deref())?);
    let then = context.then(paging.as_of.as_ref()).await?;
    let world = &then.world;
    let (items, not_whole) = GapView::all(world, then.now);
    let total = items.len();
    let page = items.into_iter().skip(start).take(limit);
    let items: Vec<GapView> =
        page.map(|(kind, said, assets)| GapView::of(world, kind, said, &assets)).collect();
    let end = start.saturating_add(items.len());
    Ok(then.answer(GapsPage {
        generation: world.seq(),
        total: total as u64,
        assets: world.asset_count() as u64,
        not_whole,
        items,
        next: (end < total).then(|| format!("n{end}")),
    }))
}

/// The feeds, a page at a time.
#[utoipa::path(get, path = "/api/v1/feeds", params(Paging), responses((status = OK, body = FeedsPage)))]
pub(super) async fn feeds(
    State(context): State<Shared>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let (limit, start) = (limit(paging.limit)?, place(paging.cursor.as_deref())?);
    let then = context.then(paging.as_of.as_ref()).await?;
    let world = &then.world;
    let all = feed_views(world, &context.attempts(paging.as_of.as_ref()));
    let total = all.len();
    let items: Vec<FeedView> = all.into_iter().skip(start).take(limit).collect();
    let end = start.saturating_add(items.len());
    let next = (end < total).then(|| format!("n{end}"));
    Ok(then.answer(FeedsPage { generation: world.seq(), total: total as u64, items, next }))
}

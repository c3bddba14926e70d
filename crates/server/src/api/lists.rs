//! Lists, a page at a time. A cursor stays good while the record moves on.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use tenon_engine::{DirectiveState, DueIn, Filter, Queue, Sort, World};
use tenon_model::{DirectiveId, Timestamp};
use utoipa::{IntoParams, ToSchema};

use super::read::Names;
use super::{ApiError, Shared};
use crate::clock::clock;
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
    /// Of open ones: `urgency`, where nothing is said, `removes`, `assets`, `raised`, `package` or `group`.
    sort: Option<String>,
    /// Of open ones: only those of this group.
    group: Option<String>,
    /// Of open ones: only those that the decision table gave this outcome, as published.
    outcome: Option<String>,
    /// Of open ones: only those whose id, package, version, group, vulnerabilities or advisories hold this text.
    q: Option<String>,
    /// Of open ones: only those due before this time, RFC 3339.
    due_before: Option<String>,
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

/// What the open directives under a filter come to together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueTotals {
    /// How many there are in each group.
    pub groups: BTreeMap<String, u64>,
    /// How many there are of each outcome of the table that decided.
    pub outcomes: BTreeMap<String, u64>,
    /// How many are due when: `overdue`, within `1d`, `3d`, `7d`, `30d`, `later`, `no-date`.
    pub due: BTreeMap<String, u64>,
    /// Risk points that doing all of them removes.
    pub removes: String,
    /// Assets of all of them; one that is in several counts in each.
    pub assets: u64,
}

/// A page of directives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectivesPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many there are in all.
    pub total: u64,
    /// What they come to together; absent of closed ones.
    pub totals: Option<QueueTotals>,
    /// The page.
    pub items: Vec<DirectiveView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

pub(super) fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        other => Err(ApiError::bad_request(format!("a page has 1 to {MOST} items, not {other}"))),
    }
}

pub(super) fn no_cursor(text: &str) -> ApiError {
    ApiError::bad_request(format!(
        "{text:?} is no cursor of this list, or no more: take the `next` of a page, or begin again without"
    ))
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

/// Where a page begins: behind the directive that was last shown, wherever that stands by now. By urgency, one that has left
/// the list still has its rank, which tells what it stood before.
fn behind(
    world: &World,
    list: &[(DirectiveId, &DirectiveState)],
    last: DirectiveId,
    sort: Sort,
) -> Option<usize> {
    if let Some(at) = list.iter().position(|(id, _)| *id == last) {
        return Some(at + 1);
    }
    let gone = world.directive(&last).filter(|_| sort == Sort::Urgency)?.rank(last);
    Some(list.partition_point(|(id, state)| state.rank(*id) <= gone))
}

/// A word of a query by its name.
fn word<T: Copy>(what: &str, said: Option<&str>, words: &[(&str, T)]) -> Result<Option<T>, ApiError> {
    let Some(said) = said else { return Ok(None) };
    let found = words.iter().find(|(name, _)| *name == said).map(|(_, word)| *word);
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    found.map(Some).ok_or_else(|| {
        ApiError::bad_request(format!("{said:?} is no {what} of directives: {}", names.join(", ")))
    })
}

const SORTS: [(&str, Sort); 6] = [
    ("urgency", Sort::Urgency),
    ("removes", Sort::Removes),
    ("assets", Sort::Assets),
    ("raised", Sort::Raised),
    ("package", Sort::Package),
    ("group", Sort::Group),
];

impl DirectivesQuery {
    fn filter(&self) -> Result<Filter, ApiError> {
        let bad = |what: &str, said: &str| ApiError::bad_request(format!("{said:?} is no {what}"));
        let group = self.group.as_ref().map(|said| said.parse().map_err(|_| bad("group", said)));
        let time = |said: &String| {
            Timestamp::parse(said).ok_or_else(|| bad("time, as in 2026-11-25T00:00:00Z", said))
        };
        Ok(Filter {
            group: group.transpose()?,
            outcome: self.outcome.clone(),
            text: self.q.clone(),
            due_before: self.due_before.as_ref().map(time).transpose()?,
        })
    }
}

fn totals(queue: &Queue<'_>) -> QueueTotals {
    let due = |due: &DueIn| match due {
        DueIn::Overdue => "overdue",
        DueIn::Day => "1d",
        DueIn::ThreeDays => "3d",
        DueIn::Week => "7d",
        DueIn::Month => "30d",
        DueIn::Later => "later",
        DueIn::NoDate => "no-date",
    };
    QueueTotals {
        groups: queue.groups.iter().map(|(group, count)| (group.to_string(), *count)).collect(),
        outcomes: queue.outcomes.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect(),
        due: queue.due.iter().map(|(when, count)| (due(when).to_owned(), *count)).collect(),
        removes: queue.removes.to_string(),
        assets: queue.assets,
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
    let sort = word("order", query.sort.as_deref(), &SORTS)?.unwrap_or_default();
    let (list, totals) = match word("state", query.state.as_deref(), &[("open", true), ("closed", false)])? {
        Some(false) => (closed_directives(&world), None),
        _ => {
            let queue = world.queue_of(&query.filter()?, sort, clock());
            let totals = totals(&queue);
            (queue.directives, Some(totals))
        }
    };
    let start = match &query.cursor {
        Some(text) => {
            let last = text.parse().ok();
            last.and_then(|last| behind(&world, &list, last, sort)).ok_or_else(|| no_cursor(text))?
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
        totals,
        items: shown.iter().map(view).collect(),
        next,
    }))
}

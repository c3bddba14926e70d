//! Lists, a page at a time. A cursor stays good while the record moves on.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_engine::{AssignedTo, ClosedFilter, Ending, Filter, Order, Sort, Start, Window};
use tenon_model::{AssetOrdinal, GroupName, Timestamp};
use utoipa::{IntoParams, ToSchema};

use super::assign::asked;
use super::parts::{PARTS, PartView, QueueTotals, parts, totals};
use super::{ApiError, Shared};
use crate::access::{Caller, Names};
use crate::view::{AssetView, DirectiveLine};

/// Items of a page where nobody says how many, and the most.
const USUAL: usize = 100;
pub(super) const MOST: usize = 500;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Items wanted: 1 to 500, 100 where nothing is said.
    pub(super) limit: Option<usize>,
    /// The `next` of the page before.
    pub(super) cursor: Option<String>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    pub(super) as_of: Option<String>,
}

/// Which directives, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DirectivesQuery {
    /// `open`, the most urgent first, where nothing is said; or `closed`, the newest first.
    state: Option<String>,
    /// Of open ones: `urgency`, where nothing is said, `removes`, `per-change` (what a change of one asset
    /// removes), `assets`, `raised`, `package` or `group`.
    sort: Option<String>,
    /// Only those of this group.
    group: Option<String>,
    /// Of open ones: only those that the decision table gave this outcome, as published.
    outcome: Option<String>,
    /// Of closed ones: only those that ended so: `fixed`, `superseded`, `withdrawn` or `refused`.
    ended: Option<String>,
    /// Only those whose id, package, version, group, vulnerabilities or advisories hold this text; of closed ones also where the
    /// reason of the end does.
    q: Option<String>,
    /// Of open ones: only those due before this time, RFC 3339.
    due_before: Option<String>,
    /// In place of a time: `overdue`, or within `1d`, `3d`, `7d` or `30d` from then on.
    due: Option<String>,
    /// Only those that this person does, or did when they ended: the name with which they sign in, their id, or by which others
    /// call them; `me` for whoever asks; `nobody` for those that nobody does.
    assignee: Option<String>,
    /// Of open ones: in parts, by `group`, `outcome`, `package`, `assignee`, `due` or `stage` (of its assets the one that most needs a
    /// person): also tell what each part comes to, and give the items part by part, within each as `sort` says. Such a list is asked
    /// for by place (`from`) and has no cursor, because its parts change places as they grow and shrink.
    group_by: Option<String>,
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// In place of a cursor: the place of the first item in the whole list, counted from 0. What is at a place changes while
    /// the record moves on.
    from: Option<usize>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// A page of assets, in the order in which they enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetsPage {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// How many there are in all.
    pub total: u64,
    /// The place of the first item in the whole list, counted from 0.
    pub from: u64,
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
    /// The place of the first item in the whole list, counted from 0.
    pub from: u64,
    /// What they come to together; absent of closed ones.
    pub totals: Option<QueueTotals>,
    /// The same for each part, where that was asked for, in the order in which they stand in the list: the largest loss removed
    /// first, by date in the order of time, by stage what needs a person first. At most 500; what stands behind them in the list is in
    /// parts that are not told one by one.
    pub parts: Option<Vec<PartView>>,
    /// The page.
    pub items: Vec<DirectiveLine>,
    /// Where the next page begins; absent on the last, and in a list of parts.
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

/// The place at which a page of a list of places begins, by its cursor.
pub(super) fn place(cursor: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = cursor else { return Ok(0) };
    let place = text.strip_prefix('n').and_then(|place| place.parse().ok());
    place.ok_or_else(|| no_cursor(text))
}

/// Which assets, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AssetsQuery {
    /// Only those of this group.
    group: Option<String>,
    /// Only those whose name holds this text.
    q: Option<String>,
    /// `true`: in place of the others those that are retired.
    #[serde(default)]
    retired: bool,
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// In place of a cursor: the place of the first item in the whole list, counted from 0.
    from: Option<usize>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// The assets, a page at a time.
#[utoipa::path(get, path = "/api/v1/assets", params(AssetsQuery), responses((status = OK, body = AssetsPage)))]
pub(super) async fn assets(
    State(context): State<Shared>,
    Query(query): Query<AssetsQuery>,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let group = query
        .group
        .as_ref()
        .map(|said| said.parse().map_err(|_| ApiError::bad_request(format!("{said:?} is no group"))));
    let group: Option<GroupName> = group.transpose()?;
    let then = context.then(query.as_of.as_ref()).await?;
    let world = &then.world;
    let (group, text) = (group.as_ref(), query.q.as_deref());
    let like = if query.retired { world.retired_like(group, text) } else { world.assets_like(group, text) };
    // Assets stay in the order in which they enrolled: a cursor is the number of the next one, whatever is asked for.
    let from = match (query.cursor, query.from) {
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("a page begins at a cursor or at a place, not at both"));
        }
        (None, place) => place.unwrap_or_default(),
        (cursor, None) => {
            let number = place(cursor.as_deref())?;
            like.iter().take_while(|ordinal| (ordinal.0 as usize) < number).count()
        }
    };
    let page: Vec<AssetOrdinal> = like.iter().skip(from).take(limit).collect();
    let total = like.len();
    let is_last = (from.saturating_add(page.len())) as u64 >= total;
    let next = page.last().filter(|_| !is_last).map(|last| format!("n{}", last.0 + 1));
    let assets = page.into_iter().filter_map(|ordinal| world.asset_at(ordinal));
    let mut items: Vec<AssetView> = assets.map(|asset| AssetView::of(world, &asset.id, asset)).collect();
    if query.retired {
        let names = Names::of(&context.people)?;
        items.iter_mut().for_each(|view| names.put_into_asset(view));
    }
    Ok(then.answer(AssetsPage { generation: world.seq(), total, from: from as u64, items, next }))
}

/// A word of a query by its name.
pub(super) fn word<T: Copy>(
    what: &str,
    said: Option<&str>,
    words: &[(&str, T)],
) -> Result<Option<T>, ApiError> {
    let Some(said) = said else { return Ok(None) };
    let found = words.iter().find(|(name, _)| *name == said).map(|(_, word)| *word);
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    found
        .map(Some)
        .ok_or_else(|| ApiError::bad_request(format!("{said:?} is no {what}: {}", names.join(", "))))
}

const SORTS: [(&str, Sort); 7] = [
    ("urgency", Sort::Urgency),
    ("removes", Sort::Removes),
    ("per-change", Sort::PerChange),
    ("assets", Sort::Assets),
    ("raised", Sort::Raised),
    ("package", Sort::Package),
    ("group", Sort::Group),
];

/// Within how many days something is due.
const WITHIN: [(&str, u32); 5] = [("overdue", 0), ("1d", 1), ("3d", 3), ("7d", 7), ("30d", 30)];

const ENDINGS: [(&str, Ending); 4] = [
    ("fixed", Ending::Fixed),
    ("superseded", Ending::Superseded),
    ("withdrawn", Ending::Withdrawn),
    ("refused", Ending::Refused),
];

fn bad(what: &str, said: &str) -> ApiError {
    ApiError::bad_request(format!("{said:?} is no {what}"))
}

impl DirectivesQuery {
    fn group(&self) -> Result<Option<GroupName>, ApiError> {
        self.group.as_ref().map(|said| said.parse().map_err(|_| bad("group", said))).transpose()
    }

    fn assigned(&self, caller: &Caller, names: &Names) -> Result<Option<AssignedTo>, ApiError> {
        self.assignee.as_ref().map(|said| asked(said, caller, names)).transpose()
    }

    fn of_closed(&self, assigned: Option<AssignedTo>) -> Result<ClosedFilter, ApiError> {
        let ending = word("end of directives", self.ended.as_deref(), &ENDINGS)?;
        Ok(ClosedFilter { group: self.group()?, ending, text: self.q.clone(), assigned })
    }

    fn filter(&self, now: Timestamp, assigned: Option<AssignedTo>) -> Result<Filter, ApiError> {
        if self.due.is_some() && self.due_before.is_some() {
            return Err(ApiError::bad_request("a due date is said by `due` or by `due_before`, not by both"));
        }
        let within = word("span until a due date", self.due.as_deref(), &WITHIN)?;
        let time = |said: &String| {
            Timestamp::parse(said).ok_or_else(|| bad("time, as in 2026-11-25T00:00:00Z", said))
        };
        Ok(Filter {
            group: self.group()?,
            outcome: self.outcome.clone(),
            text: self.q.clone(),
            assigned,
            due_before: self
                .due_before
                .as_ref()
                .map(time)
                .transpose()?
                .or(within.map(|days| now.plus_days(days))),
        })
    }
}

/// Where a page of directives begins.
fn start(query: &DirectivesQuery) -> Result<Start, ApiError> {
    match (&query.cursor, query.from) {
        (Some(_), Some(_)) => {
            Err(ApiError::bad_request("a page begins at a cursor or at a place, not at both"))
        }
        (Some(text), None) => text.parse().map(Start::Behind).map_err(|_| no_cursor(text)),
        (None, place) => Ok(Start::Place(place.unwrap_or_default())),
    }
}

/// The directives, a page at a time.
#[utoipa::path(get, path = "/api/v1/directives", params(DirectivesQuery), responses((status = OK, body = DirectivesPage)))]
pub(super) async fn directives(
    State(context): State<Shared>,
    caller: Caller,
    Query(query): Query<DirectivesQuery>,
) -> Result<Response, ApiError> {
    let window = Window { start: start(&query)?, limit: limit(query.limit)? };
    let then = context.then(query.as_of.as_ref()).await?;
    let world = &then.world;
    let sort = word("order of directives", query.sort.as_deref(), &SORTS)?.unwrap_or_default();
    let by = word("part of directives", query.group_by.as_deref(), &PARTS)?;
    if by.is_some() && query.cursor.is_some() {
        let message = "a list in parts (`group_by`) has no cursor: ask for its places with `from`";
        return Err(ApiError::bad_request(message));
    }
    let names = Names::of(&context.people)?;
    let assigned = query.assigned(&caller, &names)?;
    let unknown = || no_cursor(query.cursor.as_deref().unwrap_or_default());
    let (list, place, total, totals, parts) =
        match word("state of directives", query.state.as_deref(), &[("open", true), ("closed", false)])? {
            Some(false) => {
                let closed = world.closed_of(&query.of_closed(assigned)?, window).ok_or_else(unknown)?;
                (closed.directives, closed.place, closed.total as u64, None, None)
            }
            _ => {
                let filter = query.filter(then.now, assigned)?;
                let queue =
                    world.queue_of(&filter, Order { by, sort }, window, then.now).ok_or_else(unknown)?;
                let (totals, parts) = (totals(&queue, &names), by.map(|_| parts(&queue, &names)));
                (queue.directives, queue.place, queue.all.directives, Some(totals), parts)
            }
        };
    let from = place as u64;
    let is_last = from.saturating_add(list.len() as u64) >= total;
    let next = list.last().filter(|_| !is_last && by.is_none()).map(|(id, _)| id.to_string());
    let items = list.into_iter().map(|(id, state)| {
        let mut line = DirectiveLine::of(world, id, state);
        names.put(&mut line.closed);
        line.assignee.iter_mut().for_each(|assignee| assignee.put_names(&names));
        line
    });
    Ok(then.answer(DirectivesPage {
        generation: world.seq(),
        total,
        from,
        totals,
        parts,
        items: items.collect(),
        next,
    }))
}

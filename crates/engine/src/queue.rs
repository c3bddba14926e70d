//! The live queue: open directives filtered, ordered and counted. Nothing of it is stored.
//!
//! One question looks at every open directive once, counts those that pass, and puts only the window that is shown in order.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use tenon_model::{DirectiveId, GroupName, Person, RiskPoints, Timestamp};

use crate::assigning::AssignedTo;
use crate::directives::DirectiveState;
use crate::parting::{By, Common};
use crate::rows::{AsIs, Row};
use crate::world::World;

/// A directive with its id.
pub(crate) type Item<'w> = (DirectiveId, &'w DirectiveState);

/// By what the queue is ordered. Ties are in the order of [`Sort::Urgency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Earlier due dates first, then the larger loss removed, then age.
    #[default]
    Urgency,
    /// The larger loss removed first.
    Removes,
    /// What removes more by a change of one asset first: the most for the work.
    PerChange,
    /// More assets first.
    Assets,
    /// The newest first.
    Raised,
    /// By package.
    Package,
    /// By group.
    Group,
}

/// In which order the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// In parts, each behind the other.
    pub by: Option<By>,
    /// Within a part, or where there are none.
    pub sort: Sort,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        Self { by: None, sort }
    }
}

/// Which open directives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only of this group.
    pub group: Option<GroupName>,
    /// Only where the decision is this outcome of its table, as published.
    pub outcome: Option<String>,
    /// Only where the id, the package, the version, a vulnerability or an advisory holds this text, whatever its case.
    pub text: Option<String>,
    /// Only those due before this.
    pub due_before: Option<Timestamp>,
    /// Only those that are done so.
    pub assigned: Option<AssignedTo>,
}

/// Where a window of an ordered list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this place, counted from 0.
    Place(usize),
    /// Behind the place that this directive has in the order, or would have if it were in the list.
    Behind(DirectiveId),
}

/// The part of an ordered list that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub start: Start,
    /// How many directives it holds at most.
    pub limit: usize,
}

impl Window {
    /// All there is.
    pub const ALL: Self = Self { start: Start::Place(0), limit: usize::MAX };
}

/// When directives are due, as a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueIn {
    /// It is past.
    Overdue,
    /// Within a day.
    Day,
    /// Within three days.
    ThreeDays,
    /// Within a week.
    Week,
    /// Within 30 days.
    Month,
    /// Later.
    Later,
    /// No rule sets a date.
    NoDate,
}

impl DueIn {
    /// All of them, in the order of time.
    pub(crate) const ALL: [Self; 7] =
        [Self::Overdue, Self::Day, Self::ThreeDays, Self::Week, Self::Month, Self::Later, Self::NoDate];
}

/// What directives come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many there are.
    pub directives: u64,
    /// Assets of all of them; one that is in several counts in each.
    pub assets: u64,
    /// What doing all of them removes.
    pub removes: RiskPoints,
    /// The earliest due date of them; `None` where none has one.
    pub due: Option<Timestamp>,
}

/// The queue under a filter.
#[derive(Debug)]
pub struct Queue<'w> {
    /// The directives of the window, in order.
    pub directives: Vec<(DirectiveId, &'w DirectiveState)>,
    /// The place of the first of them in the whole list, counted from 0.
    pub place: usize,
    /// What all that pass the filter come to.
    pub all: Sum,
    /// The same for each group.
    pub groups: BTreeMap<&'w str, Sum>,
    /// The same for each outcome of the table that decided.
    pub outcomes: BTreeMap<&'w str, Sum>,
    /// The same for whoever does them, and for those that nobody does.
    pub assignees: BTreeMap<Option<&'w Person>, Sum>,
    /// The same by when they are due.
    pub due: BTreeMap<DueIn, Sum>,
    /// The same for each part, in the order in which they stand; empty where it stands in none.
    pub parts: Vec<(Common<'w>, Sum)>,
}

impl Sum {
    pub(crate) fn add(&mut self, row: &Row) {
        self.directives += 1;
        self.due = [self.due, row.due].into_iter().flatten().min();
        self.assets = self.assets.saturating_add(row.assets);
        self.removes = RiskPoints(self.removes.0.saturating_add(row.removes.0));
    }

    /// Adds what others come to.
    pub fn join(&mut self, other: Self) {
        self.directives = self.directives.saturating_add(other.directives);
        self.due = [self.due, other.due].into_iter().flatten().min();
        self.assets = self.assets.saturating_add(other.assets);
        self.removes = RiskPoints(self.removes.0.saturating_add(other.removes.0));
    }
}

/// Whether one of the texts by which people know a directive, besides its group and its id, holds another, in lower case.
pub(crate) fn says(state: &DirectiveState, text: &str) -> bool {
    let directive = &state.directive;
    let source = state.source();
    holds(&source.name, text)
        || holds(&source.version, text)
        || [&directive.closes, &directive.claims, &directive.advisories]
            .into_iter()
            .flatten()
            .any(|id| holds(id.as_str(), text))
}

/// Whether a text holds another, which is not empty and in lower case already, whatever the case of the first.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    // Ids differ at their ends: the last byte tells most places apart.
    let Some(last) = part.bytes().last() else { return true };
    text.as_bytes().windows(part.len()).any(|window| {
        window.last().is_some_and(|byte| byte.to_ascii_lowercase() == last)
            && window.eq_ignore_ascii_case(part.as_bytes())
    })
}

pub(crate) fn due_in(due: Option<Timestamp>, now: Timestamp) -> DueIn {
    let Some(due) = due else { return DueIn::NoDate };
    let within = |days| due <= now.plus_days(days);
    match () {
        () if due < now => DueIn::Overdue,
        () if within(1) => DueIn::Day,
        () if within(3) => DueIn::ThreeDays,
        () if within(7) => DueIn::Week,
        () if within(30) => DueIn::Month,
        () => DueIn::Later,
    }
}

/// Leaves of a list only the window from a place on, in order. Everything else is not put in order.
pub(crate) fn cut<T>(items: &mut Vec<T>, place: usize, limit: usize, order: impl Fn(&T, &T) -> Ordering) {
    if place >= items.len() {
        items.clear();
        return;
    }
    if place > 0 {
        items.select_nth_unstable_by(place, &order);
        items.drain(..place);
    }
    if limit < items.len() {
        items.select_nth_unstable_by(limit, &order);
        items.truncate(limit);
    }
    items.sort_unstable_by(order);
}

/// What is worked out once for every text of many alike, by its hash.
type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;

/// A filter with what it has found out so far.
struct Sieve<'w> {
    world: &'w World,
    filter: &'w Filter,
    text: Option<String>,
    id: Option<DirectiveId>,
    /// Which groups, outcomes and texts pass.
    groups: ByHash<bool>,
    outcomes: ByHash<bool>,
    named: ByHash<bool>,
    assignees: ByHash<bool>,
    says: ByHash<bool>,
}

impl<'w> Sieve<'w> {
    fn new(world: &'w World, filter: &'w Filter) -> Self {
        let text = filter.text.as_ref().map(|text| text.trim().to_lowercase());
        let text = text.filter(|text| !text.is_empty());
        let id = text.as_ref().and_then(|text| text.parse().ok());
        let (groups, outcomes, named, assignees, says) = Default::default();
        Self { world, filter, text, id, groups, outcomes, named, assignees, says }
    }

    fn passes(&mut self, id: DirectiveId, row: &Row) -> bool {
        let Filter { group, outcome, due_before, assigned, .. } = self.filter;
        let world = self.world;
        let of = |test: &dyn Fn(&DirectiveState) -> bool| world.directive(&id).is_some_and(test);
        let in_group = |wanted: &GroupName| of(&|state| state.directive.group == *wanted);
        let decided = |wanted: &String| of(&|state| state.directive.priority.decision.outcome == *wanted);
        due_before.is_none_or(|before| row.due.is_some_and(|due| due < before))
            && group.as_ref().is_none_or(|group| once(&mut self.groups, row.group, || in_group(group)))
            && outcome
                .as_ref()
                .is_none_or(|outcome| once(&mut self.outcomes, row.outcome, || decided(outcome)))
            && assigned.as_ref().is_none_or(|wanted| {
                once(&mut self.assignees, row.assignee, || of(&|state| wanted.holds(state)))
            })
            && self.text.as_deref().is_none_or(|text| {
                self.id == Some(id)
                    || once(&mut self.says, row.says, || of(&|state| says(state, text)))
                    || once(&mut self.named, row.group, || of(&|state| holds(group_of(state), text)))
            })
    }
}

/// What was found out of a hash, or is now.
fn once(known: &mut ByHash<bool>, hash: u64, find_out: impl FnOnce() -> bool) -> bool {
    *known.entry(hash).or_insert_with(find_out)
}

/// Sums by a hash, each with a directive that has it.
#[derive(Default)]
struct Sums(ByHash<(DirectiveId, Sum)>);

impl Sums {
    fn add(&mut self, hash: u64, id: DirectiveId, row: &Row) {
        self.0.entry(hash).or_insert_with(|| (id, Sum::default())).1.add(row);
    }

    /// By what was hashed.
    fn named<'w, N: Ord>(self, world: &'w World, name: impl Fn(&'w DirectiveState) -> N) -> BTreeMap<N, Sum> {
        let named = self.0.into_values().filter_map(|(id, sum)| Some((name(world.directive(&id)?), sum)));
        named.collect()
    }
}

/// The place of texts in their order, by their hashes.
fn ranks<'w>(
    world: &'w World,
    rows: impl Iterator<Item = (u64, DirectiveId)>,
    name: impl Fn(&'w DirectiveState) -> &'w str,
) -> ByHash<usize> {
    let mut known: ByHash<DirectiveId> = ByHash::default();
    for (hash, id) in rows {
        known.entry(hash).or_insert(id);
    }
    let named = known.into_iter().filter_map(|(hash, id)| Some((name(world.directive(&id)?), hash)));
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    (0..).zip(named).map(|(place, (_, hash))| (hash, place)).collect()
}

/// What a row is ordered by: first by the part in which it stands, then by what was asked for, then as
/// [`DirectiveState::rank`] does.
type Key = (u64, u64, (bool, Option<Timestamp>, Reverse<RiskPoints>, DirectiveId));

/// A larger number first.
fn descending(number: u64) -> u64 {
    u64::MAX - number
}

impl World {
    /// A window of the open directives that pass a filter, in an order, and what all that pass come to. `now` parts what is
    /// overdue from what is not. `None` where the window begins behind a directive that never was, or behind any in a list of parts.
    pub fn queue_of(
        &self,
        filter: &Filter,
        order: impl Into<Order>,
        window: Window,
        now: Timestamp,
    ) -> Option<Queue<'_>> {
        let Order { by, sort } = order.into();
        let mut sieve = Sieve::new(self, filter);
        let passing: Vec<(DirectiveId, Row)> = self
            .open
            .iter()
            .map(|(id, row)| (*id, *row))
            .filter(|(id, row)| sieve.passes(*id, row))
            .collect();
        let mut all = Sum::default();
        let [mut groups, mut outcomes, mut assignees] = <[Sums; 3]>::default();
        let mut due: BTreeMap<DueIn, Sum> = BTreeMap::new();
        for (id, row) in &passing {
            all.add(row);
            groups.add(row.group, *id, row);
            outcomes.add(row.outcome, *id, row);
            assignees.add(row.assignee, *id, row);
            due.entry(due_in(row.due, now)).or_default().add(row);
        }
        let last = match window.start {
            Start::Place(_) => None,
            // What parts come to moves, and their order with it: no place in that stays behind another.
            Start::Behind(_) if by.is_some() => return None,
            Start::Behind(id) => Some((id, Row::of(self.directive(&id)?))),
        };
        let rows = || passing.iter().chain(&last);
        let (parted, numbers) = self.parted(by, &passing, now);
        let part = |number: Option<&u64>| match (&parted, number) {
            (Some(parted), Some(number)) => parted.place(*number),
            _ => 0,
        };
        let ranks = match sort {
            Sort::Package => ranks(self, rows().map(|(id, row)| (row.package, *id)), package_of),
            Sort::Group => ranks(self, rows().map(|(id, row)| (row.group, *id)), group_of),
            _ => ByHash::default(),
        };
        let rank = |hash| ranks.get(&hash).map_or(0, |rank| *rank as u64);
        let key = |(id, row): &(DirectiveId, Row), number: Option<&u64>| -> Key {
            let first = match sort {
                Sort::Urgency => 0,
                Sort::Removes => descending(row.removes.0),
                Sort::PerChange => descending(row.per_change.0),
                Sort::Assets => descending(row.assets),
                Sort::Raised => descending(u64::try_from(row.raised.as_millis()).unwrap_or_default()),
                Sort::Package => rank(row.package),
                Sort::Group => rank(row.group),
            };
            (part(number), first, (row.due.is_none(), row.due, Reverse(row.removes), *id))
        };
        let mut keys: Vec<Key> = (0..).zip(&passing).map(|(at, row)| key(row, numbers.get(at))).collect();
        let place = match (window.start, &last) {
            (Start::Place(place), _) => place,
            (Start::Behind(_), last) => {
                let last = key(last.as_ref()?, None);
                keys.iter().filter(|key| **key <= last).count()
            }
        };
        cut(&mut keys, place, window.limit, Key::cmp);
        let directives =
            keys.into_iter().filter_map(|(_, _, (_, _, _, id))| Some((id, self.directive(&id)?)));
        Some(Queue {
            directives: directives.collect(),
            place,
            all,
            groups: groups.named(self, group_of),
            outcomes: outcomes.named(self, |state| state.directive.priority.decision.outcome.as_str()),
            assignees: assignees.named(self, |state| state.assigned.as_ref().map(|known| &known.to)),
            due,
            parts: parted.map(|parted| parted.named(self)).unwrap_or_default(),
        })
    }
}

pub(crate) fn package_of(state: &DirectiveState) -> &str {
    &state.source().name
}

pub(crate) fn group_of(state: &DirectiveState) -> &str {
    state.directive.group.as_str()
}

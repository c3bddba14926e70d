//! The live queue: open directives filtered, ordered and counted. Nothing of it is stored.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use tenon_model::{DirectiveId, GroupName, RiskPoints, Timestamp};

use crate::directives::DirectiveState;
use crate::world::World;

/// By what the queue is ordered. Ties are in the order of [`Sort::Urgency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Earlier due dates first, then the larger loss removed, then age.
    #[default]
    Urgency,
    /// The larger loss removed first.
    Removes,
    /// More assets first.
    Assets,
    /// The newest first.
    Raised,
    /// By package.
    Package,
    /// By group.
    Group,
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
}

/// When directives are due, as a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// The queue under a filter.
#[derive(Debug)]
pub struct Queue<'w> {
    /// The directives, in order.
    pub directives: Vec<(DirectiveId, &'w DirectiveState)>,
    /// How many there are in each group.
    pub groups: BTreeMap<&'w GroupName, u64>,
    /// How many there are of each outcome of the table that decided.
    pub outcomes: BTreeMap<&'w str, u64>,
    /// How many are due when.
    pub due: BTreeMap<DueIn, u64>,
    /// What doing all of them removes.
    pub removes: RiskPoints,
    /// Assets of all of them; one that is in several counts in each.
    pub assets: u64,
}

impl Filter {
    fn passes(&self, id: DirectiveId, state: &DirectiveState) -> bool {
        let priority = &state.directive.priority;
        self.group.as_ref().is_none_or(|group| *group == state.directive.group)
            && self.outcome.as_ref().is_none_or(|outcome| *outcome == priority.decision.outcome)
            && self.due_before.is_none_or(|before| priority.due.is_some_and(|due| due < before))
            && self.text.as_ref().is_none_or(|text| says(id, state, text))
    }
}

/// Whether one of the texts by which people know a directive holds another, in lower case.
fn says(id: DirectiveId, state: &DirectiveState, text: &str) -> bool {
    let directive = &state.directive;
    let source = state.source();
    holds(&source.name, text)
        || holds(&source.version, text)
        || holds(directive.group.as_str(), text)
        || [&directive.closes, &directive.claims, &directive.advisories]
            .into_iter()
            .flatten()
            .any(|id| holds(id.as_str(), text))
        || id.to_string() == text
}

/// Whether a text holds another, which is not empty and in lower case already, whatever the case of the first.
fn holds(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn due_in(due: Option<Timestamp>, now: Timestamp) -> DueIn {
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

impl World {
    /// The open directives that pass a filter, in an order, and what they come to together. `now` parts what is overdue from
    /// what is not.
    pub fn queue_of(&self, filter: &Filter, sort: Sort, now: Timestamp) -> Queue<'_> {
        let text =
            filter.text.as_ref().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let filter = Filter { text, ..filter.clone() };
        let mut queue = Queue {
            directives: self.open_directives().filter(|(id, state)| filter.passes(*id, state)).collect(),
            groups: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            due: BTreeMap::new(),
            removes: RiskPoints(0),
            assets: 0,
        };
        for (_, state) in &queue.directives {
            let priority = &state.directive.priority;
            *queue.groups.entry(&state.directive.group).or_default() += 1;
            *queue.outcomes.entry(&priority.decision.outcome).or_default() += 1;
            *queue.due.entry(due_in(priority.due, now)).or_default() += 1;
            queue.removes = RiskPoints(queue.removes.0.saturating_add(priority.removes.0));
            queue.assets = queue.assets.saturating_add(state.members.len());
        }
        type Item<'w> = (DirectiveId, &'w DirectiveState);
        let order = |(_, a): &Item<'_>, (_, b): &Item<'_>| match sort {
            Sort::Urgency => Ordering::Equal,
            Sort::Removes => b.directive.priority.removes.cmp(&a.directive.priority.removes),
            Sort::Assets => b.members.len().cmp(&a.members.len()),
            Sort::Raised => Reverse(a.raised).cmp(&Reverse(b.raised)),
            Sort::Package => a.source().cmp(b.source()),
            Sort::Group => a.directive.group.cmp(&b.directive.group),
        };
        queue.directives.sort_unstable_by(|a, b| order(a, b).then_with(|| a.1.rank(a.0).cmp(&b.1.rank(b.0))));
        queue
    }
}

//! Directives that ended, filtered, the last first.

use std::cmp::Reverse;

use tenon_model::{DirectiveId, GroupName, Outcome};

use crate::assigning::AssignedTo;
use crate::directives::DirectiveState;
use crate::queue::{Item, Start, Window, cut, group_of, holds, says};
use crate::world::World;

/// How a directive ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every host shows the fix.
    Fixed,
    /// A newer version took over.
    Superseded,
    /// Not needed on any host any more.
    Withdrawn,
    /// Refused by a person.
    Refused,
}

impl Ending {
    /// That of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Fixed => Self::Fixed,
            Outcome::Superseded { .. } => Self::Superseded,
            Outcome::Withdrawn { .. } => Self::Withdrawn,
            Outcome::Refused { .. } => Self::Refused,
        }
    }
}

/// Which closed directives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosedFilter {
    /// Only of this group.
    pub group: Option<GroupName>,
    /// Only those that ended so.
    pub ending: Option<Ending>,
    /// Only where the id, the package, the version, the group, a vulnerability, an advisory or the reason of the end holds this
    /// text, whatever its case.
    pub text: Option<String>,
    /// Only those that were done so when they ended.
    pub assigned: Option<AssignedTo>,
}

/// Directives that ended.
#[derive(Debug)]
pub struct Closed<'w> {
    /// Those of the window, in order.
    pub directives: Vec<(DirectiveId, &'w DirectiveState)>,
    /// The place of the first of them in the whole list, counted from 0.
    pub place: usize,
    /// How many there are in all that pass the filter.
    pub total: usize,
}

/// The words of people and of Tenon about an end.
fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Withdrawn { reason } => reason,
        Outcome::Refused { why, .. } => why,
        Outcome::Fixed | Outcome::Superseded { .. } => "",
    }
}

impl World {
    /// A window of the closed directives that pass a filter, the last closed first, and how many pass in all. `None` where the
    /// window begins behind a directive that is not closed.
    pub fn closed_of(&self, filter: &ClosedFilter, window: Window) -> Option<Closed<'_>> {
        let ClosedFilter { group, ending, text, assigned } = filter;
        let text = text.as_ref().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let named: Option<DirectiveId> = text.as_ref().and_then(|text| text.parse().ok());
        let passes = |(id, state): &Item<'_>| {
            let Some((_, outcome)) = &state.closed else { return false };
            let like = |text: &str| {
                named == Some(*id)
                    || says(state, text)
                    || holds(group_of(state), text)
                    || holds(reason(outcome), text)
            };
            group.as_ref().is_none_or(|group| state.directive.group == *group)
                && ending.is_none_or(|ending| Ending::of(outcome) == ending)
                && assigned.as_ref().is_none_or(|wanted| wanted.holds(state))
                && text.as_deref().is_none_or(like)
        };
        let all = self.directives().map(|(id, state)| (*id, state));
        let mut directives: Vec<Item<'_>> = all.filter(passes).collect();
        let key = |(id, state): &Item<'_>| Reverse((state.closed.as_ref().map(|(time, _)| *time), *id));
        let place = match window.start {
            Start::Place(place) => place,
            Start::Behind(id) => {
                let last = key(&(id, self.directive(&id).filter(|state| state.closed.is_some())?));
                directives.iter().filter(|item| key(item) <= last).count()
            }
        };
        let total = directives.len();
        cut(&mut directives, place, window.limit, |a, b| key(a).cmp(&key(b)));
        Some(Closed { directives, place, total })
    }
}

//! The queue in parts: directives that have something in common stand together under it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use tenon_model::{DirectiveId, Person, Stage, Timestamp};

use crate::directives::DirectiveState;
use crate::queue::{DueIn, Sum, due_in, group_of, package_of};
use crate::rows::{AsIs, Row};
use crate::world::World;

/// By what the queue is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By group. The largest loss removed first, as with the next three.
    Group,
    /// By the outcome of the table that decided.
    Outcome,
    /// By package.
    Package,
    /// By who does them.
    Assignee,
    /// By when they are due, in the order of time.
    Due,
    /// By the stage of its assets that most needs a person, that first.
    Stage,
}

/// What the directives of a part have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Common<'w> {
    /// The name of their group or package, or their outcome as published.
    Named(&'w str),
    /// Who does them; `None` of those that nobody does.
    DoneBy(Option<&'w Person>),
    /// When they are due.
    Due(DueIn),
    /// How far they are.
    Stage(Foremost),
}

/// How far a directive is: of the stages of its assets the one that most needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foremost {
    /// Only a person can go on.
    NeedsPerson,
    /// A change failed, and is not taken back.
    Failed,
    /// A change was taken back.
    RolledBack,
    /// A person must approve.
    AwaitingApproval,
    /// Is being changed.
    Applying,
    /// Approved, and waits for its turn.
    Approved,
    /// Is being rehearsed.
    Rehearsing,
    /// Known and waiting.
    Proposed,
    /// Changed; a later report must confirm it.
    Applied,
    /// A later report shows the fix.
    Verified,
    /// The fix arrived by another hand.
    FixedOtherwise,
}

impl Foremost {
    const ALL: [Self; 11] = [
        Self::NeedsPerson,
        Self::Failed,
        Self::RolledBack,
        Self::AwaitingApproval,
        Self::Applying,
        Self::Approved,
        Self::Rehearsing,
        Self::Proposed,
        Self::Applied,
        Self::Verified,
        Self::FixedOtherwise,
    ];

    fn of(stage: &Stage) -> Self {
        match stage {
            Stage::NeedsPerson { .. } => Self::NeedsPerson,
            Stage::Failed { .. } => Self::Failed,
            Stage::RolledBack { .. } => Self::RolledBack,
            Stage::AwaitingApproval { .. } => Self::AwaitingApproval,
            Stage::Applying { .. } => Self::Applying,
            Stage::Approved { .. } => Self::Approved,
            Stage::Rehearsing { .. } => Self::Rehearsing,
            Stage::Proposed => Self::Proposed,
            Stage::Applied { .. } => Self::Applied,
            Stage::Verified => Self::Verified,
            Stage::FixedOtherwise => Self::FixedOtherwise,
        }
    }
}

impl DirectiveState {
    /// The stage of its assets that most needs a person.
    pub fn foremost(&self) -> Foremost {
        self.foremost_of(self.members.len())
    }

    /// The same where it is known how many assets it has: a question about all directives does not count them.
    fn foremost_of(&self, assets: u64) -> Foremost {
        let (mut begun, mut foremost) = (0, None);
        for (_, stage) in self.begun() {
            begun += 1;
            let stage = Foremost::of(stage);
            if stage == Foremost::NeedsPerson {
                return stage;
            }
            foremost = Some(foremost.map_or(stage, |before: Foremost| before.min(stage)));
        }
        let (verified, otherwise) = self.done_by();
        let proposed = assets.saturating_sub(begun + verified + otherwise);
        let others = [
            (proposed, Foremost::Proposed),
            (verified, Foremost::Verified),
            (otherwise, Foremost::FixedOtherwise),
        ];
        let others = others.into_iter().filter(|(assets, _)| *assets > 0).map(|(_, stage)| stage);
        foremost.into_iter().chain(others).min().unwrap_or(Foremost::Proposed)
    }
}

/// A part by a number of its own, with one directive of it and what they come to.
type Numbered = (u64, DirectiveId, Sum);

/// The parts of a queue while it is looked through.
struct Parting<'w> {
    world: &'w World,
    by: By,
    now: Timestamp,
    sums: HashMap<u64, (DirectiveId, Sum), BuildHasherDefault<AsIs>>,
}

/// The parts in their order.
pub(crate) struct Parted {
    places: HashMap<u64, u64, BuildHasherDefault<AsIs>>,
    order: Vec<Numbered>,
    by: By,
}

impl<'w> Parting<'w> {
    fn new(world: &'w World, by: By, now: Timestamp) -> Self {
        Self { world, by, now, sums: HashMap::default() }
    }

    /// The number of the part in which a directive stands: a hash, or its place in an order that is fixed.
    fn number(&self, id: DirectiveId, row: &Row) -> u64 {
        match self.by {
            By::Group => row.group,
            By::Outcome => row.outcome,
            By::Package => row.package,
            By::Assignee => row.assignee,
            By::Due => {
                DueIn::ALL.iter().position(|due| *due == due_in(row.due, self.now)).unwrap_or_default() as u64
            }
            By::Stage => {
                // Most of a large queue waits: only what has begun is looked at.
                let foremost = if row.begun {
                    self.world.directive(&id).map(|state| state.foremost_of(row.assets))
                } else {
                    Some(Foremost::Proposed)
                };
                Foremost::ALL.iter().position(|stage| Some(*stage) == foremost).unwrap_or_default() as u64
            }
        }
    }

    /// Counts a directive into the part of this number.
    fn add(&mut self, number: u64, id: DirectiveId, row: &Row) {
        self.sums.entry(number).or_insert_with(|| (id, Sum::default())).1.add(row);
    }

    fn ordered(self) -> Parted {
        let Self { world, by, sums, .. } = self;
        let mut order: Vec<Numbered> =
            sums.into_iter().map(|(number, (id, sum))| (number, id, sum)).collect();
        match by {
            By::Due | By::Stage => order.sort_unstable_by_key(|(number, ..)| *number),
            By::Group | By::Outcome | By::Package | By::Assignee => {
                let name = |id: &DirectiveId| world.directive(id).map(|state| name(by, state));
                order.sort_unstable_by(|(_, a, one), (_, b, other)| {
                    (Reverse(one.removes), name(a)).cmp(&(Reverse(other.removes), name(b)))
                });
            }
        }
        let places = (0..).zip(&order).map(|(place, (number, ..))| (*number, place)).collect();
        Parted { places, order, by }
    }
}

impl World {
    /// The parts in which the queue stands, and the number of the part of each row.
    pub(crate) fn parted(
        &self,
        by: Option<By>,
        rows: &[(DirectiveId, Row)],
        now: Timestamp,
    ) -> (Option<Parted>, Vec<u64>) {
        let Some(by) = by else { return (None, Vec::new()) };
        let mut parting = Parting::new(self, by, now);
        let mut numbers = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            let number = parting.number(*id, row);
            parting.add(number, *id, row);
            numbers.push(number);
        }
        (Some(parting.ordered()), numbers)
    }
}

impl Parted {
    /// The place of the part of this number.
    pub(crate) fn place(&self, number: u64) -> u64 {
        self.places.get(&number).copied().unwrap_or_default()
    }

    /// The parts by what they have in common.
    pub(crate) fn named<'w>(&self, world: &'w World) -> Vec<(Common<'w>, Sum)> {
        let fixed = |number: &u64| usize::try_from(*number).unwrap_or(usize::MAX);
        let common = |(number, id, sum): &Numbered| {
            let common = match self.by {
                By::Due => Common::Due(*DueIn::ALL.get(fixed(number))?),
                By::Stage => Common::Stage(*Foremost::ALL.get(fixed(number))?),
                By::Assignee => Common::DoneBy(world.directive(id)?.assigned.as_ref().map(|known| &known.to)),
                by => Common::Named(name(by, world.directive(id)?)),
            };
            Some((common, *sum))
        };
        self.order.iter().filter_map(common).collect()
    }
}

/// What a directive is called by, where that is a text.
fn name(by: By, state: &DirectiveState) -> &str {
    match by {
        By::Outcome => &state.directive.priority.decision.outcome,
        By::Package => package_of(state),
        By::Assignee => state.assigned.as_ref().map_or("", |known| known.to.as_str()),
        By::Group | By::Due | By::Stage => group_of(state),
    }
}

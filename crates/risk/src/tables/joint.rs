//! Counterfactuals of rows that decide together.
//!
//! ```text
//! subjects (vulnerabilities), each in one or more circumstances (kinds of assets) --> rows; the most urgent outcome of all decides
//! a change sets columns of one subject wherever it is, or shared columns (what is stated about assets) of all of them
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{Decided, Inputs, Table};

/// Which outcome is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A more urgent one.
    Sooner,
    /// A less urgent one.
    Later,
}

/// A column set to a value wherever it has another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointSet<'t> {
    /// Number of the subject, in the order given; `None` for a shared column, of all of them.
    pub subject: Option<usize>,
    /// Column, as published.
    pub column: &'t str,
    /// Values that it has there, in published order, without `to`; never empty.
    pub from: Vec<&'t str>,
    /// Value that it must have.
    pub to: &'t str,
}

/// A smallest change, and what decides after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointChange<'t> {
    /// Shared columns first, then subjects in the order given, of each the columns in published order; never empty.
    pub set: Vec<JointSet<'t>>,
    /// The most urgent row after it.
    pub decided: Decided<'t>,
}

/// Values by number, one for each column.
type Cells = Vec<u8>;
/// Columns set to a value, both by number.
type Assignment = Vec<(usize, u8)>;
/// What a change costs: columns that are set, how many of them are not shared, and steps along the published values of each.
type Cost = (usize, usize, usize);

/// A change by number: the shared columns, and those of each subject that changes.
struct Found {
    cost: Cost,
    shared: Assignment,
    owns: Vec<(usize, Assignment)>,
}

/// Rows of one table that decide together.
#[derive(Debug, Clone)]
pub struct Joint<'t> {
    table: &'t Table,
    /// Rows of each subject, each once.
    subjects: Vec<BTreeSet<Cells>>,
    /// Columns that only change for all subjects at once, by number; and the others.
    shared: Vec<usize>,
    own: Vec<usize>,
    /// Urgency of each row of the table, by place.
    urgencies: Vec<u32>,
}

impl<'t> Joint<'t> {
    /// Subjects with their inputs, one for each circumstance; those of another table do not count. `shared` says by its header of which
    /// columns all change at once, `urgency` how urgent an outcome is; more is more urgent.
    pub fn new(
        table: &'t Table,
        subjects: impl IntoIterator<Item = Vec<Inputs<'t>>>,
        shared: impl Fn(&str) -> bool,
        urgency: impl Fn(&str) -> u32,
    ) -> Self {
        let cells = |inputs: Vec<Inputs<'t>>| {
            inputs.into_iter().filter(|one| one.table == table).map(|one| one.cells).collect()
        };
        let (shared, own) = (0..table.columns.len())
            .partition(|at| table.columns.get(*at).is_some_and(|column| shared(column.header())));
        Self {
            table,
            subjects: subjects.into_iter().map(cells).collect(),
            shared,
            own,
            urgencies: table.rows.iter().map(|row| urgency(&row.outcome)).collect(),
        }
    }

    /// The smallest change to an outcome that is more, or less, urgent than the one that decides now: fewest columns set, one column of
    /// one subject counted once; then as many of them shared as can be, then fewest steps along the published values. `None` where no
    /// change leads there.
    ///
    /// It is exact. Once it is settled what the shared columns are, subjects are independent of each other: for something more urgent
    /// one of them is enough, for something less urgent each must become so by the smallest change of its own.
    pub fn smallest_change(&self, direction: Direction) -> Option<JointChange<'t>> {
        let now = self.subjects.iter().flatten().map(|cells| self.urgency(cells)).max()?;
        let wanted = |urgency: u32| match direction {
            Direction::Sooner => urgency > now,
            Direction::Later => urgency < now,
        };
        // Subjects that are alike cost alike.
        let mut alike: BTreeMap<&BTreeSet<Cells>, Vec<usize>> = BTreeMap::new();
        for (at, rows) in self.subjects.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            alike.entry(rows).or_default().push(at);
        }
        let all: BTreeSet<&Cells> = self.subjects.iter().flatten().collect();
        let mut best: Option<Found> = None;
        for shared in self.assignments(&all, &self.shared) {
            let whole = (shared.len(), 0, steps(&shared, &all));
            let each =
                alike.iter().map(|(rows, subjects)| (self.own_change(rows, &shared, wanted), subjects));
            let found = match direction {
                Direction::Sooner => {
                    let changes = each.filter_map(|(change, subjects)| Some((change?, *subjects.first()?)));
                    let least = changes.min_by_key(|((cost, _), subject)| (*cost, *subject));
                    least.map(|((cost, own), subject)| (plus(whole, cost, 1), vec![(subject, own)]))
                }
                Direction::Later => each
                    .map(|(change, subjects)| change.map(|change| (change, subjects)))
                    .try_fold((whole, Vec::new()), |(sum, mut owns), of_alike| {
                        let ((cost, own), subjects) = of_alike?;
                        owns.extend(subjects.iter().map(|subject| (*subject, own.clone())));
                        Some((plus(sum, cost, subjects.len()), owns))
                    }),
            };
            if let Some((cost, owns)) = found
                && best.as_ref().is_none_or(|best| cost < best.cost)
            {
                best = Some(Found { cost, shared, owns });
            }
        }
        let Found { shared, mut owns, .. } = best?;
        owns.sort();
        self.told(&shared, &owns)
    }

    /// The smallest change of a subject's own columns by which the most urgent of its rows is `wanted`, after `shared` has changed.
    fn own_change(
        &self,
        rows: &BTreeSet<Cells>,
        shared: &Assignment,
        wanted: impl Fn(u32) -> bool,
    ) -> Option<(Cost, Assignment)> {
        let rows: Vec<Cells> = rows.iter().map(|cells| with(cells, shared)).collect();
        let refs: BTreeSet<&Cells> = rows.iter().collect();
        let flips = |own: &Assignment| {
            let urgencies = refs.iter().map(|cells| self.urgency(&with(cells, own)));
            urgencies.max().is_some_and(&wanted)
        };
        let changes = self.assignments(&refs, &self.own).into_iter().filter(flips);
        changes.map(|own| ((own.len(), own.len(), steps(&own, &refs)), own)).min()
    }

    /// Every way to leave these columns or to set them to a value that not all of the rows have.
    fn assignments(&self, rows: &BTreeSet<&Cells>, columns: &[usize]) -> Vec<Assignment> {
        columns.iter().fold(vec![Vec::new()], |before, at| {
            let values = self.table.columns.get(*at).map_or(0, |column| column.values.len());
            let differs = |value: &u8| rows.iter().any(|cells| cells.get(*at) != Some(value));
            let values: Vec<u8> =
                (0..values).filter_map(|one| u8::try_from(one).ok()).filter(differs).collect();
            let with_column = |one: Assignment| {
                let set = values.iter().map(|value| one.iter().copied().chain([(*at, *value)]).collect());
                [one.clone()].into_iter().chain(set.collect::<Vec<_>>()).collect::<Vec<_>>()
            };
            before.into_iter().flat_map(with_column).collect()
        })
    }

    fn place(&self, cells: &[u8]) -> Option<usize> {
        let number = self.table.combination(cells)?;
        self.table.places.get(number).map(|place| usize::from(*place))
    }

    fn urgency(&self, cells: &[u8]) -> u32 {
        self.place(cells).and_then(|place| self.urgencies.get(place)).copied().unwrap_or(0)
    }

    fn told(&self, shared: &Assignment, owns: &[(usize, Assignment)]) -> Option<JointChange<'t>> {
        let all: BTreeSet<&Cells> = self.subjects.iter().flatten().collect();
        let mut set: Vec<JointSet<'t>> =
            shared.iter().filter_map(|one| self.told_set(None, *one, &all)).collect();
        for (subject, own) in owns {
            let rows = self.subjects.get(*subject)?.iter().collect();
            set.extend(own.iter().filter_map(|one| self.told_set(Some(*subject), *one, &rows)));
        }
        let owns: BTreeMap<usize, &Assignment> = owns.iter().map(|(subject, own)| (*subject, own)).collect();
        let after = self.subjects.iter().enumerate().flat_map(|(subject, rows)| {
            let own = owns.get(&subject).map_or(&[][..], |own| own.as_slice());
            rows.iter().map(move |cells| with(&with(cells, shared), own))
        });
        let deciding = after.max_by_key(|cells| self.urgency(cells))?;
        let decided = Inputs { table: self.table, cells: deciding }.decide();
        Some(JointChange { set, decided })
    }

    fn told_set(
        &self,
        subject: Option<usize>,
        (at, to): (usize, u8),
        rows: &BTreeSet<&Cells>,
    ) -> Option<JointSet<'t>> {
        let column = self.table.columns.get(at)?;
        let value = |cell: u8| column.values.get(usize::from(cell)).map(String::as_str);
        let from: BTreeSet<u8> = rows.iter().filter_map(|cells| cells.get(at).copied()).collect();
        let from = from.into_iter().filter(|cell| *cell != to).filter_map(value).collect();
        Some(JointSet { subject, column: column.header(), from, to: value(to)? })
    }
}

/// Cells with some set; a column that is not there changes nothing.
fn with(cells: &[u8], set: &[(usize, u8)]) -> Cells {
    let mut cells = cells.to_vec();
    for (at, value) in set {
        if let Some(cell) = cells.get_mut(*at) {
            *cell = *value;
        }
    }
    cells
}

/// Steps along the published values: of each column that is set those of the row that is farthest from there.
fn steps(set: &Assignment, rows: &BTreeSet<&Cells>) -> usize {
    let of = |(at, value): &(usize, u8)| {
        let far = rows.iter().filter_map(|cells| Some(usize::from(cells.get(*at)?.abs_diff(*value)))).max();
        far.unwrap_or(0)
    };
    set.iter().map(of).sum()
}

fn plus(sum: Cost, one: Cost, times: usize) -> Cost {
    (sum.0 + one.0 * times, sum.1 + one.1 * times, sum.2 + one.2 * times)
}

//! Counterfactuals: the smallest change of inputs that leads to another outcome.

use super::{Decided, InputError, Inputs};

/// A column set to another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set<'t> {
    /// Column, as published.
    pub column: &'t str,
    /// Value it has.
    pub from: &'t str,
    /// Value that it must have.
    pub to: &'t str,
}

/// A change of inputs and what the table decides after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'t> {
    /// Columns that change, in published order; never empty.
    pub set: Vec<Set<'t>>,
    /// Inputs after the change.
    pub inputs: Inputs<'t>,
    /// Decision after the change.
    pub decided: Decided<'t>,
}

impl<'t> Inputs<'t> {
    /// The smallest change of the columns `changeable` (header or name) that leads to another outcome: fewest columns,
    /// then the row that is published first. `None` when no change of them does.
    ///
    /// # Errors
    /// [`InputError::UnknownColumn`].
    pub fn smallest_change(&self, changeable: &[&str]) -> Result<Option<Change<'t>>, InputError> {
        let now = self.decide().outcome;
        let changeable: Vec<_> =
            changeable.iter().map(|name| self.table.column(name)).collect::<Result<_, _>>()?;
        let differing = |other: &Inputs<'t>| -> Vec<usize> {
            let pairs = self.cells.iter().zip(&other.cells).enumerate();
            pairs.filter(|(_, (mine, theirs))| mine != theirs).map(|(at, _)| at).collect()
        };
        let table = self.table;
        let candidates = table.rows().filter_map(|inputs| {
            let columns = differing(&inputs);
            let reachable = !columns.is_empty() && columns.iter().all(|at| changeable.contains(at));
            (reachable && (inputs.decide().outcome != now)).then_some((columns, inputs))
        });
        // Of equals `min_by_key` keeps the first, which is the first published.
        let smallest = candidates.min_by_key(|(columns, _)| columns.len());
        Ok(smallest.map(|(columns, inputs)| {
            let pairs = self.pairs().zip(inputs.pairs()).enumerate().filter(|(at, _)| columns.contains(at));
            let set = pairs.map(|(_, ((column, from), (_, to)))| Set { column, from, to }).collect();
            Change { set, decided: inputs.decide(), inputs }
        }))
    }
}

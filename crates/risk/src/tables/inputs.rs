//! Inputs of a table, checked once.

use super::{Decided, Table};

/// Why inputs do not select a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A column that the table does not have.
    #[error("table {table} has no column {column:?}")]
    UnknownColumn {
        /// Table, with version.
        table: String,
        /// As given.
        column: String,
    },
    /// A value that the column does not have.
    #[error("column {column} has no value {value:?}; it has {}", allowed.join(", "))]
    UnknownValue {
        /// Column, as published.
        column: String,
        /// As given.
        value: String,
        /// Values of the column.
        allowed: Vec<String>,
    },
    /// A column given twice.
    #[error("column {column} is given twice")]
    Repeated {
        /// Column, as published.
        column: String,
    },
    /// A column that is not given.
    #[error("column {column} is missing")]
    Missing {
        /// Column, as published.
        column: String,
    },
}

/// A value for every column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs<'t> {
    pub(super) table: &'t Table,
    pub(super) cells: Vec<u8>,
}

impl Table {
    /// Checks inputs: pairs of column and value, as for [`Table::decide`].
    ///
    /// # Errors
    /// [`InputError`] unless every column is given once, with a value that it has.
    pub fn inputs(&self, pairs: &[(&str, &str)]) -> Result<Inputs<'_>, InputError> {
        let mut cells = vec![None; self.columns.len()];
        for (name, value) in pairs {
            if *name == "row" {
                continue;
            }
            let at = self.column(name)?;
            let (Some(column), Some(cell)) = (self.columns.get(at), cells.get_mut(at)) else { continue };
            let number = column.values.iter().position(|known| known == value);
            let number = number.and_then(|number| u8::try_from(number).ok()).ok_or_else(|| {
                InputError::UnknownValue {
                    column: column.header.clone(),
                    value: (*value).to_owned(),
                    allowed: column.values.clone(),
                }
            })?;
            if cell.replace(number).is_some() {
                return Err(InputError::Repeated { column: column.header.clone() });
            }
        }
        let missing = self.columns.iter().zip(&cells).find(|(_, cell)| cell.is_none());
        if let Some((column, _)) = missing {
            return Err(InputError::Missing { column: column.header.clone() });
        }
        Ok(Inputs { table: self, cells: cells.into_iter().flatten().collect() })
    }

    /// Number of the column with this header or name.
    pub(super) fn column(&self, name: &str) -> Result<usize, InputError> {
        self.columns
            .iter()
            .position(|column| column.header == name || column.name() == name)
            .ok_or_else(|| InputError::UnknownColumn { table: self.to_string(), column: name.to_owned() })
    }
}

impl<'t> Inputs<'t> {
    /// The table.
    pub fn table(&self) -> &'t Table {
        self.table
    }

    /// Column headers and their values, in published order.
    pub fn pairs(&self) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.table.columns.iter().zip(&self.cells).filter_map(|(column, cell)| {
            Some((column.header.as_str(), column.values.get(usize::from(*cell))?.as_str()))
        })
    }

    /// The row for these inputs; there always is one.
    pub fn decide(&self) -> Decided<'t> {
        // A table is total and inputs have a value for every column, so the row is found; were it not, the first row
        // would be a wrong answer but no crash.
        let place = self.table.combination(&self.cells).and_then(|number| self.table.places.get(number));
        let row =
            place.and_then(|place| self.table.rows.get(usize::from(*place))).or(self.table.rows.first());
        Decided {
            table: self.table,
            row: row.map_or(0, |row| row.number),
            outcome: row.map_or("", |row| row.outcome.as_str()),
        }
    }
}

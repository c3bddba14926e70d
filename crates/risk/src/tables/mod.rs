//! Published decision tables as data: columns with their values, and one row for every combination.

mod flip;
mod inputs;
mod joint;
mod read;

use std::fmt;
use std::sync::LazyLock;

pub use flip::{Change, Set};
pub use inputs::{InputError, Inputs};
pub use joint::{Direction, Joint, JointChange, JointSet};
pub use read::TableError;
pub(crate) use read::meta;

/// A column and its values, in published order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    header: String,
    values: Vec<String>,
}

impl Column {
    /// As published, with the version of the decision point if it has one (`Exploitation v1.1.0`).
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Header without the version (`Exploitation`).
    pub fn name(&self) -> &str {
        self.header
            .match_indices(" v")
            .find(|(at, _)| self.header[at + 2..].starts_with(|next: char| next.is_ascii_digit()))
            .map_or(self.header.as_str(), |(at, _)| &self.header[..at])
    }

    /// Allowed values, in published order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    number: u32,
    /// For each column the number of the value.
    cells: Vec<u8>,
    outcome: String,
}

/// A decision table. It has exactly one row for every combination of values, so a lookup always finds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    id: String,
    version: String,
    title: String,
    source: String,
    columns: Vec<Column>,
    outcome: String,
    /// In published order.
    rows: Vec<Row>,
    /// Row of each combination, combinations counted with the last column fastest.
    places: Vec<u16>,
}

impl Table {
    /// Short name (`ssvc-deployer`).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version, as published.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where the rows are published, and under which licence.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Columns, in published order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Header of the outcome.
    pub fn outcome(&self) -> &str {
        &self.outcome
    }

    /// Every row, in published order.
    pub fn rows(&self) -> impl Iterator<Item = Inputs<'_>> {
        self.rows.iter().map(|row| Inputs { table: self, cells: row.cells.clone() })
    }

    /// The row for these inputs: pairs of column (header or name) and value. A pair for the column `row`, the row
    /// number of the published files, is passed over.
    ///
    /// # Errors
    /// [`InputError`] unless every column is given once, with a value that it has.
    pub fn decide(&self, inputs: &[(&str, &str)]) -> Result<Decided<'_>, InputError> {
        Ok(self.inputs(inputs)?.decide())
    }

    /// Number of a combination; `None` unless it has a value for every column.
    fn combination(&self, cells: &[u8]) -> Option<usize> {
        if cells.len() != self.columns.len() {
            return None;
        }
        self.columns.iter().zip(cells).try_fold(0, |number, (column, cell)| {
            let cell = usize::from(*cell);
            (cell < column.values.len()).then_some(number * column.values.len() + cell)
        })
    }

    /// The row for values given by number, for typed fronts whose variants are in the order of the values (tested):
    /// a number that the column does not have is taken for its last value.
    pub(crate) fn pick<const N: usize>(&self, cells: [usize; N]) -> Inputs<'_> {
        let cell = |(at, column): (usize, &Column)| {
            let last = column.values.len().saturating_sub(1);
            u8::try_from(cells.get(at).copied().unwrap_or(0).min(last)).unwrap_or(0)
        };
        Inputs { table: self, cells: self.columns.iter().enumerate().map(cell).collect() }
    }

    pub(crate) fn decide_numbers<const N: usize>(&self, cells: [usize; N]) -> Decided<'_> {
        self.pick(cells).decide()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.version)
    }
}

/// The row that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided<'t> {
    /// The table.
    pub table: &'t Table,
    /// Row number, as published.
    pub row: u32,
    /// Outcome, as published.
    pub outcome: &'t str,
}

/// A table of this crate, read when first used.
pub(crate) type Published = LazyLock<Table>;

/// Reads a table of this crate.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads every one")]
pub(crate) fn published(text: &'static str) -> Table {
    Table::read(text).expect("a published table of this crate is total")
}

/// Every published table of this crate.
pub fn all() -> [&'static Table; 12] {
    [
        &crate::ssvc::DEPLOYER,
        &crate::ssvc::HUMAN_IMPACT,
        &crate::ssvc::PUBLIC_SAFETY_IMPACT,
        &crate::ssvc::UTILITY,
        &crate::cisa_coordinator::COORDINATOR,
        &crate::bod_26_04::TIMELINES,
        &crate::fedramp_vdr::TIMEFRAMES,
        &crate::sla::FEDRAMP_REV5,
        &crate::sla::BOD_22_01,
        &crate::sla::BOD_19_02,
        &crate::sla::PCI_DSS_4_0,
        &crate::sla::PCI_DSS_4_0_1,
    ]
}

/// The published table of this id.
pub fn by_id(id: &str) -> Option<&'static Table> {
    all().into_iter().find(|table| table.id == id)
}

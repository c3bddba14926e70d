//! A published decision table, so that a decision can be seen beside what else it might have been.

use serde::{Deserialize, Serialize};
use tenon_risk::tables::{Inputs, by_id};
use utoipa::ToSchema;

/// A published decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableView {
    /// Title, as published.
    pub title: String,
    /// Where its rows are published, and under which licence.
    pub source: String,
    /// Headers of what is put in, as published.
    pub columns: Vec<String>,
    /// Header of what comes out, as published.
    pub outcome: String,
    /// One row for every combination, in published order.
    pub rows: Vec<TableRowView>,
}

/// A row of a decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableRowView {
    /// Row as published.
    pub row: u32,
    /// A value for each column, in their order.
    pub values: Vec<String>,
    /// Outcome as published.
    pub outcome: String,
}

impl TableView {
    /// The table that a decision names with its version; `None` of a version that this program does not have.
    pub(super) fn of(named: &str) -> Option<Self> {
        let table = by_id(named.split(' ').next()?).filter(|table| table.to_string() == named)?;
        Some(Self {
            title: table.title().to_owned(),
            source: table.source().to_owned(),
            columns: table.columns().iter().map(|column| column.header().to_owned()).collect(),
            outcome: table.outcome().to_owned(),
            rows: table.rows().map(|inputs| TableRowView::of(&inputs)).collect(),
        })
    }
}

impl TableRowView {
    fn of(inputs: &Inputs<'_>) -> Self {
        let decided = inputs.decide();
        Self {
            row: decided.row,
            values: inputs.pairs().map(|(_, value)| value.to_owned()).collect(),
            outcome: decided.outcome.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TableView;

    #[test]
    fn a_table_is_told_whole_and_only_in_the_version_that_decided() {
        let table = TableView::of("cisa-bod-26-04 1.0.0").unwrap();
        assert_eq!((table.columns.len(), table.rows.len()), (4, 16));
        let row = &table.rows[12];
        assert_eq!((row.row, row.values.join(" ")), (12, "yes yes no total".to_owned()));
        assert_eq!(row.outcome, "3 days & forensic investigation");
        assert_eq!(TableView::of("cisa-bod-26-04 0.9.0"), None);
        assert_eq!(TableView::of("of our own 1.0.0"), None);
    }
}

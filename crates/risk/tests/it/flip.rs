//! Counterfactuals against every change there is.

use proptest::prelude::*;
use tenon_risk::tables::{self, Inputs, Table};

/// Every combination of values, as pairs of header and value.
fn combinations(table: &Table) -> Vec<Vec<(String, String)>> {
    table.columns().iter().fold(vec![Vec::new()], |before, column| {
        let with = |pairs: &Vec<(String, String)>, value: &str| {
            let mut pairs = pairs.clone();
            pairs.push((column.header().to_owned(), value.to_owned()));
            pairs
        };
        before
            .iter()
            .flat_map(|pairs| column.values().map(|value| with(pairs, value)).collect::<Vec<_>>())
            .collect()
    })
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(column, value)| (column.as_str(), value.as_str())).collect()
}

/// The change is one of `changeable`, does flip, and no combination flips with fewer columns or, with as many, in an
/// earlier row. Rows are numbered in published order in every table here.
fn check(table: &Table, inputs: &Inputs<'_>, changeable: &[&str]) {
    let now = inputs.decide();
    let mine: Vec<_> = inputs.pairs().collect();
    let mut best: Option<(usize, u32)> = None;
    for other in combinations(table) {
        let differing: Vec<_> = mine
            .iter()
            .zip(&other)
            .filter(|(mine, other)| mine.1 != other.1)
            .map(|(mine, _)| mine.0)
            .collect();
        let decided = table.decide(&borrowed(&other)).unwrap();
        if decided.outcome != now.outcome && differing.iter().all(|column| changeable.contains(column)) {
            let size = (differing.len(), decided.row);
            best = Some(best.map_or(size, |best| best.min(size)));
        }
    }
    let change = inputs.smallest_change(changeable).unwrap();
    assert_eq!(change.as_ref().map(|change| (change.set.len(), change.decided.row)), best);
    let Some(change) = change else { return };
    // Applying what the change says, and nothing else, leads where it says.
    let mut pairs = mine;
    for set in &change.set {
        let pair = pairs.iter_mut().find(|(column, _)| *column == set.column).unwrap();
        assert_eq!(pair.1, set.from);
        assert_ne!(set.from, set.to);
        pair.1 = set.to;
    }
    let applied = table.decide(&pairs).unwrap();
    assert_eq!((applied.row, applied.outcome), (change.decided.row, change.decided.outcome));
    assert_ne!(applied.outcome, now.outcome);
    assert_eq!(change.inputs.decide().row, applied.row);
}

#[test]
fn the_smallest_change_is_minimal_for_every_row_of_every_table_and_every_choice_of_columns() {
    for table in tables::all() {
        let headers: Vec<_> = table.columns().iter().map(|column| column.header()).collect();
        for chosen in 0..1_u32 << headers.len() {
            let changeable: Vec<_> = headers
                .iter()
                .enumerate()
                .filter(|(at, _)| chosen >> at & 1 == 1)
                .map(|(_, header)| *header)
                .collect();
            for inputs in table.rows() {
                check(table, &inputs, &changeable);
            }
        }
    }
}

/// A total table of up to four columns of up to three values, rows in any order, outcomes at random.
pub(crate) fn any_table() -> impl Strategy<Value = String> {
    proptest::collection::vec(1_usize..=3, 1..=4)
        .prop_flat_map(|sizes| {
            let rows: usize = sizes.iter().product();
            let outcomes = proptest::collection::vec(0_u8..3, rows);
            (Just(sizes), outcomes, Just((0..rows).collect::<Vec<_>>()).prop_shuffle())
        })
        .prop_map(|(sizes, outcomes, order)| {
            let header: Vec<_> = (0..sizes.len()).map(|at| format!("c{at}")).collect();
            let mut text =
                format!("# id: t\n# version: 1\n# title: T\n# source: made\nrow,{},o\n", header.join(","));
            for (row, mut number) in order.into_iter().enumerate() {
                let outcome = outcomes[number];
                let mut cells = Vec::new();
                for size in &sizes {
                    cells.push(format!("v{}", number % size));
                    number /= size;
                }
                text.push_str(&format!("{row},{},o{outcome}\n", cells.join(",")));
            }
            text
        })
}

proptest! {
    #[test]
    fn the_smallest_change_is_minimal_in_any_table(text in any_table(), chosen in any::<u8>()) {
        let table = Table::read(&text).unwrap();
        let headers: Vec<_> = table.columns().iter().map(|column| column.header()).collect();
        let changeable: Vec<_> =
            headers.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, header)| *header).collect();
        for inputs in table.rows() {
            check(&table, &inputs, &changeable);
        }
    }

    #[test]
    fn no_text_makes_reading_a_table_panic(text in "(# id: t\n# version: 1\n# title: T\n# source: s\n)?[row,0-9a-b\"\n]*") {
        if let Ok(table) = Table::read(&text) {
            prop_assert!(table.rows().all(|inputs| !inputs.decide().outcome.is_empty()));
        }
    }
}

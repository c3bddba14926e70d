//! Counterfactuals of rows that decide together, against every smaller change there is.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use tenon_risk::tables::{self, Direction, Inputs, Joint, JointChange, JointSet, Table};

use crate::flip::any_table;

/// What a change may set: a column of one of the subjects, or of all, to a value; both by number.
type Set = (Option<usize>, usize, usize);

/// Values of each column by number, for each subject in each circumstance.
type Rows = Vec<Vec<Vec<usize>>>;

/// Urgency of every combination of values, read off the rows.
struct Urgencies(HashMap<Vec<usize>, u32>);

fn values(inputs: &Inputs<'_>) -> Vec<usize> {
    let columns = inputs.table().columns().iter();
    columns
        .zip(inputs.pairs())
        .map(|(of, (_, value))| of.values().position(|one| one == value).unwrap())
        .collect()
}

impl Urgencies {
    fn of(table: &Table, urgency: impl Fn(&str) -> u32) -> Self {
        Self(table.rows().map(|inputs| (values(&inputs), urgency(inputs.decide().outcome))).collect())
    }

    /// How urgent the most urgent of all rows is after a change.
    fn most(&self, rows: &Rows, set: &[Set]) -> u32 {
        let after = |(at, values): (usize, &Vec<usize>)| {
            let mut values = values.clone();
            for (_, column, to) in set.iter().filter(|(subject, ..)| subject.is_none_or(|one| one == at)) {
                values[*column] = *to;
            }
            self.0[&values]
        };
        let all = rows.iter().enumerate().flat_map(|(at, of)| of.iter().map(move |values| (at, values)));
        all.map(after).max().unwrap()
    }
}

/// Whether some change of at most `most` columns leads to what is wanted: every one is tried.
fn some_change(options: &[Set], most: usize, flips: &mut impl FnMut(&[Set]) -> bool) -> bool {
    fn go(options: &[Set], most: usize, set: &mut Vec<Set>, flips: &mut impl FnMut(&[Set]) -> bool) -> bool {
        if !set.is_empty() && flips(set) {
            return true;
        }
        if set.len() == most {
            return false;
        }
        for (at, option) in options.iter().enumerate() {
            if set.iter().any(|(subject, column, _)| (*subject, *column) == (option.0, option.1)) {
                continue;
            }
            set.push(*option);
            if go(&options[at + 1..], most, set, flips) {
                return true;
            }
            set.pop();
        }
        false
    }
    go(options, most, &mut Vec::new(), flips)
}

/// What the change says flips the outcome as it says, and no change of fewer columns does; where it says that there is none, none of up
/// to three columns does, or of any number where there is little to try.
fn check(
    table: &Table,
    subjects: &[Vec<Inputs<'_>>],
    shared: &[bool],
    urgency: impl Fn(&str) -> u32 + Copy,
) -> Result<(), TestCaseError> {
    let is_shared = |header: &str| {
        let at = table.columns().iter().position(|column| column.header() == header);
        at.is_some_and(|at| shared[at])
    };
    let joint = Joint::new(table, subjects.iter().cloned(), is_shared, urgency);
    let rows: Rows = subjects.iter().map(|of| of.iter().map(values).collect()).collect();
    let urgencies = Urgencies::of(table, urgency);
    let now = urgencies.most(&rows, &[]);
    let mut options: Vec<Set> = Vec::new();
    for (at, column) in table.columns().iter().enumerate() {
        let whose: Vec<_> = if shared[at] { vec![None] } else { (0..rows.len()).map(Some).collect() };
        for subject in whose {
            options.extend((0..column.values().count()).map(|value| (subject, at, value)));
        }
    }
    for direction in [Direction::Sooner, Direction::Later] {
        let mut flips = |set: &[Set]| {
            let then = urgencies.most(&rows, set);
            if direction == Direction::Sooner { then > now } else { then < now }
        };
        let Some(JointChange { set, decided: said }) = joint.smallest_change(direction) else {
            let most = if options.len() <= 12 { options.len() } else { 3 };
            prop_assert!(!some_change(&options, most, &mut flips), "{direction:?} of {rows:?}");
            continue;
        };
        let number = |one: &JointSet<'_>| {
            let at = table.columns().iter().position(|column| column.header() == one.column).unwrap();
            (one.subject, at, table.columns()[at].values().position(|value| value == one.to).unwrap())
        };
        let told: Vec<Set> = set.iter().map(number).collect();
        prop_assert!(flips(&told), "{direction:?} of {rows:?}: {set:?}");
        prop_assert_eq!(urgencies.most(&rows, &told), urgency(said.outcome));
        for (one, (subject, at, _)) in set.iter().zip(&told) {
            prop_assert_eq!(subject.is_none(), shared[*at]);
            let of = rows.iter().enumerate().filter(|(at, _)| subject.is_none_or(|subject| subject == *at));
            let has: BTreeSet<usize> = of.flat_map(|(_, all)| all).map(|values| values[*at]).collect();
            let has: Vec<&str> =
                has.iter().map(|value| table.columns()[*at].values().nth(*value).unwrap()).collect();
            let others: Vec<&str> = has.into_iter().filter(|value| *value != one.to).collect();
            prop_assert_eq!(&one.from, &others);
            prop_assert!(!one.from.is_empty());
        }
        prop_assert!(
            !some_change(&options, told.len() - 1, &mut flips),
            "{direction:?} of {rows:?}: {set:?}"
        );
    }
    Ok(())
}

/// Up to three subjects in up to three circumstances, as numbers of rows; columns that are shared, and how urgent outcomes are, as bits.
fn any_case() -> impl Strategy<Value = (Vec<Vec<prop::sample::Index>>, u8, u64)> {
    let row = any::<prop::sample::Index>();
    let circumstances = prop::collection::vec(row, 1..4);
    (prop::collection::vec(circumstances, 1..4), any::<u8>(), any::<u64>())
}

fn check_case(
    table: &Table,
    (subjects, shared, seed): (Vec<Vec<prop::sample::Index>>, u8, u64),
) -> Result<(), TestCaseError> {
    let rows: Vec<Inputs<'_>> = table.rows().collect();
    let subjects: Vec<Vec<Inputs<'_>>> =
        subjects.iter().map(|of| of.iter().map(|at| at.get(&rows).clone()).collect()).collect();
    let shared: Vec<bool> = (0..table.columns().len()).map(|at| shared >> at & 1 == 1).collect();
    // Any order of outcomes: each has some value of four, and of equal ones neither is sooner.
    let urgency = |outcome: &str| {
        let sum = outcome.bytes().fold(seed, |sum, byte| sum.rotate_left(7).wrapping_add(u64::from(byte)));
        u32::try_from(sum % 4).unwrap()
    };
    check(table, &subjects, &shared, urgency)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_smaller_change_of_rows_that_decide_together_flips_them(
        table in prop::sample::select(tables::all().to_vec()),
        case in any_case(),
    ) {
        check_case(table, case)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_smaller_change_does_in_any_table(text in any_table(), case in any_case()) {
        check_case(&Table::read(&text).unwrap(), case)?;
    }
}

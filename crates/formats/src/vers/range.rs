//! Whether a version lies in a range: "Simplifying constraints" and "Checking if a version is contained within a
//! range" of the VERS specification.

use std::cmp::Ordering;

use super::{Comparator, Constraint, Vers, order};

/// What clause 5.4 asks of sorted constraints, and nothing that ordering alone would not show: each version once, and
/// no comparator that the ones around it make empty.
pub(super) fn violation(vers: &Vers) -> Result<Option<String>, String> {
    let mut before: Option<&Constraint> = None;
    for pair in vers.constraints.windows(2) {
        if order::compare(&vers.scheme, &pair[0].version, &pair[1].version)?.is_eq() {
            return Ok(Some(format!("version {:?} stands twice", pair[1].version)));
        }
    }
    for constraint in vers.constraints.iter().filter(|c| c.comparator != Comparator::NotEqual) {
        if let Some(before) = before
            && redundant(before.comparator, constraint.comparator).is_some()
        {
            return Ok(Some(format!("{before} and {constraint} say the same twice")));
        }
        before = Some(constraint);
    }
    Ok(None)
}

/// Which of two constraints that follow each other adds nothing.
#[derive(PartialEq, Eq)]
enum Redundant {
    First,
    Second,
}

fn redundant(first: Comparator, second: Comparator) -> Option<Redundant> {
    if first.is_lower() && (second.is_lower() || second == Comparator::Equal) {
        return Some(Redundant::Second);
    }
    if second.is_upper() && (first.is_upper() || first == Comparator::Equal) {
        return Some(Redundant::First);
    }
    None
}

/// The constraints without those that add nothing, inequalities apart.
fn simplified(vers: &Vers) -> (Vec<&Constraint>, Vec<&Constraint>) {
    let (unequal, rest): (Vec<&Constraint>, Vec<&Constraint>) =
        vers.constraints.iter().partition(|constraint| constraint.comparator == Comparator::NotEqual);
    let mut kept: Vec<&Constraint> = Vec::with_capacity(rest.len());
    for next in rest {
        loop {
            match kept.last().and_then(|last| redundant(last.comparator, next.comparator)) {
                Some(Redundant::Second) => break,
                Some(Redundant::First) => {
                    kept.pop();
                }
                None => {
                    kept.push(next);
                    break;
                }
            }
        }
    }
    (unequal, kept)
}

/// Whether `version` lies in the range.
pub(super) fn contains(vers: &Vers, version: &str) -> Result<bool, String> {
    if vers.constraints.is_empty() {
        return Ok(true);
    }
    contradiction(vers)?;
    let compare = |constraint: &Constraint| order::compare(&vers.scheme, version, &constraint.version);
    let (unequal, rest) = simplified(vers);
    for constraint in &unequal {
        if compare(constraint)?.is_eq() {
            return Ok(false);
        }
    }
    if rest.is_empty() {
        // Exclusions alone exclude from everything.
        return Ok(true);
    }
    // What is left of the range constraints alternates, so that each lower bound opens an interval which the next
    // upper bound closes; an upper bound that comes first closes the interval from before every version.
    let mut above =
        !rest.iter().find(|c| c.comparator != Comparator::Equal).is_some_and(|c| c.comparator.is_lower());
    let mut inside = false;
    for constraint in &rest {
        let place = compare(constraint)?;
        match constraint.comparator {
            Comparator::Equal => inside |= place.is_eq(),
            Comparator::Greater => above = place.is_gt(),
            Comparator::GreaterOrEqual => above = place.is_ge(),
            Comparator::Less | Comparator::LessOrEqual => {
                let below = match constraint.comparator {
                    Comparator::Less => place.is_lt(),
                    _ => place.is_le(),
                };
                inside |= above && below;
                above = false;
                continue;
            }
            Comparator::NotEqual => {}
        }
    }
    let open =
        rest.iter().rfind(|c| c.comparator != Comparator::Equal).is_some_and(|c| c.comparator.is_lower());
    Ok(inside || (open && above))
}

/// Refuses ranges that name one version with comparators that contradict each other, and unsorted ones: the
/// specification gives them no meaning.
fn contradiction(vers: &Vers) -> Result<(), String> {
    for pair in vers.constraints.windows(2) {
        match order::compare(&vers.scheme, &pair[0].version, &pair[1].version)? {
            Ordering::Less => {}
            Ordering::Equal if pair[0].comparator == pair[1].comparator => {}
            Ordering::Equal => return Err(format!("{} and {} speak of one version", pair[0], pair[1])),
            Ordering::Greater => return Err("constraints are not sorted by version".to_owned()),
        }
    }
    Ok(())
}

//! Event lists into ranges, with the meaning of the schema's evaluation algorithm
//! (<https://ossf.github.io/osv-schema/#evaluation>).

use std::cmp::Ordering;

use tenon_model::AffectedRange;

use super::order::VersionOrder;

/// One event of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeEvent {
    /// From this version on affected; `None` is `"0"`, before every version.
    Introduced(Option<String>),
    /// From this version on not affected.
    Fixed(String),
    /// After this version not affected.
    LastAffected(String),
    /// The range speaks only of versions before this one; `None` is `"*"`, no limit.
    Limit(Option<String>),
}

impl RangeEvent {
    fn version(&self) -> Option<&str> {
        match self {
            Self::Introduced(version) | Self::Limit(version) => version.as_deref(),
            Self::Fixed(version) | Self::LastAffected(version) => Some(version),
        }
    }
}

/// The affected ranges that an event list describes, ascending and apart.
pub(crate) fn read_events(events: &[RangeEvent], order: VersionOrder) -> Result<Vec<AffectedRange>, String> {
    for version in events.iter().filter_map(RangeEvent::version) {
        order.check(version)?;
    }
    let limit = limit_of(events, order)?;
    let mut steps: Vec<&RangeEvent> =
        events.iter().filter(|event| !matches!(event, RangeEvent::Limit(_))).collect();
    if !steps.iter().any(|event| matches!(event, RangeEvent::Introduced(_))) {
        return Err("the events say nowhere when the vulnerability was introduced".to_owned());
    }
    match order {
        // Stable: of events at one version the record's order stands.
        VersionOrder::Exact(_) => steps.sort_by(|a, b| compare_steps(a, b, order)),
        VersionOrder::Listed => {
            if !alternates(&steps) {
                return Err(
                    "the events do not alternate between introduced and fixed, and this ecosystem's order \
                            is not known here to sort them"
                        .to_owned(),
                );
            }
        }
    }
    let mut ranges = walk(&steps, order);
    if let Some(limit) = limit {
        ranges.retain_mut(|range| clip(range, limit, order));
    }
    Ok(ranges)
}

/// Whether a version lies in a range; `None` when that cannot be told.
pub(crate) fn contains(range: &AffectedRange, version: &str, order: VersionOrder) -> Option<bool> {
    let after_start = match &range.introduced {
        Some(introduced) => order.compare(version, introduced)?.is_ge(),
        None => true,
    };
    let before_fix = match &range.fixed {
        Some(fixed) => order.compare(version, fixed)?.is_lt(),
        None => true,
    };
    let before_last = match &range.last_affected {
        Some(last) => order.compare(version, last)?.is_le(),
        None => true,
    };
    Some(after_start && before_fix && before_last)
}

/// The greatest limit: the schema asks that a version lie before any one of them.
fn limit_of(events: &[RangeEvent], order: VersionOrder) -> Result<Option<&str>, String> {
    let mut greatest: Option<&str> = None;
    for event in events {
        match event {
            RangeEvent::Limit(None) => return Ok(None),
            RangeEvent::Limit(Some(limit)) => {
                let greater = match greatest {
                    Some(known) => order.compare(limit, known),
                    None => order.compare(limit, limit).map(|_| Ordering::Greater),
                };
                match greater {
                    Some(Ordering::Greater) => greatest = Some(limit),
                    Some(_) => {}
                    None => return Err(format!("the limit {limit:?} cannot be compared in this ecosystem")),
                }
            }
            _ => {}
        }
    }
    Ok(greatest)
}

fn compare_steps(a: &RangeEvent, b: &RangeEvent, order: VersionOrder) -> Ordering {
    match (a.version(), b.version()) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        // Versions were checked, so they compare.
        (Some(a), Some(b)) => order.compare(a, b).unwrap_or(Ordering::Equal),
    }
}

/// Whether introduced and end follow each other from the first event on, so that the list can be taken as ascending.
fn alternates(steps: &[&RangeEvent]) -> bool {
    steps.iter().enumerate().all(|(place, event)| match event {
        RangeEvent::Introduced(None) => place == 0,
        RangeEvent::Introduced(Some(_)) => place % 2 == 0,
        _ => place % 2 == 1,
    })
}

/// The schema's algorithm over sorted events: each event at or below a version switches it on or off.
fn walk(steps: &[&RangeEvent], order: VersionOrder) -> Vec<AffectedRange> {
    let same = |a: &str, b: &str| a == b || order.compare(a, b) == Some(Ordering::Equal);
    let mut ranges: Vec<AffectedRange> = Vec::new();
    let mut open: Option<Option<String>> = None;
    for step in steps {
        match step {
            RangeEvent::Introduced(version) => {
                open.get_or_insert_with(|| version.clone());
            }
            RangeEvent::Fixed(fixed) => {
                // A fix at the very version that ends a range takes that version out of it.
                while let Some(range) =
                    ranges.pop_if(|range| range.last_affected.as_ref().is_some_and(|last| same(last, fixed)))
                {
                    if !range.introduced.as_ref().is_some_and(|introduced| same(introduced, fixed)) {
                        ranges.push(AffectedRange {
                            fixed: Some(fixed.clone()),
                            last_affected: None,
                            ..range
                        });
                    }
                }
                if let Some(introduced) = open.take()
                    && !introduced.as_ref().is_some_and(|introduced| same(introduced, fixed))
                {
                    ranges.push(AffectedRange {
                        introduced,
                        fixed: Some(fixed.clone()),
                        last_affected: None,
                    });
                }
            }
            RangeEvent::LastAffected(last) => {
                if let Some(introduced) = open.take() {
                    ranges.push(AffectedRange { introduced, fixed: None, last_affected: Some(last.clone()) });
                }
            }
            RangeEvent::Limit(_) => {}
        }
    }
    if let Some(introduced) = open {
        ranges.push(AffectedRange { introduced, fixed: None, last_affected: None });
    }
    ranges
}

/// Cuts a range at a limit; `false` when nothing of it is left. A limit ends what the record speaks of, which for
/// matching is the same as a fix.
fn clip(range: &mut AffectedRange, limit: &str, order: VersionOrder) -> bool {
    let at_or_past = |version: &Option<String>| {
        version.as_deref().is_some_and(|version| order.compare(version, limit).is_some_and(Ordering::is_ge))
    };
    if at_or_past(&range.introduced) {
        return false;
    }
    let ends_before = match (&range.fixed, &range.last_affected) {
        (None, None) => false,
        _ => !at_or_past(&range.fixed) && !at_or_past(&range.last_affected),
    };
    if !ends_before {
        range.fixed = Some(limit.to_owned());
        range.last_affected = None;
    }
    true
}

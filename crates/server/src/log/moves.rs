//! What moved the expected loss of one directive, entry by entry.

use serde::{Deserialize, Serialize};
use tenon_engine::{World, is_consequence};
use tenon_journal::Entry;
use tenon_model::{DirectiveId, Event, RiskPoints};
use utoipa::ToSchema;

use super::{LogEntryView, LogError, MOST_LOOKED_AT, ReadEntries, STEP, each_entry};

/// An entry of the record by which the expected loss of a directive became another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveView {
    /// The entry: what was told, not what followed from it.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// What it says, in words.
    pub said: String,
    /// What doing the directive removed before, in risk points; absent where it was raised, or the record does not reach back.
    pub before: Option<String>,
    /// What it removed after.
    pub points: String,
}

/// What moved a directive, the last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovesView {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// The entries.
    pub items: Vec<MoveView>,
    /// Whether earlier ones were not looked for: there are enough, or they lie too far back.
    pub more: bool,
}

/// The expected loss that an entry gave to a directive, and by which entry it came to that.
struct Given {
    points: RiskPoints,
    is_raised: bool,
    cause: Option<LogEntryView>,
}

/// The last entries up to the World's that moved a directive, at most `limit`.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn read_moves(
    read: ReadEntries<'_>,
    world: &World,
    id: DirectiveId,
    limit: usize,
) -> Result<MovesView, LogError> {
    let end = world.seq() + 1;
    // A record that was cut begins later.
    let start = read(1, 1)?.first().map_or(1, |entry| entry.seq);
    // The last first.
    let mut given: Vec<Given> = Vec::new();
    let mut at = end;
    let done = |given: &[Given]| {
        let complete = given.last().is_some_and(|oldest| oldest.cause.is_some());
        complete && (given.len() > limit || given.last().is_some_and(|oldest| oldest.is_raised))
    };
    while at > start && end - at < MOST_LOOKED_AT && !done(&given) {
        let from = at.saturating_sub(STEP).max(start);
        let (found, last_cause) = step(read, world, id, from..at)?;
        // What followed from an entry of this step may stand in the one after.
        for one in given.iter_mut().filter(|one| one.cause.is_none()) {
            one.cause.clone_from(&last_cause);
        }
        given.extend(found.into_iter().rev());
        at = from;
    }
    let mut items: Vec<MoveView> = Vec::new();
    for (place, one) in given.iter().enumerate() {
        let before = given.get(place + 1).filter(|_| !one.is_raised).map(|before| before.points);
        let Some(cause) = one.cause.as_ref().filter(|_| before != Some(one.points)) else { continue };
        let before = before.map(|points| points.to_string());
        match items.last_mut().filter(|later| later.seq == cause.seq) {
            // Of what follows from one entry the first and the last value count.
            Some(same) => same.before = before,
            None => items.push(MoveView {
                seq: cause.seq,
                time: cause.time.clone(),
                said: cause.said.clone(),
                before,
                points: one.points.to_string(),
            }),
        }
    }
    let is_whole = given.last().is_none_or(|oldest| oldest.is_raised) && items.len() <= limit;
    items.truncate(limit);
    Ok(MovesView { generation: world.seq(), items, more: !is_whole })
}

/// What a few entries gave to it, the oldest first, and the last of them that follows from no other.
fn step(
    read: ReadEntries<'_>,
    world: &World,
    id: DirectiveId,
    range: std::ops::Range<u64>,
) -> Result<(Vec<Given>, Option<LogEntryView>), LogError> {
    let mut found: Vec<Given> = Vec::new();
    let mut cause: Option<(Entry, Event)> = None;
    let told = |cause: &Option<(Entry, Event)>| {
        cause.as_ref().map(|(entry, event)| LogEntryView::of(entry, event, world))
    };
    each_entry(read, range, |entry, event| {
        if let Some((points, is_raised)) = points_of(&event, id) {
            found.push(Given { points, is_raised, cause: told(&cause) });
        }
        if !is_consequence(&event) {
            cause = Some((entry, event));
        }
    })?;
    Ok((found, told(&cause)))
}

/// What an entry says that the directive removes, and whether it raises it.
fn points_of(event: &Event, id: DirectiveId) -> Option<(RiskPoints, bool)> {
    match event {
        Event::DirectiveRaised { id: of, directive, .. } if *of == id => {
            Some((directive.priority.removes, true))
        }
        Event::DirectiveRevised { id: of, directive, .. } if *of == id => {
            Some((directive.priority.removes, false))
        }
        Event::DirectiveChanged { id: of, change } if *of == id => {
            let whole = change.priority.as_ref().map(|priority| priority.removes);
            change.removes.or(whole).map(|points| (points, false))
        }
        _ => None,
    }
}

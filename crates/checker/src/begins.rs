//! Whether an order to change may begin when it says: neither forbidden, nor outside windows, nor in a freeze, nor before the
//! evidence that is asked for on its host.
//!
//! The policy works out openings and looks whether an instant lies in one. Here the clock on the wall is looked at instead.

use jiff::civil::Time;
use tenon_model::{DirectiveId, Timestamp};
use tenon_policy::{Approval, Freeze, Window};

/// A directive that is open on a host, whose row asks for evidence before anything there changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceAsked {
    /// The directive.
    pub directive: DirectiveId,
    /// Whether it has it: sealed in the record, or waived by a person.
    pub has: bool,
}

/// When an order may be begun, and what the policy says of it.
#[derive(Debug, Clone, Copy)]
pub struct Begins<'p> {
    /// Who decides.
    pub approval: Approval,
    /// The windows that it keeps to; any time where there is none.
    pub windows: &'p [&'p Window],
    /// The freezes that it keeps to.
    pub freezes: &'p [&'p Freeze],
    /// What is asked for on the host, whichever directive the order serves.
    pub evidence: &'p [EvidenceAsked],
    /// It may be begun from this instant.
    pub from: Timestamp,
    /// Until before this one.
    pub until: Timestamp,
}

/// Why an order may not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Early {
    /// The policy forbids it.
    #[error("the policy forbids it")]
    Forbidden,
    /// Evidence is asked for on the host that is neither sealed nor waived.
    #[error("{0} asks for evidence of the host first, which is neither sealed nor waived")]
    Unsealed(DirectiveId),
    /// It expires before it can be begun.
    #[error("it expires at {0}, before it can be begun")]
    Expired(Timestamp),
    /// No window shows the time in which it could be begun.
    #[error("at {0} none of its windows is open")]
    OutsideWindows(Timestamp),
    /// It could be begun in a freeze.
    #[error("it could be begun in freeze {0}")]
    Frozen(String),
}

/// Whether an order may be made.
///
/// # Errors
/// [`Early`]: what it would break.
pub fn check_begins(begins: &Begins<'_>) -> Result<(), Early> {
    if begins.approval == Approval::Forbidden {
        return Err(Early::Forbidden);
    }
    if let Some(asked) = begins.evidence.iter().find(|asked| !asked.has) {
        return Err(Early::Unsealed(asked.directive));
    }
    if begins.until <= begins.from {
        return Err(Early::Expired(begins.until));
    }
    let last = Timestamp::from_millis(begins.until.as_millis().saturating_sub(1));
    for at in [begins.from, last] {
        if !begins.windows.is_empty() && !begins.windows.iter().any(|window| shows(window, at)) {
            return Err(Early::OutsideWindows(at));
        }
    }
    let met = begins.freezes.iter().find(|freeze| freeze.from < begins.until && begins.from < freeze.until);
    met.map_or(Ok(()), |freeze| Err(Early::Frozen(freeze.name.clone())))
}

/// Whether a clock on the wall of a window's zone shows a time of it.
fn shows(window: &Window, at: Timestamp) -> bool {
    let Ok(instant) = jiff::Timestamp::from_millisecond(at.as_millis()) else { return false };
    let shown = instant.to_zoned(window.zone.clone()).datetime();
    let begins_on = |ago: i64| {
        let day = shown.date().checked_sub(jiff::Span::new().days(ago)).ok();
        let place = day.and_then(|day| usize::try_from(day.weekday().to_monday_zero_offset()).ok());
        place.and_then(|place| window.days.get(place)).copied().unwrap_or_default()
    };
    let time: Time = shown.time();
    if window.from < window.to {
        return begins_on(0) && window.from <= time && time < window.to;
    }
    // It lasts until the next day: the evening of its day, or the morning after it.
    (begins_on(0) && window.from <= time) || (begins_on(1) && time < window.to)
}

//! Whether an order to change may begin when it says: neither forbidden, nor outside windows, nor in a freeze.
//!
//! The policy works out openings and looks whether an instant lies in one. Here the clock on the wall is looked at instead.

use jiff::civil::Time;
use tenon_model::Timestamp;
use tenon_policy::{Approval, Freeze, Window};

/// When an order may be begun, and what the policy says of it.
#[derive(Debug, Clone, Copy)]
pub struct Begins<'p> {
    /// Who decides.
    pub approval: Approval,
    /// The windows that it keeps to; any time where there is none.
    pub windows: &'p [&'p Window],
    /// The freezes that it keeps to.
    pub freezes: &'p [&'p Freeze],
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

//! When changes may begin: windows that come back every week, in a time zone, and freezes.
//!
//! Both are told in the time that a clock on the wall shows. Where clocks are put forward, what a wall never shows is left
//! out: a window from 02:00 to 02:30 does not open in that night. Where they are put back, an hour is shown twice: a window
//! begins with the second one and ends with the first one, so that it is never open at a time that lies outside what the
//! file says; one that lies in that hour altogether opens in the second.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use tenon_model::Timestamp;

use crate::expression::Expression;
use crate::fields::nearest;

/// How many days ahead the next opening of a weekly window is looked for: a week, and one more where a night falls out.
const AHEAD_DAYS: i32 = 15;

/// The days of the week as files write them, in the order of [`Window::days`].
pub const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The time zone of a name: that of a region (`Europe/Berlin`), or `UTC`.
///
/// # Errors
/// For people: what is wrong with the name, and one that may be meant.
pub fn zone_named(name: &str) -> Result<TimeZone, String> {
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    // Only names of regions: `EST` or an offset knows no change of clocks, and is seldom what is meant.
    let found =
        if name == "UTC" { Some(TimeZone::UTC) } else { zones.get(name).ok().filter(|_| name.contains('/')) };
    found.ok_or_else(|| {
        let zones: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
        let near = nearest(name, zones.iter().map(String::as_str)).unwrap_or("Europe/Berlin");
        format!("{name:?} is no time zone; an IANA name like {near}, or UTC")
    })
}

/// A time of the day, as in `22:30`.
///
/// # Errors
/// For people: what is wrong with it.
pub fn time_of_day(text: &str) -> Result<Time, String> {
    let parts =
        text.split_once(':').filter(|(hour, minute)| (1..=2).contains(&hour.len()) && minute.len() == 2);
    parts
        .and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok())
        .ok_or_else(|| format!("{text:?} is no time of the day, like 22:30"))
}

/// A window that opens on days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// Whose clocks.
    pub zone: TimeZone,
    /// On which days it opens, Monday first.
    pub days: [bool; 7],
    /// From this time of the day.
    pub from: Time,
    /// Until this one; of the next day, where it is not later than `from`.
    pub to: Time,
}

/// A time in which nothing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Its name.
    pub name: String,
    /// From this instant.
    pub from: Timestamp,
    /// Until before this one.
    pub until: Timestamp,
    /// For what; for all where it does not say.
    pub when: Option<Expression>,
}

/// Whether a change may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Open {
        /// Until when, where that ends.
        until: Option<Timestamp>,
    },
    /// Not now.
    Closed {
        /// When, where that is known.
        opens: Option<Timestamp>,
        /// What it waits for, for people.
        why: String,
    },
}

/// The instant in which the clocks of a zone show this; of two the later or the earlier one; of none the end of the gap.
pub(crate) fn instant(zone: &TimeZone, shown: DateTime, later: bool) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    let found = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok()?,
        AmbiguousOffset::Fold { before, after } => {
            if later { after } else { before }.to_timestamp(shown).ok()?
        }
        AmbiguousOffset::Gap { before, .. } => {
            // With the offset of before it lies behind the change of clocks, so the last change before it is that one.
            let behind =
                before.to_timestamp(shown).ok()?.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(behind).next()?.timestamp()
        }
    };
    Some(Timestamp::from_millis(found.as_millisecond()))
}

impl Window {
    /// How long it is on a day without a change of clocks, in minutes.
    pub fn minutes(&self) -> u32 {
        let of = |time: Time| {
            u32::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
        };
        let (from, to) = (of(self.from), of(self.to));
        if to > from { to - from } else { to + 24 * 60 - from }
    }

    /// From when until when it is open, where it opens on this day.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let place = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
        if !self.days.get(place).copied().unwrap_or_default() {
            return None;
        }
        let last = if self.to > self.from { day } else { day.tomorrow().ok()? };
        let begins = instant(&self.zone, day.to_datetime(self.from), true)?;
        let ends = instant(&self.zone, last.to_datetime(self.to), false).filter(|ends| *ends > begins);
        let ends = ends.or_else(|| instant(&self.zone, last.to_datetime(self.to), true))?;
        (ends > begins).then_some((begins, ends))
    }

    /// The openings from the day before an instant on, in order.
    fn openings(&self, around: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = jiff::Timestamp::from_millisecond(around.as_millis())
            .map(|instant| instant.to_zoned(self.zone.clone()).date())
            .ok();
        let days =
            (-1..AHEAD_DAYS).filter_map(move |day| today?.checked_add(jiff::Span::new().days(day)).ok());
        days.filter_map(|day| self.on(day))
    }

    /// When it ends, where it is open.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.openings(now).take(3).filter(|(from, until)| *from <= now && now < *until);
        open.map(|(_, until)| until).max()
    }

    /// When it opens next; `None` where it does not within two weeks.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        self.openings(now).map(|(from, _)| from).find(|from| *from > now)
    }

    /// When it opens, for people.
    pub fn told(&self) -> String {
        const DAYS: [Weekday; 7] = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
        ];
        let days = DAYS.iter().zip(self.days).filter(|(_, open)| *open).map(|(day, _)| format!("{day:?}"));
        let days =
            if self.days == [true; 7] { "every day".to_owned() } else { days.collect::<Vec<_>>().join(", ") };
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let time = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        format!("{days} {} to {} ({zone})", time(self.from), time(self.to))
    }
}

impl Freeze {
    /// Whether nothing begins now.
    pub(crate) fn lasts(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

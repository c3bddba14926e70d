//! Days: the unit in which history becomes known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenon_model::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;
/// 9999-12-30, the last whole day of the calendar that prints.
const LAST: i64 = 2_932_895;

/// A day in UTC. What is known "on" a day is what was public when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// Not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day; write YYYY-MM-DD")]
pub struct DayError(pub String);

/// Neither a month nor a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no month YYYY-MM and no day YYYY-MM-DD")]
pub struct SpanError(pub String);

/// Length of a month as it is written.
const MONTH: usize = "YYYY-MM".len();

impl Day {
    /// From days since 1970-01-01, drawn into 1970-01-01 to 9999-12-30.
    pub fn from_number(number: i32) -> Self {
        Self(number.clamp(0, i32::try_from(LAST).unwrap_or(i32::MAX)))
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The day of an instant; `None` before 1970 and after 9999.
    pub fn of(at: Timestamp) -> Option<Self> {
        let number = at.as_millis().div_euclid(DAY_MILLIS);
        (0..=LAST).contains(&number).then(|| i32::try_from(number).ok().map(Self)).flatten()
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(i64::from(self.0) * DAY_MILLIS)
    }

    /// So many days later; before, where negative.
    pub fn plus(self, days: i32) -> Self {
        Self::from_number(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this day; negative where this day is the earlier one.
    pub fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The day of a date of the Gregorian calendar (Howard Hinnant's `days_from_civil`); `None` where there is none, or not from
    /// 1970 to 9999.
    pub(crate) fn of_date(year: i64, month: i64, day: i64) -> Option<Self> {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let longest = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1970..=9999).contains(&year) || !(1..=longest).contains(&day) {
            return None;
        }
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year / 400, year % 400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let number = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        i32::try_from(number).ok().filter(|number| i64::from(*number) <= LAST).map(Self)
    }

    /// The first day that a text means: a day, or the first of a month `YYYY-MM`.
    ///
    /// # Errors
    /// [`SpanError`] where it is neither.
    pub fn first_of(text: &str) -> Result<Self, SpanError> {
        let whole = if text.len() == MONTH { format!("{text}-01") } else { text.to_owned() };
        whole.parse().map_err(|_| SpanError(text.chars().take(40).collect()))
    }

    /// The last day that a text means: a day, or the last of a month `YYYY-MM`.
    ///
    /// # Errors
    /// [`SpanError`] where it is neither.
    pub fn last_of(text: &str) -> Result<Self, SpanError> {
        let first = Self::first_of(text)?;
        if text.len() != MONTH {
            return Ok(first);
        }
        let days = (0..31).map(|days| first.plus(days)).take_while(|day| day.month() == first.month());
        Ok(days.last().unwrap_or(first))
    }

    /// Year and month.
    pub fn month(self) -> (u16, u8) {
        let text = self.to_string();
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or("0").to_owned();
        (part(0..4).parse().unwrap_or(0), part(5..7).parse().unwrap_or(0))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.pad(text.get(..10).unwrap_or(&text))
    }
}

impl FromStr for Day {
    type Err = DayError;

    /// A date, or an RFC 3339 instant of which the day counts.
    fn from_str(text: &str) -> Result<Self, DayError> {
        let short = || DayError(text.chars().take(40).collect());
        let bytes = text.as_bytes();
        // The common case by hand: millions of rows have it.
        if let [y @ .., b'-', m1, m2, b'-', d1, d2] = bytes
            && y.len() == 4
            && bytes.len() == 10
        {
            let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
            let two = |a: u8, b: u8| Some(digit(a)? * 10 + digit(b)?);
            let read = || Some((two(y[0], y[1])? * 100 + two(y[2], y[3])?, two(*m1, *m2)?, two(*d1, *d2)?));
            let (year, month, day) = read().ok_or_else(short)?;
            return Self::of_date(year, month, day).ok_or_else(short);
        }
        Timestamp::parse(text).and_then(Self::of).ok_or_else(short)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

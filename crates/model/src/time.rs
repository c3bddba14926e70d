//! Time as the journal counts it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z. Stamped by the leader's shell; core code only compares and adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant and so many days of 24 hours; saturates at the end of time.
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(i64::from(days) * 86_400_000))
    }

    /// This instant and so many seconds; saturates at the end of time.
    pub fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(i64::from(seconds) * 1_000))
    }

    /// The same day so many calendar months later, in UTC; the last day of a month that is too short. Saturates at the end
    /// of the calendar.
    pub fn plus_months(self, months: u32) -> Self {
        let later = jiff::Timestamp::from_millisecond(self.0).ok().and_then(|instant| {
            let span = jiff::Span::new().try_months(i64::from(months)).ok()?;
            instant.to_zoned(jiff::tz::TimeZone::UTC).checked_add(span).ok()
        });
        later.map_or(Self(i64::MAX), |later| Self(later.timestamp().as_millisecond()))
    }

    /// Parses RFC 3339 (`2026-08-08T18:32:11Z`) or a bare date (midnight UTC).
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_millisecond()));
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(zoned.timestamp().as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, to the second; instants outside the calendar print as their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.0}"),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

//! CVE ids as numbers: a history holds several hundred thousand of them.

use std::fmt;
use std::str::FromStr;

use tenon_model::VulnerabilityId;

use crate::Day;

/// A CVE id: year and number. In order of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CveId(u64);

/// Not a CVE id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a CVE id; write CVE-YEAR-NUMBER")]
pub struct CveIdError(pub String);

impl CveId {
    /// The year of its name. It says when the id was reserved, not when it was published.
    pub fn year(self) -> u16 {
        u16::try_from(self.0 >> 40).unwrap_or(u16::MAX)
    }

    /// A guess at the day of its publication for want of any date: the middle between the begin of its year and its end, or
    /// `by` if that is earlier.
    pub fn likely_named(self, by: Day) -> Day {
        let year = i64::from(self.year());
        let date = |month, day| Day::of_date(year, month, day).map_or(by, |date| date.min(by));
        let (from, to) = (date(1, 1), date(12, 31));
        from.plus(to.since(from) / 2)
    }

    /// A number that is its own, for orders that must not depend on anything else.
    pub fn key(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("CVE-{:04}-{:04}", self.0 >> 40, self.0 & ((1 << 40) - 1)))
    }
}

impl FromStr for CveId {
    type Err = CveIdError;

    fn from_str(text: &str) -> Result<Self, CveIdError> {
        let read = || {
            let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            // As in the CVE schema: at least four digits, and more than four only without a leading zero.
            let canonical = number.len() == 4 || (5..=10).contains(&number.len()) && !number.starts_with('0');
            let valid = year.len() == 4 && digits(year) && digits(number) && canonical;
            valid.then_some((year.parse::<u64>().ok()? << 40) | number.parse::<u64>().ok()?)
        };
        read().map(Self).ok_or_else(|| CveIdError(text.chars().take(40).collect()))
    }
}

impl TryFrom<&VulnerabilityId> for CveId {
    type Error = CveIdError;

    fn try_from(id: &VulnerabilityId) -> Result<Self, CveIdError> {
        id.as_str().parse()
    }
}

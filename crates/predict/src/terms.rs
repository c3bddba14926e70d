//! What a forecast looks at: a few numbers of what was known of a CVE.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::fixed::{ONE, ln};
use crate::{Bound, Known, Sighting};

/// Days after which an exploit is no news any more.
const RECENT: i32 = 90;
/// Days that soften the logarithm of the age: histories are weekly, so that smaller differences are not known.
const WEEK: u32 = 7;
/// Smallest score in parts per million: EPSS writes five decimals.
const LEAST_SCORE: u32 = 10;

/// One number of what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// Natural logarithm of the EPSS score.
    LnEpss,
    /// ln(1 + age / 7 days), of the days since it could first be named.
    LnAge,
    /// One when public repositories hold an exploit.
    PublicExploit,
    /// One when they have held it for less than 90 days.
    RecentExploit,
    /// One when an exploitation framework has a module.
    Framework,
    /// A tenth of the CVSS base score; zero where no record known by the day states one.
    Cvss,
    /// As [`Term::LnAge`], of the date of publication that a record states; of the first naming where none does.
    LnAgeByRecord,
}

impl Term {
    /// The five terms of the shipped model. None of them reads a field of a record.
    pub const FIVE: &'static [Self] =
        &[Self::LnEpss, Self::LnAge, Self::PublicExploit, Self::RecentExploit, Self::Framework];
    /// The same with fields of records, to be compared.
    pub const WITH_RECORDS: &'static [Self] = &[
        Self::LnEpss,
        Self::LnAgeByRecord,
        Self::PublicExploit,
        Self::RecentExploit,
        Self::Framework,
        Self::Cvss,
    ];

    /// Its value in millionths; `None` for a score that does not exist.
    pub fn of(self, known: &Known) -> Option<i64> {
        let one_if = |holds: bool| Some(if holds { ONE } else { 0 });
        match self {
            Self::LnEpss => known.score().map(|score| ln_score(score.ppm())),
            Self::LnAge => Some(age(known.day().since(known.first_named()))),
            Self::LnAgeByRecord => {
                Some(age(known.day().since(known.published().unwrap_or_else(|| known.first_named()))))
            }
            Self::PublicExploit => one_if(known.seen(Sighting::PublicExploit).is_some()),
            Self::RecentExploit => {
                one_if(known.seen(Sighting::PublicExploit).is_some_and(|(seen, bound)| {
                    bound == Bound::OnThatDay && known.day().since(seen) < RECENT
                }))
            }
            Self::Framework => one_if(known.seen(Sighting::Framework).is_some()),
            Self::Cvss => Some(i64::from(known.cvss().unwrap_or(0)) * ONE / 100),
        }
    }
}

/// Logarithms of all scores of five decimals, by their hundred-thousandths: every day asks for each of them again.
static SCORES: LazyLock<Vec<i64>> =
    LazyLock::new(|| (0..=100_000).map(|place| computed_score(LEAST_SCORE * place)).collect());
/// Values of ages up to this many days, likewise.
const AGES: u32 = 1 << 14;
static BY_AGE: LazyLock<Vec<i64>> = LazyLock::new(|| (0..AGES).map(computed_age).collect());

fn ln_score(ppm: u32) -> i64 {
    let kept = ppm.is_multiple_of(LEAST_SCORE).then(|| SCORES.get((ppm / LEAST_SCORE) as usize)).flatten();
    kept.copied().unwrap_or_else(|| computed_score(ppm))
}

fn computed_score(ppm: u32) -> i64 {
    ln(ppm.max(LEAST_SCORE)) - ln(1_000_000)
}

fn age(days: i32) -> i64 {
    let days = days.max(0).unsigned_abs();
    BY_AGE.get(days as usize).copied().unwrap_or_else(|| computed_age(days))
}

fn computed_age(days: u32) -> i64 {
    ln(days.saturating_add(WEEK)) - ln(WEEK)
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LnEpss => "EPSS score",
            Self::LnAge => "age",
            Self::PublicExploit => "public exploit",
            Self::RecentExploit => "public exploit within 90 days",
            Self::Framework => "exploit framework",
            Self::Cvss => "CVSS",
            Self::LnAgeByRecord => "age by its record",
        })
    }
}

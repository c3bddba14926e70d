//! Likely Exploited Vulnerabilities: NIST CSWP 41 (Mell and Spring, May 2025, doi 10.6028/NIST.CSWP.41).
//!
//! Lower bounds of the probability that a vulnerability was exploited at some time in the past; the paper warns that
//! their margin of error is unknown. Products are kept to 10^-18 and rounded once, to parts per million.

use tenon_model::{Probability, Timestamp};

use crate::epss;

/// Days that an EPSS score looks ahead.
const WINDOW: i64 = 30;
/// Most scores in a series, and most days that it may span: a hundred years.
const MAX_DAYS: i64 = 36_525;
const DAY_MILLIS: i64 = 86_400_000;
const ONE_E18: u128 = 1_000_000_000_000_000_000;

/// Why there is no LEV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LevError {
    /// No score at all.
    #[error("the series has no score")]
    Empty,
    /// Days must rise; a day has one score.
    #[error("the score number {at} is not of a later day than the one before")]
    NotRising {
        /// Position in the series, from 0.
        at: usize,
    },
    /// Longer than a hundred years.
    #[error("more than {MAX_DAYS} days")]
    TooLong,
    /// The day asked for is before the first score.
    #[error("the day is before the first score")]
    BeforeFirst,
}

/// Which score counts on a day without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// The next one, or the latest earlier one if there is none: the rule of CSWP 41, for daily scores with gaps.
    NextAvailable,
    /// The latest earlier one: for a series that is sampled (weekly, say) or holds changes only.
    LastKnown,
}

/// EPSS scores of one vulnerability by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Days since 1970-01-01, rising; scores in parts per million.
    scores: Vec<(i64, u32)>,
}

/// A lower bound and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lev {
    /// The bound.
    pub probability: Probability,
    /// Windows multiplied.
    pub windows: u32,
    /// EPSS models of the windows' days, oldest first. More than one: the product mixes scores that do not compare.
    pub models: Vec<&'static str>,
}

/// `Composite_Probability` and its three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// The largest of the three.
    pub probability: Probability,
    /// EPSS on the day.
    pub epss: Probability,
    /// One if listed in KEV, else zero.
    pub kev: Probability,
    /// LEV on the day.
    pub lev: Lev,
}

impl Series {
    /// From days and scores, earliest first. The time of day does not count.
    ///
    /// # Errors
    /// [`LevError`] for a series that is empty, not rising, or too long.
    pub fn new(scores: &[(Timestamp, Probability)]) -> Result<Self, LevError> {
        let scores: Vec<_> = scores.iter().map(|(at, score)| (day(*at), score.ppm())).collect();
        let (Some((first, _)), Some((last, _))) = (scores.first(), scores.last()) else {
            return Err(LevError::Empty);
        };
        if let Some(at) = scores.windows(2).position(|two| two[0].0 >= two[1].0) {
            return Err(LevError::NotRising { at: at + 1 });
        }
        if last.saturating_sub(*first) >= MAX_DAYS {
            return Err(LevError::TooLong);
        }
        Ok(Self { scores })
    }

    /// First day of the series.
    fn first(&self) -> i64 {
        self.scores.first().map_or(0, |(day, _)| *day)
    }

    /// What was known on day `last`: later scores do not count. Never empty from the first day on.
    fn known(&self, last: i64) -> &[(i64, u32)] {
        &self.scores[..self.scores.partition_point(|(day, _)| *day <= last)]
    }

    /// `LEV(v,d0,dn)`: windows of thirty days from the first score to `at`, the last one in proportion.
    ///
    /// # Errors
    /// [`LevError::BeforeFirst`], [`LevError::TooLong`].
    pub fn lev(&self, at: Timestamp, gaps: Gaps) -> Result<Lev, LevError> {
        self.product(at, gaps, WINDOW)
    }

    /// `LEV2(v,d0,dn)`: a window for every day, each with a thirtieth of its score. It understates high scores strongly.
    ///
    /// # Errors
    /// [`LevError::BeforeFirst`], [`LevError::TooLong`].
    pub fn lev2(&self, at: Timestamp, gaps: Gaps) -> Result<Lev, LevError> {
        self.product(at, gaps, 1)
    }

    /// `1 - PROD (1 - epss(v,di) * share)` over the first days of windows of `step` days.
    fn product(&self, at: Timestamp, gaps: Gaps, step: i64) -> Result<Lev, LevError> {
        // A score of one over a full window, in the unit of score times days.
        const WHOLE: u128 = 1_000_000 * WINDOW.unsigned_abs() as u128;
        let (first, last) = (self.first(), day(at));
        if last < first {
            return Err(LevError::BeforeFirst);
        }
        if last.saturating_sub(first) >= MAX_DAYS {
            return Err(LevError::TooLong);
        }
        let known = self.known(last);
        let mut none_e18 = ONE_E18;
        let mut windows = 0;
        let mut models: Vec<&'static str> = Vec::new();
        let mut start = first;
        while start <= last {
            let (scored, ppm) = score(known, start, gaps);
            let days = step.min(last - start + 1).unsigned_abs();
            let left = WHOLE.saturating_sub(u128::from(ppm) * u128::from(days));
            none_e18 = (none_e18 * left + WHOLE / 2) / WHOLE;
            windows += 1;
            let model = epss::model_on(Timestamp::from_millis(scored.saturating_mul(DAY_MILLIS)));
            if let Some(model) = model.filter(|model| !models.contains(&model.name)) {
                models.push(model.name);
            }
            start += step;
        }
        Ok(Lev { probability: from_e18(ONE_E18.saturating_sub(none_e18)), windows, models })
    }

    /// `Composite_Probability(v,dn) = max(EPSS(v,dn), KEV(v,dn), LEV(v,d0,dn))`.
    ///
    /// # Errors
    /// [`LevError::BeforeFirst`], [`LevError::TooLong`].
    pub fn composite(&self, at: Timestamp, gaps: Gaps, in_kev: bool) -> Result<Composite, LevError> {
        let lev = self.lev(at, gaps)?;
        let last = day(at);
        let epss = from_ppm(score(self.known(last), last, gaps).1);
        let kev = from_ppm(if in_kev { Probability::ONE.ppm() } else { 0 });
        let probability = epss.max(kev).max(lev.probability);
        Ok(Composite { probability, epss, kev, lev })
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MILLIS)
}

/// Day and score that count on a day.
fn score(known: &[(i64, u32)], day: i64, gaps: Gaps) -> (i64, u32) {
    let next = known.partition_point(|(scored, _)| *scored < day);
    let exact = known.get(next).filter(|(scored, _)| *scored == day || gaps == Gaps::NextAvailable);
    exact.or_else(|| known[..next].last()).copied().unwrap_or((day, 0))
}

fn from_ppm(ppm: u32) -> Probability {
    Probability::from_ppm(ppm).unwrap_or(Probability::ONE)
}

/// To the nearest part per million.
fn from_e18(value: u128) -> Probability {
    const PPM_E18: u128 = ONE_E18 / 1_000_000;
    u32::try_from((value + PPM_E18 / 2) / PPM_E18).map_or(Probability::ONE, from_ppm)
}

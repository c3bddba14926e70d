//! The model: a handful of whole numbers, and the forecast they give.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use tenon_model::Probability;

use crate::fixed::{ONE, logistic};
use crate::{Calibration, Day, Known, Term};

/// Largest model file accepted, in bytes; the shipped one is below 8 KiB.
pub const MAX_MODEL: usize = 256 << 10;
const FORMAT: u32 = 1;

/// A logistic model, fitted to what was known and had come out by one day. All numbers are millionths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name and day of the data.
    pub version: String,
    /// First day on which it could be used: every outcome that it learned from was over before.
    pub usable_from: Day,
    /// First day of forecasts that it learned from.
    pub first: Day,
    /// Last such day.
    pub last: Day,
    /// Forecasts that it learned from, and how many of them came true.
    pub positives: u32,
    /// Log-odds when every term is zero.
    pub intercept: i64,
    /// Terms and what one unit of each adds to the log-odds.
    pub terms: Vec<(Term, i64)>,
    /// The logarithm of the score that stands for a score that does not exist yet.
    pub missing_score: i64,
    /// Correction by forecasts of earlier models (Platt): log-odds become `shift + slope * log-odds`. Zero and one where
    /// there is none.
    pub shift: i64,
    /// See `shift`.
    pub slope: i64,
}

/// A model, and those that could have been used before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Format of this file.
    pub format: u32,
    /// What is foreseen.
    pub target: String,
    /// Seed of the sample of what did not come true.
    pub seed: u64,
    /// SHA-256 over the files it was made from.
    pub history: String,
    /// By the day from which each can be used. The last is the one to use today.
    pub models: Vec<Model>,
    /// What came of forecasts of these models, each made when its outcome was open.
    #[serde(default)]
    pub calibration: Vec<Seen>,
}

/// Forecasts of similar probability, and what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// From 10^(halves/2) up to 10^((halves+1)/2).
    pub halves: i32,
    /// How many forecasts.
    pub forecasts: u64,
    /// Sum of their probabilities, in tenths.
    pub expected_tenths: u64,
    /// How many came true.
    pub observed: u64,
}

/// Why a model cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Not the JSON of a model.
    #[error("it is no model: {0}; write one with `tenon predict train`")]
    Json(String),
    /// More bytes than a model has.
    #[error("it holds {0} bytes; a model has at most {MAX_MODEL}")]
    TooLarge(usize),
    /// Another format.
    #[error("its format is {0}; this program reads format {FORMAT}")]
    Format(u32),
    /// No model in it, or not in order.
    #[error("its models are not one or more, each usable later than the one before")]
    Order,
    /// A number that no fit gives.
    #[error("model {version:?} has a number beyond a million in {field}")]
    Number {
        /// The model.
        version: String,
        /// The field.
        field: &'static str,
    },
}

/// A forecast of one CVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Probability that CISA lists it within the next 30 days.
    pub probability: Probability,
    /// Its log-odds in millionths: orders finer than the probability.
    pub log_odds: i64,
    /// What each term adds, against a CVE with the term's neutral value; largest first.
    pub drivers: Vec<Driver>,
}

/// What one term adds to a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    /// The term.
    pub term: Term,
    /// Its value in millionths; `None` where it does not exist.
    pub value: Option<i64>,
    /// What it adds to the log-odds, in millionths.
    pub adds: i64,
    /// The probability without it: the term at its neutral value, all else equal.
    pub without: Probability,
}

impl ModelFile {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > MAX_MODEL {
            return Err(ModelError::TooLarge(bytes.len()));
        }
        let file: Self = serde_json::from_slice(bytes)
            .map_err(|error| ModelError::Json(error.to_string().chars().take(200).collect()))?;
        if file.format != FORMAT {
            return Err(ModelError::Format(file.format));
        }
        if file.models.is_empty()
            || file.models.windows(2).any(|two| two[0].usable_from >= two[1].usable_from)
        {
            return Err(ModelError::Order);
        }
        for model in &file.models {
            model.check()?;
        }
        Ok(file)
    }

    /// Of models, in order.
    pub fn new(seed: u64, history: String, models: Vec<Model>) -> Self {
        let target = "listed in CISA's Known Exploited Vulnerabilities within 30 days".to_owned();
        Self { format: FORMAT, target, seed, history, models, calibration: Vec::new() }
    }

    /// Adds what came of its forecasts.
    #[must_use]
    pub fn with_calibration(mut self, calibration: &Calibration) -> Self {
        let seen = calibration.bins().map(|(halves, bin)| Seen {
            halves,
            forecasts: bin.rows as u64,
            expected_tenths: (bin.expected * 10.0).round() as u64,
            observed: bin.observed as u64,
        });
        self.calibration = seen.collect();
        self
    }

    /// What came of forecasts like this one; `None` where there were none.
    pub fn like(&self, probability: Probability) -> Option<&Seen> {
        let halves = (f64::from(probability.ppm().max(1)) / 1e6).log10() * 2.0;
        self.calibration.iter().find(|seen| seen.halves == halves.floor() as i32)
    }

    /// The model of this program: made by `tenon predict train` from public history.
    ///
    /// # Errors
    /// None that a test does not exclude: the file is part of the program.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::read(include_bytes!("../data/model.json"))
    }

    /// The file's text: the same for the same models.
    pub fn text(&self) -> String {
        // A structure of numbers and texts always has a JSON form.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The newest model that could be used on a day: none whose outcomes were still open.
    pub fn on(&self, day: Day) -> Option<&Model> {
        self.models.iter().rev().find(|model| model.usable_from <= day)
    }

    /// The newest model.
    pub fn newest(&self) -> Option<&Model> {
        self.models.last()
    }
}

impl Model {
    fn check(&self) -> Result<(), ModelError> {
        let small = |number: i64| number.unsigned_abs() <= (1_000_000 * ONE).unsigned_abs();
        let fields = [
            ("intercept", small(self.intercept)),
            (
                "terms",
                self.terms.len() <= 32 && self.terms.iter().all(|(_, coefficient)| small(*coefficient)),
            ),
            ("missing_score", small(self.missing_score)),
            ("shift", small(self.shift)),
            ("slope", small(self.slope)),
        ];
        match fields.iter().find(|(_, fits)| !fits) {
            Some((field, _)) => Err(ModelError::Number { version: self.version.clone(), field }),
            None => Ok(()),
        }
    }

    /// Log-odds in millionths, for order.
    pub fn log_odds(&self, known: &Known) -> i64 {
        let sum = self
            .terms
            .iter()
            .map(|(term, coefficient)| times(*coefficient, term.of(known).unwrap_or(self.missing_score)));
        self.calibrated(sum.fold(self.intercept, i64::saturating_add))
    }

    /// The probability alone.
    pub fn forecast_only(&self, known: &Known) -> Probability {
        probability(self.log_odds(known))
    }

    /// The forecast.
    pub fn forecast(&self, known: &Known) -> Forecast {
        let log_odds = self.log_odds(known);
        let mut drivers: Vec<Driver> = self
            .terms
            .iter()
            .map(|(term, coefficient)| {
                let value = term.of(known);
                // Neutral: no exploit known, a score like one that does not exist, as old as a year.
                let neutral = match term {
                    Term::LnEpss => self.missing_score,
                    Term::LnAge | Term::LnAgeByRecord => OLD,
                    _ => 0,
                };
                let adds = times(*coefficient, value.unwrap_or(self.missing_score) - neutral);
                let adds = times(self.slope, adds);
                Driver { term: *term, value, adds, without: probability(log_odds.saturating_sub(adds)) }
            })
            .collect();
        drivers.sort_by_key(|driver| std::cmp::Reverse(driver.adds.unsigned_abs()));
        Forecast { probability: probability(log_odds), log_odds, drivers }
    }

    pub(crate) fn calibrated(&self, raw: i64) -> i64 {
        self.shift.saturating_add(times(self.slope, raw))
    }
}

/// ln(1 + 365 / 7).
const OLD: i64 = 3_972_931;

/// Product of two numbers in millionths.
fn times(a: i64, b: i64) -> i64 {
    // The common case without the division of 128 bits, which alone took most of the time of a forecast.
    if let Some(product) = a.checked_mul(b) {
        return product / ONE;
    }
    i64::try_from(i128::from(a) * i128::from(b) / i128::from(ONE)).unwrap_or(i64::MAX)
}

/// Of log-odds in millionths. Never zero: nothing is certain not to be listed.
fn probability(log_odds: i64) -> Probability {
    match SMALL.last() {
        Some(last) if log_odds < *last => {
            let reached = SMALL.partition_point(|least| *least <= log_odds);
            Probability::from_ppm(u32::try_from(reached).unwrap_or(u32::MAX) + 1).unwrap_or(Probability::ONE)
        }
        _ => computed(log_odds),
    }
}

fn computed(log_odds: i64) -> Probability {
    Probability::from_ppm(logistic(log_odds).clamp(1, 1_000_000)).unwrap_or(Probability::ONE)
}

/// The least log-odds of two millionths, three and so on: nearly all forecasts are below the last of them, and are looked up
/// here without the logistic function.
static SMALL: LazyLock<Vec<i64>> = LazyLock::new(|| {
    let least = |ppm| Probability::from_ppm(ppm).and_then(least_log_odds);
    (2..=1_000).filter_map(least).collect()
});

/// The least log-odds whose probability is at least this: many forecasts are held against one threshold without the
/// probability of each. `None` where no log-odds reach it.
pub(crate) fn least_log_odds(least: Probability) -> Option<i64> {
    // Beyond these the logistic function in millionths stays at its ends.
    let (mut below, mut reached) = (-60 * ONE, 60 * ONE);
    if computed(below) >= least {
        return Some(i64::MIN);
    }
    if computed(reached) < least {
        return None;
    }
    while reached - below > 1 {
        let middle = i64::midpoint(below, reached);
        if computed(middle) >= least { reached = middle } else { below = middle }
    }
    Some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_in_log_odds_is_the_one_in_probability() {
        for ppm in [
            0, 1, 2, 3, 10, 999, 1_000, 1_001, 31_623, 499_999, 500_000, 500_001, 999_998, 999_999, 1_000_000,
        ] {
            let least = Probability::from_ppm(ppm).unwrap();
            let threshold = least_log_odds(least).unwrap();
            let near = (-2_000..2_000).map(|away| threshold.saturating_add(away));
            for z in near.chain((-20_000..20_000).map(|step| step * 1_003)) {
                assert_eq!(z >= threshold, computed(z) >= least, "{ppm} {z}");
                assert_eq!(probability(z), computed(z), "{z}");
            }
        }
    }

    #[test]
    fn products_are_those_of_128_bits() {
        for a in [0, 1, -1, 999_999, -3_816_100, 10_000_000_000_000, i64::MAX, i64::MIN] {
            for b in [0, 1, -1, 435_300, -13_815_511, 3_000_000_000, i64::MIN] {
                let exact = i128::from(a) * i128::from(b) / i128::from(ONE);
                assert_eq!(times(a, b), i64::try_from(exact).unwrap_or(i64::MAX), "{a} {b}");
            }
        }
    }
}

//! Training: a model for every quarter, each from what had come out before it, and one for today.

use std::collections::BTreeSet;

use crate::draw::hash;
use crate::fit::{Intercept, Row, base, log_odds, logistic_regression, sigmoid};
use crate::restate::{Restatement, restatements};
use crate::{Cve, Day, HORIZON, History, Known, Model, Outcomes, Term, Today, Walk};

/// One row in so many of those that did not come true is kept, and stands for all of them.
const SAMPLE: u64 = 40;
/// Penalty on coefficients, in units of rows that came true; found by trying 0.1, 1 and 10.
const RIDGE: f64 = 10.0;
/// Days between two days that are learned from: nearer days are the same rows again.
const STRIDE: i32 = 7;
/// A CVE named this recently stands for one that has no score yet.
const FRESH: i32 = 7;
/// Most terms of a model.
pub(crate) const TERMS: usize = 8;
/// Earlier forecasts that came true before calibration may learn from them.
const ENOUGH: usize = 150;
/// Between these is the logarithm of the score that stands for a missing one.
const LEAST_MISSING: f64 = -12.0;
const MOST_MISSING: f64 = 0.0;
const MICRO: f64 = 1e6;

/// Why nothing was trained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// Too little of the history has come out.
    #[error("the history has no day of scores whose next 30 days of listings are complete; it needs both")]
    TooShort,
    /// No forecast came true before a model's first day.
    #[error("no listing was seen before {0}; begin later")]
    NothingHappened(Day),
    /// A term that depends on what came later.
    #[error("term {term:?} of {cve} as of {day} changes with what came later: it looks ahead")]
    LooksAhead {
        /// The term.
        term: Term,
        /// The CVE.
        cve: String,
        /// The day.
        day: Day,
    },
}

/// What is trained, and how.
#[derive(Debug, Clone)]
pub struct Training<'t> {
    /// Terms of the model.
    pub terms: &'t [Term],
    /// Seed of the sample.
    pub seed: u64,
    /// First day of the first model; from then on one a quarter.
    pub first: Day,
    /// Name of the model; its version adds the day of the data.
    pub name: &'t str,
    /// Whether forecasts of earlier models correct it.
    pub correction: Correction,
}

/// A second fit, on what earlier models foresaw and what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// None: a logistic model states probabilities already.
    None,
    /// Platt's: a shift and a slope of the log-odds.
    Platt,
}

/// A row, its day, and its score that may be hidden.
struct Seen {
    day: Day,
    row: Row<TERMS>,
    fresh: bool,
}

/// Days of scores, a week apart or more, whose outcomes are complete.
pub fn days(history: &History, outcomes: &Outcomes) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for snapshot in history.snapshots() {
        let far = days.last().is_none_or(|last| snapshot.known.since(*last) >= STRIDE);
        if far && outcomes.after(snapshot.known).is_some() {
            days.push(snapshot.known);
        }
    }
    days
}

/// Trains. A model that is usable from day Q learned from days D only with D + 30 < Q: forecasts whose outcome was
/// still open on Q would bring the time after Q into it. On the first day of scores of a new EPSS model there is a model too: the
/// one before, restated in the new scores, of which no outcome has come yet.
///
/// # Errors
/// [`TrainError`].
pub fn train(
    history: &History,
    outcomes: &Outcomes,
    training: &Training<'_>,
    progress: &mut dyn FnMut(Day),
) -> Result<Vec<Model>, TrainError> {
    let days = days(history, outcomes);
    let (Some(last), Some(until)) = (days.last(), history.listings_until()) else {
        return Err(TrainError::TooShort);
    };
    check_foresight(history, training, days[days.len() / 2])?;
    let mut rows = Vec::new();
    let mut walk = Walk::new(history);
    for day in &days {
        progress(*day);
        gather(&walk.on(*day), outcomes, training, *day, &mut rows);
    }
    let restatements = restatements(history, training.terms);
    let mut starts: Vec<Day> = quarters(training.first, *last);
    starts.extend(restatements.iter().map(Restatement::first).filter(|first| *first >= training.first));
    starts.push(until.plus(1));
    starts.sort_unstable();
    starts.dedup();
    let columns: Vec<usize> = (0..training.terms.len()).collect();
    let mut models: Vec<Model> = Vec::new();
    // Forecasts of earlier models, as they would have been made.
    let mut made: Vec<(Day, Row<1>)> = Vec::new();
    for (at, start) in starts.iter().enumerate() {
        let known = |day: Day| day.plus(HORIZON) < *start;
        let learned = rows.iter().filter(|seen| known(seen.day));
        let positives = learned.clone().filter(|seen| seen.row.came_true).count();
        if positives == 0 {
            return Err(TrainError::NothingHappened(*start));
        }
        let era = |day: Day| restatements.iter().filter(|one| one.first() <= day).count();
        let of_era = |wanted: usize| learned.clone().filter(move |seen| era(seen.day) == wanted);
        if !of_era(0).any(|seen| seen.row.came_true) {
            return Err(TrainError::NothingHappened(*start));
        }
        let mut prior = vec![0.0; columns.len() + 1];
        prior[0] = base(of_era(0).map(|seen| &seen.row));
        let rows_of = |wanted| of_era(wanted).map(|seen| &seen.row);
        let mut fitted = logistic_regression(&rows_of(0), &columns, RIDGE, &prior, Intercept::Free);
        let mut missing = missing_score(&of_era(0).filter(|seen| seen.fresh), &fitted, training.terms);
        // Under each newer model of EPSS: the same forecasts in its scores, then what came under it.
        for (place, restatement) in restatements.iter().enumerate().take(era(*start)) {
            let restated = restatement.of(&fitted, &columns);
            let score = training.terms.iter().position(|term| *term == Term::LnEpss);
            let without = score.map_or(0.0, |at| fitted[at + 1] * missing);
            let own = rows_of(place + 1);
            let level = fitted[0] + without;
            fitted = if own.clone().any(|row| row.came_true) {
                logistic_regression(&own, &columns, RIDGE, &restated, Intercept::Held)
            } else {
                restated
            };
            let stands =
                |at: usize| ((level - fitted[0]) / fitted[at + 1]).clamp(LEAST_MISSING, MOST_MISSING);
            missing = score.map_or(0.0, stands);
        }
        let earlier: Vec<&Row<1>> = made.iter().filter(|(day, _)| known(*day)).map(|(_, row)| row).collect();
        let enough = training.correction == Correction::Platt
            && earlier.iter().filter(|row| row.came_true).count() >= ENOUGH;
        let calibration = if enough {
            logistic_regression(&earlier.iter().copied(), &[0], RIDGE, &[0.0, 1.0], Intercept::Free)
        } else {
            vec![0.0, 1.0]
        };
        let span: BTreeSet<Day> = learned.clone().map(|seen| seen.day).collect();
        let model = Model {
            version: format!("{}-{}", training.name, start.plus(-1)),
            usable_from: *start,
            first: span.first().copied().unwrap_or(*start),
            last: span.last().copied().unwrap_or(*start),
            positives: u32::try_from(positives).unwrap_or(u32::MAX),
            intercept: fixed(fitted[0]),
            terms: training.terms.iter().copied().zip(fitted[1..].iter().copied().map(fixed)).collect(),
            missing_score: fixed(missing),
            shift: fixed(calibration[0]),
            slope: fixed(calibration[1]),
        };
        let end = starts.get(at + 1).copied().unwrap_or(*start);
        for seen in rows.iter().filter(|seen| seen.day >= *start && seen.day < end) {
            let z = log_odds(&fitted, &seen.row.terms);
            let row = Row { terms: [z], came_true: seen.row.came_true, weight: seen.row.weight };
            made.push((seen.day, row));
        }
        models.push(model);
    }
    Ok(models)
}

/// To four decimals, in millionths: what the data can tell, and more than differences between machines.
fn fixed(value: f64) -> i64 {
    (value * 1e4).round() as i64 * 100
}

/// First days of quarters from `first` to `last`.
fn quarters(first: Day, last: Day) -> Vec<Day> {
    let mut days = Vec::new();
    let mut day = first;
    while day <= last {
        days.push(day);
        let (year, month) = day.month();
        let (year, month) = if month >= 10 { (year + 1, 1) } else { (year, (month - 1) / 3 * 3 + 4) };
        match format!("{year:04}-{month:02}-01").parse() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    days
}

/// The values of terms; zero for a score that does not exist.
pub(crate) fn values(known: &Known, terms: &[Term]) -> [f64; TERMS] {
    let mut values = [0.0; TERMS];
    for (value, term) in values.iter_mut().zip(terms) {
        *value = term.of(known).unwrap_or(0) as f64 / MICRO;
    }
    values
}

/// The rows of a day: scored CVEs that are not listed.
fn gather(today: &Today<'_>, outcomes: &Outcomes, training: &Training<'_>, day: Day, rows: &mut Vec<Seen>) {
    let Some(positive) = outcomes.after(day) else { return };
    for (cve, known) in today.cves() {
        let came_true = positive.binary_search(&cve).is_ok();
        let drawn = hash(training.seed ^ u64::from(day.number().unsigned_abs()), known.id().key());
        if !came_true && !drawn.is_multiple_of(SAMPLE) || known.score().is_none() || known.is_listed() {
            continue;
        }
        let terms = values(&known, training.terms);
        let weight = if came_true { 1.0 } else { SAMPLE as f64 };
        let fresh = day.since(known.first_named()) <= FRESH;
        rows.push(Seen { day, row: Row { terms, came_true, weight }, fresh });
    }
}

/// The logarithm of the score with which CVEs that were named this week come true as often as they did, were their own
/// scores not known. It needs no CVE without a score: which of those are in public records depends on the answer.
fn missing_score<'r>(
    fresh: &(impl Iterator<Item = &'r Seen> + Clone),
    fitted: &[f64],
    terms: &[Term],
) -> f64 {
    let Some(place) = terms.iter().position(|term| *term == Term::LnEpss) else { return 0.0 };
    let excess = |score: f64| -> f64 {
        fresh
            .clone()
            .map(|seen| {
                let other = seen.row.terms.iter().enumerate().zip(&fitted[1..]);
                let z: f64 = other.map(|((at, x), b)| if at == place { b * score } else { b * x }).sum();
                let came = f64::from(u8::from(seen.row.came_true));
                seen.row.weight * (sigmoid(fitted[0] + z) - came)
            })
            .sum()
    };
    let (mut low, mut high) = (LEAST_MISSING, MOST_MISSING);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if excess(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Refuses terms that look ahead: on another future each must say the same of every CVE.
fn check_foresight(history: &History, training: &Training<'_>, day: Day) -> Result<(), TrainError> {
    let look = |history: &History, cve: Cve| -> Vec<(Term, Option<i64>)> {
        let known = history.on(day).get(cve);
        let of = |term: &Term| (*term, known.and_then(|known| term.of(&known)));
        training.terms.iter().map(of).collect()
    };
    foresight(history, day, training.seed, look).map_err(|(cve, real, other)| {
        let differs = real.iter().zip(&other).find(|(a, b)| a != b);
        let term = differs.map_or(Term::LnEpss, |((term, _), _)| *term);
        TrainError::LooksAhead { term, cve: history.id(cve).to_string(), day }
    })
}

/// Compares what `look` says as of `day` of every CVE known by then with what it says on another future of the same past
/// ([`History::with_other_future`]).
///
/// # Errors
/// The first CVE of which it says something else, and both sayings: it looks ahead.
pub fn foresight<T: PartialEq>(
    history: &History,
    day: Day,
    seed: u64,
    look: impl Fn(&History, Cve) -> T,
) -> Result<(), (Cve, T, T)> {
    let other = history.with_other_future(day, seed);
    for (cve, known) in history.on(day).cves() {
        let Some(twin) = other.find(known.id()) else { continue };
        let (real, other) = (look(history, cve), look(&other, twin));
        if real != other {
            return Err((cve, real, other));
        }
    }
    Ok(())
}

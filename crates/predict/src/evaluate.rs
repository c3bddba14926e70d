//! Orders against each other on the same days and the same CVEs.

use std::collections::BTreeMap;
use std::fmt;

use tenon_model::Probability;

use crate::measure::{Calibration, Placed, place};
use crate::rule::larger_rank;
use crate::{Cve, Day, History, Known, ModelFile, Outcomes, Walk};

/// Something that orders CVEs by how soon they may be listed.
#[derive(Debug, Clone, Copy)]
pub enum Contender<'c> {
    /// A model, on each day the newest that could be used.
    Model(&'static str, &'c ModelFile),
    /// The EPSS score.
    Epss,
    /// The larger of the rank by EPSS and the rank by recency: a rule without parameters.
    LargerRank,
    /// The CVSS base score.
    Cvss,
}

/// Which CVEs are ordered; never those that are listed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Universe {
    /// Those with an EPSS score on the day.
    Scored,
    /// All that could be named on the day.
    Named,
}

impl fmt::Display for Contender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Model(name, _) => name,
            Self::Epss => "EPSS",
            Self::LargerRank => "larger of two ranks",
            Self::Cvss => "CVSS base score",
        })
    }
}

/// How one contender did.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Every CVE that was listed in the 30 days after one of the days, if it was in the universe.
    pub placed: Vec<Placed>,
    /// By half-year, for contenders that state probabilities.
    pub calibration: BTreeMap<(u16, u8), Calibration>,
    /// The same over all.
    pub total: Calibration,
}

/// Contenders on days.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The days that were measured.
    pub days: Vec<Day>,
    /// Mean number of CVEs in the universe.
    pub eligible: f64,
    /// Rows listed in the 30 days after, and those of them that were in the universe.
    pub listed: (usize, usize),
    /// By contender, in the order given.
    pub standings: Vec<Standing>,
}

/// Year and half of a day.
pub fn half_year(day: Day) -> (u16, u8) {
    let (year, month) = day.month();
    (year, if month <= 6 { 1 } else { 2 })
}

/// Measures contenders on days. Days whose outcomes are not complete, and days on which a model among them could not
/// have been used, are left out.
pub fn evaluate(
    history: &History,
    outcomes: &Outcomes,
    days: &[Day],
    universe: Universe,
    contenders: &[Contender<'_>],
    progress: &mut dyn FnMut(Day),
) -> Evaluation {
    let mut evaluation =
        Evaluation { standings: vec![Standing::default(); contenders.len()], ..Evaluation::default() };
    let mut walk = Walk::new(history);
    for day in days {
        let Some(listed) = outcomes.after(*day) else { continue };
        let usable = |contender: &Contender<'_>| match contender {
            Contender::Model(_, file) => file.on(*day).is_some(),
            _ => true,
        };
        if !contenders.iter().all(usable) {
            continue;
        }
        progress(*day);
        let eligible: Vec<(Cve, Known)> = walk
            .on(*day)
            .cves()
            .filter(|(_, known)| !known.is_listed())
            .filter(|(_, known)| universe == Universe::Named || known.score().is_some())
            .collect();
        let positive: Vec<(usize, Cve)> = listed
            .iter()
            .filter_map(|cve| Some((eligible.binary_search_by_key(cve, |(cve, _)| *cve).ok()?, *cve)))
            .collect();
        evaluation.days.push(*day);
        evaluation.eligible += eligible.len() as f64;
        evaluation.listed.0 += listed.len();
        evaluation.listed.1 += positive.len();
        for (contender, result) in contenders.iter().zip(&mut evaluation.standings) {
            let scores = order(*contender, *day, &eligible);
            if matches!(contender, Contender::Model(..) | Contender::Epss) {
                calibrate(*contender, *day, &eligible, &scores, &positive, result);
            }
            result.placed.extend(place(&scores, &positive, *day));
        }
    }
    evaluation.eligible /= evaluation.days.len().max(1) as f64;
    evaluation
}

/// A number for each CVE: higher is sooner.
fn order(contender: Contender<'_>, day: Day, eligible: &[(Cve, Known)]) -> Vec<i64> {
    let score = |known: &Known| known.score().map_or(-1, |score| i64::from(score.ppm()));
    match contender {
        Contender::Model(_, file) => {
            let model = file.on(day);
            let log_odds = |known| model.map_or(0, |model| model.log_odds(known));
            eligible.iter().map(|(_, known)| log_odds(known)).collect()
        }
        Contender::Epss => eligible.iter().map(|(_, known)| score(known)).collect(),
        Contender::LargerRank => larger_rank(eligible.iter().map(|(_, known)| known)),
        Contender::Cvss => eligible.iter().map(|(_, known)| known.cvss().map_or(-1, i64::from)).collect(),
    }
}

fn calibrate(
    contender: Contender<'_>,
    day: Day,
    eligible: &[(Cve, Known)],
    scores: &[i64],
    positive: &[(usize, Cve)],
    result: &mut Standing,
) {
    let half = result.calibration.entry(half_year(day)).or_default();
    for (at, score) in scores.iter().enumerate() {
        let probability = match contender {
            // The logistic function in floating point: forecasts far below a millionth are told apart here.
            Contender::Model(..) => 1.0 / (1.0 + (-(*score as f64) / 1e6).exp()),
            _ => eligible[at].1.score().map_or(0.0, |score| ppm(score) / 1e6),
        };
        let came_true = positive.binary_search_by_key(&at, |(place, _)| *place).is_ok();
        half.add(probability, came_true);
        result.total.add(probability, came_true);
    }
}

fn ppm(probability: Probability) -> f64 {
    f64::from(probability.ppm())
}

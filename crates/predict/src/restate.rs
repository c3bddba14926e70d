//! A forecast restated when EPSS changes its model.
//!
//! A new model of EPSS gives other scores to the same CVEs, above all to those with public exploits. Coefficients that were
//! learned under the one are wrong under the other, and no outcome tells by how much before a month has passed. But what is known
//! of a CVE does not change overnight, and neither should its forecast: on the first day of new scores the coefficients are
//! fitted anew to what the old ones say of the same CVEs by the old scores. No outcome goes into that.

use crate::fit::{Intercept, Row, log_odds, logistic_regression, sigmoid};
use crate::train::{TERMS, values};
use crate::{Day, History, Term};

/// Ridge of the fit to forecasts: next to none, it only keeps in place what the rows leave open.
const NEXT_TO_NONE: f64 = 1e-3;

/// CVEs on the first day of a new EPSS model.
#[derive(Debug)]
pub(crate) struct Restatement {
    first: Day,
    /// Values of the terms by the new scores, and by the old ones.
    rows: Vec<([f64; TERMS], [f64; TERMS])>,
}

/// One for each change of EPSS's model in a history, earliest first. Only what was known by its first day is read.
pub(crate) fn restatements(history: &History, terms: &[Term]) -> Vec<Restatement> {
    let Some(score) = terms.iter().position(|term| *term == Term::LnEpss) else { return Vec::new() };
    let changes = history.snapshots().windows(2).filter(|two| two[0].model != two[1].model);
    let restatement = |two: &[crate::Snapshot]| {
        let (before, first) = (history.on(two[0].known), history.on(two[1].known));
        let rows = first.cves().filter(|(_, known)| known.score().is_some() && !known.is_listed());
        let rows = rows.filter_map(|(cve, known)| {
            let old = before.get(cve)?;
            old.score()?;
            // All else as on the first day: only the score differs.
            let new = values(&known, terms);
            let mut by_old = new;
            by_old[score] = values(&old, terms)[score];
            Some((new, by_old))
        });
        Restatement { first: two[1].known, rows: rows.collect() }
    };
    changes.map(restatement).collect()
}

impl Restatement {
    /// The first day on which the new scores were known.
    pub(crate) fn first(&self) -> Day {
        self.first
    }

    /// Intercept and coefficients that give, by the new scores, the forecasts that `fitted` gives by the old ones.
    pub(crate) fn of(&self, fitted: &[f64], columns: &[usize]) -> Vec<f64> {
        let rows: Vec<Row<TERMS>> = self
            .rows
            .iter()
            .flat_map(|(new, old)| {
                // A forecast of one in a hundred is one row that came true and 99 that did not.
                let likely = sigmoid(log_odds(fitted, old));
                [(true, likely), (false, 1.0 - likely)].map(|(came_true, weight)| Row {
                    terms: *new,
                    came_true,
                    weight,
                })
            })
            .collect();
        logistic_regression(&rows.iter(), columns, NEXT_TO_NONE, fitted, Intercept::Held)
    }
}

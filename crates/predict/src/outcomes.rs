//! What became of it: the answers that a forecast is judged by. Never an input of one.

use crate::history::Fact;
use crate::{Cve, Day, History};

/// Days that a forecast looks ahead.
pub const HORIZON: i32 = 30;

/// When CISA listed each CVE. Only training and measuring hold this; what forecasts get is [`KnownBy`](crate::KnownBy).
#[derive(Debug, Clone)]
pub struct Outcomes {
    /// By CVE: every day on which it was listed anew.
    listed: Vec<(Cve, Day)>,
    until: Option<Day>,
}

impl Outcomes {
    /// Of a history.
    pub fn of(history: &History) -> Self {
        let mut listed = Vec::new();
        for cve in history.cves() {
            let mut is_listed = false;
            for dated in history.all(cve) {
                match dated.fact {
                    Fact::Listed if !is_listed => {
                        listed.push((cve, dated.known));
                        is_listed = true;
                    }
                    Fact::Delisted => is_listed = false,
                    _ => {}
                }
            }
        }
        Self { listed, until: history.listings_until() }
    }

    /// CVEs listed in the [`HORIZON`] days after `day`, by CVE. `None` when those days are not over yet, so that absence
    /// would say nothing.
    pub fn after(&self, day: Day) -> Option<Vec<Cve>> {
        if self.until.is_none_or(|until| until < day.plus(HORIZON)) {
            return None;
        }
        let within = |listed: Day| listed > day && listed <= day.plus(HORIZON);
        let mut cves: Vec<Cve> =
            self.listed.iter().filter(|(_, listed)| within(*listed)).map(|(cve, _)| *cve).collect();
        cves.dedup();
        Some(cves)
    }

    /// Every listing after `from` up to the end of `to`.
    pub fn between(&self, from: Day, to: Day) -> impl Iterator<Item = (Cve, Day)> + '_ {
        self.listed.iter().copied().filter(move |(_, listed)| *listed > from && *listed <= to)
    }
}

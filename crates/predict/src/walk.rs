//! A history read day by day: what is known of every CVE is carried on, and only what became known since is read.

use crate::known::Summary;
use crate::{Cve, Day, History, Known};

/// Shows the days of a history as [`History::on`] does, and faster where many are asked in order.
#[derive(Debug)]
pub struct Walk<'h> {
    history: &'h History,
    /// The newest day shown; before the first one nothing is known.
    day: Option<Day>,
    /// By CVE: how many of its facts are taken in, and what they come to.
    known: Vec<(u32, Summary)>,
}

/// What was known when a day ended.
#[derive(Debug, Clone, Copy)]
pub struct Today<'w> {
    walk: &'w Walk<'w>,
    day: Day,
}

impl<'h> Walk<'h> {
    /// Before the first day.
    pub fn new(history: &'h History) -> Self {
        Self { history, day: None, known: vec![<(u32, Summary)>::default(); history.cves().len()] }
    }

    /// What was known when `day` ended. A day before the one asked last is read from the beginning.
    pub fn on(&mut self, day: Day) -> Today<'_> {
        if self.day.is_some_and(|last| last > day) {
            *self = Self::new(self.history);
        }
        self.day = Some(day);
        let begins = self.history.begins();
        for (cve, (taken, summary)) in self.history.cves().zip(&mut self.known) {
            for dated in &self.history.all(cve)[*taken as usize..] {
                if dated.known > day {
                    break;
                }
                summary.take(self.history.id(cve), *dated, begins);
                *taken += 1;
            }
        }
        Today { walk: self, day }
    }
}

impl<'w> Today<'w> {
    /// The CVEs of which anything was known.
    pub fn cves(&self) -> impl Iterator<Item = (Cve, Known)> + use<'w> {
        let today = *self;
        today.walk.history.cves().filter_map(move |cve| Some((cve, today.get(cve)?)))
    }

    /// What was known of a CVE, if anything.
    pub fn get(&self, cve: Cve) -> Option<Known> {
        let (taken, summary) = self.walk.known[cve.0 as usize];
        (taken > 0).then(|| Known::new(self.walk.history.id(cve), self.day, summary))
    }
}

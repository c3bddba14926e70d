//! A history read day by day: what is known of every CVE is carried on, and only what became known since is read.

use crate::known::Summary;
use crate::{Cve, Day, History, Known};

/// Shows the days of a history as [`History::on`] does, and faster where many are asked in order.
#[derive(Debug)]
pub struct Walk<'h> {
    history: &'h History,
    /// The newest day shown; before the first one nothing is known.
    day: Option<Day>,
    /// By CVE.
    known: Vec<Carried>,
}

/// What is carried on of one CVE.
#[derive(Debug, Clone, Copy)]
struct Carried {
    /// When its next fact becomes known, so that most CVEs of most days are passed without a look at their facts.
    due: Option<Day>,
    /// How many of its facts are taken in.
    taken: u32,
    /// What they come to.
    summary: Summary,
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
        let before = |cve| Carried {
            due: history.all(cve).first().map(|dated| dated.known),
            taken: 0,
            summary: Summary::default(),
        };
        Self { history, day: None, known: history.cves().map(before).collect() }
    }

    /// What was known when `day` ended. A day before the one asked last is read from the beginning.
    pub fn on(&mut self, day: Day) -> Today<'_> {
        if self.day.is_some_and(|last| last > day) {
            *self = Self::new(self.history);
        }
        self.day = Some(day);
        let begins = self.history.begins();
        for (cve, carried) in self.history.cves().zip(&mut self.known) {
            if carried.due.is_none_or(|due| due > day) {
                continue;
            }
            let facts = &self.history.all(cve)[carried.taken as usize..];
            // Of one CVE little becomes known between two days.
            let mut news = facts.iter().peekable();
            while let Some(dated) = news.next_if(|dated| dated.known <= day) {
                carried.summary.take(self.history.id(cve), *dated, begins);
                carried.taken += 1;
            }
            carried.due = news.peek().map(|dated| dated.known);
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
        let carried = &self.walk.known[cve.0 as usize];
        (carried.taken > 0).then(|| Known::new(self.walk.history.id(cve), self.day, carried.summary))
    }
}

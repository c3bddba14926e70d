//! A policy replayed over history: what it would have asked to be fixed, and what was listed in the 30 days after.

mod chart;
mod file;
mod fleet;
mod page;
mod policy;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Serialize;

pub use chart::chart;
pub use file::{Acts, FROM_HISTORY, PolicyFile, SUPPOSED, Said, UNKNOWN, reads_records};
pub use fleet::{Fleet, Size, Spared};
pub use page::{Material, page};
pub use policy::{Policy, PolicyError};

use fleet::Watched;
use policy::Asked;

use crate::{Cve, Day, History, Known, ModelFile, Outcomes, Universe, Walk, half_year};

/// One policy on one day, or summed over days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// CVEs of the universe that were not listed.
    pub eligible: u64,
    /// Those that the policy flagged.
    pub flagged: u64,
    /// Flagged, and listed in the 30 days after.
    pub true_positives: u64,
    /// Eligible, and listed in the 30 days after.
    pub positives: u64,
    /// Listed in the 30 days after, without an EPSS score on the day: most were not public yet.
    pub unscored_positives: u64,
    /// All that were listed in the 30 days after.
    pub listed: u64,
}

/// One policy on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneDay {
    /// The day: what was known when it ended counts.
    pub day: Day,
    /// EPSS model of the newest scores.
    pub epss_model: String,
    /// What came of it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A policy over days that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool<K> {
    /// What they have in common.
    pub of: K,
    /// How many they are.
    pub days: u64,
    /// Summed over them.
    pub counts: Counts,
}

/// A policy over many days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The policy.
    pub policy: Policy,
    /// By day.
    pub days: Vec<OneDay>,
    /// What a policy file said of eligible CVEs, summed over days; `None` of built-in policies.
    pub said: Option<Said>,
    /// What it would have meant to the fleet; `None` where none was given.
    pub spared: Option<Spared>,
}

/// What is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'r> {
    /// The policies.
    pub policies: &'r [Policy],
    /// Which CVEs they may flag.
    pub universe: Universe,
    /// Over the days of scores from the one to the other. Days whose next 30 days are not complete are left out: what was not
    /// listed yet is no miss.
    pub span: (Day, Day),
    /// For which hosts.
    pub fleet: Option<&'r Fleet>,
}

/// A replay was ended before its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the replay was ended before its last day")]
pub struct Ended;

/// A policy while days pass.
struct Asking<'p> {
    policy: Asked<'p>,
    days: Vec<OneDay>,
    /// Of the CVEs of the fleet the day on which each was flagged first.
    first: BTreeMap<Cve, Day>,
}

impl Counts {
    /// Share of the eligible that was flagged; `None` of nothing.
    pub fn effort(&self) -> Option<f64> {
        share(self.flagged, self.eligible)
    }

    /// Share of what was listed, and could be flagged, that was flagged (recall).
    pub fn coverage(&self) -> Option<f64> {
        share(self.true_positives, self.positives)
    }

    /// Share of everything listed that was flagged.
    pub fn coverage_of_all(&self) -> Option<f64> {
        share(self.true_positives, self.listed)
    }

    /// Share of the flagged that was listed (precision).
    pub fn efficiency(&self) -> Option<f64> {
        share(self.true_positives, self.flagged)
    }

    fn add(&mut self, other: &Self) {
        self.eligible += other.eligible;
        self.flagged += other.flagged;
        self.true_positives += other.true_positives;
        self.positives += other.positives;
        self.unscored_positives += other.unscored_positives;
        self.listed += other.listed;
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Replayed {
    /// Sums over the days of each EPSS model, in order of time: scores of different models do not compare.
    pub fn by_epss_model(&self) -> Vec<Pool<String>> {
        self.pooled(|day| day.epss_model.clone())
    }

    /// Sums over the days of each half of a year, which is the first or the second, in order of time.
    pub fn by_half_year(&self) -> Vec<Pool<(u16, u8)>> {
        self.pooled(|day| half_year(day.day))
    }

    /// Sums over days that follow each other and have the same key.
    fn pooled<K: PartialEq>(&self, key: impl Fn(&OneDay) -> K) -> Vec<Pool<K>> {
        let mut pools: Vec<Pool<K>> = Vec::new();
        for day in &self.days {
            let of = key(day);
            match pools.last_mut() {
                Some(pool) if pool.of == of => {
                    pool.days += 1;
                    pool.counts.add(&day.counts);
                }
                _ => pools.push(Pool { of, days: 1, counts: day.counts.clone() }),
            }
        }
        pools
    }

    /// Sums over all days.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for day in &self.days {
            total.add(&day.counts);
        }
        total
    }
}

impl Replay<'_> {
    /// How many days of scores there are in the span.
    pub fn days(&self, history: &History) -> usize {
        let (from, to) = self.span;
        history.snapshots().iter().filter(|one| one.known >= from && one.known <= to).count()
    }

    /// Replays them all, day by day. `progress` is told of each day before it is replayed, and may end it.
    ///
    /// # Errors
    /// [`Ended`] where `progress` broke.
    pub fn over(
        &self,
        history: &History,
        outcomes: &Outcomes,
        models: &ModelFile,
        progress: &mut dyn FnMut(Day) -> ControlFlow<()>,
    ) -> Result<Vec<Replayed>, Ended> {
        let Self { policies, universe, span: (from, to), fleet } = *self;
        let asking = |policy| Asking { policy: Asked::new(policy), days: Vec::new(), first: BTreeMap::new() };
        let mut asked: Vec<Asking<'_>> = policies.iter().map(asking).collect();
        let mut watched = fleet.map(|fleet| Watched::new(fleet, history));
        let mut walk = Walk::new(history);
        // Kept from day to day: some hundred thousand CVEs are some tens of megabytes, which the system gives page by page.
        let mut eligible: Vec<(Cve, Known)> = Vec::new();
        for snapshot in history.snapshots() {
            let day = snapshot.known;
            let Some(listed) = outcomes.after(day).filter(|_| day >= from && day <= to) else { continue };
            if progress(day).is_break() {
                return Err(Ended);
            }
            let today = walk.on(day);
            if let Some(watched) = &mut watched {
                watched.on(day, |cve| today.get(cve));
            }
            eligible.clear();
            eligible.extend(today.cves().filter(|(_, known)| {
                !known.is_listed() && (universe == Universe::Named || known.score().is_some())
            }));
            let is_eligible = |cve: &&Cve| eligible.binary_search_by_key(*cve, |(cve, _)| *cve).is_ok();
            let is_positive = |cve: &Cve| listed.binary_search(cve).is_ok();
            let scored = |cve: &&Cve| today.get(**cve).is_some_and(|known| known.score().is_some());
            let common = Counts {
                eligible: eligible.len() as u64,
                positives: listed.iter().filter(is_eligible).count() as u64,
                unscored_positives: (listed.len() - listed.iter().filter(scored).count()) as u64,
                listed: listed.len() as u64,
                ..Counts::default()
            };
            for Asking { policy, days, first } in &mut asked {
                let flagged = policy.flag(day, &eligible, models);
                if let Some(watched) = &watched {
                    watched.ask(first, day, &flagged);
                }
                let counts = Counts {
                    flagged: flagged.len() as u64,
                    true_positives: flagged.iter().filter(|cve| is_positive(cve)).count() as u64,
                    ..common.clone()
                };
                days.push(OneDay { day, epss_model: snapshot.model.clone(), counts });
            }
        }
        let replayed = policies.iter().zip(asked);
        Ok(replayed
            .map(|(policy, Asking { policy: asked, days, first })| Replayed {
                policy: policy.clone(),
                days,
                said: asked.said(),
                spared: watched.as_ref().map(|watched| watched.spared(&first, outcomes)),
            })
            .collect())
    }
}

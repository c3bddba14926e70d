//! Orders of work judged by what was exploited afterwards, which no order sees: the same estates are worked off day by day in each
//! order, with the same minutes a day, through years of real updates.
//!
//! An estate holds packages on hosts, some of each. An update closes vulnerabilities on each host that takes it; a host that takes the
//! newest one has those before it too. Whoever does the work sees each morning what was known when the day before ended.

mod attack;
mod draw;

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use crate::{Cve, Day, ModelFile, Today};

pub use attack::attacks;

/// An update of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The first day on which it is offered.
    pub offered: Day,
    /// What it closes and no update before it did.
    pub closes: Vec<Cve>,
}

/// A package of one release, and its updates by the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// Its release, as a number.
    pub release: usize,
    /// Every host of the release has it.
    pub everywhere: bool,
    /// Earliest first.
    pub updates: Vec<Update>,
}

/// A package on hosts of an estate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The place of its [`Software`].
    pub software: usize,
    /// How many hosts have it.
    pub hosts: u32,
    /// Minutes of work that an update takes on a host.
    pub minutes: u32,
}

/// What there is, and how much can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// Hosts in all.
    pub hosts: u32,
    /// What they have.
    pub held: Vec<Held>,
    /// Minutes of work that a day has.
    pub minutes_a_day: u32,
}

/// In which order work is done. Of equals the update that was offered first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What the forecasts say is removed by a change of one host, which is the order of Tenon's queue by `per-change`, and that of its hosts. What is listed counts
    /// as certain.
    PerChange,
    /// The same by hour of work, as if it were known how long each change takes.
    PerHour,
    /// The same on all hosts together, which is the order of Tenon's queue by `removes`.
    Removes,
    /// The highest CVSS base score.
    Cvss,
    /// The highest EPSS score.
    Epss,
    /// The sum of the EPSS scores by hour of work: what of [`Order::PerHour`] is only that it counts work.
    EpssPerHour,
    /// What is listed, then whatever was offered first.
    Kev,
    /// Whatever was offered first.
    Oldest,
    /// What will be exploited, by hour of work: nobody can know. No order that does not see the future can be expected to be better.
    Hindsight,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::PerChange,
        Self::PerHour,
        Self::Removes,
        Self::Cvss,
        Self::Epss,
        Self::EpssPerHour,
        Self::Kev,
        Self::Oldest,
        Self::Hindsight,
    ];

    /// Which of two comes first.
    fn cmp(self, one: &Pending, other: &Pending) -> Ordering {
        let by = |key: fn(&Pending) -> u64| key(other).cmp(&key(one));
        // By cross products, which no division rounds. Whoever works pieces off in falling order of what they remove by the time they
        // take loses the least while they wait (W. E. Smith, Various optimizers for single-stage production, 1956).
        let per_hour = |removes: fn(&Scores) -> u64| {
            let cross =
                |one: &Pending, other: &Pending| u128::from(removes(&one.scores)) * u128::from(other.minutes);
            cross(other, one).cmp(&cross(one, other))
        };
        let first = match self {
            Self::PerChange => by(|pending| pending.scores.threat),
            Self::PerHour => per_hour(|scores| scores.threat),
            Self::Removes => by(|pending| pending.scores.threat.saturating_mul(pending.hosts)),
            Self::Cvss => by(|pending| u64::from(pending.scores.cvss)),
            Self::Epss => by(|pending| u64::from(pending.scores.epss)),
            Self::EpssPerHour => per_hour(|scores| scores.epss_sum),
            Self::Kev => by(|pending| u64::from(pending.scores.listed)),
            Self::Oldest => Ordering::Equal,
            Self::Hindsight => per_hour(|scores| scores.comes),
        };
        first.then(one.offered.cmp(&other.offered)).then(one.place.cmp(&other.place))
    }
}

/// What is known of the vulnerabilities of updates. Probabilities are in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scores {
    /// Sum of the forecasts; what is listed counts as certain.
    pub threat: u64,
    /// The highest EPSS score.
    pub epss: u32,
    /// Sum of the EPSS scores.
    pub epss_sum: u64,
    /// The highest CVSS base score, in tenths.
    pub cvss: u8,
    /// Whether any is listed.
    pub listed: bool,
    /// How many will be exploited: for [`Order::Hindsight`] alone.
    pub comes: u64,
}

impl Scores {
    fn and(self, other: &Self) -> Self {
        Self {
            threat: self.threat + other.threat,
            epss: self.epss.max(other.epss),
            epss_sum: self.epss_sum + other.epss_sum,
            cvss: self.cvss.max(other.cvss),
            listed: self.listed || other.listed,
            comes: self.comes + other.comes,
        }
    }
}

/// What is known of each update of each package on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known(Vec<Vec<Scores>>);

impl Known {
    /// As the scores say: by package and update.
    pub fn new(scores: Vec<Vec<Scores>>) -> Self {
        Self(scores)
    }

    /// What was known when a day ended. `cvss` are base scores in tenths for want of one that was known by then.
    pub fn on(
        today: &Today<'_>,
        day: Day,
        software: &[Software],
        models: &ModelFile,
        cvss: &BTreeMap<Cve, u8>,
    ) -> Self {
        let model = models.on(day);
        let scored = |cve: &Cve| {
            let known = today.get(*cve);
            let listed = known.as_ref().is_some_and(crate::Known::is_listed);
            let epss = known.as_ref().and_then(crate::Known::score).map_or(0, tenon_model::Probability::ppm);
            let foreseen = || Some(model?.forecast_only(known.as_ref()?).ppm());
            let stated = known.as_ref().and_then(crate::Known::cvss).or_else(|| cvss.get(cve).copied());
            Scores {
                threat: if listed { 1_000_000 } else { u64::from(foreseen().unwrap_or(0)) },
                epss,
                epss_sum: u64::from(epss),
                cvss: stated.unwrap_or(0),
                listed,
                comes: 0,
            }
        };
        let of = |update: &Update| {
            update.closes.iter().map(scored).fold(Scores::default(), |sum, one| sum.and(&one))
        };
        Self(software.iter().map(|one| one.updates.iter().map(of).collect()).collect())
    }
}

/// What was exposed to what was exploited, and the work that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposed {
    /// Days on which a host lacked an offered fix of what was exploited in the end, summed over hosts and vulnerabilities.
    pub host_days: u64,
    /// Of those the days from the exploitation on.
    pub host_days_since: u64,
    /// Vulnerabilities that hosts still had on the day of the exploitation.
    pub hit: u64,
    /// Changes of one package on one host.
    pub changes: u64,
    /// Minutes of work.
    pub minutes: u64,
}

impl Exposed {
    /// Hours for days.
    pub const HOURS: u64 = 24;
}

impl std::ops::AddAssign for Exposed {
    fn add_assign(&mut self, other: Self) {
        self.host_days += other.host_days;
        self.host_days_since += other.host_days_since;
        self.hit += other.hit;
        self.changes += other.changes;
        self.minutes += other.minutes;
    }
}

/// Hosts that have the first so many updates of a package.
#[derive(Debug, Clone, Copy)]
struct Group {
    held: usize,
    has: usize,
    hosts: u32,
}

/// Hosts on which something can be done.
struct Pending {
    group: usize,
    /// For an order among equals.
    place: (usize, usize),
    offered: Day,
    minutes: u64,
    hosts: u64,
    scores: Scores,
}

/// An estate that is worked off in one order.
#[derive(Debug)]
pub struct Working<'e> {
    order: Order,
    estate: &'e Estate,
    software: &'e [Software],
    /// By package of the estate and update: when what it closes is exploited.
    comes: Vec<Vec<Vec<Day>>>,
    groups: Vec<Group>,
    /// Minutes left of yesterday, for a change that is not finished.
    spare: u32,
    exposed: Exposed,
}

impl<'e> Working<'e> {
    /// Of an estate whose hosts have what was offered by the end of a day. `exploited` judges; only [`Order::Hindsight`] asks it.
    pub fn new(
        order: Order,
        estate: &'e Estate,
        software: &'e [Software],
        has: Day,
        exploited: &BTreeMap<Cve, Day>,
    ) -> Self {
        let days =
            |update: &Update| update.closes.iter().filter_map(|cve| exploited.get(cve).copied()).collect();
        let comes = |held: &Held| software[held.software].updates.iter().map(days).collect();
        let group = |(place, held): (usize, &Held)| {
            let updates = &software[held.software].updates;
            Group { held: place, has: updates.partition_point(|one| one.offered <= has), hosts: held.hosts }
        };
        Self {
            order,
            estate,
            software,
            comes: estate.held.iter().map(comes).collect(),
            groups: estate.held.iter().enumerate().map(group).collect(),
            spare: 0,
            exposed: Exposed::default(),
        }
    }

    /// A day passes: what is open in the morning is exposed on it, and by the evening a day's work is done.
    pub fn day(&mut self, day: Day, known: &Known) {
        let newest: Vec<usize> = self
            .estate
            .held
            .iter()
            .map(|held| self.software[held.software].updates.partition_point(|one| one.offered <= day))
            .collect();
        self.expose(day, &newest);
        let mut pending = self.pending(known, &newest);
        pending.sort_unstable_by(|one, other| self.order.cmp(one, other));
        let mut left = self.estate.minutes_a_day.saturating_add(self.spare);
        for one in &pending {
            let group = self.groups[one.group];
            let minutes = self.estate.held[group.held].minutes.max(1);
            let hosts = group.hosts.min(left / minutes);
            left -= hosts * minutes;
            self.exposed.changes += u64::from(hosts);
            self.exposed.minutes += u64::from(hosts * minutes);
            self.groups[one.group].hosts -= hosts;
            self.groups.push(Group { held: group.held, has: newest[group.held], hosts });
            if hosts < group.hosts {
                // Begun today, to be finished tomorrow.
                self.spare = left;
                self.merge();
                return;
            }
        }
        self.spare = 0;
        self.merge();
    }

    /// What came of it so far.
    pub fn exposed(&self) -> Exposed {
        self.exposed
    }

    fn expose(&mut self, day: Day, newest: &[usize]) {
        for group in &self.groups {
            let open = &self.comes[group.held][group.has..newest[group.held]];
            for exploited in open.iter().flatten() {
                let hosts = u64::from(group.hosts);
                self.exposed.host_days += hosts;
                self.exposed.host_days_since += if day >= *exploited { hosts } else { 0 };
                self.exposed.hit += if day == *exploited { hosts } else { 0 };
            }
        }
    }

    fn pending(&self, known: &Known, newest: &[usize]) -> Vec<Pending> {
        let of = |(place, group): (usize, &Group)| {
            let held = self.estate.held[group.held];
            let open = group.has..newest[group.held];
            let first = self.software[held.software].updates.get(open.clone()).and_then(<[_]>::first)?;
            let scores = &known.0[held.software][open.clone()];
            let mut scores = scores.iter().fold(Scores::default(), |sum, one| sum.and(one));
            scores.comes = self.comes[group.held][open].iter().map(|days| days.len() as u64).sum();
            Some(Pending {
                group: place,
                place: (group.held, group.has),
                offered: first.offered,
                minutes: u64::from(held.minutes),
                hosts: u64::from(group.hosts),
                scores,
            })
        };
        self.groups.iter().enumerate().filter_map(of).collect()
    }

    /// Hosts that have the same are one group.
    fn merge(&mut self) {
        let mut hosts: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for group in self.groups.iter().filter(|group| group.hosts > 0) {
            *hosts.entry((group.held, group.has)).or_default() += group.hosts;
        }
        self.groups = hosts.into_iter().map(|((held, has), hosts)| Group { held, has, hosts }).collect();
    }
}

/// Sorted, so that the same update stands in the same place whoever reads it: by the day, then by what it closes.
pub fn in_order(updates: &mut [Update]) {
    updates.sort_by_key(|update| (update.offered, Reverse(update.closes.len())));
}

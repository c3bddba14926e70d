//! Public history as it became known, readable only as of a day.
//!
//! Every fact carries the day on which it was public. A [`History`] shows none of them: the one reader is
//! [`History::on`], whose [`KnownBy`] ends with that day. What came later is kept for two purposes that are types of
//! their own: to judge what was foreseen ([`Outcomes`](crate::Outcomes)) and to prove that nothing looks ahead
//! ([`History::with_other_future`]).

use tenon_model::{Automatable, Exploitation, Probability, TechnicalImpact};

use crate::{CveId, Day, Known, known::Summary};

/// Place of a CVE in one history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cve(pub(crate) u32);

/// A list in which a CVE was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sighting {
    /// Public repositories hold an exploit or a proof of concept.
    PublicExploit,
    /// An exploitation framework has a module.
    Framework,
    /// Its record was published.
    Record,
}

/// One thing that became known of a CVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// EPSS scored it so.
    Scored(Probability),
    /// EPSS has no score of it any more: it left the feed, or its day's file lacks it.
    Unscored,
    /// CISA's catalogue lists it.
    Listed,
    /// CISA took it back.
    Delisted,
    /// A list has it.
    Seen(Sighting),
    /// A list had it when the list began: it may be much older.
    SeenBefore(Sighting),
    /// A record states this CVSS base score, in tenths.
    Cvss(u8),
    /// A record states that it was published on that day. The fact is known when the record is, which may be later.
    Published(Day),
    /// CISA's decision points.
    Ssvc(Points),
}

/// SSVC decision points of a CVE as CISA states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// Exploitation.
    pub exploitation: Exploitation,
    /// Automatable, where stated.
    pub automatable: Option<Automatable>,
    /// Technical impact, where stated.
    pub technical_impact: Option<TechnicalImpact>,
}

/// A fact and the day from whose end it was public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// When it became known.
    pub known: Day,
    /// What became known.
    pub fact: Fact,
}

/// A day of EPSS scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Day of the scores, as EPSS writes it.
    pub scored: Day,
    /// From the end of this day they were public.
    pub known: Day,
    /// Model version.
    pub model: String,
}

/// Everything that became known, by CVE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    ids: Vec<CveId>,
    /// Where the facts of each CVE begin; one more at the end.
    starts: Vec<u32>,
    /// By CVE, then by the day they became known; of one day in the order they were given.
    facts: Vec<Dated>,
    snapshots: Vec<Snapshot>,
    listings_until: Option<Day>,
}

/// Gathers facts in any order.
#[derive(Debug, Default)]
pub struct HistoryBuilder {
    facts: Vec<(CveId, Dated)>,
    snapshots: Vec<Snapshot>,
    listings_until: Option<Day>,
}

impl HistoryBuilder {
    /// Adds a fact. Of facts that became known on one day a later call counts as the newer.
    pub fn add(&mut self, cve: CveId, known: Day, fact: Fact) {
        self.facts.push((cve, Dated { known, fact }));
    }

    /// Adds a day of scores; its scores are added one by one.
    pub fn snapshot(&mut self, snapshot: Snapshot) {
        self.snapshots.push(snapshot);
    }

    /// CISA's catalogue is complete up to the end of this day.
    pub fn listings_until(&mut self, day: Day) {
        self.listings_until = Some(day);
    }

    /// The history.
    pub fn build(mut self) -> History {
        self.facts.sort_by_key(|(cve, dated)| (*cve, dated.known));
        self.snapshots.sort_by_key(|snapshot| snapshot.known);
        let mut history =
            History { snapshots: self.snapshots, listings_until: self.listings_until, ..History::default() };
        history.facts.reserve_exact(self.facts.len());
        for (cve, dated) in self.facts {
            if history.ids.last() != Some(&cve) {
                history.ids.push(cve);
                history.starts.push(u32::try_from(history.facts.len()).unwrap_or(u32::MAX));
            }
            history.facts.push(dated);
        }
        history.starts.push(u32::try_from(history.facts.len()).unwrap_or(u32::MAX));
        history
    }
}

impl History {
    /// What was known when `day` ended: the only way to read.
    pub fn on(&self, day: Day) -> KnownBy<'_> {
        KnownBy { history: self, day }
    }

    /// CVEs of the whole history; which of them exist on a day is a question to [`KnownBy`].
    pub fn cves(&self) -> impl ExactSizeIterator<Item = Cve> + use<> {
        (0..u32::try_from(self.ids.len()).unwrap_or(u32::MAX)).map(Cve)
    }

    /// The place of a CVE, if anything is ever known of it.
    pub fn find(&self, id: CveId) -> Option<Cve> {
        self.ids.binary_search(&id).ok().and_then(|place| u32::try_from(place).ok()).map(Cve)
    }

    /// The id of a CVE of this history.
    pub fn id(&self, cve: Cve) -> CveId {
        self.ids[cve.0 as usize]
    }

    /// The days of EPSS scores, earliest first. Their dates are a calendar, not a fact about a CVE.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// CISA's catalogue is complete up to the end of this day.
    pub fn listings_until(&self) -> Option<Day> {
        self.listings_until
    }

    /// Facts held.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The same past up to the end of `day`, and another future: facts known later are dropped or turned into their
    /// opposite, as `seed` decides, and half of all CVEs are listed the day after. Whatever is computed as of `day` must
    /// be the same on both: that is how a look ahead is caught.
    #[must_use]
    pub fn with_other_future(&self, day: Day, seed: u64) -> Self {
        let mut builder = HistoryBuilder {
            snapshots: self.snapshots.clone(),
            listings_until: self.listings_until,
            ..HistoryBuilder::default()
        };
        for cve in self.cves() {
            let id = self.id(cve);
            for dated in self.all(cve) {
                let turn = crate::draw::hash(seed ^ id.key(), u64::from(dated.known.number().unsigned_abs()));
                let fact = match dated.fact {
                    _ if dated.known <= day => Some(dated.fact),
                    Fact::Scored(score) if !turn.is_multiple_of(4) => {
                        Probability::from_ppm(Probability::ONE.ppm() - score.ppm()).map(Fact::Scored)
                    }
                    Fact::Published(_) if !turn.is_multiple_of(4) => Some(Fact::Published(day.plus(-3))),
                    Fact::Seen(sighting) if !turn.is_multiple_of(4) => Some(Fact::SeenBefore(sighting)),
                    _ => None,
                };
                if let Some(fact) = fact {
                    builder.add(id, dated.known, fact);
                }
            }
            let turn = crate::draw::hash(seed, id.key());
            if turn.is_multiple_of(2) {
                builder.add(id, day.plus(1), Fact::Listed);
            }
            if turn.is_multiple_of(3) {
                builder.add(id, day.plus(1), Fact::SeenBefore(Sighting::PublicExploit));
            }
        }
        builder.build()
    }

    /// This history and further facts; of facts that became known on one day these count as the newer.
    #[must_use]
    pub fn with(&self, mut further: Vec<(CveId, Dated)>) -> Self {
        further.sort_by_key(|(cve, dated)| (*cve, dated.known));
        let mut builder = HistoryBuilder {
            facts: Vec::with_capacity(self.facts.len() + further.len()),
            snapshots: self.snapshots.clone(),
            listings_until: self.listings_until,
        };
        let mut further = further.into_iter().peekable();
        for cve in self.cves() {
            let id = self.id(cve);
            while let Some(other) = further.next_if(|(other, _)| *other < id) {
                builder.facts.push(other);
            }
            builder.facts.extend(self.all(cve).iter().map(|dated| (id, *dated)));
            while let Some(own) = further.next_if(|(other, _)| *other == id) {
                builder.facts.push(own);
            }
        }
        builder.facts.extend(further);
        builder.build()
    }

    /// The day on which the first scores of this history were known: what was scored then may be much older.
    pub(crate) fn begins(&self) -> Option<Day> {
        self.snapshots.first().map(|first| first.known)
    }

    /// All facts of a CVE, whatever their day. Not public: see the module's first lines.
    pub(crate) fn all(&self, cve: Cve) -> &[Dated] {
        let place = cve.0 as usize;
        let range = self.starts[place] as usize..self.starts[place + 1] as usize;
        &self.facts[range]
    }
}

/// What was known when a day ended.
#[derive(Debug, Clone, Copy)]
pub struct KnownBy<'h> {
    history: &'h History,
    day: Day,
}

impl<'h> KnownBy<'h> {
    /// The day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// What was known of a CVE, oldest first. Empty: on that day nobody could name it.
    pub fn facts(&self, cve: Cve) -> &'h [Dated] {
        let all = self.history.all(cve);
        &all[..all.partition_point(|dated| dated.known <= self.day)]
    }

    /// The CVEs of which anything was known.
    pub fn cves(&self) -> impl Iterator<Item = (Cve, Known)> + use<'h> {
        let known = *self;
        self.history.cves().filter_map(move |cve| Some((cve, known.get(cve)?)))
    }

    /// What was known of a CVE, if anything.
    pub fn get(&self, cve: Cve) -> Option<Known> {
        let facts = self.facts(cve);
        let id = self.history.id(cve);
        (!facts.is_empty()).then(|| Known::new(id, self.day, Summary::of(id, facts, self.history.begins())))
    }

    /// The newest day of scores known.
    pub fn snapshot(&self) -> Option<&'h Snapshot> {
        let snapshots = &self.history.snapshots;
        snapshots[..snapshots.partition_point(|snapshot| snapshot.known <= self.day)].last()
    }
}

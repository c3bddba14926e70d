//! What was known of one CVE when a day ended.

use tenon_model::Probability;

use crate::{CveId, Dated, Day, Fact, Points, Sighting};

/// How exactly a first day is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The list had it on that day and not on the day before that was looked at.
    OnThatDay,
    /// The list began on that day.
    OnOrBefore,
}

/// What was known of one CVE when a day ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    id: CveId,
    day: Day,
    /// Of the facts that were known by the day.
    summary: Summary,
}

/// The facts of one CVE in short: what questions to [`Known`] are answered from, so that no question reads the facts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    score: Option<Probability>,
    listed: bool,
    exploit: Option<(Day, Bound)>,
    framework: Option<(Day, Bound)>,
    record: Option<(Day, Bound)>,
    cvss: Option<u8>,
    points: Option<Points>,
    published: Option<Day>,
    /// The earliest day from which a list had it.
    named: Option<Day>,
}

impl Summary {
    /// Of facts, oldest first. `begins`: see [`Summary::take`].
    pub(crate) fn of(id: CveId, facts: &[Dated], begins: Option<Day>) -> Self {
        let mut summary = Self::default();
        for dated in facts {
            summary.take(id, *dated, begins);
        }
        summary
    }

    /// Takes in a fact that became known after all that it holds. What was scored on the day `begins` may be much older than
    /// the scores.
    pub(crate) fn take(&mut self, id: CveId, dated: Dated, begins: Option<Day>) {
        let Dated { known, fact } = dated;
        match fact {
            Fact::Scored(score) => {
                self.score = Some(score);
                self.name(if Some(known) == begins { id.likely_named(known) } else { known });
            }
            Fact::Unscored => self.score = None,
            Fact::Listed => self.listed = true,
            Fact::Delisted => self.listed = false,
            Fact::Seen(sighting) => {
                self.seen_mut(sighting).get_or_insert((known, Bound::OnThatDay));
                if sighting != Sighting::Record {
                    self.name(known);
                }
            }
            Fact::SeenBefore(sighting) => {
                self.seen_mut(sighting).get_or_insert((known, Bound::OnOrBefore));
                self.name(id.likely_named(known));
            }
            Fact::Cvss(tenths) => self.cvss = Some(tenths),
            Fact::Published(day) => self.published = Some(day),
            Fact::Ssvc(points) => self.points = Some(points),
        }
    }

    fn name(&mut self, day: Day) {
        self.named = Some(self.named.map_or(day, |named| named.min(day)));
    }

    fn seen_mut(&mut self, sighting: Sighting) -> &mut Option<(Day, Bound)> {
        match sighting {
            Sighting::PublicExploit => &mut self.exploit,
            Sighting::Framework => &mut self.framework,
            Sighting::Record => &mut self.record,
        }
    }
}

impl Known {
    pub(crate) fn new(id: CveId, day: Day, summary: Summary) -> Self {
        Self { id, day, summary }
    }

    /// What is known of a CVE from elsewhere than a history: facts, oldest first, of which those that became known after
    /// `day` are left out, and the day from which it could be named.
    pub fn from_facts(id: CveId, facts: &[Dated], day: Day, named: Day) -> Self {
        let facts = &facts[..facts.partition_point(|dated| dated.known <= day)];
        let summary = Summary { named: Some(named.min(day)), ..Summary::of(id, facts, None) };
        Self { id, day, summary }
    }

    /// Its id.
    pub fn id(&self) -> CveId {
        self.id
    }

    /// The day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Its EPSS score.
    pub fn score(&self) -> Option<Probability> {
        self.summary.score
    }

    /// Whether CISA's catalogue lists it.
    pub fn is_listed(&self) -> bool {
        self.summary.listed
    }

    /// The first day on which a list had it, and whether that is only an upper bound.
    pub fn seen(&self, sighting: Sighting) -> Option<(Day, Bound)> {
        match sighting {
            Sighting::PublicExploit => self.summary.exploit,
            Sighting::Framework => self.summary.framework,
            Sighting::Record => self.summary.record,
        }
    }

    /// Its CVSS base score in tenths, the newest stated.
    pub fn cvss(&self) -> Option<u8> {
        self.summary.cvss
    }

    /// CISA's decision points, the newest stated.
    pub fn points(&self) -> Option<Points> {
        self.summary.points
    }

    /// When it was published, as a record known by this day states it.
    pub fn published(&self) -> Option<Day> {
        self.summary.published
    }

    /// The day from which it could be named, by lists that have every CVE or do not choose by exploitation in the wild
    /// (scores, exploits). What a list had when it began is dated to the middle of the time in which its id can have been
    /// published. The publication of its record counts only where no list has it.
    pub fn first_named(&self) -> Day {
        self.summary.named.or(self.summary.record.map(|(day, _)| day)).unwrap_or(self.day)
    }
}

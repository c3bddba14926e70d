//! What the model foresees of a vulnerability by what the store holds.
//!
//! ```text
//! feeds: how far they reach --> day of the forecast --> model that could be used on it
//! facts of a vulnerability, advisories that name it --> what was known by that day --> probability
//! ```

use std::collections::BTreeMap;

use tenon_model::{Advisory, Foreseen, Timestamp, VulnerabilityId};
use tenon_predict::{CveId, Dated, Day, Fact, Known, Model, ModelFile, Sighting};

use crate::name::{EvidenceKind, FeedName};
use crate::store::{FeedState, VulnerabilityFacts};

/// Vulnerabilities that somebody asks about, and since when advisories name each.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a>(BTreeMap<&'a VulnerabilityId, Option<Timestamp>>);

impl<'a> Asked<'a> {
    /// Asks about these, too.
    pub fn about(&mut self, ids: impl IntoIterator<Item = &'a VulnerabilityId>) {
        for id in ids {
            self.0.entry(id).or_default();
        }
    }

    /// Asks about all that these advisories address. What an advisory addresses had a name when it was published.
    pub fn advised(&mut self, advisories: &'a [Advisory]) {
        for advisory in advisories {
            for id in advisory.vulnerabilities() {
                let named = self.0.entry(id).or_default();
                *named = [*named, advisory.published].into_iter().flatten().min();
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a VulnerabilityId, Option<Timestamp>)> {
        self.0.iter().map(|(id, named)| (*id, *named))
    }
}

/// The day to which the feeds reach and what was learned before it: what is needed to foresee.
#[derive(Debug, Clone, Copy)]
pub struct Foresight<'m> {
    model: &'m Model,
    day: Day,
}

impl<'m> Foresight<'m> {
    /// By the newest model that could be used on the day after the newest scores and the newest catalogue; days that no feed has
    /// seen yet would make every vulnerability look older than what is known of it.
    ///
    /// `None` where the store never had the scores and the catalogue, from which every model learned, or where no model is old
    /// enough.
    pub fn of(models: &'m ModelFile, states: &[FeedState], now: Timestamp) -> Option<Self> {
        let reach = |feed: &FeedName| {
            let state = states.iter().find(|state| state.feed == *feed && state.fetched.is_some())?;
            state.as_of.and_then(Day::of)
        };
        let day = reach(&FeedName::Epss)?.max(reach(&FeedName::Kev)?).plus(1).min(Day::of(now)?);
        Some(Self { model: models.on(day)?, day })
    }

    /// The day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// What is foreseen of it. Nothing of what is no CVE, and nothing of what CISA lists already.
    pub fn of_one(
        &self,
        id: &VulnerabilityId,
        facts: &VulnerabilityFacts,
        advised: Option<Timestamp>,
    ) -> Option<Foreseen> {
        let id: CveId = id.as_str().parse().ok().filter(|_| facts.kev.is_none())?;
        let (dated, named) = known_by(id, facts, advised, self.day);
        let known = Known::from_facts(id, &dated, self.day, named);
        let probability = self.model.forecast_only(&known);
        Some(Foreseen { probability, model: self.model.version.clone(), day: self.day.start() })
    }
}

/// What a store knows of a CVE, as facts known by `day`, and the day from which it could be named. `advised` is when the first
/// advisory that addresses it was published.
pub fn known_by(
    id: CveId,
    facts: &VulnerabilityFacts,
    advised: Option<Timestamp>,
    day: Day,
) -> (Vec<Dated>, Day) {
    let mut dated = Vec::new();
    let published = facts.record.as_ref().and_then(|record| record.published);
    let mut named: Option<Day> = [published, advised].into_iter().flatten().filter_map(Day::of).min();
    for evidence in &facts.evidence {
        let sighting = match evidence.kind {
            EvidenceKind::GithubPoc => Sighting::PublicExploit,
            EvidenceKind::Metasploit => Sighting::Framework,
            EvidenceKind::ExploitDb | EvidenceKind::InTheWild => continue,
        };
        let Some(seen) = evidence.first_seen.and_then(Day::of) else { continue };
        let (fact, at) = if evidence.on_or_before {
            (Fact::SeenBefore(sighting), id.likely_named(seen))
        } else {
            (Fact::Seen(sighting), seen)
        };
        named = Some(named.map_or(at, |named| named.min(at)));
        dated.push(Dated { known: seen, fact });
    }
    if let Some(kev) = facts.kev.as_ref().and_then(|kev| Day::of(kev.added)) {
        dated.push(Dated { known: kev, fact: Fact::Listed });
    }
    if let Some(epss) = &facts.epss {
        dated.push(Dated { known: day, fact: Fact::Scored(epss.score) });
    }
    dated.sort_by_key(|dated| dated.known);
    (dated, named.unwrap_or_else(|| id.likely_named(day)))
}

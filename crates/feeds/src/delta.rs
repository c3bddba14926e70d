//! What a store knows that differs from what is known elsewhere. A store that has not changed gives empty deltas.
//!
//! What a source fails to spell stays in the store as it last could be read, so that nothing is withdrawn for it.

use std::collections::BTreeMap;

use tenon_model::{
    Advisory, AdvisoryDelta, Intel, IntelDelta, Probability, Profile, Timestamp, VulnerabilityId,
};

/// New, changed and withdrawn advisories, each list sorted by id. A known advisory that is not in `now` is withdrawn.
pub fn advisory_delta<'a>(known: impl Iterator<Item = &'a Advisory>, now: Vec<Advisory>) -> AdvisoryDelta {
    let mut fresh: BTreeMap<VulnerabilityId, Advisory> =
        now.into_iter().map(|advisory| (advisory.id.clone(), advisory)).collect();
    let mut withdrawn = Vec::new();
    for known in known {
        match fresh.get(&known.id) {
            Some(now) if now == known => {
                fresh.remove(&known.id);
            }
            Some(_) => {}
            None => withdrawn.push(known.id.clone()),
        }
    }
    withdrawn.sort();
    AdvisoryDelta { published: fresh.into_values().collect(), withdrawn }
}

/// What differs between known intel and `now`: a delta for each source that has any, each list sorted by id. A known
/// vulnerability that is not in `now` loses its intel: nothing names it any more.
///
/// A score or a forecast that is the same under the same model stays as it is known, with its older day: only a change is news.
pub fn intel_deltas<'a>(
    known: impl Iterator<Item = (&'a VulnerabilityId, &'a Intel)>,
    now: &BTreeMap<VulnerabilityId, Intel>,
) -> Vec<IntelDelta> {
    let known: BTreeMap<&VulnerabilityId, &Intel> = known.collect();
    let empty = Intel::default();
    let before = |id: &VulnerabilityId| known.get(id).copied().unwrap_or(&empty);
    let gone =
        known.iter().filter(|(id, _)| !now.contains_key(**id)).map(|(id, intel)| (*id, *intel, &empty));
    let here = now.iter().map(|(id, intel)| (id, before(id), intel));
    let mut changes = Changes::default();
    for (id, before, now) in here.chain(gone) {
        changes.note(id, before, now);
    }
    changes.deltas()
}

/// Probabilities that came and went, apart by the day and the model that they are of: a delta speaks of one of each.
#[derive(Default)]
struct ByDay(BTreeMap<(Timestamp, String), Moved>);

/// What came and what went, of one day and model.
#[derive(Default)]
struct Moved {
    came: Vec<(VulnerabilityId, Probability)>,
    went: Vec<VulnerabilityId>,
}

/// A probability, with its day and model.
type OfDay<'a> = (Probability, Timestamp, &'a str);

impl ByDay {
    fn note(&mut self, id: &VulnerabilityId, before: Option<OfDay<'_>>, now: Option<OfDay<'_>>) {
        match (before, now) {
            (Some((before, _, of)), Some((now, _, by))) if before == now && of == by => {}
            (_, Some((now, day, model))) => self.of(day, model).came.push((id.clone(), now)),
            (Some((_, day, model)), None) => self.of(day, model).went.push(id.clone()),
            (None, None) => {}
        }
    }

    fn of(&mut self, day: Timestamp, model: &str) -> &mut Moved {
        self.0.entry((day, model.to_owned())).or_default()
    }

    /// A delta for each day and model, each list sorted by id.
    fn deltas(
        self,
        delta: impl Fn(Timestamp, String, Moved) -> IntelDelta,
    ) -> impl Iterator<Item = IntelDelta> {
        self.0.into_iter().map(move |((day, model), mut moved)| {
            moved.came.sort();
            moved.went.sort();
            delta(day, model, moved)
        })
    }
}

#[derive(Default)]
struct Changes {
    listed: Vec<(VulnerabilityId, tenon_model::Kev)>,
    retracted: Vec<VulnerabilityId>,
    scores: ByDay,
    stated: Vec<(VulnerabilityId, Profile)>,
    unstated: Vec<VulnerabilityId>,
    foreseen: ByDay,
}

impl Changes {
    fn note(&mut self, id: &VulnerabilityId, before: &Intel, now: &Intel) {
        match &now.kev {
            None if before.kev.is_some() => self.retracted.push(id.clone()),
            Some(kev) if before.kev.as_ref() != Some(kev) => self.listed.push((id.clone(), kev.clone())),
            _ => {}
        }
        // A score never goes back to an earlier day.
        let is_older =
            matches!((&before.epss, &now.epss), (Some(before), Some(now)) if before.scored > now.scored);
        if !is_older {
            let [was, is] = [&before.epss, &now.epss]
                .map(|epss| epss.as_ref().map(|said| (said.score, said.scored, said.model.as_str())));
            self.scores.note(id, was, is);
        }
        if before.profile != now.profile {
            if now.profile.is_empty() {
                self.unstated.push(id.clone());
            } else {
                self.stated.push((id.clone(), now.profile.clone()));
            }
        }
        let [was, is] = [&before.foreseen, &now.foreseen]
            .map(|foreseen| foreseen.as_ref().map(|said| (said.probability, said.day, said.model.as_str())));
        self.foreseen.note(id, was, is);
    }

    fn deltas(mut self) -> Vec<IntelDelta> {
        let mut deltas = Vec::new();
        if !self.listed.is_empty() || !self.retracted.is_empty() {
            self.listed.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.retracted.sort();
            deltas.push(IntelDelta::Kev { listed: self.listed, retracted: self.retracted });
        }
        // Before the scores that went into it: where a score alone would count, it would move every rank for a moment.
        deltas.extend(self.foreseen.deltas(|day, model, Moved { came, went }| IntelDelta::Forecast {
            model,
            day,
            foreseen: came,
            dropped: went,
        }));
        deltas.extend(self.scores.deltas(|scored, model, Moved { came, went }| IntelDelta::Epss {
            model,
            scored,
            scores: came,
            dropped: went,
        }));
        if !self.stated.is_empty() || !self.unstated.is_empty() {
            self.stated.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.unstated.sort();
            deltas.push(IntelDelta::Profile { stated: self.stated, dropped: self.unstated });
        }
        deltas
    }
}

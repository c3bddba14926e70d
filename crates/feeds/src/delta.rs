//! What a store knows that differs from what is known elsewhere. A store that has not changed gives empty deltas.
//!
//! What a source fails to spell stays in the store as it last could be read, so that nothing is withdrawn for it.

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{
    Advisory, AdvisoryDelta, Foreseen, Intel, IntelDelta, Probability, Profile, Timestamp, VulnerabilityId,
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

#[derive(Default)]
struct Changes {
    listed: Vec<(VulnerabilityId, tenon_model::Kev)>,
    retracted: Vec<VulnerabilityId>,
    /// By day and model.
    scores: BTreeMap<(Timestamp, String), Vec<(VulnerabilityId, Probability)>>,
    dropped: BTreeMap<(Timestamp, String), Vec<VulnerabilityId>>,
    stated: Vec<(VulnerabilityId, Profile)>,
    unstated: Vec<VulnerabilityId>,
    /// By day and model, too.
    foreseen: BTreeMap<(Timestamp, String), Vec<(VulnerabilityId, Probability)>>,
    unforeseen: BTreeMap<(Timestamp, String), Vec<VulnerabilityId>>,
}

impl Changes {
    fn note(&mut self, id: &VulnerabilityId, before: &Intel, now: &Intel) {
        match &now.kev {
            None if before.kev.is_some() => self.retracted.push(id.clone()),
            Some(kev) if before.kev.as_ref() != Some(kev) => self.listed.push((id.clone(), kev.clone())),
            _ => {}
        }
        match (&before.epss, &now.epss) {
            (Some(before), Some(now)) if before.score == now.score && before.model == now.model => {}
            // A score never goes back to an earlier day.
            (Some(before), Some(now)) if before.scored > now.scored => {}
            (_, Some(now)) => {
                let day = self.scores.entry((now.scored, now.model.clone())).or_default();
                day.push((id.clone(), now.score));
            }
            (Some(before), None) => {
                let day = self.dropped.entry((before.scored, before.model.clone())).or_default();
                day.push(id.clone());
            }
            (None, None) => {}
        }
        if before.profile != now.profile {
            if now.profile.is_empty() {
                self.unstated.push(id.clone());
            } else {
                self.stated.push((id.clone(), now.profile.clone()));
            }
        }
        self.note_foreseen(id, before.foreseen.as_ref(), now.foreseen.as_ref());
    }

    fn note_foreseen(&mut self, id: &VulnerabilityId, before: Option<&Foreseen>, now: Option<&Foreseen>) {
        match (before, now) {
            (Some(before), Some(now))
                if before.probability == now.probability && before.model == now.model => {}
            (_, Some(now)) => {
                let day = self.foreseen.entry((now.day, now.model.clone())).or_default();
                day.push((id.clone(), now.probability));
            }
            (Some(before), None) => {
                let day = self.unforeseen.entry((before.day, before.model.clone())).or_default();
                day.push(id.clone());
            }
            (None, None) => {}
        }
    }

    fn deltas(mut self) -> Vec<IntelDelta> {
        let mut deltas = Vec::new();
        if !self.listed.is_empty() || !self.retracted.is_empty() {
            self.listed.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.retracted.sort();
            deltas.push(IntelDelta::Kev { listed: self.listed, retracted: self.retracted });
        }
        // Before the scores that went into it: where a score alone would count, it would move every rank for a moment.
        let days: BTreeSet<_> = self.foreseen.keys().chain(self.unforeseen.keys()).cloned().collect();
        for at in days {
            let mut foreseen = self.foreseen.remove(&at).unwrap_or_default();
            let mut dropped = self.unforeseen.remove(&at).unwrap_or_default();
            foreseen.sort();
            dropped.sort();
            let (day, model) = at;
            deltas.push(IntelDelta::Forecast { model, day, foreseen, dropped });
        }
        let days: BTreeSet<_> = self.scores.keys().chain(self.dropped.keys()).cloned().collect();
        for day in days {
            let mut scores = self.scores.remove(&day).unwrap_or_default();
            let mut dropped = self.dropped.remove(&day).unwrap_or_default();
            scores.sort();
            dropped.sort();
            let (scored, model) = day;
            deltas.push(IntelDelta::Epss { model, scored, scores, dropped });
        }
        if !self.stated.is_empty() || !self.unstated.is_empty() {
            self.stated.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.unstated.sort();
            deltas.push(IntelDelta::Profile { stated: self.stated, dropped: self.unstated });
        }
        deltas
    }
}

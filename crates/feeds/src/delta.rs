//! What a feed changes in what is known. An unchanged feed gives an empty delta.

use std::collections::BTreeMap;

use tenon_model::{Advisory, AdvisoryDelta, Intel, IntelDelta, Kev, VulnerabilityId};

use crate::document::FeedDocument;
use crate::sources::EpssScores;

/// New, changed and withdrawn advisories, each list sorted by id. A known advisory that the feed no longer holds is
/// withdrawn, unless the feed failed to spell it.
pub fn advisory_delta<'a>(
    known: impl Iterator<Item = &'a Advisory>,
    feed: &FeedDocument<Vec<Advisory>>,
) -> AdvisoryDelta {
    let mut fresh: BTreeMap<&VulnerabilityId, &Advisory> =
        feed.content.iter().map(|advisory| (&advisory.id, advisory)).collect();
    let mut withdrawn = Vec::new();
    for known in known {
        match fresh.get(&known.id) {
            Some(now) if *now == known => {
                fresh.remove(&known.id);
            }
            Some(_) => {}
            None if feed.problems.proves_absence_of(&known.id) => withdrawn.push(known.id.clone()),
            None => {}
        }
    }
    withdrawn.sort();
    AdvisoryDelta { published: fresh.into_values().cloned().collect(), withdrawn }
}

/// New, changed and retracted entries of the KEV catalogue, each list sorted by id. An entry that the catalogue failed
/// to spell is not retracted.
pub fn kev_delta<'a>(
    known: impl Iterator<Item = (&'a VulnerabilityId, &'a Intel)>,
    feed: &FeedDocument<Vec<(VulnerabilityId, Kev)>>,
) -> IntelDelta {
    let mut fresh: BTreeMap<&VulnerabilityId, &Kev> =
        feed.content.iter().map(|(id, kev)| (id, kev)).collect();
    let mut retracted = Vec::new();
    for (id, intel) in known {
        let Some(known) = &intel.kev else { continue };
        match fresh.get(id) {
            Some(now) if *now == known => {
                fresh.remove(id);
            }
            Some(_) => {}
            None if feed.problems.proves_absence_of(id) => retracted.push(id.clone()),
            None => {}
        }
    }
    retracted.sort();
    let listed = fresh.into_iter().map(|(id, kev)| (id.clone(), kev.clone())).collect();
    IntelDelta::Kev { listed, retracted }
}

/// New and dropped EPSS scores, each list sorted by id.
///
/// A score that is the same under the same model stays as it is known, with its older day: only a change is news. A
/// score never goes back to an earlier day. A known score that this day lacks is dropped (the vulnerability left the
/// feed, or is no longer wanted), unless the day failed to spell it.
pub fn epss_delta<'a>(
    known: impl Iterator<Item = (&'a VulnerabilityId, &'a Intel)>,
    feed: &FeedDocument<EpssScores>,
) -> IntelDelta {
    let day = &feed.content;
    let mut fresh: BTreeMap<_, _> = day.scores.iter().map(|(id, score)| (id, *score)).collect();
    let mut dropped = Vec::new();
    for (id, intel) in known {
        let Some(known) = &intel.epss else { continue };
        if known.scored > day.scored {
            fresh.remove(id);
            continue;
        }
        match fresh.get(id) {
            Some(score) if *score == known.score && day.model == known.model => {
                fresh.remove(id);
            }
            Some(_) => {}
            None if feed.problems.proves_absence_of(id) => dropped.push(id.clone()),
            None => {}
        }
    }
    dropped.sort();
    let scores = fresh.into_iter().map(|(id, score)| (id.clone(), score)).collect();
    IntelDelta::Epss { model: day.model.clone(), scored: day.scored, scores, dropped }
}

/// Whether a delta changes nothing, so that there is nothing to record.
pub fn intel_delta_is_empty(delta: &IntelDelta) -> bool {
    match delta {
        IntelDelta::Kev { listed, retracted } => listed.is_empty() && retracted.is_empty(),
        IntelDelta::Epss { scores, dropped, .. } => scores.is_empty() && dropped.is_empty(),
    }
}

//! EPSS over time: the days of scores, every change of a score, and who left.

use tenon_formats::epss::probability;
use tenon_predict::{CveId, Dated, Fact, History, Snapshot};

use super::{Taking, cve, day};
use crate::error::FeedError;

/// Scores of a day are public by the end of the day after.
const LAG: i32 = 1;

/// `score_date,model_version,...`
pub(super) fn snapshots(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    taking.rows(file, ["score_date", "model_version"], |taking, [scored, model]| {
        Ok(day(scored).map(|scored| {
            let model = model.chars().take(40).collect();
            taking.builder.snapshot(Snapshot { scored, known: scored.plus(LAG), model });
            taking.snapshots.push(scored);
        }))
    })?;
    taking.snapshots.sort_unstable();
    taking.begins = taking.snapshots.first().copied();
    Ok(())
}

/// `score_date,cve,epss`: the first score of every CVE, then each change. Where the file of a whole day is at hand too,
/// a CVE that it lacks has no score on that day.
pub(super) fn changes(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    taking.rows(file, ["score_date", "cve", "epss"], |taking, [scored, id, score]| {
        let read = || {
            let score = probability(score).ok_or_else(|| format!("{score:?} is no score from 0 to 1"))?;
            Ok((day(scored)?, cve(id)?, score))
        };
        match read() {
            Ok((scored, id, score)) => {
                taking.add(id, scored.plus(LAG), Fact::Scored(score))?;
                Ok(Ok(()))
            }
            Err(reason) => Ok(Err(reason)),
        }
    })
}

/// `last_seen_score_date,cve`: gone from the next day of scores on.
pub(super) fn withdrawn(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    taking.rows(file, ["last_seen_score_date", "cve"], |taking, [last, id]| {
        let (last, id) = match (day(last), cve(id)) {
            (Ok(last), Ok(id)) => (last, id),
            (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
        };
        let next = taking.snapshots.partition_point(|scored| *scored <= last);
        // One that is missing since the last day of the history has not left yet.
        let Some(next) = taking.snapshots.get(next).copied() else { return Ok(Ok(())) };
        taking.add(id, next.plus(LAG), Fact::Unscored)?;
        Ok(Ok(()))
    })
}

/// Files of whole days, where they are at hand: a CVE that has a score by the changes and is not in its day's file had
/// none on that day, and its old one again on the next.
pub(super) fn absent(taking: &mut Taking<'_>, history: &History) -> Result<Vec<(CveId, Dated)>, FeedError> {
    let mut facts = Vec::new();
    for (place, snapshot) in history.snapshots().iter().enumerate() {
        let file = format!("epss/epss_scores-{}.csv.gz", snapshot.scored);
        if !taking.path(&file).is_file() {
            continue;
        }
        let mut present: Vec<CveId> = Vec::new();
        taking.lines(&file, |_, _, line| {
            if line.starts_with('#') || line.starts_with("cve,") {
                return Ok(Ok(()));
            }
            Ok(cve(line.split(',').next().unwrap_or_default()).map(|id| present.push(id)))
        })?;
        present.sort_unstable();
        let known_by = history.on(snapshot.known);
        for (place_in, known) in known_by.cves() {
            let Some(score) = known.score() else { continue };
            if present.binary_search(&known.id()).is_ok() {
                continue;
            }
            facts.push((known.id(), Dated { known: snapshot.known, fact: Fact::Unscored }));
            let Some(next) = history.snapshots().get(place + 1) else { continue };
            let newer = history.on(next.known).facts(place_in).len() > known_by.facts(place_in).len();
            if !newer {
                facts.push((known.id(), Dated { known: next.known, fact: Fact::Scored(score) }));
            }
        }
    }
    Ok(facts)
}

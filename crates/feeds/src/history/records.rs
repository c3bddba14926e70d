//! CVE and NVD records, and dates of publication.
//!
//! Each file is one state, so that all its fields are known from the day after its newest date. Only a date of
//! publication proves itself: the record was public from then on.

use std::collections::BTreeMap;

use serde::Deserialize;
use tenon_model::{Automatable, Exploitation, TechnicalImpact};
use tenon_predict::{CveId, Day, Fact, Points, Sighting};

use super::{Taking, cve, day};
use crate::error::FeedError;

/// `cve,published,published_source,...`: records of CVE and NVD. Dates that come from CISA's catalogue, or from lists that
/// hold few of all CVEs, would say which CVEs were exploited.
pub(super) fn published(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    taking.rows(file, ["cve", "published", "published_source"], |taking, [id, published, source]| {
        if !matches!(source, "cve" | "nvd") {
            return Ok(Ok(()));
        }
        match (cve(id), day(published)) {
            // Older records are in these files or not by whether they were enriched, often because of exploitation.
            (Ok(id), Ok(published)) if taking.begins.is_some_and(|begins| published >= begins) => {
                taking.add(id, published, Fact::Seen(Sighting::Record)).map(Ok)
            }
            (Ok(_), Ok(_)) => Ok(Ok(())),
            (Err(reason), _) | (_, Err(reason)) => Ok(Err(reason)),
        }
    })
}

#[derive(Deserialize)]
struct CveRecord<'r> {
    cve: &'r str,
    published: Option<&'r str>,
    updated: Option<&'r str>,
    #[serde(default)]
    cvss: Vec<Cvss>,
    ssvc: Option<Ssvc<'r>>,
}

#[derive(Deserialize)]
struct Cvss {
    score: Option<serde_json::Number>,
}

#[derive(Deserialize)]
struct Ssvc<'r> {
    exploitation: Option<&'r str>,
    automatable: Option<&'r str>,
    technical_impact: Option<&'r str>,
}

/// What a record says, until the date of its file is known.
type Said = (CveId, Fact);

/// CVE records with CVSS and CISA's decision points.
pub(super) fn cve_records(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    let mut said: Vec<Said> = Vec::new();
    let mut newest = None;
    taking.lines(file, |_, _, line| {
        let mut read = || -> Result<(), String> {
            let record: CveRecord<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let id = cve(record.cve)?;
            newest = newest.max(record.updated.and_then(|text| day(text).ok()));
            if let Some(published) = record.published {
                said.push((id, Fact::Published(day(published)?)));
            }
            if let Some(tenths) = record.cvss.iter().filter_map(|cvss| tenths(cvss.score.as_ref())).max() {
                said.push((id, Fact::Cvss(tenths)));
            }
            if let Some(points) = record.ssvc.as_ref().and_then(points) {
                said.push((id, Fact::Ssvc(points)));
            }
            Ok(())
        };
        Ok(read())
    })?;
    state_of_file(taking, said, newest)
}

#[derive(Deserialize)]
struct NvdRecord<'r> {
    cve: &'r str,
    published: Option<&'r str>,
    modified: Option<&'r str>,
    cvss3: Option<Cvss>,
}

/// NVD records. The file joins states of several times, told apart by the year of the id.
pub(super) fn nvd_records(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    let mut states: BTreeMap<u16, (Vec<Said>, Option<Day>)> = BTreeMap::new();
    taking.lines(file, |_, _, line| {
        let mut read = || -> Result<(), String> {
            let record: NvdRecord<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let id = cve(record.cve)?;
            let (said, newest) = states.entry(id.year()).or_default();
            *newest = (*newest).max(record.modified.and_then(|text| nvd_day(text).ok()));
            if let Some(published) = record.published {
                said.push((id, Fact::Published(nvd_day(published)?)));
            }
            if let Some(tenths) = record.cvss3.and_then(|cvss| tenths(cvss.score.as_ref())) {
                said.push((id, Fact::Cvss(tenths)));
            }
            Ok(())
        };
        Ok(read())
    })?;
    for (said, newest) in states.into_values() {
        state_of_file(taking, said, newest)?;
    }
    Ok(())
}

/// NVD's times have no seconds (`2020-10-06T13:15Z`), so that only their date is read.
fn nvd_day(text: &str) -> Result<Day, String> {
    day(text.get(..10).unwrap_or(text))
}

/// Everything a file says is known from the day after its newest date.
fn state_of_file(taking: &mut Taking<'_>, said: Vec<Said>, newest: Option<Day>) -> Result<(), FeedError> {
    let Some(newest) = newest else { return Ok(()) };
    for (id, fact) in said {
        taking.add(id, newest.plus(1), fact)?;
    }
    Ok(())
}

fn tenths(score: Option<&serde_json::Number>) -> Option<u8> {
    let tenths = (score?.as_f64()? * 10.0).round();
    (0.0..=100.0).contains(&tenths).then_some(tenths as u8)
}

fn points(ssvc: &Ssvc<'_>) -> Option<Points> {
    let text = |text: Option<&str>| text.map(str::to_ascii_lowercase);
    let exploitation = match text(ssvc.exploitation)?.as_str() {
        "poc" => Exploitation::PublicPoc,
        // "active" is dated on or after the listing: as an input it would be the answer.
        _ => Exploitation::None,
    };
    let automatable = match text(ssvc.automatable).as_deref() {
        Some("yes") => Some(Automatable::Yes),
        Some("no") => Some(Automatable::No),
        _ => None,
    };
    let technical_impact = match text(ssvc.technical_impact).as_deref() {
        Some("total") => Some(TechnicalImpact::Total),
        Some("partial") => Some(TechnicalImpact::Partial),
        _ => None,
    };
    Some(Points { exploitation, automatable, technical_impact })
}

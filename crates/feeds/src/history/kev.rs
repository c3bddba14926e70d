//! CISA's catalogue over time.

use serde::Deserialize;
use tenon_formats::kev::MAX_CATALOGUE;
use tenon_predict::{CveId, Day, Fact};

use super::{Taking, cve, day};
use crate::error::FeedError;
use crate::file::read_kev;

/// The catalogue: every entry is known from the day it was added.
pub(super) fn catalogue(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    let read = read_kev(file, taking.open(file)?, MAX_CATALOGUE as u64)?;
    taking.problems.append(read.problems);
    for (id, kev) in &read.entries {
        if let (Ok(id), Some(added)) = (CveId::try_from(id), Day::of(kev.added)) {
            taking.add(id, added, Fact::Listed)?;
        }
    }
    if let Some(until) = Day::of(read.released) {
        taking.builder.listings_until(until);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Change {
    event: String,
    #[serde(rename = "cveID")]
    id: String,
    #[serde(rename = "dateReleased")]
    released: String,
    #[serde(rename = "dateAdded")]
    added: Option<String>,
}

/// Differences between consecutive catalogues: what was taken back, and when what was taken back had been added.
pub(super) fn changes(taking: &mut Taking<'_>, file: &'static str) -> Result<(), FeedError> {
    taking.lines(file, |taking, _, line| {
        let read = || -> Result<Option<(CveId, Day, Fact)>, String> {
            let change: Change = serde_json::from_str(line).map_err(|error| error.to_string())?;
            Ok(match (change.event.as_str(), change.added.as_deref()) {
                ("added", Some(added)) => Some((cve(&change.id)?, day(added)?, Fact::Listed)),
                ("removed", _) => Some((cve(&change.id)?, day(&change.released)?, Fact::Delisted)),
                _ => None,
            })
        };
        match read() {
            Ok(None) => Ok(Ok(())),
            Ok(Some((id, known, fact))) => taking.add(id, known, fact).map(Ok),
            Err(reason) => Ok(Err(reason)),
        }
    })
}

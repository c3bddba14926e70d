//! What a folder holds of history, told without reading all of it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};
use tenon_predict::{Day, HORIZON};

use super::{RECORDS, Taking, epss, kev};
use crate::error::FeedError;

/// The folders of a history.
const FOLDERS: [&str; 5] = ["epss", "kev", "exploits", "timeline", "cve"];
/// Most files of one of them; years of daily files are some thousands.
const MAX_FILES: u64 = 100_000;

/// What there is of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The days on which scores became known, in order.
    pub days: Vec<Day>,
    /// The last day of which is known what was listed; `None` where the catalogue does not say.
    pub listings_until: Option<Day>,
    /// Whether the records are there too, which policies on CVSS and on published tables read.
    pub records: bool,
    /// Changes when any file is replaced: SHA-256 over names, lengths and times of change.
    pub stamp: String,
}

impl Survey {
    /// The days that can be judged: all that was listed in the [`HORIZON`] days after is known.
    pub fn complete(&self) -> impl Iterator<Item = Day> + '_ {
        let until = self.listings_until.map(|until| until.plus(-HORIZON));
        self.days.iter().copied().filter(move |day| until.is_some_and(|until| *day <= until))
    }
}

/// Looks what history a folder holds: the list of days and the catalogue are read, of other files only that they are there. Where
/// no file was replaced since `before`, it is that.
///
/// # Errors
/// When one of the two cannot be read, or a folder cannot be listed.
pub fn survey_history(folder: &Path, before: Option<&Survey>) -> Result<Survey, FeedError> {
    // Before they are read: what changes meanwhile counts as changed.
    let stamp = stamp(folder)?;
    if let Some(before) = before.filter(|before| before.stamp == stamp) {
        return Ok(before.clone());
    }
    let mut taking = Taking::of(folder);
    epss::snapshots(&mut taking, "epss/epss_snapshots.csv")?;
    kev::catalogue(&mut taking, "kev/known_exploited_vulnerabilities.json")?;
    let records = RECORDS.iter().all(|(file, _)| folder.join(file).is_file());
    let history = taking.builder.build();
    let days = history.snapshots().iter().map(|snapshot| snapshot.known).collect();
    Ok(Survey { days, listings_until: history.listings_until(), records, stamp })
}

fn stamp(folder: &Path) -> Result<String, FeedError> {
    let mut files = Vec::new();
    for part in FOLDERS {
        let path = folder.join(part);
        let failed = |source| FeedError::file("list", &path, source);
        let entries = match fs::read_dir(&path) {
            // What is needed and is not there is told by whoever reads it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for (number, entry) in (1..).zip(entries) {
            if number > MAX_FILES {
                return Err(FeedError::TooLarge {
                    feed: format!("history ({part})"),
                    what: "files",
                    limit: MAX_FILES,
                });
            }
            let entry = entry.map_err(failed)?;
            let about = entry.metadata().map_err(failed)?;
            let changed = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            files.push((part, entry.file_name(), about.len(), changed.unwrap_or_default()));
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for (part, name, length, changed) in files {
        hash.update(format!("{part}/{}\n{length}\n{changed:?}\n", name.display()));
    }
    Ok(hex::encode(hash.finalize()))
}

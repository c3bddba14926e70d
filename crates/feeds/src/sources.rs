//! Where feeds come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tenon_model::Timestamp;

use crate::error::FeedError;

/// Most bytes of an OSV archive as published.
pub(crate) const MAX_ARCHIVE: u64 = 1 << 30;
/// The public OSV bucket.
pub(crate) const OSV: &str = "https://storage.googleapis.com/osv-vulnerabilities";
/// CISA's catalogue, then CISA's own copy of it for networks that the first refuses.
pub(crate) const KEV: [&str; 2] = [
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
    "https://raw.githubusercontent.com/cisagov/kev-data/develop/known_exploited_vulnerabilities.json",
];
/// EPSS, current day.
pub(crate) const EPSS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

pub(crate) const KEV_FILE: &str = "known_exploited_vulnerabilities.json";
const EPSS_FILE: &str = "epss_scores-current.csv.gz";

/// Where feeds come from.
///
/// A mirror has the layout `osv/<Ecosystem>/all.zip`, `kev/known_exploited_vulnerabilities.json` and
/// `epss/epss_scores-current.csv.gz`; in a folder, `epss/epss_scores-<DATE>.csv.gz` will do, of which the newest counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A mirror in a local folder; read only.
    Mirror(PathBuf),
    /// The public feeds.
    Public,
    /// A mirror behind HTTP; the address of its root.
    Web(String),
}

impl FromStr for Source {
    type Err = FeedError;

    /// `public`, an `https://` or `http://` address, or a folder.
    fn from_str(text: &str) -> Result<Self, FeedError> {
        if text == "public" {
            Ok(Self::Public)
        } else if text.starts_with("https://") || text.starts_with("http://") {
            Ok(Self::Web(text.trim_end_matches('/').to_owned()))
        } else if text.is_empty() {
            let expected = "`public`, an https:// address or a folder";
            Err(FeedError::Request { value: String::new(), expected })
        } else {
            Ok(Self::Mirror(PathBuf::from(text)))
        }
    }
}

/// The current day of a mirror folder, or else the newest dated one.
pub(crate) fn newest_epss(folder: &Path) -> Result<PathBuf, FeedError> {
    let current = folder.join(EPSS_FILE);
    if current.is_file() {
        return Ok(current);
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(FeedError::NotMirrored { feed: "EPSS".to_owned(), path: current });
        }
        Err(error) => return Err(FeedError::file("list", folder, error)),
    };
    let mut newest: Option<(Timestamp, PathBuf)> = None;
    for entry in entries {
        let path = entry.map_err(|error| FeedError::file("list", folder, error))?.path();
        let day = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("epss_scores-")?.strip_suffix(".csv.gz"))
            .and_then(Timestamp::parse);
        if let Some(day) = day
            && newest.as_ref().is_none_or(|(known, _)| day > *known)
        {
            newest = Some((day, path));
        }
    }
    newest.map(|(_, path)| path).ok_or(FeedError::NotMirrored { feed: "EPSS".to_owned(), path: current })
}

//! Where feeds come from, and fetching each of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tenon_model::{Advisory, Digest, Kev, Probability, Timestamp, VulnerabilityId};

use crate::document::{FeedDocument, Origin};
use crate::error::FeedError;
use crate::fetch::{FeedFile, Place, Progress, obtain};
use crate::file::{read_epss, read_kev, read_osv_archive};

/// Most bytes of an OSV archive as published.
pub(crate) const MAX_ARCHIVE: u64 = 1 << 30;
/// Most bytes of the KEV catalogue as published.
const MAX_KEV: u64 = 64 << 20;
/// Most bytes of an EPSS day as published, gzipped.
const MAX_EPSS: u64 = 64 << 20;

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

/// The scores of one EPSS day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpssScores {
    /// Model version; scores of different models do not compare.
    pub model: String,
    /// Day of the scores (midnight UTC).
    pub scored: Timestamp,
    /// The wanted scores, sorted by id, one for each.
    pub scores: Vec<(VulnerabilityId, Probability)>,
}

/// Fetches what OSV says about `releases` (`Debian:12`), one archive for each ecosystem among them; advisories come
/// sorted by id.
///
/// # Errors
/// When a release is not spelt as OSV spells it, or an archive can neither be had nor read from its last good copy.
pub fn fetch_osv(
    source: &Source,
    cache: &Path,
    releases: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FeedDocument<Vec<Advisory>>, FeedError> {
    let mut documents = Vec::new();
    for ecosystem in ecosystems(releases)? {
        let file = osv_file(source, ecosystem);
        let (read, digest, origin) = obtain(&file, cache, progress, |bytes, progress| {
            read_osv_archive(&file.feed, bytes, releases, progress)
        })?;
        let (content, as_of, records, problems) = read;
        documents.push(FeedDocument { content, as_of, digest, records, problems, origin });
    }
    joined(documents).ok_or(FeedError::Request { value: String::new(), expected: "at least one release" })
}

/// Fetches CISA's catalogue; entries come sorted by id.
///
/// # Errors
/// When it can neither be had nor read from its last good copy.
pub fn fetch_kev(
    source: &Source,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FeedDocument<Vec<(VulnerabilityId, Kev)>>, FeedError> {
    let place = match source {
        Source::Mirror(folder) => Place::File(folder.join("kev").join(KEV_FILE)),
        Source::Public => Place::Addresses(KEV.map(str::to_owned).to_vec()),
        Source::Web(root) => Place::Addresses(vec![format!("{root}/kev/{KEV_FILE}")]),
    };
    let file = FeedFile { feed: "KEV".to_owned(), cache_name: "kev".to_owned(), limit: MAX_KEV, place };
    let (catalogue, digest, origin) = obtain(&file, cache, progress, |bytes, _| read_kev(&file.feed, bytes))?;
    Ok(FeedDocument {
        as_of: Some(catalogue.released),
        records: catalogue.entries.len() as u64,
        content: catalogue.entries,
        digest,
        problems: catalogue.problems,
        origin,
    })
}

/// Fetches the newest EPSS day and keeps the scores that `wanted` answers for: a day scores every CVE, a state needs
/// those that its advisories name.
///
/// # Errors
/// When it can neither be had nor read from its last good copy.
pub fn fetch_epss(
    source: &Source,
    cache: &Path,
    wanted: &dyn Fn(&VulnerabilityId) -> bool,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FeedDocument<EpssScores>, FeedError> {
    let place = match source {
        Source::Mirror(folder) => Place::File(newest_epss(&folder.join("epss"))?),
        Source::Public => Place::Addresses(vec![EPSS.to_owned()]),
        Source::Web(root) => Place::Addresses(vec![format!("{root}/epss/{EPSS_FILE}")]),
    };
    let file = FeedFile { feed: "EPSS".to_owned(), cache_name: "epss".to_owned(), limit: MAX_EPSS, place };
    let (day, digest, origin) =
        obtain(&file, cache, progress, |bytes, _| read_epss(&file.feed, bytes, wanted))?;
    Ok(FeedDocument {
        content: EpssScores { model: day.model, scored: day.scored, scores: day.scores },
        as_of: Some(day.scored),
        digest,
        records: day.rows,
        problems: day.problems,
        origin,
    })
}

/// The ecosystems of the releases. They become part of paths and addresses, so their letters are checked.
fn ecosystems(releases: &[String]) -> Result<BTreeSet<&str>, FeedError> {
    releases
        .iter()
        .map(|release| {
            let ecosystem = release.split(':').next().unwrap_or_default();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_');
            if ecosystem.starts_with(|c: char| c.is_ascii_alphabetic()) && ecosystem.chars().all(plain) {
                Ok(ecosystem)
            } else {
                let expected = "an OSV ecosystem with release, like Debian:12";
                Err(FeedError::Request { value: release.chars().take(80).collect(), expected })
            }
        })
        .collect()
}

fn osv_file(source: &Source, ecosystem: &str) -> FeedFile {
    let address = |root: &str| vec![format!("{root}/{}/all.zip", ecosystem.replace(' ', "%20"))];
    let place = match source {
        Source::Mirror(folder) => Place::File(folder.join("osv").join(ecosystem).join("all.zip")),
        Source::Public => Place::Addresses(address(OSV)),
        Source::Web(root) => Place::Addresses(address(&format!("{root}/osv"))),
    };
    FeedFile {
        feed: format!("OSV {ecosystem}"),
        cache_name: format!("osv-{}", ecosystem.replace(' ', "-")),
        limit: MAX_ARCHIVE,
        place,
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

/// Several archives as one document; `None` for none. It reaches as far as the one that reaches least.
fn joined(documents: Vec<FeedDocument<Vec<Advisory>>>) -> Option<FeedDocument<Vec<Advisory>>> {
    let several = documents.len() > 1;
    let mut digests = Vec::new();
    let whole = documents
        .into_iter()
        .inspect(|document| digests.extend_from_slice(document.digest.as_bytes()))
        .reduce(|mut whole, document| {
            whole.content.extend(document.content);
            whole.as_of = whole.as_of.min(document.as_of);
            whole.records = whole.records.saturating_add(document.records);
            whole.problems.append(document.problems);
            whole.origin = weaker(whole.origin, document.origin);
            whole
        });
    whole.map(|mut whole| {
        if several {
            whole.digest = Digest::of(&digests);
            // A record that affects releases of two ecosystems is in both archives, the same in each.
            whole.content.sort_by(|a, b| a.id.cmp(&b.id));
            whole.content.dedup_by(|later, kept| later.id == kept.id);
        }
        whole
    })
}

/// The origin that promises less.
fn weaker(one: Origin, other: Origin) -> Origin {
    match (one, other) {
        (Origin::LastGood { because: one }, Origin::LastGood { because: other }) => {
            Origin::LastGood { because: format!("{one}; {other}") }
        }
        (last @ Origin::LastGood { .. }, _) | (_, last @ Origin::LastGood { .. }) => last,
        (Origin::Fetched, _) | (_, Origin::Fetched) => Origin::Fetched,
        (one, _) => one,
    }
}

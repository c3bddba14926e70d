//! One feed file at hand, read into a document's content.

use std::io::{BufReader, Read, Seek};

use flate2::read::MultiGzDecoder;
use tenon_formats::epss::{self, EpssDay, MAX_DAY};
use tenon_formats::kev::{self, KevCatalogue, MAX_CATALOGUE};
use tenon_formats::{FormatError, Problems};
use tenon_model::{Advisory, Timestamp, VulnerabilityId};

use crate::archive;
use crate::error::FeedError;
use crate::fetch::Progress;

/// Reads an OSV archive (`all.zip` of the public OSV bucket) and keeps what it says about `releases` (`Debian:12`):
/// the advisories sorted by id, the newest `modified` of all records, how many records there were, and the problems.
///
/// # Errors
/// When it is no zip archive or goes beyond the bounds in entries or expanded bytes.
pub(crate) fn read_osv_archive(
    feed: &str,
    archive: impl Read + Seek,
    releases: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Vec<Advisory>, Option<Timestamp>, u64, Problems), FeedError> {
    let read = archive::read(feed, BufReader::new(archive), releases, progress)?;
    Ok((read.advisories, read.newest, read.records, read.problems))
}

/// Reads CISA's catalogue.
///
/// # Errors
/// When it cannot be read, is too large or is not of its format.
pub(crate) fn read_kev(feed: &str, catalogue: impl Read) -> Result<KevCatalogue, FeedError> {
    let bytes = read_bounded(feed, catalogue, MAX_CATALOGUE)?;
    kev::parse(&bytes).map_err(|source| format_error(feed, source))
}

/// Reads a gzipped EPSS day and keeps the scores that are `wanted`.
///
/// # Errors
/// When it cannot be unpacked, is too large or is not of its format.
pub(crate) fn read_epss(
    feed: &str,
    day: impl Read,
    wanted: &dyn Fn(&VulnerabilityId) -> bool,
) -> Result<EpssDay, FeedError> {
    let bytes = read_bounded(feed, MultiGzDecoder::new(BufReader::new(day)), MAX_DAY)?;
    epss::parse_wanted(&bytes, wanted).map_err(|source| format_error(feed, source))
}

/// Most bytes of a day, unpacked, when every score of it is kept; one held 11 MB in 2026.
const MAX_WHOLE_DAY: usize = 96 << 20;

/// Reads CISA's catalogue of at most `limit` bytes. The tighter bound keeps what a hostile one takes in memory small.
///
/// # Errors
/// When it cannot be read, is too large or is not of its format.
pub(crate) fn read_bounded_kev(
    feed: &str,
    catalogue: impl Read,
    limit: u64,
) -> Result<KevCatalogue, FeedError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_CATALOGUE);
    let bytes = read_bounded(feed, catalogue, limit)?;
    kev::parse(&bytes).map_err(|source| format_error(feed, source))
}

/// Reads every score of a gzipped EPSS day.
///
/// # Errors
/// When it cannot be unpacked, is too large or is not of its format.
pub(crate) fn read_bounded_epss(feed: &str, day: impl Read) -> Result<EpssDay, FeedError> {
    let bytes = read_bounded(feed, MultiGzDecoder::new(BufReader::new(day)), MAX_WHOLE_DAY)?;
    epss::parse(&bytes).map_err(|source| format_error(feed, source))
}

fn format_error(feed: &str, source: FormatError) -> FeedError {
    FeedError::Format { feed: feed.to_owned(), source }
}

fn read_bounded(feed: &str, source: impl Read, limit: usize) -> Result<Vec<u8>, FeedError> {
    let mut bytes = Vec::new();
    source
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| FeedError::Archive { feed: feed.to_owned(), reason: error.to_string() })?;
    if bytes.len() > limit {
        return Err(FeedError::TooLarge { feed: feed.to_owned(), what: "bytes", limit: limit as u64 });
    }
    Ok(bytes)
}

//! One feed file at hand, read into a document's content.

use std::io::{BufReader, Read};

use flate2::read::MultiGzDecoder;
use tenon_formats::FormatError;
use tenon_formats::epss::{self, EpssDay};
use tenon_formats::kev::{self, KevCatalogue, MAX_CATALOGUE};

use crate::error::FeedError;

/// Most bytes of a day, unpacked, when every score of it is kept; one held 11 MB in 2026.
const MAX_WHOLE_DAY: usize = 96 << 20;

/// Reads CISA's catalogue of at most `limit` bytes. The tighter bound keeps what a hostile one takes in memory small.
///
/// # Errors
/// When it cannot be read, is too large or is not of its format.
pub(crate) fn read_kev(feed: &str, catalogue: impl Read, limit: u64) -> Result<KevCatalogue, FeedError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_CATALOGUE);
    let bytes = read_bounded(feed, catalogue, limit)?;
    kev::parse(&bytes).map_err(|source| format_error(feed, source))
}

/// Reads every score of a gzipped EPSS day.
///
/// # Errors
/// When it cannot be unpacked, is too large or is not of its format.
pub(crate) fn read_epss(feed: &str, day: impl Read) -> Result<EpssDay, FeedError> {
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

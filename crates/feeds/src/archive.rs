//! Archives of records: a zip with one file for each, read one at a time.

use std::io::{self, Read, Seek, SeekFrom};

use tenon_formats::osv::MAX_RECORD;

use crate::error::FeedError;
use crate::fetch::Progress;

/// Most entries of an archive.
const MAX_ENTRIES: u64 = 1_000_000;
/// Most bytes of an archive's table of contents, which is held in memory while it is read.
const MAX_DIRECTORY: u64 = 128 << 20;
/// Most bytes that all records of an archive expand to.
const MAX_EXPANDED: u64 = 16 << 30;
/// Most bytes that a byte of an archive may expand to on average. Published archives reach 10; deflate can reach 1,032.
const MAX_RATIO: u64 = 100;
/// Expanded bytes that are free of that.
const FREE: u64 = 64 << 20;
/// Records between two words of progress.
const PROGRESS_STEP: u64 = 1_000;

/// What looks at each file of an archive: its name, and its bytes or why they cannot be had.
pub(crate) type Visit<'v> = dyn FnMut(&str, Result<&[u8], &str>) -> Result<(), FeedError> + 'v;

/// Gives each file of an archive to `visit`, with its bytes or why they cannot be had, and says how many there were.
/// What is longer than a record may be comes cut one byte beyond that, so that its parser sees and names it.
///
/// # Errors
/// When it is no zip archive, holds no file, goes beyond the bounds, or `visit` fails.
pub(crate) fn each(
    feed: &str,
    mut archive: impl Read + Seek,
    progress: &mut dyn FnMut(Progress<'_>),
    visit: &mut Visit<'_>,
) -> Result<u64, FeedError> {
    let broken = |reason: String| FeedError::Archive { feed: feed.to_owned(), reason };
    let most =
        MAX_EXPANDED.min(check_directory(feed, &mut archive)?.saturating_mul(MAX_RATIO).saturating_add(FREE));
    let mut zip = zip::ZipArchive::new(archive).map_err(|error| broken(error.to_string()))?;
    let of = zip.len() as u64;
    let mut records: u64 = 0;
    let mut expanded: u64 = 0;
    let mut bytes = Vec::new();
    for index in 0..zip.len() {
        if records.is_multiple_of(PROGRESS_STEP) {
            progress(Progress::Reading { feed, records, of });
        }
        let mut entry = match zip.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                records += 1;
                visit(&format!("archive entry {}", index + 1), Err(&error.to_string()))?;
                continue;
            }
        };
        if entry.is_dir() {
            continue;
        }
        records += 1;
        let name: String = entry.name().chars().filter(|c| !c.is_control()).take(200).collect();
        bytes.clear();
        // One byte more than a record may have, so that the parser sees and names what is too large.
        let outcome = entry.by_ref().take(MAX_RECORD as u64 + 1).read_to_end(&mut bytes);
        expanded = expanded.saturating_add(bytes.len() as u64);
        if expanded > most {
            return Err(FeedError::TooLarge { feed: feed.to_owned(), what: "expanded bytes", limit: most });
        }
        match outcome {
            Ok(_) => visit(&name, Ok(&bytes))?,
            Err(error) => visit(&name, Err(&format!("cannot be expanded: {error}")))?,
        }
    }
    progress(Progress::Reading { feed, records, of });
    if records == 0 {
        return Err(broken("it holds no record at all".to_owned()));
    }
    Ok(records)
}

/// Gives the length of an archive, and refuses one whose end record announces more than the bounds before the table of
/// contents is read into memory (zip file format, "end of central directory record" and its zip64 form). An archive comment is refused: it
/// could hide a second end record, and no published archive has one.
pub(crate) fn check_directory(feed: &str, archive: &mut (impl Read + Seek)) -> Result<u64, FeedError> {
    let broken = |reason: &str| FeedError::Archive { feed: feed.to_owned(), reason: reason.to_owned() };
    let failed = |error: io::Error| FeedError::Archive { feed: feed.to_owned(), reason: error.to_string() };
    let length = archive.seek(SeekFrom::End(0)).map_err(failed)?;
    let end_at = length.checked_sub(22).ok_or_else(|| broken("it is too short for a zip archive"))?;
    let end: [u8; 22] = read_at(archive, end_at).map_err(failed)?;
    if !end.starts_with(b"PK\x05\x06") || le(&end[20..22]) != 0 {
        return Err(broken("it does not end like a zip archive without comment; is it cut short?"));
    }
    let (mut entries, mut size, mut start) =
        (le(&end[8..10]).max(le(&end[10..12])), le(&end[12..16]), le(&end[16..20]));
    if entries == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
        let locator_at = end_at.checked_sub(20).ok_or_else(|| broken("its zip64 locator is missing"))?;
        let locator: [u8; 20] = read_at(archive, locator_at).map_err(failed)?;
        if locator.starts_with(b"PK\x06\x07") {
            let end64: [u8; 56] = read_at(archive, le(&locator[8..16])).map_err(failed)?;
            if !end64.starts_with(b"PK\x06\x06") {
                return Err(broken("its zip64 end record is missing"));
            }
            (entries, size, start) =
                (le(&end64[24..32]).max(le(&end64[32..40])), le(&end64[40..48]), le(&end64[48..56]));
        }
    }
    let limit = |what, limit| FeedError::TooLarge { feed: feed.to_owned(), what, limit };
    if entries > MAX_ENTRIES {
        return Err(limit("entries", MAX_ENTRIES));
    }
    if size > MAX_DIRECTORY {
        return Err(limit("bytes of contents table", MAX_DIRECTORY));
    }
    if start.checked_add(size).is_none_or(|end| end > end_at) {
        return Err(broken("its table of contents lies outside the file; is it cut short?"));
    }
    archive.rewind().map_err(failed)?;
    Ok(length)
}

fn read_at<const N: usize>(archive: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    archive.seek(SeekFrom::Start(at))?;
    archive.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number of up to eight bytes.
fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

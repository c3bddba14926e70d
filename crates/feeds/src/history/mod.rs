//! Years of public history, read from a folder into a store that answers only as of a day.
//!
//! Every fact is dated by when it became known, never by what the fact is about:
//!
//! - EPSS scores of day D are known at the end of D + 1. Files named by the score date were published the day after.
//! - CISA's listings are known on `dateAdded`; withdrawals on the release of the first catalogue without the entry.
//! - Lists of exploits: `first_seen`, the day on which the list first had it. Counts are as of the file and not read.
//! - Advisories: the day on which the distribution published them.
//! - Fields of CVE and NVD records: the newest date that their file holds, and the day after it. The record may state an
//!   older date, but the file is one state, written with knowledge of everything up to then.
//!
//! That a record *is* in a file says nothing here. Files that choose what they hold by exploitation (descriptions,
//! dates that come from the catalogue, overrides) are not read at all.

mod epss;
mod kev;
mod lists;
mod records;
mod survey;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use sha2::{Digest as _, Sha256};
use tenon_formats::{Problem, Problems};
use tenon_predict::{CveId, Day, Fact, History, HistoryBuilder};

use crate::ahead::Ahead;
use crate::error::FeedError;
use crate::lines::Lines;

pub use survey::{Survey, survey_history};

/// Most bytes of one file, unpacked; the largest had 130 MB.
const MAX_FILE: u64 = 2 << 30;
/// Most bytes of one file as it lies there; the largest had 10 MB.
const MAX_PACKED: u64 = 256 << 20;
/// Most facts of a whole history; it had 4,000,000 in 2026.
const MAX_FACTS: usize = 40_000_000;
/// Longest line, in bytes; the longest seen, of a record with its description, is below 64 KiB.
const MAX_LINE: usize = 1 << 20;

/// What is read besides scores, listings, exploits and advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Nothing: what a forecast wants.
    Lists,
    /// Fields of CVE and NVD records too: CVSS, decision points, dates of publication.
    Records,
}

/// A file of a history that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The file, within the folder.
    pub file: &'static str,
    /// Its place among the files, from 0.
    pub number: u64,
    /// How many files there are.
    pub of: u64,
}

/// A history, and what of its files could not be read.
#[derive(Debug)]
pub struct ReadHistory {
    /// The facts.
    pub history: History,
    /// What could not be read; the place names file and line.
    pub problems: Problems,
    /// SHA-256 over the names and contents of the files of lists, in their order; records are not among them.
    pub digest: String,
}

/// One reader for one file: its name in the folder, and how it is taken in.
type Part = (&'static str, fn(&mut Taking<'_>, &'static str) -> Result<(), FeedError>);

const LISTS: [Part; 6] = [
    ("epss/epss_snapshots.csv", epss::snapshots),
    ("epss/epss_changes.csv.xz", epss::changes),
    ("epss/epss_withdrawn.csv", epss::withdrawn),
    ("kev/known_exploited_vulnerabilities.json", kev::catalogue),
    ("kev/kev_changes.jsonl.gz", kev::changes),
    ("exploits", lists::exploits),
];
const RECORDS: [Part; 3] = [
    ("timeline/cve_timeline.csv.xz", records::published),
    ("cve/cve_records.jsonl.xz", records::cve_records),
    ("cve/nvd_records.jsonl.xz", records::nvd_records),
];

/// Reads the history in a folder laid out like a mirror of the feeds.
///
/// # Errors
/// When a file is missing, larger than accepted, cannot be unpacked or lacks a column. A line that cannot be read is a
/// problem and the rest is kept.
pub fn read_history(
    folder: &Path,
    depth: Depth,
    progress: &mut dyn FnMut(Reading),
) -> Result<ReadHistory, FeedError> {
    let mut taking = Taking::of(folder);
    let parts: Vec<Part> = match depth {
        Depth::Lists => LISTS.to_vec(),
        Depth::Records => LISTS.into_iter().chain(RECORDS).collect(),
    };
    for (number, (file, take)) in (0..).zip(&parts) {
        progress(Reading { file, number, of: parts.len() as u64 });
        take(&mut taking, file)?;
    }
    let history = std::mem::take(&mut taking.builder).build();
    let absent = epss::absent(&mut taking, &history)?;
    let history = if absent.is_empty() { history } else { history.with(absent) };
    let digest = hex::encode(taking.digest.borrow().clone().finalize());
    Ok(ReadHistory { history, problems: taking.problems, digest })
}

/// A history that is being taken in.
struct Taking<'f> {
    folder: &'f Path,
    builder: HistoryBuilder,
    facts: usize,
    problems: Problems,
    /// Days of scores, by day.
    snapshots: Vec<Day>,
    /// The first of them.
    begins: Option<Day>,
    /// Over the names and contents of the files of lists.
    digest: RefCell<Sha256>,
}

impl<'f> Taking<'f> {
    fn of(folder: &'f Path) -> Self {
        Self {
            folder,
            builder: HistoryBuilder::default(),
            facts: 0,
            problems: Problems::default(),
            snapshots: Vec::new(),
            begins: None,
            digest: RefCell::default(),
        }
    }

    fn add(&mut self, cve: CveId, known: Day, fact: Fact) -> Result<(), FeedError> {
        self.facts += 1;
        if self.facts > MAX_FACTS {
            return Err(FeedError::TooLarge {
                feed: "the history".to_owned(),
                what: "facts",
                limit: MAX_FACTS as u64,
            });
        }
        self.builder.add(cve, known, fact);
        Ok(())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn problem(&mut self, file: &str, line: u64, reason: String) {
        self.problems.push(Problem { place: format!("{file}: line {line}"), subject: None, reason });
    }

    /// Opens a file, unpacked and bounded.
    fn open(&self, file: &str) -> Result<Box<dyn BufRead>, FeedError> {
        let path = self.path(file);
        let open = File::open(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => {
                FeedError::NotMirrored { feed: format!("history ({file})"), path: path.clone() }
            }
            _ => FeedError::file("read", &path, source),
        })?;
        let mut packed = Vec::new();
        open.take(MAX_PACKED + 1)
            .read_to_end(&mut packed)
            .map_err(|source| FeedError::file("read", &path, source))?;
        if packed.len() as u64 > MAX_PACKED {
            return Err(FeedError::TooLarge { feed: file.to_owned(), what: "bytes", limit: MAX_PACKED });
        }
        if !RECORDS.iter().any(|(record, _)| *record == file) {
            let mut digest = self.digest.borrow_mut();
            digest.update(file.as_bytes());
            digest.update((packed.len() as u64).to_be_bytes());
            digest.update(&packed);
        }
        let packed = Cursor::new(packed);
        // Bounded after unpacking: a small file may unpack to any size.
        Ok(match Path::new(file).extension().and_then(|extension| extension.to_str()) {
            Some("xz") => {
                let unpacked = Ahead::of(XzReader::new(packed, false).take(MAX_FILE));
                Box::new(BufReader::with_capacity(1 << 16, unpacked))
            }
            Some("gz") => Box::new(BufReader::new(MultiGzDecoder::new(packed).take(MAX_FILE))),
            _ => Box::new(packed.take(MAX_FILE)),
        })
    }

    /// Reads the lines of a file. `take` says why a line cannot be read.
    fn lines(
        &mut self,
        file: &str,
        mut take: impl FnMut(&mut Self, u64, &str) -> Result<Result<(), String>, FeedError>,
    ) -> Result<(), FeedError> {
        let mut lines = Lines::new(self.open(file)?, MAX_LINE);
        loop {
            let number = lines.number() + 1;
            let line = lines.next().map_err(|error| broken(file, &error))?;
            let Some(line) = line else { return Ok(()) };
            if let Err(reason) = take(self, number, line)? {
                self.problem(file, number, reason);
            }
        }
    }

    /// Reads the rows of a CSV file without quotes: the values of `columns`, in that order.
    fn rows<const N: usize>(
        &mut self,
        file: &str,
        columns: [&'static str; N],
        mut take: impl FnMut(&mut Self, [&str; N]) -> Result<Result<(), String>, FeedError>,
    ) -> Result<(), FeedError> {
        let mut places = [usize::MAX; N];
        self.lines(file, |taking, number, line| {
            if number == 1 {
                for (place, column) in places.iter_mut().zip(columns) {
                    *place = line.split(',').position(|name| name.trim() == column).ok_or_else(|| {
                        let expected = "a column of this name on the first line";
                        let value = line.chars().take(80).collect();
                        let source = tenon_formats::FormatError::Field { field: column, value, expected };
                        FeedError::Format { feed: file.to_owned(), source }
                    })?;
                }
                return Ok(Ok(()));
            }
            let mut values = [""; N];
            for (at, cell) in line.split(',').enumerate() {
                for (value, place) in values.iter_mut().zip(places) {
                    if place == at {
                        *value = cell.trim();
                    }
                }
            }
            take(taking, values)
        })
    }
}

fn broken(file: &str, error: &std::io::Error) -> FeedError {
    FeedError::Archive { feed: file.to_owned(), reason: error.to_string() }
}

fn day(text: &str) -> Result<Day, String> {
    text.parse().map_err(|error: tenon_predict::DayError| error.to_string())
}

fn cve(text: &str) -> Result<CveId, String> {
    text.parse().map_err(|error: tenon_predict::CveIdError| error.to_string())
}

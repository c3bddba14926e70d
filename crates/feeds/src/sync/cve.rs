//! CVE records: an archive of a mirror, or the newest release of the CVE list.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use serde::Deserialize;
use tenon_formats::cve5::{self, CveRecord, CveState};
use tenon_formats::osv::subject_of_file;
use tenon_model::VulnerabilityId;

use crate::archive;
use crate::error::FeedError;
use crate::fetch::{Streamed, Wanted};
use crate::name::FeedName;
use crate::problem::Ledger;
use crate::store::{CveFacts, CvssVector, Swap};

use super::from::Location;
use super::{Change, Job};

/// Most bytes of the list as published, zipped; it held about half a gigabyte in 2026.
const MAX_LIST: u64 = 2 << 30;
/// Most bytes of the description of a release.
const MAX_RELEASE: u64 = 4 << 20;
/// The newest release of the CVE list (its repository publishes daily and hourly archives).
const RELEASE: &str = "https://api.github.com/repos/CVEProject/cvelistV5/releases/latest";
/// A mirror's archive: `cves/YEAR/NNxxx/CVE-*.json`, as in the repository of the list.
const MIRRORED: &str = "cve/cve5_records.zip";
/// Longest title kept, in characters.
const MAX_TITLE: usize = 200;

#[derive(Deserialize)]
struct Release {
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
struct Asset {
    name: String,
    browser_download_url: String,
}

pub(super) fn cve(job: &mut Job<'_>) -> Result<Change, FeedError> {
    const FEED: &str = "cve";
    let feed = FeedName::Cve;
    let location = if job.origin.is_public() {
        Location::Addresses(vec![newest_release(job)?])
    } else {
        job.origin.location(MIRRORED, &[])
    };
    // A release's archive never changes, so that the same address needs no download.
    if let Location::Addresses(addresses) = &location
        && job.origin.is_public()
        && let Some((state, cursor)) = job.store.feed(&feed)?
        && addresses.first() == Some(&state.origin)
    {
        job.store.confirm(&feed, &cursor, job.now)?;
        return Ok(Change::Unchanged);
    }
    let Some((fresh, _)) = job.fresh(&feed, &location, MAX_LIST)? else { return Ok(Change::Unchanged) };
    let (mut state, cursor) = job.stands(feed.clone(), &fresh);
    let mut ledger = Ledger::new(feed.clone());
    let archive = inner_archive(FEED, fresh.file, job)?;
    let label = fresh.origin.rsplit('/').next().unwrap_or_default();
    let swap = job.store.swap(&feed)?;
    let (mut records, mut kept) = (0, 0);
    archive::each(FEED, BufReader::new(archive), &mut *job.progress, &mut |entry, bytes| {
        if job.stop.is_said() {
            return Err(FeedError::Stopped { feed: FEED.to_owned() });
        }
        let name = entry.rsplit('/').next().unwrap_or_default();
        // The list also holds files about itself.
        if !name.starts_with("CVE-") && bytes.is_ok() {
            return Ok(());
        }
        records += 1;
        let read =
            record(&format!("{label}/{entry}"), subject_of_file(entry).as_ref(), bytes, &mut ledger, &swap)?;
        kept += u64::from(read.is_some());
        state.as_of = state.as_of.max(read.and_then(|record| record.updated.or(record.published)));
        Ok(())
    })?;
    if records == 0 {
        let reason = "it holds no CVE record at all".to_owned();
        return Err(FeedError::Archive { feed: FEED.to_owned(), reason });
    }
    state.records = records;
    ledger.some_read(FEED, kept)?;
    swap.drop_old_cves(&ledger)?;
    swap.finish(&state, &cursor, &ledger, true)?;
    Ok(Change::Replaced)
}

/// Reads and keeps one record.
fn record(
    file: &str,
    subject: Option<&VulnerabilityId>,
    bytes: Result<&[u8], &str>,
    ledger: &mut Ledger,
    swap: &Swap<'_>,
) -> Result<Option<CveRecord>, FeedError> {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(reason) => {
            let id = subject.map(ToString::to_string).unwrap_or_default();
            ledger.add(file, subject, &id, String::new(), reason.to_owned());
            return Ok(None);
        }
    };
    let record = match cve5::parse(bytes) {
        Ok(record) => record,
        Err(error) => {
            ledger.unreadable(file, subject, bytes, &error);
            return Ok(None);
        }
    };
    ledger.add_all(file, &record.problems, |_| true);
    if !swap.put_cve(&record.id, &facts(&record))? {
        let reason = "it is not a CVE id as the programme writes them".to_owned();
        ledger.note(file, record.id.as_str(), "cveMetadata.cveId".to_owned(), reason);
    }
    Ok(Some(record))
}

fn facts(record: &CveRecord) -> CveFacts {
    let cna = record.cna();
    let title = cna.map_or("", |cna| if cna.title.is_empty() { &cna.description } else { &cna.title });
    let mut cwes: Vec<u32> = record.containers.iter().flat_map(|part| part.cwes.iter().copied()).collect();
    cwes.sort_unstable();
    cwes.dedup();
    let vectors = record.containers.iter().flat_map(|part| {
        part.cvss.iter().map(|cvss| CvssVector {
            source: part.provider.clone(),
            is_cna: part.is_cna,
            version: cvss.version,
            vector: cvss.vector.clone(),
        })
    });
    CveFacts {
        rejected: record.state == CveState::Rejected,
        published: record.published,
        updated: record.updated,
        title: title.chars().take(MAX_TITLE).collect(),
        cvss: vectors.collect(),
        ssvc: record.ssvc().copied(),
        cwes,
    }
}

/// The address of the archive with all records in the newest release.
fn newest_release(job: &Job<'_>) -> Result<String, FeedError> {
    let wanted = Wanted { feed: "cve", address: RELEASE, limit: MAX_RELEASE };
    let read = |body: &mut dyn Read| -> io::Result<Release> {
        serde_json::from_reader(BufReader::new(body)).map_err(|error| match error.is_io() {
            true => io::Error::from(error),
            false => io::Error::new(io::ErrorKind::InvalidData, error),
        })
    };
    let release = match job.origin.getter().stream(wanted, None, read)? {
        Streamed::Read(release, _) => release,
        _ => Release { assets: Vec::new() },
    };
    let asset = release.assets.into_iter().find(|asset| asset.name.contains("_all_CVEs"));
    asset
        .map(|asset| asset.browser_download_url)
        .filter(|address| address.starts_with("https://"))
        .ok_or_else(|| {
            let reason = format!("{RELEASE} names no archive of all records");
            FeedError::Download { feed: "cve".to_owned(), reason }
        })
}

/// The archive itself, or the one archive that it holds: releases wrap `cves.zip` in another zip.
fn inner_archive(feed: &str, mut file: File, job: &Job<'_>) -> Result<File, FeedError> {
    let broken = |reason: String| FeedError::Archive { feed: feed.to_owned(), reason };
    let failed = |error| FeedError::file("expand in", job.store.folder(), error);
    archive::check_directory(feed, &mut BufReader::new(&mut file))?;
    {
        let mut zip =
            zip::ZipArchive::new(BufReader::new(&mut file)).map_err(|error| broken(error.to_string()))?;
        if zip.len() == 1
            && let Ok(entry) = zip.by_index(0)
            && entry.name().ends_with(".zip")
        {
            let mut inner = tempfile::tempfile_in(job.store.folder()).map_err(failed)?;
            let length = io::copy(&mut entry.take(MAX_LIST + 1), &mut inner)
                .map_err(|error| broken(format!("the archive in it cannot be expanded: {error}")))?;
            if length > MAX_LIST {
                return Err(FeedError::TooLarge { feed: feed.to_owned(), what: "bytes", limit: MAX_LIST });
            }
            inner.flush().and_then(|()| inner.rewind()).map_err(failed)?;
            return Ok(inner);
        }
    }
    file.rewind().map_err(failed)?;
    Ok(file)
}

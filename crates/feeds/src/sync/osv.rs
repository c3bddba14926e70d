//! OSV records of one ecosystem: the whole archive, or what changed since.
//!
//! Over HTTP a stored ecosystem is advanced by the list of changes and single records. The whole archive is read where
//! nothing is stored, too much has changed, the list cannot be read, and once a week: records that are deleted rather
//! than withdrawn are in no list of changes.

use std::io::{BufReader, Read};

use sha2::{Digest as _, Sha256};
use tenon_formats::FormatError;
use tenon_formats::osv::{self, MAX_RECORD, OsvRecord, subject_of_file, to_advisory};
use tenon_model::{Advisory, Digest, Timestamp, VulnerabilityId};

use crate::archive;
use crate::error::FeedError;
use crate::fetch::{Got, Progress, Streamed, Validators, Wanted};
use crate::index::{self, Changes};
use crate::name::FeedName;
use crate::problem::Ledger;
use crate::sources::MAX_ARCHIVE;
use crate::store::{Cursor, FeedState, Swap};

use super::from::Location;
use super::{Change, Job};

/// Most bytes read of a list of changes.
const MAX_INDEX: u64 = 256 << 20;
/// Most changed records that are fetched one by one; beyond that one archive is less.
const MOST_SINGLE: usize = 400;
/// Days after which the whole archive is read again.
const WHOLE_AFTER: u32 = 7;
/// The list of changes, in the validators of a cursor.
const INDEX: &str = "index";

pub(super) fn osv(job: &mut Job<'_>, ecosystem: &str) -> Result<Change, FeedError> {
    let feed = FeedName::Osv(ecosystem.to_owned());
    let note = match follow(job, &feed, ecosystem)? {
        Followed::To(change) => return Ok(change),
        Followed::Not(note) => note,
    };
    let change = whole(job, &feed, ecosystem, note)?;
    // An archive is made now and then and may lag behind the list: what was advanced must not fall back.
    match follow(job, &feed, ecosystem)? {
        Followed::To(advanced) if change == Change::Unchanged => Ok(advanced),
        _ => Ok(change),
    }
}

/// How far the list of changes led.
enum Followed {
    /// All the way.
    To(Change),
    /// It does not lead from what is stored to what there is; the reason when that is the list's fault.
    Not(Option<String>),
}

/// Advances what is stored by the list of changes.
fn follow(job: &mut Job<'_>, feed: &FeedName, ecosystem: &str) -> Result<Followed, FeedError> {
    if let Some((state, cursor)) = job.store.feed(feed)?
        && let Location::Addresses(addresses) = job.origin.osv(&format!("{ecosystem}/modified_id.csv"))
        && let Some(address) = addresses.first()
        && state.origin == whole_address(job, ecosystem)
        && cursor.whole.is_some_and(|whole| job.now < whole.plus_days(WHOLE_AFTER))
        && let Some(since) = cursor.followed
    {
        return match changes(job, feed, address, &cursor, since) {
            Ok(Listed::None) => {
                job.store.confirm(feed, &cursor, job.now)?;
                Ok(Followed::To(Change::Unchanged))
            }
            Ok(Listed::Some(changes, validators)) => {
                advance(job, ecosystem, state, cursor, changes, validators)
            }
            Ok(Listed::TooMany | Listed::Absent) => Ok(Followed::Not(None)),
            // The list only saves work.
            Err(error) => Ok(Followed::Not(Some(error.to_string()))),
        };
    }
    Ok(Followed::Not(None))
}

fn whole_address(job: &Job<'_>, ecosystem: &str) -> String {
    match job.origin.osv(&format!("{ecosystem}/all.zip")) {
        Location::Addresses(addresses) => addresses.into_iter().next().unwrap_or_default(),
        Location::File(path) => path.display().to_string(),
    }
}

enum Listed {
    None,
    Some(Vec<(Timestamp, VulnerabilityId)>, Validators),
    TooMany,
    Absent,
}

/// What the list of changes says.
fn changes(
    job: &Job<'_>,
    feed: &FeedName,
    address: &str,
    cursor: &Cursor,
    since: Timestamp,
) -> Result<Listed, FeedError> {
    let name = feed.to_string();
    let wanted = Wanted { feed: &name, address, limit: MAX_INDEX };
    let validators = cursor.validators.get(INDEX);
    // More lines than records: those at the very time that was followed to are known.
    let read = |list: &mut dyn Read| index::read(list, since, MOST_SINGLE * 4);
    match job.origin.getter().stream(wanted, validators, read)? {
        Streamed::NotModified => Ok(Listed::None),
        Streamed::Absent => Ok(Listed::Absent),
        Streamed::Read(Changes::TooMany, _) => Ok(Listed::TooMany),
        Streamed::Read(Changes::Some(changes), validators) => Ok(Listed::Some(changes, validators)),
    }
}

/// A record as far as it can be read.
struct Legible {
    record: OsvRecord,
    advisory: Option<Advisory>,
    /// Packages whose versions cannot be read: ecosystem, name, and why.
    unread: Vec<(String, String, FormatError)>,
}

/// Reads a record for one ecosystem. A package whose versions cannot be read costs no other package.
fn read_record(bytes: &[u8], ecosystem: &str) -> Result<Legible, FormatError> {
    let mut record = osv::parse(bytes)?;
    if let Ok(advisory) = to_advisory(&record, &[ecosystem]) {
        return Ok(Legible { record, advisory, unread: Vec::new() });
    }
    let mut unread = Vec::new();
    let mut one = record.clone();
    record.affected.retain(|entry| {
        one.affected = vec![entry.clone()];
        let error = to_advisory(&one, &[ecosystem]).err();
        let readable = error.is_none();
        unread.extend(error.map(|error| (entry.ecosystem.clone(), entry.package.clone(), error)));
        readable
    });
    let advisory = to_advisory(&record, &[ecosystem])?;
    Ok(Legible { record, advisory, unread })
}

/// Names the packages that could not be read, and keeps what was known of them: what a record fails to spell is not
/// withdrawn.
fn keep_unread(
    read: &mut Legible,
    file: &str,
    swap: &Swap<'_>,
    ledger: &mut Ledger,
) -> Result<(), FeedError> {
    for (ecosystem, package, error) in &read.unread {
        let id = &read.record.id;
        ledger.note(file, id.as_str(), "affected[].ranges".to_owned(), error.to_string());
        let known = swap.known_affected(id, ecosystem, package)?;
        if known.is_empty() {
            continue;
        }
        match &mut read.advisory {
            Some(advisory) => advisory.affected.extend(known),
            None => read.advisory = swap.known_head(id)?.map(|head| Advisory { affected: known, ..head }),
        }
    }
    Ok(())
}

/// Fetches the records that changed, one by one.
fn advance(
    job: &mut Job<'_>,
    ecosystem: &str,
    mut state: FeedState,
    mut cursor: Cursor,
    changes: Vec<(Timestamp, VulnerabilityId)>,
    validators: Validators,
) -> Result<Followed, FeedError> {
    let feed = FeedName::Osv(ecosystem.to_owned());
    let name = feed.to_string();
    let newest = changes.first().map(|(time, _)| *time);
    let mut wanted = Vec::new();
    {
        let swap = job.store.swap(&feed)?;
        for (time, id) in changes {
            if swap.modified(&id)?.is_none_or(|known| known < time) {
                wanted.push((time, id));
            }
        }
    }
    if wanted.len() > MOST_SINGLE {
        return Ok(Followed::Not(None));
    }
    // First all downloads, then one short transaction: readers and the disk do not wait for the network.
    let mut ledger = Ledger::new(feed.clone());
    let mut hash = Sha256::new();
    hash.update(state.digest.as_ref().map_or(&[][..], |digest| digest.as_bytes()));
    let mut records = Vec::new();
    let mut followed = newest;
    let mut owed = false;
    let of = wanted.len() as u64;
    for (done, (time, id)) in (0_u64..).zip(&wanted) {
        (job.progress)(Progress::Reading { feed: &name, records: done, of });
        let file = format!("{ecosystem}/{id}.json");
        let mut unread = |ledger: &mut Ledger, reason: String| {
            ledger.add(&file, Some(id), id.as_str(), String::new(), reason);
            // The next sync asks again from there on.
            followed = followed.min(Some(*time));
            owed = true;
        };
        let Location::Addresses(addresses) = job.origin.osv(&file) else { continue };
        let address = addresses.first().map(String::as_str).unwrap_or_default();
        let asked = Wanted { feed: &name, address, limit: MAX_RECORD as u64 };
        let (mut body, digest) = match job.origin.getter().get(asked, None, &mut |_| {}) {
            Ok(Got::File { file, digest, .. }) => (file, digest),
            Ok(_) => {
                unread(&mut ledger, "the list of changes names it, but it is not there".to_owned());
                continue;
            }
            Err(FeedError::TooLarge { limit, .. }) => {
                unread(&mut ledger, format!("it is larger than the {limit} bytes accepted"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|error| FeedError::file("read", job.store.folder(), error))?;
        hash.update(digest.as_bytes());
        match read_record(&bytes, ecosystem) {
            Ok(read) if read.record.id != *id => {
                unread(&mut ledger, format!("it holds the record {} instead", read.record.id));
            }
            Ok(read) => {
                let modified = read.record.modified;
                if modified < *time {
                    unread(&mut ledger, format!("it is of {modified}, older than its list says"));
                }
                records.push(read);
            }
            Err(error) => {
                ledger.unreadable(&file, Some(id), &bytes, &error);
                followed = followed.min(Some(*time));
                owed = true;
            }
        }
    }
    let swap = job.store.swap(&feed)?;
    for (_, id) in &wanted {
        swap.forget_problems(id.as_str())?;
    }
    for read in &mut records {
        let file = format!("{ecosystem}/{}.json", read.record.id);
        keep_unread(read, &file, &swap, &mut ledger)?;
        swap.replace_advisory(&read.record, read.advisory.as_ref())?;
        state.as_of = state.as_of.max(Some(read.record.modified));
    }
    state.records = swap.advisories()?;
    state.checked = Some(job.now);
    if !wanted.is_empty() {
        state.fetched = Some(job.now);
        state.digest = Some(Digest::from_bytes(hash.finalize().into()));
    }
    cursor.followed = followed.max(cursor.followed);
    cursor.validators.remove(INDEX);
    if !owed {
        // Otherwise an unchanged list must be read again for what it still owes.
        cursor.validators.insert(INDEX.to_owned(), validators);
    }
    swap.finish(&state, &cursor, &ledger, false)?;
    let advanced = Change::Advanced(records.len() as u64);
    Ok(Followed::To(if wanted.is_empty() { Change::Unchanged } else { advanced }))
}

/// Reads the whole archive.
fn whole(
    job: &mut Job<'_>,
    feed: &FeedName,
    ecosystem: &str,
    note: Option<String>,
) -> Result<Change, FeedError> {
    let location = job.origin.osv(&format!("{ecosystem}/all.zip"));
    let Some((fresh, _)) = job.fresh(feed, &location, MAX_ARCHIVE)? else { return Ok(Change::Unchanged) };
    let (mut state, mut cursor) = job.stands(feed.clone(), &fresh);
    let name = feed.to_string();
    let mut ledger = Ledger::new(feed.clone());
    if let Some(note) = note {
        ledger.note("modified_id.csv", "", String::new(), note);
    }
    let swap = job.store.swap(feed)?;
    let mut kept: u64 = 0;
    state.records =
        archive::each(&name, BufReader::new(fresh.file), &mut *job.progress, &mut |entry, bytes| {
            if job.stop.is_said() {
                return Err(FeedError::Stopped { feed: name.clone() });
            }
            let file = format!("all.zip/{entry}");
            let subject = subject_of_file(entry);
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(reason) => {
                    let record = subject.as_ref().map(ToString::to_string).unwrap_or_default();
                    ledger.add(&file, subject.as_ref(), &record, String::new(), reason.to_owned());
                    return Ok(());
                }
            };
            match read_record(bytes, ecosystem) {
                Ok(mut read) => {
                    keep_unread(&mut read, &file, &swap, &mut ledger)?;
                    let record = &read.record;
                    kept += 1;
                    state.as_of = state.as_of.max(Some(record.modified));
                    if !swap.put_advisory(&record.id, record.modified, read.advisory.as_ref())? {
                        let reason = "the archive holds more than one record of this id; the first is kept";
                        ledger.note(&file, record.id.as_str(), "id".to_owned(), reason.to_owned());
                    }
                }
                Err(error) => ledger.unreadable(&file, subject.as_ref(), bytes, &error),
            }
            Ok(())
        })?;
    ledger.some_read(&name, kept)?;
    swap.drop_old_advisories(&ledger)?;
    cursor.followed = state.as_of;
    swap.finish(&state, &cursor, &ledger, true)?;
    Ok(Change::Replaced)
}

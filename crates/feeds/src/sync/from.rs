//! Where the files of feeds are, by kind of source, and getting one when it is not as it was.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use tenon_formats::percent;
use tenon_model::Digest;

use crate::error::FeedError;
use crate::fetch::{Getter, Got, Progress, Streamed, Validators, Wanted, digest_of};
use crate::lines::Lines;
use crate::name::is_ecosystem;
use crate::sources::{self, Source, newest_epss};
use crate::store::{Cursor, FeedState};

/// Most bytes of a list of names.
const MAX_LIST: u64 = 1 << 20;
/// Most ecosystems of a source; the public one has some dozens.
const MAX_ECOSYSTEMS: usize = 1_000;
/// The file of a feed, in the validators of its cursor.
pub(super) const WHOLE: &str = "whole";

/// A source with what gets its files.
pub(super) struct Origin {
    source: Source,
    getter: Getter,
}

/// Where one file is.
#[derive(Debug, Clone)]
pub(super) enum Location {
    File(PathBuf),
    /// Addresses, tried in this order.
    Addresses(Vec<String>),
}

/// A file that is not as it was.
pub(super) struct Fresh {
    pub(super) file: File,
    pub(super) digest: Digest,
    /// What to ask by the next time; `None` for a folder.
    pub(super) validators: Option<Validators>,
    /// Where it came from.
    pub(super) origin: String,
}

impl Origin {
    pub(super) fn new(source: &Source, getter: Getter) -> Self {
        Self { source: source.clone(), getter }
    }

    pub(super) fn is_public(&self) -> bool {
        self.source == Source::Public
    }

    pub(super) fn getter(&self) -> &Getter {
        &self.getter
    }

    /// A file of a mirror, or its addresses at the public source.
    pub(super) fn location(&self, path: &str, public: &[&str]) -> Location {
        match &self.source {
            Source::Mirror(folder) => Location::File(folder.join(path)),
            Source::Web(root) => Location::Addresses(vec![format!("{root}/{}", in_address(path))]),
            Source::Public => Location::Addresses(public.iter().map(|text| (*text).to_owned()).collect()),
        }
    }

    /// A file of the OSV bucket, which a mirror holds in its folder `osv`.
    pub(super) fn osv(&self, path: &str) -> Location {
        match self.source {
            Source::Public => Location::Addresses(vec![format!("{}/{}", sources::OSV, in_address(path))]),
            _ => self.location(&format!("osv/{path}"), &[]),
        }
    }

    /// The newest EPSS day. A web mirror that has no current file may list its days in `epss_snapshots.csv`.
    pub(super) fn epss(&self) -> Result<Location, FeedError> {
        let location = self.location("epss/epss_scores-current.csv.gz", &[sources::EPSS]);
        match (&self.source, location) {
            (Source::Mirror(folder), _) => newest_epss(&folder.join("epss")).map(Location::File),
            (Source::Web(root), Location::Addresses(mut addresses)) => {
                let address = format!("{root}/epss/epss_snapshots.csv");
                let wanted = Wanted { feed: "epss", address: &address, limit: MAX_LIST };
                if let Streamed::Read(Some(day), _) = self.getter.stream(wanted, None, newest_day)? {
                    addresses.push(format!("{root}/epss/epss_scores-{day}.csv.gz"));
                }
                Ok(Location::Addresses(addresses))
            }
            (_, location) => Ok(location),
        }
    }

    /// The ecosystems that the source has, without release suffix.
    pub(super) fn ecosystems(&self) -> Result<Vec<String>, FeedError> {
        const FEED: &str = "osv";
        let read = |list: &mut dyn Read| -> io::Result<Vec<String>> {
            let mut lines = Lines::new(BufReader::new(list), 256);
            let mut names = Vec::new();
            while let Some(line) = lines.next()? {
                // The public list also names releases (`Debian:12`), which have no directory of their own here.
                if is_ecosystem(line.trim()) && names.len() < MAX_ECOSYSTEMS {
                    names.push(line.trim().to_owned());
                }
            }
            Ok(names)
        };
        match self.osv("ecosystems.txt") {
            Location::File(path) => match File::open(&path) {
                Ok(file) => {
                    read(&mut file.take(MAX_LIST)).map_err(|error| FeedError::file("read", &path, error))
                }
                // A mirror made by hand may lack the list; its folders say as much.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    folders(path.parent().unwrap_or(&path))
                }
                Err(error) => Err(FeedError::file("open", &path, error)),
            },
            Location::Addresses(addresses) => {
                let address = addresses.first().map(String::as_str).unwrap_or_default();
                let wanted = Wanted { feed: FEED, address, limit: MAX_LIST };
                match self.getter.stream(wanted, None, read)? {
                    Streamed::Read(names, _) => Ok(names),
                    _ => Err(not_there(FEED, address)),
                }
            }
        }
    }

    /// Gets the whole file of a feed; `None` when it is as it was stored.
    pub(super) fn fresh(
        &self,
        feed: &str,
        location: &Location,
        limit: u64,
        known: Option<&(FeedState, Cursor)>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<Fresh>, FeedError> {
        let known = known.filter(|(state, _)| state.fetched.is_some());
        match location {
            Location::File(path) => {
                let failed = |error| FeedError::file("read", path, error);
                let mut file = match File::open(path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        return Err(FeedError::NotMirrored { feed: feed.to_owned(), path: path.clone() });
                    }
                    Err(error) => return Err(FeedError::file("open", path, error)),
                };
                let digest = digest_of(&mut file, limit).map_err(failed)?;
                let digest = digest.ok_or_else(|| FeedError::TooLarge {
                    feed: feed.to_owned(),
                    what: "bytes",
                    limit,
                })?;
                if known.is_some_and(|(state, _)| state.digest == Some(digest)) {
                    return Ok(None);
                }
                file.rewind().map_err(failed)?;
                let origin = path.display().to_string();
                Ok(Some(Fresh { file, digest, validators: None, origin }))
            }
            Location::Addresses(addresses) => {
                let validators = known.and_then(|(_, cursor)| cursor.validators.get(WHOLE));
                let mut reasons = Vec::new();
                let mut all_absent = true;
                for address in addresses {
                    match self.getter.get(Wanted { feed, address, limit }, validators, progress) {
                        Ok(Got::NotModified) => return Ok(None),
                        Ok(Got::File { file, digest, validators }) => {
                            if known.is_some_and(|(state, _)| state.digest == Some(digest)) {
                                return Ok(None);
                            }
                            let (validators, origin) = (Some(validators), address.clone());
                            return Ok(Some(Fresh { file, digest, validators, origin }));
                        }
                        Ok(Got::Absent) => reasons.push(format!("{address}: there is no such file")),
                        Err(error @ FeedError::Stopped { .. }) => return Err(error),
                        Err(error) => {
                            all_absent = false;
                            reasons.push(match error {
                                FeedError::Download { reason, .. } => reason,
                                other => other.to_string(),
                            });
                        }
                    }
                }
                if all_absent {
                    let address = addresses.first().map_or("this source", String::as_str);
                    return Err(not_there(feed, address));
                }
                Err(FeedError::Download { feed: feed.to_owned(), reason: reasons.join("; ") })
            }
        }
    }
}

fn not_there(feed: &str, address: &str) -> FeedError {
    FeedError::NotMirrored { feed: feed.to_owned(), path: PathBuf::from(address) }
}

/// The newest day of the list `score_date,...,native_file` that is there as a native file.
fn newest_day(list: &mut dyn Read) -> io::Result<Option<String>> {
    let mut lines = Lines::new(BufReader::new(list), 4_096);
    let mut newest: Option<String> = None;
    while let Some(line) = lines.next()? {
        let day = line.split(',').next().unwrap_or_default();
        let shape = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if shape && line.ends_with(",yes") && newest.as_deref().is_none_or(|known| day > known) {
            newest = Some(day.to_owned());
        }
    }
    Ok(newest)
}

fn folders(folder: &Path) -> Result<Vec<String>, FeedError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FeedError::file("list", folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries.take(MAX_ECOSYSTEMS) {
        let name = entry.map_err(|error| FeedError::file("list", folder, error))?.file_name();
        if let Some(name) =
            name.to_str().filter(|name| is_ecosystem(name) && folder.join(name).join("all.zip").exists())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A path as part of an address (RFC 3986): ids hold `:`, `+` or `/`, of which the last parts folders here.
pub(super) fn in_address(path: &str) -> String {
    let mut address = String::new();
    percent::encode_into(&mut address, path, |byte| percent::is_unreserved(byte) || byte == b'/');
    address
}

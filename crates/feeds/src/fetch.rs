//! Getting the bytes of one feed file: from a mirror folder, or over HTTP with a last good copy at hand.

mod cache;
mod get;
mod http;

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tenon_model::Digest;

use crate::document::Origin;
use crate::error::FeedError;
use cache::Cache;
pub(crate) use cache::{Validators, digest_of};
pub(crate) use get::{Getter, Got, Streamed, Wanted};
pub use http::Limits;
use http::{Client, Reply};

/// What is going on, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Bytes arrive.
    Downloading {
        /// The feed.
        feed: &'a str,
        /// So many bytes so far.
        bytes: u64,
        /// Of so many, by the server's word.
        of: Option<u64>,
    },
    /// Records are read.
    Reading {
        /// The feed.
        feed: &'a str,
        /// So many records so far.
        records: u64,
        /// Of so many.
        of: u64,
    },
}

/// One file of a feed.
#[derive(Debug)]
pub(crate) struct FeedFile {
    /// What people call it; also in errors.
    pub(crate) feed: String,
    /// Its name in the cache folder.
    pub(crate) cache_name: String,
    /// Most bytes accepted.
    pub(crate) limit: u64,
    /// Where it is.
    pub(crate) place: Place,
}

/// Where a feed file is.
#[derive(Debug)]
pub(crate) enum Place {
    /// A file of a mirror folder.
    File(PathBuf),
    /// Addresses, tried in this order.
    Addresses(Vec<String>),
}

/// Gets a file and reads it. Over HTTP, a new file becomes the last good copy only once `read` has understood it, and
/// where no address gives a readable file the last good copy is read in its place.
pub(crate) fn obtain<T>(
    file: &FeedFile,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
    mut read: impl FnMut(File, &mut dyn FnMut(Progress<'_>)) -> Result<T, FeedError>,
) -> Result<(T, Digest, Origin), FeedError> {
    match &file.place {
        Place::File(path) => {
            let (opened, digest) = open_mirrored(file, path)?;
            Ok((read(opened, progress)?, digest, Origin::Mirror))
        }
        Place::Addresses(addresses) => {
            let cache = Cache::open(cache, &file.cache_name)?;
            let client = Client::new(&Limits::default());
            let mut reasons = Vec::new();
            for address in addresses {
                match from_address(file, &cache, &client, address, progress, &mut read) {
                    Ok(obtained) => return Ok(obtained),
                    Err(error) => reasons.push(format!("{address}: {error}")),
                }
            }
            match cache.last_good(file.limit)? {
                Some(copy) => {
                    let because = reasons.join("; ");
                    Ok((read(copy.file, progress)?, copy.digest, Origin::LastGood { because }))
                }
                None => Err(FeedError::Unavailable { feed: file.feed.clone(), reasons }),
            }
        }
    }
}

fn open_mirrored(file: &FeedFile, path: &Path) -> Result<(File, Digest), FeedError> {
    let mut opened = match File::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(FeedError::NotMirrored { feed: file.feed.clone(), path: path.to_owned() });
        }
        Err(error) => return Err(FeedError::file("open", path, error)),
    };
    let digest = cache::digest_of(&mut opened, file.limit)
        .map_err(|error| FeedError::file("read", path, error))?
        .ok_or_else(|| FeedError::TooLarge { feed: file.feed.clone(), what: "bytes", limit: file.limit })?;
    opened.seek(SeekFrom::Start(0)).map_err(|error| FeedError::file("read", path, error))?;
    Ok((opened, digest))
}

fn from_address<T>(
    file: &FeedFile,
    cache: &Cache,
    client: &Client,
    address: &str,
    progress: &mut dyn FnMut(Progress<'_>),
    read: &mut impl FnMut(File, &mut dyn FnMut(Progress<'_>)) -> Result<T, FeedError>,
) -> Result<(T, Digest, Origin), FeedError> {
    let copy = cache.last_good(file.limit)?.filter(|copy| copy.validators.address == address);
    let validators = copy.as_ref().map(|copy| &copy.validators);
    match client.get(file, address, validators, cache.folder(), progress)? {
        Reply::NotModified => match copy {
            Some(copy) => Ok((read(copy.file, progress)?, copy.digest, Origin::Confirmed)),
            None => Err(FeedError::Archive {
                feed: file.feed.clone(),
                reason: "the server says that it has not changed, but was not asked that".to_owned(),
            }),
        },
        Reply::Changed(download) => {
            let content = read(download.reopen()?, progress)?;
            let digest = cache.keep(download)?;
            Ok((content, digest, Origin::Fetched))
        }
    }
}

//! Last good copies of feed files.
//!
//! A copy is two files: the bytes, named by their digest, and a small JSON file that points to them and holds what the
//! server gave to ask again by. The bytes are written first and the pointer replaced by one rename, so that a crash
//! leaves the old copy or the new one. A copy whose bytes no longer have its digest does not exist.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tenon_model::Digest;

use crate::error::FeedError;

/// Most bytes of a pointer file.
const MAX_POINTER: u64 = 16 << 10;

/// What a server gave to ask again by, and for which address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    /// The address that gave the copy.
    pub(crate) address: String,
    /// Its `ETag`.
    pub(crate) etag: Option<String>,
    /// Its `Last-Modified`.
    pub(crate) last_modified: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pointer {
    digest: Digest,
    #[serde(flatten)]
    validators: Validators,
}

/// A copy at hand, its bytes checked against its digest.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) file: File,
    pub(super) digest: Digest,
    pub(super) validators: Validators,
}

/// A file that has arrived and is not yet the last good copy.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) bytes: NamedTempFile,
    pub(super) digest: Digest,
    pub(super) validators: Validators,
}

impl Download {
    /// The bytes, from the start.
    pub(super) fn reopen(&self) -> Result<File, FeedError> {
        self.bytes.reopen().map_err(|error| FeedError::file("open", self.bytes.path(), error))
    }
}

/// The copies of one feed file.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    name: String,
}

impl Cache {
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, FeedError> {
        fs::create_dir_all(folder).map_err(|error| FeedError::file("make", folder, error))?;
        Ok(Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn pointer_path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }

    fn bytes_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.{}", self.name, hex::encode(&digest.as_bytes()[..8])))
    }

    /// The last good copy. A damaged one counts as none: the feed is then fetched anew.
    pub(super) fn last_good(&self, limit: u64) -> Result<Option<Copy>, FeedError> {
        let path = self.pointer_path();
        let Some(pointer) = open_if_there(&path)? else { return Ok(None) };
        let mut text = Vec::new();
        pointer
            .take(MAX_POINTER)
            .read_to_end(&mut text)
            .map_err(|error| FeedError::file("read", &path, error))?;
        let Ok(pointer) = serde_json::from_slice::<Pointer>(&text) else { return Ok(None) };
        let path = self.bytes_path(&pointer.digest);
        let Some(mut file) = open_if_there(&path)? else { return Ok(None) };
        let digest = digest_of(&mut file, limit).map_err(|error| FeedError::file("read", &path, error))?;
        if digest != Some(pointer.digest) {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| FeedError::file("read", &path, error))?;
        Ok(Some(Copy { file, digest: pointer.digest, validators: pointer.validators }))
    }

    /// Makes a download the last good copy and removes the one before.
    pub(super) fn keep(&self, download: Download) -> Result<Digest, FeedError> {
        let digest = download.digest;
        let path = self.bytes_path(&digest);
        let before = self.pointed_at();
        download
            .bytes
            .as_file()
            .sync_all()
            .and_then(|()| download.bytes.persist(&path).map_err(|error| error.error))
            .map_err(|error| FeedError::file("write", &path, error))?;

        let pointer_path = self.pointer_path();
        let pointer = Pointer { digest, validators: download.validators };
        self.write_pointer(&pointer, &pointer_path)
            .map_err(|error| FeedError::file("write", &pointer_path, error))?;
        if let Some(before) = before.filter(|before| *before != path) {
            match fs::remove_file(&before) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FeedError::file("remove", &before, error));
                }
                _ => {}
            }
        }
        Ok(digest)
    }

    fn write_pointer(&self, pointer: &Pointer, path: &Path) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        serde_json::to_writer(&mut file, pointer)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The names themselves become durable with the folder.
        File::open(&self.folder)?.sync_all()
    }

    /// The file the pointer names, readable or not.
    fn pointed_at(&self) -> Option<PathBuf> {
        let mut text = Vec::new();
        File::open(self.pointer_path()).ok()?.take(MAX_POINTER).read_to_end(&mut text).ok()?;
        let pointer: Pointer = serde_json::from_slice(&text).ok()?;
        Some(self.bytes_path(&pointer.digest))
    }
}

fn open_if_there(path: &Path) -> Result<Option<File>, FeedError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FeedError::file("open", path, error)),
    }
}

/// SHA-256 of a file; `None` when it is longer than `limit`.
pub(crate) fn digest_of(file: &mut File, limit: u64) -> io::Result<Option<Digest>> {
    let mut hash = Sha256::new();
    let length = io::copy(&mut file.take(limit.saturating_add(1)), &mut hash)?;
    Ok((length <= limit).then(|| Digest::from_bytes(hash.finalize().into())))
}

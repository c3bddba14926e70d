//! Reading files with a bound, and writing them so that a crash leaves the old or the new content.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use tenon_model::Digest;

use crate::HostError;

/// Opens a regular file. A named pipe or device in its place would block or do worse, so it is refused.
fn open_regular(path: &Path) -> Result<File, HostError> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(HostError::file("open", path))?;
    let metadata = file.metadata().map_err(HostError::file("read", path))?;
    if !metadata.is_file() {
        return Err(HostError::Malformed {
            what: path.display().to_string(),
            detail: "is not a regular file".to_owned(),
        });
    }
    Ok(file)
}

/// Reads a whole file of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, HostError> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(HostError::file("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(HostError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Reads a whole file of at most `limit` bytes; bytes that are not UTF-8 are replaced.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, HostError> {
    Ok(String::from_utf8_lossy(&read(path, limit)?).into_owned())
}

/// Like [`read_text`], `None` when there is no such file.
pub(crate) fn read_text_if_any(path: &Path, limit: u64) -> Result<Option<String>, HostError> {
    Ok(read_if_any(path, limit)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The bytes of a file of at most `limit` bytes, `None` when there is no such file.
pub(crate) fn read_if_any(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(HostError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last `limit` bytes of a file, for people.
pub(crate) fn tail(path: &Path, limit: usize) -> String {
    use std::io::{Seek, SeekFrom};
    let Ok(mut file) = open_regular(path) else { return String::new() };
    let length = file.metadata().map(|m| m.len()).unwrap_or(0);
    let start = length.saturating_sub(limit as u64);
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::Start(start)).is_ok() {
        // What could be read is still worth showing.
        let _partial = file.take(limit as u64).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// SHA-256 of a file's content.
pub(crate) fn sha256(path: &Path) -> Result<Digest, HostError> {
    let mut file = open_regular(path)?;
    let mut hash = sha2::Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(HostError::file("read", path))?;
    Ok(Digest::from_bytes(hash.finalize().into()))
}

/// The same of a file of at most so many bytes; `None` where it is larger.
pub(crate) fn sha256_within(path: &Path, most: u64) -> Result<Option<Digest>, HostError> {
    let mut file = open_regular(path)?.take(most.saturating_add(1));
    let mut hash = sha2::Sha256::new();
    // A sparse file holds more than a disk, and takes as long to read.
    let stated = file.get_ref().metadata().map_err(HostError::file("look at", path))?.len();
    if stated > most {
        return Ok(None);
    }
    let read = std::io::copy(&mut file, &mut hash).map_err(HostError::file("read", path))?;
    Ok((read <= most).then(|| Digest::from_bytes(hash.finalize().into())))
}

/// Makes a directory that only root can enter, and its parents.
pub(crate) fn make_dir(path: &Path) -> Result<PathBuf, HostError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(HostError::file("create", path))?;
    path.canonicalize().map_err(HostError::file("resolve", path))
}

/// Makes a directory that everybody can enter, and its parents.
pub(crate) fn make_open_dir(path: &Path) -> Result<(), HostError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(HostError::file("create", path))
}

/// Lets apt download into a directory without rights: as the user `_apt`, where there is one. Without that apt warns and
/// downloads as root.
pub(crate) fn give_to_downloader(path: &Path) {
    let passwd = read_text(Path::new("/etc/passwd"), 16 * 1024 * 1024).unwrap_or_default();
    let user = passwd.lines().find_map(|line| line.strip_prefix("_apt:")?.split(':').nth(1)?.parse().ok());
    if let Some(user) = user {
        // A failure leaves the directory to root, which is the case described above.
        let _root_downloads = std::os::unix::fs::chown(path, Some(user), None);
    }
}

/// Replaces a file so that after a crash or power cut it has the old or the new content, and waits until the
/// new content is on the disk.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let draft = path.with_extension("new");
    let mut file = File::create(&draft).map_err(HostError::file("create", &draft))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(HostError::file("write", &draft))?;
    fs::rename(&draft, path).map_err(HostError::file("rename to", path))?;
    sync_parent(path)
}

/// Removes a file durably; one that is gone already is fine.
pub(crate) fn remove_durably(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(HostError::file("remove", path)(error)),
    }
}

fn sync_parent(path: &Path) -> Result<(), HostError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(HostError::file("sync", parent))
}

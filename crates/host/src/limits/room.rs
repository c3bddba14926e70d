//! How much is free on the file systems that a change writes to.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::owners::files_of;

/// Written to by every change: packages that are new, the record of dpkg or rpm, the logs.
const ALWAYS: [&str; 6] = ["/", "/usr", "/var/lib/dpkg", "/var/lib/rpm", "/usr/lib/sysimage/rpm", "/var/log"];

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    /// A path on it.
    pub(crate) path: PathBuf,
    /// Bytes that are free there.
    pub(crate) free: u64,
}

/// Paths that a change of packages (name and architecture) writes to: where their files lie now, and the work folder, which
/// takes what is downloaded.
pub(crate) fn written_by(packages: &[(String, String)], work: &Path) -> BTreeSet<PathBuf> {
    let mut paths: BTreeSet<PathBuf> = ALWAYS.iter().map(PathBuf::from).collect();
    paths.insert(work.to_owned());
    let files = files_of(packages);
    paths.extend(files.iter().filter_map(|file| Path::new(file).parent()).map(Path::to_owned));
    paths
}

/// The file systems of some paths, each once; paths that are not there are left out.
pub(crate) fn rooms(paths: &BTreeSet<PathBuf>) -> Vec<Room> {
    let mut rooms = BTreeMap::new();
    for path in paths {
        let Ok(metadata) = std::fs::metadata(path) else { continue };
        if rooms.contains_key(&metadata.dev()) {
            continue;
        }
        // A file system that does not say how much is free counts as full: a limit that cannot be checked is not kept.
        let free = rustix::fs::statvfs(path).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        rooms.insert(metadata.dev(), Room { path: path.clone(), free });
    }
    rooms.into_values().collect()
}

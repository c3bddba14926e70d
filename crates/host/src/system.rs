//! Which system is looked at.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// A system to look at: the one this program runs on, or a directory that holds a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    root: PathBuf,
    live: bool,
}

impl System {
    /// The system this program runs on.
    #[must_use]
    pub fn live() -> Self {
        Self { root: PathBuf::from("/"), live: true }
    }

    /// A root file system that is not running: only its files are read, no program is started.
    #[must_use]
    pub fn at_rest(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), live: false }
    }

    /// Whether programs may be asked and processes looked at.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Where an absolute path of that system lies for this program. Links of a system at rest are followed inside it: its
    /// `/etc/os-release -> /usr/lib/os-release` is not this machine's.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        if self.live {
            self.root.join(absolute.trim_start_matches('/'))
        } else {
            within(&self.root, absolute)
        }
    }

    /// The root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// Most links followed in one path, as many as Linux follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Follows links as if `root` were `/`. What leads round in circles leads to a name that is not there.
fn within(root: &Path, absolute: &str) -> PathBuf {
    let mut pending = parts(Path::new(absolute));
    let mut done = PathBuf::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            done.pop();
            continue;
        }
        match std::fs::read_link(root.join(&done).join(&part)) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                if target.is_absolute() {
                    done = PathBuf::new();
                }
                pending.extend(parts(&target));
            }
            // Neither followed here nor left to be followed by whoever opens it.
            Ok(_) => return root.join("too many levels of links"),
            Err(_) => done.push(&part),
        }
    }
    root.join(done)
}

/// The names in a path and each `..`, last first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    let mut parts: Vec<_> = parts.map(|part| part.as_os_str().to_owned()).collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_a_system_at_rest_stay_inside_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("usr/lib/deep")).unwrap();
        std::fs::create_dir(root.join("etc")).unwrap();
        symlink("/usr/lib/os-release", root.join("etc/os-release")).unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("../../../../../../etc/passwd", root.join("usr/lib/escape")).unwrap();
        symlink("round", root.join("round")).unwrap();
        let system = System::at_rest(root);
        assert_eq!(system.path("/etc/os-release"), root.join("usr/lib/os-release"));
        assert_eq!(system.path("/lib/deep/x"), root.join("usr/lib/deep/x"));
        assert_eq!(system.path("/lib/escape"), root.join("etc/passwd"));
        assert_eq!(system.path("/../../etc"), root.join("etc"));
        assert!(!system.path("/round/x").exists());
        assert_eq!(System::live().path("/etc/x"), Path::new("/etc/x"));
    }
}

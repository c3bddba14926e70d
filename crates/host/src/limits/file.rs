//! Root's file on this host, and whether it can be believed.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tenon_formats::{Problem, Problems};

use super::read::place;
use super::{Limits, MAX_LIMITS, read};

/// Where it lies. No flag and no order names another place to an agent.
const PATH: &str = "/etc/tenon/limits.toml";
/// Bits of a mode that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit only an entry's owner takes it away.
const STICKY: u32 = 0o1000;

/// A file of limits that is there and is not believed: what it forbids is not known, so no order is carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no order is carried out until root mends {file}: {why}", file = file.display())]
pub struct Distrust {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
    /// What is wrong with its text; empty where it was not read.
    pub problems: Vec<Problem>,
}

/// Where the limits of a host are kept, and whose that file must be.
#[derive(Debug, Clone)]
pub struct LimitsFile {
    path: PathBuf,
    owner: u32,
}

impl LimitsFile {
    /// Root's file on this host.
    pub fn of_this_host() -> Self {
        Self::at(Path::new(PATH), 0)
    }

    /// Another file that must be this user's, and in folders that are this user's or root's.
    pub fn at(path: &Path, owner: u32) -> Self {
        Self { path: path.to_owned(), owner }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says now; the defaults where there is none.
    ///
    /// # Errors
    /// When it cannot be read, could have been written by somebody else, or says what is not understood.
    pub fn read(&self) -> Result<Limits, Distrust> {
        let distrust = |why: String| Distrust { file: self.path.clone(), why, problems: Vec::new() };
        let path = std::path::absolute(&self.path)
            .map_err(|error| distrust(format!("its place is not known: {error}")))?;
        // The folders also where there is no file: who may write them may have taken it away.
        self.believe_folders(&path).map_err(distrust)?;
        let Some(bytes) = self.bytes(&path).map_err(distrust)? else { return Ok(Limits::default()) };
        let malformed = |problems: Problems| {
            let first = problems.listed().first().map(ToString::to_string).unwrap_or_default();
            let more = match problems.total().saturating_sub(1) {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            Distrust { problems: problems.listed().to_vec(), ..distrust(format!("{first}{more}")) }
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let good = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            let mut problems = Problems::default();
            let place = place(&good, good.len()).to_string();
            problems.push(Problem { place, subject: None, reason: "not UTF-8".to_owned() });
            malformed(problems)
        })?;
        let limits = read(text).map_err(malformed)?;
        Ok(Limits { from: Some(self.path.clone()), ..limits })
    }

    /// The content; `None` where there is no such file. What is checked is what is read: one file that is open.
    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        // Neither a link nor a pipe is followed or waited for.
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
        let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if is_link(path) => {
                return Err(format!("it is a link, which is not followed ({error})"));
            }
            Err(error) => return Err(format!("it cannot be read: {error}")),
        };
        let unread = |error: io::Error| format!("it cannot be read: {error}");
        let metadata = file.metadata().map_err(unread)?;
        if !metadata.is_file() {
            return Err("it is not a regular file".to_owned());
        }
        if metadata.uid() != self.owner {
            return Err(format!("it belongs to user {}, not to user {}", metadata.uid(), self.owner));
        }
        if metadata.mode() & OTHERS_WRITE != 0 {
            return Err(format!("others may write it (mode {:o}): chmod go-w", metadata.mode() & 0o7777));
        }
        let mut bytes = Vec::new();
        file.by_ref().take(MAX_LIMITS as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() > MAX_LIMITS {
            return Err(format!("it is larger than the {MAX_LIMITS} bytes accepted"));
        }
        Ok(Some(bytes))
    }

    /// Whoever may write a folder on the way may put another file there.
    fn believe_folders(&self, path: &Path) -> Result<(), String> {
        for folder in path.ancestors().skip(1) {
            let metadata = match fs::symlink_metadata(folder) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("{} cannot be looked at: {error}", folder.display())),
            };
            if let Some(wrong) = self.wrong_folder(&metadata) {
                return Err(format!("{} {wrong}", folder.display()));
            }
        }
        Ok(())
    }

    fn wrong_folder(&self, metadata: &Metadata) -> Option<String> {
        if !metadata.is_dir() {
            return Some("is no folder (a link is not followed)".to_owned());
        }
        if ![0, self.owner].contains(&metadata.uid()) {
            return Some(format!("belongs to user {}", metadata.uid()));
        }
        let mode = metadata.mode();
        (mode & OTHERS_WRITE != 0 && mode & STICKY == 0)
            .then(|| format!("may be written by others (mode {:o}): chmod go-w", mode & 0o7777))
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

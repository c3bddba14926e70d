//! Root's file on this host, and whether it can be believed.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use tenon_formats::{Problem, Problems};

use super::read::place;
use super::{Limits, MAX_LIMITS, read};
use crate::believed;

/// Where it lies. No flag and no order names another place to an agent.
const PATH: &str = "/etc/tenon/limits.toml";

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
        believed::believe_folders(&path, self.owner).map_err(distrust)?;
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

    /// The content; `None` where there is no such file.
    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        let Some(mut file) = believed::open(path, self.owner)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.by_ref().take(MAX_LIMITS as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("it cannot be read: {error}"))?;
        if bytes.len() > MAX_LIMITS {
            return Err(format!("it is larger than the {MAX_LIMITS} bytes accepted"));
        }
        Ok(Some(bytes))
    }
}

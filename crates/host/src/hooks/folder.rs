//! Root's folder of hooks on this host, and whether it can be believed.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tenon_model::HookMoment;

use super::{Distrusted, Hook, HookProblem, Hooks, MOST_HOOKS, MOST_SECONDS, USUAL_SECONDS};
use crate::believed;

/// Where it lies. No flag and no order names another place to an agent.
const PATH: &str = "/etc/tenon/hooks.d";
/// The file with a hook's seconds.
const TIMEOUT: &str = "timeout";
/// Longest name of a hook, in bytes.
const MAX_NAME: usize = 64;
/// Most entries looked at in one folder.
const MAX_ENTRIES: usize = 200;
/// The bit of a mode without which the owner cannot run a file.
const OWNER_RUNS: u32 = 0o100;

/// Who has to have written a folder of hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This user, in folders that are this user's or root's.
    User(u32),
    /// Whoever did: it is looked at and nothing in it is run.
    Anybody,
}

/// Where the hooks of a host are kept, and whose they must be.
#[derive(Debug, Clone)]
pub struct HooksFolder {
    path: PathBuf,
    whose: Whose,
}

impl HooksFolder {
    /// Root's folder on this host.
    pub fn of_this_host() -> Self {
        Self::at(Path::new(PATH), Whose::User(0))
    }

    /// Another folder.
    pub fn at(path: &Path, whose: Whose) -> Self {
        Self { path: path.to_owned(), whose }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The hooks, where all that is in the folder is believed; none where there is no folder.
    ///
    /// # Errors
    /// When anything in it could have been written by somebody else, or is not understood.
    pub fn read(&self) -> Result<Vec<Hook>, Distrusted> {
        let Hooks { hooks, problems } = self.look();
        if problems.is_empty() { Ok(hooks) } else { Err(Distrusted { problems }) }
    }

    /// What is in the folder, and everything that is wrong with it.
    pub fn look(&self) -> Hooks {
        let mut found = Hooks::default();
        if let Err(problem) = self.look_into(&mut found) {
            found.problems.push(problem);
        }
        found
    }

    fn look_into(&self, found: &mut Hooks) -> Result<(), HookProblem> {
        let folder = self.absolute()?;
        // The folders also where there are no hooks: who may write them may have taken them away.
        self.believe_way(&folder)?;
        let Some(names) = entries(&folder)? else { return Ok(()) };
        let count = names.iter().filter(|name| !passed_over(name)).count();
        if count > MOST_HOOKS {
            return Err(problem(
                &folder,
                format!("{count} hooks, more than the {MOST_HOOKS} that are carried out"),
            ));
        }
        for name in names.iter().filter(|name| !passed_over(name)) {
            match self.hook(&folder.join(name), name, &mut found.problems) {
                Ok(hook) => found.hooks.push(hook),
                Err(wrong) => found.problems.push(wrong),
            }
        }
        Ok(())
    }

    /// One program of a hook as it is now; `None` where there is none.
    ///
    /// # Errors
    /// When it, or a folder on the way to it, is not believed.
    pub(crate) fn program(&self, hook: &str, moment: HookMoment) -> Result<Option<PathBuf>, HookProblem> {
        let folder = self.absolute()?.join(hook);
        let path = folder.join(moment.name());
        self.believe_way(&path)?;
        let Some(metadata) = metadata(&path)? else { return Ok(None) };
        self.believe_program(&path, &metadata).map(|()| Some(path))
    }

    fn absolute(&self) -> Result<PathBuf, HookProblem> {
        std::path::absolute(&self.path)
            .map_err(|error| problem(&self.path, format!("its place is not known: {error}")))
    }

    fn hook(&self, folder: &Path, name: &str, problems: &mut Vec<HookProblem>) -> Result<Hook, HookProblem> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.len() > MAX_NAME || !name.chars().all(plain) {
            let why =
                format!("a hook's name has at most {MAX_NAME} letters, digits, dots, dashes and underscores");
            return Err(problem(folder, why));
        }
        let Some(metadata) = metadata(folder)? else { return Err(problem(folder, "it has gone")) };
        if !metadata.is_dir() {
            return Err(problem(folder, "a hook is a folder with before, after or undo in it (no link)"));
        }
        self.believe_folder(folder, &metadata)?;
        let mut hook = Hook { name: name.to_owned(), timeout_s: USUAL_SECONDS, programs: BTreeMap::new() };
        for entry in entries(folder)?.unwrap_or_default().iter().filter(|entry| !passed_over(entry)) {
            let path = folder.join(entry);
            let moment = HookMoment::ALL.into_iter().find(|moment| moment.name() == entry);
            let looked = match moment {
                Some(moment) => {
                    let believed = self.believe_now(&path);
                    hook.programs.insert(moment, path);
                    believed
                }
                None if entry == TIMEOUT => self.timeout(&path).map(|seconds| hook.timeout_s = seconds),
                None => Err(problem(
                    &path,
                    format!(
                        "it is not known here; before, after, undo and {TIMEOUT} are, and names that begin with a dot are passed over"
                    ),
                )),
            };
            problems.extend(looked.err());
        }
        Ok(hook)
    }

    fn believe_now(&self, path: &Path) -> Result<(), HookProblem> {
        match metadata(path)? {
            Some(metadata) => self.believe_program(path, &metadata),
            None => Err(problem(path, "it has gone")),
        }
    }

    fn believe_program(&self, path: &Path, metadata: &Metadata) -> Result<(), HookProblem> {
        self.believe_file(path, metadata)?;
        if metadata.permissions().mode() & OWNER_RUNS == 0 {
            return Err(problem(path, "it is not executable: chmod u+x"));
        }
        Ok(())
    }

    fn believe_file(&self, path: &Path, metadata: &Metadata) -> Result<(), HookProblem> {
        let believed = match self.whose {
            Whose::User(owner) => believed::believe_file(metadata, owner),
            Whose::Anybody if metadata.is_file() => Ok(()),
            Whose::Anybody => Err("it is not a regular file (a link is not followed)".to_owned()),
        };
        believed.map_err(|why| problem(path, why))
    }

    fn believe_folder(&self, path: &Path, metadata: &Metadata) -> Result<(), HookProblem> {
        let Whose::User(owner) = self.whose else { return Ok(()) };
        believed::believe_folder(metadata, owner).map_err(|why| problem(path, format!("it {why}")))
    }

    /// The folders on the way to a path, and the path itself where it is a folder.
    fn believe_way(&self, path: &Path) -> Result<(), HookProblem> {
        let Whose::User(owner) = self.whose else { return Ok(()) };
        believed::believe_folders(path, owner).map_err(|why| problem(path, why))?;
        match metadata(path)? {
            Some(found) if found.is_dir() => self.believe_folder(path, &found),
            Some(found) if path == self.absolute()? => self.believe_folder(path, &found),
            _ => Ok(()),
        }
    }

    fn timeout(&self, path: &Path) -> Result<u32, HookProblem> {
        let unread = |error: io::Error| problem(path, format!("it cannot be read: {error}"));
        let mut file = match self.whose {
            Whose::User(owner) => believed::open(path, owner).map_err(|why| problem(path, why))?,
            Whose::Anybody => {
                let Some(found) = metadata(path)? else { return Err(problem(path, "it has gone")) };
                self.believe_file(path, &found)?;
                Some(fs::File::open(path).map_err(unread)?)
            }
        }
        .ok_or_else(|| problem(path, "it has gone"))?;
        let mut text = Vec::new();
        file.by_ref().take(100).read_to_end(&mut text).map_err(unread)?;
        seconds(&text).ok_or_else(|| {
            problem(path, format!("a whole number of seconds from 1 to {MOST_SECONDS} is expected"))
        })
    }
}

/// A number of seconds within the bounds, as a file says it.
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    // `parse` would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seconds| digits && (1..=MOST_SECONDS).contains(seconds))
}

fn problem(path: &Path, why: impl Into<String>) -> HookProblem {
    HookProblem { path: path.to_owned(), why: why.into() }
}

/// What a path itself is; links are not followed.
fn metadata(path: &Path) -> Result<Option<Metadata>, HookProblem> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem(path, format!("it cannot be looked at: {error}"))),
    }
}

/// An editor's half-written file, and a hook that is put aside.
fn passed_over(name: &str) -> bool {
    name.starts_with('.')
}

/// The names in a folder, sorted; `None` where there is no such folder.
fn entries(folder: &Path) -> Result<Option<Vec<String>>, HookProblem> {
    let unread = |error: io::Error| problem(folder, format!("it cannot be listed: {error}"));
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(error)),
    };
    let mut names = Vec::new();
    for entry in listed {
        let name = entry.map_err(unread)?.file_name();
        names.push(name.into_string().map_err(|name| problem(&folder.join(name), "its name is not UTF-8"))?);
        if names.len() > MAX_ENTRIES {
            return Err(problem(folder, format!("more than {MAX_ENTRIES} entries")));
        }
    }
    names.sort_unstable();
    Ok(Some(names))
}

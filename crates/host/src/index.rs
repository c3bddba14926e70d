//! Which package index apt reads: the host's own, or a private copy that this agent keeps fresh where the host's own is
//! old or missing. The private copy comes from the host's own sources and is checked against the host's own keys; the
//! host's state under `/var/lib/apt` is not touched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::run::{command, run};
use crate::{HostError, System, files};

/// From this age on an index is refreshed before it is believed. Security suites change several times a day.
const MAX_AGE: Duration = Duration::from_secs(3 * 3600);
/// `apt-get update` over full lists takes 2 s on a quiet machine; a slow mirror takes minutes.
const UPDATE: Duration = Duration::from_secs(600);

/// Administrators hang commands of their own on updates (clearing caches, desktop notices): those belong to the host's
/// own updates, not to ours.
const CLEARED_HOOKS: &str = "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n\
     #clear APT::Update::Post-Invoke-Success;\n#clear APT::Update::Post-Invoke-Stats;\n";

/// apt with a certain index; writes neither locks nor caches of the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apt {
    /// The private index; `None` reads the host's own.
    lists: Option<PathBuf>,
    /// Where apt puts what it needs for a moment; `None` leaves that to apt, which takes `/tmp`.
    scratch: Option<PathBuf>,
}

impl Apt {
    /// The host's own index or the private one, whichever is fresher.
    pub(crate) fn freshest(work: &Path) -> Self {
        let private = work.join("lists");
        let own = age(&System::live().path("/var/lib/apt/lists"));
        let fresher = age(&private).is_some_and(|private| own.is_none_or(|own| private < own));
        Self { lists: fresher.then_some(private), scratch: scratch(work) }
    }

    /// Like [`Apt::freshest`], after refreshing the private index where the fresher one is too old. A refresh that fails
    /// is told in `gaps`: what is known stays, with its age.
    pub(crate) fn refreshed(work: &Path, gaps: &mut Vec<String>) -> Self {
        let apt = Self::freshest(work);
        if apt.age().is_some_and(|age| age < MAX_AGE) {
            return apt;
        }
        if let Err(error) = update(work) {
            gaps.push(format!("the package index is old and could not be refreshed: {error}"));
        }
        Self::freshest(work)
    }

    /// How long ago the index was fetched, by the host's clock; `None` when there is none.
    pub(crate) fn age(&self) -> Option<Duration> {
        age(self.lists())
    }

    /// The folder of the index that is read.
    pub(crate) fn lists(&self) -> &Path {
        self.lists.as_deref().unwrap_or(Path::new("/var/lib/apt/lists"))
    }

    /// Options that every use takes, also the one that changes the host.
    pub(crate) fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> =
            ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="].map(OsString::from).to_vec();
        if let Some(lists) = &self.lists {
            let mut option = OsString::from("Dir::State::lists=");
            option.push(lists);
            options.extend(["-o".into(), option]);
        } else {
            // Otherwise apt sets owner and mode of the host's own folder anew, even when it only looks.
            options.extend(["-o", "Debug::SetupAPTPartialDirectory::AssumeGood=true"].map(OsString::from));
        }
        options
    }

    /// `apt-get` that only looks or downloads: it takes no lock.
    pub(crate) fn get(&self) -> Command {
        let mut command = self.command("apt-get");
        command.args([
            "-q",
            "-o",
            "Debug::NoLocking=true",
            "-o",
            "APT::Get::Show-User-Simulation-Note=false",
        ]);
        // Even a simulation is logged by default.
        command.args(["-o", "Dir::Log::Planner=/dev/null", "-o", "Dir::Log::Solver=/dev/null"]);
        command
    }

    /// `apt-cache`.
    pub(crate) fn cache(&self) -> Command {
        self.command("apt-cache")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(program, self.options());
        command.envs(self.scratch.as_ref().map(|scratch| ("TMPDIR", scratch)));
        command
    }
}

/// A folder of the agent's own for what apt needs for a moment, so that looking at a host leaves its `/tmp` alone. Without one
/// apt works all the same.
fn scratch(work: &Path) -> Option<PathBuf> {
    let scratch = work.join("tmp");
    files::make_open_dir(&scratch).ok()?;
    files::give_to_downloader(&scratch);
    Some(scratch)
}

/// Fetches the index from the host's own sources into the private folder.
fn update(work: &Path) -> Result<(), HostError> {
    let lists = work.join("lists");
    // Not only for root: apt drops its rights while it downloads.
    files::make_open_dir(&lists.join("partial"))?;
    let configuration = work.join("apt-private.conf");
    files::write_durably(&configuration, CLEARED_HOOKS.as_bytes())?;
    let apt = Apt { lists: Some(lists.clone()), scratch: scratch(work) };
    let mut command = apt.get();
    command.arg("-c").arg(&configuration).args(["-o", "APT::Update::Error-Mode=any", "update"]);
    run(&mut command, UPDATE)?.ok()?;
    // An index that has not changed leaves no trace of having been asked about.
    let fetched =
        std::fs::File::open(lists.join("partial")).and_then(|dir| dir.set_modified(SystemTime::now()));
    fetched.map_err(HostError::file("mark", &lists))
}

/// apt keeps the publisher's time as the files' time of change; when this host last fetched them shows in the `partial`
/// folder, which every fetch passes through.
pub(crate) fn age(lists: &Path) -> Option<Duration> {
    let has_index = std::fs::read_dir(lists).ok()?.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with("Release") || name.contains("_Packages")
    });
    if !has_index {
        return None;
    }
    let folders = [lists.join("partial"), lists.to_owned()];
    let changed = folders
        .iter()
        .filter_map(|path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
    let latest = changed.max()?;
    Some(SystemTime::now().duration_since(latest).unwrap_or_default())
}

//! Hosts of RPM packages that dnf 4 updates. dnf resolves and downloads, with an index and a store of the agent's own; the upgrade
//! is dnf's too, from the pinned files alone and with every repository switched off. The way back and the repair are rpm's: it
//! alone brings a package to the version in a file whatever state an interruption left it in.

mod fetch;
mod locks;
mod offers;
mod reboot;
mod record;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tenon_model::Transaction;

use crate::manager::Mend;
use crate::run::{Ran, command, run};
use crate::transaction::{added, prune};
use crate::{HostError, files};

pub(crate) use locks::busy;
pub(crate) use reboot::{asks_for_reboot, reboot_required_by};
pub(crate) use record::{audit, configuration, record, status};

/// Distributions, by the `ID` of os-release(5), whose dnf 4 and whose conventions these are.
pub(crate) const DISTRIBUTIONS: [&str; 5] = ["almalinux", "rocky", "rhel", "centos", "ol"];
/// Begin the names of packages whose scripts write boot sectors, EFI variables, an initial file system or kernel modules.
pub(crate) const BOOT: [&str; 9] =
    ["kernel", "grub2", "grubby", "shim-", "systemd-boot", "dracut", "kmod-", "akmod", "dkms"];
/// Files that hold back or choose versions.
pub(crate) const PINS: [&str; 2] = ["/etc/dnf/dnf.conf", "/etc/dnf/plugins/versionlock.list"];

/// From this age on metadata are asked for again before they are believed, as with apt.
const MAX_AGE: Duration = Duration::from_secs(3 * 3600);
/// Downloads go over slow lines too.
const DOWNLOAD: Duration = Duration::from_secs(1_800);
/// What needs no network.
const QUERY: Duration = Duration::from_secs(300);

/// dnf with an index and a store in the agent's folder. Everything that only looks or downloads leaves the host's own caches, logs
/// and history alone.
#[derive(Debug)]
pub(crate) struct Dnf {
    /// Holds metadata, logs and dnf's notes.
    folder: PathBuf,
    /// Files of the versions to install.
    archives: PathBuf,
    /// Files of the versions installed now.
    undo: PathBuf,
}

/// Reads a text as all that dnf and rpm print, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_all(text: &str) {
    offers::read_all(text);
    fetch::read_all(text);
    record::read_all(text);
}

/// Why the dnf of this host is not used.
pub(crate) fn obstacle() -> Option<String> {
    let fifth = std::fs::canonicalize("/usr/bin/dnf").is_ok_and(|path| path.ends_with("dnf5"));
    fifth.then(|| "this host has dnf 5, and only dnf 4 is spoken here: upgrade by hand".to_owned())
}

impl Dnf {
    /// With the folders made where they are missing, rid of package files that are too old to matter.
    pub(crate) fn open(work: &Path) -> Result<Self, HostError> {
        let dnf = Self { folder: work.join("dnf"), archives: work.join("archives"), undo: work.join("undo") };
        for folder in [&dnf.folder, &dnf.archives, &dnf.undo] {
            files::make_dir(folder)?;
        }
        for folder in [&dnf.archives, &dnf.undo] {
            prune(folder);
        }
        Ok(dnf)
    }

    /// The same, after asking the repositories where what is known of them is too old. What could not be asked is told in `gaps`:
    /// what is known stays, with its age.
    pub(crate) fn refreshed(work: &Path, gaps: &mut Vec<String>) -> Result<Self, HostError> {
        let dnf = Self::open(work)?;
        // Where the host has asked meanwhile there may be something new.
        let own = age_of(Path::new("/var/cache/dnf"));
        if dnf.age().is_some_and(|age| age < MAX_AGE && own.is_none_or(|own| age <= own)) {
            return Ok(dnf);
        }
        if let Err(error) = dnf.refresh(gaps) {
            gaps.push(format!("the package index is old and could not be refreshed: {error}"));
        }
        Ok(dnf)
    }

    /// Keys of repositories are imported where dnf keeps those for metadata, which is the agent's folder here.
    fn refresh(&self, gaps: &mut Vec<String>) -> Result<(), HostError> {
        let mut command = self.command();
        command.args(["--assumeyes", "--refresh", "makecache"]);
        let ran = told(run(&mut command, DOWNLOAD)?);
        gaps.extend(left_out(&ran));
        ran.ok().map(drop)
    }

    /// How long ago a repository was last asked, by the host's clock; `None` when none was.
    pub(crate) fn age(&self) -> Option<Duration> {
        age_of(&self.folder.join("cache"))
    }

    /// dnf as it looks and downloads.
    fn command(&self) -> std::process::Command {
        let mut command = command("dnf", ["--quiet"]);
        for (option, folder) in [("cachedir", "cache"), ("logdir", "log"), ("persistdir", "persist")] {
            command.arg(format!("--setopt={option}={}", self.folder.join(folder).display()));
        }
        command.arg(format!("--setopt=*.metadata_expire={}", MAX_AGE.as_secs())).args([
            "--setopt=keepcache=0",
            "--setopt=install_weak_deps=0",
            "--setopt=best=1",
            "--setopt=obsoletes=0",
            // It writes what a shell completes beside the host's own cache, whichever is used.
            "--disableplugin=generate_completion_cache",
        ]);
        command
    }

    /// The command line that upgrades from the store alone. What root of the host excluded or locked stays so.
    pub(crate) fn upgrade(&self, transaction: &Transaction) -> Vec<String> {
        let fixed = [
            "dnf",
            "--assumeyes",
            "--cacheonly",
            "--disablerepo=*",
            "--setopt=install_weak_deps=0",
            "--setopt=best=1",
            "--setopt=obsoletes=0",
            "--setopt=clean_requirements_on_remove=0",
            "install",
        ];
        words(&fixed).chain(self.files_of(transaction)).collect()
    }

    /// rpm brings every package to the version of its file: where two versions are recorded it takes the other one away, and where
    /// a script was cut off it runs again.
    pub(crate) fn mend(&self, transaction: &Transaction) -> Mend {
        Mend { first: words(&BRING).chain(self.files_of(transaction)).collect(), otherwise: Vec::new() }
    }

    fn files_of(&self, transaction: &Transaction) -> impl Iterator<Item = String> {
        fetch::installed_by(transaction).map(|step| {
            self.archives
                .join(fetch::file_name(step.package, step.version, step.architecture))
                .display()
                .to_string()
        })
    }
}

fn age_of(cache: &Path) -> Option<Duration> {
    let folders = std::fs::read_dir(cache).ok()?.filter_map(Result::ok);
    // dnf sets this file's time of change when it has asked, also where nothing is new.
    let asked = folders.filter_map(|entry| {
        std::fs::metadata(entry.path().join("repodata/repomd.xml")).ok()?.modified().ok()
    });
    let latest = asked.max()?;
    Some(SystemTime::now().duration_since(latest).unwrap_or_default())
}

/// How rpm is told to bring packages to exactly the versions in files.
const BRING: [&str; 4] = ["rpm", "--upgrade", "--oldpackage", "--replacepkgs"];

/// rpm brings the old files back, then takes away what came new.
pub(crate) fn way_back(files: &[PathBuf], transaction: &Transaction) -> Vec<Vec<String>> {
    let old = files.iter().map(|file| file.display().to_string());
    let mut lines = vec![words(&BRING).chain(old).collect::<Vec<_>>()];
    let new: Vec<String> =
        added(transaction).map(|step| format!("{}.{}", step.package, step.architecture)).collect();
    if !new.is_empty() {
        lines.push(words(&["rpm", "--erase"]).chain(new).collect());
    }
    lines
}

fn words(fixed: &[&str]) -> impl Iterator<Item = String> {
    fixed.iter().map(|word| (*word).to_owned())
}

/// Without the settings of a repository, which dnf prints where it lacks a key: its password is among them.
fn told(ran: Ran) -> Ran {
    let cut = |text: String| match text.split_once("Problem repository:") {
        Some((before, _)) => before.trim_end().to_owned(),
        None => text,
    };
    Ran { stdout: cut(ran.stdout), stderr: cut(ran.stderr), ..ran }
}

/// Repositories that dnf could not ask and left out, as a gap.
fn left_out(ran: &Ran) -> Option<String> {
    let names = ran.stderr.lines().find_map(|line| line.strip_prefix("Ignoring repositories:"))?;
    let names: String = names.trim().chars().take(200).collect();
    Some(format!("repositories could not be asked, and what they offer is not known: {names}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn passwords_of_repositories_are_not_told() {
        let ran = Ran {
            program: "dnf".to_owned(),
            status: std::process::ExitStatus::from_raw(256),
            stdout: "You have no keys.\n\nProblem repository: [toy]\npassword: secret\n".to_owned(),
            stderr: "Ignoring repositories: toy, other\n".to_owned(),
        };
        let ran = told(ran);
        assert_eq!(ran.stdout, "You have no keys.");
        assert!(left_out(&ran).unwrap().ends_with("toy, other"));
    }
}

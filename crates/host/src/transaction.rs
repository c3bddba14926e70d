//! What apt would do for some targets, and the package files it needs for that and for the way back.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tenon_model::{Change, PackageTarget, PinnedFile, Transaction, TransactionStep};

use crate::index::Apt;
use crate::repack::repack;
use crate::run::run;
use crate::{HostError, apt, files};

/// A simulation over full lists takes 0.7 s on a quiet machine.
const SIMULATE: Duration = Duration::from_secs(120);
/// Downloads go over slow lines too; the order's own expiry bounds when work begins, this how long it hangs.
const DOWNLOAD: Duration = Duration::from_secs(1_800);
/// Package files nobody asked about for so long are of no more use.
const KEEP: Duration = Duration::from_secs(14 * 86_400);

/// How every real or simulated run asks for the targets: nothing new, nothing removed, and where a person changed a
/// configuration file, theirs stays.
const INSTALL: [&str; 9] = [
    "--no-remove",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
    "--only-upgrade",
    "install",
];

/// Where the package files of the agent lie.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// Files of the versions to install.
    archives: PathBuf,
    /// Files of the versions installed now.
    undo: PathBuf,
}

impl Store {
    /// The store in a work folder, made where it is missing, rid of files that are too old to matter.
    pub(crate) fn open(work: &Path) -> Result<Self, HostError> {
        let store = Self { archives: work.join("archives"), undo: work.join("undo") };
        files::make_open_dir(&store.archives.join("partial"))?;
        files::give_to_downloader(&store.archives.join("partial"));
        files::make_open_dir(&store.undo)?;
        for folder in [&store.archives, &store.undo] {
            prune(folder);
        }
        Ok(store)
    }

    /// The words after `apt-get` that bring the targets to their versions from the files in the store.
    fn install_words(&self, targets: &[PackageTarget], native: &str) -> Vec<String> {
        let mut words = vec![
            "-y".to_owned(),
            "-o".to_owned(),
            format!("Dir::Cache::archives={}", self.archives.display()),
        ];
        words.extend(INSTALL.map(str::to_owned));
        words.push("--".to_owned());
        words.extend(targets.iter().map(|target| requested(target, native)));
        words
    }

    /// The command line that really upgrades, from the files in the store alone, with one more option of apt.
    pub(crate) fn upgrade(
        &self,
        apt: &Apt,
        option: &str,
        targets: &[PackageTarget],
        native: &str,
    ) -> Vec<String> {
        let mut words = ["apt-get", "-q", "--no-download", "-o", option].map(str::to_owned).to_vec();
        words.extend(apt.options().iter().map(|option| option.to_string_lossy().into_owned()));
        words.extend(self.install_words(targets, native));
        words
    }

    /// Downloads what the transaction installs and digests it.
    pub(crate) fn fetch(
        &self,
        apt: &Apt,
        targets: &[PackageTarget],
        transaction: &Transaction,
        native: &str,
    ) -> Result<Vec<PinnedFile>, HostError> {
        let mut command = apt.get();
        command
            .args(["-o", "Acquire::Retries=2", "--download-only"])
            .args(self.install_words(targets, native));
        run(&mut command, DOWNLOAD)?.ok()?;
        self.pin(transaction)
    }

    /// Digests the files that the transaction installs, all of which must be in the store.
    pub(crate) fn pin(&self, transaction: &Transaction) -> Result<Vec<PinnedFile>, HostError> {
        let installed = transaction.steps.iter().filter_map(|step| match &step.change {
            Change::Upgrade { to, .. } | Change::Install { to } => Some((step, to)),
            Change::Remove { .. } => None,
        });
        let mut pinned = Vec::new();
        for (step, version) in installed {
            let path = self.archives.join(file_name(&step.package, version, &step.architecture));
            pinned.push(PinnedFile {
                package: step.package.clone(),
                architecture: step.architecture.clone(),
                version: version.clone(),
                sha256: files::sha256(&path)?,
            });
        }
        pinned.sort_unstable();
        Ok(pinned)
    }

    /// Package files of the versions that the transaction replaces: from the agent's store, apt's cache, a repository, or
    /// made from what is installed.
    ///
    /// # Errors
    /// For people: which version is to be had in no way.
    pub(crate) fn fetch_undo(&self, apt: &Apt, transaction: &Transaction) -> Result<Vec<PathBuf>, String> {
        replaced(transaction).map(|(step, version)| self.undo_of(apt, step, version)).collect()
    }

    fn undo_of(&self, apt: &Apt, step: &TransactionStep, version: &str) -> Result<PathBuf, String> {
        // The new version's architecture is in the step; the installed one may be of another (`all` and back).
        for architecture in [step.architecture.as_str(), "all"] {
            let name = file_name(&step.package, version, architecture);
            let path = self.undo.join(&name);
            if path.is_file()
                || std::fs::copy(Path::new("/var/cache/apt/archives").join(&name), &path).is_ok()
            {
                return Ok(path);
            }
        }
        let path = self.undo.join(file_name(&step.package, version, &step.architecture));
        let mut command = apt.get();
        command.args(["-o", "Acquire::Retries=1", "download", "--"]);
        command.arg(format!("{}:{}={version}", step.package, step.architecture)).current_dir(&self.undo);
        let downloaded = run(&mut command, DOWNLOAD).and_then(crate::run::Ran::ok);
        if downloaded.is_ok() && path.is_file() {
            return Ok(path);
        }
        let work = self.undo.parent().unwrap_or(&self.undo);
        repack(&step.package, &step.architecture, work, &path).map_err(|error| {
            format!("no repository has {} {version} any more, and it cannot be made: {error}", step.package)
        })?;
        Ok(path)
    }
}

/// What the transaction replaces, with the version before.
pub(crate) fn replaced(transaction: &Transaction) -> impl Iterator<Item = (&TransactionStep, &String)> {
    transaction.steps.iter().filter_map(|step| match &step.change {
        Change::Upgrade { from, .. } => Some((step, from)),
        _ => None,
    })
}

/// What the transaction installs that was not there before.
pub(crate) fn added(transaction: &Transaction) -> impl Iterator<Item = &TransactionStep> {
    transaction.steps.iter().filter(|step| matches!(step.change, Change::Install { .. }))
}

/// The name apt gives a package file: an epoch's colon is encoded.
pub(crate) fn file_name(package: &str, version: &str, architecture: &str) -> String {
    format!("{package}_{}_{architecture}.deb", version.replace(':', "%3a"))
}

/// apt takes no architecture for packages of architecture `all`, and needs none for the native one.
fn requested(target: &PackageTarget, native: &str) -> String {
    let PackageTarget { package, architecture, to, .. } = target;
    if architecture == "all" || architecture == native {
        format!("{package}={to}")
    } else {
        format!("{package}:{architecture}={to}")
    }
}

/// Asks apt what it would do for the targets.
///
/// # Errors
/// For people: why it cannot be done, or what else would happen than was asked.
pub(crate) fn simulate(
    apt: &Apt,
    store: &Store,
    targets: &[PackageTarget],
    native: &str,
) -> Result<Transaction, String> {
    let mut command = apt.get();
    command.arg("-s").args(store.install_words(targets, native));
    let output =
        run(&mut command, SIMULATE).and_then(crate::run::Ran::ok).map_err(|error| error.to_string())?;
    let transaction = apt::simulation(&output)?.transaction(native);
    for target in targets {
        let planned = transaction.steps.iter().any(|step| {
            step.package == target.package
                && matches!(&step.change, Change::Upgrade { from, to } if *from == target.from && *to == target.to)
        });
        if !planned {
            return Err(format!(
                "apt does not offer {} {} -> {} now",
                target.package, target.from, target.to
            ));
        }
    }
    if let Some(step) = transaction.steps.iter().find(|step| matches!(step.change, Change::Remove { .. })) {
        return Err(format!("apt would remove {}", step.package));
    }
    Ok(transaction)
}

/// Names of packages and versions come from outside and become words of a command line.
pub(crate) fn check_words(targets: &[PackageTarget]) -> Result<(), String> {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '~' | ':' | '_' | '^'))
    };
    let name = |text: &str| plain(text) && !text.contains([':', '~', '^']);
    if targets.is_empty() {
        return Err("the order names no package".to_owned());
    }
    for target in targets {
        if !(name(&target.package) && name(&target.architecture) && plain(&target.from) && plain(&target.to))
        {
            return Err(format!("{:?} is no package name, architecture or version", target.package));
        }
    }
    Ok(())
}

/// Removes what has not changed here for long. apt sets the files' time of change to the publisher's, so the entry's own
/// (ctime) counts.
pub(crate) fn prune(folder: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let old = entry.metadata().is_ok_and(|metadata| {
            metadata.is_file() && now.saturating_sub(metadata.ctime().max(0).unsigned_abs()) > KEEP.as_secs()
        });
        if old {
            // One that stays is only in the way of nobody.
            let _kept = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(package: &str, to: &str) -> PackageTarget {
        PackageTarget {
            package: package.into(),
            architecture: "amd64".into(),
            from: "1".into(),
            to: to.into(),
        }
    }

    #[test]
    fn file_names_are_those_of_apt() {
        assert_eq!(file_name("redis", "5:7.0.15-1~deb12u1", "all"), "redis_5%3a7.0.15-1~deb12u1_all.deb");
    }

    #[test]
    fn words_that_are_no_packages_are_refused() {
        assert_eq!(check_words(&[target("libstdc++6", "1:2.0~rc1-1+b2")]), Ok(()));
        assert_eq!(check_words(&[target("mod_ssl", "1:2.4.57^git1-8.el9_4")]), Ok(()));
        for bad in ["-o", "a b", "a;b", "", "../x", "a=b", "a:amd64", "a^", "_a", "$(x)"] {
            assert!(check_words(&[target(bad, "1")]).is_err(), "{bad:?}");
        }
        for bad in ["", "-1", "1 2", "1/stable"] {
            assert!(check_words(&[target("a", bad)]).is_err(), "{bad:?}");
        }
        assert!(check_words(&[]).is_err());
    }
}

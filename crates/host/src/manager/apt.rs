//! What is apt's and dpkg's own of what a change asks of a package manager.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use tenon_model::Transaction;

use super::{Mend, Place, Starter};
use crate::HostError;
use crate::run::{last_characters, run};
use crate::transaction::added;

const QUICK: Duration = Duration::from_secs(120);

/// Nothing of what these write happens on a copy.
pub(super) const BOOT: [&str; 9] = [
    "grub-",
    "grub2",
    "shim-",
    "systemd-boot",
    "linux-image-",
    "linux-headers-",
    "initramfs-tools",
    "dkms",
    "lilo",
];

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// The option by which the upgrade differs from place to place.
pub(super) const fn option(place: Place) -> &'static str {
    match place {
        Place::Copy => "Dpkg::Options::=--force-unsafe-io",
        Place::Host => "DPkg::Lock::Timeout=60",
    }
}

/// dpkg ends what it had unpacked; where that does not do, apt mends dependencies.
pub(super) fn mend() -> Mend {
    Mend {
        first: words(&["dpkg", "--force-confold", "--force-confdef", "--configure", "-a"]),
        otherwise: words(&[
            "apt-get",
            "-y",
            "-q",
            "--fix-broken",
            "-o",
            "Dpkg::Options::=--force-confold",
            "install",
        ]),
    }
}

/// What dpkg finds half-done.
pub(super) fn audit(start: Starter) -> Option<String> {
    let audit = run(&mut start(&["dpkg", "--audit"]), QUICK);
    let text = audit.map_or_else(|error| error.to_string(), |ran| ran.stdout + &ran.stderr);
    let text = text.trim();
    (!text.is_empty()).then(|| format!("dpkg --audit finds: {}", last_characters(text, 600)))
}

/// Who holds dpkg's locks.
pub(super) fn busy() -> Result<Option<String>, HostError> {
    for path in ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"] {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(HostError::file("open", Path::new(path)))?;
        if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(Some(format!("it holds {path}")));
        }
    }
    Ok(None)
}

/// apt's preferences (apt_preferences(5)).
pub(super) fn pins() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("/etc/apt/preferences.d").into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.path()).collect();
    paths.push(PathBuf::from("/etc/apt/preferences"));
    paths.sort();
    paths
}

/// dpkg installs the old files, then removes what came new.
pub(super) fn way_back(files: &[PathBuf], transaction: &Transaction) -> Vec<Vec<String>> {
    let mut install = words(&["dpkg", "--force-confold", "--force-confdef", "--install"]);
    install.extend(files.iter().map(|file| file.display().to_string()));
    let mut lines = vec![install];
    let new: Vec<String> =
        added(transaction).map(|step| format!("{}:{}", step.package, step.architecture)).collect();
    if !new.is_empty() {
        let mut remove = words(&["dpkg", "--remove"]);
        remove.extend(new);
        lines.push(remove);
    }
    lines
}

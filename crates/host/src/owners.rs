//! Which files belong to which packages, by dpkg's own lists or as rpm tells, and so which units a change of packages touches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenon_model::Unit;

use crate::files;
use crate::inventory::processes;
use crate::manager::Kind;
use crate::packages::rpm;

/// Largest list of one package's files. The largest of Debian has 60,000 files in 5 MB.
const MAX_LIST: u64 = 64 * 1024 * 1024;
const INFO: &str = "/var/lib/dpkg/info";

/// Debian merged `/lib` into `/usr/lib`: one file has two names, and dpkg's lists may hold the other one.
pub(crate) fn canonical(path: &str) -> &str {
    for merged in ["/bin/", "/sbin/", "/lib/", "/lib64/"] {
        if let Some(rest) = path.strip_prefix("/usr")
            && rest.starts_with(merged)
        {
            return rest;
        }
    }
    path
}

/// Files of packages (name and architecture).
pub(crate) fn files_of(packages: &[(String, String)]) -> BTreeSet<String> {
    match Kind::of_this_host() {
        Kind::Apt => packages.iter().flat_map(|(name, architecture)| listed_of(name, architecture)).collect(),
        Kind::Dnf => rpm::files_of(packages).iter().map(|path| canonical(path).to_owned()).collect(),
    }
}

/// By dpkg's lists. Multi-Arch packages have their architecture in the list's name.
fn listed_of(package: &str, architecture: &str) -> Vec<String> {
    let names = [format!("{package}:{architecture}.list"), format!("{package}.list")];
    let text = names.iter().find_map(|name| files::read_text(&Path::new(INFO).join(name), MAX_LIST).ok());
    text.unwrap_or_default().lines().map(|line| canonical(line).to_owned()).collect()
}

/// Packages that own the given paths, by path; paths that no package owns are left out.
pub(crate) fn packages_of(paths: &BTreeSet<String>) -> BTreeMap<String, String> {
    match Kind::of_this_host() {
        Kind::Apt => listed_in(paths),
        Kind::Dnf => rpm::owners(paths),
    }
}

/// By dpkg's lists.
fn listed_in(paths: &BTreeSet<String>) -> BTreeMap<String, String> {
    let wanted: BTreeMap<&str, &String> = paths.iter().map(|path| (canonical(path), path)).collect();
    let mut owners = BTreeMap::new();
    if wanted.is_empty() {
        return owners;
    }
    for entry in std::fs::read_dir(INFO).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(package) = name.to_str().and_then(|name| name.strip_suffix(".list")) else { continue };
        let package = package.split(':').next().unwrap_or(package);
        let text = files::read_text(&entry.path(), MAX_LIST).unwrap_or_default();
        for line in text.lines() {
            if let Some(path) = wanted.get(canonical(line)) {
                owners.insert((*path).clone(), package.to_owned());
            }
        }
    }
    owners
}

/// Units of this host that files of these packages (name and architecture) define, or that run code of theirs now.
pub fn units_touched(packages: &[(String, String)]) -> Vec<Unit> {
    let files = files_of(packages);
    let mut units: BTreeSet<Unit> = files
        .iter()
        .filter_map(|path| path.strip_prefix("/lib/systemd/system/"))
        // A template (`ssh@.service`) is no unit; its instances are found by what they run.
        .filter(|name| name.ends_with(".service") && !name.contains('/') && !name.contains("@."))
        .map(|name| Unit(name.to_owned()))
        .collect();
    for process in processes::running() {
        if process.mapped.iter().any(|path| files.contains(canonical(path)))
            && let Some(unit) = processes::unit(process.pid)
        {
            units.insert(unit);
        }
    }
    units.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_folders_have_one_name() {
        assert_eq!(canonical("/usr/lib/x86_64-linux-gnu/libc.so.6"), "/lib/x86_64-linux-gnu/libc.so.6");
        assert_eq!(canonical("/lib/x"), "/lib/x");
        assert_eq!(canonical("/usr/share/lib/x"), "/usr/share/lib/x");
        assert_eq!(canonical("/usr/libexec/x"), "/usr/libexec/x");
    }
}

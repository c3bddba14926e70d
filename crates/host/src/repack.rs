//! A package file of what is installed now, made from the installed files, for versions that no repository has any more:
//! Debian's security suite keeps only the newest. The same idea as Debian's `dpkg-repack`; what comes out is rehearsed
//! like any other way back before anybody relies on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{command, run};
use crate::{HostError, files};

/// Building the largest packages (a kernel, a browser) takes a minute.
const BUILD: Duration = Duration::from_secs(600);
const QUICK: Duration = Duration::from_secs(60);
const INFO: &str = "/var/lib/dpkg/info";
/// Largest list of files, or list of diversions, read.
const MAX_LIST: u64 = 64 * 1024 * 1024;

/// What dpkg keeps of a package besides its files, and puts back into the package file.
const CONTROL_FILES: [&str; 9] =
    ["preinst", "postinst", "prerm", "postrm", "config", "templates", "triggers", "shlibs", "symbols"];
/// Fields of the status record that are not the package's own.
const OF_STATUS: [&str; 3] = ["Status", "Conffiles", "Config-Version"];

fn malformed(package: &str, detail: impl Into<String>) -> HostError {
    HostError::Malformed { what: format!("the installed package {package}"), detail: detail.into() }
}

/// Builds `target` from the installed files of a package; `work` holds them meanwhile.
pub(crate) fn repack(package: &str, architecture: &str, work: &Path, target: &Path) -> Result<(), HostError> {
    let tree = work.join("repack");
    clear(&tree)?;
    let built = fill(package, architecture, &tree).and_then(|()| {
        // Weak compression: it is read once or never.
        let draft = target.with_extension("draft");
        let mut build = command("dpkg-deb", ["-Zgzip", "-z1", "--build"]);
        run(build.arg(&tree).arg(&draft), BUILD)?.ok()?;
        fs::rename(&draft, target).map_err(HostError::file("rename to", target))
    });
    clear(&tree)?;
    built
}

fn clear(tree: &Path) -> Result<(), HostError> {
    match fs::remove_dir_all(tree) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HostError::file("remove", tree)(error))
        }
        _ => Ok(()),
    }
}

fn fill(package: &str, architecture: &str, tree: &Path) -> Result<(), HostError> {
    let prefix = prefix(package, architecture)?;
    let info = |suffix: &str| Path::new(INFO).join(format!("{prefix}.{suffix}"));
    let list = files::read_text(&info("list"), MAX_LIST)?;
    files::make_dir(tree)?;
    fs::set_permissions(tree, fs::Permissions::from_mode(0o755)).map_err(HostError::file("chmod", tree))?;
    let diverted = diversions(package)?;
    let paths: BTreeSet<&str> = list.lines().filter(|line| line.starts_with('/') && *line != "/.").collect();
    for path in &paths {
        let is_parent = paths
            .range(format!("{path}/").as_str()..)
            .next()
            .is_some_and(|next| next.starts_with(&format!("{path}/")));
        let from = diverted.get(*path).map_or(*path, String::as_str);
        copy(package, Path::new(from), &within(tree, path), is_parent)?;
    }
    let control = tree.join("DEBIAN");
    fs::create_dir(&control).map_err(HostError::file("create", &control))?;
    fs::set_permissions(&control, fs::Permissions::from_mode(0o755))
        .map_err(HostError::file("chmod", &control))?;
    for name in CONTROL_FILES {
        let from = info(name);
        if from.exists() {
            let to = control.join(name);
            fs::copy(&from, &to).map_err(HostError::file("copy", &from))?;
        }
    }
    let record =
        run(command("dpkg-query", ["-s", "--"]).arg(format!("{package}:{architecture}")), QUICK)?.ok()?;
    write(&control.join("control"), &control_of(&record))?;
    let conffiles = conffiles_of(&record);
    if !conffiles.is_empty() {
        write(&control.join("conffiles"), &conffiles)?;
    }
    Ok(())
}

/// Packages of which several architectures can be installed have theirs in the names of dpkg's files.
fn prefix(package: &str, architecture: &str) -> Result<String, HostError> {
    let names = [format!("{package}:{architecture}"), package.to_owned()];
    let known = names.into_iter().find(|name| Path::new(INFO).join(format!("{name}.list")).exists());
    known.ok_or_else(|| malformed(package, "has no list of files"))
}

fn write(path: &Path, text: &str) -> Result<(), HostError> {
    fs::write(path, text).map_err(HostError::file("write", path))
}

fn within(tree: &Path, path: &str) -> PathBuf {
    tree.join(path.trim_start_matches('/'))
}

/// Files that another package moved aside (dpkg-divert(1)), by the name they belong under.
fn diversions(package: &str) -> Result<BTreeMap<String, String>, HostError> {
    let text = files::read_text_if_any(Path::new("/var/lib/dpkg/diversions"), MAX_LIST)?.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let triples = lines.chunks_exact(3).filter(|triple| triple[2] != package);
    Ok(triples.map(|triple| (triple[0].to_owned(), triple[1].to_owned())).collect())
}

/// Copies one entry with owner and mode. What is gone from the disk is left out: it is not part of what is installed now.
fn copy(package: &str, from: &Path, to: &Path, is_parent: bool) -> Result<(), HostError> {
    let Ok(own) = fs::symlink_metadata(from) else { return Ok(()) };
    // The list may name `/lib` as a folder where the host has a link in its place.
    let followed =
        fs::metadata(from).ok().filter(|metadata| metadata.is_dir() && (is_parent || own.is_dir()));
    if let Some(folder) = followed {
        fs::create_dir_all(to).map_err(HostError::file("create", to))?;
        chown(to, Some(folder.uid()), Some(folder.gid())).map_err(HostError::file("chown", to))?;
        return fs::set_permissions(to, folder.permissions()).map_err(HostError::file("chmod", to));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(HostError::file("create", parent))?;
    }
    if own.is_symlink() {
        let link = fs::read_link(from).map_err(HostError::file("read", from))?;
        symlink(link, to).map_err(HostError::file("link", to))?;
        return lchown(to, Some(own.uid()), Some(own.gid())).map_err(HostError::file("chown", to));
    }
    if !own.is_file() {
        return Err(malformed(package, format!("{} is no ordinary file", from.display())));
    }
    fs::copy(from, to).map_err(HostError::file("copy", from))?;
    // Owner first: changing it clears the set-user bit.
    chown(to, Some(own.uid()), Some(own.gid())).map_err(HostError::file("chown", to))?;
    fs::set_permissions(to, own.permissions()).map_err(HostError::file("chmod", to))
}

/// The record without the fields that dpkg added to it.
fn control_of(record: &str) -> String {
    let mut control = String::new();
    let mut skipping = false;
    for line in record.lines().take_while(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            skipping = line
                .split_once(':')
                .is_some_and(|(field, _)| OF_STATUS.iter().any(|name| name.eq_ignore_ascii_case(field)));
        }
        if !skipping {
            control.push_str(line);
            control.push('\n');
        }
    }
    control
}

/// Paths of the configuration files, one a line; those the package no longer brings are left out.
fn conffiles_of(record: &str) -> String {
    let lines = record.lines().skip_while(|line| !line.starts_with("Conffiles:")).skip(1);
    let lines = lines.take_while(|line| line.starts_with(' '));
    let paths =
        lines.filter(|line| !line.ends_with(" obsolete")).filter_map(|line| line.trim().rsplit_once(' '));
    paths.map(|(path, _)| format!("{path}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/a 0123\n /etc/b c 0123\n \
                          /etc/old 0123 obsolete\nDescription: x\n more\n\nPackage: b\n";

    #[test]
    fn the_record_becomes_a_control_file_again() {
        assert_eq!(control_of(RECORD), "Package: a\nVersion: 1\nDescription: x\n more\n");
        assert_eq!(conffiles_of(RECORD), "/etc/a\n/etc/b c\n");
        assert_eq!(conffiles_of("Package: a\n"), "");
    }
}

//! What rpm has on record, and what it left half-done.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use tenon_model::Component;
use tenon_versions::rpm::compare;

use crate::HostError;
use crate::manager::{Kind, Starter};
use crate::packages::{Listed, rpm};
use crate::run::{last_characters, run};
use crate::status::{Installed, PackageState, Status};

const QUERY: Duration = Duration::from_secs(120);
/// Of which several versions are meant to be installed at once: kernels, their modules, and imported keys.
const SEVERAL: [&str; 3] = ["kernel", "kmod-", "gpg-pubkey"];
/// Flags of files in packages (`rpmfileAttrs` of rpmfiles.h).
const CONFIGURATION: u32 = 1;
const GHOST: u32 = 1 << 6;

/// What is installed.
pub(crate) fn record(start: Starter) -> Result<Status, HostError> {
    Ok(status(rpm::list(|| start(&["rpm", "--query", "--all"]))?))
}

/// What rpm lists as a record with states. rpm has no state "half-installed": where it was cut off between a new version and the old
/// one it has both on record, and neither counts as installed.
pub(crate) fn status(listed: Listed) -> Status {
    let mut components = listed.components;
    components.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| order(a, b)));
    let twice = |at: usize| {
        let same = |other: Option<usize>| {
            other
                .and_then(|other| components.get(other))
                .is_some_and(|other| key(other) == key(&components[at]))
        };
        same(at.checked_sub(1)) || same(at.checked_add(1))
    };
    let state = |at: usize, component: &Component| {
        let several = SEVERAL.iter().any(|prefix| component.name.starts_with(prefix));
        if !several && twice(at) { PackageState::Interrupted } else { PackageState::Installed }
    };
    let packages = components.iter().enumerate().map(|(at, component)| Installed {
        component: component.clone(),
        state: state(at, component),
        held: false,
        conffiles: Vec::new(),
    });
    Status::of(Kind::Dnf, packages.collect(), listed.unreadable)
}

fn key(component: &Component) -> (&str, &str) {
    (&component.name, &component.architecture)
}

fn order(a: &Component, b: &Component) -> Ordering {
    compare(&a.version, &b.version).unwrap_or_else(|_| a.version.cmp(&b.version))
}

/// Configuration files of these packages (name and architecture) with the digest that rpm has of each.
pub(crate) fn configuration(
    packages: &[(String, String)],
    start: Starter,
) -> Result<BTreeMap<String, String>, HostError> {
    if packages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let format = r"[%{FILEFLAGS}\t%{FILEDIGESTS}\t%{FILENAMES}\n]";
    let mut command = start(&["rpm", "--query", "--queryformat", format]);
    command.args(packages.iter().map(|(name, architecture)| format!("{name}.{architecture}")));
    let ran = run(&mut command, QUERY)?;
    // A package of a transaction may not be there yet, or no more: the others are still told.
    Ok(ran.stdout.lines().filter_map(configured).collect())
}

fn configured(line: &str) -> Option<(String, String)> {
    let mut fields = line.splitn(3, '\t');
    let (flags, digest, path) = (fields.next()?.parse::<u32>().ok()?, fields.next()?, fields.next()?);
    let counts =
        flags & CONFIGURATION != 0 && flags & GHOST == 0 && !digest.is_empty() && path.starts_with('/');
    counts.then(|| (path.to_owned(), digest.to_owned()))
}

#[cfg(feature = "fuzzing")]
pub(super) fn read_all(text: &str) {
    for line in text.lines() {
        let _read = (configured(line), is_failed_script(line));
    }
}

/// Scripts that failed by what rpm wrote, and packages of which two versions are on record. rpm goes on after most scripts that
/// fail and dnf then ends with 0.
pub(crate) fn audit(start: Starter, output: &str) -> Option<String> {
    let failed = output.lines().find(|line| is_failed_script(line));
    if let Some(line) = failed {
        return Some(format!("{}; it wrote: {}", line.trim(), last_characters(output.trim_end(), 600)));
    }
    match record(start) {
        Ok(status) => status.interruption(),
        Err(error) => Some(error.to_string()),
    }
}

/// `error: %preun(toyd-1.0-1.noarch) scriptlet failed, exit status 3` of rpm, `Error in POSTIN scriptlet in rpm package toyd` of dnf.
fn is_failed_script(line: &str) -> bool {
    line.contains(" scriptlet failed, ")
        || (line.starts_with("Error in ") && line.contains(" scriptlet in rpm package "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_scripts_are_seen_whoever_tells_of_them() {
        for line in [
            "warning: %post(toyd-2.0-1.noarch) scriptlet failed, exit status 7",
            "error: %preun(toyd-1.0-1.noarch) scriptlet failed, signal 9",
            "Error in POSTIN scriptlet in rpm package toyd",
        ] {
            assert!(is_failed_script(line), "{line}");
        }
        assert!(!is_failed_script("Running scriptlet: toyd-2.0-1.noarch"));
    }

    #[test]
    fn only_files_that_rpm_installs_and_calls_configuration_count() {
        let line = |flags: &str, digest: &str| configured(&format!("{flags}\t{digest}\t/etc/a b"));
        assert_eq!(line("17", "ab"), Some(("/etc/a b".to_owned(), "ab".to_owned())));
        for (flags, digest) in [("0", "ab"), ("16", "ab"), ("65", "ab"), ("1", ""), ("x", "ab")] {
            assert_eq!(line(flags, digest), None, "{flags} {digest:?}");
        }
    }
}

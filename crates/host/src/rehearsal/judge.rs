//! What the result of a rehearsal says. Pure: everything was seen already.

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{Change, RehearsalReport, Transaction, Undo};

use super::Stop;
use super::process_one::{RunSeen, Seen, Versions};
use crate::run::last_characters;

/// Refuses what a copy cannot show: packages whose scripts write boot sectors, EFI variables or kernel modules, whose names begin
/// like this.
pub(super) fn check_kinds(transaction: &Transaction, boot: &[&str]) -> Result<(), String> {
    let boots = |name: &str| boot.iter().any(|prefix| name.starts_with(prefix)) || name.ends_with("-dkms");
    match transaction.steps.iter().find(|step| boots(&step.package)) {
        None => Ok(()),
        Some(step) => Err(format!(
            "{} changes how the machine boots or its kernel modules, which no copy of the file system can show: a person \
             must do this",
            step.package
        )),
    }
}

/// Configuration files that a person changed and the new packages change too.
pub(super) fn conflicts(
    recorded: &BTreeMap<String, String>,
    modified: &[String],
    now: &BTreeMap<String, String>,
) -> Vec<String> {
    let differs = |path: &&String| now.get(*path).is_some_and(|new| recorded.get(*path) != Some(new));
    modified.iter().filter(differs).cloned().collect()
}

/// Whether the way back is proven.
pub(super) fn undo(missing: Option<String>, before: &Versions, seen: &Seen) -> Undo {
    if let Some(reason) = missing {
        return Undo::NotPossible { reason };
    }
    match &seen.back {
        None => Undo::Possible {
            reason: "the way back was not tried, as the upgrade did not end well".to_owned(),
        },
        Some(back) => match trouble(back, before) {
            None => Undo::Proven,
            Some(reason) => {
                Undo::NotPossible { reason: format!("the way back was tried on the copy: {reason}") }
            }
        },
    }
}

/// The outcome; `Ok` is "passed".
pub(super) fn judge(report: &RehearsalReport, before: &Versions, seen: &Seen) -> Result<(), Stop> {
    if seen.full {
        return Err(Stop::NotRehearsed(
            "the copy had no room for what the upgrade writes: free memory, then retry".to_owned(),
        ));
    }
    if let Some(reason) = trouble(&seen.upgrade, &expected(before, &report.transaction)) {
        // Where scripts met a place they could not write, the copy differs from the host and its failure says nothing.
        if seen.upgrade.output.contains("Read-only file system") && !seen.read_only.is_empty() {
            return Err(Stop::NotRehearsed(format!(
                "the upgrade wants to write where the copy cannot be written ({}): {reason}",
                seen.read_only.join(", ")
            )));
        }
        return Err(Stop::Failed(reason));
    }
    if !report.conffile_conflicts.is_empty() {
        return Err(Stop::NotRehearsed(format!(
            "changed here by a person and in the new package too: {}; a person must decide which to keep",
            report.conffile_conflicts.join(", ")
        )));
    }
    if !seen.questions.is_empty() {
        return Err(Stop::NotRehearsed(format!(
            "the packages ask what nobody here has answered: {}; answer with `dpkg-reconfigure`, then retry",
            seen.questions.join(", ")
        )));
    }
    Ok(())
}

/// What is installed when the transaction, and nothing else, has happened.
fn expected(before: &Versions, transaction: &Transaction) -> Versions {
    let mut after = before.clone();
    for step in &transaction.steps {
        let key = key(before, &step.package, &step.architecture);
        match &step.change {
            Change::Upgrade { to, .. } | Change::Install { to } => after.insert(key, to.clone()),
            Change::Remove { .. } => after.remove(&key),
        };
    }
    after
}

/// An architecture can change between `all` and a real one from version to version; apt names the new one.
fn key(before: &Versions, package: &str, architecture: &str) -> (String, String) {
    let exact = (package.to_owned(), architecture.to_owned());
    if before.contains_key(&exact) {
        return exact;
    }
    before.keys().find(|(name, _)| name == package).cloned().unwrap_or(exact)
}

/// What is wrong after a run, if anything is.
fn trouble(run: &RunSeen, expected: &Versions) -> Option<String> {
    match run.code {
        None => return Some("it did not end in time and was killed".to_owned()),
        Some(0) => {}
        Some(code) => {
            return Some(format!("it ended with {code}: {}", last_characters(run.output.trim_end(), 600)));
        }
    }
    if let Some(found) = &run.audit {
        return Some(found.clone());
    }
    // By name: the architecture of a package may change between `all` and a real one.
    let names = |versions: &Versions| -> BTreeSet<(String, String)> {
        versions.iter().map(|((name, _), version)| (name.clone(), version.clone())).collect()
    };
    let (wanted, found) = (names(expected), names(&run.versions));
    let (missing, extra) = (wanted.difference(&found).next(), found.difference(&wanted).next());
    match (missing, extra) {
        (None, None) => None,
        (Some((name, version)), _) => Some(format!("{name} should be at {version} and is not")),
        (None, Some((name, version))) => Some(format!("{name} is at {version}, which nobody planned")),
    }
}

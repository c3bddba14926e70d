//! Configuration files that a person changed, by the package manager's own record of what the packages brought.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::run::{command, run};
use crate::{HostError, files};

const QUICK: Duration = Duration::from_secs(60);
/// Largest debconf database read.
const MAX_DATABASE: u64 = 64 * 1024 * 1024;

/// Those of `recorded` (path to the digest of what the package brought) whose content on the disk is another, or gone.
pub(crate) fn changed(recorded: &BTreeMap<String, String>) -> Result<Vec<String>, HostError> {
    // dpkg records MD5 (32 digits), rpm SHA-256, on old systems MD5. Any other counts as changed: a person looks at it.
    let (sha256, md5): (Vec<_>, Vec<_>) = recorded.iter().partition(|(_, digest)| digest.len() == 64);
    let is_same = |(path, digest): &(&String, &String)| {
        files::sha256(Path::new(path.as_str())).is_ok_and(|now| now.to_string() == **digest)
    };
    let mut changed: Vec<String> =
        sha256.into_iter().filter(|file| !is_same(file)).map(|(path, _)| path.clone()).collect();
    if !md5.is_empty() {
        // A missing file makes md5sum fail and the others are still told.
        let ran = run(command("md5sum", ["--"]).args(md5.iter().map(|(path, _)| path)), QUICK)?;
        let lines = ran.stdout.lines().filter_map(|line| line.split_once("  "));
        let now: BTreeMap<&str, &str> = lines.map(|(md5, path)| (path, md5)).collect();
        let differs = |(path, md5): &(&String, &String)| now.get(path.as_str()) != Some(&md5.as_str());
        changed.extend(md5.into_iter().filter(differs).map(|(path, _)| path.clone()));
    }
    changed.sort_unstable();
    Ok(changed)
}

/// Debconf questions of critical priority in what a run printed (`DEBCONF_DEBUG=developer`) that nobody on this
/// host has answered before.
pub(crate) fn unanswered_questions(output: &str) -> Vec<String> {
    let mut asked: Vec<String> = output
        .lines()
        .filter_map(|line| line.split_once("<-- INPUT ")?.1.split_once(' '))
        .filter(|(priority, _)| *priority == "critical")
        .map(|(_, question)| question.trim().chars().take(200).collect())
        .collect();
    asked.sort_unstable();
    asked.dedup();
    if !asked.is_empty() {
        let seen =
            files::read_text(Path::new("/var/cache/debconf/config.dat"), MAX_DATABASE).unwrap_or_default();
        asked.retain(|question| !was_seen(&seen, question));
    }
    asked
}

fn was_seen(database: &str, question: &str) -> bool {
    crate::deb822::stanzas(database, &["Name", "Flags"]).any(|stanza| {
        stanza.get("Name") == Some(question)
            && stanza.get("Flags").is_some_and(|flags| flags.split(',').any(|flag| flag.trim() == "seen"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_that_would_be_asked_count() {
        let output = "debconf (developer): <-- INPUT critical tenon-no-such-package/wipe\n\
                      debconf (developer): --> 30 question skipped\n\
                      debconf (developer): <-- INPUT medium tenon-no-such-package/colour\n\
                      debconf (developer): <-- GET tenon-no-such-package/wipe\n";
        assert_eq!(unanswered_questions(output), ["tenon-no-such-package/wipe"]);
        assert!(unanswered_questions("").is_empty());
    }

    #[test]
    fn an_answer_given_before_counts() {
        let database = "Name: a/b\nTemplate: a/b\nValue: x\nFlags: seen\n\nName: a/c\nTemplate: a/c\n";
        assert!(was_seen(database, "a/b"));
        assert!(!was_seen(database, "a/c"));
        assert!(!was_seen(database, "a/d"));
    }
}

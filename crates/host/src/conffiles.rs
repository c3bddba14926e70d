//! Configuration files that a person changed, by dpkg's own record of what the packages brought.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::run::{command, run};
use crate::{HostError, files};

const QUICK: Duration = Duration::from_secs(60);
/// Largest debconf database read.
const MAX_DATABASE: u64 = 64 * 1024 * 1024;

/// Those of `recorded` (path to the MD5 the package brought) whose content on the disk is another, or gone.
pub(crate) fn changed(recorded: &BTreeMap<String, String>) -> Result<Vec<String>, HostError> {
    if recorded.is_empty() {
        return Ok(Vec::new());
    }
    // A missing file makes md5sum fail and the others are still told.
    let ran = run(command("md5sum", ["--"]).args(recorded.keys()), QUICK)?;
    let now: BTreeMap<&str, &str> =
        ran.stdout.lines().filter_map(|line| line.split_once("  ")).map(|(md5, path)| (path, md5)).collect();
    Ok(recorded
        .iter()
        .filter(|(path, md5)| now.get(path.as_str()) != Some(&md5.as_str()))
        .map(|(path, _)| path.clone())
        .collect())
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

//! What apt answered last, kept while nothing that it answers from has changed. Asking costs seconds of processor time over full
//! lists, and a host at rest is looked at every ten minutes.
//!
//! What apt answers from is told by files: the index, dpkg's and apt's records, the configuration. Their names, sizes and times of
//! change stand for them; the time at which a file's state last changed cannot be set back by a program.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tenon_model::{Digest, Offer};

use crate::{HostError, files};

/// The file in the work folder.
const FILE: &str = "offers.json";
/// Largest that is read, in bytes: some thousand offers.
const MAX_FILE: u64 = 16 << 20;
/// Longest that an answer is believed. It covers what no file shows; the index is fetched anew as often.
const MAX_AGE: Duration = Duration::from_secs(3 * 3600);
/// Records besides the index. `/etc/machine-id` decides which phased updates are for this host.
const RECORDS: [&str; 5] = [
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/arch",
    "/var/lib/apt/extended_states",
    "/etc/machine-id",
    "/etc/dpkg",
];
/// Folders of configuration, with all below them.
const CONFIGURATION: &str = "/etc/apt";
/// How deep folders are looked into, and how many files are looked at. Where there are more nothing is kept.
const MAX_DEPTH: usize = 4;
const MAX_FILES: usize = 10_000;

/// An answer, and what it was made from.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    from: Digest,
    offers: Vec<Offer>,
}

/// What apt's answer rests on besides the index, as it was before the packages of an inventory were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Records(Option<Digest>);

impl Records {
    /// As they are now, of the system with this root.
    pub(super) fn now(root: &Path) -> Self {
        let at = |absolute: &str| root.join(absolute.trim_start_matches('/'));
        Self(state_of(RECORDS.iter().chain([&CONFIGURATION]).map(|path| at(path))))
    }
}

/// The last answer while it counts, otherwise what `ask` gives, which is kept for the next time. `root` is that of the system,
/// `before` how its records were when `ask`'s packages were read, and `lists` the index that apt reads.
pub(super) fn kept_or(
    root: &Path,
    before: Records,
    work: &Path,
    lists: &Path,
    ask: impl FnOnce() -> Result<Vec<Offer>, HostError>,
) -> Result<Vec<Offer>, HostError> {
    let path = work.join(FILE);
    // Before it is asked: what changes meanwhile is asked about the next time. What has changed since the packages were read
    // makes an answer of two states, which is good for once.
    let (Records(Some(records)), true) = (before, Records::now(root) == before) else { return ask() };
    let Some(index) = state_of([lists.to_owned()]) else { return ask() };
    let from = Digest::of(format!("{records} {index}").as_bytes());
    if let Some(offers) = kept(&path, from) {
        return Ok(offers);
    }
    let answer = Answer { from, offers: ask()? };
    // Nothing but time is lost where it cannot be kept: a full disk must not hide what is offered.
    if let Ok(bytes) = serde_json::to_vec(&answer) {
        let _kept = files::write_durably(&path, &bytes);
    }
    Ok(answer.offers)
}

/// The answer in the file, where it was made from this and not too long ago.
fn kept(path: &Path, from: Digest) -> Option<Vec<Offer>> {
    let written = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    // Of the future where the clock was set back: not believed either.
    let age = SystemTime::now().duration_since(written).ok()?;
    let text = files::read_text_if_any(path, MAX_FILE).ok()??;
    let answer: Answer = serde_json::from_str(&text).ok()?;
    (age < MAX_AGE && answer.from == from).then_some(answer.offers)
}

/// How files and folders are, with all below them; `None` where there are too many.
fn state_of(paths: impl IntoIterator<Item = PathBuf>) -> Option<Digest> {
    let mut seen = Vec::new();
    for path in paths {
        look(&path, MAX_DEPTH, &mut seen)?;
    }
    seen.sort();
    let lines = seen.iter().map(|(path, state)| format!("{}\t{state}\n", path.display()));
    Some(Digest::of(lines.collect::<String>().as_bytes()))
}

/// Notes a file, or a folder with what is in it.
fn look(path: &Path, depth: usize, seen: &mut Vec<(PathBuf, String)>) -> Option<()> {
    // Through links: what they lead to is what is read.
    let Ok(metadata) = path.metadata() else { return Some(()) };
    seen.push((path.to_owned(), state(&metadata)));
    if seen.len() > MAX_FILES {
        return None;
    }
    if metadata.is_dir() {
        let depth = depth.checked_sub(1)?;
        for entry in path.read_dir().ok()?.filter_map(Result::ok) {
            look(&entry.path(), depth, seen)?;
        }
    }
    Some(())
}

fn state(metadata: &Metadata) -> String {
    let content = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
    // apt sets owner and mode of its folders anew whenever it is asked, which is no change.
    let whole = (!metadata.is_dir()).then(|| (metadata.size(), metadata.ctime(), metadata.ctime_nsec()));
    format!("{content:?} {whole:?}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn offer(package: &str) -> Offer {
        let source = tenon_model::SourcePackage { name: package.to_owned(), version: "2".to_owned() };
        Offer {
            package: package.to_owned(),
            architecture: "all".to_owned(),
            installed: "1".to_owned(),
            candidate: "2".to_owned(),
            source,
            security: true,
            state: tenon_model::OfferState::Offered,
            claims: Vec::new(),
        }
    }

    /// A root with something of everything that counts, and an index.
    fn root(folder: &Path) -> PathBuf {
        for file in [
            "var/lib/dpkg/status",
            "var/lib/dpkg/arch",
            "var/lib/apt/extended_states",
            "etc/machine-id",
            "etc/dpkg/dpkg.cfg",
            "etc/apt/sources.list.d/debian.sources",
            "etc/apt/preferences.d/pin",
            "lists/a_Packages",
            "lists/partial/x",
        ] {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), "1").unwrap();
        }
        folder.join("lists")
    }

    #[test]
    fn whatever_apt_answers_from_makes_another_state() {
        let folder = tempfile::tempdir().unwrap();
        let (root, lists) = (folder.path(), root(folder.path()));
        let state = || Some((Records::now(root).0?, state_of([lists.clone()])?));
        let mut last = state().unwrap();
        assert_eq!(state(), Some(last));
        let mut differs = |what: &str| {
            let now = state().unwrap();
            assert_ne!(now, last, "{what}");
            last = now;
        };
        for file in
            ["var/lib/dpkg/status", "var/lib/dpkg/arch", "var/lib/apt/extended_states", "etc/machine-id"]
        {
            fs::write(root.join(file), "22").unwrap();
            differs(file);
        }
        // The same size and the same time of change of its content: its state has changed all the same.
        let pin = root.join("etc/apt/preferences.d/pin");
        let before = pin.metadata().unwrap().modified().unwrap();
        fs::write(&pin, "2").unwrap();
        fs::File::options().write(true).open(&pin).unwrap().set_modified(before).unwrap();
        differs("a pin with its times set back");
        fs::write(root.join("etc/apt/apt.conf"), "").unwrap();
        differs("a file that is new");
        fs::remove_file(root.join("etc/dpkg/dpkg.cfg")).unwrap();
        differs("a file that is gone");
        fs::rename(lists.join("a_Packages"), lists.join("b_Packages")).unwrap();
        differs("another name in the index");
        fs::File::open(lists.join("partial")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        differs("an index that was fetched again");
        let mut deep = root.join("etc/apt");
        (0..MAX_DEPTH).for_each(|_| deep.push("deep"));
        fs::create_dir_all(deep).unwrap();
        assert_eq!(state(), None, "what is not looked at cannot be vouched for");
    }

    #[test]
    fn an_answer_counts_for_its_state_and_its_time_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let (from, other) = (Digest::of(b"one"), Digest::of(b"other"));
        assert_eq!(kept(&path, from), None);
        let bytes = serde_json::to_vec(&Answer { from, offers: vec![offer("toyd")] }).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(kept(&path, from), Some(vec![offer("toyd")]));
        assert_eq!(kept(&path, other), None);
        let written =
            |at: SystemTime| fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        written(SystemTime::now() - MAX_AGE);
        assert_eq!(kept(&path, from), None, "too old");
        written(SystemTime::now() + Duration::from_secs(60));
        assert_eq!(kept(&path, from), None, "of the future");
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(kept(&path, from), None, "cut off");
    }

    #[test]
    fn neither_a_failure_nor_an_answer_of_two_states_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let lists = root(folder.path());
        let failed = || Err(HostError::Malformed { what: "apt".to_owned(), detail: "no".to_owned() });
        let root = folder.path();
        let ask = |before, ask: &dyn Fn() -> Result<Vec<Offer>, HostError>| {
            kept_or(root, before, root, &lists, ask)
        };
        let (a, b) = (|| Ok(vec![offer("a")]), || Ok(vec![offer("b")]));
        let before = Records::now(root);
        assert!(ask(before, &failed).is_err());
        assert_eq!(ask(before, &a).unwrap(), [offer("a")]);
        assert_eq!(ask(before, &b).unwrap(), [offer("a")]);
        // Packages of one state and apt's answer of another: good for once, and not kept.
        fs::write(root.join("var/lib/dpkg/status"), "another").unwrap();
        assert_eq!(ask(before, &b).unwrap(), [offer("b")]);
        let now = Records::now(root);
        assert_eq!(ask(now, &a).unwrap(), [offer("a")]);
        assert_eq!(ask(now, &b).unwrap(), [offer("a")]);
    }
}

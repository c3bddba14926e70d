//! Bringing the store up to date with its sources.
//!
//! Each feed is fetched and replaced by itself: what fails leaves its last good copy, and the others go on. From the
//! public source come KEV, the current EPSS day, the OSV ecosystems and the newest release of the CVE list as a whole;
//! not fetched from there: hourly deltas of the CVE list, EPSS days before the current one, NVD, and exploit evidence,
//! which has no public address that is read here (a mirror may hold it).

mod cve;
mod from;
mod osv;
mod small;

use std::fs::{self, File, TryLockError};
use std::path::Path;

use tenon_model::Timestamp;

use crate::error::FeedError;
use crate::fetch::{Getter, Limits, Progress};
use crate::name::{Choice, EvidenceKind, FeedName};
use crate::sources::Source;
use crate::stop::Stop;
use crate::store::{FeedState, Store};
use from::Origin;

/// The ecosystems fetched from the public source where nobody chooses: distributions and language packages whose
/// versions can be compared exactly.
const USUAL: [&str; 14] = [
    "AlmaLinux",
    "Alpine",
    "Chainguard",
    "Debian",
    "Go",
    "PyPI",
    "Red Hat",
    "Rocky Linux",
    "SUSE",
    "Ubuntu",
    "Wolfi",
    "crates.io",
    "npm",
    "openSUSE",
];

/// How to sync.
#[derive(Debug, Clone, Copy)]
pub struct SyncOptions<'a> {
    /// Which feeds.
    pub selection: Selection<'a>,
    /// Bounds in time.
    pub limits: Limits,
    /// The time that is noted with what is stored.
    pub now: Timestamp,
    /// What ends it early.
    pub stop: &'a Stop,
}

/// Which feeds to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those that the source has; from the public source the usual ecosystems.
    Usual,
    /// These. One that the source does not have is an error.
    Required(&'a [Choice]),
    /// Those of these that the source has.
    IfOffered(&'a [Choice]),
}

/// How the sync of one feed went.
#[derive(Debug)]
pub struct Synced {
    /// The feed.
    pub feed: FeedName,
    /// What was done, or why what is stored stands.
    pub outcome: Result<Change, FeedError>,
    /// How the feed stands now; `None` when it was never had.
    pub state: Option<FeedState>,
}

/// What a sync did to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The source confirms it as current.
    Unchanged,
    /// It was replaced as a whole.
    Replaced,
    /// So many changed records were fetched one by one.
    Advanced(u64),
    /// The source does not have it, and it was not required.
    NotOffered,
}

/// How a sync went.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// Each feed.
    pub feeds: Vec<Synced>,
    /// What kept feeds from even being tried.
    pub troubles: Vec<String>,
}

/// What the sync of one feed works with.
struct Job<'a> {
    origin: &'a Origin,
    store: &'a mut Store,
    now: Timestamp,
    stop: &'a Stop,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

/// Brings the chosen feeds up to date.
///
/// # Errors
/// When another sync works on the store, its folder or file fails, or it is told to stop: what is stored by then stands. What is wrong with a feed is its outcome.
pub fn sync(
    source: &Source,
    store: &mut Store,
    options: SyncOptions<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<SyncReport, FeedError> {
    let _lock = lock(store.folder())?;
    let getter = Getter::new(options.limits, store.folder().join("partial"), options.stop.clone())?;
    let origin = Origin::new(source, getter);
    let mut report = SyncReport::default();
    for (feed, asked) in feeds(&origin, store, options.selection, &mut report.troubles)? {
        if options.stop.is_said() {
            return Err(FeedError::Stopped { feed: feed.to_string() });
        }
        let mut job = Job {
            origin: &origin,
            store: &mut *store,
            now: options.now,
            stop: options.stop,
            progress: &mut *progress,
        };
        let outcome = match &feed {
            FeedName::Kev => small::kev(&mut job),
            FeedName::Epss => small::epss(&mut job),
            FeedName::Exploits(kind) => small::evidence(&mut job, *kind),
            FeedName::Osv(ecosystem) => osv::osv(&mut job, ecosystem),
            FeedName::Cve => cve::cve(&mut job),
        };
        let known = store.feed(&feed)?.is_some_and(|(state, _)| state.fetched.is_some());
        let outcome = match outcome {
            Err(FeedError::NotMirrored { .. }) if !asked && !known => Ok(Change::NotOffered),
            // Not the feed's failure: nothing is noted of it.
            Err(error @ FeedError::Stopped { .. }) => return Err(error),
            Err(error) => {
                store.fail(&feed, &error.to_string())?;
                Err(error)
            }
            outcome => outcome,
        };
        let state = store.feed(&feed)?.map(|(state, _)| state);
        report.feeds.push(Synced { feed, outcome, state });
    }
    store.settle();
    Ok(report)
}

/// One writer at a time: parts of downloads are shared, and a second sync would only repeat the first.
pub(crate) fn lock(folder: &Path) -> Result<File, FeedError> {
    let path = folder.join("sync.lock");
    let failed = |error| FeedError::file("lock", &path, error);
    let file = fs::OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FeedError::Busy { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The feeds to sync, and whether each is required.
fn feeds(
    origin: &Origin,
    store: &Store,
    selection: Selection<'_>,
    troubles: &mut Vec<String>,
) -> Result<Vec<(FeedName, bool)>, FeedError> {
    let usual = [
        Choice::One(FeedName::Kev),
        Choice::One(FeedName::Epss),
        Choice::EveryOsv,
        Choice::One(FeedName::Cve),
        Choice::EveryExploits,
    ];
    let mut feeds: Vec<(FeedName, bool)> = Vec::new();
    let choices = match selection {
        Selection::Usual => &usual,
        Selection::Required(choices) | Selection::IfOffered(choices) => choices,
    };
    for choice in choices {
        match choice {
            Choice::One(feed) => feeds.push((feed.clone(), matches!(selection, Selection::Required(_)))),
            Choice::EveryExploits => {
                feeds.extend(EvidenceKind::ALL.map(|kind| (FeedName::Exploits(kind), false)));
            }
            Choice::EveryOsv => {
                let known = store.feeds()?.into_iter().map(|state| state.feed);
                let mut names: Vec<FeedName> =
                    known.filter(|feed| matches!(feed, FeedName::Osv(_))).collect();
                match origin.ecosystems() {
                    Ok(offered) => {
                        let all = selection != Selection::Usual || !origin.is_public();
                        let wanted = offered.into_iter().filter(|name| all || USUAL.contains(&name.as_str()));
                        names.extend(wanted.map(FeedName::Osv));
                    }
                    Err(error) => troubles.push(format!(
                        "the list of OSV ecosystems cannot be had, only those stored are asked for: {error}"
                    )),
                }
                names.sort();
                names.dedup();
                feeds.extend(names.into_iter().map(|name| (name, false)));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    feeds.retain(|(feed, _)| seen.insert(feed.clone()));
    Ok(feeds)
}

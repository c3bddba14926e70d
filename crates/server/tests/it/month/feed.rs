//! What the public feeds said, each thing on its day.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use tenon_feeds::{Choice, FeedName, Limits, Selection, Source, Stop, Store, SyncOptions, sync};
use tenon_formats::epss::{self, EpssDay};
use tenon_model::{Advisory, AdvisoryDelta, Command, IntelDelta, Kev, Timestamp, VulnerabilityId};

/// The releases of the estate, as OSV spells them.
pub(super) const RELEASES: [&str; 3] = ["Debian:12", "Debian:13", "AlmaLinux:9"];
/// EPSS days that were kept whole.
const EPSS_DAYS: [&str; 3] = ["2025-10-04", "2026-06-20", "2026-08-01"];

/// The mirror of the public feeds, where it is.
pub(super) fn mirror(test: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("TENON_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let feeds = shared.join("feeds");
    if feeds.is_dir() {
        return Some(feeds);
    }
    println!("skipped: {test}: no folder feeds (name the folder that holds it in TENON_SHARED)");
    None
}

/// The feeds over time.
pub(super) struct Feed {
    /// By the time they were published.
    advisories: Vec<Advisory>,
    listed: Vec<(VulnerabilityId, Kev)>,
    scored: Vec<EpssDay>,
    /// What distributions' repositories hold: the latest fix of each package, by release and name.
    pub(super) fixed: BTreeMap<(String, String), String>,
}

impl Feed {
    /// Reads the mirror the way a server does.
    pub(super) fn read(mirror: &Path, now: Timestamp) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut store = Store::open(place.path()).unwrap();
        let names = ["Debian:12", "AlmaLinux:9"].map(|release| FeedName::of_release(release).unwrap());
        let needed = Choice::needed(names);
        let whole = Duration::from_secs(300);
        let limits = Limits { whole, silence: whole, ..Limits::default() };
        let stop = Stop::default();
        let options = SyncOptions { selection: Selection::Required(&needed), limits, now, stop: &stop };
        let report = sync(&Source::Mirror(mirror.to_owned()), &mut store, options, &mut |_| {}).unwrap();
        assert!(report.feeds.iter().all(|synced| synced.outcome.is_ok()), "{report:?}");

        let releases = RELEASES.map(str::to_owned);
        let mut advisories: Vec<Advisory> =
            store.advisories_of(&releases).unwrap().collect::<Result<_, _>>().unwrap();
        advisories.retain(|advisory| advisory.published.is_some());
        advisories.sort_by_key(|advisory| (advisory.published, advisory.id.to_string()));
        let named: BTreeSet<&VulnerabilityId> =
            advisories.iter().flat_map(|advisory| advisory.vulnerabilities()).collect();
        let kev = |id: VulnerabilityId| {
            let kev = store.intel(&id).unwrap().kev.filter(|_| named.contains(&id))?;
            Some((id, kev))
        };
        let mut listed: Vec<_> = store.kev().unwrap().into_iter().filter_map(kev).collect();
        listed.sort_by_key(|(_, kev)| kev.added);
        let scored = EPSS_DAYS.map(|day| {
            let file = std::fs::File::open(mirror.join(format!("epss/epss_scores-{day}.csv.gz"))).unwrap();
            let mut text = Vec::new();
            GzDecoder::new(file).read_to_end(&mut text).unwrap();
            let mut day = epss::parse(&text).unwrap();
            day.scores.retain(|(id, _)| named.contains(id));
            day
        });
        Self { scored: scored.into(), fixed: BTreeMap::new(), advisories, listed }
    }

    /// What becomes known up to this time and was not told yet.
    pub(super) fn until(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        let known = self.advisories.partition_point(|advisory| advisory.published <= Some(now));
        let published: Vec<Advisory> = self.advisories.drain(..known).collect();
        for affected in published.iter().flat_map(|advisory| &advisory.affected) {
            let fixed = affected.ranges.iter().filter_map(|range| range.fixed.clone()).next_back();
            if let (Some(fixed), None) = (fixed, &affected.module) {
                self.fixed.insert((affected.ecosystem.clone(), affected.package.clone()), fixed);
            }
        }
        if !published.is_empty() {
            let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
            commands.push(Command::ChangeAdvisories { feed: "osv".to_owned(), delta, as_of: Some(now) });
        }
        let known = self.listed.partition_point(|(_, kev)| kev.added <= now);
        let listed: Vec<_> = self.listed.drain(..known).collect();
        if !listed.is_empty() {
            let delta = IntelDelta::Kev { listed, retracted: Vec::new() };
            commands.push(Command::ChangeIntel { delta, as_of: Some(now) });
        }
        let known = self.scored.partition_point(|day| day.scored <= now);
        for EpssDay { model, scored, scores, .. } in self.scored.drain(..known) {
            let delta = IntelDelta::Epss { model, scored, scores, dropped: Vec::new() };
            commands.push(Command::ChangeIntel { delta, as_of: Some(scored) });
        }
        commands
    }

    /// The first fix of a package that is still to come.
    pub(super) fn next_fix(&self, release: &str, package: &str) -> Option<&str> {
        let of = self.advisories.iter().flat_map(|advisory| &advisory.affected);
        of.filter(|affected| {
            affected.ecosystem == release && affected.package == package && affected.module.is_none()
        })
        .find_map(|affected| affected.ranges.iter().filter_map(|range| range.fixed.as_deref()).next_back())
    }
}

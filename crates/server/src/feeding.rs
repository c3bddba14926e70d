//! Keeping the World's advisories and intel as fresh as the public feeds.
//!
//! ```text
//! source --sync--> store in the data folder --what differs from the World--> commands --> journal
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenon_engine::World;
use tenon_feeds::{
    Asked, Change, Choice, FeedError, FeedName, Foresight, Limits, Progress, Selection, Source, Stop, Store,
    SyncOptions, Synced, advisory_delta, intel_deltas, sync,
};
use tenon_model::{Command, Intel, IntelSource, RefusalCode, Timestamp, VulnerabilityId};
use tenon_predict::ModelFile;
use tokio::sync::watch;

use crate::clock::clock;
use crate::health::{Attempt, FeedHealth};
use crate::serve::is_true;
use crate::writer::{SubmitError, Writer};

/// How often feeds are asked. They answer "unchanged" mostly, which costs one request each.
const EVERY: Duration = Duration::from_secs(1_800);
/// The wait after a failure.
const AGAIN: Duration = Duration::from_secs(120);

/// What feeding needs.
pub(crate) struct Feeding {
    pub(crate) writer: Writer,
    pub(crate) source: Source,
    /// The folder of the store.
    pub(crate) store: PathBuf,
    pub(crate) health: FeedHealth,
}

/// What hosts report that decides which part of the feeds is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// The releases that enrolled hosts run, as OSV spells them.
    releases: BTreeSet<String>,
    /// What changelogs of offered packages claim.
    claims: BTreeSet<VulnerabilityId>,
}

/// Waits until a published World satisfies this; `false` when none will be published any more.
async fn until(follow: &mut watch::Receiver<Arc<World>>, wanted: impl Fn(&World) -> bool) -> bool {
    loop {
        if follow.changed().await.is_err() {
            return false;
        }
        let world = follow.borrow_and_update().clone();
        if wanted(&world) {
            return true;
        }
    }
}

impl Wanted {
    fn releases_of(world: &World) -> BTreeSet<String> {
        world.systems().map(str::to_owned).collect()
    }

    fn of(world: &World) -> Self {
        Self { releases: Self::releases_of(world), claims: world.claims().into_iter().cloned().collect() }
    }
}

impl Feeding {
    /// Asks the feeds again and again, at once when a host of a new release has reported. What changelogs claim is looked up
    /// whenever they are asked.
    pub(crate) async fn run(self, stopped: watch::Receiver<bool>) {
        let feeding = Arc::new(self);
        let stop = Stop::default();
        let mut follow = feeding.writer.follow();
        loop {
            // Not under the watch's lock, for which the writer would wait.
            let world = follow.borrow_and_update().clone();
            let wanted = Wanted::of(&world);
            let releases = wanted.releases.clone();
            drop(world);
            let healthy = if releases.is_empty() {
                true
            } else {
                let refresh = feeding.clone().refresh(wanted, stop.clone());
                tokio::pin!(refresh);
                let healthy = tokio::select! {
                    healthy = &mut refresh => Some(healthy),
                    () = is_true(stopped.clone()) => None,
                };
                let Some(healthy) = healthy else {
                    stop.say();
                    // Waited for, so that nothing writes to the store once the server has stopped.
                    refresh.await;
                    return;
                };
                healthy
            };
            let next = tokio::time::sleep(if healthy { EVERY } else { AGAIN });
            let is_new = |world: &World| !Wanted::releases_of(world).is_subset(&releases);
            tokio::select! {
                () = next => {}
                changed = until(&mut follow, is_new) => if !changed { return },
                () = is_true(stopped.clone()) => return,
            }
        }
    }

    /// Asks every feed once; `false` when something failed.
    async fn refresh(self: Arc<Self>, wanted: Wanted, stop: Stop) -> bool {
        let asked = tokio::task::spawn_blocking(move || match self.ask(&wanted, &stop) {
            Ok(healthy) => healthy,
            // Told to stop: nothing is wrong with the store.
            Err(_) if stop.is_said() => false,
            Err(error) => {
                self.health.note("store", Attempt::failed(error));
                false
            }
        });
        asked.await.unwrap_or(false)
    }

    fn ask(&self, wanted: &Wanted, stop: &Stop) -> Result<bool, String> {
        let mut store = Store::open(&self.store).map_err(|error| error.to_string())?;
        let needed = Choice::needed(wanted.releases.iter().filter_map(|name| FeedName::of_release(name)));
        let mut healthy = true;
        let needed = Selection::Required(&needed);
        for selection in [needed, Selection::IfOffered(&Choice::REFINING)] {
            let options = SyncOptions { selection, limits: Limits::default(), now: clock(), stop };
            let report = sync(&self.source, &mut store, options, &mut progress);
            let mut brought = false;
            for synced in report.map_err(|error| error.to_string())?.feeds {
                healthy &= self.note(&synced);
                brought |= matches!(synced.outcome, Ok(Change::Replaced | Change::Advanced(_)));
            }
            // What was stored before may be news to the World, too: told once, with the feeds that are needed.
            if brought || selection == needed {
                self.tell(&store, wanted)?;
            }
        }
        self.health.forget("store");
        Ok(healthy)
    }

    /// Notes how asking one feed went; `false` when it failed.
    fn note(&self, synced: &Synced) -> bool {
        let state = synced.state.as_ref();
        let problem = match (&synced.outcome, state) {
            (Err(error), state) if state.is_some_and(|state| state.fetched.is_some()) => {
                Some(format!("the last good copy is in use: {error}"))
            }
            (Err(error), _) => Some(error.to_string()),
            (Ok(_), Some(state)) if state.problems > 0 => Some(format!(
                "{} problems in {} records; what cannot be read is not assessed: `tenon feeds problems`",
                state.problems, state.records
            )),
            _ => None,
        };
        if state.is_some() {
            let as_of = state.and_then(|state| state.as_of);
            self.health.note(&synced.feed.to_string(), Attempt::made(as_of, problem));
        }
        synced.outcome.is_ok()
    }

    /// Tells the core what the store knows and the World does not. A feed that the store never had says nothing, also not
    /// that what is known from elsewhere is gone: advisories wait until every feed of theirs is there.
    fn tell(&self, store: &Store, wanted: &Wanted) -> Result<(), String> {
        let world = self.writer.world();
        let models = ModelFile::shipped().map_err(|error| format!("the model of this program: {error}"))?;
        let known = store
            .consistent(|store| Known::read(store, wanted, &models))
            .map_err(|error| error.to_string())?;
        if known.osv.iter().all(|feed| known.had.contains(feed)) {
            let delta = advisory_delta(world.advisories(), known.advisories);
            if !delta.published.is_empty() || !delta.withdrawn.is_empty() {
                let names: Vec<String> = known.osv.iter().map(ToString::to_string).collect();
                let as_of = known.osv.iter().filter_map(|feed| known.dates.get(feed).copied()).min();
                self.submit(Command::ChangeAdvisories { feed: names.join(" "), delta, as_of })?;
            }
        }
        for delta in intel_deltas(world.all_intel(), &known.intel) {
            let feed = match delta.source() {
                IntelSource::Kev => FeedName::Kev,
                IntelSource::Epss => FeedName::Epss,
                IntelSource::Profile => FeedName::Cve,
                IntelSource::Forecast => {
                    if let Some(as_of) = known.foreseen {
                        self.submit(Command::ChangeIntel { delta, as_of: Some(as_of) })?;
                    }
                    continue;
                }
            };
            if known.had.contains(&feed) {
                let as_of = known.dates.get(&feed).copied();
                self.submit(Command::ChangeIntel { delta, as_of })?;
            }
        }
        Ok(())
    }

    fn submit(&self, command: Command) -> Result<(), String> {
        let submitted = tokio::runtime::Handle::current().block_on(self.writer.submit(command, None));
        match submitted {
            Ok(_) => Ok(()),
            Err(SubmitError::Refused(refusal)) if refusal.code == RefusalCode::NothingToDo => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The part of a store that a World wants.
struct Known {
    /// The feeds that advisories come from.
    osv: BTreeSet<FeedName>,
    advisories: Vec<tenon_model::Advisory>,
    intel: BTreeMap<VulnerabilityId, Intel>,
    /// The feeds that the store has had.
    had: BTreeSet<FeedName>,
    /// How far each feed reaches.
    dates: BTreeMap<FeedName, Timestamp>,
    /// The day as of which is foreseen; `None` where the store has not what that takes.
    foreseen: Option<Timestamp>,
}

impl Known {
    fn read(store: &Store, wanted: &Wanted, models: &ModelFile) -> Result<Self, FeedError> {
        let releases: Vec<String> = wanted.releases.iter().cloned().collect();
        let advisories: Vec<tenon_model::Advisory> =
            store.advisories_of(&releases)?.collect::<Result<_, _>>()?;
        let listed = store.kev()?;
        let mut asked = Asked::default();
        asked.about(listed.iter().chain(&wanted.claims));
        asked.advised(&advisories);
        let states = store.feeds()?;
        let foresight = Foresight::of(models, &states, clock());
        let intel = store.known_intel(&asked, foresight)?;
        let had = states.iter().filter(|state| state.fetched.is_some()).map(|state| state.feed.clone());
        Ok(Self {
            osv: releases.iter().filter_map(|release| FeedName::of_release(release)).collect(),
            advisories,
            intel,
            had: had.collect(),
            dates: states.iter().filter_map(|state| Some((state.feed.clone(), state.as_of?))).collect(),
            foreseen: foresight.map(|foresight| foresight.day().start()),
        })
    }
}

fn progress(progress: Progress<'_>) {
    match progress {
        Progress::Downloading { feed, bytes, of } => tracing::debug!(feed, bytes, of, "downloading"),
        other => tracing::trace!(?other, "feed"),
    }
}

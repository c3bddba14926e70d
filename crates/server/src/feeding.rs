//! Keeping the World's advisories and intel as fresh as the public feeds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenon_engine::World;
use tenon_feeds::{
    FeedDocument, FeedError, Origin, Progress, Source, advisory_delta, epss_delta, fetch_epss, fetch_kev,
    fetch_osv, intel_delta_is_empty, kev_delta,
};
use tenon_model::{Command, RefusalCode, VulnerabilityId};
use tokio::sync::watch;

use crate::health::FeedHealth;
use crate::writer::{SubmitError, Writer};

/// How often feeds are asked. They answer "unchanged" mostly, which costs one request each.
const EVERY: Duration = Duration::from_secs(1_800);
/// The wait after a failure.
const AGAIN: Duration = Duration::from_secs(120);

/// What feeding needs.
pub(crate) struct Feeding {
    pub(crate) writer: Writer,
    pub(crate) source: Source,
    pub(crate) cache: PathBuf,
    pub(crate) health: FeedHealth,
}

/// The releases that enrolled hosts run, as OSV spells them.
fn releases(world: &World) -> BTreeSet<String> {
    let facts = world.assets().filter_map(|(_, asset)| asset.facts.as_deref());
    facts.filter_map(|facts| facts.os.osv_ecosystem()).collect()
}

impl Feeding {
    /// Asks the feeds again and again, at once when a host of a new release has reported.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let feeding = Arc::new(self);
        let mut follow = feeding.writer.follow();
        loop {
            let wanted = releases(&follow.borrow_and_update());
            let healthy =
                wanted.is_empty() || feeding.clone().refresh(wanted.iter().cloned().collect()).await;
            let next = tokio::time::sleep(if healthy { EVERY } else { AGAIN });
            tokio::select! {
                () = next => {}
                changed = follow.wait_for(|world| releases(world) != wanted) => if changed.is_err() { return },
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Asks every feed once; `false` when one failed.
    async fn refresh(self: Arc<Self>, releases: Vec<String>) -> bool {
        let commands = tokio::task::spawn_blocking(move || {
            let mut healthy = true;
            // Advisories first: they say which scores are wanted.
            let steps: [fn(&Self, &[String]) -> Step; 3] = [Self::advisories, Self::exploited, Self::scores];
            for step in steps {
                healthy &= self.step(step, &releases);
            }
            healthy
        });
        commands.await.unwrap_or(false)
    }

    fn step(&self, step: fn(&Self, &[String]) -> Step, releases: &[String]) -> bool {
        let Step { feed, outcome } = step(self, releases);
        let problem = match outcome {
            Ok(read) => {
                let submitted = read.command.map(|command| self.submit(command));
                submitted.and_then(Result::err).or(read.problem)
            }
            Err(error) => Some(error.to_string()),
        };
        let healthy = problem.is_none();
        self.health.note(&feed, problem);
        healthy
    }

    fn submit(&self, command: Command) -> Result<(), String> {
        let submitted = tokio::runtime::Handle::current().block_on(self.writer.submit(command, None));
        match submitted {
            Ok(_) => Ok(()),
            Err(SubmitError::Refused(refusal)) if refusal.code == RefusalCode::NothingToDo => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn advisories(&self, releases: &[String]) -> Step {
        let feed = format!("osv {}", releases.join(" "));
        let fetched = fetch_osv(&self.source, &self.cache, releases, &mut progress);
        let outcome = fetched.map(|document| {
            let world = self.writer.world();
            let delta = advisory_delta(world.advisories(), &document);
            let changed = !delta.published.is_empty() || !delta.withdrawn.is_empty();
            let as_of = document.as_of;
            let command = changed.then(|| Command::ChangeAdvisories { feed: feed.clone(), delta, as_of });
            Read { command, problem: problem(&document) }
        });
        Step { feed, outcome }
    }

    fn exploited(&self, _releases: &[String]) -> Step {
        let fetched = fetch_kev(&self.source, &self.cache, &mut progress);
        let outcome = fetched.map(|document| {
            let delta = kev_delta(self.writer.world().all_intel(), &document);
            let as_of = document.as_of;
            let command = (!intel_delta_is_empty(&delta)).then_some(Command::ChangeIntel { delta, as_of });
            Read { command, problem: problem(&document) }
        });
        Step { feed: "kev".to_owned(), outcome }
    }

    fn scores(&self, _releases: &[String]) -> Step {
        let world = self.writer.world();
        let named: BTreeSet<VulnerabilityId> =
            world.advisories().flat_map(|advisory| advisory.vulnerabilities().iter().cloned()).collect();
        let fetched = fetch_epss(&self.source, &self.cache, &|id| named.contains(id), &mut progress);
        let outcome = fetched.map(|document| {
            let delta = epss_delta(world.all_intel(), &document);
            let as_of = document.as_of;
            let command = (!intel_delta_is_empty(&delta)).then_some(Command::ChangeIntel { delta, as_of });
            Read { command, problem: problem(&document) }
        });
        Step { feed: "epss".to_owned(), outcome }
    }
}

struct Step {
    feed: String,
    outcome: Result<Read, FeedError>,
}

struct Read {
    command: Option<Command>,
    problem: Option<String>,
}

/// What people should know although the feed could be read.
fn problem<T>(document: &FeedDocument<T>) -> Option<String> {
    if let Origin::LastGood { because } = &document.origin {
        return Some(format!("the last good copy is in use: {because}"));
    }
    let first = document.problems.listed().first()?;
    Some(format!(
        "{} of {} records cannot be read and are not assessed, the first: {first}",
        document.problems.total(),
        document.records
    ))
}

fn progress(progress: Progress<'_>) {
    match progress {
        Progress::Downloading { feed, bytes, of } => tracing::debug!(feed, bytes, of, "downloading"),
        other => tracing::trace!(?other, "feed"),
    }
}

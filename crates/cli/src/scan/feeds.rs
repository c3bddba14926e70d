//! The feeds that a scan matches against: the local store, fetched first where it is asked for or there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use tenon_feeds::{Asked, Choice, FeedName, FeedState, Foresight, Limits, Selection, Source, Store};
use tenon_model::{Advisory, Component, Intel, Inventory, Timestamp, VulnerabilityId};
use tenon_predict::ModelFile;
use tenon_versions::Scheme;

use super::FeedUsed;
use crate::feeds::sync_shown;

/// What a store says about one system.
#[derive(Default)]
pub(super) struct Read {
    /// The advisories that name its packages, reduced to them.
    pub(super) advisories: Vec<Advisory>,
    /// What is known of the vulnerabilities that those address or its changelogs claim.
    pub(super) intel: BTreeMap<VulnerabilityId, Intel>,
    /// The feeds, and what is wrong with them.
    pub(super) used: Vec<FeedUsed>,
    /// The ecosystems, with release, of which the store has advisories, be it none about this system's packages.
    pub(super) covered: BTreeSet<String>,
}

impl Read {
    /// No feed is at hand: nothing is assessed, and the report says why.
    fn nothing(osv: &BTreeSet<FeedName>, error: &anyhow::Error) -> Self {
        let feed = |name: &FeedName| FeedUsed {
            name: name.to_string(),
            as_of: None,
            confirmed: None,
            records: 0,
            problem: Some(format!("{error:#}")),
        };
        Self { used: osv.iter().map(feed).collect(), ..Self::default() }
    }
}

/// The packages of a system by the ecosystem whose advisories name them. One whose versions cannot be compared is left
/// out: the assessment says so.
fn names(inventory: &Inventory) -> BTreeMap<String, BTreeSet<&str>> {
    let os = inventory.facts.os.osv_ecosystem();
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for component in &inventory.components {
        let Component { name, source, ecosystem, .. } = component;
        if let Some(ecosystem) = ecosystem.as_deref().or(os.as_deref())
            && Scheme::of_osv_ecosystem(ecosystem).is_some()
        {
            names.entry(ecosystem.to_owned()).or_default().extend([name.as_str(), source.name.as_str()]);
        }
    }
    names
}

/// Opens the store. With a `source` it is first brought up to date from there, as far as this system needs it; without
/// one, what is stored is used as it is, and where nothing is stored the public feeds are asked.
fn open(folder: &Path, source: Option<&Source>, ecosystems: &BTreeSet<FeedName>) -> Result<Store> {
    let source = match source {
        Some(source) => source,
        None => match Store::open_read_only(folder) {
            Ok(store) if store.feeds()?.iter().any(|state| state.fetched.is_some()) => return Ok(store),
            // An attempt that failed leaves an empty one behind.
            Ok(_) => &Source::Public,
            Err(_) if !folder.join("feeds.sqlite").exists() => &Source::Public,
            Err(error) => return Err(error.into()),
        },
    };
    let mut store = Store::open(folder)?;
    let needed = Choice::needed(ecosystems.iter().cloned());
    // Somebody waits: without a network that should be said soon.
    let limits = Limits { attempts: 2, ..Limits::default() };
    let mut had = false;
    let mut failures = Vec::new();
    for synced in sync_shown(source, &mut store, Selection::Required(&needed), limits)?.feeds {
        had |= synced.state.is_some_and(|state| state.fetched.is_some());
        failures.extend(synced.outcome.err());
    }
    // A folder that is no mirror is a mistake of the command line, not a gap. Other failures are noted in the store.
    if !had && let Some(failure) = failures.into_iter().next() {
        return Err(failure).context(
            "no feed could be read; without a network `tenon feeds import FILE` takes them from a file that \
             `tenon feeds export` wrote elsewhere, and `--feeds FOLDER` from a mirror",
        );
    }
    sync_shown(source, &mut store, Selection::IfOffered(&Choice::REFINING), limits)?;
    Ok(store)
}

/// Reads what the feeds say about a system.
pub(super) fn read(
    folder: &Path,
    source: Option<&Source>,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<Read> {
    let names = names(inventory);
    let osv: BTreeSet<FeedName> =
        names.keys().filter_map(|ecosystem| FeedName::of_release(ecosystem)).collect();
    if osv.is_empty() {
        return Ok(Read::default());
    }
    let store = match open(folder, source, &osv) {
        Ok(store) => store,
        Err(error) if source.is_some() => return Err(error),
        // What the host's own repositories offer is known all the same.
        Err(error) => return Ok(Read::nothing(&osv, &error)),
    };
    let models = ModelFile::shipped()?;
    let read = store.consistent(|store| {
        let mut advisories = Vec::new();
        for (ecosystem, names) in &names {
            advisories.extend(store.advisories_of_packages(ecosystem, names.iter().copied())?);
        }
        let mut asked = Asked::default();
        asked.about(inventory.facts.offers.iter().flat_map(|offer| &offer.claims));
        asked.advised(&advisories);
        let states = store.feeds()?;
        let intel = store.known_intel(&asked, Foresight::of(&models, &states, now))?;
        let mut covered = BTreeSet::new();
        for ecosystem in names.keys() {
            if store.speaks_of(ecosystem)? {
                covered.insert(ecosystem.clone());
            }
        }
        Ok((advisories, intel, covered, states))
    });
    let (advisories, intel, covered, states) = read?;
    Ok(Read { advisories: merged(advisories), intel, used: used(&osv, &states, now), covered })
}

/// An advisory that speaks of packages of several ecosystems is read once for each.
fn merged(advisories: Vec<Advisory>) -> Vec<Advisory> {
    let mut by_id: BTreeMap<VulnerabilityId, Advisory> = BTreeMap::new();
    for advisory in advisories {
        match by_id.get_mut(&advisory.id) {
            Some(known) => known.affected.extend(advisory.affected),
            None => drop(by_id.insert(advisory.id.clone(), advisory)),
        }
    }
    by_id.into_values().collect()
}

/// The feeds that this scan stands on, the advisories first. One that was never had is among them.
fn used(osv: &BTreeSet<FeedName>, states: &[FeedState], now: Timestamp) -> Vec<FeedUsed> {
    let must = osv.iter().cloned().chain([FeedName::Kev, FeedName::Epss]);
    let known = |feed: &FeedName| states.iter().find(|state| state.feed == *feed && state.fetched.is_some());
    let refines = |feed: &FeedName| matches!(feed, FeedName::Cve | FeedName::Exploits(_));
    let also = states.iter().filter(|state| refines(&state.feed)).map(|state| state.feed.clone());
    let one = |feed: FeedName| match known(&feed) {
        Some(state) => FeedUsed {
            name: feed.to_string(),
            as_of: state.as_of.map(|time| time.to_string()),
            confirmed: state.checked.map(|time| time.to_string()),
            records: state.records,
            problem: problem(state, now),
        },
        None => FeedUsed {
            name: feed.to_string(),
            as_of: None,
            confirmed: None,
            records: 0,
            problem: Some("it was never fetched".to_owned()),
        },
    };
    must.chain(also.filter(|feed| known(feed).is_some())).map(one).collect()
}

fn problem(state: &FeedState, now: Timestamp) -> Option<String> {
    let failed = state.failure.as_ref().map(|failure| format!("the last good copy is in use: {failure}"));
    let stale = state.is_stale(now).map(|why| format!("stale: {why}"));
    let unread = (state.problems > 0).then(|| {
        format!(
            "{} problems in its records: `tenon feeds problems` lists what is not assessed",
            state.problems
        )
    });
    let all: Vec<String> = [failed, stale, unread].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

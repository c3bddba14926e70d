//! One host through the same core as on a server, its World made for this and thrown away.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use tenon_engine::{Attachments, FindingState, World, decide, findings};
use tenon_feeds::{
    FeedDocument, FeedError, Origin, Source, epss_delta, fetch_epss, fetch_kev, fetch_osv, kev_delta,
};
use tenon_model::{
    AdvisoryDelta, AssetId, Command, Digest, GroupName, Inventory, Person, Record, RefusalCode,
    SourcePackage, Timestamp, TokenId, VulnerabilityId,
};
use tenon_server::{AssetDetail, queue};
use tenon_versions::{Scheme, compare};

use super::{FeedUsed, Published, Report, Todo};
use crate::common::now;

/// The version of the result's form.
const FORM: &str = "tenon-scan/1";

pub(super) fn assess(inventory: Inventory, source: &Source, cache: &Path, live: bool) -> Result<Report> {
    let mut bench = Bench { world: World::default(), now: now() };
    let mut feeds = Vec::new();
    if let Some(ecosystem) = inventory.facts.os.osv_ecosystem() {
        bench.read_feeds(source, cache, &ecosystem, &inventory, &mut feeds)?;
    }
    let asset = bench.enrol(&inventory.facts.hostname)?;
    bench.tell(Command::ReportInventory { asset, sequence: 1, inventory })?;
    let host = AssetDetail::of(&bench.world, &asset).context("the host is not in its own report")?;
    let directives = queue(&bench.world).into_iter().map(|directive| {
        let in_kev = directive
            .closes
            .iter()
            .filter(|id| id.parse::<VulnerabilityId>().is_ok_and(|id| bench.world.intel(&id).kev.is_some()));
        let packages: Vec<(String, String)> = directive
            .assets
            .iter()
            .flat_map(|asset| &asset.packages)
            .map(|package| (package.package.clone(), package.architecture.clone()))
            .collect();
        let touches = if live { tenon_host::units_touched(&packages) } else { Vec::new() };
        let touches = touches.into_iter().map(|unit| unit.0).collect();
        Todo { in_kev: in_kev.cloned().collect(), touches, directive }
    });
    let directives = directives.collect();
    let published = published(&bench.world, &asset);
    Ok(Report { form: FORM, host, feeds, directives, published })
}

/// The published fixes of one asset by package, each with the version that closes all of its findings.
fn published(world: &World, id: &AssetId) -> Vec<Published> {
    let Some(asset) = world.asset(id) else { return Vec::new() };
    let ecosystem = asset.facts.as_ref().and_then(|facts| facts.os.osv_ecosystem());
    let scheme = ecosystem.as_deref().and_then(Scheme::of_osv_ecosystem);
    let mut by_package: BTreeMap<SourcePackage, Published> = BTreeMap::new();
    for finding in findings(world, asset).findings {
        let FindingState::FixPublished { version } = finding.state else { continue };
        let entry = by_package.entry(finding.source).or_insert_with_key(|source| Published {
            package: source.name.clone(),
            installed: source.version.clone(),
            version: version.clone(),
            closes: Vec::new(),
        });
        entry.closes.push(finding.vulnerability.to_string());
        if scheme.is_some_and(|scheme| compare(scheme, &entry.version, &version) == Ok(Ordering::Less)) {
            entry.version = version;
        }
    }
    let mut published: Vec<Published> = by_package.into_values().collect();
    published.sort_by_key(|entry| std::cmp::Reverse(entry.closes.len()));
    published
}

/// A World on a bench.
struct Bench {
    world: World,
    now: Timestamp,
}

impl Bench {
    /// Decides a command and applies what follows. One that changes nothing is no error.
    fn tell(&mut self, command: Command) -> Result<()> {
        let decided = match decide(&self.world, command, self.now) {
            Ok(decided) => decided,
            Err(refusal) if refusal.code == RefusalCode::NothingToDo => return Ok(()),
            Err(refusal) => return Err(refusal.into()),
        };
        let mut blobs = Attachments::default();
        for blob in decided.blobs {
            blobs.insert(blob);
        }
        for event in decided.events {
            let record = Record { seq: self.world.seq() + 1, time: self.now, event };
            self.world.apply(&record, &blobs, &mut Vec::new())?;
        }
        Ok(())
    }

    fn enrol(&mut self, hostname: &str) -> Result<AssetId> {
        let asset = AssetId::of_public_key(b"the host of this scan");
        let (token, group): (TokenId, GroupName) = ("scan".parse()?, "default".parse()?);
        let by: Person = "scan".parse()?;
        let secret = Digest::of(b"used once, here");
        let expires = self.now.plus_days(1);
        self.tell(Command::IssueToken { token: token.clone(), secret, group, expires, by })?;
        self.tell(Command::Enrol { asset, hostname: hostname.to_owned(), token, secret })?;
        Ok(asset)
    }

    /// Reads the advisories of one ecosystem, as far as they name what the host has, and the intel on what those address.
    fn read_feeds(
        &mut self,
        source: &Source,
        cache: &Path,
        ecosystem: &str,
        inventory: &Inventory,
        used: &mut Vec<FeedUsed>,
    ) -> Result<()> {
        let releases = [ecosystem.to_owned()];
        let Some(mut document) =
            note(format!("osv {ecosystem}"), fetch_osv(source, cache, &releases, &mut |_| {}), used)
        else {
            return Ok(());
        };
        let components = inventory.components.iter();
        let names: BTreeSet<&str> = components
            .flat_map(|component| [component.name.as_str(), component.source.name.as_str()])
            .collect();
        document.content.retain(|advisory| {
            advisory.affected.iter().any(|affected| names.contains(affected.package.as_str()))
        });
        let delta = AdvisoryDelta { published: document.content, withdrawn: Vec::new() };
        self.tell(Command::ChangeAdvisories { feed: "osv".to_owned(), delta, as_of: document.as_of })?;
        let named: BTreeSet<VulnerabilityId> =
            self.world.advisories().flat_map(|advisory| advisory.vulnerabilities().iter().cloned()).collect();
        if let Some(mut document) = note("kev".to_owned(), fetch_kev(source, cache, &mut |_| {}), used) {
            document.content.retain(|(id, _)| named.contains(id));
            let delta = kev_delta(self.world.all_intel(), &document);
            self.tell(Command::ChangeIntel { delta, as_of: document.as_of })?;
        }
        let wanted = |id: &VulnerabilityId| named.contains(id);
        if let Some(document) = note("epss".to_owned(), fetch_epss(source, cache, &wanted, &mut |_| {}), used)
        {
            let delta = epss_delta(self.world.all_intel(), &document);
            self.tell(Command::ChangeIntel { delta, as_of: document.as_of })?;
        }
        // A folder that is no mirror is a mistake of the command line, not a gap.
        let nothing = used.iter().all(|feed| feed.records == 0);
        if nothing && let Some(problem) = used.iter().find_map(|feed| feed.problem.clone()) {
            return Err(anyhow!("no feed could be read: {problem}"));
        }
        Ok(())
    }
}

/// Notes how a feed was read; one that could not be is a gap that the report shows.
fn note<T>(
    name: String,
    fetched: Result<FeedDocument<T>, FeedError>,
    used: &mut Vec<FeedUsed>,
) -> Option<FeedDocument<T>> {
    match fetched {
        Ok(document) => {
            let problem = match &document.origin {
                Origin::LastGood { because } => Some(format!("the last good copy is in use: {because}")),
                _ => document.problems.listed().first().map(|first| {
                    format!(
                        "{} records cannot be read and are not assessed, the first: {first}",
                        document.problems.total()
                    )
                }),
            };
            let as_of = document.as_of.map(|as_of| as_of.to_string());
            used.push(FeedUsed { name, as_of, records: document.records, problem });
            Some(document)
        }
        Err(error) => {
            used.push(FeedUsed { name, as_of: None, records: 0, problem: Some(error.to_string()) });
            None
        }
    }
}

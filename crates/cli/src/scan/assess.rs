//! One host through the same core as on a server, its World made for this and thrown away.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use tenon_engine::{FindingState, World, decide, findings};
use tenon_feeds::intel_deltas;
use tenon_formats::openvex::OpenVex;
use tenon_model::{
    Advisory, AdvisoryDelta, AssetContext, AssetId, Command, Digest, DirectiveId, GroupName, Intel,
    Inventory, Person, Record, RefusalCode, Rules, SourcePackage, Timestamp, TokenId, VexStatement,
    VulnerabilityId,
};
use tenon_server::{AssetDetail, WhyView, queue};
use tenon_versions::{Scheme, compare};

use super::feeds::Read;
use super::{Published, Report, Todo};
use crate::common::now;

/// The version of the result's form.
const FORM: &str = "tenon-scan/1";

/// What a scan is told besides the system and the feeds.
pub(super) struct Given {
    /// What is stated about the host.
    pub(super) context: AssetContext,
    /// The published rules that count.
    pub(super) rules: Rules,
    /// What suppliers state.
    pub(super) vex: Vec<OpenVex>,
    /// What the bill of materials that is scanned states itself.
    pub(super) statements: Vec<VexStatement>,
    /// Whether the system is this one, as it runs.
    pub(super) live: bool,
}

pub(super) fn assess(inventory: Inventory, read: Read, given: Given) -> Result<Report> {
    let mut bench = Bench { world: World::default(), now: now() };
    let by: Person = "scan".parse()?;
    bench.tell(Command::SetRules { rules: given.rules, by: by.clone() })?;
    let (document, statements) = ("the bill of materials".to_owned(), given.statements);
    bench.tell(Command::StateVex { document, statements, by: by.clone() })?;
    for document in given.vex {
        let statements = document.claims().statements;
        bench.tell(Command::StateVex { document: document.id, statements, by: by.clone() })?;
    }
    bench.take(read.advisories, &read.intel)?;
    let feeds = read.used;
    let asset = bench.enrol(&inventory.facts.hostname)?;
    bench.tell(Command::SetContext { asset, context: given.context, by })?;
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
        let touches = if given.live { tenon_host::units_touched(&packages) } else { Vec::new() };
        let touches = touches.into_iter().map(|unit| unit.0).collect();
        let id: DirectiveId = directive.id.parse()?;
        let why = WhyView::of(&bench.world, &id).context("the directive is not in its own report")?;
        Ok(Todo { in_kev: in_kev.cloned().collect(), touches, why, directive })
    });
    let directives = directives.collect::<Result<_>>()?;
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
        for event in decided.events {
            let record = Record { seq: self.world.seq() + 1, time: self.now, event };
            self.world.apply(&record, &decided.attachments, &mut Vec::new())?;
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

    /// Takes what the feeds say.
    fn take(&mut self, published: Vec<Advisory>, intel: &BTreeMap<VulnerabilityId, Intel>) -> Result<()> {
        let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
        self.tell(Command::ChangeAdvisories { feed: "osv".to_owned(), delta, as_of: None })?;
        for delta in intel_deltas(std::iter::empty(), intel) {
            self.tell(Command::ChangeIntel { delta, as_of: None })?;
        }
        Ok(())
    }
}

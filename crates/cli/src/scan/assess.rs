//! One host through the same core as on a server, its World made for this and thrown away.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use tenon_engine::{FindingState, Undecided, World, advance, findings, not_loaded};
use tenon_feeds::intel_deltas;
use tenon_formats::openvex::OpenVex;
use tenon_host::now;
use tenon_model::{
    Advisory, AdvisoryDelta, AssetContext, AssetId, Command, Component, Digest, DirectiveId, GroupName,
    Intel, Inventory, Offer, OfferState, Person, RefusalCode, Rules, SourcePackage, Timestamp, TokenId,
    VexStatement, VulnerabilityId,
};
use tenon_server::{AssetDetail, WhyView, queue};
use tenon_versions::{Scheme, compare};

use super::feeds::Read;
use super::target::Looked;
use super::{Published, Report, Todo};

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
    /// Whether the system is this one, as it runs.
    pub(super) live: bool,
}

/// Scans a system. Where its package manager could not be asked, the fixes that advisories publish are what it should be
/// brought to: directives say in which order, and why.
pub(super) fn assess(looked: Looked, read: Read, given: &Given) -> Result<Report> {
    let Looked { inventory, statements, not_assessed } = looked;
    let feeds = read.used;
    let mut bench = Bench::new(read.advisories, &read.intel, given, statements)?;
    let asset = bench.enrol(&inventory.facts.hostname, given.context)?;
    bench.tell(Command::ReportInventory { asset, sequence: 1, inventory: inventory.clone() })?;
    let mut host = AssetDetail::of(&bench.world, &asset).context("the host is not in its own report")?;
    let covered: Vec<String> = read.covered.iter().map(|ecosystem| not_loaded(ecosystem)).collect();
    host.asset.not_assessed.retain(|reason| !covered.contains(reason));
    host.asset.not_assessed.extend(not_assessed);
    let published = published(&bench.world, &asset);
    if !inventory.facts.offers_known {
        let inventory = with_published(inventory, &published);
        bench.tell(Command::ReportInventory { asset, sequence: 2, inventory })?;
    }
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
        // The table is the same for all of them: its row stands with each.
        let why = WhyView { table: None, ..why };
        Ok(Todo { in_kev: in_kev.cloned().collect(), touches, why, directive })
    });
    let directives = directives.collect::<Result<_>>()?;
    Ok(Report { form: FORM, host, feeds, directives, published })
}

/// The published fixes of one asset by package, each with the version that closes all of its findings.
fn published(world: &World, id: &AssetId) -> Vec<Published> {
    let Some(asset) = world.asset(id) else { return Vec::new() };
    let mut by_package: BTreeMap<(String, SourcePackage), Published> = BTreeMap::new();
    for finding in findings(world, asset).findings {
        let FindingState::FixPublished { version } = finding.state else { continue };
        let scheme = Scheme::of_osv_ecosystem(&finding.ecosystem);
        let key = (finding.ecosystem, finding.source);
        let entry = by_package.entry(key).or_insert_with_key(|(ecosystem, source)| Published {
            ecosystem: ecosystem.clone(),
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
    by_package.into_values().collect()
}

/// The inventory as if the published fixes were offered.
fn with_published(mut inventory: Inventory, published: &[Published]) -> Inventory {
    let os = inventory.facts.os.osv_ecosystem();
    for fix in published {
        let is_it = |component: &&Component| {
            let ecosystem = component.ecosystem.as_deref().or(os.as_deref());
            let named = (&component.source.name, &component.source.version) == (&fix.package, &fix.installed)
                || (&component.name, &component.version) == (&fix.package, &fix.installed);
            ecosystem == Some(fix.ecosystem.as_str()) && named
        };
        let offer = |component: &Component| Offer {
            package: component.name.clone(),
            architecture: component.architecture.clone(),
            installed: component.version.clone(),
            candidate: fix.version.clone(),
            source: SourcePackage { name: fix.package.clone(), version: fix.version.clone() },
            security: false,
            state: OfferState::Offered,
            claims: Vec::new(),
        };
        let offers: Vec<Offer> = inventory.components.iter().filter(is_it).map(offer).collect();
        inventory.facts.offers.extend(offers);
    }
    inventory.facts.offers_known = true;
    inventory
}

/// A World on a bench.
struct Bench {
    world: World,
    now: Timestamp,
}

impl Bench {
    fn new(
        advisories: Vec<Advisory>,
        intel: &BTreeMap<VulnerabilityId, Intel>,
        given: &Given,
        statements: Vec<VexStatement>,
    ) -> Result<Self> {
        let mut bench = Self { world: World::default(), now: now() };
        let by: Person = "scan".parse()?;
        bench.tell(Command::SetRules { rules: given.rules.clone(), by: by.clone() })?;
        let document = "the bill of materials".to_owned();
        bench.tell(Command::StateVex { document, statements, by: by.clone() })?;
        for document in &given.vex {
            let (document, statements) = (document.id.clone(), document.claims().statements);
            bench.tell(Command::StateVex { document, statements, by: by.clone() })?;
        }
        bench.take(advisories, intel)?;
        Ok(bench)
    }

    /// Decides a command and applies what follows. One that changes nothing is no error.
    fn tell(&mut self, command: Command) -> Result<()> {
        match advance(&mut self.world, command, self.now) {
            Err(Undecided::Refused(refusal)) if refusal.code == RefusalCode::NothingToDo => Ok(()),
            decided => decided.map(drop).map_err(anyhow::Error::from),
        }
    }

    /// The host, with what is stated about it.
    fn enrol(&mut self, hostname: &str, context: AssetContext) -> Result<AssetId> {
        let asset = AssetId::of_public_key(b"the host of this scan");
        let (token, group): (TokenId, GroupName) = ("scan".parse()?, "default".parse()?);
        let by: Person = "scan".parse()?;
        let secret = Digest::of(b"used once, here");
        let expires = self.now.plus_days(1);
        self.tell(Command::IssueToken { token: token.clone(), secret, group, expires, by: by.clone() })?;
        self.tell(Command::Enrol { asset, hostname: hostname.to_owned(), token, secret, machine: None })?;
        self.tell(Command::SetContext { asset, context, by })?;
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

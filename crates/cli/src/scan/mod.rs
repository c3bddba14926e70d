//! `tenon scan`: what to do on one host, without any server.
//!
//! ```text
//! host, root folder, files, SBOM -> inventory --+
//! store of feeds (synced if asked for) ---------+--> World in memory: as on a server --> directives, findings
//! ```

mod assess;
mod feeds;
mod print;
mod schema;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tenon_feeds::Source;
use tenon_host::now;
use tenon_server::{AssetDetail, DirectiveView, WhyView};
use utoipa::ToSchema;

use crate::common::{Common, Format};
use crate::rules::{Chosen, Stated};

/// Headings of the help.
const AGAINST: &str = "Against what";
const PRINTED: &str = "What is printed";

/// What to scan, and against what.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon scan\n  tenon scan --feeds /srv/mirror --findings\n  tenon scan --root /mnt/image --format json\n  \
    tenon scan --dpkg-status status --os-release os-release\n  \
    rpm -qa --qf \"$(tenon scan --rpm-format)\" > list; tenon scan --rpm-list list --os-release /etc/os-release\n  \
    tenon scan --sbom bom.cdx.json\n  \
    tenon scan --exposure open --table ssvc-deployer --clock bod-26-04,pci-dss-4.0.1 --why\n\n\
    Feeds come from the local store, which `tenon feeds sync` keeps fresh; where there is none yet, it is fetched.\n\
    Nothing on the host is changed. Exit status: 0 when the scan is complete, 3 when something is not assessed."
)]
pub(crate) struct Scan {
    #[command(flatten)]
    target: target::Target,
    /// First bring the store up to date from here: `public`, or the address or folder of a mirror.
    #[arg(long, env = "TENON_FEEDS", value_name = "DIR|URL", help_heading = AGAINST)]
    feeds: Option<Source>,
    /// The store's folder [default: feeds in the data folder]
    #[arg(long, value_name = "FOLDER", help_heading = AGAINST)]
    store: Option<PathBuf>,
    /// An OpenVEX document: what it says is not affected or fixed comes off the list, visibly. May be repeated.
    #[arg(long, value_name = "FILE", help_heading = AGAINST)]
    vex: Vec<PathBuf>,
    #[command(flatten)]
    stated: Stated,
    /// A JSON file that states the same: {"exposure": "open", "human_impact": "high", "mission": "low"}
    #[arg(long, value_name = "FILE", help_heading = "What is stated about it")]
    context: Option<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// Also list every finding with its evidence.
    #[arg(long, help_heading = PRINTED)]
    findings: bool,
    /// Also say of each directive why it has its priority, and what would change it.
    #[arg(long, help_heading = PRINTED)]
    why: bool,
    /// Print the format that --rpm-list wants of `rpm -qa --qf`, and end.
    #[arg(long, help_heading = PRINTED)]
    rpm_format: bool,
    /// Print the JSON Schema of what --format json prints, and end.
    #[arg(long, help_heading = PRINTED)]
    schema: bool,
}

/// A scan's result: its JSON is described in `docs/reference/scan.md` and `scan.schema.json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    /// Version of this form.
    pub(crate) form: &'static str,
    /// The host and its findings.
    pub(crate) host: AssetDetail,
    /// What the advisories and intel are.
    pub(crate) feeds: Vec<FeedUsed>,
    /// What to do, most urgent first.
    pub(crate) directives: Vec<Todo>,
    /// Fixes that advisories publish, where what the host is offered is not known (files, a system at rest): the same as the
    /// directives, package by package.
    pub(crate) published: Vec<Published>,
}

/// A published fix.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Published {
    /// OSV ecosystem with release.
    pub(crate) ecosystem: String,
    /// Package, as its ecosystem's advisories name it.
    pub(crate) package: String,
    /// Installed.
    pub(crate) installed: String,
    /// The version that closes all of them.
    pub(crate) version: String,
    /// Vulnerabilities that it closes.
    pub(crate) closes: Vec<String>,
}

/// A feed that was read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedUsed {
    /// `osv:Debian`, `kev`, `epss`...
    pub(crate) name: String,
    /// The feed's own date, RFC 3339.
    pub(crate) as_of: Option<String>,
    /// When its source last gave it or confirmed it as current, RFC 3339.
    pub(crate) confirmed: Option<String>,
    /// Records that it holds.
    pub(crate) records: u64,
    /// What is wrong with it, if anything is.
    pub(crate) problem: Option<String>,
}

/// A directive, and what it touches on this host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Todo {
    /// The directive, as the API has it.
    #[serde(flatten)]
    pub(crate) directive: DirectiveView,
    /// Vulnerabilities among those it closes that are exploited somewhere (KEV).
    pub(crate) in_kev: Vec<String>,
    /// Units that define or run files of its packages.
    pub(crate) touches: Vec<String>,
    /// Why it has its priority.
    pub(crate) why: WhyView,
}

impl Report {
    fn is_complete(&self) -> bool {
        let host = &self.host.asset;
        host.not_assessed.is_empty() && self.feeds.iter().all(|feed| feed.problem.is_none())
    }
}

impl Scan {
    /// Scans and prints; the exit status says whether everything could be assessed.
    pub(crate) fn run(&self, common: &Common) -> Result<ExitCode> {
        if self.rpm_format {
            print!("{}", tenon_host::RPM_QUERY_FORMAT);
            return Ok(ExitCode::SUCCESS);
        }
        if self.schema {
            println!("{}", serde_json::to_string_pretty(&schema::of_report())?);
            return Ok(ExitCode::SUCCESS);
        }
        let looked = self.target.look()?;
        let store = common.store(self.store.as_deref())?;
        let read = feeds::read(&store, self.feeds.as_ref(), &looked.inventory, now())?;
        let given = assess::Given {
            context: self.stated.with_file(self.context.as_deref())?,
            rules: self.chosen.rules(),
            vex: self.vex.iter().map(|path| crate::vex::read(path)).collect::<Result<_>>()?,
            live: self.target.is_live(),
        };
        let report = assess::assess(looked, read, &given)?;
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
            Format::Text => print!("{}", print::text(&report, self.findings, self.why)),
        }
        Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(3) })
    }
}

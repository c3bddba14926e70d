//! What people decide.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tenon_server::{DirectiveAssetView, DirectiveView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::sign::{Signing, plain};

/// Approve a directive.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon approve dir_1\n  tenon approve dir_1 --waive-evidence 'lab host, nothing to preserve'\n  \
    tenon approve dir_1 --key ~/.ssh/id_ed25519      sign it too, for hosts that ask for that (`tenon agent limits`)\n\n\
    What is approved goes out in waves: `tenon plan show dir_1` shows them, `tenon watch dir_1` follows them."
)]
pub(crate) struct Approve {
    /// `dir_...`
    directive: String,
    /// Why evidence need not be preserved first, where the decision row asks for it.
    #[arg(long, value_name = "WHY")]
    waive_evidence: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Refuse a directive.
#[derive(Args)]
pub(crate) struct Refuse {
    /// `dir_...`
    directive: String,
    /// Why.
    #[arg(long)]
    why: String,
}

/// Try again.
#[derive(Args)]
pub(crate) struct Retry {
    /// `dir_...`
    directive: String,
    /// `ast_...`
    #[arg(long)]
    asset: String,
}

/// A host that is gone for good: switched off, sold, returned to the cloud.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon retire ast_... --why 'switched off, ticket 4711'\n  tenon assets --retired\n\n\
    A retired host counts nowhere: in no list, no directive, no gap. It is no way to hide one: a host that\n\
    reports again is back with its report. So stop its agent first. Hosts that come and go by themselves are\n\
    retired by a rule of the policy (`retire:`), and a machine that is installed anew takes its own place."
)]
pub(crate) struct Retire {
    /// `ast_...`
    asset: String,
    /// Why.
    #[arg(long)]
    why: String,
}

/// A group.
#[derive(Args)]
pub(crate) struct Group {
    /// Its name.
    #[arg(default_value = "default")]
    group: String,
}

/// A token.
#[derive(Args)]
pub(crate) struct Token {
    /// The group that the host joins.
    #[arg(long, default_value = "default")]
    group: String,
}

pub(crate) fn done(common: &Common, path: &str, body: &Value, said: &str) -> Result<()> {
    let answer: Value = Api::new(common)?.post(path, body)?;
    match common.format {
        Format::Json => println!("{answer}"),
        Format::Text => println!("{said} (entry {} of the record)", answer["seq"]),
    }
    Ok(())
}

impl Approve {
    /// Says what is approved, and approves that and nothing that came since.
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/directives/{}", self.directive);
        let directive: DirectiveView = Api::new(common)?.get(&path)?;
        let waiting = directive.assets.iter().filter(|asset| asset.stage.name == "awaiting-approval");
        let mut reports = Vec::new();
        for asset in waiting {
            reports.extend(asset.stage.report.clone());
            let packages = asset
                .packages
                .iter()
                .map(|package| plain(&format!("{} {} -> {}", package.package, package.from, package.to)));
            eprintln!("on {}: {}", plain(&asset.hostname), packages.collect::<Vec<_>>().join(", "));
            eprintln!("    undo {}", plain(asset.undo.as_deref().unwrap_or("not known")));
        }
        let api = Api::new(common)?;
        let signed = self.signing.sign(&api, &self.directive)?;
        // Approved before, by somebody else or by a rule: then the signature was all.
        if reports.is_empty() && !self.signing.is_none() {
            match common.format {
                Format::Json => println!("{}", json!({ "signed": signed })),
                Format::Text if signed == 0 => {
                    println!("{}: nothing waits for a signature of yours", self.directive);
                }
                Format::Text => println!("{}: signed for {signed} hosts", self.directive),
            }
            return Ok(());
        }
        let body = json!({ "reports": reports, "waive_evidence": self.waive_evidence });
        let answer: Value = api.post(&format!("{path}/approve"), &body)?;
        if common.format == Format::Json {
            println!("{answer}");
            return Ok(());
        }
        // Where the policy asks for several people, or forbids it on some hosts, some wait on.
        let after: DirectiveView = api.get(&path)?;
        let waits = |asset: &&DirectiveAssetView| asset.stage.name == "awaiting-approval";
        let waiting: Vec<&DirectiveAssetView> = after.assets.iter().filter(waits).collect();
        let said = match waiting.first() {
            None => format!("{} approved", self.directive),
            Some(first) => format!(
                "{}: your approval counts; {} still wait for approval, {} first: {}",
                self.directive,
                waiting.len(),
                first.hostname,
                first.policy.as_deref().unwrap_or("rehearsed since")
            ),
        };
        println!("{said} (entry {} of the record)", answer["seq"]);
        Ok(())
    }
}

impl Refuse {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/directives/{}/refuse", self.directive);
        done(
            common,
            &path,
            &json!({ "why": self.why }),
            &format!("{} refused; its findings stay open", self.directive),
        )
    }
}

impl Retry {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/directives/{}/retry", self.directive);
        let said = format!("{} begins anew on {}", self.directive, self.asset);
        done(common, &path, &json!({ "asset": self.asset }), &said)
    }
}

impl Retire {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/assets/{}/retire", self.asset);
        let said = format!("{} is retired; it is back if it reports again", self.asset);
        done(common, &path, &json!({ "why": self.why }), &said)
    }
}

impl Group {
    pub(crate) fn run(&self, common: &Common, verb: &str) -> Result<()> {
        let said = match verb {
            "promote" => {
                format!("group {} may act: rehearsals begin, nothing is applied without approval", self.group)
            }
            _ => format!("group {} only observes", self.group),
        };
        done(common, &format!("/api/v1/groups/{}/{verb}", self.group), &json!({}), &said)
    }
}

impl Token {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let answer: Value =
            Api::new(common)?.post("/api/v1/enrolment-tokens", &json!({ "group": self.group }))?;
        match common.format {
            Format::Json => println!("{answer}"),
            Format::Text => println!("{}", answer["token"].as_str().unwrap_or_default()),
        }
        Ok(())
    }
}

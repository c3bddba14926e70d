//! Printing what the API shows, for people or programs.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tenon_server::{AcceptedView, AssetDetail, AssetView, AssetsPage, DirectiveView, RolloutView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::{assign, hosts, thread};

/// Most ids that one line lists.
const MAX_IDS: usize = 8;

pub(crate) fn json<T: Serialize>(value: &T) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

pub(crate) fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(MAX_IDS).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > MAX_IDS { format!("{shown} and {} more", ids.len() - MAX_IDS) } else { shown }
}

/// What doing it closes.
fn closes(directive: &DirectiveView) -> String {
    if directive.closes.is_empty() {
        "a security update of the vendor's own, no advisory known here explains it".to_owned()
    } else {
        format!("closes {}", listed(&directive.closes))
    }
}

/// The day of an RFC 3339 time, if there is one.
pub(crate) fn day(time: Option<&String>) -> &str {
    time.map_or("no date", |time| crate::why::day(time))
}

/// The assets.
#[derive(Args)]
pub(crate) struct Assets {
    /// Those that are retired, in place of the others.
    #[arg(long)]
    retired: bool,
    #[command(flatten)]
    moment: AsOf,
}

impl Assets {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let which = format!("/api/v1/assets?limit=500&retired={}", self.retired);
        let mut assets = Vec::new();
        api.pages(&which, &self.moment, |page: AssetsPage| {
            assets.extend(page.items);
            page.next
        })?;
        if common.format == Format::Json {
            return json(&assets);
        }
        for asset in &assets {
            print_asset(asset);
        }
        Ok(())
    }
}

fn print_asset(asset: &AssetView) {
    println!("{}  {} (group {}, {})", asset.id, asset.hostname, asset.group, asset.mode);
    if let Some(before) = &asset.replaces {
        println!("    stands in place of {before}, which its machine was before");
    }
    if let Some(retired) = &asset.retired {
        let by = retired.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        println!("    retired {}{by}: {}", day(Some(&retired.at)), retired.said);
        return;
    }
    if asset.cloned {
        println!("    two hosts report with its key: nothing is ordered until one of them is enrolled anew");
    }
    let os = asset.os.as_deref().unwrap_or("not reported yet");
    println!(
        "    {os}, kernel {}, {} packages",
        asset.kernel.as_deref().unwrap_or("unknown"),
        asset.packages
    );
    println!("    {} open findings, {} security updates offered", asset.findings, asset.security_updates);
    if let Some(approval) = &asset.approval {
        println!(
            "    no change without signatures by {} of these keys: {}",
            approval.needed,
            listed(&approval.keys)
        );
    }
    if let Some(reason) = &asset.observe_only {
        println!("    the agent only observes: {reason}");
    }
    for line in &asset.not_assessed {
        println!("    not assessed: {line}");
    }
    for line in &asset.gaps {
        println!("    not known: {line}");
    }
}

pub(crate) fn one(common: &Common, id: &str, moment: &AsOf) -> Result<()> {
    let api = Api::new(common)?;
    if !id.starts_with("dir_") {
        let asset = hosts::id_of(&api, id, moment)?;
        let detail: AssetDetail = api.get_as_of(&format!("/api/v1/assets/{asset}"), moment)?;
        if common.format == Format::Json {
            return json(&detail);
        }
        print_asset(&detail.asset);
        for attack in &detail.attacks {
            println!("    attack {}", crate::detection::line(attack));
        }
        for finding in &detail.open {
            println!(
                "    {:<18} {} {}: {}",
                finding.vulnerability, finding.source, finding.installed, finding.said
            );
        }
        for AcceptedView { finding, exception, until, owner, .. } in &detail.accepted {
            println!(
                "    {:<18} {} {}: there, and accepted until {} ({exception}); {owner} answers for it",
                finding.vulnerability,
                finding.source,
                finding.installed,
                crate::why::day(until)
            );
        }
        return Ok(());
    }
    let directive: DirectiveView = api.get_as_of(&format!("/api/v1/directives/{id}"), moment)?;
    if common.format == Format::Json {
        return json(&directive);
    }
    print!("{}", directive_text(&directive));
    Ok(())
}

fn directive_text(directive: &DirectiveView) -> String {
    let mut text = format!("{}  {}\n", directive.id, directive.title);
    if let Some(closed) = &directive.closed {
        text.push_str(&format!("  closed: {closed}\n"));
    }
    text.push_str(&format!(
        "  due {}, raised {}\n",
        directive.due.as_deref().unwrap_or("at no date"),
        directive.raised
    ));
    if let Some(assignee) = &directive.assignee {
        text.push_str(&format!("  {}\n", assign::told(assignee)));
    }
    text.push_str(&thread::told(directive));
    let decision = &directive.decision;
    text.push_str(&format!("  decided by {} row {}: {}\n", decision.table, decision.row, decision.outcome));
    for assumed in &decision.assumed {
        text.push_str(&format!("    assumed {assumed}\n"));
    }
    text.push_str(&format!("  removes {} risk points\n  {}\n", directive.removes, closes(directive)));
    if !directive.claims.is_empty() {
        text.push_str(&format!(
            "  the vendor's changelog also claims, unconfirmed: {}\n",
            listed(&directive.claims)
        ));
    }
    text.push_str("  because\n");
    for basis in &directive.because {
        text.push_str(&format!("    {} [{}, {}]\n", basis.fact, basis.source, day(basis.as_of.as_ref())));
    }
    // Of a single host there is nothing to part into waves.
    let parted = |rollout: &&RolloutView| rollout.waves.len() > 1 || rollout.state == "halted";
    if let Some(rollout) = directive.rollout.as_ref().filter(parted) {
        let waits = rollout.waits.as_deref().map(|waits| format!(", waits for {waits}")).unwrap_or_default();
        text.push_str(&format!("  rollout {}{waits} (tenon plan show {})\n", rollout.state, directive.id));
    }
    for asset in &directive.assets {
        let owner = assign::waited_for(asset.stage.owner.as_ref());
        text.push_str(&format!("  on {} ({}): {}{owner}\n", asset.hostname, asset.id, asset.stage.name));
        for package in &asset.packages {
            text.push_str(&format!(
                "    {}:{} {} -> {}\n",
                package.package, package.architecture, package.from, package.to
            ));
        }
        if let Some(undo) = &asset.undo {
            text.push_str(&format!(
                "    rehearsed in {} ms, undo {undo}\n",
                asset.rehearsed_ms.unwrap_or_default()
            ));
        }
        if !asset.units.is_empty() {
            text.push_str(&format!("    touches {}\n", listed(&asset.units)));
        }
        if let Some(policy) = &asset.policy {
            text.push_str(&format!("    {policy}\n"));
        }
        if !asset.approved_by.is_empty() {
            text.push_str(&format!("    approved so far by {}\n", listed(&asset.approved_by)));
        }
        if let Some(signatures) = &asset.signatures {
            text.push_str(&format!(
                "    asks for signatures by {} of these keys: {}\n",
                signatures.needed,
                listed(&signatures.keys)
            ));
            for given in &signatures.given {
                text.push_str(&format!(
                    "    signed with {} by {}, until {}\n",
                    given.key, given.by, given.until
                ));
            }
        }
        if let Some(evidence) = &asset.evidence {
            text.push_str(&format!("    evidence {}\n", crate::evidence::line(evidence)));
        }
        if let Some(reason) = &asset.stage.reason {
            text.push_str(&format!("    {reason}\n"));
        }
        if let Some(report) = &asset.stage.report {
            text.push_str(&format!("    report {report}\n"));
        }
    }
    let more = directive.asset_count.saturating_sub(directive.assets.len() as u64);
    if more > 0 {
        text.push_str(&format!("  and on {more} more, where nothing has begun or nothing is left to do\n"));
    }
    text
}

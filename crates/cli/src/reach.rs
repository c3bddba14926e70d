//! `tenon reach`: who an attacker can reach, and which flows that rests on.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use tenon_formats::percent;
use tenon_server::{
    AssetReachView, AttackStepView, BoundsView, ClosedFlowView, DirectiveReachView, ReachServiceView,
    ReachView, ReachedFindingView, ZoneView,
};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::hosts;
use crate::show::json;

/// Vulnerabilities of a zone that are listed.
const MAX_EXPLOITS: usize = 3;
/// Zones that are listed of those that an attacker gets to from a host.
const MAX_BLAST_ZONES: usize = 5;

/// Who an attacker can reach, by which flows, and what closing one would save.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon reach show   where attacks begin, and how far they get\n  \
    tenon reach show --from dmz   as if an attacker were there for certain\n  \
    tenon reach show --close dmz:inside   what closing that flow would save\n  tenon reach directive dir_1   what doing it takes from an attacker\n  tenon reach asset web1   the likeliest way to one host, and what is lost from there\n\n\
    Between the two probabilities lies the exact one: that of the likeliest single way, and that of all ways together, \
    within 30 days.")]
pub(crate) struct Reach {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The zones of the estate.
    Show(Show),
    /// What doing a directive on all of its assets takes from an attacker.
    Directive {
        /// `dir_...`
        id: String,
        #[command(flatten)]
        moment: AsOf,
    },
    /// One asset.
    Asset {
        /// Its host name, or `ast_...`.
        host: String,
        #[command(flatten)]
        moment: AsOf,
    },
}

#[derive(Args)]
struct Show {
    /// As if an attacker were in this zone for certain, and nowhere else.
    #[arg(long, value_name = "ZONE")]
    from: Option<String>,
    /// What closing the flow from one zone to another would save.
    #[arg(long, value_name = "FROM:TO", value_parser = flow)]
    close: Option<(String, String)>,
    #[command(flatten)]
    moment: AsOf,
}

fn flow(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once(':').filter(|(from, to)| !from.is_empty() && !to.is_empty());
    let (from, to) = parts.ok_or("a flow is two zones, as in dmz:inside")?;
    Ok((from.to_owned(), to.to_owned()))
}

impl Reach {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        match &self.what {
            What::Show(show) => show.run(&api, common.format),
            What::Directive { id, moment } => {
                let view: DirectiveReachView =
                    api.get_as_of(&format!("/api/v1/directives/{id}/reach"), moment)?;
                match common.format {
                    Format::Json => json(&view)?,
                    Format::Text => print!("{}", directive_text(id, &view)),
                }
                Ok(())
            }
            What::Asset { host, moment } => {
                let id = hosts::id_of(&api, host, moment)?;
                let view: AssetReachView = api.get_as_of(&format!("/api/v1/assets/{id}/reach"), moment)?;
                match common.format {
                    Format::Json => json(&view)?,
                    Format::Text => print!("{}", asset_text(host, &view)),
                }
                Ok(())
            }
        }
    }
}

impl Show {
    fn run(&self, api: &Api<'_>, format: Format) -> Result<()> {
        let mut path = "/api/v1/reach".to_owned();
        let mut asked = Vec::new();
        asked.extend(self.from.as_ref().map(|zone| ("within", zone)));
        if let Some((from, to)) = &self.close {
            asked.extend([("close_from", from), ("close_to", to)]);
        }
        for (place, (name, value)) in asked.into_iter().enumerate() {
            path += if place == 0 { "?" } else { "&" };
            path += &format!("{name}=");
            percent::encode_into(&mut path, value, percent::is_unreserved);
        }
        let view: ReachView = api.get_as_of(&path, &self.moment)?;
        match format {
            Format::Json => json(&view)?,
            Format::Text => print!("{}", text(&view)),
        }
        Ok(())
    }
}

/// Parts per million as people read them: `12 %`, `0.3 %`.
fn percent(ppm: u32) -> String {
    match ppm {
        0 => "0 %".to_owned(),
        1..100 => format!("0.{:04} %", ppm),
        100..10_000 => format!("0.{:02} %", ppm / 100),
        10_000..100_000 => format!("{}.{} %", ppm / 10_000, ppm % 10_000 / 1_000),
        _ => format!("{} %", ppm / 10_000),
    }
}

fn bounds(BoundsView { least, most }: BoundsView) -> String {
    let (least, most) = (percent(least), percent(most));
    if least == most { least } else { format!("{least} to {most}") }
}

fn of(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn step_text(step: &AttackStepView) -> String {
    let hosts = match step.hosts {
        1 => step.host.clone(),
        many => format!("{} and {} more", step.host, many - 1),
    };
    format!(
        "{} -> {}: {} in {} ({}) on {hosts}, works with {}",
        step.from,
        step.to,
        step.vulnerability,
        step.package,
        step.listens.join(", "),
        percent(step.threat)
    )
}

fn zone_text(zone: &ZoneView) -> String {
    let begin = if zone.entry > 0 {
        format!(", attacks begin here ({})", percent(zone.entry))
    } else {
        String::new()
    };
    let mut text = format!(
        "{}: {}{begin}; an attacker is there with {}; loses at most {} risk points\n",
        zone.name,
        of(zone.assets, "asset", "assets"),
        bounds(zone.reached),
        zone.loses
    );
    for step in &zone.path {
        text += &format!("    {}\n", step_text(step));
    }
    for exploit in zone.exploits.iter().take(MAX_EXPLOITS) {
        let listens = match exploit.listens.as_slice() {
            [] => String::new(),
            listens => format!(" ({})", listens.join(", ")),
        };
        text += &format!(
            "    open to {} in {}{listens} on {}: delivered with {}, loses at most {}\n",
            exploit.vulnerability,
            exploit.package,
            of(exploit.hosts, "host", "hosts"),
            bounds(exploit.delivered),
            exploit.loses
        );
    }
    let more = zone.exploits_in_all.saturating_sub(MAX_EXPLOITS.min(zone.exploits.len()) as u64);
    if more > 0 {
        text += &format!("    and {more} more that take a host\n");
    }
    text
}

fn closed_text(flow: &ClosedFlowView, loses: &str) -> String {
    format!(
        "    without {} -> {} {} of {loses} are left, {} saved; {}\n",
        flow.from,
        flow.to,
        flow.leaves,
        flow.saves,
        of(u64::from(flow.paths), "likeliest path uses it", "likeliest paths use it")
    )
}

const ASSUMED: &str = "Nobody states zones in which attacks begin: these are told from listeners and addresses alone, and no wall between \
    hosts is seen. `tenon context apply` takes over what you know.\n";

/// A service: where it stands, how far an attacker gets to it, and what it needs.
fn service_text(service: &ReachServiceView) -> String {
    let mut text = format!("service {}: {}", service.name, of(service.assets, "asset", "assets"));
    if let Some(worst) = service.zones.first() {
        let zones: Vec<&str> = service.zones.iter().map(|zone| zone.zone.as_str()).collect();
        text += &format!(" in {}, reached with {}", zones.join(", "), bounds(worst.reached));
    }
    text += &format!("; {} risk points to remove\n", service.removes);
    if !service.depends_on.is_empty() {
        text += &format!("  needs {}\n", service.depends_on.join(", "));
    }
    text
}

fn text(view: &ReachView) -> String {
    let mut text = String::new();
    if view.assumed {
        text += ASSUMED;
    }
    if let Some(zone) = &view.within {
        text += &format!("As if an attacker were in {zone} for certain.\n");
    }
    for zone in &view.zones {
        text += &zone_text(zone);
    }
    let untold = view.zones_in_all.saturating_sub(view.zones.len() as u64);
    if untold > 0 {
        text += &format!("and {untold} more zones, which lose less\n");
    }
    for service in &view.services {
        text += &service_text(service);
    }
    let untold = view.services_in_all.saturating_sub(view.services.len() as u64);
    if untold > 0 {
        text += &format!("and {untold} more services, which an attacker gets to less likely\n");
    }
    if let Some(closed) = &view.closed {
        text += &format!("closing {} -> {}\n", closed.from, closed.to);
        text += &closed_text(closed, &view.loses);
    }
    if !view.choke_points.is_empty() {
        text += "flows that most depends on, in risk points at most\n";
        for flow in &view.choke_points {
            text += &closed_text(flow, &view.loses);
        }
    }
    if view.unplaced > 0 {
        text += &format!(
            "{} in no zone: nothing is said of them, which does not mean \"not reached\".\n",
            of(view.unplaced, "asset stands", "assets stand")
        );
    }
    text
}

fn directive_text(id: &str, view: &DirectiveReachView) -> String {
    let mut text = if view.assumed { ASSUMED.to_owned() } else { String::new() };
    text += &format!(
        "doing {id} on all of its assets leaves {} of {} risk points, {} saved\n",
        view.loses_after, view.loses, view.saves
    );
    for zone in &view.zones {
        let (now, then) = (bounds(zone.reached), bounds(zone.reached_after));
        let there = if now == then { format!("{now}, as before") } else { format!("{then}, now {now}") };
        let own = if zone.own { "" } else { " (none of its hosts)" };
        text += &format!(
            "    {}{own}: an attacker is there with {there}; loses at most {}, now {}\n",
            zone.name, zone.loses_after, zone.loses
        );
    }
    if view.unplaced > 0 {
        text += &format!(
            "{} in no zone: nothing is said of them.\n",
            of(view.unplaced, "of its assets stands", "of its assets stand")
        );
    }
    text
}

/// The likeliest way to what is exploited on an asset, below an explanation of it.
pub(crate) fn write_way(text: &mut String, view: &AssetReachView, vulnerability: &str) -> std::fmt::Result {
    let assumed = if view.assumed { ", as far as listeners and addresses alone tell" } else { "" };
    let (Some(zone), Some(reached)) = (&view.zone, view.reached) else {
        return writeln!(
            text,
            "  way       it stands in no zone: nothing is said of it, which does not mean \"not reached\""
        );
    };
    writeln!(text, "  way       an attacker is in {zone} with {}{assumed}", bounds(reached))?;
    for step in &view.path {
        writeln!(text, "    {}", step_text(step))?;
    }
    for finding in view.findings.iter().filter(|finding| finding.vulnerability == vulnerability) {
        writeln!(text, "    delivered {} with {}", by(finding), bounds(finding.delivered))?;
    }
    Ok(())
}

/// How an exploit comes there.
fn by(finding: &ReachedFindingView) -> String {
    match (finding.needs_foothold, finding.listens.as_slice()) {
        (true, _) => "after a foothold".to_owned(),
        (false, []) => "from inside the zone".to_owned(),
        (false, listens) => format!("at {}", listens.join(", ")),
    }
}

fn asset_text(host: &str, view: &AssetReachView) -> String {
    let mut text = String::new();
    if view.assumed {
        text += ASSUMED;
    }
    let (Some(zone), Some(reached), Some(taken)) = (&view.zone, view.reached, view.taken) else {
        text += &format!(
            "{host} stands in no zone: nothing is said of it, which does not mean \"not reached\".\n"
        );
        return text;
    };
    text += &format!(
        "{host} in {zone}: an attacker is in the zone with {}, and gains a foothold on the host with {}\n",
        bounds(reached),
        bounds(taken)
    );
    for step in &view.path {
        text += &format!("    {}\n", step_text(step));
    }
    if let Some(blast) = &view.blast {
        text += &format!("    once an attacker is on it, at most {} risk points are lost", blast.loses);
        let told = blast.zones.iter().take(MAX_BLAST_ZONES);
        let told: Vec<String> =
            told.map(|zone| format!("{} {} ({})", zone.name, zone.loses, bounds(zone.reached))).collect();
        text += &if told.is_empty() { "\n".to_owned() } else { format!(": {}\n", told.join(", ")) };
    }
    for finding in &view.findings {
        text += &format!(
            "    {:<18} {} ({}): delivered with {}, works with {}\n",
            finding.vulnerability,
            finding.package,
            by(finding),
            bounds(finding.delivered),
            percent(finding.threat)
        );
    }
    let more = view.findings_in_all.saturating_sub(view.findings.len() as u64);
    if more > 0 {
        text += &format!("    and {more} more, less likely\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_told_as_people_read_them() {
        let told = [0, 99, 100, 9_999, 10_000, 99_999, 100_000, 1_000_000].map(percent);
        assert_eq!(told, ["0 %", "0.0099 %", "0.01 %", "0.99 %", "1.0 %", "9.9 %", "10 %", "100 %"]);
        assert_eq!(bounds(BoundsView { least: 0, most: 123_456 }), "0 % to 12 %");
        assert_eq!(bounds(BoundsView { least: 500_000, most: 504_000 }), "50 %");
    }

    #[test]
    fn a_flow_is_two_zones() {
        assert_eq!(flow("dmz:inside"), Ok(("dmz".to_owned(), "inside".to_owned())));
        assert!(flow("dmz").is_err() && flow(":inside").is_err() && flow("dmz:").is_err());
    }
}

//! `tenon why CVE-... --asset HOST`: one vulnerability on one asset, to the last input.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;
use tenon_formats::percent as encoding;
use tenon_server::{AssetReachView, FindingWhyView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::hosts;
use crate::reach;
use crate::show::json;
use crate::why::{day, percent, write_clocks, write_flips, write_inputs};

#[derive(Serialize)]
struct Explained {
    why: FindingWhyView,
    reach: AssetReachView,
}

pub(crate) fn run(common: &Common, vulnerability: &str, host: &str, moment: &AsOf) -> Result<()> {
    let api = Api::new(common)?;
    let id = hosts::id_of(&api, host, moment)?;
    let mut path = format!("/api/v1/assets/{id}/vulnerabilities/");
    encoding::encode_into(&mut path, vulnerability, encoding::is_unreserved);
    let why = api.get_as_of(&format!("{path}/why"), moment)?;
    let reach = api.get_as_of(&format!("/api/v1/assets/{id}/reach"), moment)?;
    let explained = Explained { why, reach };
    match common.format {
        Format::Json => json(&explained)?,
        Format::Text => print!("{}", text(&explained)),
    }
    Ok(())
}

fn text(explained: &Explained) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(&mut text, explained);
    text
}

fn write(text: &mut String, Explained { why, reach }: &Explained) -> std::fmt::Result {
    let finding = &why.finding;
    writeln!(
        text,
        "{} on {}: {} {}, {}",
        finding.vulnerability, why.hostname, finding.source, finding.installed, finding.said
    )?;
    if let Some(exception) = &why.accepted {
        writeln!(text, "  accepted  {exception}: nobody is asked to close it there")?;
    }
    let directive = why.directive.as_ref().map(|id| match &why.directive_due {
        Some(due) => format!("{id}, due {}", day(due)),
        None => format!("{id}, due at no date"),
    });
    writeln!(
        text,
        "  answered  by {}",
        directive.as_deref().unwrap_or("no directive: nothing that its host is offered closes it")
    )?;
    let decision = &why.decision;
    writeln!(
        text,
        "  decision  {} by row {} of {}, by itself",
        decision.outcome, decision.row, decision.table
    )?;
    write_inputs(text, decision, "  ")?;
    write_clocks(text, &why.clocks, "  ")?;
    let factor = &why.factor;
    writeln!(
        text,
        "  removes   {} risk points = threat {} x reach {} x impact {}{}",
        why.removes,
        percent(factor.threat_ppm),
        percent(factor.reach_ppm),
        percent(factor.impact_ppm),
        factor
            .control
            .as_ref()
            .map(|_| format!(" x controls {}", percent(factor.controls_ppm)))
            .unwrap_or_default()
    )?;
    for basis in factor.because.iter().chain(&factor.control) {
        let as_of = basis.as_of.as_deref().map(|at| format!(" of {}", day(at))).unwrap_or_default();
        writeln!(text, "    {} [{}{as_of}]", basis.fact, basis.source)?;
    }
    write_flips(text, &why.flips, "  ")?;
    reach::write_way(text, reach, &finding.vulnerability)
}

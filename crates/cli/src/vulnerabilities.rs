//! `tenon vulnerabilities`: what is open in the estate, what is exploited of it, and what nothing that is offered closes.

use std::fmt::Write as _;

use anyhow::Result;
use tenon_formats::percent;
use tenon_server::{VulnerabilitiesPage, VulnerabilityLine};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::json;
use crate::why::percent as in_percent;

/// Most vulnerabilities that the server gives at once.
const PAGE: u32 = 500;

/// Which of them, and in which order.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tenon vulnerabilities                      what costs most first\n  \
                  tenon vulnerabilities --only exploited     listed in KEV\n  \
                  tenon vulnerabilities --only not-offered   what the hosts' own repositories do not close\n  \
                  tenon vulnerabilities --search CVE-2026 --sort newest\n  \
                  tenon --format json vulnerabilities --limit 100000\n\n\
                  `tenon vulnerability CVE-2026-23631` tells where one of them stands. Security updates that no advisory explains are\n\
                  directives (`tenon queue`) and not among them.")]
pub(crate) struct Vulnerabilities {
    /// Only those whose id holds this text.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those that are exploited somewhere (KEV), by which attacks were seen here, of which something stays open whatever is
    /// offered, or for which no fix is published.
    #[arg(long, value_name = "WHAT", value_parser = ["exploited", "attacked", "not-offered", "no-fix"])]
    only: Option<String>,
    /// By what they are ordered.
    #[arg(long, default_value = "risk", value_parser = ["risk", "assets", "foreseen", "epss", "cvss", "newest", "id"])]
    sort: String,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    moment: AsOf,
}

impl Vulnerabilities {
    /// The path of a page of at most so many, behind a cursor.
    fn path(&self, limit: u32, cursor: Option<&String>) -> String {
        let mut path = format!("/api/v1/vulnerabilities?limit={limit}&sort={}", self.sort);
        for (name, value) in [("q", self.search.as_ref()), ("only", self.only.as_ref()), ("cursor", cursor)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}="));
                percent::encode_into(&mut path, value, percent::is_unreserved);
            }
        }
        path
    }

    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let mut page: VulnerabilitiesPage =
            api.get_as_of(&self.path(self.limit.min(PAGE), None), &self.moment)?;
        // What the first page counted stands; the rest follows where it ended.
        while let Some(next) = page.next.take() {
            let missing = self.limit.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            if missing == 0 {
                break;
            }
            let more: VulnerabilitiesPage =
                api.get_as_of(&self.path(missing.min(PAGE), Some(&next)), &self.moment)?;
            page.items.extend(more.items);
            page.next = more.next;
        }
        match common.format {
            Format::Json => json(&page.items)?,
            Format::Text => print!("{}", text(&page)),
        }
        Ok(())
    }
}

fn text(page: &VulnerabilitiesPage) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(&mut text, page);
    text
}

fn write(out: &mut String, page: &VulnerabilitiesPage) -> std::fmt::Result {
    if page.open == 0 {
        return writeln!(
            out,
            "No known vulnerability is open on what is assessed; `tenon gaps` tells what is not."
        );
    }
    writeln!(
        out,
        "{} open: {} exploited somewhere, {} attacked here, {} not closed by what is offered",
        page.open, page.exploited, page.attacked, page.not_offered
    )?;
    if page.total == 0 {
        return writeln!(out, "None of them is like that.");
    }
    let width = page.items.iter().map(|one| one.id.len()).max().unwrap_or_default();
    for one in &page.items {
        writeln!(
            out,
            "{:<width$}  {:>10} points  {:>13}  {}",
            one.id,
            one.points,
            match one.assets {
                1 => "1 host".to_owned(),
                assets => format!("{assets} hosts"),
            },
            marks(one).join(", ")
        )?;
    }
    match page.total.saturating_sub(page.items.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more: --limit, --only, --search"),
    }
}

fn marks(one: &VulnerabilityLine) -> Vec<String> {
    let mut marks = Vec::new();
    if one.attacked > 0 {
        marks.push(format!("attacked on {}", one.attacked));
    }
    if one.exploited {
        marks.push("exploited somewhere".to_owned());
    }
    if let Some(ppm) = one.foreseen_ppm {
        marks.push(format!("foreseen {}", in_percent(ppm.into())));
    }
    if let Some(ppm) = one.epss_ppm {
        marks.push(format!("EPSS {}", in_percent(ppm.into())));
    }
    if let Some(cvss) = &one.cvss {
        marks.push(format!("CVSS {cvss}"));
    }
    let waiting = one.not_offered.saturating_sub(one.no_fix);
    if one.no_fix > 0 {
        marks.push(format!("no fix on {}", one.no_fix));
    }
    if waiting > 0 {
        marks.push(format!("fix not offered on {waiting}"));
    }
    marks
}

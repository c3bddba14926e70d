//! A report of replayed policies: one HTML page that needs nothing else, neither scripts nor fonts nor pictures.

use std::fmt::Write as _;

use super::chart::{STYLES, Shape, drawn, escaped};
use super::file::{Acts, SUPPOSED, Said, UNKNOWN};
use super::{Counts, Policy, Replayed, Size, Spared};
use crate::{Day, HORIZON, Universe};

/// What a page is made of.
#[derive(Debug)]
pub struct Material<'m> {
    /// The days that were asked for.
    pub span: (Day, Day),
    /// Days of scores in the span whose next 30 days are not complete.
    pub left_out: usize,
    /// Which CVEs could be flagged.
    pub universe: Universe,
    /// SHA-256 over the files of the history.
    pub digest: &'m str,
    /// The newest model of forecasts.
    pub model: &'m str,
    /// What was compared.
    pub policies: &'m [Replayed],
    /// How large the fleet is for which they were replayed.
    pub fleet: Option<Size>,
}

const STYLE: &str = include_str!("page.css");

/// Writes the page.
pub fn page(material: &Material<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(material, &mut text);
    text
}

fn write(material: &Material<'_>, text: &mut String) -> std::fmt::Result {
    let (from, to) = material.span;
    writeln!(
        text,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Policies over history, {from} to {to}</title>\n\
         <style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>",
        dark_lines()
    )?;
    let total = material.policies.first().map(Replayed::total).unwrap_or_default();
    let days = material.policies.first().map_or(0, |one| one.days.len());
    writeln!(
        text,
        "<header>\n<h1>Policies over history</h1>\n\
         <p>What each policy would have asked to be fixed on each day of EPSS scores from <span>{from}</span> to <span>{to}</span>, and\n\
         what CISA listed as exploited in the {HORIZON} days after.</p>\n</header>\n<dl class=\"facts\">"
    )?;
    for (value, what) in [
        (thousands(days as u64), "days replayed"),
        (thousands(total.eligible / days.max(1) as u64), "CVEs that could be flagged on a day, on average"),
        (thousands(total.listed), "listings in the 30 days after a day, each counted on every such day"),
        (
            thousands(total.positives),
            "of them could be flagged on the day: the most that any policy here reaches",
        ),
    ] {
        writeln!(text, "<div><dt>{what}</dt><dd>{value}</dd></div>")?;
    }
    writeln!(text, "</dl>")?;
    table(material.policies, text)?;
    if let Some(size) = material.fleet {
        on_fleet(size, material.policies, text)?;
    }
    writeln!(
        text,
        "<section>\n<h2>Over time</h2>\n<p>Coverage is the share of the later listed that was flagged; effort the share of all that was\n\
         flagged, on a logarithmic axis.</p>\n\
         <figure class=\"wide\">{}</figure>\n<figure class=\"narrow\">{}</figure>\n</section>",
        drawn(material.policies, Shape::Wide),
        drawn(material.policies, Shape::Narrow)
    )?;
    by_model(material.policies, text)?;
    compared(material.policies, text)?;
    definitions(material, text)?;
    writeln!(text, "</main>\n</body>\n</html>")
}

/// Colours of lines on a dark page.
fn dark_lines() -> String {
    let rules = STYLES.map(|(light, dark, _)| format!("[stroke=\"{light}\"]{{stroke:{dark}}}"));
    format!("@media (prefers-color-scheme: dark){{{}}}\n", rules.join(""))
}

fn percent(share: Option<f64>, digits: usize) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.digits$}%", share * 100.0))
}

/// A whole number with its thousands apart.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const COLUMNS: &str = "<th scope=\"col\">Coverage</th><th scope=\"col\">Effort</th><th scope=\"col\">Efficiency</th>\
    <th scope=\"col\">Hits</th><th scope=\"col\">Flagged</th><th scope=\"col\">Of all listed</th>";

fn cells(counts: &Counts) -> String {
    let coverage = counts.coverage();
    format!(
        "<td class=\"bar\" style=\"--share:{:.1}%\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
        coverage.unwrap_or(0.0) * 100.0,
        percent(coverage, 1),
        percent(counts.effort(), 2),
        percent(counts.efficiency(), 3),
        thousands(counts.true_positives),
        thousands(counts.flagged),
        percent(counts.coverage_of_all(), 1)
    )
}

fn table(policies: &[Replayed], text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "<section>\n<h2>In all</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"In all\">\n<table>\n\
         <thead><tr><th scope=\"col\">Policy</th>{COLUMNS}</tr></thead>\n<tbody>"
    )?;
    for one in policies {
        let name = escaped(&one.policy.to_string());
        writeln!(text, "<tr><th scope=\"row\">{name}</th>{}</tr>", cells(&one.total()))?;
    }
    writeln!(text, "</tbody>\n</table>\n</div>\n</section>")
}

/// What they would have meant to the hosts that were given.
fn on_fleet(size: Size, policies: &[Replayed], text: &mut String) -> std::fmt::Result {
    let Size { hosts, packages, findings, cves, fix_days } = size;
    writeln!(
        text,
        "<section>\n<h2>On these hosts</h2>\n<p>{} hosts with {} findings of {} CVEs in {} packages on them, as if they had been all along\n\
         what they are now. A change updates one package on one host, and closes all of its CVEs that were public when it was asked for;\n\
         it is done {fix_days} days after. What is listed is asked for on that day at the latest, whatever the policy. Exposed are hours\n\
         from listing to fix, summed over hosts and CVEs.</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"On these hosts\">\n<table>\n\
         <thead><tr><th scope=\"col\">Policy</th><th scope=\"col\">Changes</th><th scope=\"col\">Exploited</th>\
         <th scope=\"col\">Fixed ahead</th><th scope=\"col\">Exposed hours</th></tr></thead>\n<tbody>",
        thousands(hosts),
        thousands(findings),
        thousands(cves),
        thousands(packages)
    )?;
    for one in policies {
        let Some(Spared { changes, exploited, ahead, exposed_hours }) = one.spared else { continue };
        let figures = [changes, exploited, ahead, exposed_hours]
            .map(|figure| format!("<td>{}</td>", thousands(figure)));
        let name = escaped(&one.policy.to_string());
        writeln!(text, "<tr><th scope=\"row\">{name}</th>{}</tr>", figures.concat())?;
    }
    writeln!(text, "</tbody>\n</table>\n</div>\n</section>")
}

fn by_model(policies: &[Replayed], text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "<section>\n<h2>By EPSS model</h2>\n<p>Scores of different EPSS models do not compare, so that a threshold means something else\n\
         under each.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"By EPSS model\">\n<table>\n\
         <thead><tr><th scope=\"col\">Policy, model</th>{COLUMNS}</tr></thead>"
    )?;
    for one in policies {
        let name = escaped(&one.policy.to_string());
        writeln!(text, "<tbody>\n<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"7\">{name}</th></tr>")?;
        for pool in one.by_epss_model() {
            writeln!(text, "<tr><th scope=\"row\">{}</th>{}</tr>", escaped(&pool.of), cells(&pool.counts))?;
        }
        writeln!(text, "</tbody>")?;
    }
    writeln!(text, "</table>\n</div>\n</section>")
}

fn compared(policies: &[Replayed], text: &mut String) -> std::fmt::Result {
    writeln!(text, "<section>\n<h2>What was compared</h2>\n<dl class=\"words\">")?;
    for one in policies {
        let name = escaped(&one.policy.to_string());
        writeln!(text, "<dt>{name}</dt><dd>{}", escaped(&one.policy.flags()))?;
        if let Some(said) = &one.said {
            writeln!(text, "<br>{}", said_of(said))?;
        }
        writeln!(text, "</dd>")?;
    }
    writeln!(text, "</dl>")?;
    if policies.iter().any(|one| matches!(one.policy, Policy::File(_))) {
        let supposed: Vec<String> =
            SUPPOSED.iter().map(|(field, value)| format!("<code>{field}</code> {value}")).collect();
        let unknown: Vec<String> = UNKNOWN.iter().map(|field| format!("<code>{field}</code>")).collect();
        writeln!(
            text,
            "<p>A policy file asks about hosts and rehearsals, which history does not have. Supposed is one host and a rehearsal that\n\
             passed: {}.</p>\n<p>Unknown, so that a rule that depends on it decides nothing: {}; the row of the decision table (BOD 26-04)\n\
             where no record known by the day states its inputs; the forecast before the first model. Windows and freezes are not\n\
             replayed.</p>",
            supposed.join(", "),
            unknown.join(", ")
        )?;
    }
    writeln!(text, "</section>")
}

/// What a file said, in words.
fn said_of(said: &Said) -> String {
    let Said { automatic, people, forbidden, undecided, emergency, missing } = said;
    let missing: Vec<String> =
        missing.iter().map(|(field, cves)| format!("<code>{field}</code> ({})", thousands(*cves))).collect();
    let because =
        if missing.is_empty() { String::new() } else { format!(", for want of {}", missing.join(", ")) };
    format!(
        "Of CVEs and days: {} automatic, {} by people, {} forbidden, {} undecided{because}; {} of them emergencies.",
        thousands(*automatic),
        thousands(*people),
        thousands(*forbidden),
        thousands(*undecided),
        thousands(*emergency)
    )
}

fn definitions(material: &Material<'_>, text: &mut String) -> std::fmt::Result {
    let eligible = match material.universe {
        Universe::Scored => "that have an EPSS score on the day and are not listed yet",
        Universe::Named => {
            "that a list has or whose record was published by the day, and that are not listed yet"
        }
    };
    writeln!(
        text,
        "<section>\n<h2>Words</h2>\n<dl class=\"words\">\n\
         <dt>day</dt><dd>The day after a day of scores. What was public when it ended counts, nothing later.</dd>\n\
         <dt>eligible</dt><dd>CVEs {eligible}.</dd>\n\
         <dt>coverage</dt><dd>Flagged and listed in the {HORIZON} days after, of the eligible that were listed then.</dd>\n\
         <dt>of all listed</dt><dd>The same, of everything that was listed then: much of it was not public on the day.</dd>\n\
         <dt>effort</dt><dd>Flagged, of the eligible: the work.</dd>\n\
         <dt>efficiency</dt><dd>Listed in the {HORIZON} days after, of the flagged.</dd>\n</dl>\n</section>\n\
         <section>\n<h2>What this does not say</h2>\n<ul>\n\
         <li>What is exploited and never listed counts as a miss of nobody. Listing is CISA's choice.</li>\n\
         {}\
         <li>A CVE that stays flagged counts on every day, and a listing on each day of the {HORIZON} before it that has scores.</li>\n\
         <li>Policies on CVSS and on published tables flag only what a record known by the day states. The public files hold few\n\
         records of 2025 and 2026, and the figures say that too.</li>\n\
         <li>The form of Tenon's forecast was chosen on these same days, its coefficients were not.</li>\n</ul>\n</section>",
        if material.fleet.is_some() {
            "<li>Of the hosts only what they are now: not when they got the software, whether an update existed, how long it took.</li>\n"
        } else {
            "<li>Nothing of hosts: which of them have the software, whether an update existed, how long it took.</li>\n"
        }
    )?;
    let (from, to) = material.span;
    let measured = material.policies.first().map(|one| one.days.as_slice()).unwrap_or_default();
    let (Some(first), Some(last)) = (measured.first(), measured.last()) else { return Ok(()) };
    writeln!(
        text,
        "<section>\n<h2>Data</h2>\n<dl class=\"words\">\n<dt>asked for</dt><dd>{from} to {to}</dd>\n\
         <dt>replayed</dt><dd>{} days from {} to {}; {} left out, whose next {HORIZON} days of listings are not complete</dd>\n\
         <dt>forecasts</dt><dd>on each day by the newest model that could be used; the newest of all is {}</dd>\n\
         <dt>history</dt><dd>SHA-256 of its lists (records not included) <code class=\"digest\">{}</code></dd>\n</dl>\n</section>",
        measured.len(),
        first.day,
        last.day,
        material.left_out,
        escaped(material.model),
        escaped(material.digest)
    )
}

impl Acts {
    /// In words.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Automatic => {
                "what it lets go out by itself: approved automatically, and no evidence asked for first"
            }
            Self::Emergency => "what is an emergency to it, and not forbidden",
            Self::Allowed => "whatever it does not forbid, by itself or by people",
        }
    }
}

//! A scan for people: what to do first, then what is behind it.

use std::fmt::Write as _;

use super::{Report, Todo};

/// Most units that one line names.
const MAX_UNITS: usize = 6;

pub(super) fn text(report: &Report, findings: bool, why: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(&mut text, report, findings, why);
    text
}

fn write(text: &mut String, report: &Report, findings: bool, why: bool) -> std::fmt::Result {
    let host = &report.host.asset;
    let os = host.os.as_deref().unwrap_or("unknown system");
    let findings_known = match (host.findings, host.not_assessed.is_empty()) {
        (0, false) => "findings not known".to_owned(),
        (count, false) => format!("{count} open findings known"),
        (count, true) => format!("{count} open findings"),
    };
    writeln!(text, "{}: {os}, {} packages, {findings_known}", host.hostname, host.packages)?;
    for feed in &report.feeds {
        let as_of = feed.as_of.as_deref().and_then(|time| time.get(..10)).unwrap_or("no date");
        let problem = feed.problem.as_deref().unwrap_or_default();
        writeln!(text, "{}", format!("  {:<20} {as_of:<10}  {problem}", feed.name).trim_end())?;
    }
    writeln!(text)?;
    for (number, todo) in report.directives.iter().enumerate() {
        writeln!(text, "{:>3}. {}", number + 1, line(todo))?;
        if why {
            text.push_str(&crate::why::text(&todo.directive, &todo.why, "     "));
            writeln!(text)?;
        }
    }
    if !report.published.is_empty() {
        writeln!(text, "\nThese fixes are published; what this system is offered is not known.")?;
    }
    if report.directives.is_empty() {
        writeln!(text, "No fix is known that should be applied here.")?;
    }
    if !report.host.suppressed.is_empty() {
        let count = report.host.suppressed.len();
        writeln!(
            text,
            "\noff the list by suppliers' statements: {count} findings; --findings shows each with its reason"
        )?;
    }
    for reason in host.not_assessed.iter().map(|reason| format!("not assessed: {reason}")) {
        writeln!(text, "\n{reason}")?;
    }
    for gap in &host.gaps {
        writeln!(text, "\nnot known: {gap}")?;
    }
    if findings {
        writeln!(text)?;
        for finding in &report.host.open {
            let (id, source, installed) = (&finding.vulnerability, &finding.source, &finding.installed);
            writeln!(text, "{id:<18} {source} {installed}: {} [{}]", finding.said, finding.advisory)?;
        }
        for suppressed in &report.host.suppressed {
            let finding = &suppressed.finding;
            let (id, source, installed) = (&finding.vulnerability, &finding.source, &finding.installed);
            let (reason, author) = (&suppressed.reason, &suppressed.author);
            writeln!(text, "{id:<18} {source} {installed}: off the list: {reason} [{author}]")?;
        }
    } else if !report.host.open.is_empty() {
        writeln!(text, "\n--findings lists the {} findings with their evidence.", report.host.open.len())?;
    }
    Ok(())
}

/// `upgrade openssl to 3.0.22-1~deb12u1: closes 12 vulnerabilities, 1 in KEV, due 2026-11-26 by ... row 12; touches nginx`.
fn line(todo: &Todo) -> String {
    let directive = &todo.directive;
    let mut line = match directive.closes.len() {
        0 => format!("{}: a security update of the vendor's own", directive.title),
        1 => format!("{}: closes {}", directive.title, directive.closes[0]),
        many => format!("{}: closes {many} vulnerabilities", directive.title),
    };
    if !todo.in_kev.is_empty() {
        line.push_str(&format!(", {} in KEV", todo.in_kev.len()));
    }
    let decision = &directive.decision;
    match directive.clocks.first() {
        Some(clock) => {
            let day = clock.due.get(..10).unwrap_or(&clock.due);
            line.push_str(&format!(", due {day} by {} row {}", clock.rule, clock.row));
        }
        None => line.push_str(", no due date"),
    }
    if directive.clocks.first().is_none_or(|clock| clock.rule != decision.table) {
        line.push_str(&format!(", {} by {} row {}", decision.outcome, decision.table, decision.row));
    }
    if !todo.touches.is_empty() {
        let shown: Vec<&str> = todo.touches.iter().take(MAX_UNITS).map(String::as_str).collect();
        let more = todo.touches.len().saturating_sub(MAX_UNITS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line.push_str(&format!("; touches {}{more}", shown.join(", ")));
    }
    line
}

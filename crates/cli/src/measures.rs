//! `tenon measures`: how long it takes from what must be done to what is verified, and what that time waited for.

use anyhow::Result;
use tenon_formats::percent::{encode_into, is_unreserved};
use tenon_server::{DurationsView, FiguresView, MeasuresView, ShareView, StepView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::json;

/// Columns of the bar of all time.
const BAR: usize = 76;
/// Columns of a line.
const COLUMNS: usize = 80;
/// Most groups that are shown.
const MAX_GROUPS: usize = 20;

/// Which days, and of whom.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  tenon measures                            the last 30 days, and each group\n  \
                  tenon measures --days 90 --group web\n  tenon measures --as-of 2026-11-01         as the record said at the beginning of that day\n  \
                  tenon measures --definitions              what each figure means\n  tenon --format json measures\n\n\
                  A case is one directive on one host. Its time is parted into steps; those marked \"person\" are hand-offs: somebody\n\
                  has to let the group act, to approve, or to look at what stopped. Medians and 90th percentiles are off by at most\n\
                  one part in 32; counts and sums are exact."
)]
pub(crate) struct Measures {
    /// How many days.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// The last of them; today, or the day of --as-of, where nothing is said.
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Only this group.
    #[arg(long)]
    group: Option<String>,
    /// What each figure means, below them.
    #[arg(long)]
    definitions: bool,
    #[command(flatten)]
    moment: AsOf,
}

impl Measures {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let mut path = format!("/api/v1/measures?days={}", self.days);
        for (name, value) in [("until", &self.until), ("group", &self.group)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}="));
                encode_into(&mut path, value, is_unreserved);
            }
        }
        let view: MeasuresView = Api::new(common)?.get_as_of(&path, &self.moment)?;
        match common.format {
            Format::Json => json(&view)?,
            Format::Text => print!("{}", text(&view, self.definitions)),
        }
        Ok(())
    }
}

/// A duration in two units at most, as in 3d 4h.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.join(" ")
}

fn some(seconds: Option<u32>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| duration(u64::from(seconds)))
}

/// A share in percent; what is there is never told as nothing.
fn percent(share: Option<&String>, is_some: bool) -> String {
    match share.map(String::as_str) {
        None => "-".to_owned(),
        Some("0.0") if is_some => "<0.1 %".to_owned(),
        Some(percent) => format!("{percent} %"),
    }
}

fn share(ShareView { part, of, percent: share }: &ShareView) -> String {
    match of {
        0 => "-".to_owned(),
        _ => format!("{} ({part} of {of})", percent(share.as_ref(), *part > 0)),
    }
}

/// The letter of a step in the bar.
fn letter(step: &StepView) -> char {
    match step.step.as_str() {
        "promotion" => 'P',
        "queue" => 'q',
        "rehearsal" => 'r',
        "approval" => 'A',
        "turn" => 'w',
        "change" => 'c',
        "confirmation" => 'v',
        "stop" => 'S',
        _ => '?',
    }
}

/// The time of all steps as one bar: each is as wide as its share, and at least seen where there is any.
fn bar(steps: &[StepView]) -> String {
    let all: u64 = steps.iter().map(|step| step.times.seconds).sum();
    let Some(largest) = steps.iter().map(|step| step.times.seconds).max().filter(|_| all > 0) else {
        return String::new();
    };
    let width = |seconds: u64| {
        let columns = u128::from(seconds) * BAR as u128 / u128::from(all);
        usize::try_from(columns).unwrap_or(BAR).max(usize::from(seconds > 0))
    };
    // What rounding leaves over or takes goes to the largest, where it is seen least.
    let others: usize = steps.iter().map(|step| width(step.times.seconds)).sum();
    let mut given = false;
    let mut bar = String::new();
    for step in steps {
        let mut columns = width(step.times.seconds);
        if step.times.seconds == largest && !given {
            columns = (columns + BAR).saturating_sub(others);
            given = true;
        }
        bar.extend(std::iter::repeat_n(letter(step), columns));
    }
    bar
}

fn text(view: &MeasuresView, definitions: bool) -> String {
    let of = view.group.as_ref().map_or_else(|| "all groups".to_owned(), |group| format!("group {group}"));
    let mut text = format!("{} to {}, {of}\n", view.first, view.last);
    if let Some(since) = &view.counted_since {
        text += &format!("counted since {since}: the record begins there\n");
    }
    figures(&mut text, &view.whole);
    groups(&mut text, view);
    if definitions {
        for definition in &view.definitions {
            text += &format!("\n{} ({})\n", definition.title, definition.unit);
            for line in wrapped(&definition.says) {
                text += &format!("  {line}\n");
            }
        }
    } else {
        text += "\nWhat each figure means: tenon measures --definitions\n";
    }
    text
}

fn figures(text: &mut String, whole: &FiguresView) {
    let FiguresView { cases, half_life, changes, .. } = whole;
    let half_life = match half_life.seconds {
        Some(seconds) => duration(u64::from(seconds)),
        None => {
            format!(
                "not reached, {} open (of {})",
                percent(half_life.open_percent.as_ref(), half_life.open > 0),
                half_life.cases
            )
        }
    };
    let durations = |times: &DurationsView| match times.count {
        0 => "-".to_owned(),
        count => format!("{} median, {} p90 ({count})", some(times.median_seconds), some(times.p90_seconds)),
    };
    let not_held = [
        (changes.rolled_back, "taken back"),
        (changes.failed, "failed"),
        (changes.refused, "refused"),
        (changes.silent, "silent"),
        (changes.unconfirmed, "not confirmed"),
    ];
    let not_held: Vec<String> = not_held
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let lines = [
        ("time to fix", durations(&whole.remediation)),
        ("half-life", half_life),
        ("done by the due date", share(&whole.sla)),
        ("overdue now", share(&whole.overdue)),
        ("changes that held", share(&whole.change_success)),
        ("", not_held.join(", ")),
        ("failures foretold", share(&whole.foretold)),
        ("asset-hours", whole.exposure.asset_hours.clone()),
        (
            "cases",
            format!(
                "{} begun, {} verified, {} fixed otherwise",
                cases.begun, cases.verified, cases.fixed_otherwise
            ),
        ),
        (
            "",
            format!(
                "{} refused, {} retired, {} withdrawn, {} open now",
                cases.refused, cases.retired, cases.withdrawn, cases.open
            ),
        ),
        ("directives everywhere", durations(&whole.directives)),
    ];
    for (name, said) in lines.iter().filter(|(_, said)| !said.is_empty()) {
        *text += &format!("  {name:<23}{said}\n");
    }
    if whole.remediation.count == 0 {
        return;
    }
    let waits: Vec<String> = whole
        .waited_for
        .iter()
        .map(|wait| format!("{} {}", wait.waits_for, percent(wait.percent.as_ref(), wait.seconds > 0)))
        .collect();
    *text += &format!("\nWhere the time went: {}\n  {}\n", waits.join(", "), bar(&whole.steps));
    *text += &format!("  {:<15}{:<9}{:>8}{:>11}{:>11}\n", "step", "waits for", "share", "median", "p90");
    for step in &whole.steps {
        *text += &format!(
            "  {} {:<13}{:<9}{:>8}{:>11}{:>11}\n",
            letter(step),
            step.step,
            step.waits_for,
            percent(step.percent.as_ref(), step.times.seconds > 0),
            some(step.times.median_seconds),
            some(step.times.p90_seconds)
        );
    }
}

fn groups(text: &mut String, view: &MeasuresView) {
    if view.groups.len() < 2 {
        return;
    }
    *text += &format!(
        "\n{:<15}{:>9}{:>9}{:>10}{:>9}{:>9}{:>8}{:>11}\n",
        "group", "verified", "median", "half-life", "in time", "overdue", "held", "asset-h"
    );
    for group in view.groups.iter().take(MAX_GROUPS) {
        let figures = &group.figures;
        let name: String = group.group.chars().take(14).collect();
        let short = |share: &ShareView| percent(share.percent.as_ref(), share.part > 0);
        *text += &format!(
            "{name:<15}{:>9}{:>9}{:>10}{:>9}{:>9}{:>8}{:>11}\n",
            figures.cases.verified,
            some(figures.remediation.median_seconds),
            some(figures.half_life.seconds),
            short(&figures.sla),
            figures.overdue.part,
            short(&figures.change_success),
            figures.exposure.asset_hours
        );
    }
    let more = view.groups.len().saturating_sub(MAX_GROUPS);
    if more > 0 {
        *text += &format!("and {more} more: tenon --format json measures\n");
    }
}

/// A text in lines of the width of a page.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() + 3 <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(count: u64, seconds: u64, median: u32, p90: u32) -> DurationsView {
        DurationsView { count, seconds, median_seconds: Some(median), p90_seconds: Some(p90) }
    }

    fn view() -> MeasuresView {
        let text = include_str!("../tests/measures/view.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let told = [0, 59, 60, 61, 3_600, 3_661, 86_400, 90_061].map(duration);
        assert_eq!(told, ["0s", "59s", "1m", "1m 1s", "1h", "1h 1m", "1d", "1d 1h"]);
    }

    #[test]
    fn the_bar_shows_every_step_and_is_always_as_wide() {
        let mut steps = view().whole.steps;
        assert_eq!(bar(&steps).len(), BAR);
        for (place, step) in steps.iter_mut().enumerate() {
            step.times = times(1, if place == 3 { 1_000_000 } else { 1 }, 0, 0);
        }
        let told = bar(&steps);
        assert_eq!((told.len(), &told[..4], &told[BAR - 5..]), (BAR, "PqrA", "AwcvS"));
        steps.iter_mut().for_each(|step| step.times = times(1, 0, 0, 0));
        assert_eq!(bar(&steps), "");
    }

    #[test]
    fn a_person_reads_it_in_80_columns() {
        let told = text(&view(), false);
        let wanted = include_str!("../tests/measures/view.txt");
        assert_eq!(told, wanted, "what is told now:\n{told}");
        assert!(told.lines().all(|line| line.chars().count() <= COLUMNS));
        let explained = text(&view(), true);
        assert!(explained.lines().all(|line| line.chars().count() <= COLUMNS));
        assert!(explained.contains("half-life (seconds)"));
    }
}

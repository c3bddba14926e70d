//! `tenon queue`: what to do first, a window of it or what its parts come to.

use anyhow::Result;
use tenon_formats::percent;
use tenon_server::{AssetsPage, DirectiveLine, DirectivesPage, PartView};

use crate::api::Api;
use crate::assign;
use crate::common::{AsOf, Common, Format};
use crate::show::{day, json};

/// Most directives that the server gives at once.
const PAGE: u32 = 500;

/// Which part of the queue, and in which order.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tenon queue                              the most urgent first\n  \
                  tenon queue --group web --sort removes   of one group, what removes most first\n  \
                  tenon queue --assignee me                what is yours; `nobody`: what nobody does yet\n  \
                  tenon queue --search CVE-2026-23631      what closes it\n  \
                  tenon queue --group-by package           which packages remove most\n  \
                  tenon queue --as-of 2026-11-01           as it was at the beginning of that day")]
pub(crate) struct Queue {
    /// Only those whose id, package, version, vulnerabilities or advisories hold this text.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those of this group.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only those that the decision table gave this outcome, as published.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only those due before this day or time.
    #[arg(long, value_name = "TIME")]
    due_before: Option<String>,
    /// Only those that this person does: a name, `me`, or `nobody` for those that nobody does.
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// By what they are ordered.
    #[arg(long, default_value = "urgency", value_parser = ["urgency", "removes", "per-change", "assets", "raised", "package", "group"])]
    sort: String,
    /// In place of the directives, what they come to for each group, outcome, package, person, span in which they are due or stage.
    #[arg(long, value_name = "WHAT", value_parser = ["group", "outcome", "package", "assignee", "due", "stage"])]
    group_by: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    moment: AsOf,
}

impl Queue {
    /// The path of a page of at most so many, behind a cursor.
    fn path(&self, limit: u32, cursor: Option<&String>) -> String {
        let given = [
            ("q", self.search.as_ref()),
            ("group", self.group.as_ref()),
            ("outcome", self.outcome.as_ref()),
            ("due_before", self.due_before.as_ref()),
            ("assignee", self.assignee.as_ref()),
            ("sort", Some(&self.sort)),
            ("group_by", self.group_by.as_ref()),
            ("cursor", cursor),
        ];
        let mut path = format!("/api/v1/directives?limit={limit}");
        for (name, value) in given {
            if let Some(value) = value {
                path.push_str(&format!("&{name}="));
                percent::encode_into(&mut path, value, percent::is_unreserved);
            }
        }
        path
    }

    fn filtered(&self) -> bool {
        [&self.search, &self.group, &self.outcome, &self.due_before, &self.assignee]
            .into_iter()
            .any(Option::is_some)
    }
}

pub(crate) fn run(args: &Queue, common: &Common) -> Result<()> {
    let api = Api::new(common)?;
    let mut page: DirectivesPage = api.get_as_of(&args.path(args.limit.min(PAGE), None), &args.moment)?;
    if let Some(parts) = &page.parts {
        match common.format {
            Format::Json => json(parts)?,
            Format::Text => print!("{}", parts_text(parts)),
        }
        return Ok(());
    }
    // What the first page counted stands; the rest follows where it ended.
    while let Some(next) = page.next.take() {
        let missing = args.limit.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        if missing == 0 {
            break;
        }
        let more: DirectivesPage = api.get_as_of(&args.path(missing.min(PAGE), Some(&next)), &args.moment)?;
        page.items.extend(more.items);
        page.next = more.next;
    }
    if common.format == Format::Json {
        return json(&page.items);
    }
    if page.items.is_empty() && !args.filtered() {
        let assets: AssetsPage = api.get_as_of("/api/v1/assets?limit=1", &args.moment)?;
        println!(
            "{}",
            if assets.total == 0 {
                "Nothing to do: no host is enrolled. `tenon enrol-token` makes a token for one."
            } else {
                "Nothing to do: no enrolled host is offered a security update. See `tenon assets` for what is not assessed."
            }
        );
        return Ok(());
    }
    print!("{}", queue_text(&page));
    Ok(())
}

/// What doing it closes.
fn closes(directive: &DirectiveLine) -> String {
    let more = directive.closes_count.saturating_sub(directive.closes.len() as u64);
    match (directive.closes_count, more) {
        (0, _) => "a security update of the vendor's own, no advisory known here explains it".to_owned(),
        (_, 0) => format!("closes {}", directive.closes.join(", ")),
        _ => format!("closes {} and {more} more", directive.closes.join(", ")),
    }
}

fn parts_text(parts: &[PartView]) -> String {
    let mut text = String::new();
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or_default();
    for part in parts {
        text.push_str(&format!(
            "{:<width$}  {:>6} to do on {:>7} assets, {:>10} risk points{}\n",
            part.name,
            part.directives,
            part.assets,
            part.removes,
            part.due.as_ref().map_or_else(String::new, |_| format!(", first due {}", day(part.due.as_ref())))
        ));
    }
    if parts.is_empty() {
        text.push_str("Nothing in the queue is like that.\n");
    }
    text
}

fn queue_text(page: &DirectivesPage) -> String {
    let mut text = String::new();
    for directive in &page.items {
        let Some(first) = &directive.first else { continue };
        text.push_str(&format!(
            "{:<8} due {:<10} {}\n",
            directive.id,
            day(directive.due.as_ref()),
            directive.title
        ));
        text.push_str(&format!(
            "         {} on {}{}; removes {} risk points\n",
            first.stage,
            first.hostname,
            match directive.asset_count.saturating_sub(1) {
                0 => String::new(),
                more => format!(" and {more} more"),
            },
            directive.removes,
        ));
        match directive.attacked {
            0 => {}
            1 => text.push_str("         an attack was seen on one of its hosts\n"),
            hosts => text.push_str(&format!("         attacks were seen on {hosts} of its hosts\n")),
        }
        text.push_str(&format!("         {}\n", closes(directive)));
        if let Some(assignee) = &directive.assignee {
            text.push_str(&format!("         {}\n", assign::told(assignee)));
        }
        if directive.disputed {
            text.push_str(&format!(
                "         DISPUTED: `tenon show {}` tells why, `tenon answer` answers\n",
                directive.id
            ));
        }
        if let Some(reason) = &first.reason {
            text.push_str(&format!("         {reason}\n"));
        }
    }
    let more = page.total.saturating_sub(page.items.len() as u64);
    if page.items.is_empty() {
        text.push_str("Nothing in the queue is like that.\n");
    } else if more > 0 {
        let removes = page.totals.as_ref().map_or("", |totals| totals.removes.as_str());
        text.push_str(&format!(
            "and {more} more; all {} remove {removes} risk points: see --limit\n",
            page.total
        ));
    }
    if page.items.iter().any(|directive| directive.stages.contains_key("awaiting-approval")) {
        text.push_str("\nRehearsed and waiting for you: `tenon show dir_N`, then `tenon approve dir_N`.\n");
    }
    text
}

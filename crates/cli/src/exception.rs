//! `tenon exception`: risks that are accepted for a time.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_server::{ExceptionView, ExceptionsView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::hosts;
use crate::people::done;
use crate::show::json;
use crate::standing::{self, State, Which};
use crate::why::day;

/// Most hosts that a line names.
const MAX_HOSTS: usize = 3;

/// What to do with exceptions.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Accept a risk until a day: what closes it is not wanted there until then.
    Grant(Grant),
    /// The exceptions: what is accepted where, until when, by whom.
    List(List),
    /// Take an exception back before its time.
    End(End),
}

/// A risk to accept.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tenon exception grant CVE-2026-23631 --assets web1,web2 --until 2026-12-31 \\\n      \
    --control 'the WAF drops it' --why 'the vendor certifies the update in March'\n  \
    tenon exception grant CVE-2026-23631 --group lab --until 2026-12-31 --owner 'head of lab' \\\n      \
    --control 'no route from outside' --why 'rebuilt in December anyway'\n\n\
    An accepted risk is still a risk: the finding stays on the host, as accepted, and is counted apart from what is not affected\n\
    (`tenon vex`). Hosts that enrol later are not meant. It ends by itself, within a year; what it took off the queue is then\n\
    back, and its clocks go on from when they began.")]
pub(crate) struct Grant {
    /// The vulnerability.
    vulnerability: String,
    /// On these hosts: names or `ast_...`, with commas between.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',', required_unless_present = "group")]
    assets: Vec<String>,
    /// On those of this group on which it is open now.
    #[arg(long, conflicts_with = "assets")]
    group: Option<String>,
    /// When it is to end: a day, to whose end it lasts (UTC), or a time.
    #[arg(long, value_name = "DAY")]
    until: String,
    /// Who answers for the risk [default: you]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// What stands against it meanwhile.
    #[arg(long, value_name = "WHAT")]
    control: String,
    /// Why it is not mended now.
    #[arg(long)]
    why: String,
}

/// Which exceptions.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon exception list\n  tenon exception list --state all --vulnerability CVE-2026-23631\n  \
    tenon exception list --as-of 2026-11-01   what was accepted then\n  tenon --format json exception list"
)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
}

/// An exception to take back.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon exception end exc_1 --why 'the WAF rule is gone'")]
pub(crate) struct End {
    /// `exc_...`
    exception: String,
    /// Why.
    #[arg(long)]
    why: String,
}

impl Command {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match self {
            Self::Grant(grant) => grant.run(common),
            Self::List(list) => list.which.show(common, "exceptions", text),
            Self::End(end) => {
                let path = format!("/api/v1/exceptions/{}/end", end.exception);
                let said = format!("{} has ended: what it took off the queue is back", end.exception);
                done(common, &path, &json!({ "why": end.why }), &said)
            }
        }
    }
}

impl Grant {
    fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let assets = hosts::ids_of(&api, &self.assets)?;
        let body = json!({
            "vulnerability": self.vulnerability,
            "assets": assets,
            "group": self.group,
            "until": self.until,
            "owner": self.owner,
            "control": self.control,
            "why": self.why,
        });
        let answer: Value = api.post("/api/v1/exceptions", &body)?;
        // It is the last one about this vulnerability by the entry that tells of it.
        let path = standing::path("exceptions", State::All, Some(&self.vulnerability));
        let known: ExceptionsView = api.get(&path)?;
        let Some(granted) = known.items.first() else {
            bail!("{} was accepted and is not listed: see `tenon log`", self.vulnerability);
        };
        match common.format {
            Format::Json => json(granted)?,
            Format::Text => println!("{} (entry {} of the record)", said(granted), answer["seq"]),
        }
        Ok(())
    }
}

/// What an exception says, in one line.
fn said(exception: &ExceptionView) -> String {
    let hosts = hosts::named(&exception.hosts, MAX_HOSTS, exception.assets);
    let until = day(&exception.until);
    format!("{}: the risk of {} is accepted on {hosts} until {until}", exception.id, exception.vulnerability)
}

fn text(view: &ExceptionsView) -> String {
    if view.items.is_empty() {
        return "no risk is accepted\n".to_owned();
    }
    let mut text = String::new();
    for exception in &view.items {
        text += &format!("{}\n", said(exception));
        text += &format!(
            "  {} answers for it; granted by {} on {}\n",
            exception.owner,
            exception.by,
            day(&exception.granted)
        );
        text += &format!("  against it: {}\n  because: {}\n", exception.control, exception.why);
        if let Some(since) = &exception.since {
            text += &format!("  its clocks run since {} once it ends\n", day(since));
        }
        if let Some(at) = &exception.ended {
            let by_whom = (exception.ended_by.as_ref(), exception.ended_why.as_ref());
            text += &standing::ended(at, "taken back", by_whom, "its time was up");
        }
    }
    text += &standing::older(view.total, view.items.len());
    text
}

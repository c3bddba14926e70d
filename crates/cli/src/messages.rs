//! `tenon messages`: who is told what, and how it stands with each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tenon_server::{
    Addressee, AddresseeView, Addressees, MessageForm, MessageTopic, MessagesView, TrialView,
};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::show::json;

/// Who is told what.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenon messages\n  tenon messages check messages.yaml\n  tenon messages try on-call\n  tenon --format json messages\n\n\
    `tenon up` reads messages.yaml in its data folder at the start, or the file that --messages names (chmod 600: the address of a\n\
    chat's webhook is a secret):\n\n  \
    version: 1\n  \
    link: https://tenon.example.org\n  \
    to:\n    \
    on-call:\n      \
    url: https://hooks.slack.com/services/...\n      \
    form: slack                          # or teams, mail, cloudevents\n      \
    about: [approval, urgent, trouble]   # also exception, raised, done\n      \
    groups: [web]                        # everybody's work where nothing is said\n      \
    gather: 10s                          # up to 24h: what happens meanwhile is one post\n\n\
    What was recorded and could not be delivered is delivered later, also after a restart."
)]
pub(crate) struct Messages {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Read a file and say who would be told what. Nothing is sent.
    #[command(after_help = "Example:\n  tenon messages check messages.yaml")]
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Send a trial message to an addressee now.
    #[command(after_help = "Example:\n  tenon messages try on-call")]
    Try {
        /// Its name in the file.
        name: String,
    },
}

impl Messages {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match &self.command {
            None => list(common),
            Some(Command::Check { file }) => check(common, file),
            Some(Command::Try { name }) => try_out(common, name),
        }
    }
}

fn list(common: &Common) -> Result<()> {
    let view: MessagesView = Api::new(common)?.get("/api/v1/messages")?;
    match common.format {
        Format::Json => json(&view)?,
        Format::Text => print!("{}", text(&view)),
    }
    Ok(())
}

fn check(common: &Common, file: &Path) -> Result<()> {
    let read = Addressees::load(file)?;
    match common.format {
        Format::Json => json(&json!({
            "link": read.link,
            "to": read.to.iter().map(|to| json!({
                "name": to.name, "host": to.host(), "form": to.form, "about": to.about, "groups": to.groups,
                "gather_seconds": to.gather.as_secs(), "signed": to.is_signed(),
            })).collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            println!("links begin with {}", read.link);
            for to in &read.to {
                println!("{}", told(to));
            }
            if read.to.is_empty() {
                println!("nobody is told anything: name addressees under `to:`");
            }
        }
    }
    Ok(())
}

fn try_out(common: &Common, name: &str) -> Result<()> {
    let trial: TrialView = Api::new(common)?.post(&format!("/api/v1/messages/{name}/try"), &json!({}))?;
    match (common.format, &trial.problem) {
        (Format::Json, _) => json(&trial)?,
        (Format::Text, None) => println!("{name} took it: look there for the trial message"),
        (Format::Text, Some(_)) => {}
    }
    match trial.problem {
        Some(problem) => bail!("{name} did not take it: {problem}"),
        None => Ok(()),
    }
}

/// One addressee of a file, in a line.
fn told(to: &Addressee) -> String {
    let groups: Option<Vec<String>> =
        to.groups.as_ref().map(|groups| groups.iter().map(ToString::to_string).collect());
    line(
        &to.name,
        to.host(),
        to.form,
        &Vec::from_iter(to.about.iter().copied()),
        groups.as_deref(),
        to.is_signed(),
    )
}

fn line(
    name: &str,
    host: &str,
    form: MessageForm,
    about: &[MessageTopic],
    groups: Option<&[String]>,
    signed: bool,
) -> String {
    let about: Vec<&str> = about.iter().map(|topic| topic.name()).collect();
    let whose = groups
        .map_or_else(|| "everybody's work".to_owned(), |groups| format!("work of {}", groups.join(", ")));
    let signed = if signed { ", signed" } else { "" };
    format!("{name}  {form} at {host}{signed}: {}; {whose}", about.join(", "))
}

fn text(view: &MessagesView) -> String {
    if view.items.is_empty() {
        return "nobody is told anything: `tenon messages --help` shows the file that says who is\n"
            .to_owned();
    }
    let mut text = String::new();
    for to in &view.items {
        let AddresseeView { name, host, form, about, groups, signed, .. } = to;
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{}", line(name, host, *form, about, groups.as_deref(), *signed));
        let _written = writeln!(text, "  {}", standing(to));
    }
    text
}

fn standing(to: &AddresseeView) -> String {
    let waiting = match to.waiting {
        0 => "nothing waits".to_owned(),
        1 => "1 message waits".to_owned(),
        waiting => format!("{waiting} messages wait"),
    };
    let last = match &to.last {
        Some(last) => format!("last post taken {last}"),
        None => "no post since Tenon started".to_owned(),
    };
    match &to.problem {
        Some(problem) => format!("not delivered, tried again: {problem}; {waiting}; {last}"),
        None => format!("{waiting}; {last}"),
    }
}

//! Rollouts: in which waves a directive reaches its hosts, and stopping them.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_model::Tempo;
use tenon_server::{DirectiveView, RolloutView, WaveHostView, WaveView};

use crate::api::Api;
use crate::assign::waited_for;
use crate::common::{AsOf, Common, Format};
use crate::host_plan::Explain;
use crate::people::done;
use crate::watch::Tally;

/// Characters of a wave's bar.
const BAR: usize = 20;
/// Hosts that a line names.
const NAMED: usize = 4;

/// Plans.
#[derive(Subcommand)]
pub(crate) enum Plan {
    /// The waves of a directive, how far they are, and what each waits for.
    Show(Show),
    /// What the open directives of one host wait for there.
    Explain(Explain),
}

/// Which plan.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon plan show dir_1\n  tenon plan show dir_1 --as-of 2026-11-01T06:00:00Z   how far it was then\n\n\
    `tenon watch dir_1` shows the same live, until the rollout ends; `tenon plan explain web1` asks about one host."
)]
pub(crate) struct Show {
    /// `dir_...`
    directive: String,
    #[command(flatten)]
    moment: AsOf,
}

/// Stop a rollout.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon halt dir_1 --why 'the shop sells tickets tonight'\n\n\
    What a host has begun it ends; nothing more is ordered until `tenon resume`. `tenon watch dir_1` shows how far it is.")]
pub(crate) struct Halt {
    /// `dir_...`
    directive: String,
    /// Why.
    #[arg(long)]
    why: String,
}

/// Let it go on.
#[derive(Args)]
#[command(
    after_help = "Example:\n  tenon resume dir_1\n\nThe rest is planned anew, for the estate as it is now.\n`tenon watch dir_1` follows it."
)]
pub(crate) struct Resume {
    /// `dir_...`
    directive: String,
}

/// How fast rollouts go.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon tempo            what counts\n  tenon tempo cautious   canaries are watched for four hours, none may fail, at most 20% at once\n  \
    tenon tempo standard   half an hour, 2% of a wave may fail, at most 33%\n  tenon tempo fast       each wave as soon as the one before is verified\n  tenon tempo --as-of 2026-11-01   what counted then\n\n\
    What is listed as exploited, or used in an attack that was seen, goes one step faster. No tempo takes a redundancy group below its minimum."
)]
pub(crate) struct Choose {
    /// cautious, standard or fast.
    #[arg(value_parser = tempo, conflicts_with = "as_of")]
    tempo: Option<Tempo>,
    #[command(flatten)]
    moment: AsOf,
}

fn tempo(text: &str) -> Result<Tempo, String> {
    let named = Tempo::ALL.iter().copied().find(|tempo| tempo.to_string() == text);
    named.ok_or_else(|| "one of cautious, standard, fast".to_owned())
}

impl Plan {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let Show { directive, moment } = match self {
            Self::Show(show) => show,
            Self::Explain(explain) => return explain.run(common),
        };
        let view: DirectiveView =
            Api::new(common)?.get_as_of(&format!("/api/v1/directives/{directive}"), moment)?;
        let Some(rollout) = &view.rollout else {
            bail!(
                "{directive} has no plan yet: it is planned once something of it is approved (tenon approve {directive})"
            );
        };
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(rollout)?),
            Format::Text => print!("{}", told(&view, rollout)),
        }
        Ok(())
    }
}

/// A plan for people.
pub(crate) fn told(view: &DirectiveView, rollout: &RolloutView) -> String {
    let owner = waited_for(rollout.halt.as_ref().and_then(|halt| halt.owner.as_ref()));
    let waits =
        rollout.waits.as_deref().map(|waits| format!("\n  waits for: {waits}{owner}")).unwrap_or_default();
    let mut text = format!(
        "{} {}: plan {}, {}, {}{waits}\n",
        view.id, view.title, rollout.version, rollout.tempo, rollout.state
    );
    for (number, wave) in (1..).zip(&rollout.waves) {
        text += &line(number, wave);
    }
    for held in &rollout.held_back {
        text += &format!(
            "  held back, {}: {}\n      {}\n",
            count(held.assets),
            named(&held.hosts, held.assets),
            held.why
        );
    }
    text
}

fn line(number: usize, wave: &WaveView) -> String {
    let bar = Tally::of_wave(wave).bar(BAR);
    format!(
        "  {number:>3} {:<8} {:<7} {bar} {}/{}  {}\n",
        wave.phase,
        wave.state,
        wave.done,
        wave.assets,
        named(&wave.hosts, wave.assets)
    )
}

fn count(assets: u64) -> String {
    if assets == 1 { "1 host".to_owned() } else { format!("{assets} hosts") }
}

fn named(hosts: &[WaveHostView], of: u64) -> String {
    let shown: Vec<&str> = hosts.iter().take(NAMED).map(|host| host.hostname.as_str()).collect();
    let rest = of.saturating_sub(shown.len() as u64);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

impl Halt {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/directives/{}/halt", self.directive);
        let said = format!("the rollout of {} is halted", self.directive);
        done(common, &path, &json!({ "why": self.why }), &said)
    }
}

impl Resume {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let path = format!("/api/v1/directives/{}/resume", self.directive);
        done(common, &path, &json!({}), &format!("the rollout of {} goes on", self.directive))
    }
}

impl Choose {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let Some(tempo) = self.tempo else {
            let answer: Value = Api::new(common)?.get_as_of("/api/v1/tempo", &self.moment)?;
            match common.format {
                Format::Json => println!("{answer}"),
                Format::Text => println!("rollouts are {}", answer["tempo"].as_str().unwrap_or_default()),
            }
            return Ok(());
        };
        let said = format!("rollouts are {tempo} from the next plan on");
        done(common, "/api/v1/tempo", &json!({ "tempo": tempo.to_string() }), &said)
    }
}

//! The policy: a file to begin with, what it would change, setting it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tenon_formats::Problems;
use tenon_policy::{MAX_POLICY, PRESETS, Policy, read};
use tenon_server::{PolicyPreviewView, PolicyView, RulingView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format, document};
use crate::rules::say;

/// Who approves what, when changes may begin, how fast they go: one reviewed file.
#[derive(Subcommand)]
#[command(after_help = "Examples:\n  tenon policy preset standard > policy.yaml\n  \
    tenon policy test policy.yaml --against live\n  tenon policy apply policy.yaml --yes")]
pub(crate) enum Command {
    /// Print a policy to begin with; without a name, say which there are.
    Preset(Named),
    /// Read a policy file and say everything that is wrong with it; against what is live, say what it would change.
    Test(Test),
    /// Set a policy: what it changes is shown first.
    Apply(Apply),
    /// The policy that counts.
    Show(Show),
}

/// A preset.
#[derive(Args)]
pub(crate) struct Named {
    /// cautious, standard, fast or bod-26-04.
    name: Option<String>,
}

/// Against what a policy is tried.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The directives that are open on the server now.
    Live,
}

/// Read a policy file.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon policy test policy.yaml                  needs no server\n  \
    tenon policy test policy.yaml --against live   what would change for the open directives")]
pub(crate) struct Test {
    /// The policy file (YAML); `docs/policy.md` describes it.
    file: PathBuf,
    /// Say what it would change; nothing changes.
    #[arg(long, value_enum)]
    against: Option<Against>,
}

/// Set a policy. It replaces the one before.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon policy apply policy.yaml --diff\n  tenon policy apply policy.yaml --yes\n\n\
    Without --yes nothing is set."
)]
pub(crate) struct Apply {
    /// The policy file (YAML).
    file: PathBuf,
    /// Only show what would change.
    #[arg(long, conflicts_with = "yes")]
    diff: bool,
    /// Set it.
    #[arg(long)]
    yes: bool,
}

/// The policy that counts.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon policy show\n  tenon policy show --file > policy.yaml\n  \
    tenon policy show --as-of 2026-11-01T06:00:00Z   the one that counted then")]
pub(crate) struct Show {
    /// The file as it was written.
    #[arg(long)]
    file: bool,
    #[command(flatten)]
    moment: AsOf,
}

impl Command {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match self {
            Self::Preset(named) => named.run(common),
            Self::Test(test) => test.run(common),
            Self::Apply(apply) => apply.run(common),
            Self::Show(show) => show.run(common),
        }
    }
}

impl Named {
    fn run(&self, common: &Common) -> Result<()> {
        let Some(name) = &self.name else {
            match common.format {
                Format::Json => {
                    let named =
                        PRESETS.iter().map(|preset| json!({ "name": preset.name, "about": preset.about }));
                    println!("{}", Value::Array(named.collect()));
                }
                Format::Text => {
                    for preset in PRESETS {
                        println!("{:<10} {}", preset.name, preset.about);
                    }
                }
            }
            return Ok(());
        };
        let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            bail!("there is no preset {name:?}: one of {}", names.join(", "));
        };
        print!("{}", preset.text);
        Ok(())
    }
}

/// The file, and what it says, or what is wrong with it.
pub(crate) fn read_file(path: &Path) -> Result<(String, Result<Policy, Problems>)> {
    let bytes = document(path, MAX_POLICY)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{}: not UTF-8", path.display()))?;
    let policy = read(&text);
    Ok((text, policy))
}

/// The file, and what it says; what is wrong with it is told on standard error.
fn checked(path: &Path) -> Result<(String, Policy)> {
    match read_file(path)? {
        (text, Ok(policy)) => Ok((text, policy)),
        (_, Err(problems)) => {
            for problem in problems.listed() {
                eprintln!("{}: {problem}", path.display());
            }
            bail!("{}: {} problems; nothing is set", path.display(), problems.total())
        }
    }
}

fn preview(api: &Api<'_>, text: &str) -> Result<PolicyPreviewView> {
    api.post("/api/v1/policy/preview", &json!({ "text": text }))
}

impl Test {
    fn run(&self, common: &Common) -> Result<()> {
        let (text, policy) = checked(&self.file)?;
        if self.against.is_none() {
            let (rules, windows, freezes) = (policy.rules.len(), policy.windows.len(), policy.freezes.len());
            match common.format {
                Format::Json => {
                    println!("{}", json!({ "rules": rules, "windows": windows, "freezes": freezes }));
                }
                Format::Text => println!(
                    "{}: {rules} rules, {windows} windows, {freezes} freezes; --against live shows what it would change",
                    self.file.display()
                ),
            }
            return Ok(());
        }
        let seen = preview(&Api::new(common)?, &text)?;
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&seen)?),
            Format::Text => print!("{}", told(&seen)),
        }
        Ok(())
    }
}

impl Apply {
    fn run(&self, common: &Common) -> Result<()> {
        let (text, _) = checked(&self.file)?;
        let api = Api::new(common)?;
        let seen = preview(&api, &text)?;
        match common.format {
            Format::Json if !self.yes => println!("{}", serde_json::to_string_pretty(&seen)?),
            Format::Json => {}
            Format::Text => print!("{}", told(&seen)),
        }
        if self.diff || seen.same {
            return Ok(());
        }
        if !self.yes {
            bail!("nothing is set; --yes sets this policy, --diff only shows what it would change");
        }
        let answer: Value = api.post("/api/v1/policy", &json!({ "text": text, "compared": seen.version }))?;
        say(common, &answer, &format!("policy version {} counts", seen.version.saturating_add(1)));
        Ok(())
    }
}

impl Show {
    fn run(&self, common: &Common) -> Result<()> {
        let known: PolicyView = Api::new(common)?.get_as_of("/api/v1/policy", &self.moment)?;
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&known)?),
            Format::Text if self.file => match &known.text {
                Some(text) => print!("{text}"),
                None => {
                    bail!("no policy is set: every directive is approved by one person and begins at once")
                }
            },
            Format::Text => print!("{}", listed(&known)),
        }
        Ok(())
    }
}

/// A policy for people.
fn listed(known: &PolicyView) -> String {
    let mut text = match known.version {
        0 => "no policy is set\n".to_owned(),
        version => format!("policy version {version} ({})\n", known.digest.as_deref().unwrap_or_default()),
    };
    for (number, rule) in (1..).zip(&known.rules) {
        let windows =
            if rule.windows.is_empty() { String::new() } else { format!(", in {}", rule.windows.join(", ")) };
        let tempo = rule.tempo.as_ref().map(|tempo| format!(", {tempo}")).unwrap_or_default();
        text += &format!("  {number:>3} {}: {}{windows}{tempo}\n", rule.name, rule.approval);
        let when = rule.when.as_deref().unwrap_or("always").split_whitespace().collect::<Vec<_>>().join(" ");
        text += &format!("      when {when}\n");
        text += &rule.why.as_ref().map(|why| format!("      {why}\n")).unwrap_or_default();
    }
    text += "  what no rule matches: by one person, at any time\n";
    for window in &known.windows {
        text += &format!("  window {}: {}\n", window.name, window.opens);
    }
    for freeze in &known.freezes {
        let when = freeze.when.as_ref().map(|when| format!(", when {when}")).unwrap_or_default();
        text += &format!("  freeze {}: {} to {}{when}\n", freeze.name, freeze.from, freeze.until);
    }
    text
}

/// What another policy would change, for people.
fn told(seen: &PolicyPreviewView) -> String {
    let against = match seen.version {
        0 => "no policy".to_owned(),
        version => format!("policy version {version}"),
    };
    if seen.changed == 0 {
        let same = if seen.same { ": it is that file" } else { "" };
        return format!("against {against}: nothing changes for the open directives{same}\n");
    }
    let mut text = format!(
        "against {against}: {} open directives change, on {} hosts the change is approved at once\n",
        seen.changed, seen.approved_at_once
    );
    for effect in &seen.directives {
        text += &format!("  {} {} (group {})\n", effect.id, effect.title, effect.group);
        for (name, rulings) in [("before", &effect.before), ("after", &effect.after)] {
            for ruling in rulings {
                text += &format!("    {name:<6} {}\n", line(ruling));
            }
        }
    }
    let more = seen.changed.saturating_sub(seen.directives.len() as u64);
    if more > 0 {
        text += &format!("  and {more} more\n");
    }
    text
}

fn line(ruling: &RulingView) -> String {
    let rule = ruling.rule.as_ref().map(|rule| format!(", rule {rule}")).unwrap_or_default();
    let not = ruling.not_automatic.as_ref().map(|why| format!("; not automatic: {why}")).unwrap_or_default();
    let waits = ruling.waits.as_ref().map(|waits| format!("; {waits}")).unwrap_or_default();
    let hosts = if ruling.assets == 1 { "1 host".to_owned() } else { format!("{} hosts", ruling.assets) };
    let hosts = if ruling.rehearsed { format!("{hosts}, rehearsed") } else { hosts };
    format!("{hosts}: approval {}{rule}{not}{waits}", ruling.approval)
}

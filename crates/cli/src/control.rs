//! `tenon control`: compensating controls, and what they leave over.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tenon_server::{ControlView, ControlsView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::hosts;
use crate::people::done;
use crate::show::json;
use crate::standing::{self, State, Which};
use crate::why::{day, percent};

/// Most hosts and vulnerabilities that a line names.
const MAX_NAMED: usize = 3;

/// What to do with controls.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Record what stands against attacks until a day: what it covers is as much less likely there.
    Add(Add),
    /// The controls: what stands against what, where, until when.
    List(List),
    /// Say that a control does not stand any more.
    End(End),
}

/// What kind of control it is.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A web application firewall drops what carries the attack.
    WafRule,
    /// A network intrusion prevention system does.
    IpsRule,
    /// The network keeps attackers away in a way that no zone or flow of the context tells of.
    Segmentation,
    /// What is vulnerable is switched off.
    FeatureOff,
    /// The system is configured so that the attack fails or gains less.
    Hardening,
}

/// A way of attack, as CVSS tells it.
#[derive(Clone, Copy, ValueEnum)]
enum Vector {
    Network,
    Adjacent,
    Local,
    Physical,
}

/// A control to record.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tenon control add --kind waf-rule --against CVE-2026-23631 --group web --leaves 10% --until 2026-12-31 \\\n      \
    --what 'rule 941 blocks it; tried with the public exploit'\n  \
    tenon control add --kind segmentation --vector network,adjacent --assets db1,db2 --leaves 25% --until 2027-03-31 \\\n      \
    --what 'reachable from the jump host only'\n\n\
    A control is a person's estimate: it lowers the expected loss, and with it the place in the queue. It closes no finding, moves no\n\
    due date and changes no decision. Of several the strongest counts; where an attack was seen none does. Hosts that enrol later are\n\
    not meant. It ends by itself, within a year. What zones and flows say already (`tenon context`) need not be said again.")]
pub(crate) struct Add {
    /// What kind of control it is.
    #[arg(long, value_enum)]
    kind: Kind,
    /// The vulnerabilities that it stands against, with commas between [default: all that are attacked in one of the ways named]
    #[arg(long, value_name = "CVES", value_delimiter = ',', required_unless_present = "vector")]
    against: Vec<String>,
    /// The ways of attack that it stands against, with commas between [default: all, of the vulnerabilities named]
    #[arg(long, value_enum, value_name = "WAYS", value_delimiter = ',')]
    vector: Vec<Vector>,
    /// Before these hosts: names or `ast_...`, with commas between.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',', required_unless_present_any = ["group", "zone"])]
    assets: Vec<String>,
    /// Before those that are of this group now.
    #[arg(long, conflicts_with_all = ["assets", "zone"])]
    group: Option<String>,
    /// Before those that stand in this zone now.
    #[arg(long, conflicts_with = "assets")]
    zone: Option<String>,
    /// How many of the attacks that come get through it: 1% to 99%.
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    leaves: u32,
    /// When it is to end: a day, to whose end it lasts (UTC), or a time.
    #[arg(long, value_name = "DAY")]
    until: String,
    /// Who answers for it [default: you]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// What it is, and how it was tried.
    #[arg(long, value_name = "WHAT")]
    what: String,
}

/// Which controls.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon control list\n  tenon control list --state all --vulnerability CVE-2026-23631   those that stand against it\n  \
    tenon control list --as-of 2026-11-01   what stood then\n  tenon --format json control list"
)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
}

/// A control that does not stand any more.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon control end ctl_1 --why 'the WAF is gone'")]
pub(crate) struct End {
    /// `ctl_...`
    control: String,
    /// Why.
    #[arg(long)]
    why: String,
}

impl Command {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match self {
            Self::Add(add) => add.run(common),
            Self::List(list) => list.which.show(common, "controls", text),
            Self::End(end) => {
                let path = format!("/api/v1/controls/{}/end", end.control);
                let said = format!("{} has ended: what it stood against counts in full again", end.control);
                done(common, &path, &json!({ "why": end.why }), &said)
            }
        }
    }
}

impl Add {
    fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let assets = hosts::ids_of(&api, &self.assets)?;
        let body = json!({
            "kind": named(&self.kind),
            "vulnerabilities": self.against,
            "vectors": self.vector.iter().map(named).collect::<Vec<_>>(),
            "assets": assets,
            "group": self.group,
            "zone": self.zone,
            "leaves_ppm": self.leaves,
            "until": self.until,
            "owner": self.owner,
            "what": self.what,
        });
        let answer: Value = api.post("/api/v1/controls", &body)?;
        // It is the last one by the entry that tells of it.
        let known: ControlsView = api.get(&standing::path("controls", State::All, None))?;
        let Some(recorded) = known.items.first() else {
            bail!("the control was recorded and is not listed: see `tenon log`");
        };
        match common.format {
            Format::Json => json(recorded)?,
            Format::Text => println!("{} (entry {} of the record)", said(recorded), answer["seq"]),
        }
        Ok(())
    }
}

/// As the command line and the API write it.
fn named(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// `20%` or `0.5%`, in parts per million.
fn share(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no share from 1% to 99%");
    let percent: f64 = text.strip_suffix('%').unwrap_or(text).trim().parse().map_err(|_| wrong())?;
    if !(1.0..=99.0).contains(&percent) {
        return Err(wrong());
    }
    // At most 990,000.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let ppm = (percent * 10_000.0).round() as u32;
    Ok(ppm)
}

/// What a control says, in one line.
pub(crate) fn said(control: &ControlView) -> String {
    let hosts = hosts::named(&control.hosts, MAX_NAMED, control.assets);
    let left = percent(u64::from(control.leaves_ppm));
    let until = day(&control.until);
    format!(
        "{}: a {} lets {left} of {} through to {hosts} until {until}",
        control.id,
        control.kind,
        against(control)
    )
}

fn against(control: &ControlView) -> String {
    let vectors = control.vectors.join(", ");
    match control.vulnerabilities.as_slice() {
        [] => format!("{vectors} attacks"),
        ids => hosts::named(ids, MAX_NAMED, ids.len() as u64),
    }
}

fn text(view: &ControlsView) -> String {
    if view.items.is_empty() {
        return "no control is recorded: what stands against attacks is added with `tenon control add`\n"
            .to_owned();
    }
    let mut text = String::new();
    for control in &view.items {
        text += &format!("{}\n  {}\n", said(control), control.what);
        if !control.vulnerabilities.is_empty() && control.vectors.len() < 4 {
            text += &format!("  against attacks of these ways: {}\n", control.vectors.join(", "));
        }
        let recorded = day(&control.recorded);
        text += &format!("  {} answers for it; recorded by {} on {recorded}\n", control.owner, control.by);
        if let Some(at) = &control.ended {
            let by_whom = (control.ended_by.as_ref(), control.ended_why.as_ref());
            text += &standing::ended(at, "ended", by_whom, "its time was up");
        }
    }
    text += &standing::older(view.total, view.items.len());
    text
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_are_read_in_percent() {
        assert_eq!((share("20%"), share("12.5"), share("99%")), (Ok(200_000), Ok(125_000), Ok(990_000)));
        for wrong in ["0%", "100%", "-1", "NaN", "much", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}

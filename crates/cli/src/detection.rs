//! `tenon detection`: attacks that sensors saw.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use tenon_server::{DetectionTaken, DetectionView, DetectionsView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::people::done;
use crate::show::json;
use crate::standing::{self, Which};
use crate::why::day;

/// What to do with detections.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Report an attack that was seen on a host, or on a honeypot.
    Report(Report),
    /// The detections: which attacks were seen, where, when, and what answers them.
    List(List),
    /// Dismiss a detection that was none.
    Dismiss(Dismiss),
}

/// An attack that was seen.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tenon detection report CVE-2026-23631 --host web1 --what 'ET EXPLOIT inbound lookup in a header'\n  \
    tenon detection report CVE-2026-23631 --host 192.0.2.17 --seen 2026-11-30T08:15:00Z --sensor 'suricata on fw1' \\\n      \
    --reference 2034647 --what 'ET EXPLOIT inbound lookup in a header'\n  \
    tenon detection report CVE-2026-23631 --host web1 --succeeded --what 'a shell under nginx'\n  \
    tenon detection report CVE-2026-23631 --honeypot dmz --what 'lookup in a header'\n\n\
    On that host the vulnerability then counts as exploited: what closes it there is due within a day and goes ahead of what is only\n\
    likely; where the policy says so it crosses windows. Sensors repeat themselves: the same attack on the same host within a day tells\n\
    nothing new. A month after the last one it counts no more.\n\n\
    In its zone the same counts as more likely meanwhile, by 10% (a honeypot: 20%, a host taken over: 50%), and everywhere else by 2%\n\
    (5%, 10%), half as much with each week. That orders work; it sets no date there and makes no emergency.\n\n\
    A device posts to /api/v1/detections itself, with a token of the role sensor, which can do nothing else:\n  \
    tenon token new --role sensor --expires 365d --label edr")]
pub(crate) struct Report {
    /// The vulnerability that the attack uses.
    vulnerability: String,
    /// The host: its name, one of its addresses, or `ast_...`.
    #[arg(long, required_unless_present = "honeypot")]
    host: Option<String>,
    /// The attack succeeded: the host is taken over.
    #[arg(long, requires = "host")]
    succeeded: bool,
    /// It was seen on a honeypot, which is no host of the estate; in this zone, if it stands in one.
    #[arg(long, value_name = "ZONE", num_args = 0..=1, conflicts_with = "host")]
    honeypot: Option<Option<String>>,
    /// When it was seen [default: now]
    #[arg(long, value_name = "TIME")]
    seen: Option<String>,
    /// What was seen.
    #[arg(long)]
    what: String,
    /// Which sensor saw it [default: you]
    #[arg(long, value_name = "NAME")]
    sensor: Option<String>,
    /// By what the sensor knows it.
    #[arg(long, value_name = "ID")]
    reference: Option<String>,
}

/// Which detections.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon detection list\n  tenon detection list --state all --vulnerability CVE-2026-23631\n  \
    tenon --format json detection list"
)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
}

/// A detection that was none.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon detection dismiss det_1 --why 'our own scanner'\n\n\
    What followed from it is taken back. What the same sensor says of the same attack there changes nothing for a month.")]
pub(crate) struct Dismiss {
    /// `det_...`
    detection: String,
    /// Why.
    #[arg(long)]
    why: String,
}

impl Command {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match self {
            Self::Report(report) => report.run(common),
            Self::List(list) => list.which.show(common, "detections", text),
            Self::Dismiss(dismiss) => {
                let path = format!("/api/v1/detections/{}/dismiss", dismiss.detection);
                let said = format!("{} is dismissed: what followed from it is taken back", dismiss.detection);
                done(common, &path, &json!({ "why": dismiss.why }), &said)
            }
        }
    }
}

impl Report {
    fn run(&self, common: &Common) -> Result<()> {
        let kind = match (&self.honeypot, self.succeeded) {
            (Some(_), _) => "honeypot",
            (None, true) => "incident",
            (None, false) => "attack",
        };
        let body = json!({
            "vulnerability": self.vulnerability,
            "kind": kind,
            "asset": self.host,
            "zone": self.honeypot.as_ref().and_then(Option::as_ref),
            "seen": self.seen,
            "what": self.what,
            "sensor": self.sensor,
            "reference": self.reference,
        });
        let taken: DetectionTaken = Api::new(common)?.post("/api/v1/detections", &body)?;
        match common.format {
            Format::Json => json(&taken)?,
            Format::Text => println!("{}", self.said(&taken)),
        }
        Ok(())
    }

    fn said(&self, DetectionTaken { detection, known, directives }: &DetectionTaken) -> String {
        let about = &self.vulnerability;
        if *known {
            return format!("{detection} tells of it already, or was dismissed: nothing has changed");
        }
        let answers = || {
            let first = directives.first().map_or("", String::as_str);
            format!("{} answers it (`tenon why {first}`)", directives.join(", "))
        };
        let Some(host) = &self.host else {
            return match directives.as_slice() {
                [] => format!(
                    "{detection} is recorded; {about} is to be closed nowhere, or no fix is offered, or its risk is accepted \
                     (`tenon vulnerability {about}`)"
                ),
                _ => format!("{detection}: {about} counts as more likely for a month; {}", answers()),
            };
        };
        match directives.as_slice() {
            [] => format!(
                "{detection} is recorded; nothing answers it: {about} is not open on {host}, or its fix is not offered there, or its \
                 risk is accepted (`tenon vulnerability {about}`)"
            ),
            _ => format!("{detection}: {about} counts as exploited on {host}; {}", answers()),
        }
    }
}

/// What a detection says, in one line.
pub(crate) fn line(detection: &DetectionView) -> String {
    let DetectionView { id, vulnerability, kind, host, zone, seen, sensor, what, .. } = detection;
    let place = match (host, zone) {
        (Some(host), _) => format!("on {host}"),
        (None, Some(zone)) => format!("on a honeypot in zone {zone}"),
        (None, None) => "on a honeypot".to_owned(),
    };
    let succeeded = if kind == "incident" { ", which it took over" } else { "" };
    format!("{id}: {vulnerability} {place}{succeeded}, seen {seen} by {sensor}: {what}")
}

/// How much more likely it makes the same elsewhere by now.
fn elsewhere(DetectionView { zone, zone_ppm, estate_ppm, .. }: &DetectionView) -> String {
    let percent = |ppm: u32| format!("{}%", f64::from(ppm) / 10_000.0);
    let in_zone = zone.as_ref().map(|zone| format!("by {} in zone {zone}, ", percent(*zone_ppm)));
    format!("more likely {}by {} elsewhere", in_zone.unwrap_or_default(), percent(*estate_ppm))
}

fn text(view: &DetectionsView) -> String {
    if view.items.is_empty() {
        return "no attack was reported that counts\n".to_owned();
    }
    let mut text = String::new();
    for detection in &view.items {
        text += &format!("{}\n", line(detection));
        match (&detection.ended, detection.directives.as_slice()) {
            (Some(at), _) => {
                let by_whom = (detection.ended_by.as_ref(), detection.ended_why.as_ref());
                let itself = "it says nothing any more about what happens now";
                text += &standing::ended(at, "dismissed", by_whom, itself);
            }
            (None, []) => {
                text += "  nothing answers it: not open there, no fix offered, or its risk is accepted\n";
            }
            (None, directives) => {
                text += &format!(
                    "  answered by {}; counts until {}, {}\n",
                    directives.join(", "),
                    day(&detection.until),
                    elsewhere(detection)
                );
            }
        }
    }
    text += &standing::older(view.total, view.items.len());
    text
}

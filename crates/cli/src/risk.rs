//! `tenon risk`: what is lost if nothing is done, by whom, and what moved it.

use std::fmt::Write as _;

use anyhow::Result;
use tenon_formats::percent;
use tenon_server::{RiskView, TrendView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::json;

/// Groups that are written out; the others have less.
const GROUPS: usize = 10;
/// Widest bar, in characters.
const BAR: usize = 24;

/// Of what, and over which days.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  tenon risk                     the whole estate: how much, whose, and which entries of the record moved it\n  \
                  tenon risk --days 7\n  tenon risk --service shop      only what carries that service; also --team, --zone\n  \
                  tenon risk --as-of 2026-11-01\n  tenon --format json risk\n\n\
                  Risk points are what the open directives remove together: threat x reach x impact, summed. A hundred of them are\n\
                  one asset that is lost for certain, whole."
)]
pub(crate) struct Risk {
    /// Only what carries this service.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["team", "zone"])]
    service: Option<String>,
    /// Only what this team owns, as the context says.
    #[arg(long, value_name = "NAME", conflicts_with = "zone")]
    team: Option<String>,
    /// Only what stands in this zone.
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// How many days back.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    #[command(flatten)]
    moment: AsOf,
}

impl Risk {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let mut path = format!("/api/v1/risk?days={}", self.days);
        for (field, name) in [("service", &self.service), ("team", &self.team), ("zone", &self.zone)] {
            if let Some(name) = name {
                let _infallible = write!(path, "&{field}=");
                percent::encode_into(&mut path, name, percent::is_unreserved);
            }
        }
        let view: RiskView = api.get_as_of(&path, &self.moment)?;
        match common.format {
            Format::Json => json(&view)?,
            Format::Text if view.of.is_some() => print!("{}", of_part(&view)?),
            Format::Text => {
                let days = format!("/api/v1/trend?days={}", self.days);
                let trend: TrendView = api.get_as_of(&days, &self.moment)?;
                print!("{}", of_all(&view, &trend)?);
            }
        }
        Ok(())
    }
}

/// How many directives, and on how many assets.
fn about(view: &RiskView) -> String {
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{} on {}", count(view.directives, "open directive"), count(view.assets, "asset"))
}

fn of_part(view: &RiskView) -> Result<String, std::fmt::Error> {
    let of = view.of.as_deref().unwrap_or_default();
    let mut text = String::new();
    if view.assets == 0 {
        writeln!(
            text,
            "{of}: no asset; `tenon hosts` lists what is enrolled, `tenon context show` what is said"
        )?;
        return Ok(text);
    }
    writeln!(text, "{of}: {} risk points of {}, {}", view.points, view.whole, about(view))?;
    Ok(text)
}

fn of_all(view: &RiskView, trend: &TrendView) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "now            {:>12} risk points, {}", view.points, about(view))?;
    if let Some(before) = &view.before {
        let ago = if view.days == 1 { "a day ago".to_owned() } else { format!("{} days ago", view.days) };
        writeln!(text, "{ago:<14} {before:>12}  {}", line(trend))?;
    }
    if let Some(like_for_like) = &view.like_for_like {
        writeln!(text, "like for like  {like_for_like:>12}  without what was newly seen since then")?;
    }
    if !view.groups.is_empty() {
        writeln!(text, "\nby group")?;
    }
    let most = view.groups.first().map_or(0.0, |group| number(&group.points));
    let widest = view.groups.iter().take(GROUPS).map(|group| group.group.chars().count()).max().unwrap_or(0);
    for group in view.groups.iter().take(GROUPS) {
        let bar = bar(number(&group.points), most);
        let (name, points, many) = (&group.group, &group.points, group.directives);
        writeln!(text, "  {name:<widest$} {points:>12}  {bar:<BAR$}  {many} directives")?;
    }
    if view.groups.len() > GROUPS {
        writeln!(text, "  and {} more", view.groups.len() - GROUPS)?;
    }
    writeln!(text, "\nwhat moved it most")?;
    for one in &view.moved {
        let sign = if one.points.starts_with('-') { "" } else { "+" };
        let points = format!("{sign}{}", one.points);
        let said = one.said.as_deref().unwrap_or("the record does not reach back so far any more");
        let by = one.by.as_deref().map(|by| format!(", by {by}")).unwrap_or_default();
        writeln!(text, "  {} {points:>12}  {said}{by} (entry {})", one.day, one.seq)?;
    }
    if view.moved.is_empty() {
        writeln!(text, "  nothing since then")?;
    }
    Ok(text)
}

/// For drawing alone: what is written is the text that came.
fn number(points: &str) -> f64 {
    points.parse().unwrap_or(0.0)
}

fn bar(value: f64, most: f64) -> String {
    if most <= 0.0 {
        return String::new();
    }
    let eighths = (value / most * (BAR * 8) as f64).round().max(0.0) as usize;
    let rest = ["", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}"];
    format!("{}{}", "\u{2588}".repeat(eighths / 8), rest[eighths % 8])
}

/// Exposure at the end of each day, as a line of small bars.
fn line(trend: &TrendView) -> String {
    let values: Vec<f64> = trend.days.iter().map(|day| number(&day.exposure)).collect();
    let most = values.iter().copied().fold(0.0, f64::max);
    let bars =
        ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
    let of = |value: f64| match most > 0.0 {
        true => bars[((value / most * 7.0).round().max(0.0) as usize).min(7)],
        false => bars[0],
    };
    values.into_iter().map(of).collect()
}

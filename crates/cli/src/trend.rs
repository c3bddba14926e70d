//! `tenon trend`: exposure over time, and what moved it.

use anyhow::Result;
use tenon_server::TrendView;

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::json;

/// Which days.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tenon trend                               the last 30 days\n  \
                  tenon trend --days 90 --until 2026-10-31\n  tenon trend --as-of 2026-11-01           as the record said at the beginning of that day\n  tenon --format json trend\n\n\
                  Exposure is what the open directives remove together, in risk points. \"Newly seen\" is what hosts bring with\n\
                  their first reports, or report anew; \"got worse\" is what became known of what is there. The like-for-like\n\
                  column leaves out what was newly seen: it does not move when hosts enrol.")]
pub(crate) struct Trend {
    /// How many days.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// The last of them; today, or the day of --as-of, where nothing is said.
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    moment: AsOf,
}

impl Trend {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let mut path = format!("/api/v1/trend?days={}", self.days);
        if let Some(until) = &self.until {
            path.push_str("&until=");
            tenon_formats::percent::encode_into(&mut path, until, tenon_formats::percent::is_unreserved);
        }
        let view: TrendView = Api::new(common)?.get_as_of(&path, &self.moment)?;
        match common.format {
            Format::Json => json(&view)?,
            Format::Text => print!("{}", text(&view)),
        }
        Ok(())
    }
}

fn text(view: &TrendView) -> String {
    let mut text = format!(
        "{:<10} {:>12} {:>14} {:>11} {:>11} {:>11} {:>11} {:>9} {:>9} {:>9}\n",
        "day",
        "exposure",
        "like for like",
        "newly seen",
        "got worse",
        "got better",
        "done",
        "refused",
        "accepted",
        "retired"
    );
    for day in &view.days {
        text.push_str(&format!(
            "{:<10} {:>12} {:>14} {:>11} {:>11} {:>11} {:>11} {:>9} {:>9} {:>9}\n",
            day.day,
            day.exposure,
            day.like_for_like,
            day.newly_seen,
            day.got_worse,
            day.got_better,
            day.done,
            day.refused,
            day.accepted,
            day.retired
        ));
    }
    text
}

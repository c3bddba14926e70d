//! Lists of what stands about a vulnerability until it ends: exceptions, controls, detections.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenon_formats::percent;

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::json;
use crate::why::day;

/// Which of them.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum State {
    /// Those that count.
    Standing,
    /// Those that have ended.
    Ended,
    /// Both.
    All,
}

/// Which of them are listed.
#[derive(Args)]
pub(crate) struct Which {
    /// Those that count, or have ended.
    #[arg(long, value_enum, default_value = "standing")]
    state: State,
    /// Only those about this one.
    #[arg(long, value_name = "ID")]
    vulnerability: Option<String>,
    #[command(flatten)]
    moment: AsOf,
}

impl Which {
    /// Reads a list of them and shows it.
    pub(crate) fn show<V: DeserializeOwned + Serialize>(
        &self,
        common: &Common,
        list: &str,
        text: impl Fn(&V) -> String,
    ) -> Result<()> {
        let path = path(list, self.state, self.vulnerability.as_deref());
        let view: V = Api::new(common)?.get_as_of(&path, &self.moment)?;
        match common.format {
            Format::Json => json(&view)?,
            Format::Text => print!("{}", text(&view)),
        }
        Ok(())
    }
}

pub(crate) fn path(list: &str, state: State, vulnerability: Option<&str>) -> String {
    let state = match state {
        State::Standing => "standing",
        State::Ended => "ended",
        State::All => "all",
    };
    let mut path = format!("/api/v1/{list}?limit=500&state={state}");
    if let Some(id) = vulnerability {
        path.push_str("&vulnerability=");
        percent::encode_into(&mut path, id, percent::is_unreserved);
    }
    path
}

/// How one has ended, as a line: what somebody did, who and why, or that it ended by itself.
pub(crate) fn ended(
    at: &str,
    done: &str,
    by_whom: (Option<&String>, Option<&String>),
    itself: &str,
) -> String {
    let how = match by_whom {
        (Some(by), Some(why)) => format!("{done} by {by}: {why}"),
        _ => itself.to_owned(),
    };
    format!("  ended {}: {how}\n", day(at))
}

/// How many are not among those that are shown, as a line; nothing where none is.
pub(crate) fn older(total: u64, shown: usize) -> String {
    match total.saturating_sub(shown as u64) {
        0 => String::new(),
        more => format!("and {more} older ones: ask for one vulnerability\n"),
    }
}

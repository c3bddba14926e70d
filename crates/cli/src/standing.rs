//! Lists of what stands about a vulnerability until it ends: exceptions, controls, detections.

use clap::{Args, ValueEnum};
use tenon_formats::percent;

use crate::common::AsOf;

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
    pub(crate) moment: AsOf,
}

impl Which {
    /// Where a list of them is read.
    pub(crate) fn path(&self, list: &str) -> String {
        path(list, self.state, self.vulnerability.as_deref())
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

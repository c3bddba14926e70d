//! Which of the things about a vulnerability that stand until they end: exceptions, controls, detections.

use serde::Deserialize;
use tenon_model::{RefusalCode, Timestamp, VulnerabilityId};
use utoipa::IntoParams;

use super::read::parse;
use super::{ApiError, Code};

/// Items of one answer where nobody says how many, and the most.
const USUAL: usize = 100;
const MOST: usize = 500;

/// Which of them, as they are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StandingQuery {
    /// `standing`, where nothing is said; or `ended`, or `all`.
    state: Option<String>,
    /// Only those about this vulnerability.
    vulnerability: Option<String>,
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said.
    pub(super) as_of: Option<String>,
}

/// The same, read.
pub(super) struct Asked {
    standing: bool,
    ended: bool,
    about: Option<VulnerabilityId>,
    limit: usize,
}

impl StandingQuery {
    pub(super) fn read(&self) -> Result<Asked, ApiError> {
        let (standing, ended) = match self.state.as_deref() {
            None | Some("standing") => (true, false),
            Some("ended") => (false, true),
            Some("all") => (true, true),
            Some(other) => {
                let message = format!("state is standing, ended or all, not {other:?}");
                return Err(ApiError::new(Code::BadRequest, message));
            }
        };
        let about = self.vulnerability.as_deref().map(parse).transpose()?;
        Ok(Asked { standing, ended, about, limit: self.limit.unwrap_or(USUAL).clamp(1, MOST) })
    }
}

impl Asked {
    /// Whether one is meant that is about some vulnerabilities, as `is_about` says.
    pub(super) fn means(&self, is_about: impl Fn(&VulnerabilityId) -> bool, has_ended: bool) -> bool {
        let of_state = if has_ended { self.ended } else { self.standing };
        of_state && self.about.as_ref().is_none_or(is_about)
    }

    /// The vulnerability about which they are asked for.
    pub(super) fn about(&self) -> Option<&VulnerabilityId> {
        self.about.as_ref()
    }

    /// The first of all that are meant, as they are shown, and how many there are.
    pub(super) fn shown<T, V>(
        &self,
        mut all: impl Iterator<Item = T>,
        view: impl Fn(T) -> V,
    ) -> (Vec<V>, u64) {
        let items: Vec<V> = all.by_ref().take(self.limit).map(view).collect();
        let total = items.len() + all.count();
        (items, total as u64)
    }
}

/// The instant until which something stands, as a text names it; of a day, its last.
pub(super) fn end_of(what: &str, text: &str) -> Result<Timestamp, ApiError> {
    let named = Timestamp::parse(text).ok_or_else(|| {
        let message = format!("{what} ends on a day or at a time, as in 2026-12-31, not {text:?}");
        ApiError::new(Code::Refused(RefusalCode::BadContent), message)
    })?;
    let is_day = !text.contains(['T', 't', ' ']);
    let last = || Timestamp::from_millis(named.plus_days(1).as_millis().saturating_sub(1));
    Ok(if is_day { last() } else { named })
}

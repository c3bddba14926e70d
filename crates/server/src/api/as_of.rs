//! Reading the World as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_model::Timestamp;
use utoipa::IntoParams;

use super::log::time;
use super::{ApiError, Code, Context};
use crate::health::Attempt;
use crate::past::{Moment, PastError};

/// The position that an answer shows: the place of the last entry ...
const SEQUENCE: &str = "tenon-sequence";
/// ... and its stamp.
const TIME: &str = "tenon-time";
/// Seconds after which a time may be asked for again when others wait.
const RETRY: u64 = 5;

/// Of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    pub(super) as_of: Option<String>,
}

/// The World of a time.
pub(super) struct Then {
    pub(super) world: Arc<World>,
    /// The time.
    pub(super) now: Timestamp,
}

impl Context {
    /// The World as it is, or as it was.
    pub(super) async fn then(&self, as_of: Option<&String>) -> Result<Then, ApiError> {
        let now = self.now();
        let Some(said) = as_of else { return Ok(Then { world: self.writer.world(), now }) };
        let moment = moment(said, now)?;
        let world = self.past.at(moment, now).await?;
        let now = match moment {
            Moment::Time(asked) => asked,
            Moment::Entry(_) => world.time().unwrap_or(now),
        };
        Ok(Then { world, now })
    }

    /// How the feeds were last asked, by name. It is not recorded: of a time that is over nothing is known.
    pub(super) fn attempts(&self, as_of: Option<&String>) -> BTreeMap<String, Attempt> {
        if as_of.is_none() { self.health.attempts() } else { BTreeMap::new() }
    }
}

fn moment(said: &str, now: Timestamp) -> Result<Moment, ApiError> {
    if let Ok(entry) = said.parse() {
        return Ok(Moment::Entry(entry));
    }
    let asked = time(said)?;
    // Times are shown to the second: what is shown with this one belongs to it.
    let shown_as_this = Timestamp::from_millis(asked.as_millis().saturating_add(999)).min(now.max(asked));
    Ok(Moment::Time(if said.contains('.') { asked } else { shown_as_this }))
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        let code = match &error {
            PastError::Ahead { .. } | PastError::BeforeRecord { .. } | PastError::NoEntry { .. } => {
                Code::NoSuchTime
            }
            PastError::LetGo { .. } => Code::NotKept,
            PastError::Busy => {
                return Self::new(Code::TooManyRequests, error.to_string()).retry_after(RETRY);
            }
            PastError::Replay { .. } => return Self::internal(&error),
            PastError::Stopped => Code::JournalFailed,
        };
        Self::new(code, error.to_string())
    }
}

impl Then {
    /// An answer with its position in the record.
    pub(super) fn answer<T: Serialize>(&self, body: T) -> Response {
        self.stamped(Json(body).into_response())
    }

    /// The position in the record, on an answer that is written already.
    pub(super) fn stamped(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(SEQUENCE, HeaderValue::from(self.world.seq()));
        let time = self.world.time().and_then(|time| HeaderValue::try_from(time.to_string()).ok());
        if let Some(time) = time {
            headers.insert(TIME, time);
        }
        response
    }
}

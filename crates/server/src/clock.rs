//! Where time enters.

use tenon_model::Timestamp;

/// The system's time. The one place where the server reads it.
#[allow(clippy::disallowed_methods, reason = "the shell is where time enters")]
pub(crate) fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

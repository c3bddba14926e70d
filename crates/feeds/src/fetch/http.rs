//! An HTTP client with bounds in time.

use std::time::Duration;

use ureq::Agent;
use ureq::http::HeaderMap;

use super::Validators;

/// Most redirects followed.
const REDIRECTS: u32 = 5;
/// Bytes between two words of progress.
pub(super) const PROGRESS_STEP: u64 = 1 << 20;

/// An HTTP client. It follows no redirect from HTTPS to plain HTTP.
#[derive(Debug)]
pub(super) struct Client {
    secure: Agent,
    plain: Agent,
}

/// Bounds in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time to connect, TLS included.
    pub connect: Duration,
    /// Longest silence of a server.
    pub silence: Duration,
    /// Longest download as a whole, redirects and further attempts included.
    pub whole: Duration,
    /// Attempts at one file; what has arrived is kept where the server can go on from it.
    pub attempts: u32,
    /// The wait before the second attempt; doubled for each further one, with up to half of it added at random.
    pub pause: Duration,
    /// Longest wait between attempts, also where a server asks for more.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            whole: Duration::from_secs(30 * 60),
            attempts: 5,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

impl Client {
    /// Proxies come from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub(super) fn new(limits: &Limits) -> Self {
        let agent = |https_only| {
            Agent::config_builder()
                .https_only(https_only)
                .http_status_as_error(false)
                .max_redirects(REDIRECTS)
                .timeout_connect(Some(limits.connect))
                .timeout_recv_response(Some(limits.silence))
                .timeout_per_read(Some(limits.silence))
                .timeout_global(Some(limits.whole))
                .user_agent(concat!("tenon/", env!("CARGO_PKG_VERSION")))
                .build()
                .new_agent()
        };
        Self { secure: agent(true), plain: agent(false) }
    }

    /// The agent for an address: one that began with TLS never goes on without.
    pub(super) fn agent(&self, address: &str) -> &Agent {
        if address.starts_with("https://") { &self.secure } else { &self.plain }
    }
}

/// What a later request can be made conditional by.
pub(super) fn validators_of(address: &str, headers: &HeaderMap) -> Validators {
    Validators {
        address: address.to_owned(),
        etag: header(headers, "etag"),
        last_modified: header(headers, "last-modified"),
    }
}

/// A header as text, when it is short enough to be kept.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= 1024).then(|| value.to_owned())
}

//! Conditional downloads with bounds in size and time.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tenon_model::Digest;
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};

use super::cache::{Download, Validators};
use super::{FeedFile, Progress};
use crate::error::FeedError;

/// Most redirects followed.
const REDIRECTS: u32 = 5;
/// Bytes between two words of progress.
pub(super) const PROGRESS_STEP: u64 = 1 << 20;

/// What a server answered.
#[derive(Debug)]
pub(super) enum Reply {
    /// The copy at hand is current.
    NotModified,
    /// New bytes.
    Changed(Download),
}

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

    /// Asks for `address`, unless it is unchanged since `validators` were given; new bytes go to a file in `folder`.
    pub(super) fn get(
        &self,
        file: &FeedFile,
        address: &str,
        validators: Option<&Validators>,
        folder: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Reply, FeedError> {
        let failed = |reason: String| FeedError::Download { feed: file.feed.clone(), reason };
        let mut request = self.agent(address).get(address);
        if let Some(validators) = validators {
            if let Some(etag) = &validators.etag {
                request = request.header("if-none-match", etag);
            }
            if let Some(last_modified) = &validators.last_modified {
                request = request.header("if-modified-since", last_modified);
            }
        }
        let response = request.call().map_err(|error| failed(error.to_string()))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(Reply::NotModified),
            StatusCode::OK => {}
            status => return Err(failed(format!("the server answers {status}"))),
        }
        let validators = validators_of(address, response.headers());
        let of = header(response.headers(), "content-length").and_then(|length| length.parse().ok());
        let mut bytes =
            NamedTempFile::new_in(folder).map_err(|error| FeedError::file("write in", folder, error))?;
        let digest = copy(file, response.into_body().into_reader(), &mut bytes, of, progress)?;
        Ok(Reply::Changed(Download { bytes, digest, validators }))
    }
}

/// Copies the body, counts what really comes, and hashes it.
fn copy(
    file: &FeedFile,
    mut body: impl Read,
    to: &mut NamedTempFile,
    of: Option<u64>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Digest, FeedError> {
    let mut hash = Sha256::new();
    let mut bytes: u64 = 0;
    let mut told: u64 = 0;
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = match body.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let reason = format!("it broke off after {bytes} bytes: {error}");
                return Err(FeedError::Download { feed: file.feed.clone(), reason });
            }
        };
        bytes += read as u64;
        if bytes > file.limit {
            return Err(FeedError::TooLarge { feed: file.feed.clone(), what: "bytes", limit: file.limit });
        }
        hash.update(&chunk[..read]);
        to.write_all(&chunk[..read]).map_err(|error| FeedError::file("write", to.path(), error))?;
        if bytes - told >= PROGRESS_STEP {
            told = bytes;
            progress(Progress::Downloading { feed: &file.feed, bytes, of });
        }
    }
    progress(Progress::Downloading { feed: &file.feed, bytes, of });
    Ok(Digest::from_bytes(hash.finalize().into()))
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

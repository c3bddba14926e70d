//! Downloads that go on where they broke off, with bounded attempts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenon_model::Digest;
use ureq::http::{HeaderMap, Request, StatusCode};

use super::http::{Client, Limits, PROGRESS_STEP, header, validators_of};
use super::request::{self, Answer};
use super::{Progress, Validators, digest_of};
use crate::error::FeedError;
use crate::stop::Stop;

/// Most bytes of the note beside a part.
const MAX_NOTE: u64 = 16 << 10;

/// A file to get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The feed, as people call it.
    pub(crate) feed: &'a str,
    /// Where it is.
    pub(crate) address: &'a str,
    /// Most bytes accepted.
    pub(crate) limit: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Got {
    /// It is as it was when the validators were given.
    NotModified,
    /// The server has no such file.
    Absent,
    /// The file, complete and at its start.
    File {
        /// The bytes.
        file: File,
        /// Their digest.
        digest: Digest,
        /// What to ask by the next time.
        validators: Validators,
    },
}

/// Gets files over HTTP. Parts of files stay in a folder until they are whole.
#[derive(Debug)]
pub(crate) struct Getter {
    client: Client,
    limits: Limits,
    folder: PathBuf,
    stop: Stop,
}

/// Why one attempt failed, and whether another may help.
struct Failure {
    reason: String,
    again: Option<Duration>,
}

impl Failure {
    fn retry(reason: String) -> Self {
        Self { reason, again: Some(Duration::ZERO) }
    }
}

/// How an attempt ended without an answer.
enum Broken {
    Attempt(Failure),
    Feed(FeedError),
}

impl From<FeedError> for Broken {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl Getter {
    pub(crate) fn new(limits: Limits, folder: PathBuf, stop: Stop) -> Result<Self, FeedError> {
        fs::create_dir_all(&folder).map_err(|error| FeedError::file("make", &folder, error))?;
        Ok(Self { client: Client::new(&limits), limits, folder, stop })
    }

    /// Gets a file, unless it is unchanged since `validators` were given for this address.
    ///
    /// # Errors
    /// When no attempt within the limits gave it, it is too large, or the folder fails.
    pub(crate) fn get(
        &self,
        wanted: Wanted<'_>,
        validators: Option<&Validators>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Got, FeedError> {
        let part = Part::of(&self.folder, wanted.address);
        self.attempts(wanted, |deadline| self.attempt(wanted, validators, &part, deadline, progress))
    }

    /// Lets `read` take what it needs from a file that is not kept; `None` when it is unchanged or absent.
    pub(crate) fn stream<T>(
        &self,
        wanted: Wanted<'_>,
        validators: Option<&Validators>,
        mut read: impl FnMut(&mut dyn Read) -> Result<T, io::Error>,
    ) -> Result<Streamed<T>, FeedError> {
        self.attempts(wanted, |deadline| {
            let Answer { status, headers, body } = self.ask(wanted, validators, None, deadline)?;
            match status {
                StatusCode::NOT_MODIFIED => Ok(Streamed::NotModified),
                StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Streamed::Absent),
                StatusCode::OK => {
                    let validators = validators_of(wanted.address, &headers);
                    let mut body = body.take(wanted.limit);
                    let value = read(&mut body).map_err(|error| match error.kind() {
                        io::ErrorKind::InvalidData => Broken::Feed(FeedError::Download {
                            feed: wanted.feed.to_owned(),
                            reason: format!("{}: {error}", wanted.address),
                        }),
                        _ => Broken::Attempt(Failure::retry(format!("it broke off: {error}"))),
                    })?;
                    Ok(Streamed::Read(value, validators))
                }
                status => Err(refusal(status, &headers)),
            }
        })
    }

    fn attempts<T>(
        &self,
        wanted: Wanted<'_>,
        mut attempt: impl FnMut(Instant) -> Result<T, Broken>,
    ) -> Result<T, FeedError> {
        let stopped = || FeedError::Stopped { feed: wanted.feed.to_owned() };
        let deadline = Instant::now() + self.limits.whole;
        let mut pause = self.limits.pause;
        let mut tried = 0;
        loop {
            tried += 1;
            let failure = match attempt(deadline) {
                Ok(value) => return Ok(value),
                Err(Broken::Feed(error)) => return Err(error),
                Err(Broken::Attempt(_)) if self.stop.is_said() => return Err(stopped()),
                Err(Broken::Attempt(failure)) => failure,
            };
            let wait = failure.again.map(|asked| asked.max(jitter(pause)).min(self.limits.longest_pause));
            match wait {
                Some(wait) if tried < self.limits.attempts && Instant::now() + wait < deadline => {
                    if self.stop.wait(wait) {
                        return Err(stopped());
                    }
                }
                _ => {
                    let feed = wanted.feed.to_owned();
                    let reason = format!("{}: {} (attempt {tried})", wanted.address, failure.reason);
                    return Err(FeedError::Download { feed, reason });
                }
            }
            pause = pause.saturating_mul(2);
        }
    }

    fn ask(
        &self,
        wanted: Wanted<'_>,
        validators: Option<&Validators>,
        range: Option<(u64, &str)>,
        deadline: Instant,
    ) -> Result<Answer, Broken> {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let agent = self.client.agent(wanted.address);
        let mut request = Request::get(wanted.address);
        if let Some((from, validator)) = range {
            request = request.header("range", format!("bytes={from}-")).header("if-range", validator);
        } else if let Some(validators) = validators.filter(|known| known.address == wanted.address) {
            if let Some(etag) = &validators.etag {
                request = request.header("if-none-match", etag);
            }
            if let Some(last_modified) = &validators.last_modified {
                request = request.header("if-modified-since", last_modified);
            }
        }
        let request = request.body(()).map_err(|error| {
            let reason = format!("{}: {error}", wanted.address);
            FeedError::Download { feed: wanted.feed.to_owned(), reason }
        })?;
        let request = agent.configure_request(request).timeout_global(Some(left)).build();
        request::ask(agent, request, &self.stop).map_err(|reason| Broken::Attempt(Failure::retry(reason)))
    }

    fn attempt(
        &self,
        wanted: Wanted<'_>,
        validators: Option<&Validators>,
        part: &Part,
        deadline: Instant,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Got, Broken> {
        let begun = part.begun(wanted.address);
        let range = begun.as_ref().and_then(|(length, note)| Some((*length, unmistakable(note)?)));
        let Answer { status, headers, mut body } = self.ask(wanted, validators, range, deadline)?;
        let of = header(&headers, "content-length").and_then(|length| length.parse::<u64>().ok());
        let (mut file, mut bytes) = match status {
            StatusCode::NOT_MODIFIED => return Ok(Got::NotModified),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Got::Absent),
            StatusCode::OK => {
                let note = validators_of(wanted.address, &headers);
                part.start(&note)?
            }
            StatusCode::PARTIAL_CONTENT => {
                let from = range.map(|(from, _)| from);
                if from.is_none() || range_start(&headers) != from {
                    part.forget();
                    return Err(Broken::Attempt(Failure::retry("it goes on at another place".to_owned())));
                }
                part.go_on()?
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                part.forget();
                return Err(Broken::Attempt(Failure::retry(
                    "it is shorter than what has arrived".to_owned(),
                )));
            }
            status => return Err(refusal(status, &headers)),
        };
        let expected = of.map(|of| bytes + of);
        let mut told = bytes;
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = match body.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let reason = format!("it broke off after {bytes} bytes: {error}");
                    return Err(Broken::Attempt(Failure::retry(reason)));
                }
            };
            bytes += read as u64;
            if bytes > wanted.limit {
                part.forget();
                let (feed, limit) = (wanted.feed.to_owned(), wanted.limit);
                return Err(FeedError::TooLarge { feed, what: "bytes", limit }.into());
            }
            file.write_all(&chunk[..read]).map_err(|error| FeedError::file("write", &part.bytes, error))?;
            if bytes - told >= PROGRESS_STEP {
                told = bytes;
                progress(Progress::Downloading { feed: wanted.feed, bytes, of: expected });
            }
        }
        if expected.is_some_and(|expected| bytes < expected) {
            return Err(Broken::Attempt(Failure::retry(format!("it broke off after {bytes} bytes"))));
        }
        progress(Progress::Downloading { feed: wanted.feed, bytes, of: expected });
        Ok(part.take(wanted.limit)?)
    }
}

/// What came of a file that is read while it comes.
#[derive(Debug)]
pub(crate) enum Streamed<T> {
    NotModified,
    Absent,
    Read(T, Validators),
}

/// Up to half again, so that many hosts that failed together do not come back together.
fn jitter(pause: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = u32::try_from(RandomState::new().hash_one(0_u8) % 1_000).unwrap_or_default();
    pause.saturating_add(pause.saturating_mul(random) / 2_000)
}

/// A refusal is tried again when it is the server's trouble or haste of ours (RFC 9110, RFC 6585).
fn refusal(status: StatusCode, headers: &HeaderMap) -> Broken {
    let again = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    let asked = header(headers, "retry-after").and_then(|seconds| seconds.parse().ok());
    let asked = asked.map_or(Duration::ZERO, Duration::from_secs);
    Broken::Attempt(Failure { reason: format!("the server answers {status}"), again: again.then_some(asked) })
}

/// What a range can be asked by: a strong `ETag`, else the time (RFC 9110, section 13.1.5).
fn unmistakable(validators: &Validators) -> Option<&str> {
    let strong = validators.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
    strong.or(validators.last_modified.as_deref())
}

/// The start of `Content-Range: bytes START-END/LENGTH`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = header(headers, "content-range")?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// A file that has arrived in part, and the note that says of which file.
struct Part {
    bytes: PathBuf,
    note: PathBuf,
}

impl Part {
    fn of(folder: &Path, address: &str) -> Self {
        let name = hex::encode(&Digest::of(address.as_bytes()).as_bytes()[..12]);
        Self { bytes: folder.join(format!("{name}.part")), note: folder.join(format!("{name}.json")) }
    }

    /// How much has arrived, and of what.
    fn begun(&self, address: &str) -> Option<(u64, Validators)> {
        let mut text = Vec::new();
        File::open(&self.note).ok()?.take(MAX_NOTE).read_to_end(&mut text).ok()?;
        let note: Validators = serde_json::from_slice(&text).ok()?;
        let length = fs::metadata(&self.bytes).ok()?.len();
        (note.address == address && length > 0).then_some((length, note))
    }

    fn start(&self, note: &Validators) -> Result<(File, u64), FeedError> {
        self.forget();
        let text = serde_json::to_vec(note).unwrap_or_default();
        fs::write(&self.note, text).map_err(|error| FeedError::file("write", &self.note, error))?;
        self.open(true)
    }

    fn go_on(&self) -> Result<(File, u64), FeedError> {
        self.open(false)
    }

    fn open(&self, fresh: bool) -> Result<(File, u64), FeedError> {
        let failed = |error| FeedError::file("write", &self.bytes, error);
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(fresh).open(&self.bytes).map_err(failed)?;
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok((file, length))
    }

    fn forget(&self) {
        // What cannot be removed is truncated by the next start, or does not fit its note.
        let _ = fs::remove_file(&self.note);
        let _ = fs::remove_file(&self.bytes);
    }

    /// The whole file, whose name is given up.
    fn take(&self, limit: u64) -> Result<Got, FeedError> {
        let failed = |error| FeedError::file("read", &self.bytes, error);
        let mut file = File::open(&self.bytes).map_err(failed)?;
        let note = fs::read(&self.note).map_err(|error| FeedError::file("read", &self.note, error))?;
        let validators = serde_json::from_slice(&note)
            .map_err(|error| FeedError::file("read", &self.note, io::Error::from(error)))?;
        let digest = digest_of(&mut file, limit).map_err(failed)?;
        let digest = digest.ok_or_else(|| failed(io::Error::from(io::ErrorKind::FileTooLarge)))?;
        file.rewind().map_err(failed)?;
        self.forget();
        Ok(Got::File { file, digest, validators })
    }
}

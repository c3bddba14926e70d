//! The command line as a client of the public API.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenon_formats::percent;
use tenon_model::Timestamp;
use tenon_wire::{Problem, Secret};
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Body, BodyReader, RequestBuilder};

use crate::common::{AsOf, Common, document};
use crate::sessions::Credential;

/// Largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 30;
/// Largest file of certificates that is read, in bytes.
const MAX_CERTIFICATES: usize = 1 << 20;
/// How long a live stream may be silent: the server says something every 15 seconds.
const MAX_SILENCE: Duration = Duration::from_secs(45);

/// Statuses of a server that cannot answer now: too many requests, or it stops.
const AGAIN: [u16; 2] = [429, 503];

/// No server answers, or it stopped in the middle of an answer, or has no time: asking again may help.
#[derive(Debug)]
pub(crate) struct Unreachable(pub(crate) String);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unreachable {}

/// A connection to the server.
pub(crate) struct Api<'a> {
    common: &'a Common,
    url: String,
    agent: ureq::Agent,
    /// Whether the position of an answer was told: all answers to one command have the same.
    told: Cell<bool>,
    /// Whether it was told that everything is played.
    warned: Cell<bool>,
}

impl<'a> Api<'a> {
    /// To the server that is asked.
    pub(crate) fn new(common: &'a Common) -> Result<Self> {
        Self::at(common, &common.url())
    }

    /// To a server of this address.
    pub(crate) fn at(common: &'a Common, url: &str) -> Result<Self> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(120)));
        if let Some(path) = &common.ca {
            let certificate = Certificate::from_pem(&document(path, MAX_CERTIFICATES)?)
                .with_context(|| format!("{} holds no certificate", path.display()))?;
            let roots = RootCerts::new_with_certs(&[certificate]);
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self {
            common,
            url: url.to_owned(),
            agent: config.build().new_agent(),
            told: Cell::new(false),
            warned: Cell::new(false),
        })
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.decode(path, &self.get_text(path)?)
    }

    /// The same as of a moment, and says on standard error what position of the record that is.
    pub(crate) fn get_as_of<T: DeserializeOwned>(&self, path: &str, moment: &AsOf) -> Result<T> {
        let Some(said) = &moment.as_of else { return self.get(path) };
        let mut path = format!("{path}{}as_of=", if path.contains('?') { '&' } else { '?' });
        percent::encode_into(&mut path, said, percent::is_unreserved);
        let request = self.known(self.agent.get(format!("{}{path}", self.url)))?;
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        if let (Some(sequence), Some(time), false) =
            (header("tenon-sequence"), header("tenon-time"), self.told.replace(true))
        {
            eprintln!("as of entry {sequence}, {time}");
        }
        self.decode(&path, &self.read(&path, response)?)
    }

    /// The same as of now, with the stamp of the last entry that the answer shows.
    pub(crate) fn get_stamped<T: DeserializeOwned>(&self, path: &str) -> Result<(T, Option<Timestamp>)> {
        let request = self.known(self.agent.get(format!("{}{path}", self.url)))?;
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        let stamp = response.headers().get("tenon-time").and_then(|value| value.to_str().ok());
        let stamp = stamp.and_then(Timestamp::parse);
        Ok((self.decode(path, &self.read(path, response)?)?, stamp))
    }

    /// Every page of a list, at `moment`. The path says how long a page is; `take` keeps one and tells where the next begins.
    pub(crate) fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        moment: &AsOf,
        mut take: impl FnMut(T) -> Option<String>,
    ) -> Result<()> {
        let mut next = take(self.get_as_of(path, moment)?);
        while let Some(cursor) = next {
            next = take(self.get_as_of(&format!("{path}&cursor={cursor}"), moment)?);
        }
        Ok(())
    }

    /// A live stream. Reading it fails once the server is silent for longer than it should be.
    pub(crate) fn stream(&self, path: &str) -> Result<BodyReader<'static>> {
        let request = self.known(self.agent.get(format!("{}{path}", self.url)))?;
        let request = request.config().timeout_global(None).timeout_per_read(Some(MAX_SILENCE)).build();
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            let said = self.read(path, response)?;
            bail!("{}{path} did not answer as this program expects: {said:?}", self.url);
        }
        Ok(response.into_body().into_reader())
    }

    pub(crate) fn get_text(&self, path: &str) -> Result<String> {
        let request = self.known(self.agent.get(format!("{}{path}", self.url)))?;
        self.read(path, request.call().map_err(|error| self.unreachable(&error))?)
    }

    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T> {
        self.decode(path, &self.post_only(path, body)?)
    }

    /// The same, where nothing of the answer is needed.
    pub(crate) fn post_only<B: Serialize>(&self, path: &str, body: &B) -> Result<String> {
        let request = self.known(self.agent.post(format!("{}{path}", self.url)))?;
        let response = request.send_json(body).map_err(|error| self.unreachable(&error))?;
        self.read(path, response)
    }

    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        let request = self.known(self.agent.delete(format!("{}{path}", self.url)))?;
        self.read(path, request.call().map_err(|error| self.unreachable(&error))?).map(drop)
    }

    /// Begins a session and gives its secret.
    pub(crate) fn sign_in<B: Serialize>(&self, body: &B) -> Result<Secret> {
        let path = "/api/v1/session";
        let sent = self.agent.post(format!("{}{path}", self.url)).send_json(body);
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let secret = cookie.and_then(|cookie| cookie.strip_prefix("tenon_session=")?.split(';').next());
        let secret = secret.map(|secret| Secret::new(secret.to_owned()));
        self.read(path, response)?;
        secret.with_context(|| format!("{}{path} began no session", self.url))
    }

    fn known<T>(&self, mut request: RequestBuilder<T>) -> Result<RequestBuilder<T>> {
        if let Some(credential) = Credential::find(self.common, &self.url)? {
            for (name, value) in credential.headers() {
                request = request.header(name, value);
            }
        }
        Ok(request)
    }

    fn decode<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T> {
        serde_json::from_str(text)
            .with_context(|| format!("{}{path} did not answer as this program expects", self.url))
    }

    fn read(&self, path: &str, mut response: Response<Body>) -> Result<String> {
        let status = response.status();
        if response.headers().contains_key("tenon-demo") && !self.warned.replace(true) {
            eprintln!("DEMO: every host and every advisory of this server is invented");
        }
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        let text = text.map_err(|error| Unreachable(format!("reading {}{path}: {error}", self.url)))?;
        if status.is_success() {
            return Ok(text);
        }
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) if problem.code == "not-signed-in" => bail!(
                "{} ({}): `tenon login` signs in; on the server's machine the data folder's owner needs none, see --data",
                problem.detail,
                problem.code
            ),
            Ok(problem) => {
                let request =
                    if status.is_server_error() { format!(", {}", problem.instance) } else { String::new() };
                let said = format!("{} ({}{request})", problem.detail, problem.code);
                if AGAIN.contains(&status.as_u16()) { Err(Unreachable(said).into()) } else { bail!(said) }
            }
            Err(_) => bail!("{}{path} answers HTTP {status}", self.url),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        let said = format!(
            "no Tenon answers at {} ({error}): start it with `tenon up`, or name it with --url",
            self.url
        );
        Unreachable(said).into()
    }
}

//! The agent's side of the gateway's protocol.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tenon_model::AgentRun;
use tenon_wire::{MAX_ORDER_BYTES, Problem, RUN_HEADER};
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

use crate::error::AgentError;

/// Longest one exchange takes: above the time for which the server holds a poll open.
const EXCHANGE: Duration = Duration::from_secs(90);
/// Longest a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes: an order with its envelope.
const MAX_ANSWER: u64 = 2 * MAX_ORDER_BYTES as u64;

/// A connection to one server.
pub(crate) struct Client {
    agent: Agent,
    url: String,
    /// The run that its requests name.
    run: Option<AgentRun>,
}

/// How far the server is known.
pub(crate) enum Trust<'a> {
    /// Not at all: only for fetching the authority, whose digest is then compared.
    Unknown,
    /// By its authority.
    Authority {
        /// The authority's certificate, PEM.
        authority: &'a str,
        /// Our certificate and key, PEM, once enrolled.
        identity: Option<(&'a str, &'a str)>,
    },
}

fn pem(content: &str, what: &str) -> Result<Certificate<'static>, ureq::Error> {
    Certificate::from_pem(content.as_bytes()).map_err(|error| ureq::Error::Tls(leak_free(what, &error)))
}

/// `ureq` names TLS failures by constant texts.
fn leak_free(what: &str, error: &ureq::Error) -> &'static str {
    tracing::debug!(what, %error, "TLS material");
    match what {
        "authority" => "the stored authority certificate does not load",
        "certificate" => "the stored host certificate does not load",
        _ => "the stored host key does not load",
    }
}

impl Client {
    pub(crate) fn new(url: &str, trust: &Trust<'_>) -> Result<Self, AgentError> {
        let url = url.trim_end_matches('/').to_owned();
        let failed =
            |source: ureq::Error| AgentError::Transport { url: url.clone(), source: Box::new(source) };
        let mut tls = TlsConfig::builder();
        match trust {
            Trust::Unknown => tls = tls.disable_verification(true),
            Trust::Authority { authority, identity } => {
                let root = pem(authority, "authority").map_err(failed)?;
                tls = tls.root_certs(RootCerts::new_with_certs(&[root]));
                if let Some((certificate, key)) = identity {
                    let chain = [pem(certificate, "certificate").map_err(failed)?];
                    let key = PrivateKey::from_pem(key.as_bytes())
                        .map_err(|error| failed(ureq::Error::Tls(leak_free("key", &error))))?;
                    tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
                }
            }
        }
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .https_only(true)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(EXCHANGE))
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("tenon-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, url, run: None })
    }

    /// The same, naming this run in every request.
    pub(crate) fn of_run(self, run: Option<AgentRun>) -> Self {
        Self { run, ..self }
    }

    /// A text answer.
    pub(crate) fn get_text(&self, path: &str) -> Result<String, AgentError> {
        let mut response = self.get(path)?;
        self.read(path, &mut response)
    }

    /// A JSON answer, or `None` for "nothing now" (204).
    pub(crate) fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, AgentError> {
        let mut response = self.get(path)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let text = self.read(path, &mut response)?;
        self.decode(path, &text).map(Some)
    }

    /// Sends JSON, takes JSON.
    pub(crate) fn post<T: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<R, AgentError> {
        let sent = self.named(self.agent.post(format!("{}{path}", self.url))).send_json(body);
        let mut response = self.accepted(path, sent.map_err(|error| self.transport(path, error))?)?;
        let text = self.read(path, &mut response)?;
        self.decode(path, &text)
    }

    fn get(&self, path: &str) -> Result<Response<Body>, AgentError> {
        let response = self.named(self.agent.get(format!("{}{path}", self.url))).call();
        self.accepted(path, response.map_err(|error| self.transport(path, error))?)
    }

    /// A request that names the run.
    fn named<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match self.run {
            Some(run) => request.header(RUN_HEADER, run.to_string()),
            None => request,
        }
    }

    fn accepted(&self, path: &str, mut response: Response<Body>) -> Result<Response<Body>, AgentError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = self.read(path, &mut response).unwrap_or_default();
        let problem = serde_json::from_str(&text).unwrap_or_else(|_| Problem {
            code: "unexpected".to_owned(),
            detail: text.chars().take(200).collect(),
            ..Problem::default()
        });
        let problem = Box::new(problem);
        Err(AgentError::Refused { url: format!("{}{path}", self.url), status: status.as_u16(), problem })
    }

    fn read(&self, path: &str, response: &mut Response<Body>) -> Result<String, AgentError> {
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        text.map_err(|error| self.transport(path, error))
    }

    fn decode<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T, AgentError> {
        serde_json::from_str(text).map_err(|error| self.transport(path, ureq::Error::Json(error)))
    }

    fn transport(&self, path: &str, source: ureq::Error) -> AgentError {
        AgentError::Transport { url: format!("{}{path}", self.url), source: Box::new(source) }
    }
}

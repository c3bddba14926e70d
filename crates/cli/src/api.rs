//! The command line as a client of the public API.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenon_server::DataFolder;
use tenon_wire::Problem;
use ureq::Body;
use ureq::http::Response;

use crate::common::Common;

/// Largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 30;

/// A connection to the server.
pub(crate) struct Api<'a> {
    common: &'a Common,
    agent: ureq::Agent,
}

impl<'a> Api<'a> {
    pub(crate) fn new(common: &'a Common) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        Self { common, agent }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let text = self.get_text(path)?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}{path} did not answer as this program expects", self.common.url))
    }

    pub(crate) fn get_text(&self, path: &str) -> Result<String> {
        let response = self.agent.get(format!("{}{path}", self.common.url)).call();
        self.read(path, response.map_err(|error| self.unreachable(&error))?)
    }

    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T> {
        let data = self.common.data()?;
        let token =
            DataFolder::existing(&data).and_then(|folder| folder.existing_operator_token()).with_context(
                || format!("the operator's token is needed, from the data folder {}", data.display()),
            )?;
        let request = self.agent.post(format!("{}{path}", self.common.url));
        let request = request.header("authorization", format!("Bearer {}", token.expose()));
        let response = request.send_json(body).map_err(|error| self.unreachable(&error))?;
        let text = self.read(path, response)?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}{path} did not answer as this program expects", self.common.url))
    }

    fn read(&self, path: &str, mut response: Response<Body>) -> Result<String> {
        let status = response.status();
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        let text = text.with_context(|| format!("reading {}{path}", self.common.url))?;
        if status.is_success() {
            return Ok(text);
        }
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => bail!("{} ({})", problem.detail, problem.code),
            Err(_) => bail!("{}{path} answers HTTP {status}", self.common.url),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        anyhow!(
            "no Tenon answers at {} ({error}): start it with `tenon up`, or name it with --url",
            self.common.url
        )
    }
}

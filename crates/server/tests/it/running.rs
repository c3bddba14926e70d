//! A server on ports of its own, in a folder of its own.

use std::path::Path;

use tenon_server::{Hosts, Running, Settings, serve};
use ureq::http::Response;
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, RequestBuilder};

/// A running server with its folder and runtime.
pub(crate) struct Server {
    running: Option<Running>,
    settings: Settings,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// One whose settings are changed before it starts.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let running = runtime.block_on(serve(settings.clone())).unwrap();
        Self { running: Some(running), settings, runtime, _folder: folder }
    }

    /// Stops it and starts it again in the same folder, on other ports.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.running = Some(self.runtime.block_on(serve(self.settings.clone())).unwrap());
    }

    /// Stops it, which is what dropping it does as well.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running().listen)
    }

    /// A question in the name of the data folder's owner.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder<WithoutBody> {
        client().get(self.url(path)).header("authorization", format!("Bearer {}", self.token()))
    }

    /// A change in the name of the data folder's owner.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder<WithBody> {
        client().post(self.url(path)).header("authorization", format!("Bearer {}", self.token()))
    }

    pub(crate) fn gateway(&self, path: &str) -> String {
        format!("https://{}{path}", self.running().gateway.unwrap())
    }

    pub(crate) fn token(&self) -> String {
        self.running().folder.operator_token().unwrap().expose().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ports and a data folder of its own, and no feeds.
pub(crate) fn settings(folder: &Path) -> Settings {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let hosts = Hosts::Real { gateway: "127.0.0.1:0".parse().unwrap(), names };
    Settings::on_loopback(folder.join("data"), hosts, "tester".parse().unwrap())
}

/// A client that hands out error answers like any other.
pub(crate) fn client() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().new_agent()
}

/// The code of a problem answer.
pub(crate) fn code(mut response: Response<ureq::Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    let problem: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

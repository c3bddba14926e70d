//! Further hosts of a story, each with an agent that serves the story's machine.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use tenon_fleet::{Boot, Host};

use crate::machine::{Machine, TENON};

/// A host with its agent.
pub(crate) struct Member {
    pub(crate) host: Host,
    agent: Option<Child>,
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            // The host's end takes it away as well; this only reaps.
            let _gone = agent.kill();
            let _reaped = agent.wait();
        }
    }
}

impl Member {
    /// A host that runs, with the program on it and no agent yet.
    pub(crate) fn booted(machine: &Machine, name: &str) -> Self {
        let host = machine.lab.host(name).unwrap();
        host.copy_in(std::path::Path::new(env!("CARGO_BIN_EXE_tenon")), "/usr/local/bin/tenon").unwrap();
        host.boot(Boot::Full).unwrap();
        host.wait_running(Duration::from_secs(60)).unwrap();
        Self { host, agent: None }
    }

    /// Enrols it and starts its agent.
    pub(crate) fn join(&mut self, machine: &Machine) {
        let token = machine.tenon(&["enrol-token"]);
        let server = format!("https://{}:8421", machine.host.ip());
        let enrol = format!("echo '{}' | {TENON} agent enrol --server {server}", token.trim());
        self.host.shell(&enrol).unwrap().ok().unwrap();
        self.work(machine);
    }

    /// Starts the agent of an enrolled host, as its unit does with every boot.
    pub(crate) fn work(&mut self, machine: &Machine) {
        let log = self.log_file(machine);
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = self.host.command().unwrap();
        command.args([TENON, "agent", "run"]).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.agent = Some(command.spawn().unwrap());
    }

    /// What its agent has said.
    pub(crate) fn log(&self, machine: &Machine) -> String {
        std::fs::read_to_string(self.log_file(machine)).unwrap()
    }

    fn log_file(&self, machine: &Machine) -> PathBuf {
        machine.lab.dir().join(format!("{}.log", self.host.name()))
    }

    /// A power cut: everything on it is gone at once, the agent too.
    pub(crate) fn lose(&mut self) {
        self.host.power_off().unwrap();
        if let Some(mut agent) = self.agent.take() {
            let _reaped = agent.wait();
        }
    }

    pub(crate) fn version(&self, package: &str) -> String {
        self.host.exec(["dpkg-query", "-W", "-f", "${Version}", package]).unwrap().ok().unwrap().stdout
    }
}

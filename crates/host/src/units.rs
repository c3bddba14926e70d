//! The service manager: which services run, and whether they still do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tenon_model::{Unit, UnitHealth};

use crate::HostError;
use crate::inventory::processes;
use crate::run::{command, run};

const QUICK: Duration = Duration::from_secs(60);
/// How long services may take to be as they were. PostgreSQL's recovery after a restart is the slow one of a server.
const SETTLE: Duration = Duration::from_secs(90);
/// For how long without a break everything must be well: a daemon that dies at its first step is gone within this, and
/// systemd restarts one after 100 ms unless told otherwise (systemd.service(5), `RestartSec=`).
const STABLE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// State of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// `active`, `failed`, `activating`...
    active: String,
    /// `running`, `auto-restart`...
    sub: String,
    /// How often systemd has restarted it by itself.
    restarts: u64,
}

impl State {
    /// Whether it runs.
    pub(crate) fn is_well(&self) -> bool {
        self.active == "active" && self.sub == "running"
    }

    fn words(&self) -> String {
        format!("{} ({})", self.active, self.sub)
    }
}

/// Services by unit name.
pub(crate) type States = BTreeMap<String, State>;

/// Long-running services that run now. One-shot services come and go by themselves and are no measure of health. Nor is the one
/// that this process is part of: while it is asked to end it finishes a change, which must not be taken back for that.
pub(crate) fn running() -> Result<States, HostError> {
    let words =
        ["list-units", "--type=service", "--state=running", "--plain", "--no-legend", "--full", "--no-pager"];
    let list = run(&mut command("systemctl", words), QUICK)?.ok()?;
    let own = processes::unit(std::process::id());
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        // Sessions and transient jobs belong to people and timers.
        .filter(|name| {
            name.ends_with(".service")
                && !["user@", "run-", "session-"].iter().any(|own| name.starts_with(own))
        })
        .filter(|name| own.as_ref().is_none_or(|own| own.0 != *name))
        .collect();
    states(&names)
}

/// The states of these services.
pub(crate) fn states(names: &[&str]) -> Result<States, HostError> {
    if names.is_empty() {
        return Ok(States::new());
    }
    let mut show = command("systemctl", ["show", "--property=Id,Type,ActiveState,SubState,NRestarts", "--"]);
    let output = run(show.args(names), QUICK)?.ok()?;
    Ok(parse(&output))
}

/// Blocks of `Key=value`, parted by blank lines.
pub(crate) fn parse(output: &str) -> States {
    let mut states = States::new();
    for block in output.split("\n\n") {
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        if field("Id").is_empty() || field("Type") == "oneshot" {
            continue;
        }
        let state = State {
            active: field("ActiveState").to_owned(),
            sub: field("SubState").to_owned(),
            restarts: field("NRestarts").parse().unwrap_or(0),
        };
        states.insert(field("Id").to_owned(), state);
    }
    states
}

/// Waits until every service that ran before runs again, and nothing about them has changed for a while; tells how each of
/// them is then, or when the time is over.
pub(crate) fn settle(before: &States) -> Result<Settled, HostError> {
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    let end = Instant::now() + SETTLE;
    let mut picture = states(&names)?;
    let mut since = Instant::now();
    loop {
        let calm = since.elapsed() >= STABLE;
        let well = names.iter().all(|name| picture.get(*name).is_some_and(State::is_well));
        // A failed service stays failed: there is nothing to wait for.
        let hopeless =
            names.iter().any(|name| picture.get(*name).is_none_or(|state| state.active == "failed"));
        if (calm && (well || hopeless)) || Instant::now() >= end {
            return Ok(Settled { well: calm && well, health: health(before, &picture) });
        }
        std::thread::sleep(LOOK);
        let now = states(&names)?;
        // A service that systemd keeps restarting changes its count and is never calm.
        if now != picture {
            picture = now;
            since = Instant::now();
        }
    }
}

/// How the services are after a change.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Whether all of them are as before.
    pub(crate) well: bool,
    /// Each of them, before and after.
    pub(crate) health: Vec<UnitHealth>,
}

impl Settled {
    /// What is wrong, for people; `None` when all is well.
    pub(crate) fn trouble(&self) -> Option<String> {
        let ill = self.health.iter().filter(|health| health.before != health.after);
        let ill: Vec<_> = ill
            .map(|health| format!("{} was {} and is {}", health.unit.0, health.before, health.after))
            .collect();
        if self.well {
            None
        } else if ill.is_empty() {
            Some("services did not come to rest: something restarts them again and again".to_owned())
        } else {
            Some(ill.join("; "))
        }
    }
}

fn health(before: &States, now: &States) -> Vec<UnitHealth> {
    before
        .iter()
        .map(|(name, state)| UnitHealth {
            unit: Unit(name.clone()),
            before: state.words(),
            after: now.get(name).map_or_else(|| "gone".to_owned(), State::words),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shots_are_no_measure() {
        let output = "Type=simple\nId=a.service\nActiveState=active\nSubState=running\nNRestarts=3\n\n\
                      Type=oneshot\nId=b.service\nActiveState=active\nSubState=exited\n\n\
                      Type=notify\nId=c.service\nActiveState=failed\nSubState=failed\n";
        let states = parse(output);
        assert_eq!(states.keys().collect::<Vec<_>>(), ["a.service", "c.service"]);
        assert!(states["a.service"].is_well());
        assert_eq!(states["a.service"].restarts, 3);
        assert!(!states["c.service"].is_well());
        assert!(parse("").is_empty());
    }
}

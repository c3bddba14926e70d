//! Bringing the new code into force: services that still run replaced files are restarted.

use std::collections::BTreeSet;
use std::time::Duration;

use tenon_model::{StaleProcess, Unit};

use crate::inventory::processes;
use crate::owners::packages_of;
use crate::run::{command, run};

/// Longest that restarting one service may take.
const RESTART: Duration = Duration::from_secs(180);

/// Services whose restart ends people's sessions or cuts the host off; the first four lead to known breakage by
/// experience (needrestart's own list begins with them too).
const NEVER: [&str; 14] = [
    "dbus.service",
    "dbus-broker.service",
    "systemd-logind.service",
    "systemd-networkd.service",
    "networking.service",
    "NetworkManager.service",
    "gdm.service",
    "gdm3.service",
    "lightdm.service",
    "sddm.service",
    "display-manager.service",
    "docker.service",
    "containerd.service",
    "tenon-agent.service",
];

/// What came of restarting.
#[derive(Debug, Default)]
pub(super) struct Restarted {
    /// Units that were restarted.
    pub(super) units: Vec<Unit>,
    /// What could not be.
    pub(super) troubles: Vec<String>,
    /// Processes that still run replaced files, and did not before the change.
    pub(super) stale: Vec<StaleProcess>,
}

/// Restarts the units of every process that runs replaced files now and is not in `before`.
pub(super) fn restart_stale(before: &[u32]) -> Restarted {
    let mut result = Restarted::default();
    let units: BTreeSet<Unit> = fresh(before).into_iter().filter_map(|process| process.unit).collect();
    for unit in units {
        let name = unit.0.as_str();
        // The service manager itself takes up new code in place, keeping everything it watches (systemctl(1)).
        let words: &[&str] = if name == "init.scope" { &["daemon-reexec"] } else { &["restart", "--", name] };
        let possible = name == "init.scope"
            || (name.ends_with(".service")
                && !NEVER.contains(&name)
                && !name.contains("getty@")
                && !name.starts_with("user@"));
        if !possible {
            continue;
        }
        match run(&mut command("systemctl", words), RESTART).and_then(crate::run::Ran::ok) {
            Ok(_) => result.units.push(unit),
            Err(error) => result.troubles.push(error.to_string()),
        }
    }
    result.stale = fresh(before);
    result
}

/// Processes that run replaced files and did not before; this program's own are told by the caller's inventory.
fn fresh(before: &[u32]) -> Vec<StaleProcess> {
    let own = std::process::id();
    let mut stale = processes::stale().stale;
    stale.retain(|process| process.pid != own && !before.contains(&process.pid));
    let owners = packages_of(&stale.iter().map(|process| process.file.clone()).collect());
    processes::name_packages(&mut stale, &owners);
    stale
}

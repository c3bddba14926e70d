//! A read-only look at a system. It needs no rights; what it may not see becomes a named gap.

mod offers;
pub(crate) mod processes;
mod surroundings;

pub(crate) use surroundings::{obstacle_to_apply, obstacle_to_rehearse};

use std::path::Path;
use std::time::Duration;

use tenon_model::{Architecture, Capability, HostFacts, IndexState, Inventory, Kernel, OsRelease};

use crate::index::{self, Apt};
use crate::status::Status;
use crate::{HostError, System, files};

/// Bound of small text files (`os-release`, `hostname`).
pub(crate) const SMALL: u64 = 64 * 1024;

/// Takes stock of a system: packages, pending updates, processes that run replaced files, other updaters. With a `work`
/// folder a package index that is old or missing is fetched into that folder; without one the host's own is read.
///
/// # Errors
/// When there is no readable dpkg status file or no `os-release`: without them nothing can be said. Everything
/// else that cannot be found out is listed in the report's gaps.
pub fn inventory(system: &System, work: Option<&Path>) -> Result<Inventory, HostError> {
    let status = Status::read(system)?;
    let os = os_release(system)?;
    let mut gaps = Vec::new();
    for name in &status.unreadable {
        gaps.push(format!("dpkg status: the entry of {name:?} cannot be read and is left out"));
    }
    let interrupted = status.interrupted();
    if !interrupted.is_empty() {
        gaps.push(format!("dpkg was interrupted at {}: run `dpkg --configure -a`", interrupted.join(", ")));
    }
    let apt = match work {
        Some(work) if system.is_live() => Apt::refreshed(work, &mut gaps),
        _ => Apt::default(),
    };
    let architecture = native_architecture(&status, system, &mut gaps);
    let mut facts = HostFacts {
        hostname: hostname(system),
        os,
        architecture: Architecture(architecture),
        kernel: Kernel {
            running: surroundings::running_kernel(system),
            owner: surroundings::virtualization(system),
        },
        offers: Vec::new(),
        offers_known: false,
        index: IndexState { oldest_age_seconds: index_age(system, &apt).map(|age| age.as_secs()) },
        stale: Vec::new(),
        listeners: Vec::new(),
        services: Vec::new(),
        reboot_required_by: reboot_required_by(system),
        updaters: surroundings::updaters(system, &status, &mut gaps),
        capability: Capability::Act,
        gaps: Vec::new(),
    };
    if system.is_live() {
        match offers::offers(&apt, &status, &facts.architecture.0) {
            Ok(offers) => (facts.offers, facts.offers_known) = (offers, true),
            Err(error) => gaps.push(format!("pending updates are not known: {error}")),
        }
        let look = processes::stale();
        if look.hidden > 0 {
            let remedy = if rustix::process::geteuid().is_root() { "" } else { ": run the agent as root" };
            gaps.push(format!("{} processes could not be looked at for replaced files{remedy}", look.hidden));
        }
        facts.stale = look.stale;
        if !system.path("/run/systemd/system").exists() {
            gaps.push("systemd does not run here: the health of services is not known".to_owned());
        }
    } else {
        gaps.push("the system is not running: pending updates and processes are not known".to_owned());
    }
    if facts.index.oldest_age_seconds.is_none() {
        gaps.push("there is no package index: run `apt-get update`".to_owned());
    }
    facts.capability = surroundings::capability(system, &facts);
    facts.gaps = gaps;
    let components = status.packages().iter().map(|package| package.component.clone()).collect();
    Ok(Inventory { facts, components })
}

fn index_age(system: &System, apt: &Apt) -> Option<Duration> {
    if system.is_live() { apt.age() } else { index::age(&system.path("/var/lib/apt/lists")) }
}

/// Reads `os-release(5)`.
fn os_release(system: &System) -> Result<OsRelease, HostError> {
    let text = match files::read_text_if_any(&system.path("/etc/os-release"), SMALL)? {
        Some(text) => text,
        None => files::read_text(&system.path("/usr/lib/os-release"), SMALL)?,
    };
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).chars().take(200).collect::<String>())
    };
    // The default that os-release(5) sets for a missing ID.
    let id = field("ID").unwrap_or_else(|| "linux".to_owned());
    let pretty_name = field("PRETTY_NAME").unwrap_or_else(|| id.clone());
    Ok(OsRelease { id, version_id: field("VERSION_ID").unwrap_or_default(), pretty_name })
}

/// dpkg's own architecture: that of the package `dpkg`, which is what `dpkg --print-architecture` was built with.
pub(crate) fn native_architecture(status: &Status, system: &System, gaps: &mut Vec<String>) -> String {
    if let Some(dpkg) = status.packages().iter().find(|package| package.component.name == "dpkg") {
        return dpkg.component.architecture.clone();
    }
    let listed = files::read_text_if_any(&system.path("/var/lib/dpkg/arch"), SMALL).ok().flatten();
    if let Some(first) =
        listed.as_deref().and_then(|text| text.lines().next()).filter(|line| !line.is_empty())
    {
        return first.to_owned();
    }
    gaps.push("the architecture is not known: dpkg is not installed by a package".to_owned());
    "unknown".to_owned()
}

fn hostname(system: &System) -> String {
    let name = if system.is_live() {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    } else {
        files::read_text(&system.path("/etc/hostname"), SMALL).unwrap_or_default()
    };
    name.trim().chars().take(255).collect()
}

/// Packages that asked for a reboot. The list is optional; without it the request still counts.
pub(crate) fn reboot_required_by(system: &System) -> Vec<String> {
    if !system.path("/run/reboot-required").exists() {
        return Vec::new();
    }
    let list = files::read_text(&system.path("/run/reboot-required.pkgs"), SMALL).unwrap_or_default();
    let mut names: Vec<String> =
        list.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        names.push("not named".to_owned());
    }
    names
}

//! A read-only look at a system. It needs no rights; what it may not see becomes a named gap.

mod addresses;
mod asked;
mod claims;
mod listeners;
mod offers;
mod os;
pub(crate) mod processes;
mod services;
mod surroundings;

pub(crate) use listeners::{parse_address, socket_inode};
pub(crate) use os::native_architecture;
pub use processes::runs_replaced_files;
pub use surroundings::machine;
pub(crate) use surroundings::{obstacle_to_apply, obstacle_to_rehearse};

use std::path::Path;
use std::time::Duration;

use tenon_model::{Architecture, HostFacts, IndexState, Inventory, Kernel};

use crate::dnf::Dnf;
use crate::index::{self, Apt};
use crate::manager::Kind;
use crate::packages::{PackageFile, Packages};
use crate::run::on_path;
use crate::{HostError, System, files};

/// Bound of small text files (`os-release`, `hostname`).
pub(crate) const SMALL: u64 = 64 * 1024;

/// Reads bytes as each kind of file or table that an inventory reads, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_all(bytes: &[u8]) {
    for protocol in [tenon_model::Protocol::Tcp, tenon_model::Protocol::Udp] {
        let _sockets = listeners::read_table(bytes, protocol, SMALL);
    }
    let _addresses = (addresses::local_of_trie(&mut &*bytes), addresses::of_inet6(&mut &*bytes));
    let text = String::from_utf8_lossy(bytes);
    let _os = os::parse(&text);
    let _services = services::parse(&text);
    let _policies = offers::policies(&text, &offers::security_archives(&text));
    let installed =
        tenon_model::SourcePackage { name: "curl".to_owned(), version: "7.88.1-10+deb12u5".to_owned() };
    let _claims = claims::claims(&text, "curl", &installed);
    for line in text.lines() {
        let _mapping = processes::replaced(line);
    }
}

/// Takes stock of a system: packages, pending updates, processes that run replaced files, listening sockets, services,
/// other updaters. With a `work` folder a package index that is old or missing is fetched into that folder, and the
/// changelogs of candidates that were downloaded there are read; without one the host's own index is read.
///
/// The packages are those of the operating system; packages of programming languages are not looked for.
///
/// # Errors
/// When there is no readable package database (dpkg, apk, rpm) or no `os-release`: without them nothing can be said.
/// Everything else that cannot be found out is listed in the report's gaps.
pub fn inventory(system: &System, work: Option<&Path>) -> Result<Inventory, HostError> {
    let records = asked::Records::now(system.root());
    let packages = Packages::read(system)?;
    let os = os::os_release(system)?;
    let mut gaps = packages.gaps();
    let is_dpkg = matches!(packages, Packages::Dpkg(_));
    let index = Index::open(&packages, system, work, &mut gaps);
    let mut facts = HostFacts {
        hostname: hostname(system),
        architecture: Architecture(os::architecture(&packages, system, &mut gaps)),
        kernel: Kernel {
            running: surroundings::running_kernel(system),
            owner: surroundings::virtualization(system),
        },
        index: IndexState { oldest_age_seconds: index.age(system).map(|age| age.as_secs()) },
        reboot_required_by: reboot_required_by(system),
        updaters: surroundings::updaters(system, &packages, &mut gaps),
        ..HostFacts::nothing_known_of(os)
    };
    if system.is_live() {
        let kept = work.map(|work| Kept { root: system.root(), records, work });
        look_at_packages(&packages, &index, kept, &mut facts, &mut gaps);
        look_at_processes(&packages, system, &mut facts, &mut gaps);
    } else {
        gaps.push("the system is not running: pending updates and processes are not known".to_owned());
    }
    if is_dpkg && facts.index.oldest_age_seconds.is_none() {
        gaps.push("there is no package index: run `apt-get update`".to_owned());
    }
    facts.capability = surroundings::capability(system, &facts);
    facts.approval = surroundings::approval(system);
    facts.gaps = gaps;
    Ok(Inventory { facts, components: packages.components().cloned().collect() })
}

/// The inventory of a system of which only files are at hand: its packages and its `os-release`.
///
/// # Errors
/// When a file cannot be read or is too large, or the packages' file holds no installed package.
pub fn inventory_of_files(packages: &PackageFile, os_release: &Path) -> Result<Inventory, HostError> {
    let packages = Packages::of_file(packages)?;
    let mut facts = HostFacts::nothing_known_of(os::parse(&files::read_text(os_release, SMALL)?));
    let mut gaps = packages.gaps();
    facts.architecture = Architecture(os::architecture_of_files(&packages));
    gaps.push(
        "only files are at hand: running kernel, pending updates and processes are not known".to_owned(),
    );
    facts.gaps = gaps;
    Ok(Inventory { facts, components: packages.components().cloned().collect() })
}

/// Where answers are kept, and what apt's rest on.
#[derive(Clone, Copy)]
struct Kept<'a> {
    root: &'a Path,
    records: asked::Records,
    work: &'a Path,
}

/// What the host's own package manager offers.
fn look_at_packages(
    packages: &Packages,
    index: &Index,
    kept: Option<Kept<'_>>,
    facts: &mut HostFacts,
    gaps: &mut Vec<String>,
) {
    let offers = match (packages, index) {
        (Packages::Dpkg(status), Index::Apt(apt)) => {
            let ask = || offers::offers(apt, status, &facts.architecture.0);
            match kept {
                Some(kept) => asked::kept_or(kept.root, kept.records, kept.work, apt.lists(), ask),
                None => ask(),
            }
        }
        (Packages::Rpm(listed), Index::Dnf(dnf)) => dnf.offers(&crate::dnf::status(listed.clone()), gaps),
        _ => {
            gaps.push("pending updates are not known: apt is asked for them, and dnf by an agent".to_owned());
            return;
        }
    };
    match offers {
        Ok(offers) => (facts.offers, facts.offers_known) = (offers, true),
        Err(error) => gaps.push(format!("pending updates are not known: {error}")),
    }
    if let (Some(Kept { work, .. }), Packages::Dpkg(status)) = (kept, packages) {
        claims::fill(work, status, &mut facts.offers, gaps);
    }
}

/// What runs, what listens, and which packages that belongs to.
fn look_at_processes(packages: &Packages, system: &System, facts: &mut HostFacts, gaps: &mut Vec<String>) {
    let root = rustix::process::geteuid().is_root();
    let remedy = if root { "" } else { ": run the agent as root" };
    let look = processes::stale();
    if look.hidden > 0 {
        gaps.push(format!("{} processes could not be looked at for replaced files{remedy}", look.hidden));
    }
    let sockets = listeners::listening(gaps);
    let nameless = sockets.found.iter().filter(|socket| socket.holder.is_none()).count();
    if sockets.hidden > 0 && nameless > 0 {
        gaps.push(format!("whose {nameless} of the listening sockets are is not known{remedy}"));
    }
    let services = if system.path("/run/systemd/system").exists() {
        services::services().unwrap_or_else(|error| {
            gaps.push(format!("services are not known: {error}"));
            Vec::new()
        })
    } else {
        gaps.push("systemd does not run here: services and their health are not known".to_owned());
        Vec::new()
    };
    let stale_files = look.stale.iter().map(|process| process.file.clone());
    let executables = sockets.found.iter().filter_map(|socket| socket.holder.as_ref()?.executable.clone());
    let unit_files = services.iter().flat_map(|service| service.files.iter().cloned());
    let owners = packages.owners(&stale_files.chain(executables).chain(unit_files).collect());
    facts.stale = look.stale;
    processes::name_packages(&mut facts.stale, &owners);
    facts.listeners = listeners::owned(sockets.found, &owners);
    facts.addresses = addresses::addresses(gaps);
    facts.services = services::owned(services, &owners);
}

/// The package index that is asked for updates.
enum Index {
    /// The host's own or the agent's.
    Apt(Apt),
    /// The agent's.
    Dnf(Dnf),
    /// There is none that could be asked.
    None,
}

impl Index {
    fn open(packages: &Packages, system: &System, work: Option<&Path>, gaps: &mut Vec<String>) -> Self {
        match (packages, work.filter(|_| system.is_live())) {
            (Packages::Dpkg(_), Some(work)) => Self::Apt(Apt::refreshed(work, gaps)),
            (Packages::Dpkg(_), None) => Self::Apt(Apt::default()),
            (Packages::Rpm(_), Some(work)) if on_path(system.root(), "dnf") => {
                // A dnf that is not spoken here would misunderstand what it is asked.
                if let Some(obstacle) = Kind::Dnf.obstacle() {
                    gaps.push(obstacle);
                    return Self::None;
                }
                Dnf::refreshed(work, gaps).map_or_else(
                    |error| {
                        gaps.push(format!("the package index cannot be kept: {error}"));
                        Self::None
                    },
                    Self::Dnf,
                )
            }
            _ => Self::None,
        }
    }

    fn age(&self, system: &System) -> Option<Duration> {
        match self {
            Self::Apt(apt) if system.is_live() => apt.age(),
            Self::Apt(_) | Self::None => index::age(&system.path("/var/lib/apt/lists")),
            Self::Dnf(dnf) => dnf.age(),
        }
    }
}

/// The name that the host gives itself.
pub(crate) fn hostname(system: &System) -> String {
    let name = if system.is_live() {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    } else {
        files::read_text(&system.path("/etc/hostname"), SMALL).unwrap_or_default()
    };
    name.trim().chars().take(255).collect()
}

/// Packages that asked for a reboot, or take effect only with one. The list is optional; without it the request still counts.
pub(crate) fn reboot_required_by(system: &System) -> Vec<String> {
    if !system.path("/run/reboot-required").exists() {
        return if system.is_live() { Kind::of_this_host().reboot_required_by() } else { Vec::new() };
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

//! What surrounds the packages: kernel, index age, other updaters, and what this agent could do here.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tenon_model::{ApprovalAsked, Capability, HostFacts, MachineId, Updater, Virtualization};

use super::SMALL;
use crate::hooks::HooksFolder;
use crate::limits::{Action, LimitsFile};
use crate::manager::Kind;
use crate::packages::Packages;
use crate::run::{command, on_path, run};
use crate::{System, files};

const QUICK: Duration = Duration::from_secs(20);
/// `CAP_SYS_ADMIN`, for mounts and namespaces (capability.h).
const CAP_SYS_ADMIN: u32 = 21;

/// Configuration management and other updaters by the package that brings them.
const UPDATER_PACKAGES: [(&str, &str); 10] = [
    ("puppet", "puppet"),
    ("puppet-agent", "puppet"),
    ("chef", "chef"),
    ("salt-minion", "salt"),
    ("cfengine3", "cfengine"),
    ("rudder-agent", "rudder"),
    ("landscape-client", "landscape"),
    ("cron-apt", "cron-apt"),
    ("apticron", "apticron"),
    ("packagekit", "packagekit"),
];

/// `uname -r`; nothing of a system at rest.
pub(super) fn running_kernel(system: &System) -> String {
    if !system.is_live() {
        return String::new();
    }
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Container or own kernel, by the marks that container managers leave.
pub(super) fn virtualization(system: &System) -> Virtualization {
    let marked = ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|path| system.path(path).exists());
    // Only root may read it; systemd writes the first mark from it.
    let by_environment = system.is_live()
        && fs::read("/proc/1/environ").is_ok_and(|bytes| {
            bytes.split(|byte| *byte == 0).any(|entry| entry.starts_with(b"container=") && entry.len() > 10)
        });
    if marked || by_environment { Virtualization::Container } else { Virtualization::Machine }
}

/// Whether this system is the first that runs on its kernel, by the number that Linux gives the first namespace of processes
/// (`PROC_PID_INIT_INO`, proc_ns.h). Containers without a mark, and hosts made of namespaces for a test, are not.
fn is_first_of_kernel() -> bool {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link == Path::new("pid:[4026531836]"))
}

/// The machine under this system, where its firmware names one. A container stands on its host's: that names many.
pub fn machine(system: &System) -> Option<MachineId> {
    let contained = || virtualization(system) == Virtualization::Container || !is_first_of_kernel();
    if !system.is_live() || contained() {
        return None;
    }
    // Of a machine with DMI, and of one with a device tree. Only root may read the first.
    let named = ["/sys/class/dmi/id/product_uuid", "/proc/device-tree/serial-number"].into_iter();
    let texts = named.filter_map(|path| files::read_text_if_any(Path::new(path), SMALL).ok().flatten());
    texts.filter_map(|text| MachineId::of_firmware(&text)).next()
}

/// Other programs that change packages here.
pub(super) fn updaters(system: &System, packages: &Packages, gaps: &mut Vec<String>) -> Vec<Updater> {
    let mut found = Vec::new();
    if packages.has("unattended-upgrades") {
        if !system.is_live() {
            gaps.push("whether unattended-upgrades is switched on is not known".to_owned());
        } else {
            match apt_setting("APT::Periodic::Unattended-Upgrade") {
                Ok(value) if !matches!(value.as_str(), "" | "0") => found.push(Updater {
                    name: "unattended-upgrades".to_owned(),
                    evidence: format!("APT::Periodic::Unattended-Upgrade is {value:?}"),
                }),
                Ok(_) => {}
                Err(error) => {
                    gaps.push(format!("whether unattended-upgrades is switched on is not known: {error}"));
                }
            }
        }
    }
    for (package, name) in UPDATER_PACKAGES {
        if packages.has(package) {
            found
                .push(Updater { name: name.to_owned(), evidence: format!("package {package} is installed") });
        }
    }
    found.extend(dnf_automatic(system));
    found.extend(ansible_pull(system));
    found.sort_unstable();
    found.dedup();
    found
}

fn apt_setting(name: &str) -> Result<String, crate::HostError> {
    let output = run(&mut command("apt-config", ["shell", "VALUE", name]), QUICK)?.ok()?;
    let value = output.trim().strip_prefix("VALUE=").unwrap_or_default();
    Ok(value.trim_matches('\'').chars().take(40).collect())
}

/// dnf-automatic installs where one of its timers that may do so is switched on and its file does not say otherwise.
fn dnf_automatic(system: &System) -> Option<Updater> {
    let on = |timer: &str| system.path(&format!("/etc/systemd/system/timers.target.wants/{timer}")).exists();
    let evidence = if on("dnf-automatic-install.timer") {
        "dnf-automatic-install.timer is switched on"
    } else if on("dnf-automatic.timer") {
        let text = files::read_text(&system.path("/etc/dnf/automatic.conf"), SMALL).unwrap_or_default();
        let mut setting = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(key, _)| key.trim() == "apply_updates");
        let value = setting.next_back().map(|(_, value)| value.trim().to_ascii_lowercase());
        if !matches!(value.as_deref(), Some("yes" | "true" | "1" | "on")) {
            return None;
        }
        "dnf-automatic.timer is switched on, and apply_updates with it"
    } else {
        return None;
    };
    Some(Updater { name: "dnf-automatic".to_owned(), evidence: evidence.to_owned() })
}

/// ansible-pull runs from cron or a unit.
fn ansible_pull(system: &System) -> Option<Updater> {
    let dirs = [
        "/etc/cron.d",
        "/etc/cron.hourly",
        "/etc/cron.daily",
        "/var/spool/cron/crontabs",
        "/etc/systemd/system",
    ];
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(system.path(dir)).ok()).flatten();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path()).take(1000);
    let crontab = std::iter::once(system.path("/etc/crontab"));
    paths.chain(crontab).find_map(|path| {
        let text = files::read_text(&path, SMALL).ok()?;
        let live =
            text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("ansible-pull"));
        let shown = path.strip_prefix(system.root()).unwrap_or(&path);
        live.then(|| Updater {
            name: "ansible-pull".to_owned(),
            evidence: format!("/{} runs it", shown.display().to_string().trim_start_matches('/')),
        })
    })
}

/// What this agent could do here, whatever it is allowed to.
pub(super) fn capability(system: &System, facts: &HostFacts) -> Capability {
    let obstacle = if !system.is_live() {
        Some("the system is not running".to_owned())
    } else if !Kind::of_this_host().changes(&facts.os.id) {
        let others = crate::dnf::DISTRIBUTIONS.join(", ");
        let name = &facts.os.pretty_name;
        Some(format!(
            "{name} is not supported: only Debian and distributions with dnf 4 can be changed ({others})"
        ))
    } else {
        obstacle_to_apply(Kind::of_this_host()).or_else(refuses_all)
    };
    obstacle.map_or(Capability::Act, |reason| Capability::ObserveOnly { reason })
}

/// The signatures that this host asks for before a change. Where its limits are not believed it takes no order at all, and says
/// so elsewhere.
pub(super) fn approval(system: &System) -> ApprovalAsked {
    if !system.is_live() {
        return ApprovalAsked::default();
    }
    let limits = LimitsFile::of_this_host().read().ok();
    let required = limits.and_then(|limits| limits.approval);
    required.map(|required| required.asked()).unwrap_or_default()
}

/// Why this host would refuse every order of its own accord.
fn refuses_all() -> Option<String> {
    match LimitsFile::of_this_host().read() {
        Ok(limits) if limits.actions.contains(&Action::Rehearse) => {
            HooksFolder::of_this_host().read().err().map(|distrusted| distrusted.to_string())
        }
        Ok(_) => Some("its own limits let nothing be rehearsed, so nothing can be approved".to_owned()),
        Err(distrust) => Some(distrust.to_string()),
    }
}

/// What keeps this program from rehearsing here, or `None`.
pub(crate) fn obstacle_to_rehearse(kind: Kind) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not run as root: start the agent as root to let it act".to_owned());
    }
    if let Some(tool) = kind.tools().iter().find(|tool| !on_path(Path::new("/"), tool)) {
        return Some(format!("the program {tool} is missing: install it"));
    }
    if let Some(obstacle) = kind.obstacle() {
        return Some(obstacle);
    }
    if !may_mount() {
        return Some("no right to mount (CAP_SYS_ADMIN): the container it runs in forbids it".to_owned());
    }
    let overlay = files::read_text(Path::new("/proc/filesystems"), SMALL)
        .is_ok_and(|text| text.lines().any(|line| line.ends_with("\toverlay")));
    if !overlay && !on_path(Path::new("/"), "modprobe") {
        return Some("the kernel lacks the overlay file system, which a rehearsal needs".to_owned());
    }
    None
}

/// What keeps this program from applying here, or `None`. Where services cannot be watched a change cannot be verified,
/// and unknown health is not health.
pub(crate) fn obstacle_to_apply(kind: Kind) -> Option<String> {
    let watched = Path::new("/run/systemd/system").exists();
    obstacle_to_rehearse(kind).or_else(|| {
        let reason = "systemd does not run here, so nobody could tell whether services survive a change: upgrade by hand";
        (!watched).then(|| reason.to_owned())
    })
}

fn may_mount() -> bool {
    let Ok(status) = files::read_text(Path::new("/proc/self/status"), SMALL) else { return false };
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|effective| effective >> CAP_SYS_ADMIN & 1 == 1)
}

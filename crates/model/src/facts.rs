//! What a host reports about itself besides its packages. All of it is outside data.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Component, KeyFingerprint, VulnerabilityId};

/// `os-release(5)`, the fields Tenon decides by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OsRelease {
    /// `ID`: `debian`.
    pub id: String,
    /// `VERSION_ID`: `12`. Empty on rolling releases.
    pub version_id: String,
    /// `PRETTY_NAME`, for people.
    pub pretty_name: String,
}

impl OsRelease {
    /// The OSV ecosystem with its release suffix (`Debian:12`), spelt as the list of ecosystems of the OSV schema
    /// prescribes, or `None` where Tenon cannot assess this system, which is shown as "not assessed" and never as "not
    /// vulnerable".
    ///
    /// Not covered, with the reason: Red Hat Enterprise Linux and SUSE Linux Enterprise, whose ecosystems name the
    /// repository or module of each package, which a release alone does not tell; rolling releases (Debian testing,
    /// Alpine edge), which OSV does not name; derivatives (Linux Mint), whose packages are not those of the
    /// distribution they descend from.
    pub fn osv_ecosystem(&self) -> Option<String> {
        let release = self.version_id.as_str();
        match self.id.as_str() {
            "debian" if is_number(release) => Some(format!("Debian:{release}")),
            "ubuntu" => {
                let (year, month) = release.split_once('.')?;
                let long_term = month == "04" && year.parse::<u32>().ok()? % 2 == 0;
                let known = is_number(year) && is_number(month);
                known.then(|| format!("Ubuntu:{release}{}", if long_term { ":LTS" } else { "" }))
            }
            "almalinux" => major(release).map(|major| format!("AlmaLinux:{major}")),
            "rocky" => major(release).map(|major| format!("Rocky Linux:{major}")),
            "alpine" => {
                let mut parts = release.split('.');
                let (major, minor) = (parts.next()?, parts.next()?);
                // Edge says `3.23_alpha20251016`: packages of no branch.
                let branch = parts.all(is_number) && is_number(major) && is_number(minor);
                branch.then(|| format!("Alpine:v{major}.{minor}"))
            }
            // The suffix is the rest of PRETTY_NAME: `openSUSE Leap 15.6`, `openSUSE Tumbleweed`.
            "opensuse-leap" | "opensuse-tumbleweed" => {
                let name = self.pretty_name.strip_prefix("openSUSE ")?;
                (!name.is_empty()).then(|| format!("openSUSE:{name}"))
            }
            _ => None,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `9` of `9.3`, which shares its advisories with the other minor releases.
fn major(release: &str) -> Option<&str> {
    let major = release.split('.').next()?;
    is_number(major).then_some(major)
}

/// Machine architecture as the package manager names it (`amd64`, `x86_64`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Architecture(pub String);

/// Whose kernel the host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Virtualization {
    /// Own kernel: bare metal or a virtual machine.
    Machine,
    /// A container (LXC, OCI, nspawn): the kernel belongs to its host.
    Container,
}

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kernel {
    /// `uname -r`.
    pub running: String,
    /// Whether it is this asset's own.
    pub owner: Virtualization,
}

/// Where a candidate version stands, by the host's own package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
    /// `apt-get dist-upgrade` would install it.
    Offered,
    /// Kept back by a hold.
    Held,
    /// Deferred because the update is being rolled out in phases and this host's turn has not come (Ubuntu).
    Phased,
    /// Kept back for another reason: pins, dependencies.
    KeptBack,
}

/// A newer version that the host's own repositories offer for an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Offer {
    /// Binary package name.
    pub package: String,
    /// Architecture.
    pub architecture: String,
    /// Installed version.
    pub installed: String,
    /// Version the package manager would install.
    pub candidate: String,
    /// Source package and version of the candidate.
    pub source: crate::SourcePackage,
    /// Whether it comes from a security suite (Debian: `Label: Debian-Security`).
    pub security: bool,
    /// Where the update stands.
    pub state: OfferState,
    /// CVE ids that the candidate's changelog names above the installed version: claims, unconfirmed. Empty also
    /// when the changelog has not been read yet.
    pub claims: Vec<VulnerabilityId>,
}

/// A unit of the service manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(pub String);

/// A process that still maps files which have been replaced on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StaleProcess {
    /// Process id, at the time of the look.
    pub pid: u32,
    /// Executable name.
    pub command: String,
    /// The unit it belongs to, when its control group tells.
    pub unit: Option<Unit>,
    /// One of the replaced files.
    pub file: String,
    /// The binary package that owns this file now, if one does.
    #[serde(default)]
    pub package: Option<String>,
}

/// Transport protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP: a socket bound to a port that is not connected to a single peer.
    Udp,
}

/// A socket that takes traffic from others. Process ids are left out: they change at every restart, and an inventory
/// that differs in nothing else should be the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Listener {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Local address; the unspecified one (`0.0.0.0`, `::`) stands for every interface.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Command name of the process; `None` when it may not be looked at or belongs to the kernel.
    pub process: Option<String>,
    /// The unit it belongs to, when its control group tells. A socket that systemd holds for a service that has not
    /// started yet belongs to `init.scope`.
    pub unit: Option<Unit>,
    /// The binary package that owns the executable.
    pub package: Option<String>,
}

impl Listener {
    /// Whether only this host can reach it (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
    pub fn is_loopback(&self) -> bool {
        self.address.to_canonical().is_loopback()
    }
}

/// A service that the service manager has loaded and that runs, has run or has failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Service {
    /// Its unit.
    pub unit: Unit,
    /// systemd's `ActiveState`: `active`, `failed`.
    pub active_state: String,
    /// The binary package that owns the unit's file; `None` for units made by hand or by a generator.
    pub package: Option<String>,
}

/// Another program that updates this host; Tenon never races it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Updater {
    /// `unattended-upgrades`, `puppet`...
    pub name: String,
    /// How it was recognised.
    pub evidence: String,
}

/// What this agent could do here, whatever it is allowed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Capability {
    /// It can rehearse and apply.
    Act,
    /// It can only look.
    ObserveOnly {
        /// Why, and what would change it.
        reason: String,
    },
}

/// The signatures of people that a host asks for before a change, whoever orders it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct ApprovalAsked {
    /// By how many different keys; 0 where it asks for none.
    pub needed: u32,
    /// The keys that count.
    pub keys: Vec<KeyFingerprint>,
}

impl ApprovalAsked {
    /// Whether no signature is asked for.
    pub fn is_none(&self) -> bool {
        self.needed == 0
    }
}

/// How fresh the host's own view of its repositories is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IndexState {
    /// Age in seconds, by the host's clock, of the oldest package index in use; `None` when there is none.
    pub oldest_age_seconds: Option<u64>,
}

fn known() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_known(known: &bool) -> bool {
    *known
}

/// What an agent knows of its host besides the packages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostFacts {
    /// Host name, for people; it is not an identity.
    pub hostname: String,
    /// Operating system.
    pub os: OsRelease,
    /// Architecture.
    pub architecture: Architecture,
    /// Running kernel.
    pub kernel: Kernel,
    /// Pending updates from the host's own repositories.
    pub offers: Vec<Offer>,
    /// Whether `offers` is the host's own package manager's word; otherwise it is empty because nobody could ask.
    #[serde(default = "known", skip_serializing_if = "is_known")]
    pub offers_known: bool,
    /// Freshness of the package index.
    pub index: IndexState,
    /// Processes that run replaced code.
    pub stale: Vec<StaleProcess>,
    /// Sockets that take traffic, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Listener>,
    /// Addresses of the host that are not loopback or link-local, sorted. Empty when nobody looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Services of the service manager, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Packages that ask for a reboot (`/run/reboot-required.pkgs`); empty when none is asked for.
    pub reboot_required_by: Vec<String>,
    /// Other updaters.
    pub updaters: Vec<Updater>,
    /// What the agent can do.
    pub capability: Capability,
    /// What could not be found out and why: gaps are shown, never read as "none".
    pub gaps: Vec<String>,
    /// The signatures that it asks for before a change.
    #[serde(default, skip_serializing_if = "ApprovalAsked::is_none")]
    pub approval: ApprovalAsked,
}

impl HostFacts {
    /// Facts of a system of which nothing but the release is known.
    pub fn nothing_known_of(os: OsRelease) -> Self {
        Self {
            hostname: String::new(),
            os,
            architecture: Architecture("unknown".to_owned()),
            kernel: Kernel { running: String::new(), owner: Virtualization::Machine },
            offers: Vec::new(),
            offers_known: false,
            index: IndexState { oldest_age_seconds: None },
            stale: Vec::new(),
            listeners: Vec::new(),
            addresses: Vec::new(),
            services: Vec::new(),
            reboot_required_by: Vec::new(),
            updaters: Vec::new(),
            capability: Capability::ObserveOnly { reason: "only files of the system are at hand".to_owned() },
            gaps: Vec::new(),
            approval: ApprovalAsked::default(),
        }
    }
}

/// One report of a host: facts and packages, as sent by the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Everything but the packages.
    pub facts: HostFacts,
    /// Installed packages, unsorted and unchecked: [`crate::Manifest::new`] checks them.
    pub components: Vec<Component>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_are_spelt_as_osv_spells_them() {
        let cases = [
            ("debian", "12", "Debian GNU/Linux 12 (bookworm)", Some("Debian:12")),
            ("debian", "", "Debian GNU/Linux trixie/sid", None),
            ("ubuntu", "22.04", "Ubuntu 22.04.2 LTS", Some("Ubuntu:22.04:LTS")),
            ("ubuntu", "23.10", "Ubuntu 23.10", Some("Ubuntu:23.10")),
            ("ubuntu", "23.04", "Ubuntu 23.04", Some("Ubuntu:23.04")),
            ("ubuntu", "22.10", "Ubuntu 22.10", Some("Ubuntu:22.10")),
            ("ubuntu", "rolling", "Ubuntu", None),
            ("almalinux", "9.3", "AlmaLinux 9.3 (Shamrock Pampas Cat)", Some("AlmaLinux:9")),
            ("rocky", "9.4", "Rocky Linux 9.4 (Blue Onyx)", Some("Rocky Linux:9")),
            ("alpine", "3.19.0", "Alpine Linux v3.19", Some("Alpine:v3.19")),
            ("alpine", "3.23_alpha20251016", "Alpine Linux edge", None),
            ("opensuse-leap", "15.6", "openSUSE Leap 15.6", Some("openSUSE:Leap 15.6")),
            ("opensuse-tumbleweed", "20251120", "openSUSE Tumbleweed", Some("openSUSE:Tumbleweed")),
            ("sles", "15.5", "SUSE Linux Enterprise Server 15 SP5", None),
            ("rhel", "9.0", "Red Hat Enterprise Linux 9.0 (Plow)", None),
            ("linuxmint", "21.3", "Linux Mint 21.3", None),
        ];
        for (id, version_id, pretty_name, wanted) in cases {
            let (id, version_id, pretty_name) = (id.into(), version_id.into(), pretty_name.into());
            let os = OsRelease { id, version_id, pretty_name };
            assert_eq!(os.osv_ecosystem().as_deref(), wanted, "{os:?}");
        }
    }

    #[test]
    fn loopback_is_told_apart_whichever_way_it_is_written() {
        let loopback = |address: &str| {
            let (address, port) = (address.parse().unwrap(), 80);
            Listener { protocol: Protocol::Tcp, address, port, process: None, unit: None, package: None }
                .is_loopback()
        };
        assert!(loopback("127.0.0.53") && loopback("::1") && loopback("::ffff:127.0.0.1"));
        assert!(!loopback("0.0.0.0") && !loopback("::") && !loopback("192.0.2.1"));
    }
}

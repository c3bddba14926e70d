//! What a host reports about itself besides its packages. All of it is outside data.

use serde::{Deserialize, Serialize};

use crate::{Component, VulnerabilityId};

/// `os-release(5)`, the fields Tenon decides by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    /// `ID`: `debian`.
    pub id: String,
    /// `VERSION_ID`: `12`. Empty on rolling releases.
    pub version_id: String,
    /// `PRETTY_NAME`, for people.
    pub pretty_name: String,
}

impl OsRelease {
    /// The OSV ecosystem with its release suffix (`Debian:12`), or `None` where Tenon cannot assess this system
    /// yet, which is shown as "not assessed" and never as "not vulnerable".
    pub fn osv_ecosystem(&self) -> Option<String> {
        match (self.id.as_str(), self.version_id.as_str()) {
            ("debian", release) if !release.is_empty() => Some(format!("Debian:{release}")),
            _ => None,
        }
    }
}

/// Machine architecture as dpkg names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Architecture(pub String);

/// Whose kernel the host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Virtualization {
    /// Own kernel: bare metal or a virtual machine.
    Machine,
    /// A container (LXC, OCI, nspawn): the kernel belongs to its host.
    Container,
}

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// `uname -r`.
    pub running: String,
    /// Whether it is this asset's own.
    pub owner: Virtualization,
}

/// Where a candidate version stands, by the host's own package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
    /// `apt-get dist-upgrade` would install it.
    Offered,
    /// Kept back by a hold.
    Held,
    /// Kept back for another reason: pins, phasing, dependencies.
    KeptBack,
}

/// A newer version that the host's own repositories offer for an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(pub String);

/// A process that still maps files which have been replaced on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// Another program that updates this host; Tenon never races it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Updater {
    /// `unattended-upgrades`, `puppet`...
    pub name: String,
    /// How it was recognised.
    pub evidence: String,
}

/// What this agent could do here, whatever it is allowed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// How fresh the host's own view of its repositories is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// Age in seconds, by the host's clock, of the oldest package index in use; `None` when there is none.
    pub oldest_age_seconds: Option<u64>,
}

/// What an agent knows of its host besides the packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Freshness of the package index.
    pub index: IndexState,
    /// Processes that run replaced code.
    pub stale: Vec<StaleProcess>,
    /// Packages that ask for a reboot (`/run/reboot-required.pkgs`); empty when none is asked for.
    pub reboot_required_by: Vec<String>,
    /// Other updaters.
    pub updaters: Vec<Updater>,
    /// What the agent can do.
    pub capability: Capability,
    /// What could not be found out and why: gaps are shown, never read as "none".
    pub gaps: Vec<String>,
}

/// One report of a host: facts and packages, as sent by the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Everything but the packages.
    pub facts: HostFacts,
    /// Installed packages, unsorted and unchecked: [`crate::Manifest::new`] checks them.
    pub components: Vec<Component>,
}

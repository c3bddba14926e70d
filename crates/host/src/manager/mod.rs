//! The package manager of this host. Rehearsal, change and way back are one piece of code; what differs between apt with dpkg and
//! dnf with rpm is asked for here:
//!
//! ```text
//! record    what is installed, and whether something is half-done
//! plan      everything that changes when the targets do
//! fetch     the package files for that, pinned; those of the way back
//! upgrade   the command line that installs the pinned files, and nothing else
//! way back  command lines that bring the recorded versions back
//! mend      what ends an installation that was cut off
//! ```

mod apt;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use tenon_model::{PackageTarget, PinnedFile, Transaction};

use crate::dnf::Dnf;
use crate::index::Apt;
use crate::inventory::native_architecture;
use crate::packages::rpm;
use crate::run::command;
use crate::status::Status;
use crate::transaction::Store;
use crate::{HostError, System};

/// Most of what a package manager wrote that is looked through, in bytes, from its end.
pub(crate) const SEARCHED: usize = 8 << 20;

/// Makes a command of words: on the host, or without rights over it in a rehearsal's room.
pub(crate) type Starter = fn(&[&str]) -> Command;

/// A command on the host itself.
pub(crate) fn on_host(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"false", &[]));
    command(program, arguments)
}

/// Which family of package managers a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// apt over dpkg. Records of changes from before there was another say nothing and mean this.
    #[default]
    Apt,
    /// dnf 4 over rpm.
    Dnf,
}

/// Where the upgrade is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the throw-away copy: waiting for its writes would prove nothing.
    Copy,
    /// On the host.
    Host,
}

/// What ends an installation that was cut off, before the upgrade is asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mend {
    /// Tried first.
    pub(crate) first: Vec<String>,
    /// Tried where that fails; empty where there is nothing else.
    pub(crate) otherwise: Vec<String>,
}

impl Default for Mend {
    /// That of apt: records of changes from before there was another say nothing.
    fn default() -> Self {
        apt::mend()
    }
}

impl Kind {
    /// The family of this host, by the database that is there. The tools of one family are to be had on the others and leave an
    /// empty database behind, so dpkg's counts where it holds something.
    pub(crate) fn of_this_host() -> Self {
        let system = System::live();
        let dpkg = std::fs::metadata(system.path("/var/lib/dpkg/status"));
        let has_dpkg = dpkg.is_ok_and(|metadata| metadata.len() > 0);
        if !has_dpkg && rpm::database(&system).is_some() { Self::Dnf } else { Self::Apt }
    }

    /// What is installed.
    pub(crate) fn record(self, start: Starter) -> Result<Status, HostError> {
        match self {
            Self::Apt => Status::read(&System::live()),
            Self::Dnf => crate::dnf::record(start),
        }
    }

    /// The program that may leave an installation half-done, and what a person runs then.
    pub(crate) const fn remedy(self) -> (&'static str, &'static str) {
        match self {
            Self::Apt => ("dpkg", "dpkg --configure -a"),
            Self::Dnf => ("rpm", "dnf remove --duplicates"),
        }
    }

    /// The code of a change that is refused for it.
    pub(crate) const fn interrupted(self) -> &'static str {
        match self {
            Self::Apt => "dpkg-interrupted",
            Self::Dnf => "rpm-interrupted",
        }
    }

    /// Programs that rehearsal and apply run.
    pub(crate) const fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &["apt-get", "apt-cache", "apt-config", "dpkg", "unshare", "md5sum"],
            Self::Dnf => &["dnf", "rpm", "unshare", "md5sum"],
        }
    }

    /// Why these tools are not used here, although they are there.
    pub(crate) fn obstacle(self) -> Option<String> {
        match self {
            Self::Apt => None,
            Self::Dnf => crate::dnf::obstacle(),
        }
    }

    /// Whether hosts of this distribution, by its `ID` of os-release(5), are changed.
    pub(crate) fn changes(self, os: &str) -> bool {
        match self {
            Self::Apt => os == "debian",
            Self::Dnf => crate::dnf::DISTRIBUTIONS.contains(&os),
        }
    }

    /// Configuration files of these packages (name and architecture) by path, with the digest that the record has of each.
    pub(crate) fn configuration(
        self,
        status: &Status,
        packages: &[(String, String)],
        start: Starter,
    ) -> Result<BTreeMap<String, String>, HostError> {
        match self {
            Self::Apt => {
                Ok(status.conffiles_of(packages.iter().map(|(name, arch)| (name.as_str(), arch.as_str()))))
            }
            Self::Dnf => crate::dnf::configuration(packages, start),
        }
    }

    /// The same after a change of these packages; with apt of all packages, as a file may have come to another one.
    pub(crate) fn configuration_after(
        self,
        status: &Status,
        packages: &[(String, String)],
        start: Starter,
    ) -> Result<BTreeMap<String, String>, HostError> {
        match self {
            Self::Apt => Ok(status.all_conffiles()),
            Self::Dnf => crate::dnf::configuration(packages, start),
        }
    }

    /// What the package manager itself finds wrong after it ran, given what it wrote; `None` when all is well.
    pub(crate) fn audit(self, start: Starter, output: &str) -> Option<String> {
        match self {
            Self::Apt => apt::audit(start),
            Self::Dnf => crate::dnf::audit(start, output),
        }
    }

    /// Who else changes packages now, for people; `None` when nobody does.
    pub(crate) fn busy(self) -> Result<Option<String>, HostError> {
        match self {
            Self::Apt => apt::busy(),
            Self::Dnf => crate::dnf::busy(),
        }
    }

    /// Names that begin those of packages whose scripts write boot sectors, EFI variables or kernel modules.
    pub(crate) const fn boot_packages(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &apt::BOOT,
            Self::Dnf => &crate::dnf::BOOT,
        }
    }

    /// Whether a change asks for a reboot by what it installs; packages of apt's ask for it themselves, when they are installed.
    pub(crate) fn asks_for_reboot(self, transaction: &Transaction) -> bool {
        match self {
            Self::Apt => false,
            Self::Dnf => crate::dnf::asks_for_reboot(transaction),
        }
    }

    /// Packages that were installed since this host started and want a reboot, beside those that have asked for it.
    pub(crate) fn reboot_required_by(self) -> Vec<String> {
        match self {
            Self::Apt => Vec::new(),
            Self::Dnf => crate::dnf::reboot_required_by(),
        }
    }

    /// Files that hold back or choose versions, in the order of their names.
    pub(crate) fn pins(self) -> Vec<PathBuf> {
        match self {
            Self::Apt => apt::pins(),
            Self::Dnf => crate::dnf::PINS.map(PathBuf::from).to_vec(),
        }
    }

    /// Command lines that bring the recorded versions back from these files: the same ones in a rehearsal and on the host.
    pub(crate) fn way_back(self, files: &[PathBuf], transaction: &Transaction) -> Vec<Vec<String>> {
        match self {
            Self::Apt => apt::way_back(files, transaction),
            Self::Dnf => crate::dnf::way_back(files, transaction),
        }
    }

    /// What a person looks at first where it is not known how far a change came.
    pub(crate) const fn first_look(self) -> &'static str {
        match self {
            Self::Apt => "`dpkg --audit`",
            Self::Dnf => "`dnf check --duplicates`",
        }
    }
}

/// The package manager with what it needs to work for the agent: an index and a store in the agent's folder.
#[derive(Debug)]
pub(crate) enum Manager {
    /// apt over dpkg.
    Apt {
        /// With its index.
        apt: Apt,
        /// Its package files.
        store: Store,
        /// The architecture of packages that name none.
        native: String,
    },
    /// dnf over rpm.
    Dnf(Dnf),
}

impl Manager {
    /// The manager of this host, where that is what is installed.
    pub(crate) fn open(kind: Kind, status: &Status, work: &Path) -> Result<Self, HostError> {
        Ok(match kind {
            Kind::Apt => Self::Apt {
                apt: Apt::freshest(work),
                store: Store::open(work)?,
                native: native_architecture(status, &System::live(), &mut Vec::new()),
            },
            Kind::Dnf => Self::Dnf(Dnf::open(work)?),
        })
    }

    /// What it is called, for people.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Apt { .. } => "apt",
            Self::Dnf(_) => "dnf",
        }
    }

    /// Everything that changes when the targets do. `pinned` are the files that were rehearsed, where there are any.
    ///
    /// # Errors
    /// For people: why it cannot be done, or what else would happen than was asked.
    pub(crate) fn plan(
        &self,
        status: &Status,
        targets: &[PackageTarget],
        pinned: &[PinnedFile],
    ) -> Result<Transaction, String> {
        match self {
            Self::Apt { apt, store, native } => crate::transaction::simulate(apt, store, targets, native),
            Self::Dnf(dnf) => dnf.plan(status, targets, pinned),
        }
    }

    /// Has the package files of the transaction in the store, and digests them.
    pub(crate) fn fetch(
        &self,
        targets: &[PackageTarget],
        transaction: &Transaction,
    ) -> Result<Vec<PinnedFile>, HostError> {
        match self {
            Self::Apt { apt, store, native } => store.fetch(apt, targets, transaction, native),
            Self::Dnf(dnf) => dnf.pin(transaction),
        }
    }

    /// Package files of the versions that the transaction replaces.
    ///
    /// # Errors
    /// For people: which version is to be had in no way.
    pub(crate) fn fetch_undo(&self, transaction: &Transaction) -> Result<Vec<PathBuf>, String> {
        match self {
            Self::Apt { apt, store, .. } => store.fetch_undo(apt, transaction),
            Self::Dnf(dnf) => dnf.fetch_undo(transaction),
        }
    }

    /// The command line that really upgrades, from the files in the store alone.
    pub(crate) fn upgrade(
        &self,
        place: Place,
        targets: &[PackageTarget],
        transaction: &Transaction,
    ) -> Vec<String> {
        match self {
            Self::Apt { apt, store, native } => store.upgrade(apt, apt::option(place), targets, native),
            Self::Dnf(dnf) => dnf.upgrade(transaction),
        }
    }

    /// What ends the transaction where it was cut off.
    pub(crate) fn mend(&self, transaction: &Transaction) -> Mend {
        match self {
            Self::Apt { .. } => apt::mend(),
            Self::Dnf(dnf) => dnf.mend(transaction),
        }
    }
}

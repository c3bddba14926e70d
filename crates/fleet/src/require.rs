//! What the machine must offer before a fleet can run on it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Commands the harness runs, with the Debian package of each.
const COMMANDS: [(&str, &str); 10] = [
    ("mmdebstrap", "mmdebstrap"),
    ("apt-ftparchive", "apt-utils"),
    ("apt-get", "apt"),
    ("dpkg-deb", "dpkg"),
    ("gpg", "gnupg"),
    ("gpgconf", "gnupg"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("bash", "bash"),
];

/// The same for hosts of RPM packages.
const RPM_COMMANDS: [(&str, &str); 4] = [
    ("rpmbuild", "rpm"),
    ("rpmsign", "rpm"),
    ("createrepo_c", "createrepo-c"),
    ("modifyrepo_c", "createrepo-c"),
];

/// Looks whether this machine can run a fleet.
#[derive(Debug, Clone, Copy)]
pub struct Requirements;

/// The first thing found missing; shown in the line `skipped: <test>: <this>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Namespaces and mounts need root.
    #[error("must run as root")]
    Root,
    /// The image is built for one architecture.
    #[error("machine is {0}, the fleet needs x86_64")]
    Architecture(&'static str),
    /// A command is not installed.
    #[error("command {command} (Debian package {package})")]
    Command {
        /// The command.
        command: &'static str,
        /// The package that brings it.
        package: &'static str,
    },
    /// The kernel lacks the overlay file system.
    #[error("kernel file system overlay")]
    Overlay,
    /// No writable cgroup2 hierarchy is mounted.
    #[error("writable cgroup2 hierarchy with cgroup.kill (kernel 5.14 or newer)")]
    Cgroup2,
    /// Network namespaces, bridges or veth pairs cannot be made.
    #[error("network namespaces with bridge and veth: {0}")]
    Network(String),
}

impl Requirements {
    /// Checks everything a fleet needs.
    ///
    /// # Errors
    /// The first thing missing.
    pub fn check() -> Result<(), Missing> {
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::Root);
        }
        if std::env::consts::ARCH != "x86_64" {
            return Err(Missing::Architecture(std::env::consts::ARCH));
        }
        for (command, package) in COMMANDS {
            if !on_path(command) {
                return Err(Missing::Command { command, package });
            }
        }
        // The file system may be a module that is loaded by its first mount.
        let known = || fs::read_to_string("/proc/filesystems").is_ok_and(|text| text.contains("\toverlay"));
        if !known() {
            let _loaded = std::process::Command::new("modprobe").arg("overlay").output();
            if !known() {
                return Err(Missing::Overlay);
            }
        }
        check_cgroup()?;
        check_network()
    }

    /// Checks everything a fleet of hosts of RPM packages needs.
    ///
    /// # Errors
    /// The first thing missing.
    pub fn check_rpm() -> Result<(), Missing> {
        Self::check()?;
        let missing = RPM_COMMANDS.iter().find(|(command, _)| !on_path(command));
        missing.map_or(Ok(()), |(command, package)| Err(Missing::Command { command, package }))
    }

    /// The Debian packages that bring every command needed.
    #[must_use]
    pub fn packages() -> Vec<&'static str> {
        let mut packages: Vec<_> =
            COMMANDS.iter().chain(&RPM_COMMANDS).map(|(_, package)| *package).collect();
        packages.dedup();
        packages
    }
}

/// Where the cgroup2 hierarchy is mounted, read from the mount table.
pub(crate) fn cgroup_mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let target = fields.nth(1)?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(target))
    })
}

fn check_cgroup() -> Result<(), Missing> {
    let probe = cgroup_mount().ok_or(Missing::Cgroup2)?.join(format!("tenon-probe-{}", std::process::id()));
    // Tests of one process may probe at the same time.
    if let Err(error) = fs::create_dir(&probe)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(Missing::Cgroup2);
    }
    let kill = probe.join("cgroup.kill").exists();
    let _gone = fs::remove_dir(&probe);
    if kill { Ok(()) } else { Err(Missing::Cgroup2) }
}

fn check_network() -> Result<(), Missing> {
    let script =
        "ip link set lo up && ip link add br0 type bridge && ip link add port0 type veth peer name port1";
    let output = std::process::Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .output()
        .map_err(|error| Missing::Network(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Missing::Network(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| Path::new(&dir).join(command).is_file())
}

//! Servers as a single administrator has them: what they run, what they report, how they answer orders.

use std::collections::BTreeMap;

use tenon_model::{
    ApplyOutcome, ApplyReport, Architecture, AssetId, Capability, Change, Component, Digest, Evidence,
    HostFacts, IndexState, Inventory, Kernel, Offer, OfferState, OrderAction, OsRelease, PackageTarget,
    RehearsalOutcome, RehearsalReport, SourcePackage, Transaction, TransactionStep, Undo, Virtualization,
};

use super::feed::{Feed, RELEASES};

/// A package: binary, source.
type Package = (&'static str, &'static str);

/// The packages of the kernels' images: the release that runs is in the name of one and is the version of the other.
const IMAGE: &str = "linux-image-6.1.0-1-amd64";
const CORE: &str = "kernel-core";

/// What every server of Debian has; a selection, of what fixes come for.
const DEBIAN: &[Package] = &[
    (IMAGE, "linux"),
    ("libc6", "glibc"),
    ("libssl3", "openssl"),
    ("systemd", "systemd"),
    ("curl", "curl"),
    ("libgnutls30", "gnutls28"),
    ("openssh-server", "openssh"),
    ("sudo", "sudo"),
    ("vim", "vim"),
    ("libxml2", "libxml2"),
    ("libexpat1", "expat"),
    ("perl-base", "perl"),
    ("libnss3", "nss"),
    ("libgssapi-krb5-2", "krb5"),
    ("libsqlite3-0", "sqlite3"),
    ("rsync", "rsync"),
    ("wget", "wget"),
    ("git", "git"),
    ("bind9-host", "bind9"),
    ("7zip", "7zip"),
];
/// What every server of AlmaLinux has.
const ALMA: &[Package] = &[
    (CORE, "kernel"),
    ("glibc", "glibc"),
    ("openssl-libs", "openssl"),
    ("systemd", "systemd"),
    ("curl", "curl"),
    ("gnutls", "gnutls"),
    ("openssh-server", "openssh"),
    ("sudo", "sudo"),
    ("vim-minimal", "vim"),
    ("libxml2", "libxml2"),
    ("expat", "expat"),
    ("perl-libs", "perl"),
    ("nss", "nss"),
    ("krb5-libs", "krb5"),
    ("sqlite-libs", "sqlite"),
    ("rsync", "rsync"),
    ("python3", "python3.9"),
    ("libsolv", "libsolv"),
    ("bind-libs", "bind"),
    ("glib2", "glib2"),
];
/// How the 20 servers differ: name, place in [`RELEASES`], what they serve with.
const SERVERS: [(&str, usize, &[Package]); 20] = [
    ("www1", 0, &[("nginx", "nginx"), ("php8.2-fpm", "php8.2")]),
    ("www2", 0, &[("nginx", "nginx"), ("php8.2-fpm", "php8.2")]),
    ("shop", 0, &[("apache2", "apache2"), ("redis-server", "redis"), ("imagemagick", "imagemagick")]),
    ("mail", 0, &[("postfix", "postfix"), ("dovecot-core", "dovecot"), ("roundcube", "roundcube")]),
    ("dns1", 0, &[("bind9", "bind9")]),
    ("cache", 0, &[("redis-server", "redis")]),
    ("proxy", 0, &[("squid", "squid")]),
    ("app1", 0, &[("openjdk-17-jre-headless", "openjdk-17"), ("libpoppler126", "poppler")]),
    ("dns2", 1, &[("bind9", "bind9")]),
    ("lb", 1, &[("haproxy", "haproxy")]),
    ("db2", 1, &[("postgresql-17", "postgresql-17")]),
    ("build", 1, &[("nodejs", "nodejs"), ("ruby-rack", "ruby-rack"), ("imagemagick", "imagemagick")]),
    ("web3", 2, &[("httpd", "httpd"), ("php-fpm", "php")]),
    ("web4", 2, &[("nginx", "nginx")]),
    ("imap", 2, &[("dovecot", "dovecot")]),
    ("run1", 2, &[("podman", "podman"), ("buildah", "buildah")]),
    ("run2", 2, &[("podman", "podman")]),
    ("java", 2, &[("tomcat", "tomcat"), ("java-17-openjdk-headless", "java-17-openjdk")]),
    ("virt", 2, &[("qemu-kvm", "qemu-kvm"), ("libvirt-daemon", "libvirt")]),
    ("print", 2, &[("cups", "cups"), ("cifs-utils", "cifs-utils")]),
];

/// How an order ends on a played host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Well,
    Badly,
}

/// A server.
pub(super) struct Host {
    pub(super) asset: AssetId,
    pub(super) name: &'static str,
    release: &'static str,
    packages: Vec<Package>,
    /// By binary package.
    versions: BTreeMap<&'static str, String>,
    sequence: u64,
    /// What it offered when it reported last; `None` before the first report and after a change.
    told: Option<Vec<Offer>>,
}

impl Host {
    /// All of them, patched up to what the feed has told so far.
    pub(super) fn estate(feed: &Feed) -> Vec<Self> {
        let host = |(number, (name, release, own)): (usize, &(&'static str, usize, &'static [Package]))| {
            let release = RELEASES[*release];
            let base = if is_debian(release) { DEBIAN } else { ALMA };
            let packages: Vec<Package> = base.iter().chain(*own).copied().collect();
            let version =
                |(binary, source): &Package| (*binary, first_version(feed, release, binary, source));
            Self {
                asset: format!("ast_{:032x}", number + 1).parse().unwrap(),
                name,
                release,
                versions: packages.iter().map(version).collect(),
                packages,
                sequence: 0,
                told: None,
            }
        };
        SERVERS.iter().enumerate().map(host).collect()
    }

    fn offers(&self, feed: &Feed) -> Vec<Offer> {
        let offer = |(binary, source): &Package| {
            let installed = self.versions[binary].clone();
            let name = if is_debian(self.release) { source } else { binary };
            let candidate = feed.fixed.get(&(self.release.to_owned(), (*name).to_owned()))?.clone();
            (candidate != installed).then(|| Offer {
                package: (*binary).to_owned(),
                architecture: self.architecture().to_owned(),
                installed,
                source: SourcePackage { name: (*source).to_owned(), version: candidate.clone() },
                candidate,
                security: true,
                state: OfferState::Offered,
                claims: Vec::new(),
            })
        };
        self.packages.iter().filter_map(offer).collect()
    }

    /// Its next report, where it has something to say.
    pub(super) fn report(&mut self, feed: &Feed) -> Option<(u64, Inventory)> {
        let offers = self.offers(feed);
        if self.told.as_ref() == Some(&offers) {
            return None;
        }
        self.told = Some(offers.clone());
        self.sequence += 1;
        let (id, version_id) = match self.release {
            "AlmaLinux:9" => ("almalinux", "9.6"),
            "Debian:13" => ("debian", "13"),
            _ => ("debian", "12"),
        };
        let os = OsRelease {
            id: id.to_owned(),
            version_id: version_id.to_owned(),
            pretty_name: format!("{id} {version_id}"),
        };
        let component = |(binary, source): &Package| {
            let version = self.versions[binary].clone();
            let source = SourcePackage { name: (*source).to_owned(), version: version.clone() };
            Component::os_package(*binary, self.architecture(), version, source)
        };
        let components = self.packages.iter().map(component).collect();
        let facts = HostFacts {
            hostname: self.name.to_owned(),
            architecture: Architecture(self.architecture().to_owned()),
            kernel: Kernel { running: self.running(), owner: Virtualization::Machine },
            offers,
            offers_known: true,
            index: IndexState { oldest_age_seconds: Some(60) },
            capability: Capability::Act,
            ..HostFacts::nothing_known_of(os)
        };
        Some((self.sequence, Inventory { facts, components }))
    }

    /// The kernel that runs: whoever installs one reboots.
    fn running(&self) -> String {
        match self.versions.get(CORE) {
            Some(version) => format!("{version}.{}", self.architecture()),
            None => IMAGE.trim_start_matches("linux-image-").to_owned(),
        }
    }

    fn architecture(&self) -> &'static str {
        if is_debian(self.release) { "amd64" } else { "x86_64" }
    }

    /// Other versions are there.
    pub(super) fn install<'t>(&mut self, targets: impl Iterator<Item = &'t PackageTarget>) {
        for target in targets {
            if let Some(version) = self.versions.get_mut(target.package.as_str()) {
                version.clone_from(&target.to);
                self.told = None;
            }
        }
    }

    /// How its rehearsal went. What boots the machine is never rehearsed, as on real hosts.
    pub(super) fn rehearsal(&self, action: &OrderAction, ending: Ending) -> RehearsalReport {
        let targets = action.targets();
        let boots = targets.iter().find(|target| [IMAGE, CORE].contains(&target.package.as_str()));
        let reason = match (boots, ending) {
            (Some(target), _) => Some(format!("{} changes how the machine boots", target.package)),
            (None, Ending::Badly) => {
                Some("a person changed a file that the new package changes too".to_owned())
            }
            (None, Ending::Well) => None,
        };
        let step = |target: &PackageTarget| TransactionStep {
            package: target.package.clone(),
            architecture: target.architecture.clone(),
            change: Change::Upgrade { from: target.from.clone(), to: target.to.clone() },
        };
        RehearsalReport {
            outcome: reason
                .map_or(RehearsalOutcome::Passed, |reason| RehearsalOutcome::NotRehearsed { reason }),
            transaction: Transaction { steps: targets.iter().map(step).collect(), kept_back: Vec::new() },
            files: Vec::new(),
            class: Digest::of(format!("{} {targets:?}", self.release).as_bytes()),
            conffile_conflicts: Vec::new(),
            units: Vec::new(),
            reboot: false,
            bytes_written: 1_000_000,
            duration_ms: 5_000,
            undo: Undo::Proven,
            output: String::new(),
        }
    }

    /// How its change went; it has the new versions then.
    pub(super) fn change(&mut self, action: &OrderAction, ending: Ending) -> ApplyReport {
        let targets = action.targets();
        let outcome = match ending {
            Ending::Well => {
                self.install(targets.iter());
                ApplyOutcome::Verified
            }
            Ending::Badly => {
                ApplyOutcome::RolledBack { reason: "a unit was active before and is failed now".to_owned() }
            }
        };
        ApplyReport {
            outcome,
            evidence: Evidence {
                package_manager_exit: Some(0),
                versions: targets.iter().map(|target| (target.package.clone(), target.to.clone())).collect(),
                stale: Vec::new(),
                units: Vec::new(),
                restarted: Vec::new(),
                reboot_pending: false,
                hooks: Vec::new(),
            },
            duration_ms: 30_000,
            output: String::new(),
        }
    }
}

fn is_debian(release: &str) -> bool {
    release.starts_with("Debian")
}

/// What is installed when the month begins: the last fix so far, or what the next one is a fix of.
fn first_version(feed: &Feed, release: &str, binary: &str, source: &str) -> String {
    let name = if is_debian(release) { source } else { binary };
    let so_far = feed.fixed.get(&(release.to_owned(), name.to_owned())).cloned();
    so_far
        .or_else(|| feed.next_fix(release, name).map(|fixed| format!("{fixed}~0")))
        .unwrap_or_else(|| "1.0-1".to_owned())
}

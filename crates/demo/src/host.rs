//! A played host: what it has, what it reports, and how it answers orders.

use std::collections::BTreeMap;

use tenon_model::{
    ApplyOutcome, ApplyReport, Architecture, Capability, Change, Component, Digest, EVIDENCE_VERSION,
    Evidence, EvidenceDocument, EvidenceGap, EvidenceOutcome, EvidencePart, EvidenceProcess, HostFacts,
    IndexState, Inventory, Kernel, Listener, Offer, OfferState, Order, OsRelease, PackageTarget, PinnedFile,
    Protocol, RehearsalOutcome, RehearsalReport, SourcePackage, Timestamp, Transaction, TransactionStep,
    Undo, Unit, UnitHealth, Virtualization,
};

use crate::estate::{Host, System};
use crate::feed::mended;
use crate::packages::{BASE, INVENTED, Package, invented};

/// How it ends when a played host does as ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Well,
    /// As the story wants it.
    Badly,
}

/// A host with what was installed on it since it came.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    pub(crate) host: Host,
    /// Versions by source package, where they are others than at first.
    installed: BTreeMap<String, String>,
}

impl Played {
    pub(crate) fn new(host: Host) -> Self {
        Self { host, installed: BTreeMap::new() }
    }

    /// Another version of a source package is installed.
    pub(crate) fn install(&mut self, source: &str, version: &str) {
        self.installed.insert(source.to_owned(), version.to_owned());
    }

    fn packages(&self) -> impl Iterator<Item = &'static Package> {
        let own = INVENTED.iter().filter(|package| self.host.role.packages.contains(&package.source));
        BASE.iter().chain(own)
    }

    pub(crate) fn has(&self, source: &str) -> bool {
        self.host.role.packages.contains(&source)
    }

    fn version(&self, package: &Package) -> String {
        if let Some(version) = self.installed.get(package.source) {
            return version.clone();
        }
        match invented(package.source) {
            Some(_) => package.version.to_owned(),
            // Images were made at different times.
            None => format!("{}+i{}", package.version, self.host.image),
        }
    }

    fn components(&self) -> Vec<Component> {
        let of = |package: &'static Package| {
            let version = self.version(package);
            package.binaries.iter().map(move |binary| {
                let source = SourcePackage { name: package.source.to_owned(), version: version.clone() };
                Component::os_package(*binary, "amd64", version.clone(), source)
            })
        };
        self.packages().flat_map(of).collect()
    }

    /// What its repository has that is newer, of the packages that `offered` names.
    fn offers(&self, offered: &dyn Fn(&str) -> bool) -> Vec<Offer> {
        let newer =
            self.packages().filter(|package| invented(package.source).is_some() && offered(package.source));
        let newer = newer.map(|package| (package, self.version(package), mended(package)));
        let newer = newer.filter(|(_, installed, candidate)| installed != candidate);
        let offer = |(package, installed, candidate): (&'static Package, String, String)| {
            package.binaries.iter().map(move |binary| Offer {
                package: (*binary).to_owned(),
                architecture: "amd64".to_owned(),
                installed: installed.clone(),
                candidate: candidate.clone(),
                source: SourcePackage { name: package.source.to_owned(), version: candidate.clone() },
                // That it mends something, its advisory tells.
                security: false,
                state: OfferState::Offered,
                claims: Vec::new(),
            })
        };
        newer.flat_map(offer).collect()
    }

    /// What it reports of itself.
    pub(crate) fn inventory(&self, offered: &dyn Fn(&str) -> bool) -> Inventory {
        let (id, version_id, pretty_name, kernel) = match self.host.system {
            System::Debian12 => ("debian", "12", "Debian GNU/Linux 12 (bookworm)", "6.1.0-44-amd64"),
            System::Ubuntu2404 => ("ubuntu", "24.04", "Ubuntu 24.04.1 LTS", "6.8.0-60-generic"),
        };
        // What a role is for stands first among its packages, and is what listens.
        let serving = self.host.role.packages.first().and_then(|source| invented(source));
        let serving = serving.and_then(|package| package.binaries.first());
        let listener = |port: &u16| Listener {
            protocol: Protocol::Tcp,
            address: self.host.address,
            port: *port,
            process: None,
            unit: None,
            package: serving.map(|binary| (*binary).to_owned()),
        };
        let number = self.host.asset.to_string().bytes().map(u32::from).sum::<u32>();
        let os = OsRelease {
            id: id.to_owned(),
            version_id: version_id.to_owned(),
            pretty_name: pretty_name.to_owned(),
        };
        let facts = HostFacts {
            hostname: self.host.name.clone(),
            architecture: Architecture("amd64".to_owned()),
            kernel: Kernel { running: kernel.to_owned(), owner: Virtualization::Machine },
            offers: self.offers(offered),
            offers_known: true,
            index: IndexState { oldest_age_seconds: Some(u64::from(number % 40) * 60) },
            listeners: self.host.role.ports.iter().map(listener).collect(),
            addresses: vec![self.host.address],
            capability: match (self.host.role.team, number % 9) {
                ("warehouse", 0) => Capability::ObserveOnly {
                    reason: "no right to mount (CAP_SYS_ADMIN): the container it runs in forbids it"
                        .to_owned(),
                },
                _ => Capability::Act,
            },
            gaps: match (self.host.role.team, number % 7) {
                ("warehouse" | "analytics", 0) => {
                    vec!["systemd does not run here: the health of services is not known".to_owned()]
                }
                _ => Vec::new(),
            },
            ..HostFacts::nothing_known_of(os)
        };
        Inventory { facts, components: self.components() }
    }

    /// Hosts of one class behave alike: those of one system, and those whose configuration was changed by hand.
    fn class(&self, targets: &[PackageTarget]) -> Digest {
        let what: Vec<String> = targets
            .iter()
            .map(|target| format!("{} {} {}", target.package, target.from, target.to))
            .collect();
        let Host { system, changed_by_hand, .. } = self.host;
        Digest::of(format!("{what:?} {system:?} {changed_by_hand}").as_bytes())
    }

    fn units(&self, targets: &[PackageTarget]) -> Vec<Unit> {
        let touched = self.packages().filter(|package| {
            targets.iter().any(|target| package.binaries.contains(&target.package.as_str()))
        });
        touched.filter_map(|package| package.unit).map(|unit| Unit(unit.to_owned())).collect()
    }

    /// How its rehearsal went.
    pub(crate) fn rehearsal(&self, order: &Order, ending: Ending) -> RehearsalReport {
        let targets = order.action.targets();
        let (outcome, conflicts) = match ending {
            Ending::Well => (RehearsalOutcome::Passed, Vec::new()),
            Ending::Badly => (
                RehearsalOutcome::NotRehearsed {
                    reason: "/etc/lantern/lantern.conf was changed by a person and the new package changes it too; \
                             merge it on the host, then retry"
                        .to_owned(),
                },
                vec!["/etc/lantern/lantern.conf".to_owned()],
            ),
        };
        let step = |target: &PackageTarget| TransactionStep {
            package: target.package.clone(),
            architecture: target.architecture.clone(),
            change: Change::Upgrade { from: target.from.clone(), to: target.to.clone() },
        };
        let file = |target: &PackageTarget| PinnedFile {
            package: target.package.clone(),
            architecture: target.architecture.clone(),
            version: target.to.clone(),
            sha256: Digest::of(format!("{} {}", target.package, target.to).as_bytes()),
        };
        RehearsalReport {
            outcome,
            transaction: Transaction { steps: targets.iter().map(step).collect(), kept_back: Vec::new() },
            files: targets.iter().map(file).collect(),
            class: self.class(targets),
            conffile_conflicts: conflicts,
            units: self.units(targets),
            reboot: false,
            bytes_written: 3_000_000 + 11 * u64::from(self.host.image),
            duration_ms: 4_200 + 380 * u64::from(self.host.image),
            undo: Undo::Proven,
            output: said(targets),
        }
    }

    /// What it preserves of itself before that is changed: what its services run as.
    pub(crate) fn evidence(&self, order: &Order, now: Timestamp) -> EvidenceOutcome {
        let services = self.packages().filter_map(|package| package.unit).zip(1..);
        let process = |(unit, place): (&str, u32)| EvidenceProcess {
            pid: 400 + 37 * place,
            ppid: 1,
            uid: 990 + place,
            started: 1_200 + u64::from(place),
            exe: Some(format!("/usr/sbin/{}", unit.trim_end_matches(".service"))),
            cmdline: vec![format!("/usr/sbin/{}", unit.trim_end_matches(".service"))],
            cgroup: format!("/system.slice/{unit}"),
        };
        let document = EvidenceDocument {
            tenon_evidence: EVIDENCE_VERSION,
            order: order.id,
            asset: order.asset,
            directive: order.directive,
            hostname: self.host.name.clone(),
            begun: now,
            duration_ms: 640,
            boot: "0b5e3c1a-demo".to_owned(),
            processes: services.map(process).collect(),
            sockets: Vec::new(),
            maps: Vec::new(),
            sessions: Vec::new(),
            logs: Vec::new(),
            packages: Vec::new(),
            gaps: vec![EvidenceGap {
                part: EvidencePart::Logs,
                what: "a played host keeps no log".to_owned(),
            }],
        };
        match document.encode() {
            Ok(text) => EvidenceOutcome::Preserved { digest: Digest::of(text.as_bytes()), document: text },
            Err(error) => EvidenceOutcome::NotPreserved { reason: error.to_string() },
        }
    }

    /// How its change went.
    pub(crate) fn change(&self, order: &Order, ending: Ending) -> ApplyReport {
        let targets = order.action.targets();
        let units = self.units(targets);
        let (outcome, after, more) = match ending {
            Ending::Well => (ApplyOutcome::Verified, "active", ""),
            Ending::Badly => (
                ApplyOutcome::RolledBack {
                    reason: "lanternd.service was active before and is failed now".to_owned(),
                },
                "failed",
                "lanternd[812]: /etc/lantern/lantern.conf:31: unknown directive \"legacy_headers\"\n",
            ),
        };
        let health = units.iter().map(|unit| UnitHealth {
            unit: unit.clone(),
            before: "active".to_owned(),
            after: after.to_owned(),
        });
        ApplyReport {
            outcome,
            evidence: Evidence {
                package_manager_exit: Some(0),
                versions: targets.iter().map(|target| (target.package.clone(), target.to.clone())).collect(),
                stale: Vec::new(),
                units: health.collect(),
                restarted: units,
                reboot_pending: false,
                hooks: Vec::new(),
            },
            duration_ms: 21_000 + 700 * u64::from(self.host.image),
            output: said(targets) + more,
        }
    }
}

/// What a package manager would have said.
fn said(targets: &[PackageTarget]) -> String {
    let line = |target: &PackageTarget| {
        format!(
            "Unpacking {0} ({1}) over ({2}) ...\nSetting up {0} ({1}) ...\n",
            target.package, target.to, target.from
        )
    };
    targets.iter().map(line).collect()
}

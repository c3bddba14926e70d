//! A host of RPM packages with the library's probe on it.

use std::time::Duration;

use tenon_fleet::{Advisory, Boot, Host, Image, Lab, Requirements, RpmRepository, ToyPackage, cache_dir};
use tenon_model::{ApplyReport, Inventory, PackageTarget, RehearsalOutcome, RehearsalReport, Undo};

use crate::site::{PROBE, WORK, order, probe, probe_on};

/// Everything is deleted when this is dropped; the host goes before its lab.
pub(crate) struct RpmSite {
    pub(crate) host: Host,
    pub(crate) repository: RpmRepository,
    pub(crate) lab: Lab,
    pub(crate) image: Image,
}

/// A site, or the reason why this machine cannot have one, printed under the test's name.
pub(crate) fn rpm_site(test: &str, boot: Boot) -> Option<RpmSite> {
    if let Err(missing) = Requirements::check_rpm() {
        println!("skipped: {test}: {missing}");
        return None;
    }
    let image = Image::prepare_rpm(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let repository = lab.serve_rpm_repository(&image).unwrap();
    let host = lab.host("db1").unwrap();
    host.copy_in(&probe(), PROBE).unwrap();
    host.boot(boot).unwrap();
    if boot == Boot::Full {
        host.wait_running(Duration::from_secs(60)).unwrap();
    }
    Some(RpmSite { host, repository, lab, image })
}

impl RpmSite {
    /// Looks at the host, with metadata that are fetched anew.
    pub(crate) fn inventory(&self) -> Inventory {
        self.forget_metadata(WORK);
        probe_on(&self.host, &["inventory", WORK], "")
    }

    /// Lets the next look ask the repository again, as it does by itself after three hours.
    fn forget_metadata(&self, work: &str) {
        self.host.exec(["rm", "-rf", &format!("{work}/dnf/cache")]).unwrap().ok().unwrap();
    }

    pub(crate) fn rehearse(&self, targets: &[PackageTarget]) -> RehearsalReport {
        self.rehearse_in(WORK, targets)
    }

    pub(crate) fn rehearse_in(&self, work: &str, targets: &[PackageTarget]) -> RehearsalReport {
        self.forget_metadata(work);
        probe_on(&self.host, &["rehearse", work], &serde_json::to_string(targets).unwrap())
    }

    pub(crate) fn apply(&self, targets: &[PackageTarget], rehearsal: &RehearsalReport) -> ApplyReport {
        probe_on(&self.host, &["apply", WORK], &order(targets, rehearsal))
    }

    /// Begins an apply and does not wait for it.
    pub(crate) fn begin_apply(&self, targets: &[PackageTarget], rehearsal: &RehearsalReport) {
        self.host.write_file("/tmp/order.json", order(targets, rehearsal).as_bytes(), 0o600).unwrap();
        let line = format!("setsid {PROBE} apply {WORK} </tmp/order.json >/tmp/report.json 2>&1 &");
        self.host.shell(&line).unwrap().ok().unwrap();
    }

    pub(crate) fn recover(&self) -> Option<ApplyReport> {
        probe_on(&self.host, &["recover", WORK], "")
    }

    pub(crate) fn publish(&self, package: &ToyPackage, advisories: &[Advisory]) {
        self.repository.add(&package.build_rpm(self.lab.dir()).unwrap()).unwrap();
        self.repository.publish(advisories).unwrap();
    }

    /// Publishes a package and lets the host install it from there.
    pub(crate) fn install(&self, package: &ToyPackage, name: &str) {
        self.publish(package, &[]);
        self.host.exec(["dnf", "-y", "-q", "--refresh", "install", name]).unwrap().ok().unwrap();
    }

    /// Version 1 of toyd installed, version 2 published and rehearsed, with its way back.
    pub(crate) fn rehearsed_toy(&self, new: &ToyPackage) -> ([PackageTarget; 1], RehearsalReport) {
        self.install(&ToyPackage::new("toyd", "1.0"), "toyd");
        self.publish(new, &[]);
        let targets = [rpm_target("toyd", "1.0-1", "2.0-1")];
        let rehearsal = self.rehearse(&targets);
        assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed, "{rehearsal:?}");
        assert_eq!(rehearsal.undo, Undo::Proven);
        (targets, rehearsal)
    }

    /// The versions of a package that rpm has on record.
    pub(crate) fn versions(&self, package: &str) -> Vec<String> {
        let words = ["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}\\n", package];
        let output = self.host.exec(words).unwrap();
        output.stdout.lines().map(str::to_owned).collect()
    }

    pub(crate) fn is_active(&self, unit: &str) -> bool {
        self.host.exec(["systemctl", "is-active", "--quiet", unit]).unwrap().success()
    }
}

/// A package of the tests' own, which is of architecture `noarch`.
pub(crate) fn rpm_target(package: &str, from: &str, to: &str) -> PackageTarget {
    PackageTarget { package: package.into(), architecture: "noarch".into(), from: from.into(), to: to.into() }
}

//! A host of the fleet with the library's probe on it.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tenon_fleet::{Boot, Host, Image, Lab, Mirror, Pending, Requirements, Suite, ToyPackage, cache_dir};
use tenon_model::{ApplyReport, Inventory, PackageTarget, RehearsalOutcome, RehearsalReport};

/// Where the probe lies on the host, and its work folder, which survives power cuts.
pub(crate) const PROBE: &str = "/usr/local/bin/host_probe";
pub(crate) const WORK: &str = "/var/lib/tenon-agent/work";

/// Everything is deleted when this is dropped; the host goes before its lab.
pub(crate) struct Site {
    pub(crate) host: Host,
    pub(crate) mirror: Mirror,
    pub(crate) lab: Lab,
    pub(crate) image: Image,
}

/// A site, or the reason why this machine cannot have one, printed under the test's name.
pub(crate) fn site(test: &str, boot: Boot) -> Option<Site> {
    if let Err(missing) = Requirements::check() {
        println!("skipped: {test}: {missing}");
        return None;
    }
    let image = Image::prepare(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let mirror = lab.serve_mirror(&image).unwrap();
    let host = lab.host("web1").unwrap();
    host.copy_in(&probe(), PROBE).unwrap();
    host.boot(boot).unwrap();
    if boot == Boot::Full {
        host.wait_running(std::time::Duration::from_secs(60)).unwrap();
    }
    Some(Site { host, mirror, lab, image })
}

/// The example beside this test, which cargo builds with it.
pub(crate) fn probe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples/host_probe")
}

impl Site {
    pub(crate) fn probe<T: DeserializeOwned>(&self, words: &[&str], input: &str) -> T {
        probe_on(&self.host, words, input)
    }

    /// One more host of the site, running, with the probe on it.
    pub(crate) fn another(&self, name: &str) -> Host {
        let host = self.lab.host(name).unwrap();
        host.copy_in(&probe(), PROBE).unwrap();
        host.boot(Boot::Full).unwrap();
        host.wait_running(std::time::Duration::from_secs(60)).unwrap();
        host
    }

    /// Looks at a host, rehearses, and applies what was rehearsed.
    pub(crate) fn patch(&self, host: &Host, targets: &[PackageTarget]) -> ApplyReport {
        let _index: Inventory = probe_on(host, &["inventory", WORK], "");
        let rehearsal: RehearsalReport =
            probe_on(host, &["rehearse", WORK], &serde_json::to_string(targets).unwrap());
        probe_on(host, &["apply", WORK], &order(targets, &rehearsal))
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.probe(&["inventory", WORK], "")
    }

    /// Rehearses; the inventory before it fetches the index into the work folder.
    pub(crate) fn rehearse(&self, targets: &[PackageTarget]) -> RehearsalReport {
        self.probe(&["rehearse", WORK], &serde_json::to_string(targets).unwrap())
    }

    /// An update that is published and rehearsed, and passes.
    pub(crate) fn rehearsed(&self, new: &ToyPackage, targets: &[PackageTarget]) -> RehearsalReport {
        self.publish_update(new);
        let rehearsal = self.rehearse(targets);
        assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed, "{}", rehearsal.output);
        rehearsal
    }

    /// Version 1 of toyd installed, version 2 published and rehearsed.
    pub(crate) fn rehearsed_toy(&self, new: &ToyPackage) -> ([PackageTarget; 1], RehearsalReport) {
        self.install(&ToyPackage::new("toyd", "1.0"), "toyd");
        let targets = [toy_target("toyd", "1.0", "2.0")];
        let rehearsal = self.rehearsed(new, &targets);
        (targets, rehearsal)
    }

    pub(crate) fn rehearse_in(&self, work: &str, targets: &[PackageTarget]) -> RehearsalReport {
        self.probe(&["rehearse", work], &serde_json::to_string(targets).unwrap())
    }

    pub(crate) fn apply(&self, targets: &[PackageTarget], rehearsal: &RehearsalReport) -> ApplyReport {
        self.probe(&["apply", WORK], &order(targets, rehearsal))
    }

    /// Begins an apply and does not wait for it.
    pub(crate) fn begin_apply(&self, targets: &[PackageTarget], rehearsal: &RehearsalReport) {
        self.host.write_file("/tmp/order.json", order(targets, rehearsal).as_bytes(), 0o600).unwrap();
        let line = format!("setsid {PROBE} apply {WORK} </tmp/order.json >/tmp/report.json 2>&1 &");
        self.host.shell(&line).unwrap().ok().unwrap();
    }

    pub(crate) fn recover(&self) -> Option<ApplyReport> {
        self.probe(&["recover", WORK], "")
    }

    /// Publishes a package of the tests' own and lets the host install it from there.
    pub(crate) fn install(&self, package: &ToyPackage, name: &str) {
        self.publish(Suite::Release, package);
        self.host
            .shell(&format!("apt-get -qq update && apt-get -y -qq install {name}"))
            .unwrap()
            .ok()
            .unwrap();
    }

    pub(crate) fn publish(&self, suite: Suite, package: &ToyPackage) {
        let deb = package.build(self.lab.dir()).unwrap();
        self.mirror.add(suite, &deb).unwrap();
        self.mirror.publish(suite).unwrap();
    }

    /// Publishes an update and lets the host see it.
    pub(crate) fn publish_update(&self, package: &ToyPackage) {
        self.publish(Suite::Security, package);
        self.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
    }

    /// One pending security update of the image, as a target.
    pub(crate) fn pending(&self, package: &str) -> PackageTarget {
        let pending = self.image.pending().iter().find(|pending| pending.package == package);
        as_target(pending.unwrap_or_else(|| panic!("{package} has no pending update in this image")))
    }

    pub(crate) fn version(&self, package: &str) -> String {
        let words = ["dpkg-query", "-W", "-f", "${Version}", package];
        self.host.exec(words).unwrap().ok().unwrap().stdout
    }

    /// Whether a service runs.
    pub(crate) fn is_active(&self, unit: &str) -> bool {
        self.host.exec(["systemctl", "is-active", "--quiet", unit]).unwrap().success()
    }
}

pub(crate) fn probe_on<T: DeserializeOwned>(host: &Host, words: &[&str], input: &str) -> T {
    let command = std::iter::once(PROBE).chain(words.iter().copied());
    let output = host.exec_with(command, input.as_bytes(), std::time::Duration::from_secs(900));
    let output = output.unwrap().ok().unwrap();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.stdout))
}

pub(crate) fn order(targets: &[PackageTarget], rehearsal: &RehearsalReport) -> String {
    serde_json::to_string(&(targets, &rehearsal.transaction, &rehearsal.files)).unwrap()
}

pub(crate) fn as_target(pending: &Pending) -> PackageTarget {
    PackageTarget {
        package: pending.package.clone(),
        architecture: "amd64".to_owned(),
        from: pending.installed.clone(),
        to: pending.candidate.clone(),
    }
}

/// A package of the tests' own, which is of architecture `all`.
pub(crate) fn toy_target(package: &str, from: &str, to: &str) -> PackageTarget {
    PackageTarget { package: package.into(), architecture: "all".into(), from: from.into(), to: to.into() }
}

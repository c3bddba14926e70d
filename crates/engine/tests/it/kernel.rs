//! Kernels: only the running one can be attacked, and a new one is not in use before a reboot.

use tenon_engine::{FindingState, findings};
use tenon_model::{
    ApplyOutcome, AssetId, Component, Inventory, Outcome, RehearsalOutcome, SourcePackage, Stage,
    Virtualization,
};

use crate::lab::{Lab, advisory, component, inventory, security_offer};

const VULNERABLE: &str = "6.1.140-1";
const FIXED: &str = "6.1.147-1";
const RUNNING: &str = "6.1.0-44-amd64";
const NEXT: &str = "6.1.0-45-amd64";

fn image(release: &str, version: &str) -> Component {
    component(&format!("linux-image-{release}"), "linux", version)
}

/// The states of everything found on a host with these packages.
fn found(change: impl Fn(&mut Inventory), components: Vec<Component>) -> Vec<FindingState> {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.publish(vec![advisory("DSA-9-1", &["CVE-2026-9"], "linux", Some(FIXED))]);
    let mut report = inventory(components, Vec::new());
    change(&mut report);
    lab.report(asset, report);
    states(&lab, asset)
}

fn states(lab: &Lab, asset: AssetId) -> Vec<FindingState> {
    let assessment = findings(&lab.world, lab.world.asset(&asset).unwrap());
    assert_eq!(assessment.not_assessed, Vec::<String>::new());
    assessment.findings.into_iter().map(|finding| finding.state).collect()
}

#[test]
fn the_running_image_is_what_counts() {
    let as_is = |_: &mut Inventory| {};
    let running = found(as_is, vec![image(RUNNING, VULNERABLE)]);
    assert_eq!(running, [FindingState::FixNotOffered]);
    let unsigned = found(as_is, vec![image(&format!("{RUNNING}-unsigned"), VULNERABLE)]);
    assert_eq!(unsigned, [FindingState::FixNotOffered]);
    let rebooted_before = found(as_is, vec![image("6.1.0-43-amd64", VULNERABLE), image(RUNNING, FIXED)]);
    assert_eq!(rebooted_before, [FindingState::NotRunning]);
    let pending = found(as_is, vec![image(RUNNING, VULNERABLE), image(NEXT, FIXED)]);
    assert_eq!(pending, [FindingState::RebootPending]);
    let fixed = found(as_is, vec![image(RUNNING, FIXED)]);
    assert_eq!(fixed, []);
}

#[test]
fn a_system_at_rest_will_run_its_newest_image() {
    let at_rest = |report: &mut Inventory| report.facts.kernel.running.clear();
    assert_eq!(found(at_rest, vec![image(RUNNING, VULNERABLE)]), [FindingState::FixNotOffered]);
    let both = found(at_rest, vec![image(RUNNING, VULNERABLE), image(NEXT, FIXED)]);
    assert_eq!(both, [FindingState::NotRunning]);
}

#[test]
fn an_offered_kernel_is_an_offered_fix() {
    let offered = |report: &mut Inventory| {
        let meta = component("linux-image-amd64", "linux", VULNERABLE);
        report.facts.offers.push(security_offer(&meta, FIXED));
        report.components.push(meta);
    };
    let states = found(offered, vec![image(RUNNING, VULNERABLE)]);
    assert_eq!(states, [FindingState::FixOffered { candidate: FIXED.to_owned() }]);
}

#[test]
fn containers_and_headers_have_no_kernel() {
    let container = |report: &mut Inventory| report.facts.kernel.owner = Virtualization::Container;
    assert_eq!(found(container, vec![image(RUNNING, VULNERABLE)]), []);
    let headers =
        [&format!("linux-headers-{RUNNING}"), "linux-kbuild-6.1", "linux-libc-dev", "linux-image-amd64"];
    for package in headers {
        assert_eq!(found(|_| {}, vec![component(package, "linux", VULNERABLE)]), [], "{package}");
    }
}

/// A kernel with its headers, as it is on a host that builds modules: the old ones stay beside the new ones.
#[test]
fn a_new_kernel_is_verified_by_the_reboot_although_old_packages_stay() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.promote("web");
    lab.publish(vec![advisory("DSA-9-1", &["CVE-2026-9"], "linux", Some(FIXED))]);
    let kernel = |release: &str, version: &str| {
        vec![image(release, version), component(&format!("linux-headers-{release}"), "linux", version)]
    };
    let meta = |version| component("linux-image-amd64", "linux", version);
    let mut report = inventory(kernel(RUNNING, VULNERABLE), vec![security_offer(&meta(VULNERABLE), FIXED)]);
    report.components.push(meta(VULNERABLE));
    lab.report(asset, report);
    let (id, state) = lab.open_directive();
    let source = SourcePackage { name: "linux".to_owned(), version: FIXED.to_owned() };
    assert_eq!(state.directive.action, tenon_model::Action::Upgrade { source });
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    lab.approve(id);
    lab.applied(asset, ApplyOutcome::Verified);

    // Installed, and not yet running: not fixed.
    let mut components = kernel(RUNNING, VULNERABLE);
    components.extend(kernel(NEXT, FIXED));
    components.push(meta(FIXED));
    let mut report = inventory(components, Vec::new());
    lab.report(asset, report.clone());
    assert_eq!(states(&lab, asset), [FindingState::RebootPending]);
    assert!(matches!(lab.stage(id, asset), Stage::Applied { .. }));

    // Rebooted: the old image and its headers are still installed, and harmless.
    report.facts.kernel.running = NEXT.to_owned();
    lab.report(asset, report);
    assert_eq!(states(&lab, asset), [FindingState::NotRunning]);
    assert_eq!(*lab.stage(id, asset), Stage::Verified);
    assert_eq!(lab.world.directive(&id).unwrap().closed.as_ref().unwrap().1, Outcome::Fixed);
}

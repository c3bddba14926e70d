//! Hosts of RPM packages: advisories name what was built, offers come by source, and a source is one thing to do.

use std::collections::BTreeSet;

use tenon_engine::{FindingState, findings};
use tenon_model::{
    Advisory, AffectedRange, ApplyOutcome, AssetId, Component, Inventory, Offer, Outcome, RehearsalOutcome,
    SourcePackage, Stage,
};

use crate::lab::{Lab, advisory, inventory, security_offer};

/// A source and what is built from it: name and epoch.
type Built<'b> = (&'b str, &'b [(&'b str, &'b str)]);

const OPENSSL: Built<'_> = ("openssl", &[("openssl", "1:"), ("openssl-libs", "1:")]);
const PERL: Built<'_> = ("perl", &[("perl-libs", "4:"), ("perl-Errno", "")]);

/// A binary package of this version of its source.
fn package((source, _): Built<'_>, (name, epoch): (&str, &str), version: &str) -> Component {
    let source = SourcePackage { name: source.to_owned(), version: version.to_owned() };
    Component::os_package(name, "x86_64", format!("{epoch}{version}"), source)
}

fn offer(of: Built<'_>, (name, epoch): (&str, &str), from: &str, to: &str) -> Offer {
    let installed = package(of, (name, epoch), from);
    let source = SourcePackage { name: of.0.to_owned(), version: to.to_owned() };
    Offer { candidate: format!("{epoch}{to}"), source, ..security_offer(&installed, to) }
}

fn host(components: Vec<Component>, offers: Vec<Offer>) -> Inventory {
    let mut report = inventory(components, offers);
    let os = &mut report.facts.os;
    (os.id, os.version_id) = ("almalinux".to_owned(), "9.6".to_owned());
    report.facts.kernel.running = "5.14.0-1.el9.x86_64".to_owned();
    report
}

/// As AlmaLinux publishes: every package that was built is named, with its own fixed version.
fn published(id: &str, cve: &str, fixed: &[(&str, String)]) -> Advisory {
    let mut published = advisory(id, &[cve], "", None);
    let of = published.affected.remove(0);
    for (package, fixed) in fixed {
        let mut of = of.clone();
        (of.ecosystem, of.package) = ("AlmaLinux:9".to_owned(), (*package).to_owned());
        of.ranges = vec![AffectedRange { introduced: None, fixed: Some(fixed.clone()), last_affected: None }];
        published.affected.push(of);
    }
    published
}

fn of_source((_, built): Built<'_>, fixed: &str) -> Vec<(&'static str, String)> {
    let leak = |name: &str| -> &'static str { name.to_owned().leak() };
    built.iter().map(|(name, epoch)| (leak(name), format!("{epoch}{fixed}"))).collect()
}

fn states(lab: &Lab, asset: AssetId) -> Vec<FindingState> {
    let assessment = findings(&lab.world, lab.world.asset(&asset).unwrap());
    assert_eq!(assessment.not_assessed, Vec::<String>::new());
    assessment.findings.into_iter().map(|finding| finding.state).collect()
}

#[test]
fn what_was_built_from_a_source_is_one_directive() {
    for of in [OPENSSL, PERL] {
        let (old, new) = ("3.5.5-3.el9", "3.5.5-4.el9");
        let mut lab = Lab::new();
        let asset = lab.enrol("alpha", "web");
        lab.promote("web");
        let here = |version: &str| of.1.iter().map(|one| package(of, *one, version)).collect::<Vec<_>>();
        let offers: Vec<Offer> = of.1.iter().map(|one| offer(of, *one, old, new)).collect();
        lab.report(asset, host(here(old), offers));
        lab.publish(vec![published("ALSA-2026:1", "CVE-2026-9", &of_source(of, new))]);
        assert_eq!(
            states(&lab, asset),
            vec![FindingState::FixOffered { candidate: new.to_owned() }; 2],
            "{}",
            of.0
        );
        assert_eq!(lab.world.directives().filter(|(_, state)| state.closed.is_none()).count(), 1);
        let (id, state) = lab.open_directive();
        assert_eq!(state.source(), &SourcePackage { name: of.0.to_owned(), version: new.to_owned() });
        assert_eq!(state.directive.closes, ["CVE-2026-9".parse().unwrap()]);
        let targets = state.targets(lab.world.ordinal(&asset).unwrap()).unwrap();
        let named: BTreeSet<&str> = targets.iter().map(|target| target.package.as_str()).collect();
        assert_eq!(named, of.1.iter().map(|(name, _)| *name).collect());
        let exposure = lab.world.exposure(&"CVE-2026-9".parse().unwrap());
        assert_eq!(exposure.assets().len(), 1);
        lab.sound();

        lab.rehearsed(asset, RehearsalOutcome::Passed);
        lab.approve(id);
        lab.applied(asset, ApplyOutcome::Verified);
        // One of them only: that is not the fix.
        let half = vec![package(of, of.1[0], new), package(of, of.1[1], old)];
        lab.report(asset, host(half, vec![offer(of, of.1[1], old, new)]));
        // The rest is tried anew.
        assert!(matches!(lab.stage(id, asset), Stage::Rehearsing { .. }), "{}", of.0);
        lab.rehearsed(asset, RehearsalOutcome::Passed);
        lab.report(asset, host(here(new), Vec::new()));
        assert_eq!(states(&lab, asset), [], "{}", of.0);
        assert_eq!(lab.world.directive(&id).unwrap().closed.as_ref().unwrap().1, Outcome::Fixed);
        lab.sound();
    }
}

#[test]
fn a_library_alone_is_found_by_its_own_name() {
    let (old, new) = ("3.5.5-3.el9", "3.5.5-4.el9");
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    // The advisory is there before the host, and names what the host does not have as well.
    lab.publish(vec![published("ALSA-2026:1", "CVE-2026-9", &of_source(OPENSSL, new))]);
    let library = OPENSSL.1[1];
    lab.report(asset, host(vec![package(OPENSSL, library, old)], vec![offer(OPENSSL, library, old, new)]));
    let (id, state) = lab.open_directive();
    assert_eq!(state.source().name, "openssl");
    // Taken back: then it is an update of the vendor's own, and the CVE is not what it closes.
    let withdraw =
        tenon_model::AdvisoryDelta { published: Vec::new(), withdrawn: vec!["ALSA-2026:1".parse().unwrap()] };
    let (feed, as_of) = ("osv".to_owned(), None);
    lab.must(tenon_model::Command::ChangeAdvisories { feed, delta: withdraw, as_of });
    let closes = &lab.world.directive(&id).unwrap().directive.closes;
    assert!(!closes.contains(&"CVE-2026-9".parse().unwrap()), "{closes:?}");
    lab.sound();
}

/// dnf leaves old kernels installed, with their modules.
#[test]
fn a_new_kernel_is_verified_by_the_reboot_although_old_packages_stay() {
    let kernel: Built<'_> = ("kernel", &[("kernel", ""), ("kernel-core", ""), ("kernel-modules", "")]);
    let (old, new) = ("5.14.0-1.el9", "5.14.0-2.el9");
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.promote("web");
    let of = |version: &str| kernel.1.iter().map(|one| package(kernel, *one, version)).collect::<Vec<_>>();
    lab.publish(vec![published("ALSA-2026:2", "CVE-2026-9", &of_source(kernel, new))]);
    let offers = kernel.1.iter().map(|one| offer(kernel, *one, old, new)).collect();
    lab.report(asset, host(of(old), offers));
    assert_eq!(states(&lab, asset), [FindingState::FixOffered { candidate: new.to_owned() }]);
    let (id, _) = lab.open_directive();
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    lab.approve(id);
    lab.applied(asset, ApplyOutcome::Verified);

    let mut report = host([of(old), of(new)].concat(), Vec::new());
    lab.report(asset, report.clone());
    assert_eq!(states(&lab, asset), [FindingState::RebootPending]);
    assert!(matches!(lab.stage(id, asset), Stage::Applied { .. }));
    report.facts.kernel.running = format!("{new}.x86_64");
    lab.report(asset, report);
    assert_eq!(states(&lab, asset), [FindingState::NotRunning]);
    assert_eq!(lab.world.directive(&id).unwrap().closed.as_ref().unwrap().1, Outcome::Fixed);
    lab.sound();
}

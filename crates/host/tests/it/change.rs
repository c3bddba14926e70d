//! Changes: verified on the host, or taken back; cut off at any point and still told truthfully.

use std::time::Duration;

use tenon_fleet::{Boot, Daemon, ToyPackage, wait_until};
use tenon_model::{ApplyOutcome, RehearsalOutcome, RehearsalReport, Undo};

use crate::site::{Site, site, toy_target};

fn passed(report: RehearsalReport) -> RehearsalReport {
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{}", report.output);
    assert_eq!(report.undo, Undo::Proven);
    report
}

#[track_caller]
fn refused(outcome: &ApplyOutcome, expected: &str) {
    assert!(matches!(outcome, ApplyOutcome::Refused { code, .. } if code == expected), "{outcome:?}");
}

#[test]
fn a_real_library_is_upgraded_and_what_ran_the_old_one_is_restarted() {
    let test = "a_real_library_is_upgraded_and_what_ran_the_old_one_is_restarted";
    let Some(site) = site(test, Boot::Full) else { return };
    site.inventory();
    let targets = [site.pending("libssl3"), site.pending("openssl")];
    let rehearsal = passed(site.rehearse(&targets));
    let units: Vec<&str> = rehearsal.units.iter().map(|unit| unit.0.as_str()).collect();
    assert!(units.contains(&"nginx.service"), "{units:?}");
    let report = site.apply(&targets, &rehearsal);
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(site.version("libssl3"), targets[0].to);
    assert_eq!(report.evidence.package_manager_exit, Some(0));
    assert!(report.evidence.stale.is_empty());
    let restarted: Vec<&str> = report.evidence.restarted.iter().map(|unit| unit.0.as_str()).collect();
    assert!(
        ["nginx.service", "redis-server.service"].iter().all(|unit| restarted.contains(unit)),
        "{restarted:?}"
    );
    assert!(
        report.evidence.units.iter().all(|health| health.before == health.after),
        "{:?}",
        report.evidence.units
    );
    assert!(site.inventory().facts.stale.is_empty());
    // The same order again finds nothing to do, and does nothing.
    refused(&site.apply(&targets, &rehearsal).outcome, "precondition");
    assert_eq!(site.recover(), None);
}

/// Version 1 healthy and installed, version 2 as given and seen by the host.
fn toy(site: &Site, new: &ToyPackage) -> [tenon_model::PackageTarget; 1] {
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    site.publish_update(new);
    [toy_target("toyd", "1.0", "2.0")]
}

#[test]
fn a_service_that_the_update_breaks_is_taken_back_although_apt_says_zero() {
    let test = "a_service_that_the_update_breaks_is_taken_back_although_apt_says_zero";
    let Some(site) = site(test, Boot::Full) else { return };
    let targets = toy(&site, &ToyPackage::new("toyd", "2.0").daemon(Daemon::FailsAtStart));
    let rehearsal = passed(site.rehearse(&targets));
    let report = site.apply(&targets, &rehearsal);
    assert_eq!(report.evidence.package_manager_exit, Some(0));
    assert!(
        matches!(&report.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("toyd.service")),
        "{report:?}"
    );
    assert_eq!(site.version("toyd"), "1.0");
    assert!(site.is_active("toyd"));
    assert!(site.host.exec(["dpkg", "--audit"]).unwrap().ok().unwrap().stdout.is_empty());
    assert_eq!(site.recover(), None);
}

#[test]
fn a_script_that_fails_only_on_the_real_host_is_taken_back() {
    let Some(site) = site("a_script_that_fails_only_on_the_real_host_is_taken_back", Boot::Full) else {
        return;
    };
    let script = "#!/bin/sh\n[ -d /run/systemd/system ] || exit 0\necho only here >&2\nexit 3\n";
    let targets = toy(&site, &ToyPackage::new("toyd", "2.0").postinst(script));
    let rehearsal = passed(site.rehearse(&targets));
    let report = site.apply(&targets, &rehearsal);
    assert!(
        matches!(&report.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("only here")),
        "{report:?}"
    );
    assert_eq!(report.evidence.package_manager_exit, Some(100));
    assert_eq!(site.version("toyd"), "1.0");
    assert!(site.is_active("toyd"));
}

#[test]
fn a_disk_that_is_full_on_the_real_host_leaves_the_old_version_and_is_told() {
    let test = "a_disk_that_is_full_on_the_real_host_leaves_the_old_version_and_is_told";
    let Some(site) = site(test, Boot::Full) else { return };
    let targets = toy(&site, &ToyPackage::new("toyd", "2.0"));
    // A file system of its own, on which the package has a file: the copy has room where the host has none.
    let full =
        "d=/usr/share/doc/toyd; cp -a $d /run/doc; mount -t tmpfs -o size=64k tmpfs $d; cp -a /run/doc/. $d/";
    site.host.shell(full).unwrap().ok().unwrap();
    let rehearsal = passed(site.rehearse(&targets));
    site.host.shell("cat /dev/zero >/usr/share/doc/toyd/filler").unwrap();
    let report = site.apply(&targets, &rehearsal);
    refused(&report.outcome, "package-manager");
    assert!(report.output.contains("No space left on device"), "{report:?}");
    assert_eq!(site.version("toyd"), "1.0");
    assert!(site.is_active("toyd"));
    assert_eq!(site.host.exec(["dpkg", "--audit"]).unwrap().ok().unwrap().stdout, "");
    assert_eq!(site.recover(), None);
    // With room it is applied as it was rehearsed.
    site.host.exec(["rm", "/usr/share/doc/toyd/filler"]).unwrap().ok().unwrap();
    assert_eq!(site.apply(&targets, &rehearsal).outcome, ApplyOutcome::Verified);
}

/// Holds dpkg's lock as another package manager would: a record lock, `struct flock` of x86_64.
const LOCK: &str = "use Fcntl; open(my $f, '+<', '/var/lib/dpkg/lock-frontend') or die $!;\n\
                    my $l = pack('ssx4qqi', F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die $!; print STDERR 'locked'; sleep 600;\n";

#[test]
fn nothing_is_changed_when_the_host_is_not_as_rehearsed() {
    let Some(site) = site("nothing_is_changed_when_the_host_is_not_as_rehearsed", Boot::Full) else { return };
    let targets = toy(&site, &ToyPackage::new("toyd", "2.0"));
    let rehearsal = passed(site.rehearse(&targets));

    let mut other_file = rehearsal.clone();
    other_file.files[0].sha256 = tenon_model::Digest::of(b"another package file");
    refused(&site.apply(&targets, &other_file).outcome, "file-changed");

    let mut other_transaction = rehearsal.clone();
    other_transaction.transaction.steps.push(tenon_model::TransactionStep {
        package: "libc6".to_owned(),
        architecture: "amd64".to_owned(),
        change: tenon_model::Change::Install { to: "3.0".to_owned() },
    });
    refused(&site.apply(&targets, &other_transaction).outcome, "transaction-changed");

    site.host.write_file("/root/lock.pl", LOCK.as_bytes(), 0o600).unwrap();
    site.host.shell("setsid perl /root/lock.pl 2>/run/locked >/dev/null &").unwrap().ok().unwrap();
    wait_until("package lock held", Duration::from_secs(10), || {
        Ok(site.host.exec(["grep", "-q", "locked", "/run/locked"])?.success().then_some(()))
    })
    .unwrap();
    refused(&site.apply(&targets, &rehearsal).outcome, "busy");
    site.host.exec(["pkill", "perl"]).unwrap().ok().unwrap();
    wait_until("package lock free", Duration::from_secs(10), || {
        Ok((!site.host.exec(["pgrep", "perl"])?.success()).then_some(()))
    })
    .unwrap();

    assert_eq!(site.version("toyd"), "1.0");
    assert_eq!(site.apply(&targets, &rehearsal).outcome, ApplyOutcome::Verified);
    assert_eq!(site.version("toyd"), "2.0");
}

#[test]
fn a_power_cut_in_the_middle_is_finished_and_told() {
    let Some(site) = site("a_power_cut_in_the_middle_is_finished_and_told", Boot::Full) else { return };
    // Stops for as long as the file is there, so that the power goes out while dpkg is at work.
    let script = "#!/bin/sh\nif [ -d /run/systemd/system ] && [ ! -e /var/lib/toyd-cut ]; then\n touch /var/lib/toyd-cut; sync\n \
                  sleep 600\nfi\nif [ -d /run/systemd/system ]; then systemctl daemon-reload; systemctl restart toyd; fi\n";
    let targets = toy(&site, &ToyPackage::new("toyd", "2.0").postinst(script));
    let rehearsal = passed(site.rehearse(&targets));
    site.begin_apply(&targets, &rehearsal);
    wait_until("dpkg at work", Duration::from_secs(60), || {
        Ok(site.host.exec(["test", "-e", "/var/lib/toyd-cut"])?.success().then_some(()))
    })
    .unwrap();
    site.host.power_off().unwrap();
    site.host.boot(Boot::Full).unwrap();
    site.host.wait_running(Duration::from_secs(60)).unwrap();
    assert!(!site.host.exec(["dpkg", "--audit"]).unwrap().stdout.is_empty(), "dpkg was not interrupted");
    let report = site.recover().unwrap();
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(site.version("toyd"), "2.0");
    assert!(site.is_active("toyd"));
    assert_eq!(site.recover(), None, "told once");
}

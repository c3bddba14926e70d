//! Changes by dnf: verified on the host, or taken back; cut off and still told truthfully.

use std::time::Duration;

use tenon_fleet::{Boot, Daemon, ToyPackage, wait_until};
use tenon_model::{ApplyOutcome, ApplyReport, RehearsalOutcome, Undo};

use crate::rpm_site::{RpmSite, rpm_site, rpm_target};

#[track_caller]
fn refused(outcome: &ApplyOutcome, expected: &str) {
    assert!(matches!(outcome, ApplyOutcome::Refused { code, .. } if code == expected), "{outcome:?}");
}

/// A daemon whose process maps its own file, and whose script restarts nothing.
fn program(site: &RpmSite, version: &str) -> ToyPackage {
    let sleep = site.image.root().join("usr/bin/sleep");
    ToyPackage::new("toyd", version).daemon(Daemon::Program(sleep)).postinst("systemctl daemon-reload || :")
}

#[test]
fn an_upgrade_by_dnf_is_applied_as_rehearsed_and_what_ran_the_old_code_is_restarted() {
    let test = "an_upgrade_by_dnf_is_applied_as_rehearsed_and_what_ran_the_old_code_is_restarted";
    let Some(site) = rpm_site(test, Boot::Full) else { return };
    site.install(&program(&site, "1.0").configuration("level = 1\n"), "toyd");
    site.host.exec(["systemctl", "start", "toyd"]).unwrap().ok().unwrap();
    site.publish(&program(&site, "2.0").configuration("level = 1\n"), &[]);
    // The new package brings the same file as before: a person's change is kept and is no conflict.
    site.host.shell("echo '# ours' >> /etc/toyd.conf").unwrap().ok().unwrap();
    let targets = [rpm_target("toyd", "1.0-1", "2.0-1")];
    let rehearsal = site.rehearse(&targets);
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed, "{rehearsal:?}");
    assert_eq!(rehearsal.undo, Undo::Proven);
    assert_eq!(rehearsal.units.iter().map(|unit| unit.0.as_str()).collect::<Vec<_>>(), ["toyd.service"]);
    println!("measured: rehearsal by dnf of one package with its way back in {} ms", rehearsal.duration_ms);

    // The repository is gone: what was rehearsed is in the store, and nothing else is needed.
    site.host.cut().unwrap();
    let report = site.apply(&targets, &rehearsal);
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    println!("measured: change by dnf of one package in {} ms", report.duration_ms);
    assert_eq!(report.evidence.package_manager_exit, Some(0));
    assert_eq!(site.versions("toyd"), ["2.0-1"]);
    let restarted: Vec<&str> = report.evidence.restarted.iter().map(|unit| unit.0.as_str()).collect();
    assert_eq!(restarted, ["toyd.service"]);
    assert!(site.host.read_file("/etc/toyd.conf").unwrap().ends_with("# ours\n"));
    // The same order again finds nothing to do, and does nothing.
    refused(&site.apply(&targets, &rehearsal).outcome, "precondition");
    assert_eq!(site.recover(), None);
}

#[test]
fn a_service_that_the_update_breaks_is_taken_back_although_dnf_says_zero() {
    let test = "a_service_that_the_update_breaks_is_taken_back_although_dnf_says_zero";
    let Some(site) = rpm_site(test, Boot::Full) else { return };
    let (targets, rehearsal) =
        site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").daemon(Daemon::FailsAtStart));
    let report = site.apply(&targets, &rehearsal);
    assert_eq!(report.evidence.package_manager_exit, Some(0));
    assert!(
        matches!(&report.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("toyd.service")),
        "{report:?}"
    );
    assert_eq!(site.versions("toyd"), ["1.0-1"]);
    assert!(site.is_active("toyd"));
    assert_eq!(site.recover(), None);
}

#[test]
fn a_script_that_fails_only_on_the_real_host_is_seen_and_taken_back() {
    let test = "a_script_that_fails_only_on_the_real_host_is_seen_and_taken_back";
    let Some(site) = rpm_site(test, Boot::Full) else { return };
    let script = "[ -d /run/systemd/system ] || exit 0\necho only here >&2\nexit 3\n";
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").postinst(script));
    let report = site.apply(&targets, &rehearsal);
    assert!(
        matches!(&report.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("only here")),
        "{report:?}"
    );
    assert_eq!(site.versions("toyd"), ["1.0-1"]);
    assert!(site.is_active("toyd"));
}

#[test]
fn nothing_is_changed_when_a_host_of_rpm_packages_is_not_as_rehearsed() {
    let test = "nothing_is_changed_when_a_host_of_rpm_packages_is_not_as_rehearsed";
    let Some(site) = rpm_site(test, Boot::Full) else { return };
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0"));

    let mut other_file = rehearsal.clone();
    other_file.files[0].sha256 = tenon_model::Digest::of(b"another package file");
    refused(&site.apply(&targets, &other_file).outcome, "file-changed");

    let mut other_transaction = rehearsal.clone();
    other_transaction.transaction.steps.push(tenon_model::TransactionStep {
        package: "other".to_owned(),
        architecture: "noarch".to_owned(),
        change: tenon_model::Change::Install { to: "3.0-1".to_owned() },
    });
    refused(&site.apply(&targets, &other_transaction).outcome, "transaction-changed");

    // Another dnf at work, which asks before it begins, and says who it is.
    site.publish(&ToyPackage::new("slow", "1.0").daemon(Daemon::None).postinst("sleep 600"), &[]);
    site.host.shell("setsid dnf -y -q --refresh install slow >/run/slow.log 2>&1 &").unwrap().ok().unwrap();
    wait_until("another dnf at work", Duration::from_secs(60), || {
        Ok(site.host.exec(["pgrep", "-f", "sleep 600"])?.success().then_some(()))
    })
    .unwrap();
    let busy = site.apply(&targets, &rehearsal).outcome;
    assert!(
        matches!(&busy, ApplyOutcome::Refused { code, detail } if code == "busy" && detail.contains("dnf (process ")),
        "{busy:?}"
    );
    site.host.exec(["pkill", "-f", "sleep 600"]).unwrap().ok().unwrap();
    wait_until("the other dnf gone", Duration::from_secs(60), || {
        Ok((!site.host.exec(["pgrep", "dnf"])?.success()).then_some(()))
    })
    .unwrap();

    // Root of the host locked it meanwhile: that counts for files too.
    site.host.shell("echo excludepkgs=toyd >> /etc/dnf/dnf.conf").unwrap().ok().unwrap();
    refused(&site.apply(&targets, &rehearsal).outcome, "package-manager");
    site.host.shell("sed -i /excludepkgs/d /etc/dnf/dnf.conf").unwrap().ok().unwrap();

    assert_eq!(site.versions("toyd"), ["1.0-1"]);
    assert_eq!(site.apply(&targets, &rehearsal).outcome, ApplyOutcome::Verified);
    assert_eq!(site.versions("toyd"), ["2.0-1"]);
}

#[test]
fn a_power_cut_inside_rpm_is_finished_and_told() {
    let Some(site) = rpm_site("a_power_cut_inside_rpm_is_finished_and_told", Boot::Full) else { return };
    // Stops at its first time on the host, so that the power goes out while rpm has both versions on record.
    let script = "if [ -d /run/systemd/system ] && [ ! -e /var/lib/toyd-cut ]; then\n touch /var/lib/toyd-cut; sync\n \
                  sleep 600\nfi\nif [ -d /run/systemd/system ]; then systemctl daemon-reload; systemctl restart toyd; fi\n";
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").postinst(script));
    site.begin_apply(&targets, &rehearsal);
    wait_until("rpm at work", Duration::from_secs(60), || {
        Ok(site.host.exec(["test", "-e", "/var/lib/toyd-cut"])?.success().then_some(()))
    })
    .unwrap();
    site.host.power_off().unwrap();
    site.host.boot(Boot::Full).unwrap();
    site.host.wait_running(Duration::from_secs(60)).unwrap();
    assert_eq!(site.versions("toyd"), ["1.0-1", "2.0-1"], "rpm was not interrupted");
    let gaps = site.inventory().facts.gaps;
    assert!(gaps.iter().any(|gap| gap.contains("rpm was interrupted at toyd")), "{gaps:?}");
    let report = site.recover().unwrap();
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(site.versions("toyd"), ["2.0-1"]);
    assert!(site.is_active("toyd"));
    assert_eq!(site.recover(), None, "told once");
}

#[test]
fn a_dnf_that_is_killed_inside_rpm_is_taken_back() {
    let Some(site) = rpm_site("a_dnf_that_is_killed_inside_rpm_is_taken_back", Boot::Full) else { return };
    let script = "[ -d /run/systemd/system ] || exit 0\ntouch /var/lib/toyd-cut\nexec sleep 600\n";
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").postinst(script));
    site.begin_apply(&targets, &rehearsal);
    wait_until("rpm at work", Duration::from_secs(60), || {
        Ok(site.host.exec(["test", "-e", "/var/lib/toyd-cut"])?.success().then_some(()))
    })
    .unwrap();
    assert_eq!(site.versions("toyd"), ["1.0-1", "2.0-1"]);
    site.host.exec(["pkill", "-9", "-x", "dnf"]).unwrap().ok().unwrap();
    site.host.exec(["pkill", "-9", "-f", "sleep 600"]).unwrap().ok().unwrap();
    let report: ApplyReport = wait_until("the report", Duration::from_secs(120), || {
        let text = site.host.read_file("/tmp/report.json")?;
        Ok(serde_json::from_str(&text).ok())
    })
    .unwrap();
    assert!(
        matches!(&report.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("ended with 137")),
        "{report:?}"
    );
    assert_eq!(site.versions("toyd"), ["1.0-1"]);
    assert!(site.is_active("toyd"));
    assert_eq!(site.recover(), None);
}

//! The host's own limits against real transactions: what apt brings into them counts, and a refusal changes nothing.

use tenon_fleet::{Boot, Suite, ToyPackage};
use tenon_model::{
    ApplyOutcome, ApplyReport, Capability, Change, PackageTarget, RehearsalOutcome, RehearsalReport,
};

use crate::site::{Site, site, toy_target};

const LIMITS: &str = "/etc/tenon/limits.toml";

impl Site {
    fn limit(&self, text: &str) {
        self.host.write_file(LIMITS, text.as_bytes(), 0o644).unwrap();
    }

    /// Limits whose only window opens the day after tomorrow.
    fn shut(&self) -> String {
        let day = self.host.shell("LC_ALL=C date -u -d '2 days' +%A").unwrap().ok().unwrap().stdout;
        let day = day.trim().to_lowercase();
        format!("windows.later = {{ from = \"00:00\", to = \"12:00\", days = [\"{day}\"] }}")
    }

    /// All that a change would alter: what is installed, dpkg's record, when the service was started.
    fn state(&self) -> String {
        let look = "dpkg-query -W; sha256sum /var/lib/dpkg/status; systemctl show -p MainPID toyd";
        self.host.shell(look).unwrap().ok().unwrap().stdout
    }
}

#[track_caller]
fn not_rehearsed(report: &RehearsalReport, says: &str) {
    assert!(
        matches!(&report.outcome, RehearsalOutcome::NotRehearsed { reason }
            if reason.starts_with("the host refused (limits): ") && reason.contains(says)),
        "{:?}",
        report.outcome
    );
}

#[track_caller]
fn refused(report: &ApplyReport, expected: &str, says: &str) {
    assert!(
        matches!(&report.outcome, ApplyOutcome::Refused { code, detail } if code == expected && detail.contains(says)),
        "{:?}",
        report.outcome
    );
    assert_eq!(report.evidence.package_manager_exit, None);
}

#[test]
fn a_forbidden_package_that_a_dependency_brings_is_refused_with_nothing_changed() {
    let test = "a_forbidden_package_that_a_dependency_brings_is_refused_with_nothing_changed";
    let Some(site) = site(test, Boot::Full) else { return };
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    site.publish(Suite::Security, &ToyPackage::new("toy-engine", "7").daemon(tenon_fleet::Daemon::None));
    site.publish_update(&ToyPackage::new("toyd", "2.0").depends("toy-engine"));
    let targets = [toy_target("toyd", "1.0", "2.0")];
    let before = site.state();

    // Forbidden before it is rehearsed: what apt would do is told with the refusal.
    site.limit("never_touch = [\"toy-eng*\"]");
    let forbidden = site.rehearse(&targets);
    not_rehearsed(&forbidden, "toy-eng* is never touched, and this would install toy-engine 7");
    assert_eq!(forbidden.transaction.steps.len(), 2, "{:?}", forbidden.transaction);

    // Rehearsed and approved before root forbade it: the signed order names the package, and so does the simulation where a
    // server leaves it out of the order.
    site.host.exec(["rm", LIMITS]).unwrap().ok().unwrap();
    let rehearsal = site.rehearse(&targets);
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed, "{}", rehearsal.output);
    let mut silent = rehearsal.clone();
    silent.transaction.steps.retain(|step| matches!(step.change, Change::Upgrade { .. }));
    let shut = site.shut();
    let applies: [(&str, &str, &RehearsalReport, &str); 7] = [
        ("never_touch = [\"toy-engine\"]", "limits", &rehearsal, "install toy-engine 7"),
        ("never_touch = [\"toy-engine\"]", "limits", &silent, "install toy-engine 7"),
        ("actions = [\"rehearse\"]", "limits", &rehearsal, "no order to apply is carried out"),
        ("never_restart = [\"toyd\"]", "limits", &rehearsal, "this replaces what toyd.service runs"),
        ("min_free = \"8000TB\"", "limits", &rehearsal, "8000 TB stay free"),
        (&shut, "limits", &rehearsal, "retry then"),
        ("never_tuch = []", "limits-distrusted", &rehearsal, "did you mean never_touch?"),
    ];
    for (text, code, order, says) in applies {
        site.limit(text);
        refused(&site.apply(&targets, order), code, says);
        assert_eq!(site.state(), before, "{text}");
    }
    site.limit(&shut);
    assert_eq!(site.rehearse(&targets).outcome, RehearsalOutcome::Passed, "a rehearsal needs no window");
    assert_eq!(site.recover(), None, "nothing had been begun");

    // Allowed by everything that could forbid it.
    site.limit(
        "actions = [\"apply\"]\nnever_touch = [\"libc6\"]\nmin_free = \"1MB\"\nreboot = false\n\
         windows.always = { from = \"00:00\", to = \"00:00\" }\n",
    );
    assert_eq!(site.apply(&targets, &rehearsal).outcome, ApplyOutcome::Verified);
    assert_eq!(site.version("toyd"), "2.0");
}

/// Asks for a proxy as apt does before each download, and answers when root has changed the limits.
const ASK: &str =
    "#!/bin/sh\ntouch /tmp/downloads\nuntil [ -e /tmp/changed ]; do sleep 0.05; done\necho DIRECT\n";
/// Root, who changes them while the agent downloads.
const CHANGE: &str = "until [ -e /tmp/downloads ]; do sleep 0.05; done\nmkdir -p /etc/tenon\n\
                      echo 'actions = [\"rehearse\"]' >/etc/tenon/limits.toml\ntouch /tmp/changed\n";

#[test]
fn limits_that_change_during_the_download_count_before_anything_is_changed() {
    let test = "limits_that_change_during_the_download_count_before_anything_is_changed";
    let Some(site) = site(test, Boot::Full) else { return };
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0"));
    let before = site.state();
    site.host.write_file("/usr/local/bin/ask", ASK.as_bytes(), 0o755).unwrap();
    site.host.write_file("/root/change.sh", CHANGE.as_bytes(), 0o755).unwrap();
    let ask = b"Acquire::http::Proxy-Auto-Detect \"/usr/local/bin/ask\";\n";
    site.host.write_file("/etc/apt/apt.conf.d/99ask", ask, 0o644).unwrap();
    let begin = "rm /var/lib/tenon-agent/work/archives/*.deb; setsid sh /root/change.sh >/dev/null 2>&1 &";
    site.host.shell(begin).unwrap().ok().unwrap();
    refused(&site.apply(&targets, &rehearsal), "limits", "no order to apply is carried out");
    assert!(site.host.exec(["test", "-e", "/tmp/changed"]).unwrap().success(), "nothing was downloaded");
    assert_eq!(site.state(), before);
    assert_eq!(site.recover(), None, "nothing had been begun");
}

#[test]
fn a_file_that_others_may_write_stops_every_order_and_the_host_says_so() {
    let test = "a_file_that_others_may_write_stops_every_order_and_the_host_says_so";
    let Some(site) = site(test, Boot::Full) else { return };
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0"));
    assert_eq!(site.inventory().facts.capability, Capability::Act);
    let before = site.state();
    site.limit("");
    for (wrong, says) in [
        ("chmod 666 /etc/tenon/limits.toml", "others may write it (mode 666)"),
        ("chmod 644 /etc/tenon/limits.toml; chown 1000 /etc/tenon/limits.toml", "it belongs to user 1000"),
        (
            "chown 0 /etc/tenon/limits.toml; chmod 777 /etc/tenon",
            "/etc/tenon may be written by others (mode 777)",
        ),
        ("chmod 755 /etc/tenon; chown 1000 /etc/tenon", "/etc/tenon belongs to user 1000"),
        (
            "chown 0 /etc/tenon; mv /etc/tenon/limits.toml /etc/own; ln -s /etc/own /etc/tenon/limits.toml",
            "it is a link",
        ),
    ] {
        site.host.shell(wrong).unwrap().ok().unwrap();
        refused(&site.apply(&targets, &rehearsal), "limits-distrusted", says);
        let RehearsalOutcome::NotRehearsed { reason } = site.rehearse(&targets).outcome else {
            panic!("{wrong}")
        };
        assert!(
            reason.starts_with(
                "the host refused (limits-distrusted): no order is carried out until root mends"
            )
        );
        assert!(reason.contains(says), "{reason}");
        assert!(
            matches!(&site.inventory().facts.capability, Capability::ObserveOnly { reason } if reason.contains(says)),
            "{wrong}"
        );
    }
    assert_eq!(site.state(), before);
    site.host.shell("rm /etc/tenon/limits.toml").unwrap().ok().unwrap();
    assert_eq!(site.apply(&targets, &rehearsal).outcome, ApplyOutcome::Verified);
}

#[test]
fn taking_back_what_failed_is_not_held_up_by_a_limit() {
    let Some(site) = site("taking_back_what_failed_is_not_held_up_by_a_limit", Boot::Full) else { return };
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    // When the change is under way the window has closed and everything else is forbidden too.
    let script = format!(
        "#!/bin/sh\n[ -d /run/systemd/system ] || exit 0\nmkdir -p /etc/tenon\n\
         printf 'actions = []\\nnever_touch = [\"toyd\"]\\nnever_restart = [\"toyd\"]\\nmin_free = \"8000TB\"\\n' >{LIMITS}\nexit 3\n"
    );
    site.publish_update(&ToyPackage::new("toyd", "2.0").postinst(&script));
    let targets = [toy_target("toyd", "1.0", "2.0")];
    let rehearsal = site.rehearse(&targets);
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed, "{}", rehearsal.output);
    let report = site.apply(&targets, &rehearsal);
    assert!(matches!(&report.outcome, ApplyOutcome::RolledBack { .. }), "{report:?}");
    assert_eq!(site.version("toyd"), "1.0");
    assert!(site.is_active("toyd"));
    refused(&site.apply(&targets, &rehearsal), "limits", "no order to apply");
}

#[test]
fn a_change_that_asks_for_a_reboot_is_refused_where_root_says_so() {
    let test = "a_change_that_asks_for_a_reboot_is_refused_where_root_says_so";
    let Some(site) = site(test, Boot::Full) else { return };
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    site.publish_update(&ToyPackage::new("toyd", "2.0").postinst("#!/bin/sh\ntouch /run/reboot-required\n"));
    let targets: [PackageTarget; 1] = [toy_target("toyd", "1.0", "2.0")];
    let rehearsal = site.rehearse(&targets);
    assert_eq!(
        (&rehearsal.outcome, rehearsal.reboot),
        (&RehearsalOutcome::Passed, true),
        "{}",
        rehearsal.output
    );
    let before = site.state();
    site.limit("reboot = false");
    not_rehearsed(&site.rehearse(&targets), "`reboot` of /etc/tenon/limits.toml: ");
    refused(&site.apply(&targets, &rehearsal), "limits", "asks for a reboot, and this one does");
    // A server that leaves the rehearsal out gains nothing by it.
    site.host.shell("rm /var/lib/tenon-agent/work/rehearsed.json").unwrap().ok().unwrap();
    refused(&site.apply(&targets, &rehearsal), "limits", "was not rehearsed here");
    assert_eq!(site.state(), before);
}

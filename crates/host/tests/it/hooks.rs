//! Root's hooks around real changes: in order, undone where the change does not hold, and after a kill at each point.

use std::time::Duration;

use tenon_fleet::{Boot, Daemon, ToyPackage, wait_until};
use tenon_model::{ApplyOutcome, ApplyReport, Capability, HookEnd, HookMoment, RehearsalOutcome};

use crate::site::{Site, site, toy_target};

const HOOKS: &str = "/etc/tenon/hooks.d";
const LOG: &str = "/var/lib/hooks.log";

impl Site {
    /// Gives a hook a program: it notes who it is and which version of toyd is there, then does something more.
    fn hook(&self, name: &str, moment: &str, more: &str) {
        let script = format!(
            "#!/bin/sh\nset -e\necho $TENON_HOOK $TENON_MOMENT $(dpkg-query -W -f '${{Version}}' toyd) $TENON_OUTCOME >>{LOG}\nsync {LOG}\n{more}\n"
        );
        self.host.write_file(format!("{HOOKS}/{name}/{moment}"), script.as_bytes(), 0o755).unwrap();
    }

    /// Two hooks with all programs.
    fn hooks(&self) {
        for name in ["10-alerts", "20-drain"] {
            ["before", "after", "undo"].iter().for_each(|moment| self.hook(name, moment, ""));
        }
    }

    /// What the programs noted since the last time.
    fn noted(&self) -> Vec<String> {
        let text =
            self.host.shell(&format!("cat {LOG} 2>/dev/null; rm -f {LOG}")).unwrap().ok().unwrap().stdout;
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until a file is on the host.
    fn wait_for(&self, path: &str) {
        wait_until(path, Duration::from_secs(60), || {
            Ok(self.host.exec(["test", "-e", path])?.success().then_some(()))
        })
        .unwrap();
    }

    /// Kills the probe at once, as a crash of the agent would; what it had started stays.
    fn kill_probe(&self) {
        self.host.exec(["pkill", "-KILL", "host_probe"]).unwrap().ok().unwrap();
        wait_until("the probe's end", Duration::from_secs(10), || {
            Ok((!self.host.exec(["pgrep", "host_probe"])?.success()).then_some(()))
        })
        .unwrap();
    }
}

/// Waits for as long as the host stands the first time, and says that it does; passes at once from then on.
const HOLD: &str = "if [ ! -e /var/lib/held ]; then touch /var/lib/held; sync; sleep 3600; fi";

#[track_caller]
fn refused(report: &ApplyReport, expected: &str, says: &str) {
    assert!(
        matches!(&report.outcome, ApplyOutcome::Refused { code, detail } if code == expected && detail.contains(says)),
        "{report:?}"
    );
    assert_eq!(report.evidence.package_manager_exit, None);
}

#[test]
fn hooks_run_around_a_real_upgrade_or_nothing_is_changed() {
    let test = "hooks_run_around_a_real_upgrade_or_nothing_is_changed";
    let Some(site) = site(test, Boot::Full) else { return };
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0"));
    site.hooks();

    // Programs that anybody could have written: neither rehearsed nor applied, and the host says so.
    site.host.exec(["chmod", "777", &format!("{HOOKS}/20-drain/before")]).unwrap().ok().unwrap();
    let distrusted = "no order is carried out until root mends /etc/tenon/hooks.d/20-drain/before: others may write it (mode 777)";
    refused(&site.apply(&targets, &rehearsal), "hooks-distrusted", distrusted);
    let told = site.rehearse(&targets).outcome;
    assert!(
        matches!(&told, RehearsalOutcome::NotRehearsed { reason } if reason.starts_with("the host refused (hooks-distrusted): ")),
        "{told:?}"
    );
    let capability = site.inventory().facts.capability;
    assert!(
        matches!(&capability, Capability::ObserveOnly { reason } if reason.contains(distrusted)),
        "{capability:?}"
    );
    assert_eq!(site.noted(), [""; 0], "none of them ran");

    // A `before` that fails: those that had begun are undone, the last first.
    site.hook("20-drain", "before", "echo the balancer does not answer >&2; exit 7");
    let failed = site.apply(&targets, &rehearsal);
    refused(&failed, "hook-failed", "`before` of hook 20-drain ended with 7: the balancer does not answer");
    let undone = [
        "10-alerts before 1.0",
        "20-drain before 1.0",
        "20-drain undo 1.0 refused",
        "10-alerts undo 1.0 refused",
    ];
    assert_eq!(site.noted(), undone);
    let ends: Vec<_> =
        failed.evidence.hooks.iter().map(|run| (run.hook.as_str(), run.moment, &run.end)).collect();
    assert_eq!(ends[1], ("20-drain", HookMoment::Before, &HookEnd::Exited { code: 7 }));
    assert_eq!(failed.evidence.hooks[1].output, "the balancer does not answer\n");
    assert_eq!(site.recover(), None, "it is over");

    // One that does not end: killed with what it started.
    site.hook("20-drain", "before", "sleep 3599 & sleep 3598");
    site.host.write_file(format!("{HOOKS}/20-drain/timeout"), b"1\n", 0o644).unwrap();
    let late = site.apply(&targets, &rehearsal);
    refused(&late, "hook-failed", "`before` of hook 20-drain did not end within 1 s and was killed");
    assert!(!site.host.exec(["pgrep", "-f", "sleep 359"]).unwrap().success(), "sleepers are left");
    assert_eq!(site.noted(), undone);
    site.host.exec(["rm", &format!("{HOOKS}/20-drain/timeout")]).unwrap().ok().unwrap();

    // Limits that count when the packages are about to change; packages that a hook itself has changed.
    site.hook("20-drain", "before", "echo 'never_touch = [\"toyd\"]' >/etc/tenon/limits.toml");
    refused(&site.apply(&targets, &rehearsal), "limits", "toyd is never touched");
    assert_eq!(site.noted(), undone);
    site.host.exec(["rm", "/etc/tenon/limits.toml"]).unwrap().ok().unwrap();
    assert_eq!(site.version("toyd"), "1.0");

    // All well; a service that a hook has stopped is not missed.
    site.hook(
        "20-drain",
        "before",
        "systemctl stop redis-server; echo $TENON_ORDER $TENON_DIRECTIVE $TENON_ACTION $TENON_PACKAGES",
    );
    site.hook("20-drain", "after", "systemctl start redis-server");
    let report = site.apply(&targets, &rehearsal);
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(
        site.noted(),
        [
            "10-alerts before 1.0",
            "20-drain before 1.0",
            "20-drain after 2.0 verified",
            "10-alerts after 2.0 verified"
        ]
    );
    assert_eq!(report.evidence.hooks[1].output, "ord_7 dir_3 apply toyd:all=2.0\n");
    assert!(report.evidence.hooks.iter().all(|run| run.end.is_well()), "{:?}", report.evidence.hooks);
    assert!(site.is_active("redis-server"));
}

#[test]
fn what_was_taken_back_is_undone_where_the_services_are_well() {
    let test = "what_was_taken_back_is_undone_where_the_services_are_well";
    let Some(site) = site(test, Boot::Full) else { return };
    let (targets, rehearsal) =
        site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").daemon(Daemon::FailsAtStart));
    site.hooks();
    let report = site.apply(&targets, &rehearsal);
    assert!(matches!(&report.outcome, ApplyOutcome::RolledBack { .. }), "{report:?}");
    let taken_back = [
        "10-alerts before 1.0",
        "20-drain before 1.0",
        "20-drain undo 1.0 rolled-back",
        "10-alerts undo 1.0 rolled-back",
    ];
    assert_eq!(site.noted(), taken_back);
    assert!(site.is_active("toyd"));

    // An `undo` that fails leaves the host out, which is not "taken back".
    site.hook("20-drain", "undo", "exit 4");
    let report = site.apply(&targets, &rehearsal);
    assert!(
        matches!(&report.outcome, ApplyOutcome::Failed { reason, remedy }
            if reason.ends_with("it was taken back, yet (hook-failed) `undo` of hook 20-drain ended with 4")
                && remedy == "run on the host: /etc/tenon/hooks.d/20-drain/undo"),
        "{report:?}"
    );
    assert_eq!(site.noted(), taken_back);

    // What also the old version does not survive: the host is not well, and nothing puts it back.
    site.hooks();
    let file = "/etc/systemd/system/toyd.service.d/broken.conf";
    let script = format!(
        "#!/bin/sh\n[ -d /run/systemd/system ] || exit 0\nmkdir -p {}\n\
         printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >{file}\n\
         systemctl daemon-reload\nsystemctl restart toyd || true\n",
        file.rsplit_once('/').unwrap().0
    );
    let targets = [toy_target("toyd", "1.0", "3.0")];
    let rehearsal = site.rehearsed(&ToyPackage::new("toyd", "3.0").postinst(&script), &targets);
    let report = site.apply(&targets, &rehearsal);
    assert!(
        matches!(&report.outcome, ApplyOutcome::Failed { reason, remedy }
            if reason.contains("taking it back failed too") && reason.ends_with("this host's hooks keep it out")
                && remedy.ends_with("run on the host: /etc/tenon/hooks.d/20-drain/undo && /etc/tenon/hooks.d/10-alerts/undo")),
        "{report:?}"
    );
    assert_eq!(site.noted(), ["10-alerts before 1.0", "20-drain before 1.0"]);
    assert_eq!(site.recover(), None);
}

#[test]
fn after_a_kill_or_a_power_cut_each_hook_ends_once() {
    let test = "after_a_kill_or_a_power_cut_each_hook_ends_once";
    let Some(site) = site(test, Boot::Full) else { return };
    let script = format!(
        "#!/bin/sh\n[ -d /run/systemd/system ] || exit 0\n{HOLD}\nsystemctl daemon-reload\nsystemctl restart toyd\n"
    );
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0").postinst(&script));
    site.hooks();

    // While a `before` runs: nothing was changed, and it does not run on beside its undo.
    site.hook("20-drain", "before", HOLD);
    site.begin_apply(&targets, &rehearsal);
    site.wait_for("/var/lib/held");
    site.kill_probe();
    assert!(
        site.host.exec(["pgrep", "-f", "20-drain/before"]).unwrap().success(),
        "the hook outlived the agent"
    );
    let report = site.recover().unwrap();
    refused(&report, "interrupted", "before anything was changed, while `before` of hook 20-drain ran");
    assert!(!site.host.exec(["pgrep", "-f", "20-drain/before"]).unwrap().success());
    let undone = [
        "10-alerts before 1.0",
        "20-drain before 1.0",
        "20-drain undo 1.0 refused",
        "10-alerts undo 1.0 refused",
    ];
    assert_eq!(site.noted(), undone);
    assert!(report.evidence.hooks.iter().any(|run| run.end == HookEnd::CutOff), "{report:?}");
    assert_eq!((site.version("toyd"), site.recover()), ("1.0".to_owned(), None));

    // The power goes out while the packages change: no `before` again, each `after` once.
    site.host.exec(["rm", "/var/lib/held"]).unwrap().ok().unwrap();
    site.hook("20-drain", "before", "");
    site.begin_apply(&targets, &rehearsal);
    site.wait_for("/var/lib/held");
    site.host.power_off().unwrap();
    site.host.boot(Boot::Full).unwrap();
    site.host.wait_running(Duration::from_secs(60)).unwrap();
    let report = site.recover().unwrap();
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(
        site.noted(),
        [
            "10-alerts before 1.0",
            "20-drain before 1.0",
            "20-drain after 2.0 verified",
            "10-alerts after 2.0 verified"
        ]
    );

    // While an `after` runs: that one runs again, the one that was done does not, and the packages are left alone.
    site.host.exec(["rm", "/var/lib/held"]).unwrap().ok().unwrap();
    let targets = [toy_target("toyd", "2.0", "3.0")];
    let rehearsal = site.rehearsed(&ToyPackage::new("toyd", "3.0"), &targets);
    site.hook("10-alerts", "after", HOLD);
    site.begin_apply(&targets, &rehearsal);
    site.wait_for("/var/lib/held");
    site.kill_probe();
    let installed = "stat -c %y /var/lib/dpkg/status";
    let before = site.host.shell(installed).unwrap().ok().unwrap().stdout;
    let report = site.recover().unwrap();
    assert_eq!(report.outcome, ApplyOutcome::Verified, "{report:?}");
    assert_eq!(
        site.noted(),
        [
            "10-alerts before 2.0",
            "20-drain before 2.0",
            "20-drain after 3.0 verified",
            "10-alerts after 3.0 verified",
            "10-alerts after 3.0 verified",
        ]
    );
    assert_eq!(site.host.shell(installed).unwrap().ok().unwrap().stdout, before);
    assert_eq!(site.recover(), None);

    // The same with a service that did not survive what cut it off: the host stays out.
    site.host.exec(["rm", "/var/lib/held"]).unwrap().ok().unwrap();
    let targets = [toy_target("toyd", "3.0", "4.0")];
    let rehearsal = site.rehearsed(&ToyPackage::new("toyd", "4.0"), &targets);
    site.hook("20-drain", "after", HOLD);
    site.begin_apply(&targets, &rehearsal);
    site.wait_for("/var/lib/held");
    site.kill_probe();
    site.host.exec(["systemctl", "kill", "--signal=KILL", "toyd"]).unwrap().ok().unwrap();
    let report = site.recover().unwrap();
    assert!(
        matches!(&report.outcome, ApplyOutcome::Failed { reason, remedy }
            if reason.contains("after an interruption toyd.service was active (running)")
                && remedy.contains("/etc/tenon/hooks.d/20-drain/undo")),
        "{report:?}"
    );
    assert_eq!(
        site.noted(),
        ["10-alerts before 3.0", "20-drain before 3.0", "20-drain after 4.0 verified"],
        "none of them after the interruption"
    );
}

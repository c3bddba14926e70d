//! `tenon agent limits`: what the host never does, in sentences; a file that is not believed. And a host that a server with
//! every key cannot bring to do it.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tenon_fleet::{Daemon, Suite, ToyPackage};

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};

fn tenon(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.current_dir(folder).args(["agent", "limits"]).args(words).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

const FILE: &str = r#"actions = ["rehearse"]
never_touch = ["postgresql-*"]
min_free = "2GB"

[windows.night]
days = ["saturday"]
from = "22:00"
to = "04:00"
"#;

#[test]
fn limits_are_checked_before_they_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("limits.toml");
    std::fs::write(&path, FILE).unwrap();
    let read = tenon(folder.path(), &["check", "limits.toml"]);
    assert!(read.status.success(), "{read:?}");
    assert_eq!(
        lines(&read.stdout),
        [
            "a host with limits.toml as its limits, whoever asks:",
            "  It never carries out an order to apply.",
            "  It never upgrades, installs or removes postgresql-*.",
            "  It never removes a package.",
            "  It never begins a change outside night: Saturday 22:00 to 04:00 (UTC).",
            "  It never begins a change with less than 2 GB free on a file system that the change writes to.",
            "  It never reboots: there is no order for that.",
            "Taking back a change that failed, and finishing one that was cut off, is never held up.",
        ]
    );
    std::fs::write(&path, "never_tuch = []\nreboot = \"no\"\n").unwrap();
    let wrong = tenon(folder.path(), &["check", "limits.toml"]);
    assert!(!wrong.status.success() && wrong.stdout.is_empty());
    assert_eq!(
        lines(&wrong.stderr),
        [
            "limits.toml: line 1, column 1: \"never_tuch\" is not known here; did you mean never_touch?",
            "limits.toml: line 2, column 10: true or false is expected",
            "tenon: limits.toml: 2 problems; a host with it carries out no order",
        ]
    );
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/limits.toml");
    assert!(tenon(folder.path(), &["check", example]).status.success());
}

#[test]
fn without_a_file_the_defaults_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let shown = tenon(folder.path(), &["show", "--file", "none.toml"]);
    // A folder of somebody else than root is no place for limits, also where there are none yet.
    if !is_root() {
        assert!(!shown.status.success());
        return;
    }
    assert_eq!(
        lines(&shown.stdout),
        [
            "what this host never does, whoever asks (the defaults: there is no none.toml):",
            "  It never removes a package.",
            "  It never reboots: there is no order for that.",
            "Taking back a change that failed, and finishing one that was cut off, is never held up.",
        ]
    );
}

#[test]
fn limits_that_count_are_shown_and_those_that_do_not_are_told() {
    if !is_root() {
        println!("skipped: limits_that_count_are_shown_and_those_that_do_not_are_told: must run as root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("limits.toml");
    std::fs::write(&path, FILE).unwrap();
    let shown = tenon(folder.path(), &["show", "--file", "limits.toml", "--format", "json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({
            "believed": true,
            "limits": {
                "file": "limits.toml",
                "actions": ["rehearse"],
                "never_touch": ["postgresql-*"],
                "never_restart": [],
                "max_removals": 0,
                "reboot": true,
                "min_free": 2_000_000_000_u64,
                "windows": ["night: Saturday 22:00 to 04:00 (UTC)"],
            },
            "never": [
                "It never carries out an order to apply.",
                "It never upgrades, installs or removes postgresql-*.",
                "It never removes a package.",
                "It never begins a change outside night: Saturday 22:00 to 04:00 (UTC).",
                "It never begins a change with less than 2 GB free on a file system that the change writes to.",
                "It never reboots: there is no order for that.",
            ],
            "problems": [],
        })
    );
    let told = |expected: &str| {
        let shown = tenon(folder.path(), &["show", "--file", "limits.toml"]);
        assert!(!shown.status.success() && shown.stdout.is_empty(), "{shown:?}");
        let text = format!("tenon: no order is carried out until root mends limits.toml: {expected}");
        assert_eq!(lines(&shown.stderr).last(), Some(&text));
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    told("others may write it (mode 666): chmod go-w");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    chown(&path, Some(1000), None).unwrap();
    told("it belongs to user 1000, not to user 0");
    chown(&path, Some(0), None).unwrap();
    std::fs::write(&path, "actions = [\"reboot\"]").unwrap();
    told("line 1, column 12: \"reboot\" is none of rehearse, apply: there is no other order");
    let shown = tenon(folder.path(), &["show", "--file", "limits.toml", "--format", "json"]);
    assert!(!shown.status.success());
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&shown["believed"], &shown["problems"][0]["place"]),
        (&false.into(), &"line 1, column 12".into())
    );
}

/// Root writes the limits of a machine.
fn limit(machine: &Machine, text: &str) {
    machine.host.write_file("/etc/tenon/limits.toml", text.as_bytes(), 0o644).unwrap();
}

#[test]
fn a_host_keeps_its_limits_whatever_its_server_orders() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9905-1", cve: "CVE-2099-1005", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "a_host_keeps_its_limits_whatever_its_server_orders";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.install("toyd");
    limit(&machine, "never_touch = [\"toy-engine\"]");
    machine.up_to_act();
    let asset = machine.assets()[0].id.clone();

    // A dependency that root forbids: the directive says why, and so does the record.
    machine.publish(Suite::Security, &ToyPackage::new("toy-engine", "7").daemon(Daemon::None));
    let fixed = ToyPackage::new("toyd", "2.0").depends("toy-engine").changelog("Fix CVE-2099-1005");
    machine.publish(Suite::Security, &fixed);
    let id = machine.directive("toyd").id;
    let why = |machine: &Machine| {
        let stands = machine.stage(&id, "needs-person");
        stands.assets[0].stage.reason.clone().unwrap()
    };
    let forbidden = "(limits): this host's own limits forbid it: `never_touch` of /etc/tenon/limits.toml: toy-engine is never \
                     touched, and this would install toy-engine 7";
    assert!(why(&machine).contains(forbidden), "{}", why(&machine));
    assert!(machine.tenon(&["log"]).contains(forbidden));
    assert!(machine.tenon(&["show", &id]).contains(forbidden));

    // Rehearsed at any time, applied only in root's windows: approved outside of them nothing changes.
    let day = machine.host.shell("LC_ALL=C date -u -d '2 days' +%A").unwrap().ok().unwrap().stdout;
    let day = day.trim().to_lowercase();
    limit(&machine, &format!("windows.later = {{ from = \"00:00\", to = \"12:00\", days = [\"{day}\"] }}"));
    machine.tenon(&["retry", &id, "--asset", &asset]);
    machine.stage(&id, "awaiting-approval");
    machine.tenon(&["approve", &id]);
    let shut = why(&machine);
    assert!(
        shut.contains("the host refused, nothing was changed (limits): ") && shut.contains("`windows`"),
        "{shut}"
    );
    let shown = machine.tenon(&["agent", "limits", "show"]);
    assert!(shown.contains("It never begins a change outside later: "), "{shown}");
    let report = machine.report(&machine.stage(&id, "needs-person"));
    assert_eq!((&report["outcome"], &report["code"]), (&"refused".into(), &"limits".into()), "{report}");

    // A file that anybody could have written: the host takes no order, and says so before one is sent.
    machine.host.exec(["chmod", "666", "/etc/tenon/limits.toml"]).unwrap().ok().unwrap();
    let observes = machine.wait("a host that only observes", || machine.assets()[0].observe_only.clone());
    assert!(observes.contains("others may write it (mode 666)"), "{observes}");
    assert!(!machine.try_tenon(&["agent", "limits", "show"]).success());
    machine.tenon(&["retry", &id, "--asset", &asset]);
    assert_eq!(machine.directive("toyd").assets[0].observe_only.as_ref(), Some(&observes));
    assert_eq!(machine.version("toyd"), "1.0");

    // Mended: it is rehearsed again by itself. The refusal had halted the rollout, as every failure does.
    limit(&machine, "never_touch = [\"libc6\"]\nmin_free = \"1MB\"\nreboot = false\n");
    machine.stage(&id, "awaiting-approval");
    machine.tenon(&["approve", &id]);
    machine.tenon(&["resume", &id]);
    machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == id)
    });
    assert_eq!(machine.version("toyd"), "2.0");
    machine.down();
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

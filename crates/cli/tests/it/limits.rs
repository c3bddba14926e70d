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
            "  It never carries out an order to preserve evidence.",
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
                "approval": null,
            },
            "never": [
                "It never carries out an order to preserve evidence.",
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
    told(
        "line 1, column 12: \"reboot\" is none of rehearse, preserve-evidence, apply: there is no other order",
    );
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

/// Puts the program that signs onto a machine, whose image has none; or says why it does not run there.
fn signer(machine: &Machine) -> Result<(), String> {
    let there = ["/usr/bin/ssh-keygen", "/usr/local/bin/ssh-keygen"];
    let here = there.iter().map(Path::new).find(|path| path.exists());
    let here = here.ok_or("ssh-keygen is not installed (Debian: openssh-client)")?;
    machine.host.copy_in(here, Path::new("/usr/bin/ssh-keygen")).map_err(|error| error.to_string())?;
    let made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice@example", "-f", "/root/alice"];
    let made = machine.host.exec(made).map_err(|error| error.to_string())?;
    if made.success() {
        Ok(())
    } else {
        Err(format!("ssh-keygen does not run on the machine: {}", made.stderr))
    }
}

#[test]
fn a_change_that_its_host_wants_signed_waits_for_a_key_that_the_server_does_not_have() {
    let test = "a_change_that_its_host_wants_signed_waits_for_a_key_that_the_server_does_not_have";
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9906-1", cve: "CVE-2099-1006", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    if let Err(missing) = signer(&machine) {
        println!("skipped: {test}: {missing}");
        return;
    }
    machine.install("toyd");
    let mallory = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/mallory"];
    machine.host.exec(mallory).unwrap().ok().unwrap();
    let public = machine.host.exec(["cat", "/root/alice.pub"]).unwrap().ok().unwrap().stdout;
    let shown =
        machine.host.exec(["ssh-keygen", "-l", "-f", "/root/alice.pub"]).unwrap().ok().unwrap().stdout;
    let fingerprint = shown.split(' ').nth(1).unwrap().to_owned();
    limit(&machine, &format!("[approval]\nneeded = 1\nkeys = [{:?}]\n", public.trim_end()));
    machine.up_to_act();
    let says = machine.tenon(&["agent", "limits", "show"]);
    let never = format!(
        "It never makes a change that is not signed by one of these keys: {fingerprint} (alice@example)."
    );
    assert!(says.contains(&never), "{says}");
    assert_eq!(machine.assets()[0].approval.as_ref().unwrap().keys, std::slice::from_ref(&fingerprint));

    // Rehearsed without anybody's signature, approved by a person, and still nothing is ordered: the server knows.
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1006"));
    let id = machine.directive("toyd").id;
    let waits =
        format!("it waits for 1 signature of a key that web1 asks for: `tenon approve {id} --key FILE`");
    let rehearsed = machine.stage(&id, "awaiting-approval");
    let reason = rehearsed.assets[0].stage.reason.clone().unwrap();
    assert_eq!(reason, format!("its rehearsal passed and waits for approval, and {waits}"));
    machine.tenon(&["approve", &id]);
    let approved = machine.stage(&id, "approved");
    assert_eq!(approved.assets[0].stage.reason.as_ref(), Some(&waits));
    assert!(approved.rollout.as_ref().unwrap().waits.as_ref().unwrap().contains(&waits), "{approved:?}");
    assert!(machine.tenon(&["show", &id]).contains(&waits));
    assert!(machine.tenon(&["plan", "show", &id]).contains(&waits));

    // A key that the host does not know, and nobody who could be asked.
    let other = machine.try_tenon(&["approve", &id, "--key", "/root/mallory", "--yes"]);
    assert!(!other.success() && other.stderr.contains("web1 asks for one of"), "{}", other.stderr);
    let unasked = machine.try_tenon(&["approve", &id, "--key", "/root/alice"]);
    assert!(
        !unasked.success() && unasked.stderr.contains("nothing is signed: nobody can be asked"),
        "{}",
        unasked.stderr
    );
    assert_eq!(machine.directive("toyd").assets[0].orders.len(), 1, "the rehearsal alone was ordered");
    assert_eq!(machine.version("toyd"), "1.0");

    // Signed with the real ssh-keygen, of what was shown: ordered, applied, verified.
    let signed = machine.try_tenon(&["approve", &id, "--key", "/root/alice", "--yes"]).ok().unwrap();
    for line in [
        "on web1 (ast_",
        "toyd:all 1.0 -> 2.0",
        "file toyd:all 2.0 sha256 ",
        "tenon approval v1",
        "changes: 1",
    ] {
        assert!(signed.stderr.contains(line), "{}", signed.stderr);
    }
    assert!(signed.stdout.contains(&format!("{id}: signed for 1 hosts")), "{}", signed.stdout);
    machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == id)
    });
    assert_eq!(machine.version("toyd"), "2.0");
    let log = machine.tenon(&["log"]);
    assert!(log.contains(&format!("signed with {fingerprint} for 1 ")), "{log}");

    // Another change is not covered by it, and root who asks for nothing any more lets it go without.
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "3.0").changelog("Fix more"));
    let next = machine.directive("toyd").id;
    machine.stage(&next, "awaiting-approval");
    machine.tenon(&["approve", &next]);
    let waits = machine.stage(&next, "approved").assets[0].stage.reason.clone().unwrap();
    assert!(waits.starts_with("it waits for 1 signature"), "{waits}");
    limit(&machine, "");
    machine.wait("the end of the next directive", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == next)
    });
    assert_eq!(machine.version("toyd"), "3.0");
    machine.down();
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

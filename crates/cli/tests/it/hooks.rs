//! `tenon agent hooks`: what would run around a change, and what is not believed. And a host whose directive tells what its hooks
//! did.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tenon_fleet::{Suite, ToyPackage};

use crate::feeds::{Told, write_mirror};
use crate::limits::is_root;
use crate::machine::{Machine, machine};

fn tenon(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.current_dir(folder).args(["agent", "hooks"]).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn put(folder: &Path, name: &str, content: &str, mode: u32) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Two hooks, one of them with a program that cannot be run.
fn hooks(folder: &Path) {
    put(folder, "hooks.d/10-alerts/before", "#!/bin/sh\n", 0o755);
    put(folder, "hooks.d/10-alerts/after", "#!/bin/sh\n", 0o755);
    put(folder, "hooks.d/20-drain/before", "#!/bin/sh\n", 0o755);
    put(folder, "hooks.d/20-drain/after", "#!/bin/sh\n", 0o644);
    put(folder, "hooks.d/20-drain/timeout", "300\n", 0o644);
}

#[test]
fn hooks_are_checked_before_they_count() {
    let folder = tempfile::tempdir().unwrap();
    hooks(folder.path());
    let wrong = tenon(folder.path(), &["check", "hooks.d"]);
    assert!(!wrong.status.success());
    let at = fs::canonicalize(folder.path()).unwrap().join("hooks.d").display().to_string();
    let expected = "before anything is changed:\n  AT/10-alerts/before, at most 120 s\n  AT/20-drain/before, at most 300 s\n\
                    after a change that holds:\n  AT/20-drain/after, at most 300 s; not believed: it is not executable: chmod u+x\n\
                    \u{20} AT/10-alerts/after, at most 120 s\nAT/20-drain/after: it is not executable: chmod u+x\n";
    assert_eq!(text(&wrong.stdout), expected.replace("AT", &at));
    assert_eq!(text(&wrong.stderr), "tenon: hooks.d: 1 problems; a host with it carries out no order\n");
    put(folder.path(), "hooks.d/20-drain/after", "#!/bin/sh\n", 0o755);
    assert!(tenon(folder.path(), &["check", "hooks.d"]).status.success());
    let none = tenon(folder.path(), &["check", "none"]);
    assert_eq!(text(&none.stderr), "tenon: none: no such folder\n");
}

#[test]
fn what_would_run_is_listed_with_what_is_not_believed() {
    if !is_root() {
        println!("skipped: what_would_run_is_listed_with_what_is_not_believed: must run as root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let none = tenon(folder.path(), &["list", "--folder", "hooks.d"]);
    assert_eq!(text(&none.stdout), "nothing runs around a change: there is no hook in hooks.d\n");
    hooks(folder.path());
    put(folder.path(), "hooks.d/20-drain/after", "#!/bin/sh\n", 0o757);
    let listed = tenon(folder.path(), &["list", "--folder", "hooks.d", "--format", "json"]);
    assert!(!listed.status.success());
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let at = fs::canonicalize(folder.path()).unwrap().join("hooks.d").display().to_string();
    let why = "others may write it (mode 757): chmod go-w";
    assert_eq!(
        listed,
        json!({
            "believed": false,
            "folder": "hooks.d",
            "order": { "before": ["10-alerts", "20-drain"], "after": ["20-drain", "10-alerts"], "undo": [] },
            "hooks": [
                { "name": "10-alerts", "timeout_s": 120, "programs": [
                    { "moment": "before", "path": format!("{at}/10-alerts/before"), "believed": true, "why": null },
                    { "moment": "after", "path": format!("{at}/10-alerts/after"), "believed": true, "why": null },
                ] },
                { "name": "20-drain", "timeout_s": 300, "programs": [
                    { "moment": "before", "path": format!("{at}/20-drain/before"), "believed": true, "why": null },
                    { "moment": "after", "path": format!("{at}/20-drain/after"), "believed": false, "why": why },
                ] },
            ],
            "problems": [{ "path": format!("{at}/20-drain/after"), "why": why }],
        })
    );
    // Whose they are does not matter to a check.
    assert!(tenon(folder.path(), &["check", "hooks.d"]).status.success());
}

#[test]
fn the_examples_are_hooks_and_shell() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    for folder in ["hooks", "hooks-untested"] {
        let checked = tenon(&examples, &["check", folder, "--format", "json"]);
        assert!(checked.status.success(), "{checked:?}");
        let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
        let programs =
            checked["hooks"].as_array().unwrap().iter().flat_map(|hook| hook["programs"].as_array().unwrap());
        for path in programs.map(|program| program["path"].as_str().unwrap()) {
            let parsed = Command::new("sh").args(["-n", path]).output().unwrap();
            assert!(parsed.status.success(), "{path}: {parsed:?}");
            let says = fs::read_to_string(path).unwrap().contains("NOT TESTED") || path.ends_with("/undo");
            assert!(says || folder == "hooks", "{path} does not say that it is not tested");
        }
    }
}

#[test]
fn a_directive_tells_what_the_hooks_of_a_host_did() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9906-1", cve: "CVE-2099-1006", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "a_directive_tells_what_the_hooks_of_a_host_did";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    let hook = |machine: &Machine, moment: &str, script: &str| {
        let path = format!("/etc/tenon/hooks.d/drain/{moment}");
        machine.host.write_file(path, format!("#!/bin/sh\n{script}\n").as_bytes(), 0o755).unwrap();
    };
    machine.install("toyd");
    hook(&machine, "before", "printf 'the \\033[31mbalancer does not answer\\n'; exit 9");
    hook(&machine, "undo", "echo undone for $TENON_DIRECTIVE");
    machine.up_to_act();
    let asset = machine.assets()[0].id.clone();
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1006"));
    let id = machine.directive("toyd").id;
    machine.stage(&id, "awaiting-approval");
    machine.tenon(&["approve", &id]);
    let stands = machine.stage(&id, "needs-person");
    let why = "nothing was changed (hook-failed): `before` of hook drain ended with 9: the [31mbalancer does not answer";
    let shown = machine.tenon(&["show", &id]);
    assert!(shown.contains(why), "{shown}");
    assert!(machine.tenon(&["log"]).contains("(hook-failed): `before` of hook drain ended with 9"));
    let hooks = &machine.report(&stands)["evidence"]["hooks"];
    let one = |number: usize, key: &str| hooks[number][key].clone();
    assert_eq!(
        (one(0, "moment"), one(0, "ended"), one(0, "code")),
        ("before".into(), "exited".into(), 9.into())
    );
    assert_eq!((one(1, "moment"), one(1, "code")), ("undo".into(), 0.into()));
    assert_eq!(one(1, "output"), format!("undone for {id}\n"));
    assert_eq!(machine.version("toyd"), "1.0");

    // Mended by root of the host, tried again by a person at the server.
    hook(&machine, "before", "");
    assert!(
        machine.tenon(&["agent", "hooks", "list"]).contains("/etc/tenon/hooks.d/drain/before, at most 120 s")
    );
    machine.tenon(&["retry", &id, "--asset", &asset]);
    machine.stage(&id, "awaiting-approval");
    machine.tenon(&["approve", &id]);
    machine.tenon(&["resume", &id]);
    machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == id)
    });
    assert_eq!(machine.version("toyd"), "2.0");
    machine.down();
}

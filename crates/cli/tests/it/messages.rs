//! `tenon messages`: a file is checked before it counts, by people without a server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn tenon(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenon"))
        .current_dir(folder)
        .arg("messages")
        .args(words)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn put(folder: &Path, name: &str, content: &str, mode: u32) {
    fs::write(folder.join(name), content).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
}

const FILE: &str = "version: 1\nlink: https://tenon.example.org\nto:\n  on-call:\n    url: https://hooks.slack.com/services/T0/B0/secret\n    \
                    form: slack\n  tickets:\n    url: https://tickets.example.org/tenon\n    form: cloudevents\n    \
                    key-file: tickets.key\n    about: [done]\n    groups: [web]\n";

#[test]
fn a_file_is_checked_before_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let check = || tenon(folder.path(), &["check", "messages.yaml"]);
    assert_eq!(
        text(&check().stderr),
        "tenon: there is no file messages.yaml: `tenon messages --help` shows one\n"
    );
    put(folder.path(), "messages.yaml", FILE, 0o644);
    assert_eq!(
        text(&check().stderr),
        "tenon: messages.yaml can be read by others (mode 644): chmod 600 it, and replace the secret if they may have\n"
    );
    put(folder.path(), "messages.yaml", &FILE.replace("[done]", "[finished]"), 0o600);
    assert_eq!(
        text(&check().stderr),
        "tenon: messages.yaml says nobody to tell:\n  \
         line 10, column 15: there is no file tickets.key\n  \
         line 11, column 13: \"finished\" is none of approval, urgent, trouble, exception, raised, done\n"
    );
    put(folder.path(), "messages.yaml", FILE, 0o600);
    put(folder.path(), "tickets.key", "0123456789abcdef0123456789abcdef\n", 0o600);
    let good = check();
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert_eq!(
        text(&good.stdout),
        "links begin with https://tenon.example.org\n\
         on-call  slack at hooks.slack.com: approval, urgent, trouble, exception; everybody's work\n\
         tickets  cloudevents at tickets.example.org, signed: done; work of web\n"
    );
    let json = Command::new(env!("CARGO_BIN_EXE_tenon"))
        .current_dir(folder.path())
        .args(["--format", "json", "messages", "check", "messages.yaml"])
        .output()
        .unwrap();
    assert!(!text(&json.stdout).contains("secret"), "{}", text(&json.stdout));
    let read: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(read["to"][1]["groups"], serde_json::json!(["web"]));
}

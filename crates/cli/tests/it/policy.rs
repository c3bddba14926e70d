//! `tenon policy`: presets, a file with mistakes, and a policy that is shown first and set with a word.

use std::path::Path;
use std::process::{Command, Output};

use tenon_server::{Hosts, Settings, serve};

fn tenon(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.current_dir(folder).arg("policy").args(words).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_preset_is_a_file_that_reads() {
    let folder = tempfile::tempdir().unwrap();
    let listed = lines(&tenon(folder.path(), &["preset"]).stdout);
    let names: Vec<&str> = listed.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["cautious", "standard", "fast", "bod-26-04"]);
    for name in names {
        let preset = tenon(folder.path(), &["preset", name]);
        std::fs::write(folder.path().join("policy.yaml"), &preset.stdout).unwrap();
        let read = tenon(folder.path(), &["test", "policy.yaml"]);
        assert!(read.status.success(), "{name}: {read:?}");
    }
    let unknown = tenon(folder.path(), &["preset", "careless"]);
    let told = "tenon: there is no preset \"careless\": one of cautious, standard, fast, bod-26-04";
    assert_eq!((unknown.status.success(), lines(&unknown.stderr)), (false, vec![told.to_owned()]));
}

#[test]
fn a_policy_with_mistakes_is_refused_with_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "version: 1\nrules:\n  - name: a\n    when: asset.enviroment == \"test\"\n    approval: automatik\n";
    std::fs::write(folder.path().join("policy.yaml"), text).unwrap();
    let read = tenon(folder.path(), &["test", "policy.yaml"]);
    assert!(!read.status.success());
    assert_eq!(
        lines(&read.stderr),
        [
            "policy.yaml: line 5, column 15: \"automatik\" is none of automatic, forbidden, or {people: 1, role: approver}",
            "policy.yaml: line 4, column 11: there is no field `asset.enviroment`: did you mean `asset.environment`?",
            "tenon: policy.yaml: 2 problems; nothing is set",
        ]
    );
}

#[test]
fn a_policy_is_shown_first_and_set_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let names = vec!["localhost".to_owned()];
    let hosts = Hosts::Real { gateway: "127.0.0.1:0".parse().unwrap(), names };
    let settings = Settings::on_loopback(data.clone(), hosts, "tester".parse().unwrap());
    let running = runtime.block_on(serve(settings)).unwrap();
    let url = format!("http://{}", running.listen);
    let tenon = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
        command.current_dir(folder.path()).env("TENON_DATA", &data).env("TENON_URL", &url);
        command.arg("policy").args(words).output().unwrap()
    };
    let text = "\
version: 1
windows:
  night: {zone: Europe/Berlin, days: [friday, saturday], from: \"22:00\", to: \"04:00\"}
rules:
  - {name: databases, when: '\"database\" in asset.services', approval: {people: 2, role: approver}, tempo: cautious}
  - {name: routine, when: rehearsal.undo == \"proven\", approval: automatic, windows: night, why: the way back was tried}
";
    std::fs::write(folder.path().join("policy.yaml"), text).unwrap();
    assert_eq!(lines(&tenon(&["show"]).stdout)[0], "no policy is set");
    let tried = tenon(&["test", "policy.yaml", "--against", "live"]);
    let nothing = "against no policy: nothing changes for the open directives";
    assert_eq!((tried.status.success(), lines(&tried.stdout)), (true, vec![nothing.to_owned()]), "{tried:?}");
    let refused = tenon(&["apply", "policy.yaml"]);
    let told = "tenon: nothing is set; --yes sets this policy, --diff only shows what it would change";
    assert_eq!((refused.status.success(), lines(&refused.stderr)), (false, vec![told.to_owned()]));
    let set = tenon(&["apply", "policy.yaml", "--yes"]);
    assert_eq!(lines(&set.stdout).last().unwrap(), "policy version 1 counts", "{set:?}");
    let shown = lines(&tenon(&["show"]).stdout);
    assert!(shown[0].starts_with("policy version 1 ("), "{shown:?}");
    assert_eq!(
        shown[1..],
        [
            "    1 databases: by 2 people with role approver, cautious",
            "      when \"database\" in asset.services",
            "    2 routine: automatic, in night",
            "      when rehearsal.undo == \"proven\"",
            "      the way back was tried",
            "  what no rule matches: by one person, at any time",
            "  window night: Friday, Saturday 22:00 to 04:00 (Europe/Berlin)",
        ]
    );
    assert_eq!(String::from_utf8(tenon(&["show", "--file"]).stdout).unwrap(), text);
    let again = tenon(&["apply", "policy.yaml", "--yes"]);
    let same = "against policy version 1: nothing changes for the open directives: it is that file";
    assert_eq!((again.status.success(), lines(&again.stdout)), (true, vec![same.to_owned()]));
    runtime.block_on(running.stop());
}

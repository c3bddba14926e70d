//! `tenon up --demo` as a visitor starts it: without root, network or a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

fn tenon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.env_clear().env("USER", "visitor");
    command
}

#[test]
fn a_demonstration_says_where_to_look_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut up = tenon();
    up.args(["up", "--demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path());
    let mut process = up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut said = Vec::new();
    for line in lines {
        let last = line.contains("Ctrl-C ends it");
        said.push(line);
        if last {
            break;
        }
    }
    let word = |name: &str| {
        let line = said.iter().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {said:?}")).trim().to_owned()
    };
    assert!(word("DEMO").starts_with("everything here is invented: 2000 hosts"), "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("agents")), "no gateway is open: {said:?}");
    let data = PathBuf::from(word("data"));
    assert!(data.starts_with(temporary.path()), "{data:?}");

    let url = word("Tenon");
    let asked = tenon().args(["queue", "--url", &url, "--data"]).arg(&data).output().unwrap();
    let warned = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success(), "{warned}");
    assert_eq!(warned.trim(), "DEMO: every host and every advisory of this server is invented");

    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "its folder is gone");
}

#[test]
fn a_demonstration_takes_nothing_that_belongs_to_a_real_estate() {
    for words in [["--gateway", "127.0.0.1:0"], ["--store", "postgres://x@y/z"], ["--feeds", "public"]] {
        let refused = tenon().args(["up", "--demo"]).args(words).output().unwrap();
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && why.contains("cannot be used with"), "{words:?}: {why}");
    }
}

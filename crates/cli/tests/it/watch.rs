//! `tenon watch` at a rollout that is played: halted, gone on through a restart of the server, fixed everywhere.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tenon_server::DirectiveView;

use crate::played::Played;

const WAIVED: [&str; 2] = ["--waive-evidence", "its memory was saved"];

/// A watch that runs, and what it says.
struct Watch {
    process: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Watch {
    fn begin(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (out, err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        Self { process, out: BufReader::new(out), err: BufReader::new(err) }
    }

    /// The next line; a watch that ends without one is an error.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "it ended: {:?}", self.process.wait());
        line
    }

    /// Lines up to the first that is like that.
    fn until(&mut self, like: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = vec![self.line()];
        while !lines.last().is_some_and(|line| like(line)) {
            lines.push(self.line());
        }
        lines
    }

    /// Messages up to the first that holds this.
    fn told(&mut self, wanted: &str) {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it ended without saying {wanted:?}");
        }
    }

    /// The lines that are left, and the exit status.
    fn end(mut self) -> (Vec<String>, Option<i32>) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (rest.lines().map(str::to_owned).collect(), self.process.wait().unwrap().code())
    }
}

fn hosts(of: &Value) -> u64 {
    ["done", "failed", "under_way", "waiting"].iter().map(|part| of[*part].as_u64().unwrap()).sum()
}

/// What every JSON line keeps to.
fn checked(lines: &[String]) -> Vec<Value> {
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert_eq!(hosts(line), line["hosts"].as_u64().unwrap(), "{line}");
        for wave in line["waves"].as_array().unwrap() {
            assert_eq!(hosts(wave), wave["hosts"].as_u64().unwrap(), "{line}");
        }
        let reasons = line["why_not_yet"].as_array().unwrap();
        let told: u64 = reasons.iter().map(|reason| reason["hosts"].as_u64().unwrap()).sum();
        let left = line["hosts"].as_u64().unwrap() - line["done"].as_u64().unwrap();
        let closed = line["state"] == "closed";
        assert!(closed || reasons.len() == 20 || told == left, "{told} of {left} have a reason: {line}");
    }
    let progress = |line: &Value| {
        let mut line = line.clone();
        let fields = line.as_object_mut().unwrap();
        fields.remove("time");
        fields.remove("not_over_before");
        line
    };
    assert!(lines.windows(2).all(|two| progress(&two[0]) != progress(&two[1])), "a line is a change");
    lines
}

/// One host of the last wave of a halted rollout says what it waits for.
fn explained(played: &Played, id: &str) {
    let halted = played.get::<DirectiveView>(&format!("directives/{id}")).rollout.unwrap();
    let (of, host) = (halted.waves.len(), &halted.waves.last().unwrap().hosts[0]);
    let told = played.ok(&["plan", "explain", &host.hostname, "--directive", id]);
    let first = format!("{} ({}, group shop, act)", host.hostname, host.id);
    assert_eq!(told.lines().next().unwrap(), first);
    let why =
        format!("approved: it is in wave {of} of {of}, and the rollout is halted until a person resumes it");
    assert!(told.lines().any(|line| line.trim() == why), "{told}");
    assert_eq!(played.ok(&["plan", "explain", &host.id, "--directive", id]), told);
    let failed =
        halted.waves.iter().flat_map(|wave| &wave.hosts).find(|host| host.stage == "rolled-back").unwrap();
    let told = played.ok(&["--format", "json", "plan", "explain", &failed.hostname, "--directive", id]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told[0]["stage"], &told[0]["wave"]), (&Value::from("rolled-back"), &Value::from(2)));
    assert_eq!(told[0]["why_not_yet"].as_str(), failed.why_not_yet.as_deref());
    for (words, wanted) in [
        (&["plan", "explain", "nobody"][..], "no host is called \"nobody\""),
        (&["plan", "explain", &host.hostname, "--directive", "dir_999999"][..], "dir_999999 is not open on"),
    ] {
        let refused = played.run(words);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && told.contains(wanted), "{told}");
    }
}

#[test]
fn a_rollout_is_followed_through_its_halt_and_a_restart_to_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let played = Played::begin(&data);
    let id = played.part(6);

    // Before anything is approved it says what that waits for.
    let mut lines = Watch::begin(played.tenon(&["watch", &id]));
    let first = lines.line();
    let waits = format!("waits for 47 hosts to be approved (tenon approve {id})");
    assert!(first.contains(&format!("{id} no-plan: 0 of 48 done, 1 failed, 47 waiting; {waits}")), "{first}");
    let mut objects = Watch::begin(played.tenon(&["--format", "json", "watch", &id, "--through-halts"]));
    let mut seen = objects.until(|line| line.contains("\"no-plan\""));

    // It halts by itself: the one says why and ends, the other goes on.
    played.ok(&[&["approve", &id], &WAIVED[..]].concat());
    played.part(8);
    let (rest, status) = lines.end();
    let last = rest.last().unwrap();
    assert_eq!(status, Some(3), "{rest:#?}");
    assert!(last.contains(&format!("{id} halted: ")) && last.contains("; halted: 1 of "), "{last}");
    let at_once = played.run(&["watch", &id]);
    assert_eq!(at_once.status.code(), Some(3), "one that is halted is not waited for");
    seen.extend(objects.until(|line| line.contains("\"state\":\"halted\"")));
    explained(&played, &id);

    // The server is started again.
    let listen = played.end();
    objects.told("asking again: ");
    let played = Played::begin_at(&data, listen);
    objects.told("the server answers again");
    played.part(8);
    played.ok(&["resume", &id]);
    played.part(9);
    let left = |played: &Played| played.get::<DirectiveView>(&format!("directives/{id}"));
    let failed = Watch::begin(played.tenon(&["watch", &id])).end();
    assert_eq!(failed.1, Some(3), "{failed:?}");
    assert!(failed.0.last().unwrap().contains("2 hosts need a person: tenon retry"), "{failed:?}");
    // What the JSON watch was told last ends it as well.
    let (rest, status) = objects.end();
    seen.extend(rest);
    let seen = checked(&seen);
    assert_eq!((status, &seen.last().unwrap()["end"]["how"]), (Some(3), &Value::from("failed")));
    assert!(seen.iter().any(|line| line["plan"] == 1) && seen.iter().any(|line| line["plan"] == 2));

    // What is left is tried again, and then every host shows the fix.
    for asset in left(&played).assets.iter().filter(|asset| asset.stage.retry) {
        played.ok(&["retry", &id, "--asset", &asset.id]);
    }
    let mut objects = Watch::begin(played.tenon(&["--format", "json", "watch", &id]));
    let seen = objects.until(|line| line.contains("2 hosts to be approved"));
    checked(&seen);
    played.ok(&[&["approve", &id], &WAIVED[..]].concat());
    let (rest, status) = objects.end();
    let last = checked(&rest).pop().unwrap();
    assert_eq!((status, &last["end"]["how"]), (Some(0), &Value::from("fixed")), "{last}");
    assert_eq!((&last["state"], &last["done"]), (&Value::from("closed"), &Value::from(48)));
    assert_eq!(played.run(&["watch", &id]).status.code(), Some(0), "what has ended is told at once");
    played.end();
}

#[test]
fn a_watch_ends_with_its_own_status_when_refused_interrupted_or_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    let id = played.part(6);
    let mut interrupted = Watch::begin(played.tenon(&["watch", &id]));
    interrupted.line();
    kill_process(Pid::from_child(&interrupted.process), Signal::INT).unwrap();
    interrupted.told("not watched any more; the rollout goes on");
    assert_eq!(interrupted.end().1, Some(130));

    let mut refused = Watch::begin(played.tenon(&["watch", &id]));
    refused.line();
    played.ok(&["refuse", &id, "--why", "the vendor withdrew it"]);
    let (rest, status) = refused.end();
    assert_eq!(status, Some(4), "{rest:#?}");
    assert!(
        rest.last().unwrap().contains("refused by visitor: the vendor withdrew it at 2026-06-"),
        "{rest:#?}"
    );

    let unknown = played.run(&["watch", "dir_999999"]);
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert!(unknown.status.code() == Some(1) && told.contains("dir_999999 is unknown (not-found)"), "{told}");
    let nobody = played.tenon(&["watch", &id]).env("TENON_URL", "http://127.0.0.1:1").output().unwrap();
    let told = String::from_utf8(nobody.stderr).unwrap();
    assert!(nobody.status.code() == Some(1) && told.contains("no Tenon answers at"), "{told}");
    played.end();
}

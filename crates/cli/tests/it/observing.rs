//! An agent that only observes, under a trace of its system calls: enrolled, reported, a change reported, an order refused. All that
//! it and everything it starts write lies in its own folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tenon_fleet::{Host, Suite, ToyPackage};

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, TENON, machine};
use crate::member::Member;
use crate::strace::{Written, strace};

const TEST: &str = "observing_writes_nothing_outside_of_its_own_folder";
const OWN: &str = "/var/lib/tenon-agent";

/// A command that enters a host, under a trace.
fn traced(host: &Host, words: &[String]) -> Command {
    let enter = host.command().unwrap();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(enter.get_program()).args(enter.get_args());
    command
}

/// The agent as its tracer started it; what still runs at the end goes with the host.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn observing_writes_nothing_outside_of_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let trace = |name: &str| folder.path().join(name);
    let words = |name: &str| strace(&trace(name));
    let (planted, enrolling, running) = match (words("planted"), words("enrolling"), words("running")) {
        (Ok(planted), Ok(enrolling), Ok(running)) => (planted, enrolling, running),
        (Err(missing), ..) | (_, Err(missing), _) | (.., Err(missing)) => {
            println!("skipped: {TEST}: {missing}");
            return;
        }
    };
    let told =
        Told { id: "DSA-9907-1", cve: "CVE-2099-1007", source: "toyd", fixed: "2.0", exploited: false };
    let feeds = tempfile::tempdir().unwrap();
    write_mirror(feeds.path(), &[told]);
    let Some(mut machine) = machine(TEST, feeds.path(), &[]) else { return };
    machine.up_with(&["--no-agent", "--gateway", &format!("{}:8421", machine.host.ip())]);
    let member = Member::booted(&machine, "web2");
    let host = &member.host;
    let shell = |line: &str| host.shell(line).unwrap().ok().unwrap().stdout;
    // Root on this host has it refuse what the server will order.
    host.write_file("/etc/tenon/limits.toml", b"never_touch = [\"toyd\"]\n", 0o644).unwrap();
    // The trace sees what is planted, as a person would plant it: in a folder that is not named, by a link, by a descriptor.
    let line = "cd /etc && echo planted >planted && ln -s /etc/planted /var/lib/tenon-agent-link && chmod 600 planted && \
                echo more >/var/lib/tenon-agent-link && mv planted moved && rm moved /var/lib/tenon-agent-link && mkdir /etc/p && rmdir /etc/p";
    assert!(traced(host, &planted).args(["sh", "-c", line]).status().unwrap().success());
    let seen = Written::of(&trace("planted"), "sh", Path::new(OWN));
    for call in ["openat", "symlinkat", "fchmodat", "renameat2", "unlinkat", "mkdir", "rmdir"] {
        let caught = seen.elsewhere.iter().filter(|line| line.starts_with(&format!("{call}("))).count();
        assert!(caught > 0, "{call} was not caught: {seen:?}");
    }
    assert_eq!(seen.elsewhere.len(), 9, "{seen:#?}");

    let token = machine.tenon(&["enrol-token"]);
    let server = format!("https://{}:8421", machine.host.ip());
    let mut enrol = traced(host, &enrolling);
    enrol.args([TENON, "agent", "enrol", "--server", &server]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut enrol = enrol.spawn().unwrap();
    std::io::Write::write_all(&mut enrol.stdin.take().unwrap(), token.as_bytes()).unwrap();
    assert!(enrol.wait().unwrap().success());

    let log = std::fs::File::create(machine.lab.dir().join("agent.log")).unwrap();
    let mut run = traced(host, &running);
    run.args([TENON, "agent", "run"]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let mut agent = Agent(run.spawn().unwrap());
    let packages = |machine: &Machine| machine.assets().first().map_or(0, |asset| asset.packages);
    let before =
        machine.wait("the first report", || Some(packages(&machine)).filter(|packages| *packages > 0));
    // A package comes, for which an update is there already: one report tells both.
    machine.publish(Suite::Release, &ToyPackage::new("toyd", "1.0"));
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1007"));
    shell("apt-get -qq update && apt-get -y -qq install toyd=1.0");
    machine.wait("the report of a package more", || (packages(&machine) == before + 1).then_some(()));
    let directive = machine.directive("toyd");
    machine.tenon(&["promote", "default"]);
    let refused = machine.stage(&directive.id, "needs-person").assets[0].stage.reason.clone().unwrap();
    assert!(refused.contains("(limits)") && refused.contains("`never_touch`"), "{refused}");
    // It ends as a service manager ends it, when all of that is told.
    shell("pkill -TERM -o -x tenon");
    machine.wait("the agent's end", || agent.0.try_wait().unwrap());

    for (name, least) in [("enrolling", 1), ("running", 20)] {
        let written = Written::of(&trace(name), TENON, Path::new(OWN));
        println!(
            "measured: {name}: {} threads and processes, {} writes in {OWN}, {} elsewhere",
            written.threads,
            written.inside.len(),
            written.elsewhere.len()
        );
        assert_eq!(written.elsewhere, Vec::<String>::new(), "{name}");
        assert!(written.threads >= least, "{name}: {} threads", written.threads);
        let own: Vec<&PathBuf> =
            written.inside.iter().filter(|path| path.ends_with("identity.json")).collect();
        assert!(name == "running" || !own.is_empty(), "the identity was not seen: {:?}", written.inside);
        assert!(!written.inside.is_empty());
    }
    drop(agent);
    machine.down();
}

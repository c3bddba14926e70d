//! A real host whose row asks for evidence: nothing of it is changed before that is sealed or waived, what was planted is in it,
//! and it is read by its digest.

use std::path::Path;

use tenon_fleet::{Suite, ToyPackage};
use tenon_model::{Digest, EvidenceDocument};
use tenon_server::{DirectiveView, LogPage};

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};
use crate::played::Played;

/// Root of the host forbids it, or does not.
fn limit(machine: &Machine, text: &str) {
    machine.host.write_file("/etc/tenon/limits.toml", text.as_bytes(), 0o644).unwrap();
}

/// Something that listens, something whose program is gone from the disk, arguments that are long and no text, and a file that is
/// not as its package says.
fn plant(machine: &Machine) {
    let listens = "use Socket; socket(S, PF_INET, SOCK_STREAM, 0) or die; bind(S, sockaddr_in(4711, inet_aton('127.0.0.1'))) or \
                   die; listen(S, 5) or die; sleep 3600;";
    machine.host.write_file("/root/planted.pl", listens.as_bytes(), 0o600).unwrap();
    let script = r#"
        set -e
        systemd-run --quiet --unit=planted perl /root/planted.pl the-planted-one
        cp /bin/sleep /root/gone
        systemd-run --quiet --unit=gone /root/gone 3600
        perl -e 'exec { "/bin/sleep" } "odd\xff", "3601"' >/dev/null 2>&1 &
        perl -e 'exec { "/bin/sleep" } "sleep", "3602s", "0" x 100000' >/dev/null 2>&1 &
        for n in $(seq 1 100); do grep -q 0100007F:1267 /proc/net/tcp && break; sleep 0.1; done
        systemctl is-active planted gone
        rm /root/gone
        echo changed >> /usr/share/doc/toyd/changelog.Debian.gz"#;
    machine.host.shell(script).unwrap().ok().unwrap();
}

fn evidence(machine: &Machine, id: &str, state: &str) -> DirectiveView {
    machine.wait(&format!("evidence {state}"), || {
        let directive: DirectiveView = machine.json(&["show", id]);
        let is = directive.assets[0].evidence.as_ref().is_some_and(|evidence| evidence.state == state);
        is.then_some(directive)
    })
}

fn applied(machine: &Machine, id: &str) {
    machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == id)
    });
}

#[test]
fn a_host_whose_row_asks_for_evidence_is_changed_once_that_is_sealed_or_waived() {
    let folder = tempfile::tempdir().unwrap();
    let told = |id, cve, source| Told { id, cve, source, fixed: "2.0", exploited: true };
    let feeds = [told("DSA-9907-1", "CVE-2099-1007", "toyd"), told("DSA-9908-1", "CVE-2099-1008", "toye")];
    write_mirror(folder.path(), &feeds);
    let test = "a_host_whose_row_asks_for_evidence_is_changed_once_that_is_sealed_or_waived";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.install("toyd");
    machine.install("toye");
    plant(&machine);
    // Root does not allow it yet, and the host says so.
    limit(&machine, "actions = [\"rehearse\", \"apply\"]");
    machine.up_to_act();
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1007"));
    let id = machine.directive("toyd").id;
    let missed = evidence(&machine, &id, "missed");
    assert!(missed.decision.forensics, "{:?}", missed.decision);
    let why = missed.assets[0].evidence.as_ref().unwrap().why.clone().unwrap();
    assert!(
        why.contains("(limits)") && why.contains("no order to preserve evidence is carried out"),
        "{why}"
    );

    // It is rehearsed all the same; nobody approves it by the way, and nothing changes.
    let rehearsed = machine.stage(&id, "awaiting-approval");
    let reason = rehearsed.assets[0].stage.reason.as_deref().unwrap();
    assert!(reason.contains("evidence is not sealed yet, which dir_"), "{reason}");
    let refused = machine.try_tenon(&["approve", &id]);
    assert!(!refused.success() && refused.stderr.contains("evidence-required"), "{}", refused.stderr);
    assert!(
        machine
            .tenon(&["why", &id])
            .contains("evidence  asked for before anything changes: sealed of 0, waived of 0, lacking of 1")
    );
    assert_eq!(machine.version("toyd"), "1.0");

    // Root allows it, a person asks again: it is sealed.
    limit(&machine, "");
    machine.tenon(&["retry", &id, "--asset", &missed.assets[0].id]);
    let sealed = evidence(&machine, &id, "sealed");
    let told = sealed.assets[0].evidence.clone().unwrap();
    let digest: Digest = told.document.as_deref().unwrap().parse().unwrap();
    let text = machine.tenon(&["--format", "json", "evidence", "show", &id, "--host", "web1"]);
    assert_eq!(told.bytes, Some(text.len() as u64));
    let document = EvidenceDocument::read(text.as_bytes(), digest).unwrap();
    holds_what_was_planted(&document);
    let shown = machine.tenon(&["evidence", "show", &id, "--host", "web1"]);
    assert!(shown.starts_with(&digest.to_string()) && shown.contains("the-planted-one"), "{shown}");
    let listed = machine.tenon(&["evidence", "show", &id]);
    assert!(listed.contains("sealed of 1, waived of 0, lacking of 0"), "{listed}");

    // The host keeps the same bytes where root alone reads, and nothing that it read was touched.
    let copies = machine
        .host
        .shell("find / -xdev -path '*/evidence/ord_*.json' -exec sha256sum {} + 2>/dev/null")
        .unwrap();
    let copies = copies.stdout;
    let copy = copies
        .lines()
        .find(|line| line.starts_with(&digest.to_string()))
        .unwrap_or_else(|| panic!("{copies}"));
    let path = copy.split_once("  ").unwrap().1;
    let folder = Path::new(path).parent().unwrap().to_str().unwrap();
    let mode = machine.host.exec(["stat", "-c", "%a %U", folder]).unwrap().ok().unwrap().stdout;
    assert_eq!(mode.trim(), "700 root");

    // Now it is approved without more words, and the order of the record is the order of the rule.
    machine.tenon(&["approve", &id]);
    applied(&machine, &id);
    assert_eq!(machine.version("toyd"), "2.0");
    let log: LogPage = machine.get(&format!("/api/v1/log?directive={id}&limit=100"));
    // The newest come first: of several the first that happened.
    let position = |kind: &str, said: &str| {
        let found = log.items.iter().rev().find(|entry| entry.kind == kind && entry.said.contains(said));
        found.unwrap_or_else(|| panic!("no {kind} {said:?}: {:?}", log.items)).seq
    };
    assert!(position("evidence-sealed", "") < position("order-issued", "ordered to apply"));
    assert!(position("order-issued", "preserve evidence") < position("order-issued", "ordered to rehearse"));

    waived(&mut machine);
}

/// Another directive on the same host, of which root allows no evidence: a person says by name that it goes on without.
fn waived(machine: &mut Machine) {
    limit(machine, "actions = [\"rehearse\", \"apply\"]");
    machine.publish(Suite::Security, &ToyPackage::new("toye", "2.0").changelog("Fix CVE-2099-1008"));
    let id = machine.directive("toye").id;
    evidence(machine, &id, "missed");
    machine.stage(&id, "awaiting-approval");
    assert_eq!(machine.version("toye"), "1.0");
    let wrong = machine.try_tenon(&["evidence", "waive", &id, "--host", "web9", "--why", "imaged"]);
    assert!(!wrong.success() && wrong.stderr.contains("web9 is not among the hosts"), "{}", wrong.stderr);
    machine.tenon(&["evidence", "waive", &id, "--host", "web1", "--why", "imaged, case 4711"]);
    let listed = machine.tenon(&["evidence", "show", &id]);
    assert!(listed.contains("imaged, case 4711") && listed.contains("waived of 1"), "{listed}");
    let none = machine.try_tenon(&["evidence", "show", &id, "--host", "web1"]);
    assert!(!none.success() && none.stderr.contains("nothing of web1 is sealed"), "{}", none.stderr);
    machine.tenon(&["approve", &id]);
    applied(machine, &id);
    assert_eq!(machine.version("toye"), "2.0");
}

fn holds_what_was_planted(document: &EvidenceDocument) {
    let process = |word: &str| {
        let found =
            document.processes.iter().find(|process| process.cmdline.iter().any(|said| said.contains(word)));
        found.unwrap_or_else(|| panic!("no {word} among {} processes", document.processes.len()))
    };
    let planted = process("the-planted-one");
    assert_eq!((planted.uid, planted.cgroup.ends_with("/planted.service")), (0, true), "{planted:?}");
    let socket = document.sockets.iter().find(|socket| socket.local == "127.0.0.1:4711").unwrap();
    assert_eq!((socket.kind.as_str(), socket.pids.as_slice()), ("tcp", &[planted.pid][..]), "{socket:?}");
    let gone =
        document.processes.iter().find(|process| process.exe.as_deref() == Some("/root/gone (deleted)"));
    let maps = document.maps.iter().find(|maps| maps.pid == gone.unwrap().pid).unwrap();
    assert!(maps.deleted.iter().any(|file| file == "/root/gone (deleted)"), "{maps:?}");
    assert_eq!(process("3601").cmdline[0], "odd\\xff");
    let long: usize = process("3602s").cmdline.iter().map(String::len).sum();
    assert!(long <= 4_096, "{long}");
    assert!(document.gaps.iter().any(|gap| gap.what.contains("bytes of arguments")), "{:?}", document.gaps);
    let toyd = document.packages.iter().find(|package| package.package == "toyd").unwrap();
    let differ: Vec<&str> = toyd.differ.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(differ, ["/usr/share/doc/toyd/changelog.Debian.gz"]);
    assert!(toyd.differ[0].sha256.is_some() && document.logs.iter().any(|log| !log.lines.is_empty()));
    println!(
        "evidence of a host: {} processes, {} sockets, in {} ms",
        document.processes.len(),
        document.sockets.len(),
        document.duration_ms
    );
}

#[test]
fn what_is_sealed_of_a_played_estate_is_told_and_read_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor once the hosts that rehearse are done; others may still owe their evidence then.
    let id = played.part(6);
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let view = played.evidence_of_all(&id);
    let first = &view.assets[0];
    let sealed = first.evidence.as_ref().unwrap();
    let digest: Digest = sealed.document.as_deref().unwrap().parse().unwrap();

    let listed = played.ok(&["evidence", "show", &id]);
    assert!(listed.contains("  sealed of 48, waived of 0, lacking of 0\n"), "{listed}");
    let line = format!("  {:<20} sealed {}: {digest}, ", first.hostname, sealed.since.as_deref().unwrap());
    assert!(listed.contains(&line) && listed.contains(" bytes, gaps in logs\n"), "{listed}");
    let text = played.ok(&["--format", "json", "evidence", "show", &id, "--host", &first.hostname]);
    let document = EvidenceDocument::read(text.as_bytes(), digest).unwrap();
    assert_eq!(document.asset.to_string(), first.id);
    let shown = played.ok(&["evidence", "show", &id, "--host", &first.id]);
    assert!(
        shown.starts_with(&format!("{digest}  {} bytes, as the record holds it\n", text.len())),
        "{shown}"
    );
    assert!(shown.contains("gaps: 1\n  logs: a played host keeps no log\n"), "{shown}");
    assert!(
        played
            .ok(&["show", &id])
            .contains(&format!("    evidence sealed {}", sealed.since.as_deref().unwrap()))
    );

    assert!(fails(&["evidence", "waive", &id, "--why", "imaged"]).contains("nothing-to-do"));
    assert!(fails(&["evidence", "waive", &id]).contains("--why"));
    assert!(fails(&["evidence", "show", &id, "--host", "nobody"]).contains("nobody is not among the hosts"));
    let page = played.get::<serde_json::Value>("directives?limit=500");
    let other = page["items"].as_array().unwrap().iter().find(|line| line["exploited"] == false).unwrap();
    let other = other["id"].as_str().unwrap();
    assert!(played.ok(&["evidence", "show", other]).contains("which asks for no evidence"));
    assert!(fails(&["evidence", "waive", other, "--why", "imaged"]).contains("wrong-stage"));
}

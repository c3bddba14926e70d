//! A rollout over several real hosts: a canary takes the harm, the rest is left alone, and the mended version reaches all.

use tenon_fleet::{Daemon, Suite, ToyPackage};
use tenon_server::DirectiveView;

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};
use crate::member::Member;

/// A further host with version 1 of toyd, whose agent serves the machine's server.
fn join(machine: &Machine, name: &str) -> Member {
    let mut member = Member::booted(machine, name);
    member.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
    member.host.exec(["apt-get", "-y", "-qq", "install", "toyd"]).unwrap().ok().unwrap();
    member.join(machine);
    member
}

fn in_stage(directive: &DirectiveView, stage: &str) -> u64 {
    directive.stages.get(stage).copied().unwrap_or_default()
}

/// Puts a version into the suite, lets every host see it, and waits until its directive is rehearsed on all.
fn rehearsed(machine: &Machine, members: &[Member], package: &ToyPackage, version: &str) -> DirectiveView {
    machine.publish(Suite::Security, package);
    for member in members {
        member.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
    }
    machine.wait(&format!("toyd {version} rehearsed on three hosts"), || {
        let mut open = machine.directives("open").into_iter().filter(|line| line.source == "toyd");
        let line = open.find(|line| line.version == version)?;
        let directive: DirectiveView = machine.json(&["show", &line.id]);
        (in_stage(&directive, "awaiting-approval") == 3).then_some(directive)
    })
}

#[test]
fn waves_a_canary_takes_the_harm_and_the_rest_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9903-1", cve: "CVE-2099-1003", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "waves_a_canary_takes_the_harm_and_the_rest_is_left_alone";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.install("toyd");
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--gateway", &gateway]);
    let members = ["web2", "web3"].map(|name| join(&machine, name));
    machine.wait("the first reports of three hosts", || {
        (machine.assets().iter().filter(|asset| asset.packages > 0).count() == 3).then_some(())
    });
    machine.tenon(&["tempo", "fast"]);
    machine.tenon(&["promote", "default"]);

    // It passes its rehearsal and breaks its service.
    let broken = ToyPackage::new("toyd", "2.0").daemon(Daemon::FailsAtStart).changelog("Fix CVE-2099-1003");
    let directive = rehearsed(&machine, &members, &broken, "2.0");
    machine.tenon(&["approve", &directive.id]);
    let halted = machine.wait("the rollout's halt", || {
        let directive: DirectiveView = machine.json(&["show", &directive.id]);
        let halted = directive.rollout.as_ref().is_some_and(|rollout| rollout.state == "halted");
        halted.then_some(directive)
    });
    assert_eq!((in_stage(&halted, "rolled-back"), in_stage(&halted, "approved")), (1, 2), "{halted:?}");
    let shown = machine.tenon(&["plan", "show", &directive.id]);
    assert!(shown.contains("1 of 1 assets of the wave failed, 0 may"), "{shown}");
    assert!(shown.contains("canary") && shown.contains("widening"), "{shown}");
    // On no host anything but the old version is left, and two were never touched.
    let versions = [machine.version("toyd"), members[0].version("toyd"), members[1].version("toyd")];
    assert_eq!(versions, ["1.0", "1.0", "1.0"]);
    let untouched = |directive: &DirectiveView| {
        directive
            .assets
            .iter()
            .filter(|asset| asset.orders.iter().all(|order| order.action == "rehearse"))
            .count()
    };
    assert_eq!(untouched(&halted), 2, "{halted:?}");

    // Mended by its vendor: the newer version takes the hosts over, one canary first.
    let mended = ToyPackage::new("toyd", "2.1").changelog("Fix CVE-2099-1003, start again");
    let directive = rehearsed(&machine, &members, &mended, "2.1");
    machine.tenon(&["approve", &directive.id]);
    machine.wait("toyd 2.1 verified everywhere", || {
        let directive: DirectiveView = machine.json(&["show", &directive.id]);
        (in_stage(&directive, "verified") == 3 && directive.closed.is_some()).then_some(())
    });
    let versions = [machine.version("toyd"), members[0].version("toyd"), members[1].version("toyd")];
    assert_eq!(versions, ["2.1", "2.1", "2.1"]);
    let log = machine.tenon(&["log"]);
    assert!(log.contains("wave 1 begins") && log.contains("wave 2 begins"), "{log}");
    drop(members);
    machine.down();
}

//! The server killed and the network cut while a host changes: the change ends on the host, is told once both are back, and is made
//! once.

use tenon_fleet::{Suite, ToyPackage};
use tenon_server::DirectiveView;

use crate::feeds::{Told, write_mirror};
use crate::machine::machine;
use crate::member::Member;

/// On the host itself, and not in a rehearsal, it notes that it ran and waits for the test.
pub(crate) const SLOW: &str = "#!/bin/sh\nset -e\n[ -d /run/systemd/system ] || exit 0\necho ran >>/var/lib/toyd-ran\n: >/run/toyd-waits\n\
    for i in $(seq 600); do\n  [ -e /run/toyd-go ] && break\n  sleep 0.2\ndone\nsystemctl restart toyd.service\n";

#[test]
fn interrupted_server_and_network_lose_no_change_and_make_none_twice() {
    let test = "interrupted_server_and_network_lose_no_change_and_make_none_twice";
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9911-1", cve: "CVE-2099-1011", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.publish(Suite::Release, &ToyPackage::new("toyd", "1.0"));
    let gateway = format!("{}:8421", machine.host.ip());
    let words = ["--no-agent", "--gateway", &gateway];
    machine.up_with(&words);
    let mut member = Member::booted(&machine, "web2");
    let shell = |member: &Member, line: &str| member.host.shell(line).unwrap().ok().unwrap().stdout;
    shell(&member, "apt-get -qq update && apt-get -y -qq install toyd");
    machine.publish(
        Suite::Security,
        &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1011").postinst(SLOW),
    );
    shell(&member, "apt-get -qq update");
    member.join(&machine);
    let id = machine.directive("toyd").id;
    machine.tenon(&["promote", "default"]);
    machine.stage(&id, "awaiting-approval");
    machine.tenon(&["approve", &id]);
    machine.wait("the script of the package", || {
        member.host.shell("ls /run/toyd-waits").unwrap().success().then_some(())
    });

    // Both at once, in the middle of the change.
    member.host.cut().unwrap();
    machine.killed();
    shell(&member, "touch /run/toyd-go");
    machine.wait("an answer that nobody takes", || {
        member.host.shell("ls /var/lib/tenon-agent/answer.json").unwrap().success().then_some(())
    });
    assert_eq!(member.version("toyd"), "2.0");
    assert_eq!(shell(&member, "dpkg --audit; systemctl is-active toyd"), "active\n");

    // The server is back and knows what it ordered; the host is not, and nothing is said of it.
    machine.up_with(&words);
    let waiting: DirectiveView = machine.json(&["show", &id]);
    assert!(waiting.closed.is_none() && waiting.assets[0].stage.name == "applying", "{waiting:?}");
    member.host.join().unwrap();
    let closed = machine.wait("the directive's end", || {
        let directive: DirectiveView = machine.json(&["show", &id]);
        directive.closed.is_some().then_some(directive)
    });
    assert_eq!(closed.assets[0].stage.name, "verified");
    let applied = closed.assets[0].orders.iter().filter(|order| order.action == "apply").count();
    assert_eq!((applied, shell(&member, "cat /var/lib/toyd-ran").as_str()), (1, "ran\n"), "{closed:?}");
    assert!(machine.tenon(&["log", "verify"]).contains("every hash right"));
    drop(member);
    machine.down();
}

//! A policy lets routine run by itself on a real host; what it keeps back waits for people.

use tenon_fleet::{Suite, ToyPackage};
use tenon_server::DirectiveView;

use crate::feeds::{Told, write_mirror};
use crate::machine::machine;

const POLICY: &str = r#"version: 1
rules:
  - name: routine
    when: directive.package == "toyd" && rehearsal.undo == "proven" && rehearsal.removed == 0
    approval: automatic
  - name: by-hand
    approval: forbidden
    why: only toyd is routine here
"#;

#[test]
fn unattended_a_disclosed_vulnerability_is_fixed_by_policy_and_the_exception_waits() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9904-1", cve: "CVE-2099-1004", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "unattended_a_disclosed_vulnerability_is_fixed_by_policy_and_the_exception_waits";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    for package in ["toyd", "otherd"] {
        machine.install(package);
    }
    machine.up();
    machine.wait("the host's first report", || (machine.assets().first()?.packages > 0).then_some(()));
    machine.host.shell(&format!("cat > /root/policy.yaml <<'EOF'\n{POLICY}EOF")).unwrap().ok().unwrap();
    machine.tenon(&["policy", "apply", "/root/policy.yaml", "--yes"]);
    machine.tenon(&["promote", "default"]);

    // From here on nobody does anything.
    machine.publish(Suite::Security, &ToyPackage::new("otherd", "2.0"));
    machine.publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1004"));
    let closed = machine.wait("the end of toyd's directive", || {
        machine.directives("closed").into_iter().find(|closed| closed.source == "toyd")
    });
    let closed: DirectiveView = machine.json(&["show", &closed.id]);
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(closed.closes, ["CVE-2099-1004"]);
    assert_eq!(machine.version("toyd"), "2.0");
    assert!(machine.host.exec(["systemctl", "is-active", "--quiet", "toyd"]).unwrap().success());
    let log = machine.tenon(&["log"]);
    let by_policy: Vec<&str> = log.lines().filter(|line| line.contains("rule routine")).collect();
    assert!(by_policy.iter().any(|line| line.contains(&closed.id)), "{log}");

    // Rehearsed, and nothing more: no person can have it applied either while the policy stands.
    let other = machine.directive("otherd");
    let waits = machine.stage(&other.id, "awaiting-approval");
    assert_eq!(waits.assets[0].undo.as_deref(), Some("proven"));
    let refused = machine.try_tenon(&["approve", &other.id]);
    assert!(!refused.success() && refused.stderr.contains("by-hand"), "{}", refused.stderr);
    assert_eq!(machine.version("otherd"), "1.0");
    machine.down();
}

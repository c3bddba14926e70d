//! The first loop, disclosed to verified, on a real Debian host and on a host of RPM packages: both endings.

use tenon_fleet::{Daemon, Suite, ToyPackage};
use tenon_server::HeadView;

use crate::feeds::{Told, write_mirror, write_mirror_of};
use crate::machine::{Machine, machine, rpm_machine};

/// How often a story is told: "passes N times in a row" is measured with `TENON_SOAK=1`.
fn times() -> u32 {
    if std::env::var_os("TENON_SOAK").is_some() { 20 } else { 1 }
}

/// A packages-only picture of the host: what nobody may change before a person says so.
fn packages(machine: &Machine) -> String {
    machine.host.shell("dpkg-query -W; sha256sum /var/lib/dpkg/status").unwrap().ok().unwrap().stdout
}

/// The record proves itself, and replayed from the start it gives the same World.
fn prove_record(machine: &mut Machine) {
    let running = machine.tenon(&["log", "verify"]);
    assert!(running.contains("every hash right"), "{running}");
    // The agent polls again only once it has told what became of the host: nothing is on its way then.
    let head: HeadView = machine.wait("the agent to poll and nothing to come", || {
        let before: HeadView = machine.get("/api/v1/head");
        let polls = machine.curl("-sf", "/metrics").stdout.contains("tenon_agents_connected 1\n");
        let after: HeadView = machine.get("/api/v1/head");
        (polls && before.seq == after.seq).then_some(after)
    });
    machine.host.shell("tenon log export > /root/audit.jsonl").unwrap().ok().unwrap();
    machine.down();
    let stopped: serde_json::Value = machine.json(&["log", "verify"]);
    assert_eq!(stopped["entries"].as_u64(), Some(head.seq).filter(|seq| *seq > 10));
    assert_eq!(stopped["world"].as_str(), Some(head.world.as_str()), "replay gives another World");
    let export: serde_json::Value = machine.json(&["log", "verify", "/root/audit.jsonl"]);
    assert_eq!(export["head"], stopped["head"]);
    machine.host.shell("sed -i '3s/event/evenT/' /root/audit.jsonl").unwrap().ok().unwrap();
    let forged = machine.try_tenon(&["log", "verify", "/root/audit.jsonl"]);
    assert!(!forged.success() && forged.stderr.contains("entry"), "{}", forged.stderr);
}

#[test]
fn story_a_security_update_ends_verified() {
    for _ in 0..times() {
        verified();
    }
}

fn verified() {
    let folder = tempfile::tempdir().unwrap();
    // The first run builds the image; what is pending in it is real and changes from week to week.
    let Some(pending) = pending_openssl() else {
        println!(
            "skipped: story_a_security_update_ends_verified: no openssl update is pending or no fleet can run here"
        );
        return;
    };
    let told =
        Told { id: "DSA-9901-1", cve: "CVE-2099-1001", source: "openssl", fixed: &pending, exploited: true };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) =
        machine("story_a_security_update_ends_verified", folder.path(), &["openssl", "libssl3"])
    else {
        return;
    };
    let before = packages(&machine);
    machine.up();

    // Disclosed: the host is exposed, and the directive says what to do and why.
    let directive = machine.wait("the advisory in the directive", || {
        let directive = machine.directive("openssl");
        (directive.closes == ["CVE-2099-1001"]).then_some(directive)
    });
    assert_eq!(directive.title, format!("upgrade openssl to {pending}"));
    let exploited = |directive: &tenon_server::DirectiveView| {
        directive
            .because
            .iter()
            .any(|basis| basis.fact.contains("exploited somewhere") && basis.source == "kev")
    };
    let directive =
        machine.wait("KEV in the reasons", || Some(machine.directive("openssl")).filter(exploited));
    assert!(directive.due.is_some());
    let asset = &machine.assets()[0];
    assert_eq!((asset.hostname.as_str(), asset.mode.as_str()), ("web1", "observe"));
    assert!(asset.findings >= 1 && asset.not_assessed.is_empty(), "{asset:?}");

    // Only observed: nothing is ordered, nothing changes, approving has nothing to approve.
    assert_eq!(directive.assets[0].stage.name, "proposed");
    let early = machine.try_tenon(&["approve", &directive.id]);
    assert!(!early.success() && early.stderr.contains("nothing-to-approve"), "{}", early.stderr);
    assert_eq!(before, packages(&machine));

    // A person lets it act: rehearsed on a copy, still nothing changes.
    machine.tenon(&["promote", "default"]);
    let rehearsed = machine.stage(&directive.id, "awaiting-approval");
    assert_eq!(rehearsed.assets[0].undo.as_deref(), Some("proven"));
    assert!(
        rehearsed.assets[0].units.iter().any(|unit| unit == "nginx.service"),
        "{:?}",
        rehearsed.assets[0].units
    );
    assert_eq!(before, packages(&machine));

    // Approved: applied, verified on the host, closed by a later inventory.
    // Where its row asks for evidence, that was handed over before it was rehearsed.
    machine.tenon(&["approve", &directive.id]);
    let closed = machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == directive.id)
    });
    let closed: tenon_server::DirectiveView = machine.json(&["show", &closed.id]);
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(closed.assets[0].stage.name, "verified");
    assert_eq!(machine.version("libssl3"), pending);
    let detail: tenon_server::AssetDetail = machine.json(&["show", &machine.assets()[0].id]);
    assert!(!detail.open.iter().any(|finding| finding.vulnerability == "CVE-2099-1001"));
    assert!(machine.host.exec(["systemctl", "is-active", "--quiet", "nginx"]).unwrap().success());

    // The page is served, and the same answers come live.
    let page = machine.host.exec(["curl", "-sf", "http://127.0.0.1:8420/"]).unwrap().ok().unwrap().stdout;
    assert!(page.contains("<title>Tenon"), "{page}");
    let live = machine.curl("-sN --max-time 2", "/api/v1/events");
    assert!(live.stdout.contains("event: generation"), "{}", live.stdout);
    prove_record(&mut machine);
}

/// The version of openssl that the image's security suite offers.
fn pending_openssl() -> Option<String> {
    tenon_fleet::Requirements::check().ok()?;
    let image = tenon_fleet::Image::prepare(&tenon_fleet::cache_dir()).unwrap();
    image
        .pending()
        .iter()
        .find(|pending| pending.package == "openssl")
        .map(|pending| pending.candidate.clone())
}

#[test]
fn story_an_update_that_breaks_its_service_ends_rolled_back() {
    for _ in 0..times() {
        rolled_back();
    }
}

fn rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9902-1", cve: "CVE-2099-1002", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "story_an_update_that_breaks_its_service_ends_rolled_back";
    let Some(machine) = machine(test, folder.path(), &[]) else { return };
    ends_rolled_back(machine, "1.0");
}

/// With the version of toyd that it begins and ends with, as the package manager writes it.
fn ends_rolled_back(mut machine: Machine, version: &str) {
    machine.install("toyd");
    machine.up_to_act();

    let broken = ToyPackage::new("toyd", "2.0").daemon(Daemon::FailsAtStart).changelog("Fix CVE-2099-1002");
    machine.publish(Suite::Security, &broken);
    let directive = machine.directive("toyd");
    let rehearsed = machine.stage(&directive.id, "awaiting-approval");
    assert_eq!(rehearsed.assets[0].undo.as_deref(), Some("proven"));
    machine.tenon(&["approve", &directive.id]);
    let ended = machine.stage(&directive.id, "rolled-back");
    let reason = ended.assets[0].stage.reason.as_deref().unwrap();
    assert!(reason.contains("toyd.service"), "{reason}");
    let report = machine.report(&ended);
    assert_eq!(report["evidence"]["package_manager_exit"], 0, "{report}");
    assert_eq!(machine.version("toyd"), version);
    assert!(machine.host.exec(["systemctl", "is-active", "--quiet", "toyd"]).unwrap().success());
    // Nothing is claimed that is not so: the directive stays in the queue, the finding stays open.
    assert!(machine.directives("open").iter().any(|open| open.id == directive.id));
    assert!(machine.directives("closed").is_empty());
    let detail: tenon_server::AssetDetail = machine.json(&["show", &machine.assets()[0].id]);
    assert!(detail.open.iter().any(|finding| finding.vulnerability == "CVE-2099-1002"), "{detail:?}");
    assert!(machine.tenon(&["queue"]).contains("rolled-back on web1"));
    prove_record(&mut machine);
}

/// An advisory about toyd of a distribution with RPM packages.
fn told_of_rpm<'a>(id: &'a str, cve: &'a str) -> Told<'a> {
    Told { id, cve, source: "toyd", fixed: "2.0-1", exploited: true }
}

#[test]
fn story_a_security_update_by_dnf_ends_verified() {
    let folder = tempfile::tempdir().unwrap();
    write_mirror_of("Rocky Linux:9", folder.path(), &[told_of_rpm("RLSA-2026:9903", "CVE-2099-1003")]);
    let Some(mut machine) = rpm_machine("story_a_security_update_by_dnf_ends_verified", folder.path()) else {
        return;
    };
    // Its source is called otherwise, as that of most packages; the advisory speaks of the package.
    let package = |version| ToyPackage::new("toyd", version).source("toys");
    machine.install_as("toyd", &package("1.0"));
    machine.up();
    machine.publish(Suite::Security, &package("2.0"));
    let directive = machine.wait("the advisory in the directive", || {
        let directive = machine.directive("toys");
        (directive.closes == ["CVE-2099-1003"]).then_some(directive)
    });
    assert_eq!(directive.title, "upgrade toys to 2.0-1");
    let asset = &machine.assets()[0];
    assert!(asset.findings == 1 && asset.not_assessed.is_empty(), "{asset:?}");
    assert_eq!(directive.assets[0].stage.name, "proposed");
    assert_eq!(machine.version("toyd"), "1.0-1");

    machine.tenon(&["promote", "default"]);
    let rehearsed = machine.stage(&directive.id, "awaiting-approval");
    assert_eq!(rehearsed.assets[0].undo.as_deref(), Some("proven"));
    assert_eq!(rehearsed.assets[0].units, ["toyd.service"]);
    assert_eq!(machine.version("toyd"), "1.0-1");

    machine.tenon(&["approve", &directive.id]);
    let closed = machine.wait("the directive's end", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == directive.id)
    });
    let closed: tenon_server::DirectiveView = machine.json(&["show", &closed.id]);
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(closed.assets[0].stage.name, "verified");
    assert_eq!(machine.version("toyd"), "2.0-1");
    let detail: tenon_server::AssetDetail = machine.json(&["show", &machine.assets()[0].id]);
    assert!(detail.open.is_empty(), "{:?}", detail.open);
    prove_record(&mut machine);
}

#[test]
fn story_an_update_by_dnf_that_breaks_its_service_ends_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    write_mirror_of("Rocky Linux:9", folder.path(), &[told_of_rpm("RLSA-2026:9902", "CVE-2099-1002")]);
    let test = "story_an_update_by_dnf_that_breaks_its_service_ends_rolled_back";
    let Some(machine) = rpm_machine(test, folder.path()) else { return };
    ends_rolled_back(machine, "1.0-1");
}

//! A host that is cut off when its order is made comes back after the window's end: it carries nothing out, says so, and waits for the
//! next window; it counts as no failure.

use std::time::Duration;

use tenon_fleet::{Suite, wait_until};
use tenon_server::DirectiveView;

use crate::estate::{Fleet, Tier, directives, in_stage, is_halted, toyd, until, with_toyd};
use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};

const TIERS: [Tier; 1] = [("prod", "production", 1)];
/// What is left of the window when the fix is published. In its last ten minutes nothing begins.
const LEFT_MINUTES: u64 = 12;

/// A person approves, and changes begin in this window alone.
fn policy(window: Option<(u64, u64)>) -> String {
    let clock = |seconds: u64| format!("{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60);
    let (windows, within) = window.map_or_else(Default::default, |(from, to)| {
        let (from, to) = (clock(from), clock(to));
        let windows = format!("windows:\n  change: {{ zone: UTC, from: \"{from}\", to: \"{to}\" }}\n");
        (windows, "    windows: [change]\n".to_owned())
    });
    format!(
        "version: 1\n{windows}rules:\n  - name: routine\n    approval: {{people: 1}}\n    tempo: fast\n{within}"
    )
}

fn seconds(machine: &Machine) -> u64 {
    machine.host.exec(["date", "+%s"]).unwrap().ok().unwrap().stdout.trim().parse().unwrap()
}

#[test]
fn late_a_host_that_is_cut_off_beyond_its_window_waits_for_the_next() {
    let test = "late_a_host_that_is_cut_off_beyond_its_window_waits_for_the_next";
    if std::env::var_os("TENON_SOAK").is_none() {
        println!("skipped: {test}: it waits for a window's end (TENON_SOAK=1 runs it)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9908-1", cve: "CVE-2099-1008", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.publish(Suite::Release, &toyd("1.0"));
    machine.up_with(&["--no-agent", "--gateway", &format!("{}:8421", machine.host.ip())]);
    let fleet = Fleet::new(&machine, &TIERS, with_toyd);
    let closes = (seconds(&machine) / 60 + LEFT_MINUTES) * 60;
    fleet.govern(&machine, &policy(Some((closes - 3600, closes))));

    fleet.release(&machine, "2.0", &toyd("2.0").changelog("Fix CVE-2099-1008"));
    let rehearsed = until(&machine, "both rehearsed", "2.0", |directive| {
        (in_stage(directive, "awaiting-approval") == 2).then(|| directive.clone())
    });
    fleet.members.iter().for_each(|member| member.host.cut().unwrap());
    machine.tenon(&["approve", &rehearsed.id]);
    let ordered = until(&machine, "an order", "2.0", |directive| {
        directive
            .assets
            .iter()
            .find(|asset| asset.stage.name == "applying")
            .map(|asset| asset.hostname.clone())
    });

    // Back after the window's end, with its order still on offer.
    wait_until("the window's end", Duration::from_secs(20 * 60), || {
        Ok((seconds(&machine) > closes).then_some(()))
    })
    .unwrap();
    fleet.members.iter().for_each(|member| member.host.join().unwrap());
    let log = || fleet.members.iter().map(|member| member.log(&machine)).collect::<String>();
    let stage = |directive: &DirectiveView| {
        let asset = directive.assets.iter().find(|asset| asset.hostname == ordered)?;
        Some((asset.stage.name.clone(), asset.stage.reason.clone().unwrap_or_default()))
    };
    let why = wait_until("the late host among those that wait", Duration::from_secs(300), || {
        let known = directives(&machine, "2.0").iter().find_map(&stage);
        Ok(known.filter(|(name, _)| name == "approved").map(|(_, why)| why))
    })
    .unwrap_or_else(|error| {
        let known = directives(&machine, "2.0").iter().find_map(&stage);
        panic!("{error}: {known:?}\n{}\n{}", machine.tenon(&["log"]), log())
    });
    assert!(why.contains("window change") && why.contains("it may begin at"), "{why}");
    assert!(log().contains("an order came too late and is not carried out"), "{}", log());
    assert_eq!(fleet.versions(), vec!["1.0"; 2]);

    // The next window: nobody approves anything again.
    machine.host.write_file("/root/policy.yaml", policy(None).as_bytes(), 0o644).unwrap();
    machine.tenon(&["policy", "apply", "/root/policy.yaml", "--yes"]);
    let closed = until(&machine, "the end of 2.0", "2.0", |directive| {
        assert!(!is_halted(directive), "{directive:?}");
        directive.closed.is_some().then(|| directive.clone())
    });
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(fleet.versions(), vec!["2.0"; 2]);
    assert_eq!(fleet.upgrades("1.0", "2.0"), vec![1; 2], "nothing twice");
    println!("measured: {ordered} was cut off beyond its window's end, and done in the next, approved once");
    drop(fleet);
    machine.down();
}

//! A fleet in three tiers, in pairs that stand in for each other: a fix reaches all of it by policy, with nobody deciding, while
//! somebody outside asks every service every 200 ms.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tenon_fleet::{Daemon, Suite, ToyPackage};

use crate::asking::{Prober, TOYD};
use crate::estate::{
    Fleet, everywhere, in_stage, is_halted, tiers, toyd, until, with_toyd, with_toyd_by_dnf,
};
use crate::feeds::{Told, write_mirror, write_mirror_of};
use crate::machine::{Machine, machine, rpm_machine};

const POLICY: &str = r#"version: 1
rules:
  - name: routine
    when: rehearsal.undo == "proven" && rehearsal.removed == 0
    approval: automatic
    tempo: fast
"#;

/// Publishes a fix and waits until it is everywhere: as the hosts' own package manager said, and in the order of the tiers. How long it took.
fn goes_through(
    machine: &Machine,
    fleet: &Fleet,
    fix: &ToyPackage,
    [from, to]: [&str; 2],
    said_of_each: &str,
) -> Duration {
    let before = fleet.installed();
    let begun = Instant::now();
    let simulated = fleet.release(machine, to, fix);
    let count = fleet.members.len();
    let (closed, order) = everywhere(machine, to, count);
    let took = begun.elapsed();
    for directive in &closed {
        assert_eq!(
            (directive.ended.as_deref(), &*directive.closes),
            (Some("fixed"), &["CVE-2099-1007".to_owned()][..])
        );
    }
    // What was said of each host is what was done there, and all that was done.
    let mut expected = before;
    for (said, expected) in simulated.iter().zip(&mut expected) {
        let [line] = said.as_slice() else { panic!("{said:?}") };
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.starts_with(said_of_each), "{line}");
        assert_eq!(expected.insert("toyd".to_owned(), to.to_owned()).as_deref(), Some(from));
    }
    assert_eq!(fleet.installed(), expected);
    assert_eq!(fleet.upgrades(from, to), vec![1; count]);
    // No tier before the one in front of it is done.
    let tiers = tiers();
    for done in &order {
        let of = |tier: &str| done.iter().filter(|name| name.starts_with(tier)).count();
        let whole = |place: usize| of(tiers[place].0) == 2 * tiers[place].2;
        assert!(of("stage") == 0 || whole(0), "{done:?}");
        assert!(of("prod") == 0 || whole(1), "{done:?}");
    }
    took
}

#[test]
fn tiers_a_fix_goes_through_them_by_itself_while_services_stay_up() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9907-1", cve: "CVE-2099-1007", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "tiers_a_fix_goes_through_them_by_itself_while_services_stay_up";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    let begun = Instant::now();
    machine.publish(Suite::Release, &toyd("1.0"));
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--no-agent", "--gateway", &gateway]);
    let fleet = Fleet::new(&machine, &tiers(), with_toyd);
    let count = fleet.members.len();
    fleet.govern(&machine, POLICY);
    let ready = begun.elapsed();
    let prober = Prober::begin(&machine.lab, &fleet, TOYD);

    // A fix is published, and from here on nobody does anything.
    let fix = toyd("2.0").changelog("Fix CVE-2099-1007");
    let fixed = goes_through(&machine, &fleet, &fix, ["1.0", "2.0"], "Inst toyd [1.0] (2.0 ");

    // A second one, during which the server is killed twice.
    fleet.release(&machine, "3.0", &toyd("3.0"));
    for done in [1, count / 2] {
        until(&machine, "a part of 3.0", "3.0", |directive| {
            let under_way = in_stage(directive, "applying") + in_stage(directive, "applied");
            (under_way + in_stage(directive, "verified") >= done).then_some(())
        });
        machine.killed();
        machine.up_with(&["--no-agent", "--gateway", &gateway]);
    }
    everywhere(&machine, "3.0", count);
    assert_eq!(fleet.versions(), vec!["3.0"; count]);
    assert_eq!(fleet.upgrades("2.0", "3.0"), vec![1; count], "nothing twice");

    // A third one breaks its service: one host takes the harm, and is brought back.
    fleet.release(&machine, "4.0", &ToyPackage::new("toyd", "4.0").daemon(Daemon::FailsAtStart));
    let halted = until(&machine, "the halt of 4.0", "4.0", |directive| {
        is_halted(directive).then(|| directive.clone())
    });
    assert_eq!(in_stage(&halted, "rolled-back"), 1, "{halted:?}");
    assert_eq!(fleet.versions(), vec!["3.0"; count]);
    let touched = fleet.upgrades("3.0", "4.0").iter().sum::<usize>();
    assert_eq!(touched, 1, "the canary alone");
    let said = machine.tenon(&["plan", "show", &halted.id]);
    assert!(said.contains("1 of 1 assets of the wave failed, 0 may"), "{said}");

    let rounds = prober.end();
    let judged = fleet.judge(&rounds);
    let versions: BTreeSet<&String> =
        rounds.iter().flat_map(|(_, answers)| answers.iter().flatten()).collect();
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["1.0", "2.0", "3.0"]);
    println!(
        "measured: {count} hosts in {} pairs and three tiers: ready in {ready:.0?}, fixed everywhere {fixed:.0?} after it was published; \
         what apt said of each host is what was done on {count} of {count}, nothing else changed on any; {judged}",
        fleet.pairs.len(),
    );
    drop(fleet);
    machine.down();
}

#[test]
fn tiers_a_fix_goes_through_hosts_of_rpm_packages_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "RLSA-2026:9907", cve: "CVE-2099-1007", source: "toyd", fixed: "2.0-1", exploited: false };
    write_mirror_of("Rocky Linux:9", folder.path(), &[told]);
    let test = "tiers_a_fix_goes_through_hosts_of_rpm_packages_the_same";
    let Some(mut machine) = rpm_machine(test, folder.path()) else { return };
    machine.publish(Suite::Release, &toyd("1.0"));
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--no-agent", "--gateway", &gateway]);
    let fleet = Fleet::new(&machine, &tiers(), with_toyd_by_dnf);
    fleet.govern(&machine, POLICY);
    let prober = Prober::begin(&machine.lab, &fleet, TOYD);
    let fixed = goes_through(&machine, &fleet, &toyd("2.0"), ["1.0-1", "2.0-1"], "toyd.noarch 2.0-1 ");
    let (count, rounds) = (fleet.members.len(), prober.end());
    let (_, last) = rounds.last().unwrap();
    assert_eq!(last, &vec![Some("2.0".to_owned()); count], "the new version serves");
    println!(
        "measured: {count} hosts of RPM packages in {} pairs and three tiers: fixed everywhere {fixed:.0?} after it was published; what \
         dnf said of each host is what was done on {count} of {count}, nothing else changed on any; {}",
        fleet.pairs.len(),
        fleet.judge(&rounds)
    );
    drop(fleet);
    machine.down();
}

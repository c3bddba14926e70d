//! A host loses its power in the middle of its change: it holds the rest of the fleet until it is back, and is not called done before.

use tenon_fleet::{Boot, Suite};

use crate::asking::{Prober, TOYD};
use crate::estate::{Fleet, Tier, in_stage, toyd, until, with_toyd};
use crate::feeds::{Told, write_mirror};
use crate::interrupted::SLOW;
use crate::machine::machine;

const TIERS: [Tier; 2] = [("dev", "development", 1), ("prod", "production", 1)];
const POLICY: &str = "version: 1\nrules:\n  - name: routine\n    approval: automatic\n    tempo: fast\n";

#[test]
fn lost_a_host_without_power_in_its_wave_holds_the_rest_until_it_is_back() {
    let test = "lost_a_host_without_power_in_its_wave_holds_the_rest_until_it_is_back";
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9908-1", cve: "CVE-2099-1008", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.publish(Suite::Release, &toyd("1.0"));
    let words = ["--no-agent", "--gateway", &format!("{}:8421", machine.host.ip())];
    machine.up_with(&words);
    let mut fleet = Fleet::new(&machine, &TIERS, with_toyd);
    let count = fleet.members.len();
    fleet.govern(&machine, POLICY);
    let prober = Prober::begin(&machine.lab, &fleet, TOYD);

    fleet.release(&machine, "2.0", &toyd("2.0").changelog("Fix CVE-2099-1008").postinst(SLOW));
    let at_work = until(&machine, "all rehearsed and one at work", "2.0", |directive| {
        let is_all = in_stage(directive, "approved") == count - 1;
        let mut applying = directive.assets.iter().filter(|asset| asset.stage.name == "applying");
        applying.next().filter(|_| is_all).map(|asset| asset.hostname.clone())
    });
    machine.wait("the script of the package", || {
        fleet.member(&at_work).host.shell("ls /run/toyd-waits").unwrap().success().then_some(())
    });
    fleet.member(&at_work).lose();

    // A server that starts anew knows of it as well, and lets nothing go on behind it.
    machine.killed();
    machine.up_with(&words);
    let waiting = until(&machine, "the directive", "2.0", |directive| Some(directive.clone()));
    assert_eq!(
        (in_stage(&waiting, "applying"), in_stage(&waiting, "approved")),
        (1, count - 1),
        "{waiting:?}"
    );

    // It is back, and what was begun is ended; the others follow.
    for member in fleet.members.iter().filter(|member| member.host.name() != at_work) {
        member.host.shell("touch /run/toyd-go").unwrap().ok().unwrap();
    }
    let host = fleet.member(&at_work);
    host.host.boot(Boot::Full).unwrap();
    host.host.shell("touch /run/toyd-go").unwrap().ok().unwrap();
    host.work(&machine);
    let closed = until(&machine, "the end of 2.0", "2.0", |directive| {
        let halted = crate::estate::is_halted(directive);
        assert!(!halted, "{directive:?}");
        directive.closed.is_some().then(|| directive.clone())
    });
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(fleet.versions(), vec!["2.0"; count]);
    assert_eq!(fleet.upgrades("1.0", "2.0"), vec![1; count], "nothing twice");
    println!(
        "measured: 1 of {count} hosts without power in its change, the server killed meanwhile: {}",
        fleet.judge(&prober.end())
    );
    drop(fleet);
    machine.down();
}

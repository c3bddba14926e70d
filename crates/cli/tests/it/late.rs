//! A change that its window does not wait for: one host is cut off when its order is made and comes back after the window's end, another
//! loses its power in the middle of the change. Neither is called done, nothing goes on behind them, and both are picked up again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tenon_fleet::{Boot, Suite, wait_until};
use tenon_server::DirectiveView;

use crate::asking::{Prober, TOYD};
use crate::estate::{Fleet, Tier, directives, in_stage, is_halted, toyd, until, with_toyd};
use crate::feeds::{Told, write_mirror};
use crate::interrupted::SLOW;
use crate::machine::{Machine, machine};
use crate::member::Member;

/// A third of production may change at once: two hosts.
const TIERS: [Tier; 2] = [("dev", "development", 1), ("prod", "production", 3)];
const HOSTS: usize = 8;
/// What is left of the window when the fix is published. In its last ten minutes nothing begins.
const LEFT_MINUTES: u64 = 15;
/// How long after its expiry an answer to an order still counts, and a little.
const GRACE: Duration = Duration::from_secs(17 * 60);

/// Everything by itself, in this window alone.
fn policy(window: Option<(u64, u64)>) -> String {
    let clock = |seconds: u64| format!("{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60);
    let (windows, within) = window.map_or_else(Default::default, |(from, to)| {
        let (from, to) = (clock(from), clock(to));
        let windows = format!("windows:\n  change: {{ zone: UTC, from: \"{from}\", to: \"{to}\" }}\n");
        (windows, "    windows: [change]\n".to_owned())
    });
    format!(
        "version: 1\n{windows}rules:\n  - name: routine\n    approval: automatic\n    tempo: fast\n{within}"
    )
}

fn seconds(machine: &Machine) -> u64 {
    machine.host.exec(["date", "+%s"]).unwrap().ok().unwrap().stdout.trim().parse().unwrap()
}

fn stages(directive: &DirectiveView) -> BTreeMap<&str, &str> {
    directive.assets.iter().map(|asset| (asset.hostname.as_str(), asset.stage.name.as_str())).collect()
}

fn names(fleet: &Fleet, tier: &str) -> Vec<String> {
    let names = fleet.members.iter().map(|member| member.host.name().to_owned());
    names.filter(|name| name.starts_with(tier)).collect()
}

/// Lets what waits in the package's script go on.
fn go(member: &Member) {
    member.host.shell("touch /run/toyd-go").unwrap().ok().unwrap();
}

/// Cuts a host off from the server alone: its service still answers whoever uses it.
fn cut(machine: &Machine, member: &Member) {
    member.host.shell(&format!("ip route add blackhole {}/32", machine.host.ip())).unwrap().ok().unwrap();
}

fn heal(machine: &Machine, member: &Member) {
    member.host.shell(&format!("ip route del blackhole {}/32", machine.host.ip())).unwrap().ok().unwrap();
}

#[test]
fn late_a_lost_host_and_one_behind_its_window_are_not_called_done() {
    let test = "late_a_lost_host_and_one_behind_its_window_are_not_called_done";
    if std::env::var_os("TENON_SOAK").is_none() {
        println!(
            "skipped: {test}: it waits for a window's end and half an hour of silence (TENON_SOAK=1 runs it)"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9908-1", cve: "CVE-2099-1008", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    machine.publish(Suite::Release, &toyd("1.0"));
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--no-agent", "--gateway", &gateway]);
    let mut fleet = Fleet::new(&machine, &TIERS, with_toyd);
    let closes = (seconds(&machine) / 60 + LEFT_MINUTES) * 60;
    fleet.govern(&machine, &policy(Some((closes - 3600, closes))));
    let prober = Prober::begin(&machine.lab, &fleet, TOYD);
    let begun = Instant::now();

    // All of production is behind a cut when it is its turn: of the wave that has its orders then, one host stays there.
    fleet.release(&machine, "2.0", &toyd("2.0").changelog("Fix CVE-2099-1008").postinst(SLOW));
    until(&machine, "all rehearsed", "2.0", |directive| {
        let known = in_stage(directive, "applying") + in_stage(directive, "approved");
        (known == HOSTS && in_stage(directive, "applying") == 1).then_some(())
    });
    let [dev, prod] = ["dev", "prod"].map(|tier| names(&fleet, tier));
    prod.iter().for_each(|name| cut(&machine, fleet.member(name)));
    dev.iter().for_each(|name| go(fleet.member(name)));
    let mut canary = None;
    let wave = until(&machine, "a wave of two hosts of production", "2.0", |directive| {
        let applying = directive.assets.iter().filter(|asset| asset.stage.name == "applying");
        let wave: Vec<String> = applying.map(|asset| asset.hostname.clone()).collect();
        let of_production = wave.iter().all(|name| prod.contains(name));
        // The tier has a canary of its own.
        if let ([first], true, None) = (wave.as_slice(), of_production, &canary) {
            heal(&machine, fleet.member(first));
            go(fleet.member(first));
            canary = Some(first.clone());
        }
        (of_production && wave.len() == 2).then_some(wave)
    });
    let [late, lost] = wave.as_slice() else { panic!("{wave:?}") };
    for name in prod.iter().filter(|name| *name != late && Some(*name) != canary.as_ref()) {
        heal(&machine, fleet.member(name));
    }
    machine.wait("the change on the host that will be lost", || {
        fleet.member(lost).host.shell("ls /run/toyd-waits").unwrap().success().then_some(())
    });
    fleet.member(lost).lose();
    let out = until(&machine, "both orders out", "2.0", |directive| {
        (in_stage(directive, "applying") == 2).then(|| directive.clone())
    });
    let before = stages(&out);
    assert_eq!((before[late.as_str()], before[lost.as_str()]), ("applying", "applying"), "{before:?}");

    // Back after the window's end, with its order still on offer: it is not carried out, the host says so, and it waits for the next window.
    wait_until("the window's end", Duration::from_secs(20 * 60), || {
        Ok((seconds(&machine) > closes).then_some(()))
    })
    .unwrap();
    heal(&machine, fleet.member(late));
    let why = until(&machine, "the late host among those that wait", "2.0", |directive| {
        let asset = directive.assets.iter().find(|asset| asset.hostname == *late)?;
        (asset.stage.name == "approved").then(|| asset.stage.reason.clone().unwrap_or_default())
    });
    assert!(why.contains("window change") && why.contains("it may begin at"), "{why}");
    assert!(fleet.member(late).log(&machine).contains("expired at"), "{}", fleet.member(late).log(&machine));
    assert_eq!(fleet.member(late).version("toyd"), "1.0");

    // Silence counts as failure, and nothing goes on behind it.
    let mut halted = None;
    wait_until("the halt", GRACE, || {
        halted = directives(&machine, "2.0")
            .into_iter()
            .find(|directive| is_halted(directive) && in_stage(directive, "failed") == 1);
        Ok(halted.as_ref().map(drop))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", machine.tenon(&["log"])));
    let (halted, silent) = (halted.unwrap(), begun.elapsed());
    let silent_host = halted.assets.iter().find(|asset| asset.hostname == *lost).unwrap();
    let why = silent_host.stage.reason.as_deref().unwrap_or_default();
    assert!(why.contains("a silent host counts as failed: look at the host, then retry"), "{why}");
    let after = stages(&halted);
    let moved: Vec<_> = before.iter().filter(|(name, stage)| after[*name] != **stage).collect();
    assert_eq!(moved.len(), 2, "{before:?} {after:?}");
    assert_eq!((after[late.as_str()], after[lost.as_str()]), ("approved", "failed"));

    // The power is back and a person has looked: what was begun is ended, what was not is done, each once.
    let host = fleet.member(lost);
    host.host.boot(Boot::Full).unwrap();
    host.host.wait_running(Duration::from_secs(60)).unwrap();
    go(host);
    host.work(&machine);
    machine.host.write_file("/root/policy.yaml", policy(None).as_bytes(), 0o644).unwrap();
    machine.tenon(&["policy", "apply", "/root/policy.yaml", "--yes"]);
    let asset = &silent_host.id;
    machine.wait("the lost host, done or to be tried again", || {
        let settled = directives(&machine, "2.0").into_iter().next()?;
        let stage = &settled.assets.iter().find(|known| known.hostname == *lost)?.stage.name;
        (stage != "failed" || machine.try_tenon(&["retry", &halted.id, asset]).success()).then_some(())
    });
    machine.tenon(&["resume", &halted.id]);
    fleet.members.iter().for_each(go);
    let closed = until(&machine, "the end of 2.0", "2.0", |directive| {
        directive.closed.is_some().then(|| directive.clone())
    });
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(fleet.versions(), vec!["2.0"; HOSTS]);
    assert_eq!(fleet.upgrades("1.0", "2.0"), vec![1; HOSTS], "nothing twice");
    println!(
        "measured: {HOSTS} hosts, one late for its window, which waits for the next, and one lost in it, called failed {silent:.0?} after the fix was published; \
         the others untouched meanwhile or done before; {}",
        fleet.judge(&prober.end())
    );
    drop(fleet);
    machine.down();
}

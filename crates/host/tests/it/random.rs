//! Changes by chance: cut off at random moments, and of random parts of what is pending. One of each here, 200 with `TENON_SOAK=1`,
//! which takes hours; with a larger number so many.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tenon_fleet::{Boot, Host, ToyPackage, wait_until};
use tenon_model::{
    ApplyOutcome, ApplyReport, Change, Inventory, PackageTarget, RehearsalOutcome, RehearsalReport,
};

use crate::site::{Site, WORK, as_target, order, probe_on, site};

/// How often each is tried; `None` where this is no soak.
fn soak() -> Option<u64> {
    let number = std::env::var("TENON_SOAK").ok()?;
    Some(number.parse().ok().filter(|number| *number > 1).unwrap_or(200))
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Chance(u64);

impl Chance {
    /// One below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What cuts a change off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    /// The agent is killed.
    Agent,
    /// dpkg is killed, if it runs.
    Dpkg,
    /// The power goes out.
    Power,
}

/// The command line of a change that is under way, or about to be.
const APPLY: &str = "host_probe apply";

impl Site {
    fn quiet(&self, line: &str) -> String {
        self.host.shell(line).unwrap().ok().unwrap().stdout.trim().to_owned()
    }

    /// Waits until nothing of an apply runs any more.
    fn wait_for_end(&self) {
        wait_until("the end of the change", Duration::from_secs(120), || {
            Ok((!self.host.exec(["pgrep", "-f", APPLY])?.success()).then_some(()))
        })
        .unwrap();
    }

    /// Cuts a change off after so long, and returns whether it hit anything that ran, and what is told in the end if it had begun.
    fn cut_off(&self, cut: Cut, after: Duration) -> (bool, Option<ApplyReport>) {
        // The moment is the point: there is no condition to wait for.
        std::thread::sleep(after);
        let succeeds = |words: &[&str]| self.host.exec(words).unwrap().success();
        let hit = match cut {
            Cut::Agent => succeeds(&["pkill", "-KILL", "-f", APPLY]),
            Cut::Dpkg => succeeds(&["pkill", "-KILL", "-x", "dpkg"]),
            Cut::Power => {
                let under_way = succeeds(&["pgrep", "-f", APPLY]);
                self.host.power_off().unwrap();
                self.host.boot(Boot::Full).unwrap();
                self.host.wait_running(Duration::from_secs(60)).unwrap();
                under_way
            }
        };
        self.wait_for_end();
        // One that was killed has left the report of nothing, or the whole of it.
        let told = self.host.read_file("/var/tmp/report.json").unwrap();
        (hit, serde_json::from_str(&told).ok().or_else(|| self.recover()))
    }
}

#[test]
fn a_change_cut_off_at_any_moment_ends_as_one_version_and_is_told() {
    let test = "a_change_cut_off_at_any_moment_ends_as_one_version_and_is_told";
    let Some(site) = site(test, Boot::Full) else { return };
    let (targets, rehearsal) = site.rehearsed_toy(&ToyPackage::new("toyd", "2.0"));
    site.host.write_file("/root/order.json", order(&targets, &rehearsal).as_bytes(), 0o600).unwrap();
    let begin = || {
        let line = format!(
            "rm -f /var/tmp/report.json; setsid {} apply {WORK} </root/order.json >/var/tmp/report.json 2>/dev/null &",
            crate::site::PROBE
        );
        site.quiet(&line);
        wait_until("a change that begins", Duration::from_secs(10), || {
            Ok(site.host.exec(["test", "-e", "/var/tmp/report.json"])?.success().then_some(()))
        })
        .unwrap();
    };
    // How long one takes that nothing cuts off.
    let started = Instant::now();
    begin();
    site.wait_for_end();
    let whole = started.elapsed();
    assert_eq!(site.version("toyd"), "2.0");

    let mut chance = Chance(17);
    let mut ends: BTreeMap<(Cut, &str, &str), u64> = BTreeMap::new();
    // Single moments of the others are held by tests of their own.
    let cuts = if soak().is_some() { &[Cut::Agent, Cut::Dpkg, Cut::Power][..] } else { &[Cut::Dpkg] };
    for round in 0..soak().unwrap_or(1) {
        for cut in cuts.iter().copied() {
            site.quiet("apt-get -y -qq --allow-downgrades install toyd=1.0 && sync");
            let after = Duration::from_millis(chance.below(u64::try_from(whole.as_millis()).unwrap()));
            let what = format!("round {round}, {cut:?} after {after:?}");
            begin();
            let (hit, told) = site.cut_off(cut, after);
            let (version, end) = match told.as_ref().map(|report| &report.outcome) {
                Some(ApplyOutcome::Verified) => ("2.0", "verified"),
                Some(ApplyOutcome::RolledBack { .. }) => ("1.0", "rolled back"),
                Some(ApplyOutcome::Refused { .. }) => ("1.0", "refused"),
                None => ("1.0", "not begun"),
                Some(ApplyOutcome::Failed { .. }) => panic!("{what}: {told:?}"),
            };
            assert_eq!(site.version("toyd"), version, "{what}: {told:?}");
            assert!(site.is_active("toyd"), "{what}: {told:?}");
            assert_eq!(site.quiet("dpkg --audit"), "", "{what}");
            assert_eq!(site.recover(), None, "{what}: told once");
            *ends.entry((cut, if hit { "hit" } else { "missed" }, end)).or_default() += 1;
        }
    }
    println!("measured: changes of {whole:?} cut off: {ends:?}");
}

/// Every package of a host with its version.
fn installed(host: &Host) -> BTreeMap<String, String> {
    let listed =
        host.exec(["dpkg-query", "-W", "-f", "${Package}\\t${Version}\\n"]).unwrap().ok().unwrap().stdout;
    listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

/// What a host has once exactly this was done to it.
fn done(before: &BTreeMap<String, String>, rehearsal: &RehearsalReport) -> BTreeMap<String, String> {
    let mut after = before.clone();
    for step in &rehearsal.transaction.steps {
        match &step.change {
            Change::Upgrade { to, .. } | Change::Install { to } => {
                after.insert(step.package.clone(), to.clone());
            }
            Change::Remove { .. } => {
                after.remove(&step.package);
            }
        }
    }
    after
}

#[test]
fn any_part_of_what_is_pending_is_applied_as_it_was_rehearsed() {
    let Some(site) = site("any_part_of_what_is_pending_is_applied_as_it_was_rehearsed", Boot::Light) else {
        return;
    };
    let pending: Vec<PackageTarget> = site.image.pending().iter().map(as_target).collect();
    let mut chance = Chance(23);
    let (mut applied, mut not_passed) = (0, 0);
    for round in 0..soak().unwrap_or(1) {
        let host = site.another(&format!("part{round}"));
        let most = 1 + chance.below(u64::try_from(pending.len()).unwrap());
        let mut targets: Vec<PackageTarget> = (0..most)
            .map(|_| pending[usize::try_from(chance.below(pending.len() as u64)).unwrap()].clone())
            .collect();
        targets.sort_by(|a, b| a.package.cmp(&b.package));
        targets.dedup();
        let names: Vec<&str> = targets.iter().map(|target| target.package.as_str()).collect();
        let before = installed(&host);
        let _index: Inventory = probe_on(&host, &["inventory", WORK], "");
        let words = serde_json::to_string(&targets).unwrap();
        let rehearsal: RehearsalReport = probe_on(&host, &["rehearse", WORK], &words);
        if rehearsal.outcome != RehearsalOutcome::Passed {
            // It is not applied then; that it changed nothing is what other tests are for.
            println!("measured: {names:?}: {:?}", rehearsal.outcome);
            not_passed += 1;
            continue;
        }
        let report: ApplyReport = probe_on(&host, &["apply", WORK], &order(&targets, &rehearsal));
        assert_eq!(report.outcome, ApplyOutcome::Verified, "{names:?}: {report:?}");
        assert_eq!(installed(&host), done(&before, &rehearsal), "{names:?}");
        applied += 1;
    }
    println!(
        "measured: parts of {} updates: {applied} applied as rehearsed, {not_passed} did not pass",
        pending.len()
    );
    assert!(applied > 0);
}

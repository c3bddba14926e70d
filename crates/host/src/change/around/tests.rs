//! What runs, in which order, after which interruption, without a package manager.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use tenon_model::{Evidence, Transaction, TransactionStep};

use super::*;
use crate::hooks::Whose;
use crate::units::States;

/// A work folder, a folder of hooks whose programs note that they ran, and a change that has not begun.
struct Lab {
    dir: tempfile::TempDir,
    folder: HooksFolder,
    intent: Intent,
}

impl Lab {
    fn new(hooks: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let owner = fs::metadata(dir.path()).unwrap().uid();
        let folder = HooksFolder::at(&dir.path().join("hooks.d"), Whose::User(owner));
        let step = |package: &str, change| TransactionStep {
            package: package.to_owned(),
            architecture: "all".to_owned(),
            change,
        };
        let steps = vec![
            step("old", Change::Remove { from: "1".to_owned() }),
            step("toyd", Change::Upgrade { from: "1".to_owned(), to: "2".to_owned() }),
        ];
        let intent = Intent {
            kind: crate::manager::Kind::Apt,
            mend: crate::manager::Mend::default(),
            transaction: Transaction { steps, kept_back: Vec::new() },
            upgrade: Vec::new(),
            back: Ok(Vec::new()),
            services: States::new(),
            stale: Vec::new(),
            served: Some(Served { order: OrderId::new(7), directive: DirectiveId::new(3) }),
            hooks: Around::default(),
            stage: Stage::Before,
        };
        let mut lab = Self { dir, folder, intent };
        for hook in hooks {
            for moment in HookMoment::ALL {
                lab.program(hook, moment, "");
            }
        }
        lab.intent.hooks = Around::new(lab.folder.read().unwrap());
        lab
    }

    /// Gives a hook a program that notes that it ran, then does something more.
    fn program(&self, hook: &str, moment: HookMoment, more: &str) {
        let path = self.folder.path().join(hook).join(moment.name());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let log = self.dir.path().join("log").display().to_string();
        fs::write(
            &path,
            format!("#!/bin/sh\necho $TENON_HOOK $TENON_MOMENT $TENON_OUTCOME >>{log}\n{more}\n"),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn before(&mut self) -> Result<(), NotBegun> {
        before(&mut self.intent, self.dir.path(), &self.folder)
    }

    fn end(&mut self, outcome: ApplyOutcome, moment: Option<HookMoment>) -> ApplyReport {
        let report =
            ApplyReport { outcome, evidence: Evidence::default(), duration_ms: 0, output: String::new() };
        end(&mut self.intent, self.dir.path(), &self.folder, report, moment)
    }

    /// What is on the disk, as an agent that was killed finds it.
    fn killed(&mut self) {
        self.intent = Intent::read(self.dir.path()).unwrap().unwrap();
    }

    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

#[test]
fn hooks_begin_in_order_and_end_in_the_reverse_one() {
    for (outcome, moment, name) in [
        (ApplyOutcome::Verified, HookMoment::After, "verified"),
        (ApplyOutcome::RolledBack { reason: "ill".to_owned() }, HookMoment::Undo, "rolled-back"),
    ] {
        let mut lab = Lab::new(&["b", "a"]);
        assert!(lab.before().is_ok());
        let report = lab.end(outcome.clone(), Some(moment));
        assert_eq!(report.outcome, outcome);
        let log = [
            "a before".to_owned(),
            "b before".to_owned(),
            format!("b {moment} {name}"),
            format!("a {moment} {name}"),
        ];
        assert_eq!(lab.log(), log);
        assert!(report.evidence.hooks.iter().all(|run| run.end.is_well()));
        assert_eq!(report.evidence.hooks.len(), 4);
    }
}

#[test]
fn a_before_that_fails_stops_there_and_what_has_begun_is_undone() {
    let mut lab = Lab::new(&["a", "b", "c"]);
    lab.program("b", HookMoment::Before, "echo balancer does not answer >&2; exit 3");
    let stop = lab.before().err().unwrap();
    let detail = "`before` of hook b ended with 3: balancer does not answer";
    assert_eq!((stop.code, stop.detail.as_str()), ("hook-failed", detail));
    let refused = ApplyOutcome::Refused { code: stop.code.to_owned(), detail: stop.detail };
    let report = lab.end(refused.clone(), Some(HookMoment::Undo));
    assert_eq!(report.outcome, refused);
    assert_eq!(lab.log(), ["a before", "b before", "b undo refused", "a undo refused"]);

    // One that has become another's meanwhile is no program of root's.
    let mut lab = Lab::new(&["a"]);
    let path = lab.folder.path().join("a/before");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    let stop = lab.before().err().unwrap();
    assert!(stop.detail.starts_with("`before` of hook a could not be started: "), "{}", stop.detail);
    assert_eq!(lab.log(), [""; 0]);
}

#[test]
fn an_end_that_fails_makes_the_outcome_failed_with_the_command() {
    let mut lab = Lab::new(&["a", "b"]);
    lab.program("b", HookMoment::After, "exit 1");
    lab.before().ok().unwrap();
    let report = lab.end(ApplyOutcome::Verified, Some(HookMoment::After));
    assert_eq!(lab.log(), ["a before", "b before", "b after verified", "a after verified"], "the others end");
    let ApplyOutcome::Failed { reason, remedy } = &report.outcome else { panic!("{report:?}") };
    assert_eq!(reason, "the change holds, yet (hook-failed) `after` of hook b ended with 1");
    assert_eq!(remedy, &format!("run on the host: {}", lab.folder.path().join("b/after").display()));
    // Killed before the change's own end was on the disk: told the same, and nothing runs again.
    lab.killed();
    let (dir, folder) = (lab.dir.path().to_owned(), lab.folder.clone());
    let Stage::End { report: kept, moment } = lab.intent.stage.clone() else {
        panic!("{:?}", lab.intent.stage)
    };
    let again = go_on(&mut lab.intent, &dir, &folder, *kept, moment);
    assert_eq!(again, report);
    assert_eq!(lab.log().len(), 4);
}

#[test]
fn a_host_that_is_not_known_to_be_well_stays_out() {
    let mut lab = Lab::new(&["a", "b", "c", "d"]);
    // Of one only `after` would put the host back, and of one nothing.
    let remove = |name: &str| fs::remove_file(lab.folder.path().join(name)).unwrap();
    ["c/undo", "d/undo", "d/after"].into_iter().for_each(remove);
    lab.before().ok().unwrap();
    let failed = ApplyOutcome::Failed { reason: "ill".to_owned(), remedy: "mend it".to_owned() };
    let report = lab.end(failed, None);
    assert_eq!(lab.log(), ["a before", "b before", "c before", "d before"]);
    let ApplyOutcome::Failed { reason, remedy } = &report.outcome else { panic!("{report:?}") };
    assert_eq!(reason, "ill; and this host's hooks keep it out");
    assert!(remedy.starts_with("mend it; its hooks were not undone"), "{remedy}");
    let order = ["c/after && ", "b/undo && ", "a/undo"].map(|program| remedy.find(program).unwrap());
    assert!(order.is_sorted() && remedy.ends_with("a/undo"), "{remedy}");
    let left: Vec<&HookRun> = report.evidence.hooks.iter().filter(|run| !run.end.is_well()).collect();
    assert!(left.len() == 3 && left.iter().all(|run| matches!(run.end, HookEnd::LeftOut { .. })), "{left:?}");
}

#[test]
fn what_was_cut_off_is_told_and_what_is_done_does_not_run_again() {
    // Each program of the second hook kills nothing here: the record of the moment at which it runs is kept aside instead, as a
    // kill at that moment leaves it.
    for moment in [HookMoment::Before, HookMoment::After] {
        let mut lab = Lab::new(&["a", "b"]);
        let (record, aside) = (lab.dir.path().join("change.json"), lab.dir.path().join("aside"));
        let keep = format!("cp {} {}", record.display(), aside.display());
        let which = if moment == HookMoment::Before { "b" } else { "a" };
        lab.program(which, moment, &keep);
        lab.before().ok().unwrap();
        if moment == HookMoment::After {
            lab.end(ApplyOutcome::Verified, Some(HookMoment::After));
        }
        fs::copy(&aside, &record).unwrap();
        lab.program(which, moment, "");
        lab.killed();
        let (until, cut) = (lab.log(), cut_off(&mut lab.intent));
        assert_eq!(cut, format!(", while `{moment}` of hook {which} ran"));
        let report = match lab.intent.stage.clone() {
            Stage::Before => {
                let refused = ApplyOutcome::Refused { code: "interrupted".to_owned(), detail: cut };
                lab.end(refused, Some(HookMoment::Undo))
            }
            Stage::End { report, moment } => {
                let (dir, folder) = (lab.dir.path().to_owned(), lab.folder.clone());
                end(&mut lab.intent, &dir, &folder, *report, moment)
            }
            Stage::Change => panic!("the packages had not begun, or were over"),
        };
        let since = lab.log().split_off(until.len());
        if moment == HookMoment::Before {
            assert_eq!(since, ["b undo refused", "a undo refused"], "no `before` again");
            assert!(matches!(report.outcome, ApplyOutcome::Refused { .. }), "{report:?}");
        } else {
            assert_eq!(since, ["a after verified"], "that of b is done");
            assert_eq!(report.outcome, ApplyOutcome::Verified);
        }
        assert!(report.evidence.hooks.iter().any(|run| run.end == HookEnd::CutOff), "{report:?}");
    }
}

#[test]
fn a_record_from_before_there_were_hooks_is_a_change_without_any() {
    let dir = tempfile::tempdir().unwrap();
    let old = r#"{"transaction":{"steps":[],"kept_back":[]},"upgrade":["true"],"back":{"Ok":[]},"services":{},"stale":[4]}"#;
    fs::write(dir.path().join("change.json"), old).unwrap();
    let intent = Intent::read(dir.path()).unwrap().unwrap();
    assert_eq!((intent.stage, intent.hooks, intent.served), (Stage::Change, Around::default(), None));
}

#[test]
fn programs_are_told_of_the_change_within_bounds() {
    let mut lab = Lab::new(&["a"]);
    let word = |name: &str, about: &[(&'static str, String)]| {
        about.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    };
    let told = about(&lab.intent, Some("verified"));
    let expected = [
        ("TENON_ACTION", "apply"),
        ("TENON_ORDER", "ord_7"),
        ("TENON_DIRECTIVE", "dir_3"),
        ("TENON_PACKAGES", "old:all- toyd:all=2"),
        ("TENON_PACKAGES_LEFT_OUT", "0"),
        ("TENON_OUTCOME", "verified"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name, value.to_owned())));
    // What the kernel would not take as one value, the program still runs with.
    let step = lab.intent.transaction.steps[1].clone();
    lab.intent.transaction.steps = vec![step; 100_000];
    let told = about(&lab.intent, None);
    assert!(word("TENON_PACKAGES", &told).unwrap().len() <= PACKAGES);
    let left: usize = word("TENON_PACKAGES_LEFT_OUT", &told).unwrap().parse().unwrap();
    assert!(left > 90_000 && left < 100_000, "{left}");
    assert!(lab.before().is_ok());
    assert_eq!(lab.log(), ["a before"]);
}

#[test]
fn outputs_of_all_programs_fit_into_one_report() {
    let run = |number: usize| HookRun {
        hook: number.to_string(),
        moment: HookMoment::Before,
        end: HookEnd::Exited { code: 0 },
        duration_ms: 0,
        output: "ü".repeat(8 << 10),
    };
    let around = Around { hooks: Vec::new(), runs: (0..64).map(run).collect() };
    let told: usize = around.told().iter().map(|run| run.output.len()).sum();
    assert!(told <= OUTPUTS && told > OUTPUTS / 2, "{told}");
    let one = Around { hooks: Vec::new(), runs: vec![run(1)] };
    assert_eq!(one.told()[0].output.len(), 16 << 10);
}

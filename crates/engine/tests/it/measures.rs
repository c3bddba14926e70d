//! Measures: what counts when, and that they are what the events say.

use std::collections::BTreeMap;

use tenon_engine::{Day, GroupMode};
use tenon_engine::{Ends, Figures, Step, World};
use tenon_model::{
    ApplyOutcome, AssetId, Command, DirectiveId, Event, Inventory, Outcome, RehearsalOutcome, Stage,
    Timestamp,
};

use crate::lab::{Lab, START_MS, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";
const NEWER: &str = "3.0.17-1~deb12u10";

fn offered(candidate: &str) -> Inventory {
    let libssl = component("libssl3", "openssl", OLD);
    let offers = vec![security_offer(&libssl, candidate)];
    inventory(vec![libssl], offers)
}

fn upgraded(version: &str) -> Inventory {
    inventory(vec![component("libssl3", "openssl", version)], Vec::new())
}

/// The figures of all days up to now.
fn figures(world: &World, now: Timestamp) -> Figures {
    world.measures(Day::of(Timestamp::from_millis(START_MS)), Day::of(now), now, None).whole
}

fn spent(figures: &Figures) -> BTreeMap<Step, u64> {
    let steps = Step::ALL.into_iter().zip(figures.steps).map(|(step, spread)| (step, spread.seconds));
    steps.filter(|(_, seconds)| *seconds > 0).collect()
}

#[test]
fn the_time_of_a_case_is_parted_into_what_it_waited_for() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.report(asset, offered(NEW));
    lab.pass(7_200);
    lab.report(asset, offered(NEW));
    lab.promote("web");
    lab.pass(30);
    lab.rehearsed(asset, RehearsalOutcome::Failed { reason: "dpkg ended with status 1".to_owned() });
    lab.pass(500);
    let id = lab.open_directive().0;
    lab.must(Command::Retry { directive: id, asset, by: person() });
    lab.pass(40);
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    lab.pass(3_600);
    lab.approve(id);
    lab.pass(20);
    lab.applied(asset, ApplyOutcome::Verified);
    lab.pass(60);
    lab.report(asset, upgraded(NEW));

    let all = figures(&lab.world, lab.now);
    let wanted = [
        (Step::Promotion, 7_200),
        (Step::Rehearsal, 70),
        (Step::Approval, 3_600),
        (Step::Change, 20),
        (Step::Confirmation, 60),
        (Step::Stop, 500),
    ];
    assert_eq!(spent(&all), wanted.into_iter().collect());
    assert_eq!((all.remediation.count, all.remediation.seconds), (1, 11_450));
    assert!(all.remediation.median.abs_diff(11_450) <= 11_450 / 32, "{}", all.remediation.median);
    assert_eq!(all.ends, Ends { verified: 1, ..Ends::default() });
    assert_eq!((all.rehearsals.passed, all.rehearsals.failed), (1, 1));
    assert_eq!((all.changes.verified, all.changes.all()), (1, 1));
    // Of the directive: rehearsed, approved, changed, fixed.
    assert_eq!(all.milestones.map(|spread| spread.seconds), [7_770, 3_600, 20, 60]);
    assert_eq!((all.fixed.count, all.fixed.seconds, all.open_seconds), (1, 11_450, 11_450));
    assert_eq!((all.open.cases, all.closings.fixed, all.begun), (0, 1, 1));
    // Nothing of it happened the day after.
    let tomorrow = Day(Day::of(lab.now).0 + 1);
    let later = lab.world.measures(tomorrow, tomorrow, tomorrow.start(), None);
    assert_eq!(later.whole, Figures { survival: later.whole.survival, ..Figures::default() });
}

#[test]
fn what_another_hand_fixed_and_what_is_refused_is_not_verified() {
    let mut lab = Lab::new();
    let hosts: Vec<AssetId> = ["a", "b", "c", "d"].map(|name| lab.enrol(name, "web")).into();
    for host in &hosts {
        lab.report(*host, offered(NEW));
    }
    lab.pass(1_000);
    lab.report(hosts[0], upgraded(NEW));
    // Not offered any more, and not done.
    lab.report(hosts[1], inventory(vec![component("libssl3", "openssl", OLD)], Vec::new()));
    lab.must(Command::Retire { asset: hosts[2], by: person(), why: "it was sold".to_owned() });
    let id = lab.open_directive().0;
    lab.must(Command::Refuse { directive: id, by: person(), why: "not now".to_owned() });
    let all = figures(&lab.world, lab.now);
    assert_eq!(all.ends, Ends { fixed_otherwise: 1, withdrawn: 1, retired: 1, refused: 1, verified: 0 });
    assert_eq!((all.remediation.count, all.closings.refused, all.open.cases), (0, 1, 0));
    assert_eq!((all.survival.cases, all.survival.done, all.survival.ended), (4, 1, 3));
    assert_eq!(all.survival.half_life, None, "what was refused, retired or withdrawn is not done");
    assert_eq!(all.survival.left_ppm, 750_000);
}

/// A newer version that takes a case over does not begin it anew; neither for one host nor for all.
#[test]
fn a_newer_version_takes_over_since_when_a_case_is_open() {
    let mut lab = Lab::new();
    let hosts: Vec<AssetId> = ["a", "b", "c"].map(|name| lab.enrol(name, "web")).into();
    for host in &hosts {
        lab.report(*host, offered(NEW));
    }
    for (host, seconds) in hosts.iter().zip([90_000, 1_000, 1_000]) {
        lab.pass(seconds);
        lab.report(*host, offered(NEWER));
    }
    let all = figures(&lab.world, lab.now);
    assert_eq!((all.begun, all.open.cases, all.ends.all(), all.closings.superseded), (3, 3, 0, 1));
    assert_eq!(all.open_seconds, 3 * 92_000);
    lab.pass(8_000);
    for host in &hosts {
        lab.report(*host, upgraded(NEWER));
    }
    let all = figures(&lab.world, lab.now);
    let half_life = all.survival.half_life.unwrap();
    assert!(half_life.abs_diff(100_000) <= 100_000 / 32, "{half_life}");
    assert_eq!((all.survival.cases, all.survival.done), (3, 3));
}

#[test]
fn what_came_due_counts_on_its_day_and_what_is_open_then_is_missed() {
    let mut lab = Lab::new();
    let hosts: Vec<AssetId> = ["a", "b", "c"].map(|name| lab.enrol(name, "web")).into();
    lab.publish(vec![crate::lab::advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    for host in &hosts {
        lab.report(*host, offered(NEW));
    }
    let due = lab.open_directive().1.directive.priority.due.unwrap();
    lab.report(hosts[0], upgraded(NEW));
    let span = |lab: &Lab| lab.world.measures(Day::of(due), Day::of(due), lab.now, None).whole;
    assert_eq!((span(&lab).due.met, span(&lab).due.missed, span(&lab).open.overdue), (1, 0, 0));
    lab.now = due.plus_seconds(1);
    assert_eq!((span(&lab).due.met, span(&lab).due.missed, span(&lab).open.overdue), (1, 2, 2));
    assert_eq!((span(&lab).due.directives_missed, span(&lab).open.directives_overdue), (1, 1));
    // Done late, it stays missed and is not overdue any more.
    lab.report(hosts[1], upgraded(NEW));
    assert_eq!((span(&lab).due.met, span(&lab).due.missed, span(&lab).open.overdue), (1, 2, 1));
    lab.report(hosts[2], upgraded(NEW));
    assert_eq!((span(&lab).due.missed, span(&lab).due.directives_missed), (2, 1));
    assert_eq!(span(&lab).open.directives_overdue, 0);
}

#[test]
fn groups_are_measured_apart_and_together() {
    let mut lab = Lab::new();
    for (name, group) in [("a", "web"), ("b", "db"), ("c", "db")] {
        let asset = lab.enrol(name, group);
        lab.report(asset, offered(NEW));
    }
    lab.pass(100);
    let (first, now) = (Day::of(lab.now), lab.now);
    let all = lab.world.measures(first, first, now, None);
    let open: Vec<_> =
        all.groups.iter().map(|(group, f)| (group.as_str(), f.open.cases, f.open_seconds)).collect();
    assert_eq!(open, [("db", 2, 200), ("web", 1, 100)]);
    assert_eq!((all.whole.open.cases, all.whole.open_seconds), (3, 300));
    let web = lab.world.measures(first, first, now, Some(&"web".parse().unwrap()));
    assert_eq!((web.whole.open.cases, web.groups.len()), (1, 1));
}

/// What a history says, counted again from its events and what is to be seen after each command.
#[derive(Default)]
pub(crate) struct Tally {
    open_seconds: u64,
    last: Option<(i64, u64)>,
    verified: u64,
    fixed_otherwise: u64,
    rolled_back: u64,
    failed: u64,
    passed: u64,
    refused: u64,
    closed: BTreeMap<&'static str, u64>,
    /// The stage of each case before the command.
    stages: BTreeMap<(DirectiveId, AssetId), Stage>,
}

impl Tally {
    /// Looks at a command that was accepted.
    pub(crate) fn check(&mut self, lab: &Lab, events: &[Event]) {
        for event in events {
            match event {
                Event::AssetVerified { id, asset, .. } => match self.stages.get(&(*id, *asset)) {
                    Some(Stage::Applied { .. }) => self.verified += 1,
                    _ => self.fixed_otherwise += 1,
                },
                Event::ApplyRecorded { outcome: ApplyOutcome::RolledBack { .. }, .. } => {
                    self.rolled_back += 1;
                }
                Event::ApplyRecorded { outcome: ApplyOutcome::Failed { .. }, .. } => self.failed += 1,
                Event::RehearsalRecorded { outcome: RehearsalOutcome::Passed, .. } => self.passed += 1,
                Event::DirectiveClosed { id, outcome } => {
                    if let Outcome::Refused { .. } = outcome {
                        let of_it =
                            self.stages.iter().filter(|((of, _), stage)| of == id && !stage.is_done());
                        self.refused += of_it.count() as u64;
                    }
                    let outcome = match outcome {
                        Outcome::Fixed => "fixed",
                        Outcome::Superseded { .. } => "superseded",
                        Outcome::Withdrawn { .. } => "withdrawn",
                        Outcome::Refused { .. } => "refused",
                    };
                    *self.closed.entry(outcome).or_default() += 1;
                }
                _ => {}
            }
        }
        let now = lab.now.as_millis() / 1_000;
        if let Some((since, open)) = self.last {
            self.open_seconds += open * u64::try_from(now - since).unwrap();
        }
        self.stages.clear();
        let mut open = 0;
        for (id, state) in lab.world.directives().filter(|(_, state)| state.closed.is_none()) {
            for (asset, stage) in state.stages() {
                open += u64::from(!stage.is_done());
                self.stages.insert((*id, lab.world.asset_at(asset).unwrap().id), stage.clone());
            }
        }
        self.last = Some((now, open));
        lab.world.check_measures().unwrap();
        // Older days are not kept.
        if lab.now <= Timestamp::from_millis(START_MS).plus_days(390) {
            self.compare(&figures(&lab.world, lab.now), open);
        }
    }

    fn compare(&self, all: &Figures, open: u64) {
        assert_eq!((all.open.cases, all.open_seconds), (open, self.open_seconds));
        assert_eq!((all.ends.verified, all.ends.fixed_otherwise), (self.verified, self.fixed_otherwise));
        assert_eq!((all.changes.verified, all.changes.rolled_back), (self.verified, self.rolled_back));
        assert_eq!((all.changes.failed, all.rehearsals.passed), (self.failed, self.passed));
        assert_eq!(all.ends.refused, self.refused);
        let closed = |outcome| self.closed.get(outcome).copied().unwrap_or_default();
        let closings =
            [all.closings.fixed, all.closings.superseded, all.closings.withdrawn, all.closings.refused];
        assert_eq!(closings, ["fixed", "superseded", "withdrawn", "refused"].map(closed));
        // Every second of a verified case is in one of its steps.
        let in_steps: u64 = all.steps.iter().map(|spread| spread.seconds).sum();
        assert_eq!(in_steps, all.remediation.seconds);
        assert!(all.steps.iter().all(|spread| spread.count == self.verified));
        assert_eq!(
            (all.remediation.count, all.survival.done),
            (self.verified, self.verified + self.fixed_otherwise)
        );
        assert_eq!(all.survival.ended, all.ends.refused + all.ends.retired + all.ends.withdrawn);
        assert_eq!(all.survival.open, open);
        assert!(all.begun <= all.survival.cases, "what is taken over does not begin anew");
    }
}

#[test]
fn a_snapshot_from_before_begins_to_measure_where_it_ends() {
    let snapshot = include_bytes!("../fixtures/snapshot-v5.bin");
    let world = World::from_snapshot(snapshot[..].into()).unwrap();
    let now = world.time().unwrap();
    let measured = world.measures(Day::of(now), Day::of(now), now, None);
    assert_eq!(measured.since, Some(now));
    assert_eq!(measured.whole.ends.all(), 0, "what was before is not known");
    world.check_measures().unwrap();
    assert!(world.groups().all(|(group, _)| world.mode(group) == GroupMode::Act));
}

//! A month of a single administrator with 20 servers of three releases: what the public feeds really said until 2026-08-07, each
//! thing on its day. The fleet heals itself by a shipped policy, and its messages are counted. `TENON_SOAK`: seven months.

mod clock;
mod feed;
mod host;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tenon_engine::{DirectiveState, World};
use tenon_model::{
    Command, Digest, DirectiveId, EvidenceOutcome, OrderAction, OrderId, RefusalCode, Stage, Timestamp,
};
use tenon_server::{Hosts, SubmitError};

use self::clock::Stepped;
use self::feed::{Feed, mirror};
use self::host::{Ending, Host};
use crate::messages::{standing_as, telling_with};
use crate::running::Server;
use crate::sink::Sink;

/// When it begins, and for how many days it goes on.
const SPAN: (&str, u32) = ("2026-07-08", 30);
const SOAK_SPAN: (&str, u32) = ("2026-01-09", 210);
/// Messages in a week for which nothing is to decide.
const IDLE_A_WEEK: usize = 1;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How long one step of time is: orders are taken and answered, windows open, hosts look for updates.
const STEP: i64 = 10 * MINUTE;
/// Of so many rehearsals one meets a file that a person changed; of so many changes one is taken back.
const CONFLICT_IN: u64 = 50;
const BROKEN_IN: u64 = 100;

/// The administrator, the servers and the feeds over a month.
struct Month {
    clock: Arc<Stepped>,
    server: Server,
    feed: Feed,
    hosts: Vec<Host>,
    /// Orders that hosts have seen.
    seen: BTreeSet<OrderId>,
    draw: u64,
    /// Approvals that the administrator gave, and changes that were made by hand.
    approved: u64,
    by_hand: usize,
    /// Directives about which there was a message.
    told: BTreeSet<DirectiveId>,
    /// Directives of which somebody had something to decide.
    people: BTreeSet<DirectiveId>,
    /// Messages about what nobody had to decide yet.
    early: Vec<(Timestamp, Option<DirectiveId>)>,
    /// When messages came for which nothing was to decide then, nor within a day.
    idle: Vec<Timestamp>,
    messages: usize,
}

impl Month {
    fn submit(&self, command: Command) -> bool {
        match self.server.runtime().block_on(self.server.running().writer.submit(command, None)) {
            Ok(_) => true,
            Err(SubmitError::Refused(refusal)) => {
                assert_eq!(refusal.code, RefusalCode::NothingToDo, "{refusal}");
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn world(&self) -> Arc<World> {
        self.server.running().writer.world()
    }

    /// Whether what happens once in so many times happens now (Knuth's multiplier; the high bits are the good ones).
    fn is_one_in(&mut self, times: u64) -> bool {
        self.draw = self.draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.draw >> 33).is_multiple_of(times)
    }

    fn enrol(&mut self, now: Timestamp) {
        for host in &self.hosts {
            let secret = Digest::of(host.name.as_bytes());
            let token: tenon_model::TokenId = secret.to_string()[..32].parse().unwrap();
            let (group, by) = ("default".parse().unwrap(), "admin".parse().unwrap());
            let expires = now.plus_days(1);
            self.submit(Command::IssueToken { token: token.clone(), secret, group, expires, by });
            let hostname = host.name.to_owned();
            self.submit(Command::Enrol { asset: host.asset, hostname, token, secret, machine: None });
        }
    }

    /// Hosts look for updates, and report what is new.
    fn report(&mut self) {
        let mut hosts = std::mem::take(&mut self.hosts);
        for host in &mut hosts {
            if let Some((sequence, inventory)) = host.report(&self.feed) {
                self.submit(Command::ReportInventory { asset: host.asset, sequence, inventory });
            }
        }
        self.hosts = hosts;
    }

    /// Orders that were seen a step ago are answered; new ones are seen.
    fn answer(&mut self) {
        let world = self.world();
        let mut hosts = std::mem::take(&mut self.hosts);
        for host in &mut hosts {
            let asset = host.asset;
            let Some(order) = world.asset(&asset).and_then(|state| state.outstanding) else { continue };
            if self.seen.insert(order) {
                continue;
            }
            let action = &world.order(&order).unwrap().order.action;
            let command = match action {
                OrderAction::Rehearse { .. } => {
                    let ending = if self.is_one_in(CONFLICT_IN) { Ending::Badly } else { Ending::Well };
                    let report = host.rehearsal(action, ending);
                    Command::ReportRehearsal { asset, order, report }
                }
                OrderAction::PreserveEvidence { .. } => {
                    let outcome = EvidenceOutcome::NotPreserved { reason: "no auditd".to_owned() };
                    Command::ReportEvidence { asset, order, outcome }
                }
                OrderAction::Apply { .. } => {
                    let ending = if self.is_one_in(BROKEN_IN) { Ending::Badly } else { Ending::Well };
                    let report = host.change(action, ending);
                    Command::ReportApply { asset, order, report }
                }
            };
            self.submit(command);
        }
        self.hosts = hosts;
    }

    /// On workdays at nine the administrator decides what waits for a decision: approves what was rehearsed, and does by hand
    /// what Tenon cannot or could not.
    fn decide(&mut self) {
        let world = self.world();
        let mut by_hand = Vec::new();
        for (directive, state) in world.directives().filter(|(_, state)| waits_for_person(state)) {
            assert!(self.told.contains(directive), "{directive} waits for a person, and nobody said so");
            self.people.insert(*directive);
            let mut asked = false;
            for (ordinal, stage) in state.begun() {
                match stage {
                    Stage::AwaitingApproval { .. } => asked = true,
                    Stage::NeedsPerson { .. } | Stage::RolledBack { .. } | Stage::Failed { .. } => {
                        let asset = world.asset_at(ordinal).unwrap().id;
                        by_hand.extend(state.targets(ordinal).map(|targets| (asset, targets.clone())));
                    }
                    _ => {}
                }
            }
            if asked {
                self.approved += 1;
                self.submit(approve(*directive));
            }
            if state.rollout.as_ref().is_some_and(|rollout| rollout.halted.is_some()) {
                let by = "admin".parse().unwrap();
                self.submit(Command::Resume { directive: *directive, by });
            }
        }
        self.by_hand += by_hand.len();
        for (asset, targets) in by_hand {
            let host = self.hosts.iter_mut().find(|host| host.asset == asset).unwrap();
            host.install(targets.iter());
        }
    }

    /// Reads what was told since the last time, and whether anything was to decide then.
    fn hear(&mut self, sink: &Sink, now: Timestamp) {
        let world = self.world();
        let waits = |id: &DirectiveId| world.directive(id).is_some_and(waits_for_person);
        for taken in &sink.answered(200, self.messages)[self.messages..] {
            let event = taken.json();
            let about: Option<DirectiveId> =
                event["subject"].as_str().and_then(|subject| subject.parse().ok());
            self.told.extend(about);
            self.messages += 1;
            println!("{now} {} {}", event["type"], event["data"]["said"]);
            self.early.push((now, about));
        }
        self.early.retain(|(_, about)| !about.as_ref().is_some_and(waits));
        let is_over = |(at, _): &(Timestamp, _)| at.plus_days(1) <= now;
        self.idle.extend(self.early.iter().filter(|early| is_over(early)).map(|(at, _)| *at));
        self.early.retain(|early| !is_over(early));
    }
}

/// Whether somebody has something to decide or to do.
fn waits_for_person(state: &DirectiveState) -> bool {
    let waits = |stage: &Stage| {
        let failed =
            matches!(stage, Stage::NeedsPerson { .. } | Stage::RolledBack { .. } | Stage::Failed { .. });
        failed || matches!(stage, Stage::AwaitingApproval { .. })
    };
    let halted = state.rollout.as_ref().is_some_and(|rollout| rollout.halted.is_some());
    state.closed.is_none() && (halted || state.begun().any(|(_, stage)| waits(stage)))
}

fn approve(directive: DirectiveId) -> Command {
    Command::Approve {
        directive,
        by: "admin".parse().unwrap(),
        roles: BTreeSet::new(),
        reports: None,
        waive_evidence: Some("no investigation is possible here".to_owned()),
    }
}

/// Whether it is nine o'clock of a day from Monday to Friday.
fn is_office(now: Timestamp) -> bool {
    // 1970-01-01 was a Thursday.
    let weekday = (now.as_millis() / DAY + 3) % 7;
    now.as_millis() % DAY == 9 * 60 * MINUTE && weekday < 5
}

#[test]
fn a_single_administrator_is_left_alone_unless_a_decision_is_needed() {
    let test = "a_single_administrator_is_left_alone_unless_a_decision_is_needed";
    let Some(mirror) = mirror(test) else { return };
    let (begin, days) = if std::env::var_os("TENON_SOAK").is_some() { SOAK_SPAN } else { SPAN };
    let begin = Timestamp::parse(begin).unwrap();
    let end = begin.plus_days(days);
    let mut feed = Feed::read(&mirror, end);
    let before = feed.until(begin);

    let sink = Sink::answering(200);
    let clock = Arc::new(Stepped::new(begin));
    let played = clock.clone();
    let server = telling_with(&sink, "    form: cloudevents\n", |settings| {
        settings.hosts = Hosts::Played(played);
    });
    let hosts = Host::estate(&feed);
    let mut month = Month {
        clock,
        server,
        feed,
        hosts,
        seen: BTreeSet::new(),
        draw: 7,
        approved: 0,
        by_hand: 0,
        told: BTreeSet::new(),
        people: BTreeSet::new(),
        early: Vec::new(),
        idle: Vec::new(),
        messages: 0,
    };
    for command in before {
        month.submit(command);
    }
    month.enrol(begin);
    month.report();
    let policy = tenon_policy::PRESETS.iter().find(|preset| preset.name == "standard").unwrap();
    let by: tenon_model::Person = "admin".parse().unwrap();
    month.submit(Command::SetPolicy { text: policy.text.to_owned(), compared: 0, by: by.clone() });
    month.submit(Command::Promote { group: "default".parse().unwrap(), by });

    let mut now = begin;
    while now < end {
        now = Timestamp::from_millis(now.as_millis() + STEP);
        month.clock.set(now);
        let head = month.world().seq();
        for command in month.feed.until(now) {
            month.submit(command);
        }
        month.report();
        month.answer();
        if is_office(now) {
            month.decide();
        }
        month.submit(Command::Tick);
        // Messages are worded as the estate is when they are read, so they are read at once.
        if month.world().seq() > head {
            standing_as(&month.server, |standing| standing["behind"] == json!(0));
        }
        month.hear(&sink, now);
    }
    month.idle.extend(month.early.iter().map(|(at, _)| *at));
    let world = month.world();
    let mut hours: Vec<i64> = Vec::new();
    let mut open = 0;
    for (id, state) in world.directives() {
        let Some((closed, _)) = &state.closed else {
            open += 1;
            continue;
        };
        if !month.people.contains(id) {
            hours.push((closed.as_millis() - state.raised.as_millis()) / (60 * MINUTE));
        }
    }
    hours.sort_unstable();
    println!(
        "measured: {days} days, 20 servers: {} directives, {open} open at the end; {} closed with nobody deciding anything, half \
         of them within {} hours, all within {}; people decided {}: {} approvals, {} changes by hand; {} messages, {} of them with nothing to \
         decide",
        world.directives().count(),
        hours.len(),
        hours[hours.len() / 2],
        hours[hours.len() - 1],
        month.people.len(),
        month.approved,
        month.by_hand,
        month.messages,
        month.idle.len(),
    );
    assert!(month.messages > 0 && hours.len() > 10, "nothing happened");
    let week = |at: &Timestamp| (at.as_millis() - begin.as_millis()) / (7 * DAY);
    for idle in &month.idle {
        let same = month.idle.iter().filter(|other| week(other) == week(idle)).count();
        assert!(same <= IDLE_A_WEEK, "{same} messages in week {} with nothing to decide", week(idle));
    }
}

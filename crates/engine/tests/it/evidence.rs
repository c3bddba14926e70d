//! Where a row asks for evidence no host is changed before that is sealed, or waived by a person: not by this directive, nor by
//! another, nor in an emergency.

use std::collections::BTreeSet;

use tenon_engine::{EvidenceState, World};
use tenon_model::{
    ApplyOutcome, AssetId, Command, DirectiveId, Event, EvidenceOutcome, EvidencePart, IntelDelta, Kev,
    OrderAction, RefusalCode, RehearsalOutcome, Stage, Tempo,
};

use crate::lab::{
    Lab, advisory, component, evidence_of, inventory, person, rehearsal_report, security_offer,
};

const OLD: &str = "1.0-1";
const NEW: &str = "1.0-2";
const CVE: &str = "CVE-2026-7";

/// What a host with these packages reports, each of which is offered.
fn reports(lab: &mut Lab, asset: AssetId, packages: &[&str]) {
    let installed: Vec<_> = packages.iter().map(|name| component(name, name, OLD)).collect();
    let offers = installed.iter().map(|component| security_offer(component, NEW)).collect();
    lab.report(asset, inventory(installed, offers));
}

/// The vulnerability that nginx closes is listed as exploited, or taken off the list.
fn kev(lab: &mut Lab, listed: bool) -> Vec<Event> {
    let id = CVE.parse().unwrap();
    let kev = Kev { added: lab.now, due: None, ransomware: true };
    let delta = match listed {
        true => IntelDelta::Kev { listed: vec![(id, kev)], retracted: Vec::new() },
        false => IntelDelta::Kev { listed: Vec::new(), retracted: vec![id] },
    };
    lab.must(Command::ChangeIntel { delta, as_of: None })
}

/// Hosts of an acting group that run nginx and toyd, both of which are offered; nginx closes what is exploited.
fn exploited(names: &[&str]) -> (Lab, Vec<AssetId>, DirectiveId, DirectiveId) {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-7-1", &[CVE], "nginx", Some(NEW))]);
    kev(&mut lab, true);
    let assets: Vec<AssetId> = names.iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        reports(&mut lab, *asset, &["nginx", "toyd"]);
    }
    let (nginx, toyd) = (of(&lab, "nginx"), of(&lab, "toyd"));
    let asks = |id| lab.world.directive(&id).unwrap().asks_for_evidence();
    assert_eq!((asks(nginx), asks(toyd)), (true, false));
    lab.promote("web");
    (lab, assets, nginx, toyd)
}

fn of(lab: &Lab, package: &str) -> DirectiveId {
    let queue = lab.world.queue();
    let found = queue.iter().find(|(_, state)| state.source().name == package);
    found.unwrap_or_else(|| panic!("no directive for {package}")).0
}

fn state(lab: &Lab, id: DirectiveId, asset: AssetId) -> Option<&EvidenceState> {
    lab.world.directive(&id).unwrap().evidence(lab.world.ordinal(&asset).unwrap())
}

fn waits(lab: &Lab, asset: AssetId) -> Option<String> {
    lab.world.unsealed(lab.world.ordinal(&asset).unwrap())
}

fn action(lab: &Lab, asset: AssetId) -> Option<&'static str> {
    let order = lab.world.asset(&asset).unwrap().outstanding?;
    Some(lab.world.order(&order).unwrap().order.action.name())
}

fn waive(id: DirectiveId, assets: Option<&[AssetId]>, why: &str) -> Command {
    let assets = assets.map(|assets| assets.iter().copied().collect());
    Command::WaiveEvidence { directive: id, assets, why: why.to_owned(), by: person() }
}

fn approve(id: DirectiveId, waive_evidence: Option<&str>) -> Command {
    let waive_evidence = waive_evidence.map(str::to_owned);
    Command::Approve { directive: id, by: person(), roles: BTreeSet::new(), reports: None, waive_evidence }
}

/// Both directives are rehearsed wherever the host has an order for that.
fn rehearse(lab: &mut Lab, asset: AssetId) {
    while action(lab, asset) == Some("rehearse") {
        let order = lab.order(asset);
        let report = rehearsal_report(&order, RehearsalOutcome::Passed);
        lab.must(Command::ReportRehearsal { asset, order: order.id, report });
    }
}

#[test]
fn evidence_is_the_first_order_and_what_was_sealed_lets_changes_begin() {
    let (mut lab, assets, nginx, _) = exploited(&["web1"]);
    let web1 = assets[0];
    let order = lab.order(web1);
    assert_eq!((order.action.name(), order.directive), ("preserve-evidence", nginx));
    assert_eq!(order.action.targets()[0].package, "nginx");
    assert_eq!(lab.stage(nginx, web1), &Stage::Proposed);
    let said = waits(&lab, web1).unwrap();
    let wanted = format!(
        "evidence is not sealed yet, which {nginx} of group web asks for since 2026-06-15T12:00:00Z: the host has"
    );
    assert!(said.starts_with(&wanted), "{said}");

    let events = lab.preserved(web1);
    let Event::EvidenceSealed { document, bytes, gaps, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(lab.blobs[document].len() as u64, *bytes);
    assert_eq!(*gaps, [EvidencePart::Logs].into());
    assert_eq!((waits(&lab, web1), action(&lab, web1)), (None, Some("rehearse")));
    rehearse(&mut lab, web1);
    lab.must(approve(nginx, None));
    assert!(matches!(lab.order(web1).action, OrderAction::Apply { .. }));
    lab.sound();
}

#[test]
fn no_change_by_another_directive_before_it_is_sealed_either() {
    // toyd is rehearsed, approved and about to go out when nginx becomes exploited.
    let (mut lab, assets, nginx, toyd) = exploited(&["web1"]);
    let web1 = assets[0];
    kev(&mut lab, false);
    // The order to preserve is out, and answered as not possible: nothing asks for it now.
    lab.not_preserved(web1, "out of memory");
    assert_eq!(waits(&lab, web1), None);
    rehearse(&mut lab, web1);
    let policy = "version: 1\nfreezes:\n  all: {zone: UTC, from: 2026-06-01, until: 2026-06-17}\n".to_owned();
    lab.must(Command::SetPolicy { text: policy, compared: 0, by: person() });
    lab.approve(toyd);
    assert_eq!(action(&lab, web1), None, "frozen");
    kev(&mut lab, true);
    // What was missed is tried again after the next report.
    assert_eq!(action(&lab, web1), None);
    let policy = "version: 1\n".to_owned();
    lab.must(Command::SetPolicy { text: policy, compared: 1, by: person() });
    assert!(matches!(lab.stage(toyd, web1), Stage::Approved { .. }));
    assert_eq!(action(&lab, web1), None, "toyd is changed before the evidence that nginx asks for");
    lab.pass(60);
    reports(&mut lab, web1, &["nginx", "toyd"]);
    assert_eq!(action(&lab, web1), Some("preserve-evidence"));
    lab.preserved(web1);
    let order = lab.order(web1);
    assert_eq!((order.action.name(), order.directive), ("apply", toyd));
    lab.sound();
    assert!(state(&lab, nginx, web1).is_some());
}

#[test]
fn what_begins_to_ask_holds_back_a_rollout_that_is_under_way() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-7-1", &[CVE], "nginx", Some(NEW))]);
    let assets: Vec<AssetId> = ["a", "b"].iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        reports(&mut lab, *asset, &["nginx"]);
    }
    let id = lab.open_directive().0;
    lab.must(Command::SetTempo { tempo: Tempo::Fast, by: person() });
    lab.promote("web");
    for asset in &assets {
        rehearse(&mut lab, *asset);
    }
    lab.approve(id);
    // The canary is out; meanwhile it becomes known that it is exploited.
    assert_eq!((action(&lab, assets[0]), action(&lab, assets[1])), (Some("apply"), None));
    kev(&mut lab, true);
    assert_eq!(action(&lab, assets[1]), Some("preserve-evidence"));
    // What was out already is not called back; what comes after waits.
    lab.applied(assets[0], ApplyOutcome::Verified);
    assert_eq!(action(&lab, assets[0]), Some("preserve-evidence"));
    lab.preserved(assets[0]);
    let fixed = vec![component("nginx", "nginx", NEW)];
    lab.report(assets[0], inventory(fixed, Vec::new()));
    // Nothing is watched at this tempo: the next wave would be out by now.
    assert_eq!(lab.stage(id, assets[0]), &Stage::Verified);
    assert!(matches!(lab.stage(id, assets[1]), Stage::Approved { .. }));
    lab.preserved(assets[1]);
    assert_eq!(action(&lab, assets[1]), Some("apply"));
    lab.sound();
}

#[test]
fn a_rule_that_approves_by_itself_and_an_emergency_wait_for_it() {
    let (mut lab, assets, nginx, _) = exploited(&["web1"]);
    let web1 = assets[0];
    let policy = "version: 1\nemergency: {crosses: [windows, freezes]}\nrules:\n  - {name: all, approval: automatic}\n";
    lab.must(Command::SetPolicy { text: policy.to_owned(), compared: 0, by: person() });
    for attempt in 1..=3 {
        assert_eq!(action(&lab, web1), Some("preserve-evidence"), "attempt {attempt}");
        lab.not_preserved(web1, "/proc cannot be read");
        rehearse(&mut lab, web1);
        // toyd is automatic too, and held back as well.
        assert_eq!(action(&lab, web1), None, "attempt {attempt}");
        lab.pass(900);
        reports(&mut lab, web1, &["nginx", "toyd"]);
    }
    assert_eq!(action(&lab, web1), None);
    assert!(matches!(lab.stage(nginx, web1), Stage::AwaitingApproval { .. }), "{:?}", lab.stage(nginx, web1));
    let said = waits(&lab, web1).unwrap();
    assert!(said.contains("it was missed 3 times") && said.contains("/proc cannot be read"), "{said}");
    assert!(said.contains(&format!("tenon evidence waive {nginx} --host web1 --why TEXT")), "{said}");
    // A person says by name that it is to go on without: the rule approves now.
    let events = lab.must(waive(nginx, Some(&[web1]), "the host was imaged"));
    assert!(matches!(&events[0], Event::EvidenceWaived { by, .. } if *by == person()));
    assert_eq!(action(&lab, web1), Some("apply"));
    lab.sound();
}

#[test]
fn a_person_asks_for_another_attempt() {
    let (mut lab, assets, nginx, _) = exploited(&["web1"]);
    let web1 = assets[0];
    let retry = Command::Retry { directive: nginx, asset: web1, by: person() };
    assert_eq!(lab.run(retry.clone()).unwrap_err().code, RefusalCode::WrongStage);
    lab.not_preserved(web1, "the disk is full");
    rehearse(&mut lab, web1);
    assert_eq!(action(&lab, web1), None);
    let rehearsed = lab.stage(nginx, web1).clone();
    lab.must(retry);
    assert_eq!(action(&lab, web1), Some("preserve-evidence"));
    // What was rehearsed stands.
    assert_eq!(lab.stage(nginx, web1), &rehearsed);
    lab.sound();
}

#[test]
fn what_a_host_said_it_could_not_preserve_it_does_not_preserve_later() {
    let (mut lab, assets, nginx, _) = exploited(&["web1"]);
    let web1 = assets[0];
    let order = lab.order(web1);
    lab.not_preserved(web1, "/proc cannot be read");
    let outcome = evidence_of(&order);
    let again = Command::ReportEvidence { asset: web1, order: order.id, outcome };
    assert_eq!(lab.run(again.clone()).unwrap_err().code, RefusalCode::UnknownOrder);
    lab.world = World::from_snapshot(lab.world.to_snapshot().unwrap()).unwrap();
    assert_eq!(lab.run(again).unwrap_err().code, RefusalCode::UnknownOrder);
    assert!(matches!(state(&lab, nginx, web1), Some(EvidenceState::Missed { attempts: 1, .. })));
}

#[test]
fn a_host_that_does_not_answer_has_preserved_nothing() {
    let (mut lab, assets, nginx, _) = exploited(&["web1"]);
    let web1 = assets[0];
    let order = lab.order(web1);
    lab.pass(1_800 + 901);
    lab.must(Command::Tick);
    assert!(matches!(state(&lab, nginx, web1), Some(EvidenceState::Missed { attempts: 1, .. })));
    assert!(!matches!(lab.stage(nginx, web1), Stage::Failed { .. }), "no change has failed");
    // What comes late is preserved all the same.
    let late = Command::ReportEvidence { asset: web1, order: order.id, outcome: evidence_of(&order) };
    lab.must(late.clone());
    assert_eq!(waits(&lab, web1), None);
    assert_eq!(lab.run(late).unwrap_err().code, RefusalCode::UnknownOrder);
    lab.sound();
}

#[test]
fn bytes_that_are_not_what_was_asked_for_are_refused() {
    let (mut lab, assets, ..) = exploited(&["web1", "web2"]);
    let (one, two) = (lab.order(assets[0]), lab.order(assets[1]));
    let EvidenceOutcome::Preserved { digest, document } = evidence_of(&one) else { panic!() };
    let tampered = EvidenceOutcome::Preserved { digest, document: document.replace("\"host\"", "\"hose\"") };
    let report = |order: &tenon_model::Order, outcome| Command::ReportEvidence {
        asset: order.asset,
        order: order.id,
        outcome,
    };
    let refused = lab.run(report(&one, tampered)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::BadContent);
    assert!(refused.message.contains("and its bytes are"), "{refused}");
    // Another host's evidence is none of this one.
    let refused = lab.run(report(&one, evidence_of(&two))).unwrap_err();
    assert_eq!(refused.code, RefusalCode::BadContent);
    let theirs = Command::ReportEvidence { asset: assets[1], order: one.id, outcome: evidence_of(&one) };
    assert_eq!(lab.run(theirs).unwrap_err().code, RefusalCode::UnknownOrder);
    let long = "x".repeat(tenon_model::MAX_EVIDENCE + 1);
    let digest = tenon_model::Digest::of(long.as_bytes());
    let refused = lab.run(report(&one, EvidenceOutcome::Preserved { digest, document: long })).unwrap_err();
    assert_eq!(refused.code, RefusalCode::BadContent);
    assert!(waits(&lab, assets[0]).is_some());
}

#[test]
fn approval_asks_for_evidence_of_each_host_or_a_reason() {
    let (mut lab, assets, nginx, _) = exploited(&["web1", "web2"]);
    lab.preserved(assets[0]);
    lab.not_preserved(assets[1], "/proc cannot be read");
    for asset in &assets {
        rehearse(&mut lab, *asset);
    }
    // Where it is sealed it goes on.
    let events = lab.must(approve(nginx, None));
    let Event::DirectiveApproved { rehearsals, evidence_waived, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!((rehearsals.len(), rehearsals[0].0, evidence_waived), (1, assets[0], &None));
    let refused = lab.run(approve(nginx, None)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::EvidenceRequired);
    assert!(refused.message.contains("on web2 too"), "{refused}");
    assert_eq!(lab.run(approve(nginx, Some(" "))).unwrap_err().code, RefusalCode::EvidenceRequired);
    lab.must(approve(nginx, Some("web2 was imaged")));
    assert!(matches!(state(&lab, nginx, assets[1]), Some(EvidenceState::Waived { .. })));
    lab.sound();
}

#[test]
fn a_waiver_names_a_reason_and_what_lacks_evidence() {
    let (mut lab, assets, nginx, toyd) = exploited(&["web1", "web2"]);
    let code = |lab: &mut Lab, command| lab.run(command).unwrap_err().code;
    assert_eq!(code(&mut lab, waive(nginx, None, " ")), RefusalCode::BadContent);
    assert_eq!(code(&mut lab, waive(toyd, None, "why not")), RefusalCode::WrongStage);
    let stranger = AssetId::of_public_key(b"stranger");
    assert_eq!(code(&mut lab, waive(nginx, Some(&[stranger]), "why not")), RefusalCode::UnknownAsset);
    lab.preserved(assets[0]);
    assert_eq!(code(&mut lab, waive(nginx, Some(&assets[..1]), "why not")), RefusalCode::NothingToDo);
    let events = lab.must(waive(nginx, None, "imaged"));
    let Event::EvidenceWaived { assets: waived, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(*waived, [assets[1]]);
    // What comes all the same is sealed, and better than a waiver.
    lab.preserved(assets[1]);
    assert!(matches!(state(&lab, nginx, assets[1]), Some(EvidenceState::Sealed { .. })));
    lab.sound();
}

#[test]
fn what_was_preserved_before_a_host_went_back_says_nothing_of_now() {
    let (mut lab, assets, nginx, _) = exploited(&["web1", "web2"]);
    let web1 = assets[0];
    lab.preserved(web1);
    rehearse(&mut lab, web1);
    lab.must(approve(nginx, None));
    lab.applied(web1, ApplyOutcome::Verified);
    let toyd = component("toyd", "toyd", OLD);
    let offers = vec![security_offer(&toyd, NEW)];
    lab.report(web1, inventory(vec![component("nginx", "nginx", NEW), toyd], offers));
    assert_eq!(lab.stage(nginx, web1), &Stage::Verified);
    // A snapshot of the machine is put back.
    rehearse(&mut lab, web1);
    reports(&mut lab, web1, &["nginx", "toyd"]);
    assert_eq!(state(&lab, nginx, web1), None);
    assert_eq!(action(&lab, web1), Some("preserve-evidence"));
    lab.sound();
}

#[test]
fn whoever_closes_what_asks_lets_go_what_it_held_back() {
    let (mut lab, assets, nginx, toyd) = exploited(&["web1"]);
    let web1 = assets[0];
    lab.not_preserved(web1, "no");
    rehearse(&mut lab, web1);
    lab.approve(toyd);
    assert_eq!(action(&lab, web1), None);
    lab.must(Command::Refuse { directive: nginx, by: person(), why: "nginx is switched off".to_owned() });
    let order = lab.order(web1);
    assert_eq!((order.action.name(), order.directive), ("apply", toyd));
    lab.sound();
}

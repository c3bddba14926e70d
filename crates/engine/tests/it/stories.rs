//! The loop as a story: offered, raised, rehearsed, approved, applied, verified; and every other way it can go.

use tenon_engine::{ActionWanted, GroupMode};
use tenon_model::{
    Action, AdvisoryDelta, ApplyOutcome, AssetId, Command, DirectiveId, Event, IntelDelta, Inventory, Kev,
    OfferState, OrderAction, Outcome, RefusalCode, RehearsalOutcome, Stage, TOO_LATE, Timestamp,
};

use crate::lab::{
    Lab, advisory, apply_report, component, inventory, orders, person, rehearsal_report, security_offer,
    source,
};

const OLD: &str = "3.0.17-1~deb12u2";
const NEW: &str = "3.0.17-1~deb12u3";
const NEWER: &str = "3.0.17-1~deb12u4";

/// A host with openssl in this version, offered that one.
fn offered(installed: &str, candidate: &str) -> Inventory {
    let libssl = component("libssl3", "openssl", installed);
    let offers = vec![security_offer(&libssl, candidate)];
    inventory(vec![libssl, component("bash", "bash", "5.2.15-2")], offers)
}

/// The same host once openssl has this version, offered nothing.
fn upgraded(version: &str) -> Inventory {
    let components = vec![component("libssl3", "openssl", version), component("bash", "bash", "5.2.15-2")];
    inventory(components, Vec::new())
}

/// One promoted host with a directive whose rehearsal is ordered.
fn rehearsing() -> (Lab, AssetId, DirectiveId) {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.promote("web");
    lab.report(asset, offered(OLD, NEW));
    let id = lab.open_directive().0;
    (lab, asset, id)
}

/// The same, passed and approved: the apply is ordered.
fn applying() -> (Lab, AssetId, DirectiveId) {
    let (mut lab, asset, id) = rehearsing();
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    lab.approve(id);
    (lab, asset, id)
}

fn closed(lab: &Lab, id: DirectiveId) -> Option<&Outcome> {
    lab.world.directive(&id).unwrap().closed.as_ref().map(|(_, outcome)| outcome)
}

#[test]
fn a_security_update_goes_the_whole_way() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");

    // The host observes: the directive is raised, and nothing is ordered.
    let events = lab.report(asset, offered(OLD, NEW));
    assert_eq!(orders(&events), []);
    let (id, state) = lab.open_directive();
    assert_eq!(state.directive.action, Action::Upgrade { source: source("openssl", NEW) });
    assert_eq!(state.directive.closes[0].to_string(), format!("VENDOR:openssl:{NEW}"));
    assert_eq!(*lab.stage(id, asset), Stage::Proposed);
    assert_eq!(lab.world.mode(&"web".parse().unwrap()), GroupMode::Observe);

    // A person promotes the group: the rehearsal is ordered at once.
    lab.pass(3_600);
    let events = lab.promote("web");
    assert_eq!(orders(&events).len(), 1);
    let order = lab.order(asset);
    let OrderAction::Rehearse { targets } = &order.action else { panic!("{order:?}") };
    let target = &targets[0];
    assert_eq!((&*target.package, &*target.from, &*target.to), ("libssl3", OLD, NEW));
    assert_eq!(lab.actions, [ActionWanted::SendOrder { asset, order: order.id }]);

    // It passes: nothing more is ordered until a person approves.
    lab.pass(60);
    let events = lab.rehearsed(asset, RehearsalOutcome::Passed);
    assert_eq!(orders(&events), []);
    assert_eq!(lab.actions, [ActionWanted::AskApproval { directive: id }]);
    let Stage::AwaitingApproval { report } = *lab.stage(id, asset) else { panic!() };

    // Approved is exactly that report, and applied is what it pinned.
    lab.pass(600);
    let events = lab.approve(id);
    let Event::DirectiveApproved { rehearsals, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(*rehearsals, [(asset, report)]);
    let rehearsal = rehearsal_report(&order, RehearsalOutcome::Passed);
    let OrderAction::Apply { transaction, files, .. } = lab.order(asset).action else { panic!() };
    assert_eq!((transaction, files), (rehearsal.transaction, rehearsal.files));

    // The host says that it worked. That is not yet believed.
    lab.pass(60);
    lab.applied(asset, ApplyOutcome::Verified);
    assert!(matches!(lab.stage(id, asset), Stage::Applied { after_sequence: 1, .. }));
    assert_eq!(closed(&lab, id), None);

    // A later inventory shows it: closed.
    lab.pass(60);
    let events = lab.report(asset, upgraded(NEW));
    assert!(events.contains(&Event::AssetVerified { id, asset, sequence: 2 }));
    assert_eq!(closed(&lab, id), Some(&Outcome::Fixed));
    assert_eq!(*lab.stage(id, asset), Stage::Verified);
    assert_eq!(lab.replayed().digest().unwrap(), lab.world.digest().unwrap());
}

#[test]
fn a_rolled_back_change_stays_open_and_a_retry_begins_anew() {
    let (mut lab, asset, id) = applying();
    lab.applied(asset, ApplyOutcome::RolledBack { reason: "nginx did not start again".to_owned() });
    let Stage::RolledBack { reason, .. } = lab.stage(id, asset) else { panic!("{:?}", lab.stage(id, asset)) };
    assert_eq!(reason, "nginx did not start again");
    assert_eq!(closed(&lab, id), None);

    // An inventory that still shows the old version changes nothing, and nothing is ordered by itself.
    let events = lab.report(asset, offered(OLD, NEW));
    assert_eq!(orders(&events), []);
    assert!(matches!(lab.stage(id, asset), Stage::RolledBack { .. }));

    // A person retries: it is rehearsed again, and must be approved again.
    let events = lab.must(Command::Retry { directive: id, asset, by: person() });
    assert_eq!(orders(&events).len(), 1);
    assert!(matches!(lab.order(asset).action, OrderAction::Rehearse { .. }));
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    assert!(matches!(lab.stage(id, asset), Stage::AwaitingApproval { .. }));
}

#[test]
fn a_failed_change_and_a_refusal_of_the_host_name_what_to_do() {
    let (mut lab, asset, id) = applying();
    let (reason, remedy) = ("dpkg ended with 1".to_owned(), "run dpkg --configure -a".to_owned());
    lab.applied(asset, ApplyOutcome::Failed { reason, remedy });
    let Stage::Failed { reason, report } = lab.stage(id, asset) else { panic!() };
    assert!(reason.contains("dpkg --configure -a") && report.is_some(), "{reason}");

    let (mut lab, asset, id) = applying();
    let (code, detail) = ("transaction-changed".to_owned(), "libc6 came into it".to_owned());
    lab.applied(asset, ApplyOutcome::Refused { code, detail });
    let Stage::NeedsPerson { reason, .. } = lab.stage(id, asset) else { panic!() };
    assert!(reason.contains("nothing was changed (transaction-changed): libc6"), "{reason}");
}

/// A host that is switched off is rehearsed when it is back, and nobody has to look at it.
#[test]
fn a_host_that_is_away_gets_no_rehearsal_until_it_reports() {
    let mut lab = Lab::new();
    let (here, away) = (lab.enrol("alpha", "web"), lab.enrol("beta", "web"));
    lab.report(away, offered(OLD, NEW));
    lab.pass(3_601);
    lab.report(here, offered(OLD, NEW));
    lab.promote("web");
    assert_eq!(lab.world.asset(&away).unwrap().outstanding, None);
    assert!(matches!(lab.order(here).action, OrderAction::Rehearse { .. }));
    let events = lab.report(away, offered(OLD, NEW));
    lab.sound();
    assert_eq!(orders(&events).len(), 1, "{events:?}");
    assert!(matches!(lab.order(away).action, OrderAction::Rehearse { .. }));
}

/// A cut that lasted beyond the order's end costs the host its turn and nobody a decision.
#[test]
fn a_host_that_got_its_order_too_late_is_ordered_again_with_the_same_approval() {
    let late = || ApplyOutcome::Refused { code: TOO_LATE.to_owned(), detail: "expired".to_owned() };
    let (mut lab, asset, id) = applying();
    let order = lab.order(asset);
    let left = (order.expires.as_millis() - lab.now.as_millis()) / 1_000;
    lab.pass(u32::try_from(left).unwrap() + 5);
    let events = lab.applied(asset, late());
    lab.sound();
    assert_eq!(orders(&events).len(), 1, "{events:?}");
    let again = lab.order(asset);
    assert!(again.generation > order.generation && again.action == order.action, "{again:?}");
    assert!(matches!(lab.stage(id, asset), Stage::Applying { .. }));

    // In time by the record: the clocks differ, and that is for a person.
    let (mut lab, asset, id) = applying();
    let events = lab.applied(asset, late());
    assert_eq!(orders(&events), []);
    assert!(matches!(lab.stage(id, asset), Stage::NeedsPerson { .. }));
}

#[test]
fn only_a_passed_rehearsal_can_be_approved() {
    let reason = "the disk is full".to_owned();
    for outcome in [
        RehearsalOutcome::Failed { reason: reason.clone() },
        RehearsalOutcome::NotRehearsed { reason: reason.clone() },
    ] {
        let (mut lab, asset, id) = rehearsing();
        lab.rehearsed(asset, outcome);
        let Stage::NeedsPerson { reason: shown, .. } = lab.stage(id, asset) else { panic!() };
        assert!(shown.contains(&reason), "{shown}");
        let refused = lab.run(Command::Approve {
            directive: id,
            by: person(),
            roles: std::collections::BTreeSet::new(),
            reports: None,
            waive_evidence: None,
        });
        assert_eq!(refused.unwrap_err().code, RefusalCode::NothingToApprove);
    }
}

#[test]
fn a_silent_host_counts_as_failed_and_may_still_tell() {
    let (mut lab, asset, id) = applying();
    let order = lab.order(asset);
    // Its order has expired, yet work begun in time may take a while longer.
    lab.now = order.expires.plus_seconds(900);
    assert_eq!(lab.run(Command::Tick).unwrap_err().code, RefusalCode::NothingToDo);
    lab.pass(1);
    assert_eq!(lab.must(Command::Tick)[0], Event::OrderExpired { order: order.id });
    let Stage::Failed { reason, report: None } = lab.stage(id, asset) else { panic!() };
    assert!(reason.contains("silent host"), "{reason}");
    assert_eq!(lab.world.asset(&asset).unwrap().outstanding, None);

    // Its report comes after all: what happened on the host is taken, once.
    let late = |lab: &mut Lab, outcome| {
        lab.run(Command::ReportApply { asset, order: order.id, report: apply_report(outcome) })
    };
    late(&mut lab, ApplyOutcome::Verified).unwrap();
    assert!(matches!(lab.stage(id, asset), Stage::Applied { .. }));
    let again = late(&mut lab, ApplyOutcome::Verified);
    assert_eq!(again.unwrap_err().code, RefusalCode::UnknownOrder);
}

#[test]
fn an_answered_order_is_not_answered_again_when_another_falls_silent() {
    let (mut lab, asset, id) = applying();
    let order = lab.order(asset).id;
    lab.applied(asset, ApplyOutcome::RolledBack { reason: "no".to_owned() });
    lab.must(Command::Retry { directive: id, asset, by: person() });
    lab.pass(7_200);
    lab.must(Command::Tick);
    assert!(matches!(lab.stage(id, asset), Stage::Failed { report: None, .. }));
    let report = apply_report(ApplyOutcome::Verified);
    let refused = lab.run(Command::ReportApply { asset, order, report });
    assert_eq!(refused.unwrap_err().code, RefusalCode::UnknownOrder);
}

#[test]
fn a_report_that_is_not_newer_is_refused() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    let report = |sequence| Command::ReportInventory { asset, sequence, inventory: offered(OLD, NEW) };
    lab.must(report(5));
    let digest = lab.world.digest().unwrap();
    for stale in [4, 5] {
        assert_eq!(lab.run(report(stale)).unwrap_err().code, RefusalCode::StaleReport);
    }
    assert_eq!(lab.world.digest().unwrap(), digest);
    lab.must(report(6));
}

#[test]
fn a_withdrawn_advisory_closes_its_directive() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    // Not from a security suite: only the advisory makes it matter.
    let mut report = offered(OLD, NEW);
    report.facts.offers[0].security = false;
    lab.report(asset, report);
    let (id, state) = lab.open_directive();
    assert_eq!(state.directive.closes, ["CVE-2026-1".parse().unwrap()]);
    let delta = AdvisoryDelta { published: Vec::new(), withdrawn: vec!["DSA-1-1".parse().unwrap()] };
    lab.must(Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None });
    assert!(matches!(closed(&lab, id), Some(Outcome::Withdrawn { .. })), "{:?}", closed(&lab, id));
    assert!(lab.world.queue().is_empty());
}

#[test]
fn kev_ranks_higher_and_is_due_earlier_and_asks_for_evidence() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.promote("web");
    lab.publish(vec![
        advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW)),
        advisory("DSA-2-1", &["CVE-2026-2"], "nginx", Some("1.22.1-9+deb12u2")),
    ]);
    let mut report = offered(OLD, NEW);
    let nginx = component("nginx", "nginx", "1.22.1-9");
    report.facts.offers.push(security_offer(&nginx, "1.22.1-9+deb12u2"));
    report.components.push(nginx);
    let raised = lab.now;
    lab.report(asset, report.clone());
    let ranked = |lab: &Lab| -> Vec<(DirectiveId, Option<Timestamp>)> {
        lab.world.queue().iter().map(|(id, state)| (*id, state.directive.priority.due)).collect()
    };
    let [(first, due), (second, _)] = ranked(&lab)[..] else { panic!() };
    assert_eq!(due, Some(raised.plus_days(60)));

    // The second becomes known as exploited.
    let Action::Upgrade { source } = &lab.world.directive(&second).unwrap().directive.action;
    let cve = if source.name == "openssl" { "CVE-2026-1" } else { "CVE-2026-2" };
    // Forty days later: counted from the day it was raised, the three days would be long over.
    lab.pass(40 * 86_400);
    lab.report(asset, report);
    let listed_at = lab.now;
    let listed = vec![(cve.parse().unwrap(), Kev { added: lab.now, due: None, ransomware: true })];
    let delta = IntelDelta::Kev { listed, retracted: Vec::new() };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    assert_eq!(ranked(&lab), [(second, Some(listed_at.plus_days(3))), (first, due)]);

    // It is retracted: the reason goes, the date that was set stays.
    let delta = IntelDelta::Kev { listed: Vec::new(), retracted: vec![cve.parse().unwrap()] };
    let listed = vec![(cve.parse().unwrap(), Kev { added: lab.now, due: None, ransomware: true })];
    lab.must(Command::ChangeIntel { delta, as_of: None });
    assert_eq!(ranked(&lab)[0], (second, Some(listed_at.plus_days(3))));

    // Listed again; the host rehearses first what it was ordered first, then the urgent one.
    lab.must(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    lab.not_preserved(asset, "/proc cannot be read");
    if matches!(lab.stage(second, asset), Stage::Rehearsing { .. }) {
        lab.rehearsed(asset, RehearsalOutcome::Passed);
    }
    let approve = |waive_evidence: Option<&str>| Command::Approve {
        directive: second,
        by: person(),
        roles: std::collections::BTreeSet::new(),
        reports: None,
        waive_evidence: waive_evidence.map(str::to_owned),
    };
    for without in [None, Some("  ")] {
        assert_eq!(lab.run(approve(without)).unwrap_err().code, RefusalCode::EvidenceRequired);
    }
    lab.must(approve(Some("memory image is saved")));
}

#[test]
fn a_newer_version_takes_over_with_the_due_date() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.report(asset, offered(OLD, NEW));
    let (first, state) = lab.open_directive();
    let due = state.directive.priority.due;
    lab.pass(50 * 86_400);
    lab.report(asset, offered(OLD, NEWER));
    let (second, state) = lab.open_directive();
    assert_ne!(first, second);
    assert_eq!(closed(&lab, first), Some(&Outcome::Superseded { by: second }));
    // A vendor who publishes often does not push the date ahead of itself.
    assert_eq!(state.directive.priority.due, due);
}

#[test]
fn which_version_is_newer_is_for_the_distribution_of_the_host_to_say() {
    // By dpkg's rule the rebuild would be the older one: ".el" sorts after "." and a number.
    let (old, new, rebuilt) = ("3.0.7-24.el9", "3.0.7-27.el9", "3.0.7-27.13.el9_4");
    let mut lab = Lab::new();
    let (alma, debian) = (lab.enrol("alma", "web"), lab.enrol("bookworm", "web"));
    let on_alma = |candidate| {
        let openssl = component("openssl", "openssl", old);
        let offers = vec![security_offer(&openssl, candidate)];
        let mut inventory = inventory(vec![openssl], offers);
        let os = &mut inventory.facts.os;
        (os.id, os.version_id) = ("almalinux".to_owned(), "9.4".to_owned());
        inventory
    };
    lab.report(alma, on_alma(new));
    let (first, _) = lab.open_directive();
    let due = lab.world.directive(&first).unwrap().directive.priority.due;
    lab.pass(50 * 86_400);
    lab.report(alma, on_alma(rebuilt));
    let (second, state) = lab.open_directive();
    assert_eq!(closed(&lab, first), Some(&Outcome::Superseded { by: second }));
    assert_eq!(state.directive.priority.due, due);
    // What another distribution offers does not take its place, although there is a directive about it.
    lab.report(debian, offered(OLD, NEWER));
    let mut without = on_alma(rebuilt);
    without.facts.offers.clear();
    lab.report(alma, without);
    let outcome = closed(&lab, second);
    assert!(matches!(outcome, Some(Outcome::Withdrawn { .. })), "{outcome:?}");
}

#[test]
fn a_rehearsal_of_other_packages_is_not_put_up_for_approval() {
    let (mut lab, asset, id) = rehearsing();
    let order = lab.order(asset);
    // While the host rehearses, it reports one more package of the same source.
    let mut report = offered(OLD, NEW);
    let openssl = component("openssl", "openssl", OLD);
    report.facts.offers.push(security_offer(&openssl, NEW));
    report.components.push(openssl);
    lab.report(asset, report);
    assert_eq!(lab.order(asset), order);
    // What it rehearsed passed, yet is not what the directive now asks for: it rehearses again.
    let events = lab.rehearsed(asset, RehearsalOutcome::Passed);
    assert_eq!(orders(&events).len(), 1);
    let OrderAction::Rehearse { targets } = lab.order(asset).action else { panic!() };
    assert_eq!(targets.len(), 2);
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    assert!(matches!(lab.stage(id, asset), Stage::AwaitingApproval { .. }));
}

#[test]
fn a_refused_directive_asks_nobody_and_stays_refused() {
    let (mut lab, asset, id) = rehearsing();
    let refuse = |why: &str| Command::Refuse { directive: id, by: person(), why: why.to_owned() };
    assert_eq!(lab.run(refuse(" ")).unwrap_err().code, RefusalCode::BadContent);
    lab.must(refuse("the vendor's fix breaks us"));
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    assert_eq!(lab.actions, []);
    lab.report(asset, offered(OLD, NEW));
    assert!(lab.world.queue().is_empty(), "raised again although it was refused");
    lab.report(asset, offered(OLD, NEWER));
    assert_eq!(lab.world.queue().len(), 1, "a newer version is another question");
}

#[test]
fn a_fix_by_another_hand_closes_and_is_remembered() {
    let mut lab = Lab::new();
    let (alpha, beta) = (lab.enrol("alpha", "web"), lab.enrol("beta", "web"));
    lab.report(alpha, offered(OLD, NEW));
    lab.report(beta, offered(OLD, NEW));
    let id = lab.open_directive().0;
    lab.report(alpha, upgraded(NEW));
    // The other host is still to do; what is done is not forgotten over it.
    assert_eq!(*lab.stage(id, alpha), Stage::FixedOtherwise);
    assert_eq!(*lab.stage(id, beta), Stage::Proposed);
    lab.report(beta, upgraded(NEW));
    assert_eq!(closed(&lab, id), Some(&Outcome::Fixed));
}

#[test]
fn a_host_that_is_not_offered_it_any_more_is_ordered_nothing() {
    let mut lab = Lab::new();
    let (alpha, beta) = (lab.enrol("alpha", "web"), lab.enrol("beta", "web"));
    lab.report(alpha, offered(OLD, NEW));
    lab.report(beta, offered(OLD, NEW));
    let id = lab.open_directive().0;
    lab.report(alpha, upgraded(NEW));
    let mut held = offered(OLD, NEW);
    held.facts.offers[0].state = OfferState::Held;
    lab.report(beta, held.clone());
    let events = lab.promote("web");
    assert_eq!(orders(&events), []);
    let beta = lab.world.ordinal(&beta).unwrap();
    assert_eq!(lab.world.directive(&id).unwrap().stage(beta), None);

    // Nor is one that lost the offer while its order was out, whatever a person asks for.
    let (mut lab, asset, id) = rehearsing();
    lab.report(asset, held);
    lab.rehearsed(asset, RehearsalOutcome::Failed { reason: "held".to_owned() });
    let events = lab.must(Command::Retry { directive: id, asset, by: person() });
    assert_eq!(orders(&events), []);
}

#[test]
fn a_success_that_later_reports_contradict_can_be_retried() {
    let (mut lab, asset, id) = applying();
    lab.applied(asset, ApplyOutcome::Verified);
    let retry = || Command::Retry { directive: id, asset, by: person() };
    assert_eq!(lab.run(retry()).unwrap_err().code, RefusalCode::WrongStage);
    lab.report(asset, offered(OLD, NEW));
    assert!(matches!(lab.stage(id, asset), Stage::Applied { .. }));
    assert_eq!(orders(&lab.must(retry())).len(), 1);
}

//! The life of assets: they retire and return, are installed anew, renamed, copied.

use std::num::NonZeroU64;

use tenon_engine::{Day, Moves};
use tenon_model::{
    AgentRun, ApplyOutcome, AssetContext, AssetId, Command, Digest, Event, Inventory, MachineId, Outcome,
    RefusalCode, RehearsalOutcome, Retirement, Stage, SystemExposure,
};

use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u2";
const NEW: &str = "3.0.17-1~deb12u3";
const FIRMWARE: &str = "4c4c4544-0042-3510-8054-b7c04f563432";

/// A host with openssl, which is offered newer.
fn offered() -> Inventory {
    let libssl = component("libssl3", "openssl", OLD);
    let offers = vec![security_offer(&libssl, NEW)];
    inventory(vec![libssl], offers)
}

fn upgraded() -> Inventory {
    inventory(vec![component("libssl3", "openssl", NEW)], Vec::new())
}

/// Hosts of group `web` that lack an update, in a group that may act.
fn estate(names: &[&str]) -> (Lab, Vec<AssetId>) {
    let mut lab = Lab::new();
    lab.must(Command::BeginTerm);
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    let assets: Vec<AssetId> = names.iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        lab.report(*asset, offered());
    }
    (lab, assets)
}

fn retire(lab: &mut Lab, asset: AssetId) -> Result<Vec<Event>, RefusalCode> {
    let retire = Command::Retire { asset, by: person(), why: "it was sold".to_owned() };
    lab.run(retire).map_err(|refusal| refusal.code)
}

/// A host of a machine enrols into a group.
fn enrol_from(lab: &mut Lab, name: &str, group: &str, firmware: &str) -> (AssetId, Vec<Event>) {
    let asset = AssetId::of_public_key(name.as_bytes());
    let (token, secret) = (format!("token-{name}"), Digest::of(name.as_bytes()));
    let (id, group) = (token.parse().unwrap(), group.parse().unwrap());
    lab.must(Command::IssueToken { token: id, secret, group, expires: lab.now.plus_days(1), by: person() });
    let machine = MachineId::of_firmware(firmware);
    let (hostname, token) = (name.to_owned(), token.parse().unwrap());
    let events = lab.must(Command::Enrol { asset, hostname, token, secret, machine });
    (asset, events)
}

fn hear(lab: &mut Lab, asset: AssetId, run: u64) -> Result<Vec<Event>, RefusalCode> {
    let run = AgentRun::new(NonZeroU64::new(run).unwrap());
    lab.run(Command::HearRun { asset, run }).map_err(|refusal| refusal.code)
}

/// It is sound, and a snapshot counts the same.
fn sound(lab: &Lab) {
    let restored = lab.sound();
    assert_eq!(restored.asset_count(), lab.world.asset_count());
    assert_eq!(restored.systems().collect::<Vec<_>>(), lab.world.systems().collect::<Vec<_>>());
    assert_eq!(restored.gaps(lab.now), lab.world.gaps(lab.now));
    assert_eq!(
        restored.groups().map(|(group, count)| (group.clone(), count)).collect::<Vec<_>>(),
        lab.world.groups().map(|(group, count)| (group.clone(), count)).collect::<Vec<_>>()
    );
}

#[test]
fn a_retired_host_counts_nowhere_and_is_back_with_its_next_report() {
    let (mut lab, assets) = estate(&["a", "b", "c"]);
    let whole = lab.open_directive().1.directive.priority.removes;
    lab.pass(86_400);
    retire(&mut lab, assets[0]).unwrap();
    sound(&lab);
    let (_, state) = lab.open_directive();
    assert_eq!(state.members.len(), 2);
    assert_eq!(state.directive.priority.removes.0 * 3, whole.0 * 2);
    assert_eq!((lab.world.asset_count(), lab.world.live_assets().count()), (2, 2));
    assert_eq!(lab.world.assets_like(None, None).len(), 2);
    assert_eq!(lab.world.assets_like(Some(&"web".parse().unwrap()), Some("a")).len(), 0);
    assert_eq!(lab.world.retired_like(None, Some("A")).len(), 1);
    assert_eq!(lab.world.groups().map(|(_, count)| count).collect::<Vec<_>>(), [2]);
    let exposure = lab.world.exposure(&"CVE-2026-1".parse().unwrap());
    assert_eq!((exposure.assets().len(), exposure.covered, exposure.not_covered), (2, 2, 0));
    // What it had is no longer there, which is not the same as fixed.
    let day = Day::of(lab.now);
    let today = |lab: &Lab| lab.world.trend(day, day)[0];
    let gone = i64::try_from(whole.0 / 3).unwrap();
    assert_eq!(today(&lab).moves, Moves { retired: gone, ..Moves::default() });
    assert_eq!(today(&lab).exposure, i64::try_from(whole.0).unwrap() - gone);
    assert_eq!(today(&lab).like_for_like, i64::try_from(whole.0).unwrap());
    assert_eq!(retire(&mut lab, assets[0]), Err(RefusalCode::NothingToDo));

    // The last ones go: nothing is left to be done, and nothing was.
    let (id, _) = lab.open_directive();
    retire(&mut lab, assets[1]).unwrap();
    retire(&mut lab, assets[2]).unwrap();
    assert!(lab.world.queue().is_empty());
    let ended = &lab.world.directive(&id).unwrap().closed;
    assert!(matches!(ended, Some((_, Outcome::Withdrawn { .. }))), "{ended:?}");
    assert_eq!((lab.world.asset_count(), lab.world.systems().count()), (0, 0));
    sound(&lab);

    // One of them was not gone. A delta has no base any more.
    let before = lab.said[&assets[0]].clone();
    let delta = Box::new(before.since(&before).unwrap());
    let refused = lab.run(Command::ReportDelta { asset: assets[0], sequence: 2, delta }).unwrap_err();
    assert_eq!(refused.code, RefusalCode::StaleBase);
    let events = lab.report(assets[0], offered());
    assert_eq!(events[0], Event::AssetReturned { asset: assets[0] });
    assert_eq!((lab.open_directive().1.members.len(), lab.world.asset_count()), (1, 1));
    assert_eq!(today(&lab).moves.newly_seen, gone);
    sound(&lab);
}

#[test]
fn nobody_is_retired_while_an_order_is_out_and_what_was_done_stays_told() {
    let (mut lab, assets) = estate(&["a", "b"]);
    lab.promote("web");
    let (id, _) = lab.open_directive();
    assert_eq!(retire(&mut lab, assets[0]), Err(RefusalCode::WrongStage));
    for asset in &assets {
        lab.rehearsed(*asset, RehearsalOutcome::Passed);
    }
    lab.approve(id);
    // The canary is done; then it is gone, and so is the other, before anybody confirmed it.
    let first = assets.iter().copied().find(|asset| lab.world.asset(asset).unwrap().outstanding.is_some());
    let first = first.unwrap();
    let second = assets.iter().copied().find(|asset| *asset != first).unwrap();
    lab.applied(first, ApplyOutcome::Verified);
    lab.report(first, upgraded());
    retire(&mut lab, first).unwrap();
    let state = lab.world.directive(&id).unwrap();
    assert_eq!((state.done_by(), state.members.len()), ((1, 0), 2), "what was done is not undone");
    sound(&lab);
    retire(&mut lab, second).unwrap();
    let state = lab.world.directive(&id).unwrap();
    assert!(matches!(state.closed, Some((_, Outcome::Fixed))), "{:?}", state.closed);
    assert_eq!(state.members.len(), 1);
    sound(&lab);
}

#[test]
fn a_rollout_does_not_wait_for_a_host_that_is_gone() {
    let (mut lab, assets) = estate(&["a", "b", "c"]);
    lab.promote("web");
    for asset in &assets {
        lab.rehearsed(*asset, RehearsalOutcome::Passed);
    }
    let (id, _) = lab.open_directive();
    lab.approve(id);
    let ordered = |lab: &Lab| {
        assets.iter().copied().find(|asset| lab.world.asset(asset).unwrap().outstanding.is_some())
    };
    let canary = ordered(&lab).unwrap();
    lab.applied(canary, ApplyOutcome::Verified);
    assert!(matches!(lab.stage(id, canary), Stage::Applied { .. }));
    // It never reports again: its wave would wait until it counts as failed.
    retire(&mut lab, canary).unwrap();
    lab.pass(86_400);
    lab.must(Command::Tick);
    assert!(ordered(&lab).is_some_and(|next| next != canary), "the next wave begins");
    sound(&lab);
}

#[test]
fn a_machine_that_is_installed_anew_takes_its_own_place() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    let (old, _) = enrol_from(&mut lab, "web-1", "web", FIRMWARE);
    lab.promote("web");
    lab.report(old, offered());
    let context = AssetContext { exposure: Some(SystemExposure::Open), ..AssetContext::default() };
    lab.must(Command::SetContext { asset: old, context, by: person() });
    let order = lab.order(old);

    // Another group's token takes no place.
    let (other, events) = enrol_from(&mut lab, "elsewhere", "db", FIRMWARE);
    assert_eq!(events.len(), 1);
    assert_eq!(lab.world.asset(&other).unwrap().replaces, None);
    let (first, events) = enrol_from(&mut lab, "web-2", "db", FIRMWARE);
    assert!(
        events.contains(&Event::AssetRetired { asset: other, why: Retirement::Superseded { by: first } })
    );

    let (mut lab, old) = {
        let mut lab = Lab::new();
        lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
        let (old, _) = enrol_from(&mut lab, "web-1", "web", FIRMWARE);
        lab.promote("web");
        lab.report(old, offered());
        lab.must(Command::SetContext { asset: old, context, by: person() });
        assert_eq!(lab.order(old).action, order.action);
        (lab, old)
    };
    let (new, events) = enrol_from(&mut lab, "web-1-again", "web", FIRMWARE);
    assert!(events.contains(&Event::AssetRetired { asset: old, why: Retirement::Superseded { by: new } }));
    let state = lab.world.asset(&new).unwrap();
    assert_eq!((state.replaces, state.context), (Some(old), context), "what was stated goes on");
    assert_eq!(lab.world.asset_count(), 1);
    assert!(lab.world.queue().is_empty(), "it has not reported yet");
    assert_eq!(lab.world.asset(&old).unwrap().outstanding, None);
    let late = Command::ReportRehearsal {
        asset: old,
        order: order.id,
        report: crate::lab::rehearsal_report(&order, RehearsalOutcome::Passed),
    };
    assert_eq!(lab.run(late).unwrap_err().code, RefusalCode::UnknownOrder);
    lab.report(new, offered());
    assert_eq!(lab.open_directive().1.members.len(), 1);
    sound(&lab);

    // The one that was there reports: there are two, and what their firmware says names neither.
    lab.report(old, offered());
    assert_eq!(lab.world.asset_count(), 2);
    let (third, events) = enrol_from(&mut lab, "web-3", "web", FIRMWARE);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(lab.world.asset(&third).unwrap().replaces, None);
    sound(&lab);
}

#[test]
fn hosts_that_come_and_go_retire_by_rule() {
    let (mut lab, assets) = estate(&["burst-1", "burst-2"]);
    let lasting = lab.enrol("db-1", "db");
    lab.report(lasting, offered());
    let silent = |lab: &mut Lab| lab.run(Command::RetireSilent).map_err(|refusal| refusal.code);
    let rules =
        "version: 1\nretire:\n  burst: {groups: [web], silent: 2d}\n  rest: {groups: '*', silent: 60d}\n";
    lab.pass(3 * 86_400);
    assert_eq!(silent(&mut lab), Err(RefusalCode::NothingToDo), "no policy says so");
    lab.must(Command::SetPolicy { text: rules.to_owned(), compared: 0, by: person() });
    lab.report(assets[1], offered());

    // Tenon itself was away: nobody could report.
    lab.must(Command::BeginTerm);
    lab.pass(600);
    assert_eq!(silent(&mut lab), Err(RefusalCode::NothingToDo));
    lab.pass(3_600);
    let why = Retirement::Silent { rule: "burst".to_owned(), version: 1 };
    let events = silent(&mut lab).unwrap();
    assert_eq!(events[0], Event::AssetRetired { asset: assets[0], why });
    assert_eq!(lab.world.asset_count(), 2);
    assert_eq!(silent(&mut lab), Err(RefusalCode::NothingToDo));
    sound(&lab);
    // What enrolled and never reported is gone as well, in time.
    let never = lab.enrol("burst-3", "web");
    lab.pass(2 * 86_400 + 1);
    silent(&mut lab).unwrap();
    assert!(lab.world.asset(&never).unwrap().retired.is_some());
    assert!(lab.world.asset(&lasting).unwrap().retired.is_none());
    sound(&lab);
}

#[test]
fn two_hosts_with_one_key_are_told_apart_and_get_no_orders() {
    let (mut lab, assets) = estate(&["a"]);
    let asset = assets[0];
    hear(&mut lab, asset, 1).unwrap();
    assert_eq!(hear(&mut lab, asset, 1), Err(RefusalCode::NothingToDo));
    // Restarted, with a late word of the run before: no second host.
    hear(&mut lab, asset, 2).unwrap();
    hear(&mut lab, asset, 1).unwrap();
    assert!(!lab.world.asset(&asset).unwrap().runs.is_cloned());
    lab.pass(7_200);
    lab.report(asset, offered());
    assert!(matches!(hear(&mut lab, asset, 2).unwrap()[..], [Event::CloneGone { .. }]));

    // A copy of its disk starts, and both go on speaking.
    hear(&mut lab, asset, 3).unwrap();
    for _ in 0..2 {
        lab.pass(25);
        assert!(matches!(hear(&mut lab, asset, 2).unwrap()[..], [Event::CloneSeen { .. }]));
    }
    assert!(lab.world.asset(&asset).unwrap().runs.is_cloned());
    assert_eq!(hear(&mut lab, asset, 2), Err(RefusalCode::NothingToDo), "known, and not noted each time");
    let gaps = lab.world.gaps(lab.now);
    assert!(gaps.gaps.keys().any(|(kind, _)| *kind == tenon_engine::GapKind::Cloned));
    lab.promote("web");
    assert_eq!(lab.world.asset(&asset).unwrap().outstanding, None, "which of the two would do it?");
    sound(&lab);

    // The copy is enrolled anew: the first host, refused until then, speaks alone. Its reports are counted from their own
    // beginning.
    lab.pass(3_700);
    assert!(matches!(hear(&mut lab, asset, 2).unwrap()[..], [Event::AgentStarted { .. }]));
    lab.must(Command::ReportInventory { asset, sequence: 1, inventory: offered() });
    let events = hear(&mut lab, asset, 2).unwrap();
    assert_eq!(events[0], Event::CloneGone { asset });
    assert!(lab.world.asset(&asset).unwrap().outstanding.is_some(), "what waited is ordered");
    sound(&lab);
}

#[test]
fn a_host_that_is_restored_from_a_backup_is_heard() {
    let (mut lab, assets) = estate(&["a"]);
    let asset = assets[0];
    hear(&mut lab, asset, 1).unwrap();
    for _ in 0..5 {
        lab.report(asset, offered());
    }
    lab.promote("web");
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    let (id, _) = lab.open_directive();
    lab.approve(id);
    lab.applied(asset, ApplyOutcome::Verified);
    // Back to where it was at report 2, on a disk that has the fix.
    let report = Command::ReportInventory { asset, sequence: 3, inventory: upgraded() };
    assert_eq!(lab.run(report.clone()).unwrap_err().code, RefusalCode::StaleReport);
    hear(&mut lab, asset, 2).unwrap();
    let events = lab.must(report);
    assert!(events.contains(&Event::AssetVerified { id, asset, sequence: 3 }), "{events:?}");
    sound(&lab);
}

#[test]
fn a_host_goes_by_the_name_that_it_reports() {
    let (mut lab, assets) = estate(&["a"]);
    let context = "rules:\n  - when: { host: 'db-*' }\n    set: { exposure: open }\n";
    let document = tenon_formats::context::parse(context.as_bytes()).unwrap();
    lab.must(Command::TakeOverContext { document, compared: 0, by: person() });
    let named = |name: &str| {
        let mut inventory = offered();
        name.clone_into(&mut inventory.facts.hostname);
        inventory
    };
    let renamed = Event::AssetRenamed { asset: assets[0], hostname: "db-7".to_owned() };
    let events = lab.report(assets[0], named("db-7\n"));
    assert_eq!(events[0], renamed);
    let asset = lab.world.asset(&assets[0]).unwrap();
    assert_eq!(asset.hostname, "db-7");
    assert!(lab.world.effective(asset).exposure.is_some_and(|said| said.value == SystemExposure::Open));
    assert!(!lab.report(assets[0], named("db-7")).contains(&renamed), "said once");
    sound(&lab);
}

//! Accepted risks: what they take off the list, where, until when, and how it comes back.

use std::collections::BTreeSet;

use tenon_engine::{Day, MAX_EXCEPTION_DAYS, Moves, World, findings, tally};
use tenon_model::{
    AssetId, Command, Event, ExceptionEnd, ExceptionId, ExceptionRequest, ExceptionScope, Inventory, Outcome,
    RefusalCode, Timestamp, VulnerabilityId,
};

use crate::generator::Draw;
use crate::lab::{Lab, advisory, component, ids, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";

/// Something to ask for or to take back: likely where it fits.
pub(crate) fn drawn(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let standing: Vec<ExceptionId> =
        world.exceptions().filter(|(_, state)| state.ended.is_none()).map(|(id, _)| id).collect();
    if draw.one_in(if standing.is_empty() { 6 } else { 2 }) {
        let exception = match standing.as_slice() {
            [] => ExceptionId::new(1),
            standing => draw.of(standing),
        };
        let why = draw.of(&["", "the control is gone"]).to_owned();
        return Command::EndException { exception, by: person(), why };
    }
    let assets: Vec<AssetId> = world.assets().map(|(id, _)| *id).collect();
    let scope = match assets.as_slice() {
        [] => ExceptionScope::Group("web".parse().unwrap()),
        _ if draw.one_in(2) => ExceptionScope::Group(draw.of(&["web", "db"]).parse().unwrap()),
        assets => ExceptionScope::Assets((0..=draw.below(2)).map(|_| draw.of(assets)).collect()),
    };
    let open: Vec<VulnerabilityId> =
        world.open_directives().flat_map(|(_, state)| state.directive.closes.clone()).collect();
    let vulnerability = match open.as_slice() {
        [] => "CVE-2026-1".parse().unwrap(),
        open => draw.of(open),
    };
    let until = now.plus_days(draw.of(&[0, 1, 20, 300]));
    let control = draw.of(&["segmented", "segmented", ""]).to_owned();
    request(vulnerability, scope, until, &control)
}

fn request(
    vulnerability: VulnerabilityId,
    scope: ExceptionScope,
    until: Timestamp,
    control: &str,
) -> Command {
    let request = ExceptionRequest {
        vulnerability,
        scope,
        until,
        owner: "head of shop".parse().unwrap(),
        control: control.to_owned(),
        why: "the vendor certifies the update in March".to_owned(),
    };
    Command::GrantException { request: Box::new(request), by: person() }
}

fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

fn offered() -> Inventory {
    let openssl = component("libssl3", "openssl", OLD);
    inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)])
}

/// Hosts of group `web` that are offered a fix for these vulnerabilities.
fn exposed(cves: &[&str], names: &[&str]) -> (Lab, Vec<AssetId>) {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", cves, "openssl", Some(NEW))]);
    let assets: Vec<AssetId> = names.iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        lab.report(*asset, offered());
    }
    (lab, assets)
}

fn on(assets: &[AssetId]) -> ExceptionScope {
    ExceptionScope::Assets(assets.iter().copied().collect())
}

fn grant(lab: &mut Lab, cve: &str, scope: ExceptionScope, days: u32) -> Result<Vec<Event>, RefusalCode> {
    let until = lab.now.plus_days(days);
    lab.run(request(id(cve), scope, until, "the WAF drops it")).map_err(|refusal| refusal.code)
}

#[test]
fn an_accepted_risk_leaves_the_queue_where_it_is_accepted_and_stays_visible() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b", "c"]);
    let whole = lab.open_directive().1.directive.priority.removes;
    lab.pass(86_400);
    grant(&mut lab, "CVE-2026-1", on(&assets[..1]), 30).unwrap();
    lab.sound();
    let (directive, state) = lab.open_directive();
    assert_eq!(ids(&lab.world, &state.members), assets[1..].iter().copied().collect());
    let left = state.directive.priority.removes;
    assert!(left < whole);

    // On the host it is a finding still, by the exception; it is not open there, in the estate, or in any count.
    let found = findings(&lab.world, lab.world.asset(&assets[0]).unwrap());
    let accepted: Vec<_> =
        found.accepted.iter().map(|(finding, by)| (finding.vulnerability.clone(), *by)).collect();
    assert_eq!(accepted, [(id("CVE-2026-1"), ExceptionId::new(1))]);
    assert_eq!((found.findings.len(), found.suppressed.len()), (0, 0));
    assert_eq!(tally(&lab.world, lab.world.asset(&assets[0]).unwrap()).0, 0);
    let exposure = lab.world.exposure(&id("CVE-2026-1"));
    assert_eq!(ids(&lab.world, &exposure.accepted), BTreeSet::from([assets[0]]));
    assert_eq!(ids(&lab.world, &exposure.assets()), assets[1..].iter().copied().collect());
    let points = |points: tenon_model::RiskPoints| i64::try_from(points.0).unwrap();
    let today = |lab: &Lab| lab.world.trend(Day::of(lab.now), Day::of(lab.now))[0].moves;
    assert_eq!(today(&lab), Moves { accepted: points(whole) - points(left), ..Moves::default() });

    // Accepted on the others too, nothing is left to do, and nothing was done.
    grant(&mut lab, "CVE-2026-1", ExceptionScope::Group("web".parse().unwrap()), 30).unwrap();
    lab.sound();
    let ended = &lab.world.directive(&directive).unwrap().closed;
    let Some((_, Outcome::Withdrawn { reason })) = ended else { panic!("{ended:?}") };
    assert_eq!(reason, "its risk is accepted on every host of it");
    assert_eq!(today(&lab).accepted, points(whole));

    // What enrols later is not meant.
    let later = lab.enrol("d", "web");
    lab.report(later, offered());
    assert_eq!(ids(&lab.world, &lab.open_directive().1.members), BTreeSet::from([later]));
    lab.sound();
}

#[test]
fn it_ends_by_itself_and_the_clock_goes_on_from_where_it_was() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b"]);
    let (raised, due) = (lab.now, lab.open_directive().1.directive.priority.due);
    assert!(due.is_some());
    lab.pass(3_600);
    grant(&mut lab, "CVE-2026-1", on(&assets), 30).unwrap();
    assert!(lab.world.queue().is_empty());
    lab.pass(30 * 86_400 - 1);
    assert_eq!(lab.run(Command::Tick).unwrap_err().code, RefusalCode::NothingToDo);
    lab.pass(1);
    let events = lab.must(Command::Tick);
    assert_eq!(
        events[0],
        Event::ExceptionEnded { id: ExceptionId::new(1), end: ExceptionEnd::Expired },
        "{events:?}"
    );
    let (_, state) = lab.open_directive();
    assert_eq!(state.members.len(), 2);
    assert_ne!(state.raised, raised, "it is another directive");
    assert_eq!(state.directive.priority.due, due, "by the same clock");
    lab.sound();
    // It is counted once more as before, and an end is told once.
    assert_eq!(lab.run(Command::Tick).unwrap_err().code, RefusalCode::NothingToDo);
    let today = lab.world.trend(Day::of(lab.now), Day::of(lab.now))[0].moves;
    let back = i64::try_from(state_points(&lab)).unwrap();
    assert_eq!(today, Moves { accepted: -back, ..Moves::default() });
}

fn state_points(lab: &Lab) -> u64 {
    lab.open_directive().1.directive.priority.removes.0
}

#[test]
fn of_several_vulnerabilities_only_the_accepted_one_is_not_counted() {
    let (mut lab, assets) = exposed(&["CVE-2026-1", "CVE-2026-2"], &["a", "b"]);
    grant(&mut lab, "CVE-2026-1", on(&assets), 30).unwrap();
    let (directive, state) = lab.open_directive();
    assert_eq!(state.members.len(), 2, "the update is wanted for the other");
    assert_eq!(state.directive.closes, [id("CVE-2026-2")]);
    lab.sound();
    // On one of two hosts: the directive names both, for the other host's sake.
    lab.must(Command::EndException {
        exception: ExceptionId::new(1),
        by: person(),
        why: "the WAF is gone".to_owned(),
    });
    assert_eq!(lab.open_directive().1.directive.closes, [id("CVE-2026-1"), id("CVE-2026-2")]);
    grant(&mut lab, "CVE-2026-1", on(&assets[..1]), 30).unwrap();
    grant(&mut lab, "CVE-2026-2", on(&assets[..1]), 30).unwrap();
    let (same, state) = lab.open_directive();
    assert_eq!((same, state.members.len()), (directive, 1));
    assert_eq!(state.directive.closes, [id("CVE-2026-1"), id("CVE-2026-2")]);
    lab.sound();
}

#[test]
fn what_cannot_be_accepted_is_refused_with_a_code() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a"]);
    let other = lab.enrol("b", "db");
    let nobody = AssetId::of_public_key(b"nobody");
    use RefusalCode::{BadContent, NothingToDo, UnknownAsset, UnknownException};
    assert_eq!(grant(&mut lab, "CVE-2026-9", on(&assets), 30), Err(NothingToDo), "not open");
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&[assets[0], other]), 30), Err(NothingToDo), "not on both");
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&[nobody]), 30), Err(UnknownAsset));
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&[]), 30), Err(NothingToDo));
    let group = |name: &str| ExceptionScope::Group(name.parse().unwrap());
    assert_eq!(grant(&mut lab, "CVE-2026-1", group("none"), 30), Err(UnknownAsset));
    assert_eq!(grant(&mut lab, "CVE-2026-1", group("db"), 30), Err(NothingToDo));
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&assets), 0), Err(BadContent), "it ends at once");
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&assets), MAX_EXCEPTION_DAYS + 1), Err(BadContent));
    let until = lab.now.plus_days(1);
    for control in [" ".to_owned(), "x".repeat(1_001)] {
        let refused = lab.run(request(id("CVE-2026-1"), on(&assets), until, &control));
        assert_eq!(refused.unwrap_err().code, BadContent);
    }
    grant(&mut lab, "CVE-2026-1", on(&assets), MAX_EXCEPTION_DAYS).unwrap();
    assert_eq!(grant(&mut lab, "CVE-2026-1", on(&assets), 30), Err(NothingToDo), "accepted already");
    let mut end = |number: u64, why: &str| {
        let (exception, why) = (ExceptionId::new(number), why.to_owned());
        lab.run(Command::EndException { exception, by: person(), why }).map_err(|refusal| refusal.code)
    };
    assert_eq!(end(2, "never granted"), Err(UnknownException));
    assert_eq!(end(1, " "), Err(BadContent));
    end(1, "the control is gone").unwrap();
    assert_eq!(end(1, "twice"), Err(UnknownException));
}

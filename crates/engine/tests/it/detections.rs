//! Attacks that were seen: what they change, where, until when, and what repeats or turns out to be none.

use std::collections::BTreeSet;

use tenon_engine::{DETECTION_DAYS, World, why};
use tenon_model::{
    AssetId, Command, Detection, DetectionEnd, DetectionId, DetectionKind, Event, ExceptionRequest,
    ExceptionScope, IntelDelta, Kev, OrderAction, Probability, RefusalCode, RehearsalOutcome, Stage,
    Timestamp, VulnerabilityId,
};

use crate::generator::Draw;
use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";
const DAY: u32 = 86_400;

/// Something seen, or dismissed: likely where it fits.
pub(crate) fn drawn(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let standing: Vec<DetectionId> =
        world.detections().filter(|(_, state)| state.ended.is_none()).map(|(id, _)| id).collect();
    if draw.one_in(4) {
        let detection = match standing.as_slice() {
            [] => DetectionId::new(1),
            standing => draw.of(standing),
        };
        let why = draw.of(&["", "a scanner of our own"]).to_owned();
        return Command::DismissDetection { detection, by: person(), why };
    }
    let assets: Vec<AssetId> = world.assets().map(|(id, _)| *id).collect();
    let asset = match assets.as_slice() {
        [] => AssetId::of_public_key(b"nobody"),
        assets => draw.of(assets),
    };
    let kind = draw.of(&[
        DetectionKind::Attack,
        DetectionKind::Attack,
        DetectionKind::Honeypot,
        DetectionKind::Incident,
    ]);
    let zone = draw.of(&[None, Some("dmz"), Some("lab"), Some("nowhere")]);
    let zone = zone.filter(|_| kind == DetectionKind::Honeypot).map(|zone| zone.parse().unwrap());
    let asset = (kind != DetectionKind::Honeypot).then_some(asset);
    let open: Vec<VulnerabilityId> = world
        .open_directives()
        .flat_map(|(_, state)| [state.directive.closes.clone(), state.directive.claims.clone()].concat())
        .collect();
    let vulnerability = match open.as_slice() {
        [] => id("CVE-2026-1"),
        open => draw.of(open),
    };
    let ago = draw.of(&[0, 0, 10, 86_400, 29 * 86_400, 31 * 86_400]);
    let seen = Timestamp::from_millis(now.as_millis() - 1_000 * ago);
    let (sensor, what) = (draw.of(&["ids", "waf"]).to_owned(), "a probe".to_owned());
    let detection =
        Detection { vulnerability, asset, zone, kind, seen, what, reference: None, sensor, by: person() };
    Command::ReportDetection { detection: Box::new(detection) }
}

fn seen_by(vulnerability: VulnerabilityId, asset: AssetId, seen: Timestamp, sensor: &str) -> Command {
    let what = "JNDI lookup\u{1b}in a\u{202e}header".to_owned();
    let (reference, sensor) = (Some("alert 7".to_owned()), sensor.to_owned());
    let (asset, zone, kind) = (Some(asset), None, DetectionKind::Attack);
    let detection =
        Detection { vulnerability, asset, zone, kind, seen, what, reference, sensor, by: person() };
    Command::ReportDetection { detection: Box::new(detection) }
}

fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

/// Hosts of group `web` that are offered a fix for these vulnerabilities.
fn exposed(cves: &[&str], names: &[&str]) -> (Lab, Vec<AssetId>) {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", cves, "openssl", Some(NEW))]);
    let assets: Vec<AssetId> = names.iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        let openssl = component("libssl3", "openssl", OLD);
        lab.report(*asset, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
    }
    (lab, assets)
}

fn see(lab: &mut Lab, cve: &str, asset: AssetId, source: &str) -> Result<Vec<Event>, RefusalCode> {
    let seen = lab.now;
    lab.run(seen_by(id(cve), asset, seen, source)).map_err(|refusal| refusal.code)
}

fn due(lab: &Lab) -> Option<Timestamp> {
    lab.open_directive().1.directive.priority.due
}

#[test]
fn an_attack_makes_its_vulnerability_certain_there_and_sets_a_clock_of_one_day() {
    let (mut lab, assets) = exposed(&["CVE-2026-1", "CVE-2026-2"], &["a", "b", "c"]);
    let score = Probability::from_ppm(10_000).unwrap();
    let scores = vec![(id("CVE-2026-1"), score), (id("CVE-2026-2"), score)];
    let delta = IntelDelta::Epss { model: "v1".to_owned(), scored: lab.now, scores, dropped: Vec::new() };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    let (directive, before) = lab.open_directive();
    let (each, removes) = (before.directive.priority.removes.0 / 6, before.directive.priority.removes.0);
    lab.pass(DAY);
    let events = see(&mut lab, "CVE-2026-1", assets[1], "edr").unwrap();
    lab.sound();
    assert!(matches!(events[0], Event::DetectionReported { .. }), "{events:?}");
    let (same, state) = lab.open_directive();
    assert_eq!(same, directive);
    let priority = &state.directive.priority;
    // Threat 1 instead of 0.01, of one vulnerability on one of three hosts; 1 - 0.99 * 0.98 on the two others.
    assert_eq!(priority.removes.0, removes + 99 * each + 2 * (each * 198 / 100));
    assert_eq!(priority.due, Some(lab.now.plus_days(1)), "from when it is known");
    assert_eq!(priority.clocks[0].vulnerability, id("CVE-2026-1"));
    assert!(priority.clocks[0].rule.contains("attack"), "{:?}", priority.clocks);
    assert_eq!(priority.because[0].fact, "CVE-2026-1: attack seen on b: JNDI lookup in a header");
    assert_eq!(priority.because[0].source, "reported by edr");
    // It is explained apart from the others, and the factors still add up.
    let weighed = why(&lab.world, &directive).unwrap().factors;
    let (first, rest) = weighed.split_first().unwrap();
    assert_eq!((first.assets, first.factors.threat), (1, 1_000_000));
    let threats: BTreeSet<u64> = rest.iter().map(|other| other.factors.threat).collect();
    assert_eq!(threats, BTreeSet::from([10_000, 29_800]));
    let loss: u64 = weighed.iter().map(|one| one.factors.loss() * one.assets).sum();
    assert_eq!(loss, priority.removes.0);

    // The fix takes it away with the host.
    let mended = component("libssl3", "openssl", NEW);
    lab.report(assets[1], inventory(vec![mended], Vec::new()));
    lab.sound();
    let near = 2 * (each * 298 / 100);
    assert_eq!(
        lab.open_directive().1.directive.priority.removes.0,
        2 * each + near,
        "of others it still tells"
    );
}

#[test]
fn what_repeats_tells_nothing_and_after_a_month_it_counts_no_more() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b"]);
    let usual = lab.open_directive().1.directive.priority.removes;
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    let bound = due(&lab);
    for source in ["edr", "waf"] {
        lab.pass(600);
        assert_eq!(see(&mut lab, "CVE-2026-1", assets[0], source), Err(RefusalCode::NothingToDo), "{source}");
    }
    // The same alert delivered again, however late.
    let again =
        seen_by(id("CVE-2026-1"), assets[0], lab.world.detections().next().unwrap().1.detection.seen, "edr");
    lab.pass(5 * DAY);
    assert_eq!(lab.run(again).unwrap_err().code, RefusalCode::NothingToDo);
    // It goes on: that is told once a day, and keeps it counting.
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    lab.pass((DETECTION_DAYS - 4) * DAY);
    let ended = lab.must(Command::Tick);
    assert_eq!(ended[0], Event::DetectionEnded { id: DetectionId::new(1), end: DetectionEnd::Expired });
    assert!(lab.open_directive().1.directive.priority.removes > usual, "the second still counts");
    lab.pass(4 * DAY);
    lab.must(Command::Tick);
    lab.sound();
    let (_, state) = lab.open_directive();
    assert_eq!(state.directive.priority.removes, usual);
    assert_eq!(state.directive.priority.due, bound, "a date that was set stays");
    assert_eq!(lab.run(Command::Tick).unwrap_err().code, RefusalCode::NothingToDo);
}

#[test]
fn what_was_no_attack_takes_its_date_back_and_is_not_told_by_the_same_sensor_again() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b"]);
    let (usual, before) = (lab.open_directive().1.directive.priority.clone(), due(&lab));
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    lab.pass(2 * DAY);
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    assert_ne!(due(&lab), before);
    let mut dismiss = |number, why: &str| {
        let (detection, why) = (DetectionId::new(number), why.to_owned());
        let ended = lab.run(Command::DismissDetection { detection, by: person(), why });
        ended.map_err(|refusal| refusal.code)
    };
    assert_eq!(dismiss(1, " "), Err(RefusalCode::BadContent));
    assert_eq!(dismiss(9, "none"), Err(RefusalCode::UnknownDetection));
    let events = dismiss(1, "our own scanner").unwrap();
    let ended = events.iter().filter(|event| matches!(event, Event::DetectionEnded { .. }));
    assert_eq!(ended.count(), 2, "all that this sensor said of it");
    assert_eq!(dismiss(2, "twice"), Err(RefusalCode::UnknownDetection));
    lab.sound();
    assert_eq!(lab.open_directive().1.directive.priority, usual);
    lab.pass(DAY + 1);
    assert_eq!(see(&mut lab, "CVE-2026-1", assets[0], "edr"), Err(RefusalCode::NothingToDo));
    // Another sensor, another host, or a month later are another matter.
    see(&mut lab, "CVE-2026-1", assets[0], "waf").unwrap();
    see(&mut lab, "CVE-2026-1", assets[1], "edr").unwrap();
    lab.pass(DETECTION_DAYS * DAY);
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    lab.sound();
}

#[test]
fn a_date_that_another_attack_set_stays_where_one_is_dismissed() {
    let (mut lab, assets) = exposed(&["CVE-2026-1", "CVE-2026-2"], &["a", "b"]);
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    let first = due(&lab);
    lab.pass(10 * DAY);
    see(&mut lab, "CVE-2026-2", assets[0], "edr").unwrap();
    lab.must(Command::DismissDetection {
        detection: DetectionId::new(2),
        by: person(),
        why: "a test".to_owned(),
    });
    assert_eq!(due(&lab), first);
    lab.pass(DETECTION_DAYS * DAY);
    lab.must(Command::Tick);
    assert_eq!(due(&lab), first, "nor does it go with the month");
    lab.sound();
}

#[test]
fn it_counts_only_where_the_vulnerability_is_to_be_closed() {
    let (mut lab, assets) = exposed(&["CVE-2026-1", "CVE-2026-2"], &["a", "b"]);
    let usual = lab.open_directive().1.directive.priority.clone();
    // Not open anywhere; then open there, but accepted.
    see(&mut lab, "CVE-2026-9", assets[0], "ids").unwrap();
    assert_eq!(lab.open_directive().1.directive.priority, usual);
    let request = ExceptionRequest {
        vulnerability: id("CVE-2026-1"),
        scope: ExceptionScope::Assets(BTreeSet::from([assets[0]])),
        until: lab.now.plus_days(3),
        owner: person(),
        control: "the WAF drops it".to_owned(),
        why: "certified in March".to_owned(),
    };
    lab.must(Command::GrantException { request: Box::new(request), by: person() });
    see(&mut lab, "CVE-2026-1", assets[0], "ids").unwrap();
    let quiet = lab.open_directive().1.directive.priority.clone();
    assert!(quiet.clocks.iter().all(|clock| !clock.rule.contains("attack")), "{:?}", quiet.clocks);
    lab.sound();
    // Once that has ended it counts.
    lab.pass(3 * DAY);
    lab.must(Command::Tick);
    lab.sound();
    assert!(lab.open_directive().1.directive.priority.removes > quiet.removes);
}

#[test]
fn it_is_told_by_the_name_that_the_host_goes_by() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b"]);
    see(&mut lab, "CVE-2026-1", assets[0], "ids").unwrap();
    let openssl = component("libssl3", "openssl", OLD);
    let mut renamed = inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]);
    renamed.facts.hostname = "shop".to_owned();
    lab.report(assets[0], renamed);
    let because = &lab.open_directive().1.directive.priority.because[0].fact;
    assert!(because.starts_with("CVE-2026-1: attack seen on shop: "), "{because}");
    lab.sound();
}

#[test]
fn it_is_an_emergency_on_the_host_that_is_attacked() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a", "b"]);
    let policy = "version: 1\nwindows:\n  night: {zone: UTC, from: '22:00', to: '04:00'}\nemergency: {crosses: [windows]}\n\
                  rules:\n  - {name: all, approval: automatic, windows: night}\n";
    lab.must(Command::SetPolicy { text: policy.to_owned(), compared: 0, by: person() });
    lab.promote("web");
    for asset in &assets {
        lab.rehearsed(*asset, RehearsalOutcome::Passed);
    }
    let (directive, _) = lab.open_directive();
    let applies = |lab: &Lab, asset: AssetId| matches!(lab.stage(directive, asset), Stage::Applying { .. });
    assert!(!assets.iter().any(|asset| applies(&lab, *asset)), "it is noon");
    see(&mut lab, "CVE-2026-1", assets[1], "waf").unwrap();
    lab.sound();
    assert!(applies(&lab, assets[1]), "{:?}", lab.stage(directive, assets[1]));
    assert!(matches!(lab.order(assets[1]).action, OrderAction::Apply { .. }));
    assert!(!applies(&lab, assets[0]), "the other one waits for the night");
}

#[test]
fn what_cannot_be_a_detection_is_refused_with_a_code() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a"]);
    let nobody = AssetId::of_public_key(b"nobody");
    assert_eq!(see(&mut lab, "CVE-2026-1", nobody, "edr"), Err(RefusalCode::UnknownAsset));
    let mut told = |seen: Timestamp, what: &str, reference: &str| {
        let (what, reference) = (what.to_owned(), Some(reference.to_owned()));
        let (vulnerability, asset) = (id("CVE-2026-1"), Some(assets[0]));
        let (sensor, zone, kind) = ("ids".to_owned(), None, DetectionKind::Attack);
        let detection =
            Detection { vulnerability, asset, zone, kind, seen, what, reference, sensor, by: person() };
        lab.run(Command::ReportDetection { detection: Box::new(detection) }).map_err(|refusal| refusal.code)
    };
    let now = Timestamp::from_millis(crate::lab::START_MS);
    let long_ago = Timestamp::from_millis(now.as_millis() - 1_000 * i64::from(DETECTION_DAYS * DAY));
    assert_eq!(told(now, " ", ""), Err(RefusalCode::BadContent));
    assert_eq!(told(now, &"x".repeat(1_001), ""), Err(RefusalCode::BadContent));
    assert_eq!(told(now, "an alert", &"x".repeat(201)), Err(RefusalCode::BadContent));
    assert_eq!(told(long_ago, "an alert", ""), Err(RefusalCode::BadContent));
    // A clock that is ahead counts as now.
    let events = told(now.plus_days(1), "an alert", "").unwrap();
    let Event::DetectionReported { detection, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(detection.seen, now);
}

#[test]
fn known_exploited_already_an_attack_still_sets_its_clock() {
    let (mut lab, assets) = exposed(&["CVE-2026-1"], &["a"]);
    let listed = vec![(id("CVE-2026-1"), Kev { added: lab.now, due: None, ransomware: false })];
    lab.must(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    let before = lab.open_directive().1.directive.priority.clone();
    see(&mut lab, "CVE-2026-1", assets[0], "edr").unwrap();
    let after = lab.open_directive().1.directive.priority.clone();
    assert_eq!(after.removes, before.removes, "it was certain before");
    assert_eq!(after.decision.row, before.decision.row, "the table knows of KEV alone");
    assert_eq!(after.due, Some(lab.now.plus_days(1)));
    lab.sound();
}

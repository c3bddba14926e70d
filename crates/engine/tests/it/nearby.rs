//! What an attack says of whoever was not attacked: how much, where, for how long, and what it leaves as it is.

use std::collections::BTreeMap;

use tenon_engine::{World, why, why_here};
use tenon_model::{
    AssetId, Command, Detection, DetectionId, DetectionKind, Event, IntelDelta, Kev, Probability,
    RefusalCode, VulnerabilityId,
};

use crate::lab::{Lab, advisory, component, inventory, person, security_offer};
use crate::terrain::take_over;

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";
const WEEK: u32 = 7 * 86_400;
const ABOUT: &str = "CVE-2026-1";
/// Zones without any flow: where attacks begin is not stated, and how far they get is not told.
const ZONES: &str = "zones: { dmz: { networks: 10.0.1.0/24 }, office: { networks: 10.0.2.0/24 } }\n";

fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

/// Two hosts in the DMZ, one in the office, one nowhere; the forecast of the vulnerability is 1 %.
fn estate() -> (Lab, [AssetId; 4]) {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &[ABOUT, "CVE-2026-2"], "openssl", Some(NEW))]);
    let hosts = [("a", "10.0.1.1"), ("b", "10.0.1.2"), ("c", "10.0.2.1"), ("d", "192.0.2.1")];
    let assets = hosts.map(|(name, address)| {
        let asset = lab.enrol(name, "web");
        let openssl = component("libssl3", "openssl", OLD);
        let mut inventory = inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]);
        inventory.facts.addresses = vec![address.parse().unwrap()];
        lab.report(asset, inventory);
        asset
    });
    take_over(&mut lab, ZONES);
    let score = Probability::from_ppm(10_000).unwrap();
    let scores = vec![(id(ABOUT), score), (id("CVE-2026-2"), score)];
    let delta = IntelDelta::Epss { model: "v1".to_owned(), scored: lab.now, scores, dropped: Vec::new() };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    (lab, assets)
}

fn see(
    lab: &mut Lab,
    kind: DetectionKind,
    asset: Option<AssetId>,
    zone: Option<&str>,
) -> Result<Vec<Event>, RefusalCode> {
    let detection = Detection {
        vulnerability: id(ABOUT),
        asset,
        zone: zone.map(|zone| zone.parse().unwrap()),
        kind,
        seen: lab.now,
        what: "a lookup in a header".to_owned(),
        reference: None,
        sensor: "ids".to_owned(),
        by: person(),
    };
    let command = Command::ReportDetection { detection: Box::new(detection) };
    lab.run(command).map_err(|refusal| refusal.code)
}

/// How likely it is on each of these hosts, in parts per million; all of it adds up to what the directive removes.
fn threats(lab: &Lab, assets: &[AssetId]) -> Vec<u64> {
    lab.sound();
    let (directive, state) = lab.open_directive();
    let weighed = why(&lab.world, &directive).unwrap().factors;
    let sum: u64 = weighed.iter().map(|one| one.factors.loss() * one.assets).sum();
    assert_eq!(sum, state.directive.priority.removes.0);
    let on = |asset: &AssetId| why_here(&lab.world, asset, &id(ABOUT)).unwrap().why.factors[0].factors.threat;
    assets.iter().map(on).collect()
}

/// Either is enough: 1 - (1 - 1 %) * (1 - what was seen).
fn with(ppm: u64) -> u64 {
    ppm + 10_000 - ppm / 100
}

#[test]
fn an_attack_makes_the_same_more_likely_in_its_zone_and_a_little_more_everywhere() {
    let (mut lab, assets) = estate();
    assert_eq!(threats(&lab, &assets), [10_000; 4]);
    let before = lab.open_directive().1.directive.priority.clone();
    let quiet = why_here(&lab.world, &assets[1], &id(ABOUT)).unwrap().priority;
    let events = see(&mut lab, DetectionKind::Attack, Some(assets[0]), None).unwrap();
    let Event::DetectionReported { detection, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(detection.zone, Some("dmz".parse().unwrap()), "where it stood then is on record");
    assert_eq!(threats(&lab, &assets), [1_000_000, with(100_000), with(20_000), with(20_000)]);
    // Of another vulnerability nothing was seen.
    let other = why_here(&lab.world, &assets[1], &id("CVE-2026-2")).unwrap();
    assert_eq!(other.why.factors[0].factors.threat, 10_000);

    let neighbour = why_here(&lab.world, &assets[1], &id(ABOUT)).unwrap();
    let threat = &neighbour.why.factors[0].threat;
    assert_eq!(
        threat.fact,
        "CVE-2026-1 has EPSS 1.00%; CVE-2026-1: an attack seen in zone dmz makes it 10.00% likely here: a lookup in a header"
    );
    assert_eq!(threat.source, "epss v1; reported by ids, det_1");
    // Neither the decision nor any clock of a neighbour knows of it.
    assert_eq!((&neighbour.priority.decision, neighbour.priority.due), (&quiet.decision, quiet.due));
    assert!(neighbour.priority.clocks.iter().all(|clock| !clock.rule.contains("attack")));
    let after = &lab.open_directive().1.directive.priority;
    let told: Vec<&str> = after.because.iter().map(|basis| basis.fact.as_str()).collect();
    assert!(told.iter().any(|fact| fact.contains("an attack seen in zone dmz makes")), "{told:?}");
    assert!(after.removes > before.removes);
}

#[test]
fn it_is_halved_week_by_week_and_gone_after_a_month() {
    let (mut lab, assets) = estate();
    see(&mut lab, DetectionKind::Attack, Some(assets[0]), None).unwrap();
    for (halved, ppm) in [(1, 50_000), (2, 25_000), (3, 12_500), (4, 6_250)] {
        lab.pass(WEEK - 1);
        assert_eq!(lab.run(Command::Tick).unwrap_err().code, RefusalCode::NothingToDo);
        lab.pass(1);
        let events = lab.must(Command::Tick);
        assert_eq!(events[0], Event::DetectionFaded { id: DetectionId::new(1), halved });
        assert_eq!(threats(&lab, &assets)[..2], [1_000_000, with(ppm)], "certain where it was seen");
    }
    let restored = World::from_snapshot(lab.world.to_snapshot().unwrap()).unwrap();
    assert_eq!(restored.digest().unwrap(), lab.world.digest().unwrap());
    let why = why_here(&restored, &assets[1], &id(ABOUT)).unwrap().why;
    assert!(why.factors[0].threat.fact.contains("0.625% likely here (halved 4 times since)"), "{why:?}");
    lab.pass(2 * 86_400);
    lab.must(Command::Tick);
    assert_eq!(threats(&lab, &assets), [10_000; 4]);
}

#[test]
fn a_honeypot_says_more_than_an_attack_and_a_host_taken_over_most() {
    let (mut lab, assets) = estate();
    see(&mut lab, DetectionKind::Honeypot, None, Some("office")).unwrap();
    assert_eq!(threats(&lab, &assets), [with(50_000), with(50_000), with(200_000), with(50_000)]);
    // Of several what says most counts, and not each more.
    see(&mut lab, DetectionKind::Honeypot, None, None).unwrap();
    see(&mut lab, DetectionKind::Attack, Some(assets[0]), None).unwrap();
    assert_eq!(threats(&lab, &assets), [1_000_000, with(100_000), with(200_000), with(50_000)]);
    assert_eq!(see(&mut lab, DetectionKind::Attack, Some(assets[0]), None), Err(RefusalCode::NothingToDo));
    // That it succeeded is news.
    see(&mut lab, DetectionKind::Incident, Some(assets[0]), None).unwrap();
    assert_eq!(threats(&lab, &assets), [1_000_000, with(500_000), with(200_000), with(100_000)]);
    let because = lab.open_directive().1.directive.priority.because[0].fact.clone();
    assert!(because.starts_with("CVE-2026-1: used to take over a host, seen on a: "), "{because}");

    // All that the sensor said of that host is taken back together.
    let (detection, why) = (DetectionId::new(4), "an exercise".to_owned());
    let ended = lab.must(Command::DismissDetection { detection, by: person(), why });
    assert_eq!(ended.iter().filter(|event| matches!(event, Event::DetectionEnded { .. })).count(), 2);
    assert_eq!(threats(&lab, &assets), [with(50_000), with(50_000), with(200_000), with(50_000)]);
}

#[test]
fn a_host_that_moves_is_as_near_as_where_it_stands() {
    let (mut lab, assets) = estate();
    see(&mut lab, DetectionKind::Honeypot, None, Some("dmz")).unwrap();
    assert_eq!(threats(&lab, &assets[1..3]), [with(200_000), with(50_000)]);
    take_over(&mut lab, "zones: { dmz: { networks: 10.0.2.0/24 }, old: { networks: 10.0.1.0/24 } }\n");
    assert_eq!(threats(&lab, &assets[1..3]), [with(50_000), with(200_000)]);
}

/// The context knows a host by its name before it ever reports, and after a restart no more than before.
#[test]
fn a_host_that_has_not_reported_stands_where_the_context_says() {
    let (mut lab, _) = estate();
    take_over(&mut lab, &format!("{ZONES}assets: {{ new: {{ zone: office }} }}\n"));
    let new = lab.enrol("new", "web");
    let zone = |lab: &mut Lab| {
        let events = see(lab, DetectionKind::Attack, Some(new), None).unwrap();
        let Event::DetectionReported { detection, .. } = &events[0] else { panic!("{events:?}") };
        detection.zone.clone()
    };
    assert_eq!(zone(&mut lab), Some("office".parse().unwrap()));
    lab.world = World::from_snapshot(lab.world.to_snapshot().unwrap()).unwrap();
    lab.pass(86_400);
    assert_eq!(zone(&mut lab), Some("office".parse().unwrap()));
}

#[test]
fn what_is_exploited_everywhere_is_no_more_likely_for_it() {
    let (mut lab, assets) = estate();
    let listed = vec![(id(ABOUT), Kev { added: lab.now, due: None, ransomware: false })];
    lab.must(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    let before = lab.open_directive().1.directive.priority.clone();
    see(&mut lab, DetectionKind::Honeypot, None, Some("dmz")).unwrap();
    assert_eq!(threats(&lab, &assets), [1_000_000; 4]);
    assert_eq!(lab.open_directive().1.directive.priority, before);
}

#[test]
fn a_place_that_does_not_fit_is_refused() {
    let (mut lab, assets) = estate();
    let mut refused: BTreeMap<&str, RefusalCode> = BTreeMap::new();
    let mut tried = |what, kind, asset, zone| {
        refused.insert(what, see(&mut lab, kind, asset, zone).unwrap_err());
    };
    tried("attack on nothing", DetectionKind::Attack, None, Some("dmz"));
    tried("incident nowhere", DetectionKind::Incident, None, None);
    tried("honeypot that is a host", DetectionKind::Honeypot, Some(assets[0]), None);
    tried("honeypot in no zone", DetectionKind::Honeypot, None, Some("attic"));
    assert!(refused.values().all(|code| *code == RefusalCode::BadContent), "{refused:?}");
    assert_eq!((refused.len(), lab.world.detections().count()), (4, 0));
}

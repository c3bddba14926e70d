//! Compensating controls: what they make less likely, where, until when, and what they leave as it is.

use std::collections::BTreeSet;

use tenon_engine::{MAX_CONTROL_DAYS, Weighed, World, findings, why, why_here};
use tenon_model::{
    AssetId, AttackVector, Command, ControlEnd, ControlId, ControlKind, ControlRequest, ControlScope, Cvss,
    Detection, DetectionKind, Event, IntelDelta, Probability, Profile, RefusalCode, Timestamp,
    VulnerabilityId,
};

use crate::generator::Draw;
use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";
const REMOTE: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const LOCAL: &str = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H";

/// Something to record or to end: likely where it fits.
pub(crate) fn drawn(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let standing: Vec<ControlId> =
        world.controls().filter(|(_, state)| state.ended.is_none()).map(|(id, _)| id).collect();
    if draw.one_in(if standing.is_empty() { 6 } else { 2 }) {
        let control = match standing.as_slice() {
            [] => ControlId::new(1),
            standing => draw.of(standing),
        };
        return Command::EndControl {
            control,
            by: person(),
            why: draw.of(&["", "the WAF is gone"]).to_owned(),
        };
    }
    let assets: Vec<AssetId> = world.assets().map(|(id, _)| *id).collect();
    let scope = match assets.as_slice() {
        [] => ControlScope::Zone("front".parse().unwrap()),
        _ if draw.one_in(4) => ControlScope::Zone(draw.of(&["front", "back"]).parse().unwrap()),
        _ if draw.one_in(2) => ControlScope::Group(draw.of(&["web", "db"]).parse().unwrap()),
        assets => ControlScope::Assets((0..=draw.below(2)).map(|_| draw.of(assets)).collect()),
    };
    let open: Vec<VulnerabilityId> =
        world.open_directives().flat_map(|(_, state)| state.directive.closes.clone()).collect();
    let mut request = against(&[], &[draw.of(AttackVector::ALL)], scope, now.plus_days(draw.of(&[0, 1, 20])));
    if !open.is_empty() && draw.one_in(2) {
        request.vulnerabilities = BTreeSet::from([draw.of(&open)]);
        request.vectors = BTreeSet::new();
    }
    request.leaves = Probability::from_ppm(draw.of(&[0, 50_000, 200_000, 900_000])).unwrap();
    Command::RecordControl { request: Box::new(request), by: person() }
}

fn against(
    vulnerabilities: &[&str],
    vectors: &[AttackVector],
    scope: ControlScope,
    until: Timestamp,
) -> ControlRequest {
    ControlRequest {
        kind: ControlKind::WafRule,
        vulnerabilities: vulnerabilities.iter().map(|id| self::id(id)).collect(),
        vectors: vectors.iter().copied().collect(),
        scope,
        leaves: Probability::from_ppm(200_000).unwrap(),
        until,
        owner: "head of shop".parse().unwrap(),
        what: "rule 941 drops it; tried with the public exploit".to_owned(),
    }
}

fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

fn on(assets: &[AssetId]) -> ControlScope {
    ControlScope::Assets(assets.iter().copied().collect())
}

/// Three hosts of group `web` that are offered a fix for these vulnerabilities, which are attacked in these ways where a vector is
/// given.
fn exposed(cves: &[(&str, Option<&str>)]) -> (Lab, Vec<AssetId>) {
    let mut lab = Lab::new();
    let ids: Vec<&str> = cves.iter().map(|(id, _)| *id).collect();
    lab.publish(vec![advisory("DSA-1-1", &ids, "openssl", Some(NEW))]);
    let profiles = cves.iter().filter_map(|(cve, vector)| {
        let cvss = Cvss { vector: (*vector)?.to_owned(), source: "nvd".to_owned() };
        Some((id(cve), Profile { cvss: Some(cvss), ..Profile::default() }))
    });
    let delta = IntelDelta::Profile { stated: profiles.collect(), dropped: Vec::new() };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    let assets: Vec<AssetId> = ["a", "b", "c"].iter().map(|name| lab.enrol(name, "web")).collect();
    for asset in &assets {
        let openssl = component("libssl3", "openssl", OLD);
        lab.report(*asset, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
    }
    (lab, assets)
}

fn record(lab: &mut Lab, request: ControlRequest) -> Result<Vec<Event>, RefusalCode> {
    let command = Command::RecordControl { request: Box::new(request), by: person() };
    lab.run(command).map_err(|refusal| refusal.code)
}

fn removes(lab: &Lab) -> u64 {
    lab.open_directive().1.directive.priority.removes.0
}

/// How the open directive is explained; its factors add up to what it removes.
fn weighed(lab: &Lab) -> Vec<Weighed> {
    let (id, state) = lab.open_directive();
    let factors = why(&lab.world, &id).unwrap().factors;
    let loss: u64 = factors.iter().map(|one| one.factors.loss() * one.assets).sum();
    assert_eq!(loss, state.directive.priority.removes.0);
    factors
}

#[test]
fn a_control_makes_a_loss_less_likely_where_it_stands_and_moves_nothing_else() {
    let (mut lab, assets) = exposed(&[("CVE-2026-1", Some(REMOTE))]);
    let before = lab.open_directive().1.directive.priority.clone();
    let request = against(&["CVE-2026-1"], &[], on(&assets[..1]), lab.now.plus_days(30));
    let events = record(&mut lab, request).unwrap();
    lab.sound();
    assert!(matches!(events[0], Event::ControlRecorded { .. }), "{events:?}");
    let priority = &lab.open_directive().1.directive.priority;
    let each = before.removes.0 / 3;
    assert_eq!(priority.removes.0, 2 * each + each / 5, "a fifth is left on one of three");
    assert_eq!(
        (&priority.decision, &priority.clocks, priority.due),
        (&before.decision, &before.clocks, before.due)
    );
    assert_eq!(findings(&lab.world, lab.world.asset(&assets[0]).unwrap()).findings.len(), 1);
    let factors = weighed(&lab);
    let controls: Vec<(u64, u64)> = factors.iter().map(|one| (one.assets, one.factors.controls)).collect();
    assert_eq!(controls, [(2, 1_000_000), (1, 200_000)]);
    let basis = factors[1].control.as_ref().unwrap();
    assert!(basis.fact.starts_with("a control (waf-rule) lets 20.00% of attacks through"), "{basis:?}");
    assert_eq!(basis.source, "head of shop, ctl_1");
    let here = why_here(&lab.world, &assets[0], &id("CVE-2026-1")).unwrap();
    assert_eq!(here.priority.removes.0, each / 5);

    // It counts until its time is up, and a person may end it before.
    lab.pass(31 * 86_400);
    let events = lab.must(Command::Tick);
    assert!(events.contains(&Event::ControlEnded { id: ControlId::new(1), end: ControlEnd::Expired }));
    lab.sound();
    assert_eq!(removes(&lab), before.removes.0);
    let request =
        against(&["CVE-2026-1"], &[], ControlScope::Group("web".parse().unwrap()), lab.now.plus_days(9));
    record(&mut lab, request).unwrap();
    assert_eq!(removes(&lab), before.removes.0 / 5);
    lab.must(Command::EndControl { control: ControlId::new(2), by: person(), why: "off".to_owned() });
    lab.sound();
    assert_eq!(removes(&lab), before.removes.0);
}

#[test]
fn a_control_stands_against_the_ways_of_attack_that_it_names() {
    let (mut lab, assets) =
        exposed(&[("CVE-2026-1", Some(REMOTE)), ("CVE-2026-2", Some(LOCAL)), ("CVE-2026-3", None)]);
    let until = lab.now.plus_days(30);
    record(&mut lab, against(&[], &[AttackVector::Network], on(&assets), until)).unwrap();
    let left = |lab: &Lab| {
        let mut left: Vec<(String, u64)> =
            weighed(lab).iter().map(|one| (one.vulnerability.to_string(), one.factors.controls)).collect();
        left.sort();
        left.into_iter().map(|(_, left)| left).collect::<Vec<_>>()
    };
    assert_eq!(left(&lab), [200_000, 1_000_000, 1_000_000], "of the last nobody knows how it is attacked");
    // What is named is covered, also where nobody knows.
    record(&mut lab, against(&["CVE-2026-3"], &[], on(&assets), until)).unwrap();
    assert_eq!(left(&lab), [200_000, 1_000_000, 200_000]);
    lab.sound();
}

#[test]
fn of_several_controls_the_strongest_counts_and_none_against_an_attack_that_was_seen() {
    let (mut lab, assets) = exposed(&[("CVE-2026-1", Some(REMOTE))]);
    let whole = removes(&lab);
    let until = lab.now.plus_days(30);
    for leaves in [500_000, 100_000, 300_000] {
        let leaves = Probability::from_ppm(leaves).unwrap();
        let request = ControlRequest { leaves, ..against(&["CVE-2026-1"], &[], on(&assets), until) };
        record(&mut lab, request).unwrap();
    }
    assert_eq!(removes(&lab), whole / 10);
    assert_eq!(weighed(&lab)[0].control.as_ref().unwrap().source, "head of shop, ctl_2");
    lab.must(Command::EndControl { control: ControlId::new(2), by: person(), why: "off".to_owned() });
    assert_eq!(removes(&lab), whole * 3 / 10);
    let detection = Detection {
        vulnerability: id("CVE-2026-1"),
        asset: Some(assets[0]),
        zone: None,
        kind: DetectionKind::Attack,
        seen: lab.now,
        what: "exploit in a header".to_owned(),
        reference: None,
        sensor: "edr".to_owned(),
        by: person(),
    };
    lab.must(Command::ReportDetection { detection: Box::new(detection) });
    lab.sound();
    let first = &weighed(&lab)[0];
    assert_eq!((first.factors.controls, first.assets, first.control.as_ref()), (1_000_000, 1, None));
}

#[test]
fn a_control_stays_with_its_assets_whatever_else_is_told_of_them() {
    let (mut lab, assets) = exposed(&[("CVE-2026-1", Some(REMOTE))]);
    let whole = removes(&lab);
    let until = lab.now.plus_days(30);
    record(&mut lab, against(&["CVE-2026-1"], &[], on(&assets), until)).unwrap();
    let openssl = component("libssl3", "openssl", OLD);
    let curl = component("curl", "curl", "7.88.1-10");
    lab.report(assets[0], inventory(vec![openssl.clone(), curl], vec![security_offer(&openssl, NEW)]));
    // One that enrols later is not meant.
    let late = lab.enrol("d", "web");
    lab.report(late, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
    let restored = lab.sound();
    assert_eq!(removes(&lab), whole / 5 + whole / 3);
    let before = |world: &World| world.controls_before(world.asset(&assets[0]).unwrap()).count();
    assert_eq!((before(&lab.world), before(&restored)), (1, 1));
}

#[test]
fn a_control_says_what_it_stands_against_where_and_how_much_of_it() {
    use RefusalCode::{BadContent, UnknownAsset, UnknownControl};
    let (mut lab, assets) = exposed(&[("CVE-2026-1", Some(REMOTE))]);
    let now = lab.now;
    let good = || against(&["CVE-2026-1"], &[], on(&assets), now.plus_days(30));
    let leaves = |ppm| Probability::from_ppm(ppm).unwrap();
    let group = |name: &str| ControlScope::Group(name.parse().unwrap());
    let cases = [
        (ControlRequest { what: " ".to_owned(), ..good() }, BadContent),
        (ControlRequest { until: now, ..good() }, BadContent),
        (ControlRequest { until: now.plus_days(MAX_CONTROL_DAYS + 1), ..good() }, BadContent),
        (ControlRequest { leaves: leaves(9_999), ..good() }, BadContent),
        (ControlRequest { leaves: leaves(990_001), ..good() }, BadContent),
        (ControlRequest { vulnerabilities: BTreeSet::new(), ..good() }, BadContent),
        (against(&[], AttackVector::ALL, on(&assets), now.plus_days(30)), BadContent),
        (ControlRequest { scope: on(&[]), ..good() }, UnknownAsset),
        (ControlRequest { scope: group("nobody"), ..good() }, UnknownAsset),
        (ControlRequest { scope: ControlScope::Zone("nowhere".parse().unwrap()), ..good() }, UnknownAsset),
        (ControlRequest { scope: on(&[AssetId::of_public_key(b"nobody")]), ..good() }, UnknownAsset),
    ];
    for (request, code) in cases {
        assert_eq!(record(&mut lab, request.clone()), Err(code), "{request:?}");
    }
    let mut end = |id, why: &str| {
        let command = Command::EndControl { control: ControlId::new(id), by: person(), why: why.to_owned() };
        lab.run(command).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(end(1, "never recorded"), Err(UnknownControl));
    record(&mut lab, good()).unwrap();
    let mut end = |id, why: &str| {
        let command = Command::EndControl { control: ControlId::new(id), by: person(), why: why.to_owned() };
        lab.run(command).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(end(1, ""), Err(BadContent));
    assert_eq!(end(1, "off"), Ok(()));
    assert_eq!(end(1, "twice"), Err(UnknownControl));
}

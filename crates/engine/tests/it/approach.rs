//! How far attackers get, as it is told to the record, ranks: where they get to counts more, where they do not counts less.

use std::collections::BTreeSet;

use tenon_engine::{Part, Weighed, why};
use tenon_model::{
    AssetId, Command, DirectiveId, Event, IntelDelta, Listener, Probability, Refusal, RefusalCode,
    RehearsalOutcome, Stage, SystemExposure,
};

use crate::generator::assessed;
use crate::lab::{Lab, advisory, component, inventory, person, security_offer};
use crate::terrain::{ZONES, list, listener, state, take_over};

/// A host that is offered fixes of its packages, and listens so.
fn host(lab: &mut Lab, name: &str, packages: &[&str], at: &str, listens: Vec<Listener>) -> AssetId {
    let asset = lab.enrol(name, "all");
    report(lab, asset, packages, "1.0-1", at, listens);
    asset
}

fn report(lab: &mut Lab, asset: AssetId, packages: &[&str], version: &str, at: &str, listens: Vec<Listener>) {
    let components: Vec<_> = packages.iter().map(|package| component(package, package, version)).collect();
    let old = components.iter().filter(|component| component.version != "1.0-2");
    let offers = old.map(|component| security_offer(component, "1.0-2")).collect();
    let mut inventory = inventory(components, offers);
    inventory.facts.listeners = listens;
    inventory.facts.addresses = vec![at.parse().unwrap()];
    lab.report(asset, inventory);
}

/// A web server that the Internet reaches, by a vulnerability that CISA lists, and a database behind it.
fn estate() -> (Lab, [AssetId; 2]) {
    let mut lab = Lab::new();
    lab.publish(vec![
        advisory("DSA-1-1", &["CVE-2026-1"], "nginx", Some("1.0-2")),
        advisory("DSA-2-1", &["CVE-2026-2"], "postgresql", Some("1.0-2")),
    ]);
    let web = host(&mut lab, "web1", &["nginx"], "203.0.113.5", vec![listener("0.0.0.0", 443, "nginx")]);
    let listens = vec![listener("10.0.0.5", 5432, "postgresql")];
    let db = host(&mut lab, "db1", &["postgresql"], "10.0.0.5", listens);
    list(&mut lab, "CVE-2026-1");
    take_over(&mut lab, ZONES);
    (lab, [web, db])
}

/// The directive about a package.
fn about(lab: &Lab, package: &str) -> DirectiveId {
    let mut open = lab.world.directives().filter(|(_, state)| state.closed.is_none());
    *open.find(|(_, state)| state.source().name == package).unwrap().0
}

/// The factors of its only vulnerability on its assets; they add up to what it removes.
fn factors(lab: &Lab, package: &str) -> Vec<Weighed> {
    let id = about(lab, package);
    let factors = why(&lab.world, &id).unwrap().factors;
    let sum: u64 = factors.iter().map(|one| one.factors.loss() * one.assets).sum();
    assert_eq!(sum, lab.world.directive(&id).unwrap().directive.priority.removes.0, "{package}");
    factors
}

/// How likely attackers get to a package on its only asset, in parts per million.
fn reach(lab: &Lab, package: &str) -> u64 {
    let factors = factors(lab, package);
    let [one] = factors.as_slice() else { panic!("{factors:?}") };
    one.factors.reach
}

fn assess(lab: &mut Lab) -> Vec<Event> {
    lab.must(assessed(&lab.world))
}

#[test]
fn what_is_fixed_in_front_makes_what_lies_behind_less_urgent() {
    let (mut lab, [web, _]) = estate();
    assert_eq!(reach(&lab, "postgresql"), 500_000, "nothing is told yet: its exposure is controlled");
    let events = assess(&mut lab);
    let Event::ReachAssessed { zones: 3, most: Some(most), .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((most.zone.as_str(), most.before, most.now), ("dmz", None, Probability::ONE));
    // Whoever takes the web server, which is listed in KEV, may talk to the database.
    assert_eq!((reach(&lab, "nginx"), reach(&lab, "postgresql")), (1_000_000, 1_000_000));
    let told = &factors(&lab, "postgresql")[0].reach[1];
    assert_eq!(
        told.fact,
        "attackers get to postgresql with at most 100.00%, into zone inside with at most 0.05% within 30 days; likeliest way in: \
         CVE-2026-2 in postgresql, from dmz"
    );
    assert_eq!(
        told.source,
        "zones and flows of context version 1, with what listens and is vulnerable there"
    );
    let urgent = lab.world.directive(&about(&lab, "postgresql")).unwrap().directive.priority.removes;

    let database = about(&lab, "postgresql");
    let listens = vec![listener("0.0.0.0", 443, "nginx")];
    report(&mut lab, web, &["nginx"], "1.0-2", "203.0.113.5", listens);
    assert_eq!(reach(&lab, "postgresql"), 1_000_000, "nothing else is told yet");
    let events = assess(&mut lab);
    let moved = |event: &Event| matches!(event, Event::DirectiveChanged { id, .. } if *id == database);
    assert!(events.iter().any(moved), "{events:?}");
    assert_eq!(reach(&lab, "postgresql"), 1_000, "nobody gets there, by what is stated: maps miss ways");
    let told = &factors(&lab, "postgresql")[0].reach[1];
    assert_eq!(told.fact, "attackers get into zone inside with at most 0.00% within 30 days, before 0.05%");
    let calm = lab.world.directive(&database).unwrap().directive.priority.removes;
    assert_eq!(calm.0, urgent.0 / 1_000);
    lab.sound();
}

#[test]
fn a_policy_asks_how_attackers_get_there_and_is_asked_anew_when_that_moves() {
    let (mut lab, [web, db]) = estate();
    let text = "version: 1\nrules:\n  - {name: far, when: asset.reach_ppm < 100000, approval: automatic}\n  \
                - {name: near, approval: {people: 1}}\n";
    lab.must(Command::SetPolicy { text: text.to_owned(), compared: 0, by: person() });
    lab.promote(lab.world.asset(&db).unwrap().group.clone().as_str());
    lab.rehearsed(db, RehearsalOutcome::Passed);
    let database = about(&lab, "postgresql");
    let waits = |lab: &Lab| matches!(lab.stage(database, db), Stage::AwaitingApproval { .. });
    assert!(waits(&lab), "nobody can tell yet: {:?}", lab.stage(database, db));
    assess(&mut lab);
    assert!(waits(&lab), "the database is reached over the web server");
    report(&mut lab, web, &["nginx"], "1.0-2", "203.0.113.5", vec![listener("0.0.0.0", 443, "nginx")]);
    assert!(waits(&lab), "nothing else is told yet");
    let events = assess(&mut lab);
    let by_rule = |event: &Event| matches!(event, Event::ApprovedByPolicy { rule, .. } if rule == "far");
    assert!(events.iter().any(by_rule), "{events:?}");
    lab.sound();
}

/// What has begun on a host goes on to its end there, though the host is not offered it any more.
#[test]
fn a_policy_is_asked_anew_also_where_a_host_does_not_want_it_any_more() {
    let (mut lab, [web, db]) = estate();
    let text = "version: 1\nrules:\n  - {name: far, when: asset.reach_ppm < 100000, approval: automatic}\n  \
                - {name: near, approval: {people: 1}}\n";
    lab.must(Command::SetPolicy { text: text.to_owned(), compared: 0, by: person() });
    lab.promote("all");
    // It rehearses, and its repository takes the offer back.
    let mut without = inventory(vec![component("postgresql", "postgresql", "1.0-1")], Vec::new());
    without.facts.listeners = vec![listener("10.0.0.5", 5432, "postgresql")];
    without.facts.addresses = vec!["10.0.0.5".parse().unwrap()];
    lab.report(db, without);
    lab.rehearsed(db, RehearsalOutcome::Passed);
    assess(&mut lab);
    report(&mut lab, web, &["nginx"], "1.0-2", "203.0.113.5", vec![listener("0.0.0.0", 443, "nginx")]);
    let events = assess(&mut lab);
    let by_rule = |event: &Event| matches!(event, Event::ApprovedByPolicy { rule, .. } if rule == "far");
    assert!(events.iter().any(by_rule), "{events:?}");
    lab.sound();
}

#[test]
fn the_same_is_told_once() {
    let (mut lab, _) = estate();
    assess(&mut lab);
    let refused: Refusal = lab.run(assessed(&lab.world)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::NothingToDo);
}

#[test]
fn a_difference_below_a_hundredth_is_not_told() {
    let (mut lab, _) = estate();
    let score = |lab: &mut Lab, ppm| {
        let scores = vec![("CVE-2026-2".parse().unwrap(), Probability::from_ppm(ppm).unwrap())];
        let delta = IntelDelta::Epss { model: "v1".to_owned(), scored: lab.now, scores, dropped: Vec::new() };
        lab.must(Command::ChangeIntel { delta, as_of: None });
    };
    score(&mut lab, 100_000);
    assess(&mut lab);
    score(&mut lab, 100_900);
    assert!(lab.run(assessed(&lab.world)).is_err());
    score(&mut lab, 101_100);
    let events = assess(&mut lab);
    assert!(matches!(events[0], Event::ReachAssessed { zones: 1, .. }), "{events:?}");
}

#[test]
fn where_a_package_listens_decides_who_gets_to_it() {
    let mut lab = Lab::new();
    let fixed = Some("1.0-2");
    let packages = ["nginx", "redis", "openssl", "exim4", "openssh"];
    for (number, package) in (1..).zip(packages) {
        lab.publish(vec![advisory(
            &format!("DSA-{number}-1"),
            &[&format!("CVE-2026-{number}")],
            package,
            fixed,
        )]);
    }
    let listens = vec![
        listener("0.0.0.0", 443, "nginx"),
        listener("127.0.0.1", 6379, "redis"),
        listener("0.0.0.0", 25, "exim4"),
    ];
    host(&mut lab, "web1", &packages, "203.0.113.5", listens);
    take_over(&mut lab, ZONES);
    assess(&mut lab);
    // Nobody scores any of these: nginx takes the zone with what is assumed.
    assert_eq!(reach(&lab, "nginx"), 1_000_000, "the Internet talks to it");
    assert_eq!(reach(&lab, "redis"), 1_000, "on loopback alone, so only from the host");
    assert_eq!(reach(&lab, "exim4"), 1_000, "no flow leads to this port");
    assert_eq!(reach(&lab, "openssl"), 1_000_000, "it may be a part of what does listen");
    state(&mut lab, "CVE-2026-3", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H");
    assert_eq!(reach(&lab, "openssl"), 200_000, "a foothold comes first");
    state(&mut lab, "CVE-2026-4", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H");
    assert_eq!(
        reach(&lab, "exim4"),
        1_000_000,
        "what people open comes in by itself, and the host is exposed"
    );
    lab.sound();
}

#[test]
fn an_unknown_counts_in_full() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "nginx", Some("1.0-2"))]);
    host(&mut lab, "web1", &["nginx"], "203.0.113.5", Vec::new());
    take_over(&mut lab, ZONES);
    assess(&mut lab);
    assert_eq!(
        reach(&lab, "nginx"),
        1_000_000,
        "nobody knows what listens there, and flows lead into its zone"
    );
    // A flow that nobody looked at yet comes from a zone of which is known who is there.
    let open = ZONES.replace(
        "  - { from: dmz",
        "  - { from: dmz, to: internet }\n  - { from: inside, to: dmz }\n  - { from: dmz",
    );
    take_over(
        &mut lab,
        &open.replace("from: internet, to: dmz, protocol: tcp", "from: inside, to: dmz, protocol: tcp"),
    );
    assert_eq!(reach(&lab, "nginx"), 1_000, "nobody is inside, as told");
    // Zones without a place where attacks begin tell nothing.
    take_over(&mut lab, "zones: { dmz: { networks: [203.0.113.0/24] } }\n");
    let before = reach(&lab, "nginx");
    let Command::AssessReach { delta } = assessed(&lab.world) else { panic!() };
    assert_eq!((delta.zones.len(), delta.gone.len()), (0, 3));
    lab.must(Command::AssessReach { delta });
    assert_eq!(reach(&lab, "nginx"), before);
    lab.sound();
}

#[test]
fn what_somebody_confirms_or_suffers_is_reached() {
    let (mut lab, [_, db]) = estate();
    assess(&mut lab);
    let asset = lab.world.asset(&db).unwrap().id;
    let mut context = lab.world.asset(&db).unwrap().context;
    context.exposure = Some(SystemExposure::Open);
    lab.must(Command::SetContext { asset, context, by: person() });
    let weighed = factors(&lab, "postgresql");
    assert_eq!(weighed[0].factors.reach, 1_000_000);
    assert!(weighed[0].reach[1].fact.contains("exposure open"), "{weighed:?}");
}

#[test]
fn hosts_that_stand_elsewhere_are_weighed_apart_and_add_up() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1", "CVE-2026-2"], "nginx", Some("1.0-2"))]);
    for (name, at, port) in [
        ("web1", "203.0.113.5", 443),
        ("web2", "203.0.113.6", 8443),
        ("db1", "10.0.0.5", 5432),
        ("db2", "10.0.0.6", 5432),
    ] {
        host(&mut lab, name, &["nginx"], at, vec![listener(at, port, "nginx")]);
    }
    list(&mut lab, "CVE-2026-1");
    take_over(&mut lab, ZONES);
    assess(&mut lab);
    let weighed = factors(&lab, "nginx");
    let told: Vec<_> =
        weighed.iter().map(|one| (one.vulnerability.as_str(), one.factors.reach, one.assets)).collect();
    // KEV takes web1 for certain; from there all others are reached. Of two zones each is told with its own reason.
    let (first, second) = (("CVE-2026-1", 1_000_000, 2), ("CVE-2026-2", 1_000_000, 2));
    assert_eq!(told, [first, first, second, second], "{weighed:?}");
    let delta = IntelDelta::Kev { listed: Vec::new(), retracted: vec!["CVE-2026-1".parse().unwrap()] };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    assess(&mut lab);
    let weighed = factors(&lab, "nginx");
    let reaches: BTreeSet<u64> = weighed.iter().map(|one| one.factors.reach).collect();
    // The Internet talks to web1 alone; who takes it may talk to the databases, and nothing leads to web2.
    assert_eq!(reaches, BTreeSet::from([1_000_000, 1_001, 1_000]), "{weighed:?}");
    // What parts lose adds up to what all lose.
    let lost = |zone: &str| {
        let assets = lab.world.assets_of_part(&Part::Zone(zone.parse().unwrap()));
        (assets.len(), lab.world.expected_loss(&assets).removes.0)
    };
    let ((two, dmz), (others, inside)) = (lost("dmz"), lost("inside"));
    let all = lab.world.directive(&about(&lab, "nginx")).unwrap().directive.priority.removes.0;
    assert_eq!((two, others, dmz + inside), (2, 2, all));
    assert!(dmz > 100 * inside && inside > 0, "{dmz} {inside}");
    assert_eq!(lost("internet"), (0, 0));
    lab.sound();
}

//! What people state about the estate, what the inventory tells, and that both move the queue with the reason named.

use tenon_engine::{Source, preview, unstated, why};
use tenon_model::{
    AssetContext, AssetId, Command, Event, HumanImpact, Listener, Priority, Protocol, RefusalCode,
    SystemExposure,
};

use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u1";
const NEW: &str = "3.0.17-1~deb12u2";

fn take_over(lab: &mut Lab, text: &str) -> Vec<Event> {
    let document = tenon_formats::context::parse(text.as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
    let compared = lab.world.context().map_or(0, |known| known.version);
    lab.must(Command::TakeOverContext { document, compared, by: person() })
}

fn listener(address: &str, port: u16) -> Listener {
    let address = address.parse().unwrap();
    Listener { protocol: Protocol::Tcp, address, port, process: None, unit: None, package: None }
}

/// Reports one package that a published advisory is about, and what listens.
fn report(lab: &mut Lab, asset: AssetId, listeners: Vec<Listener>, addresses: &[&str]) -> Vec<Event> {
    let openssl = component("libssl3", "openssl", OLD);
    let mut inventory = inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]);
    inventory.facts.listeners = listeners;
    inventory.facts.addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    lab.report(asset, inventory)
}

/// One host that is offered a fix.
fn one() -> (Lab, AssetId) {
    let mut lab = Lab::new();
    let asset = lab.enrol("db-1", "data");
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    report(&mut lab, asset, Vec::new(), &[]);
    (lab, asset)
}

fn priority(lab: &Lab) -> Priority {
    lab.open_directive().1.directive.priority.clone()
}

fn reasons(lab: &Lab) -> Vec<String> {
    priority(lab).because.iter().map(|basis| format!("{} ({})", basis.fact, basis.source)).collect()
}

fn exposure(lab: &Lab, asset: AssetId) -> Option<(SystemExposure, Source)> {
    let said = lab.world.effective(lab.world.asset(&asset).unwrap());
    said.exposure.map(|known| (known.value, known.source))
}

const ESTATE: &str = "\
services:
  shop: { criticality: medium, sensitivity: internal, depends_on: [orders] }
  orders: {}
rules:
  - when: { host: 'db-*' }
    set: { services: [orders] }
";

#[test]
fn raising_sensitivity_then_criticality_of_a_service_ranks_anew_and_names_the_reason() {
    let (mut lab, _) = one();
    take_over(&mut lab, ESTATE);
    let before = priority(&lab);
    assert!(
        reasons(&lab).contains(
            &"human impact medium, from criticality medium (context version 1, service shop)".to_owned()
        ),
        "{:?}",
        reasons(&lab)
    );

    // Only the sensitivity, of a service that depends on what the host carries.
    let restricted = ESTATE.replace("sensitivity: internal", "sensitivity: restricted");
    let events = take_over(&mut lab, &restricted);
    assert!(events.iter().any(|event| matches!(event, Event::DirectiveChanged { .. })), "{events:?}");
    let more = priority(&lab);
    assert!(more.removes > before.removes, "{:?} {:?}", more.removes, before.removes);
    assert!(reasons(&lab).contains(&"sensitivity restricted (context version 2, service shop)".to_owned()));

    // Then only the criticality.
    take_over(&mut lab, &restricted.replace("criticality: medium", "criticality: critical"));
    let most = priority(&lab);
    assert!(most.removes > more.removes, "{:?} {:?}", most.removes, more.removes);
    let named = "human impact very high, from criticality critical (context version 3, service shop)";
    assert!(reasons(&lab).contains(&named.to_owned()), "{:?}", reasons(&lab));
    let (directive, _) = lab.open_directive();
    let weighed = &why(&lab.world, &directive).unwrap().factors[0];
    assert!(
        weighed.impact.fact.contains("criticality critical; sensitivity restricted"),
        "{:?}",
        weighed.impact
    );
    assert_eq!(lab.replayed().digest().unwrap(), lab.world.digest().unwrap());
}

#[test]
fn of_each_field_the_first_that_says_something_counts() {
    let (mut lab, asset) = one();
    let document = "\
assets: { DB-1: { sensitivity: public } }
rules:
  - when: { host: 'web-*' }
    set: { criticality: critical }
  - when: { package: 'libssl*', group: data }
    set: { criticality: high, tags: [tls] }
  - when: { group: d* }
    set: { criticality: low, sensitivity: restricted, tags: [data] }
  - when: { listens: 5432 }
    set: { exposure: small }
defaults: { environment: production, exposure: controlled, tags: [all] }
";
    take_over(&mut lab, document);
    let said = |lab: &Lab| lab.world.effective(lab.world.asset(&asset).unwrap());
    let fields: Vec<String> = said(&lab)
        .fields()
        .into_iter()
        .map(|(field, value, source)| match source {
            Some(source) => format!("{field} {value}: {source}"),
            None => format!("{field} {value}"),
        })
        .collect();
    assert_eq!(
        fields,
        [
            "environment production: context version 1, defaults",
            "sensitivity public: context version 1, the asset's entry",
            "criticality high: context version 1, rule 2",
            "exposure controlled: context version 1, defaults",
            "tags all, data, tls",
        ]
    );
    // What it listens on fulfils a rule; what a person says by hand comes before everything.
    report(&mut lab, asset, vec![listener("0.0.0.0", 5432)], &["10.0.0.1"]);
    assert_eq!(exposure(&lab, asset), Some((SystemExposure::Small, Source::Rule { number: 4, version: 1 })));
    let context = AssetContext { exposure: Some(SystemExposure::Open), ..AssetContext::default() };
    lab.must(Command::SetContext { asset, context, by: person() });
    assert_eq!(exposure(&lab, asset), Some((SystemExposure::Open, Source::ByHand)));
    // A later document that says the same elsewhere leaves the versions of what stays.
    take_over(&mut lab, &document.replace("environment: production", "environment: test"));
    assert_eq!(said(&lab).criticality.unwrap().source, Source::Rule { number: 2, version: 1 });
    assert_eq!(said(&lab).environment.unwrap().source, Source::Default { version: 2 });
}

#[test]
fn without_any_context_listeners_and_addresses_tell_the_internet_from_inside() {
    let (mut lab, asset) = one();
    assert_eq!(exposure(&lab, asset), None);
    let unknown = priority(&lab);
    let cases: [(&str, &[&str], Option<SystemExposure>); 7] = [
        ("127.0.0.1", &["203.0.113.7"], Some(SystemExposure::Small)),
        ("0.0.0.0", &[], None),
        ("0.0.0.0", &["10.0.0.7"], Some(SystemExposure::Controlled)),
        ("::", &["10.0.0.7", "203.0.113.7"], Some(SystemExposure::Open)),
        ("10.0.0.7", &["10.0.0.7", "203.0.113.7"], Some(SystemExposure::Controlled)),
        ("2001:db8::7", &[], Some(SystemExposure::Open)),
        ("100.64.0.1", &["100.64.0.1"], Some(SystemExposure::Controlled)),
    ];
    for (address, addresses, expected) in cases {
        report(&mut lab, asset, vec![listener(address, 22)], addresses);
        let found = exposure(&lab, asset);
        assert_eq!(found.as_ref().map(|(value, _)| *value), expected, "{address} {addresses:?}");
        assert!(found.is_none_or(|(_, source)| source == Source::Listeners));
    }
    // A report alone ranks anew; what is derived is shown as an assumption.
    report(&mut lab, asset, vec![listener("0.0.0.0", 443)], &["203.0.113.7"]);
    let open = priority(&lab);
    report(&mut lab, asset, vec![listener("0.0.0.0", 443)], &["10.0.0.7"]);
    let inside = priority(&lab);
    assert!(open.removes > inside.removes && open.removes == unknown.removes);
    assert!(open.decision.assumed.contains(&"exposure open".to_owned()), "{:?}", open.decision.assumed);
    let input =
        open.decision.inputs.iter().find(|input| input.column.starts_with("Publicly Exposed")).unwrap();
    assert_eq!(
        (input.value.as_str(), input.basis.source.as_str()),
        ("yes", "derived from listeners and addresses")
    );
}

#[test]
fn zones_and_flows_tell_who_is_reached_from_the_internet() {
    let (mut lab, asset) = one();
    let document = "\
zones:
  internet: { entry: 1 }
  dmz: { networks: [203.0.113.0/24] }
  inside: { networks: [203.0.113.128/25, 10.0.0.0/8] }
flows:
  - { from: internet, to: dmz, protocol: tcp, ports: [443] }
";
    take_over(&mut lab, document);
    let zone_of = |lab: &mut Lab, port, address: &str| {
        report(lab, asset, vec![listener("0.0.0.0", port)], &[address]);
        let said = lab.world.effective(lab.world.asset(&asset).unwrap());
        (said.zone.map(|zone| zone.value.to_string()), exposure(lab, asset).map(|(value, _)| value))
    };
    let dmz = Some("dmz".to_owned());
    assert_eq!(zone_of(&mut lab, 443, "203.0.113.1"), (dmz.clone(), Some(SystemExposure::Open)));
    assert_eq!(zone_of(&mut lab, 22, "203.0.113.1"), (dmz, Some(SystemExposure::Controlled)));
    // The narrowest network counts, and no flow leads there.
    let inside = Some("inside".to_owned());
    assert_eq!(zone_of(&mut lab, 443, "203.0.113.200"), (inside, Some(SystemExposure::Controlled)));
}

#[test]
fn a_preview_tells_what_changes_for_whom_and_only_what_was_looked_at_is_replaced() {
    let (mut lab, asset) = one();
    take_over(&mut lab, ESTATE);
    let next = ESTATE.replace("criticality: medium", "criticality: high");
    let document = tenon_formats::context::parse(next.as_bytes()).unwrap();
    let seen = preview(&lab.world, &document);
    assert_eq!((seen.version, seen.assets), (1, 1));
    assert_eq!(seen.lines, ["~ service shop: criticality medium -> high"]);
    let effect = &seen.effects[0];
    assert_eq!((effect.field, effect.assets), ("criticality", 1));
    assert_eq!(effect.from.as_deref(), Some("medium (context version 1, service shop)"));
    assert_eq!(effect.to.as_deref(), Some("high (context version 2, service shop)"));
    assert_eq!(effect.named, [(asset, "db-1".to_owned())]);
    assert_eq!(seen.effects.len(), 1);

    let mut take = |document, compared| {
        let command = Command::TakeOverContext { document, compared, by: person() };
        lab.run(command).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(take(document.clone(), 0), Err(RefusalCode::EvidenceChanged));
    assert_eq!(take(document.clone(), 1), Ok(()));
    assert_eq!(take(document, 2), Err(RefusalCode::NothingToDo));
    let broken = serde_json::from_str(r#"{"assets":{"a":{"zone":"nowhere"}}}"#).unwrap();
    assert_eq!(take(broken, 2), Err(RefusalCode::BadContent));
}

#[test]
fn what_nobody_states_is_counted() {
    let mut lab = Lab::new();
    for name in ["db-1", "db-2", "web-1"] {
        let asset = lab.enrol(name, "all");
        report(&mut lab, asset, vec![listener("0.0.0.0", 443)], &["10.0.0.7"]);
    }
    take_over(
        &mut lab,
        "rules: [{ when: { host: 'db-*' }, set: { sensitivity: restricted } }]\ndefaults: { sensitivity: internal }\n",
    );
    let counts = unstated(&lab.world);
    let of = |field: &str| counts.iter().find(|count| count.field == field).unwrap();
    let sensitivity = of("sensitivity");
    assert_eq!((sensitivity.assets, sensitivity.by_default, sensitivity.of), (1, 1, 3));
    let exposure = of("exposure");
    assert_eq!((exposure.assets, exposure.derived), (3, 3));
    assert_eq!((of("criticality").assets, of("criticality").by_default), (3, 0));
}

#[test]
fn a_stated_human_impact_comes_before_a_criticality() {
    let (mut lab, asset) = one();
    take_over(&mut lab, "defaults: { human_impact: low, criticality: medium }\n");
    let said = || "human impact low".to_owned();
    let fact = |lab: &Lab| {
        let (directive, _) = lab.open_directive();
        why(&lab.world, &directive).unwrap().factors[0].impact.fact.clone()
    };
    assert_eq!(fact(&lab), said());
    // A stated criticality comes before a default.
    take_over(&mut lab, "assets: { db-1: { criticality: high } }\ndefaults: { human_impact: low }\n");
    assert_eq!(fact(&lab), "human impact high, from criticality high");
    let context = AssetContext { human_impact: Some(HumanImpact::Low), ..AssetContext::default() };
    lab.must(Command::SetContext { asset, context, by: person() });
    assert_eq!(fact(&lab), said());
}

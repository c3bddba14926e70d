//! The context document: read whole or refused with every place, compared, joined with a CMDB.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tenon_formats::context::{cmdb, parse};
use tenon_model::ContextDocument;
use tenon_model::context::{
    AssetKey, ContextDiff, Criticality, Environment, Glob, Labels, Network, Redundancy, Rule, Sensitivity,
    ServiceEntry, Zone,
};

const WHOLE: &str = include_str!("../../../fuzz/seeds/context/whole");

fn read(text: &str) -> ContextDocument {
    parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{:#?}", problems.listed()))
}

fn problems(text: &str) -> Vec<String> {
    parse(text.as_bytes()).unwrap_err().listed().iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_document_is_read_to_the_last_field() {
    let document = read(WHOLE);
    assert_eq!(document.zones.len(), 3);
    let inside = &document.zones[&"inside".parse().unwrap()];
    assert_eq!(inside.entry.unwrap().ppm(), 20_000);
    let shown: Vec<String> = document.flows.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["dmz -> inside tcp 5432", "inside -> inside any", "internet -> dmz tcp 80, 443, 8000-8100"]
    );
    let shop = &document.services[&"shop".parse().unwrap()];
    assert_eq!(
        (shop.criticality, shop.sensitivity),
        (Some(Criticality::High), Some(Sensitivity::Confidential))
    );
    let web1 = &document.assets[&"WEB1.example.org".parse().unwrap()];
    assert_eq!(web1.zone.as_ref().unwrap().as_str(), "dmz");
    assert_eq!(document.rules[0].when.to_string(), "host db-* and listens on tcp 5432");
    assert_eq!(document.rules[1].set.team.as_ref().unwrap().as_str(), "web");
    assert_eq!(document.defaults.environment, Some(Environment::Production));
    assert_eq!(read("").services.len(), 0);
}

#[test]
fn every_problem_is_told_with_line_and_column() {
    let text = "\
version: 1
zones:
  dmz: { networks: [10.0.0.1/8] }
  out side: {}
flows:
  - { from: internet, to: dmz, ports: [443, 99999] }
  - { to: dmz }
services:
  shop: { critically: high, sensitivity: secret }
rules:
  - when: { host: 'db-*' }
  - set: { team: data }
defaults: { services: [nothing] }
";
    let found = problems(text);
    let expected = [
        "line 3, column 21: \"10.0.0.1/8\" is not a network: bits below the prefix are set",
        "line 4, column 3: \"out side\" is not a zone's name",
        "line 6, column 45: \"99999\" is not a port or a range of ports",
        "line 7, column 5: a flow needs from and to",
        "line 9, column 11: \"critically\" is not known here; one of team, environment, sensitivity",
        "line 9, column 42: \"secret\" is none of public, internal, confidential, restricted",
        "line 11, column 5: a rule needs `when` with a condition and `set` with something to say",
        "line 12, column 5: a rule needs `when` with a condition",
        "line 6, column 13: zone internet is not defined",
        "line 12, column 18: team data is not defined",
        "line 13, column 24: service nothing is not defined",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\nis not\n{expected}");
    }
}

#[test]
fn what_yaml_can_do_and_a_reviewed_file_should_not_is_refused() {
    for (text, reason) in [
        ("zones: &a { x: {} }\n", "line 1, column 8: anchors and tags"),
        ("zones: !!map { x: {} }\n", "anchors and tags"),
        ("zones:\n  a: {}\n  a: {}\n", "line 3, column 3: \"a\" is there already, in line 2, column 3"),
        ("assets:\n  Web1: {}\n  web1: {}\n", "line 3, column 3: \"web1\" is there already"),
        ("zones: {}\n---\nzones: {}\n", "one document is read"),
        ("? [a]\n: b\n", "a key is one text"),
        ("zones: [\n", "not YAML"),
        ("version: 2\n", "line 1, column 10: this program reads version 1"),
        ("- zones\n", "a mapping is expected"),
    ] {
        let found = problems(text);
        assert!(found[0].contains(reason), "{text:?}: {found:?}");
    }
    assert!(problems(&"[".repeat(200))[0].contains("nested deeper"));
    let not_text = parse(b"zones:\n  \xff: {}\n").unwrap_err();
    assert_eq!(not_text.listed()[0].to_string(), "line 2, column 1: not UTF-8");
}

#[test]
fn the_diff_reads_as_a_person_would_review_it() {
    let before = read(WHOLE);
    let after = WHOLE
        .replace("criticality: high", "criticality: critical")
        .replace("  - { from: inside, to: inside }\n", "")
        .replace("set: { team: web }", "set: { team: data }")
        .replace("minimum: 2", "minimum: 3")
        .replace("sensitivity: internal, ", "");
    let diff = ContextDiff::between(&before, &read(&after));
    assert_eq!(
        diff.lines(),
        [
            "- flow inside -> inside any",
            "~ service shop: criticality high -> critical",
            "~ redundancy group shop-web: minimum 2 -> 3",
            "~ rule 2 when group web and package nginx*: team web -> data",
            "~ defaults: sensitivity internal -> none",
        ]
    );
    assert_eq!(diff.apply(&read("")).unwrap_err().section, "flow");
}

#[test]
fn a_glob_matches_the_whole_name() {
    for (glob, name, matches) in [
        ("db-*", "db-1", true),
        ("db-*", "DB-", true),
        ("db-*", "mydb-1", false),
        ("*db*", "mydb-1", true),
        ("web?", "web12", false),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("*", "", true),
        ("?", "", false),
    ] {
        assert_eq!(glob.parse::<Glob>().unwrap().matches(name), matches, "{glob} {name}");
    }
    // A pattern made to be slow is not.
    let glob: Glob = "*a".repeat(100).parse().unwrap();
    assert!(!glob.matches(&"a".repeat(99)) && glob.matches(&"a".repeat(5_000)));
}

#[test]
fn networks_hold_the_addresses_of_their_prefix() {
    let holds =
        |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
    assert!(holds("10.1.0.0/16", "10.1.255.1") && !holds("10.1.0.0/16", "10.2.0.1"));
    assert!(holds("0.0.0.0/0", "192.0.2.1") && !holds("0.0.0.0/0", "2001:db8::1"));
    assert!(holds("2001:db8::/32", "2001:db8:1::1") && holds("192.0.2.1", "::ffff:192.0.2.1"));
    for wrong in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.1/8", ""] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}

#[test]
fn rows_of_a_cmdb_are_taken_one_by_one() {
    let document = read("zones: { dmz: {} }\nassets:\n  web1: { team: edge }\nteams: { edge: {} }\n");
    let rows = "\u{feff}Name,Support group,Business criticality,Services,Zone,Serial\n\
                WEB1,Web Team,1 - most critical,\"shop, search\",dmz,123\n\
                db1,data,9,orders,cellar,124\n\
                ,x,,,,\n\
                web1,x,,,,\n\
                short,x\n\
                db2,,low,,,\n";
    let cmdb = cmdb::join(rows.as_bytes(), &BTreeMap::new(), &document).unwrap();
    let web1 = &cmdb.document.assets[&"web1".parse::<AssetKey>().unwrap()];
    assert_eq!(web1.team.as_ref().unwrap().as_str(), "edge", "what the file says stays");
    assert_eq!((web1.criticality, web1.services.len()), (Some(Criticality::Critical), 2));
    let db1 = &cmdb.document.assets[&"db1".parse::<AssetKey>().unwrap()];
    assert_eq!(db1.fields(), [("team", "data".to_owned()), ("services", "orders".to_owned())]);
    assert_eq!((cmdb.rows, cmdb.assets), (6, 3));
    let unknown: Vec<&str> =
        cmdb.columns.iter().filter(|(_, field)| field.is_none()).map(|(header, _)| header.as_str()).collect();
    assert_eq!(unknown, ["Serial"]);
    let problems: Vec<String> = cmdb.problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "line 3, Business criticality: \"9\" is none of low, medium, high, critical",
            "line 3, Zone: zone cellar is not defined in the context file",
            "line 4: no host is named",
            "line 5: web1 is in line 2 already: the first counts",
            "line 6: 2 values under 6 columns",
        ]
    );
}

#[test]
fn headers_can_be_said_to_mean_a_field() {
    let document = ContextDocument::default();
    let rows = b"u_ci;u_tier\nweb1;high\n";
    assert!(cmdb::join(rows, &BTreeMap::new(), &document).is_err(), "no column is known to hold hosts");
    let means = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(header, field)| ((*header).to_owned(), (*field).to_owned())).collect()
    };
    let said = means(&[("U_CI", "host"), ("u_tier", "criticality")]);
    let joined = cmdb::join(rows, &said, &document).unwrap();
    assert_eq!(joined.document.assets.values().next().unwrap().criticality, Some(Criticality::High));
    let wrong = cmdb::join(rows, &means(&[("u_ci", "hostt")]), &document).unwrap_err();
    assert!(wrong.to_string().contains("hostt"), "{wrong}");
}

fn labels() -> impl Strategy<Value = Labels> {
    (
        prop::option::of(prop::sample::select(Sensitivity::ALL)),
        prop::option::of(prop::sample::select(Criticality::ALL)),
        prop::collection::btree_set("[a-c]", 0..3),
    )
        .prop_map(|(sensitivity, criticality, tags)| Labels {
            sensitivity,
            criticality,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            ..Labels::default()
        })
}

fn documents() -> impl Strategy<Value = ContextDocument> {
    let zones = prop::collection::btree_map("[a-d]", prop::option::of(0_u8..8), 0..4);
    let flows = prop::collection::vec((0_usize..4, 0_usize..4, 0_u16..5), 0..5);
    let services = prop::collection::btree_map("[a-d]", prop::option::of(0_usize..4), 0..4);
    let groups = prop::collection::btree_map("[a-c]", 0_u32..3, 0..3);
    let assets = prop::collection::btree_map("[a-f]", labels(), 0..5);
    let rules = prop::collection::vec(("[a-c]", labels()), 0..4);
    (zones, flows, services, groups, assets, rules, labels()).prop_map(
        |(zones, flows, services, groups, assets, rules, defaults)| {
            let zone = |network: Option<u8>| Zone {
                networks: network.iter().map(|byte| format!("10.{byte}.0.0/16").parse().unwrap()).collect(),
                entry: None,
            };
            let mut document = ContextDocument { defaults, ..ContextDocument::default() };
            document.zones =
                zones.into_iter().map(|(name, net)| (name.parse().unwrap(), zone(net))).collect();
            let names: Vec<_> = document.zones.keys().cloned().collect();
            let flow = |(from, to, port): (usize, usize, u16)| {
                Some(tenon_model::context::Flow {
                    from: names.get(from)?.clone(),
                    to: names.get(to)?.clone(),
                    protocol: tenon_model::context::FlowProtocol::Tcp,
                    ports: [port.to_string().parse().unwrap()].into(),
                })
            };
            document.flows = flows.into_iter().filter_map(flow).collect();
            let entry = |at: Option<usize>| ServiceEntry {
                criticality: at.map(|at| Criticality::ALL[at]),
                ..ServiceEntry::default()
            };
            document.services =
                services.into_iter().map(|(name, at)| (name.parse().unwrap(), entry(at))).collect();
            document.redundancy = groups
                .into_iter()
                .map(|(name, minimum)| (name.parse().unwrap(), Redundancy { minimum }))
                .collect();
            document.assets =
                assets.into_iter().map(|(name, labels)| (name.parse().unwrap(), labels)).collect();
            let rule = |(host, set): (String, Labels)| {
                let when = tenon_model::context::Condition { host: host.parse().ok(), ..Default::default() };
                Rule { when, set }
            };
            document.rules = rules.into_iter().map(rule).collect();
            document
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_diff_leads_from_one_document_to_the_other(before in documents(), after in documents()) {
        let diff = ContextDiff::between(&before, &after);
        prop_assert_eq!(&diff.apply(&before).unwrap(), &after);
        prop_assert_eq!(diff.is_empty(), before == after);
        prop_assert_eq!(diff.lines().is_empty(), before == after);
        // Back again, and of one document with itself there is none.
        prop_assert_eq!(ContextDiff::between(&after, &before).apply(&after).unwrap(), before);
        prop_assert!(ContextDiff::between(&after, &after).is_empty());
    }

    #[test]
    fn a_document_is_stored_as_it_is(document in documents()) {
        let stored = serde_json::to_vec(&document).unwrap();
        prop_assert_eq!(serde_json::from_slice::<ContextDocument>(&stored).unwrap(), document);
    }

    #[test]
    fn a_glob_matches_as_its_definition_says(glob in "[ab*?]{1,6}", name in "[ab]{0,6}") {
        fn defined(glob: &[u8], name: &[u8]) -> bool {
            match (glob.split_first(), name.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => {
                    (0..=name.len()).any(|taken| defined(rest, &name[taken..]))
                }
                (Some((b'?', rest)), Some((_, others))) => defined(rest, others),
                (Some((byte, rest)), Some((other, others))) => byte == other && defined(rest, others),
                _ => false,
            }
        }
        let expected = defined(glob.as_bytes(), name.as_bytes());
        prop_assert_eq!(glob.parse::<Glob>().unwrap().matches(&name), expected);
    }
}

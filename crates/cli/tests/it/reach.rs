//! How far an attacker gets, as the command line tells it of an estate that is played.

use tenon_server::{AssetReachView, DirectiveReachView, ReachView};

use crate::played::Played;

#[test]
fn how_far_an_attacker_gets_is_told_with_the_way_and_what_closing_a_flow_saves() {
    let data = tempfile::tempdir().unwrap();
    let played = Played::begin(data.path());
    played.at_rest();
    let told = played.get::<ReachView>("reach");
    assert!(!told.assumed);
    assert_eq!((told.unplaced, told.zones_in_all), (0, 5));
    let stores = told.zones.iter().find(|zone| zone.name == "stores").unwrap();
    assert_eq!(stores.path.len(), 3, "{:?}", stores.path);
    let shown = played.ok(&["reach", "show"]);
    assert!(shown.contains("internet: 0 assets, attacks begin here (100 %)"), "{shown}");
    let last = &stores.path[2];
    let step = format!("inside -> stores: {} in {} (tcp 5432) on ", last.vulnerability, last.package);
    assert!(shown.contains(&step), "{shown}");
    assert!(shown.contains("flows that most depends on, in risk points at most"), "{shown}");

    let closed = played.ok(&["reach", "show", "--close", "internet:front"]);
    assert!(closed.contains("closing internet -> front\n    without internet -> front "), "{closed}");
    let within = played.ok(&["reach", "show", "--from", "office"]);
    assert!(within.starts_with("As if an attacker were in office for certain.\n"), "{within}");

    // Of what is directed, something is worth doing, and nothing makes it worse.
    let directives: Vec<DirectiveReachView> =
        (1..=3).map(|n| played.get(&format!("directives/dir_{n}/reach"))).collect();
    assert!(
        directives.iter().all(|view| view.loses == told.loses && !view.zones.is_empty()),
        "{directives:?}"
    );
    assert!(directives.iter().any(|view| view.saves != "0.0"), "{directives:?}");
    let done = played.ok(&["reach", "directive", "dir_1"]);
    let first = format!(
        "doing dir_1 on all of its assets leaves {} of {} risk points, ",
        directives[0].loses_after, told.loses
    );
    assert!(done.starts_with(&first), "{done}");

    let one = played.ok(&["reach", "asset", "db-01a.demo.example"]);
    assert!(one.starts_with("db-01a.demo.example in stores: an attacker is in the zone with "), "{one}");
    assert!(one.contains(&step), "{one}");
    let from_there = one.lines().find(|line| line.contains("once an attacker is on it, at most ")).unwrap();
    assert!(from_there.contains(" risk points are lost: ") && from_there.contains("stores "), "{from_there}");
    // What is exploited last is explained there, by itself and with the way.
    let why = played.ok(&["why", &last.vulnerability, "--asset", &last.host]);
    assert!(why.starts_with(&format!("{} on {}: {} ", last.vulnerability, last.host, last.package)), "{why}");
    for part in [
        "  decision  ",
        "  removes   ",
        " risk points = threat ",
        "  way       an attacker is in stores with ",
        "    delivered at tcp 5432 with ",
    ] {
        assert!(why.contains(part), "{part:?} in {why}");
    }
    let json = played.ok(&["--format", "json", "why", &last.vulnerability, "--asset", &last.host]);
    let explained: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(explained["why"]["hostname"], last.host.as_str());

    let json = played.ok(&["--format", "json", "reach", "asset", "db-01a.demo.example"]);
    let one: AssetReachView = serde_json::from_str(&json).unwrap();
    assert_eq!(one.zone.as_deref(), Some("stores"));
    assert_eq!(one.path, stores.path);

    let refused = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["reach", "show", "--from", "nowhere"]).contains("there is no zone \"nowhere\""));
    assert!(
        refused(&["reach", "show", "--close", "front"]).contains("a flow is two zones, as in dmz:inside")
    );
    let absent = refused(&["why", "CVE-1999-0001", "--asset", &last.host]);
    assert!(absent.contains("CVE-1999-0001 is not open on "), "{absent}");
    assert!(refused(&["reach", "asset", "nobody"]).contains("no host is called \"nobody\""));
}

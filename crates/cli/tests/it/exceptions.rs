//! A risk is accepted for a group of a played estate, listed, and taken back.

use tenon_server::{AssetDetail, AssetsPage, ExceptionsView, LogPage, VulnerabilityView};

use crate::played::Played;

const ABOUT: &str = "DEMO-2026-4471";

#[test]
fn an_accepted_risk_is_off_the_queue_and_on_record_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor.
    played.part(6);
    let view = || played.get::<VulnerabilityView>(&format!("vulnerabilities/{ABOUT}"));
    let before = view();
    let (group, hosts) = before.groups.iter().next().map(|(group, hosts)| (group.clone(), *hosts)).unwrap();
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(played.ok(&["exception", "list"]), "no risk is accepted\n");
    let grant = ["exception", "grant", ABOUT, "--until", "2026-07-15", "--why", "the vendor certifies late"];
    assert!(fails(&grant).contains("--control"));
    let grant = [&grant[..], &["--control", "no route from outside"]].concat();
    assert!(fails(&grant).contains("--assets <HOSTS>"));
    assert!(fails(&[&grant[..], &["--assets", "nobody"]].concat()).contains("no host is called \"nobody\""));
    let late = grant.iter().map(|word| if *word == "2026-07-15" { "2028-01-01" } else { word });
    let late: Vec<&str> = late.chain(["--group", &group]).collect();
    assert!(fails(&late).contains("within 366 days"), "{}", fails(&late));
    assert_eq!(view(), before, "nothing was accepted");

    let open_here = || played.ok(&["vulnerabilities", "--search", ABOUT]);
    let (counted, line) =
        open_here().trim_end().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(counted.contains(" open: ") && counted.contains(" exploited somewhere, "), "{counted}");
    assert!(line.starts_with(ABOUT) && line.contains(&format!(" {} hosts  ", before.open)), "{line}");
    let said = played.ok(&[&grant[..], &["--group", &group, "--owner", "head of shop"]].concat());
    assert!(said.starts_with(&format!("exc_1: the risk of {ABOUT} is accepted on ")), "{said}");
    assert!(said.contains(" until 2026-07-15 (entry "), "a day lasts to its end: {said}");
    let now = view();
    assert_eq!((now.open, now.accepted), (before.open - hosts, hosts));
    assert!(!now.groups.contains_key(&group), "{:?}", now.groups);
    let listed = played.ok(&["exception", "list"]);
    for part in [
        "head of shop answers for it; granted by ",
        "against it: no route from outside",
        "because: the vendor certifies late",
    ] {
        assert!(listed.contains(part), "{part} in {listed}");
    }
    // In the list of what is open it stood with these hosts, which were all that had it.
    assert_eq!(now.open, 0);
    assert!(open_here().ends_with("None of them is like that.\n"), "{}", open_here());
    let told = played.ok(&["vulnerability", ABOUT]);
    assert!(told.contains(&format!("its risk is accepted on {hosts} more")), "{told}");
    assert!(told.contains("exc_1 until 2026-07-15, head of shop answers for it"), "{told}");
    // On the host itself it is there, and counted as neither open nor not affected.
    let assets = played.get::<AssetsPage>(&format!("assets?limit=500&group={group}"));
    let details = assets.items.iter().map(|asset| played.get::<AssetDetail>(&format!("assets/{}", asset.id)));
    let accepted: Vec<_> = details.flat_map(|detail| detail.accepted).collect();
    assert_eq!(accepted.len() as u64, hosts);
    assert!(accepted.iter().all(|one| one.finding.vulnerability == ABOUT && one.exception == "exc_1"));

    let shown = played.ok(&[
        "show",
        &assets
            .items
            .iter()
            .find(|asset| !played.get::<AssetDetail>(&format!("assets/{}", asset.id)).accepted.is_empty())
            .unwrap()
            .id,
    ]);
    assert!(
        shown.contains("there, and accepted until 2026-07-15 (exc_1); head of shop answers for it"),
        "{shown}"
    );

    assert!(fails(&["exception", "end", "exc_9", "--why", "no such"]).contains("unknown-exception"));
    played.ok(&["exception", "end", "exc_1", "--why", "the route is open"]);
    let after = view();
    assert_eq!((after.open, after.accepted, &after.groups), (before.open, 0, &before.groups));
    assert_eq!(played.ok(&["exception", "list"]), "no risk is accepted\n");
    let all = played.get::<ExceptionsView>("exceptions?state=all");
    assert_eq!((all.total, all.items[0].state.as_str()), (1, "revoked"));
    assert!(played.ok(&["exception", "list", "--state", "ended"]).contains("the route is open"));
    // The record tells both, also when it is asked for what concerns one of the hosts.
    let asset = &assets.items.iter().find(|asset| {
        played
            .get::<AssetDetail>(&format!("assets/{}", asset.id))
            .open
            .iter()
            .any(|one| one.vulnerability == ABOUT)
    });
    for about in [format!("vulnerability={ABOUT}"), format!("asset={}", asset.unwrap().id)] {
        let log = played.get::<LogPage>(&format!("log?limit=500&kind=exception&{about}"));
        let kinds: Vec<&str> = log.items.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["exception-ended", "exception-granted"], "{about}");
    }
    played.end();
}

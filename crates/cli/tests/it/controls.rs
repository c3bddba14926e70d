//! What stands against attacks is recorded for a group of a played estate, explained, and ended.

use tenon_server::{AssetDetail, AssetsPage, ControlsView, LogPage, VulnerabilityView, WhyView};

use crate::played::Played;

const ABOUT: &str = "DEMO-2026-4471";

#[test]
fn a_control_lowers_what_is_expected_to_be_lost_and_is_explained_wherever_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor.
    played.part(6);
    let view = || played.get::<VulnerabilityView>(&format!("vulnerabilities/{ABOUT}"));
    let before = view();
    let (group, hosts) = before.groups.iter().next().map(|(group, hosts)| (group.clone(), *hosts)).unwrap();
    let directive = before.directives.first().unwrap().clone();
    let why = || played.get::<WhyView>(&format!("directives/{directive}/why"));
    let points = |why: &WhyView| {
        let of = why.factors.iter().filter(|factor| factor.vulnerability == ABOUT);
        of.map(|factor| factor.points.parse::<f64>().unwrap()).sum::<f64>()
    };
    let whole = points(&why());
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(played.ok(&["control", "list"]).starts_with("no control is recorded"));
    let add = ["control", "add", "--kind", "waf-rule", "--until", "2026-07-15", "--what", "rule 941, tried"];
    assert!(fails(&add).contains("--leaves"));
    let add = [&add[..], &["--leaves", "10%"]].concat();
    assert!(fails(&[&add[..], &["--group", &group]].concat()).contains("--against"));
    let every = ["--group", &group, "--vector", "network,adjacent,local,physical"];
    assert!(fails(&[&add[..], &every].concat()).contains("nothing stands against everything"));
    let none = add.iter().map(|word| if *word == "10%" { "0%" } else { word });
    let none: Vec<&str> = none.chain(["--group", &group, "--against", ABOUT]).collect();
    assert!(fails(&none).contains("no share from 1% to 99%"));
    assert!(played.ok(&["control", "list", "--state", "all"]).starts_with("no control is recorded"));

    let said =
        played.ok(&[&add[..], &["--group", &group, "--against", ABOUT, "--owner", "head of shop"]].concat());
    assert!(said.starts_with(&format!("ctl_1: a waf-rule lets 10% of {ABOUT} through to ")), "{said}");
    assert!(said.contains(" until 2026-07-15 (entry "), "a day lasts to its end: {said}");
    let now = why();
    assert!((points(&now) - whole / 10.0).abs() < 0.001, "{} of {whole}", points(&now));
    let told = played.ok(&["why", &directive]);
    assert!(told.contains("threat x reach x impact x controls, summed"), "{told}");
    assert!(
        told.contains("control   a control (waf-rule) lets 10.00% of attacks through, until 2026-07-15"),
        "{told}"
    );
    let told = played.ok(&["vulnerability", ABOUT]);
    assert!(told.contains("against it ctl_1: a waf-rule lets 10%"), "{told}");
    let after = view();
    assert_eq!((after.open, after.controls.len()), (before.open, 1), "what is open stays open");
    let assets = played.get::<AssetsPage>(&format!("assets?limit=500&group={group}"));
    let details = assets.items.iter().map(|asset| played.get::<AssetDetail>(&format!("assets/{}", asset.id)));
    let controlled = details.filter(|detail| detail.controls.iter().any(|control| control.id == "ctl_1"));
    assert!(controlled.count() as u64 >= hosts);

    let said = played.ok(&["control", "end", "ctl_1", "--why", "the WAF is gone"]);
    assert!(said.starts_with("ctl_1 has ended"), "{said}");
    assert!(fails(&["control", "end", "ctl_1", "--why", "twice"]).contains("unknown or has ended"));
    assert!((points(&why()) - whole).abs() < 0.001);
    let listed = played.ok(&["control", "list", "--state", "all", "--vulnerability", ABOUT]);
    for part in ["rule 941, tried", "head of shop answers for it", "ended by ", "the WAF is gone"] {
        assert!(listed.contains(part), "{part} in {listed}");
    }
    let json: ControlsView =
        serde_json::from_str(&played.ok(&["--format", "json", "control", "list", "--state", "ended"]))
            .unwrap();
    assert_eq!((json.total, json.items[0].state.as_str()), (1, "withdrawn"));
    let log = played.get::<LogPage>(&format!("log?vulnerability={ABOUT}&limit=500"));
    let kinds: Vec<&str> = log.items.iter().map(|entry| entry.kind.as_str()).collect();
    assert!(kinds.contains(&"control-recorded") && kinds.contains(&"control-ended"), "{kinds:?}");
}

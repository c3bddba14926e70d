//! Version ranges against the specification's suites, and containment against the plain meaning of the constraints.

use proptest::prelude::*;
use serde_json::{Value, json};
use tenon_formats::vers::Vers;

use crate::shared::{json as read_json, shared};

fn constraints_of(vers: &Vers) -> Value {
    let constraints: Vec<Value> = vers
        .constraints()
        .iter()
        .map(|constraint| json!([constraint.comparator.as_str(), constraint.version]))
        .collect();
    json!({"scheme": vers.scheme(), "version_constraints": constraints})
}

#[test]
fn the_specifications_suites_pass() {
    let Some(folder) = shared("vers::the_specifications_suites_pass", "vectors/vers") else { return };
    let (mut cases, mut refused, mut files, mut violations) = (0, 0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().ends_with("_test.json") {
            continue;
        }
        files += 1;
        for case in read_json(&path)["tests"].as_array().unwrap() {
            cases += 1;
            let what = format!("{} {case}", path.display());
            let input = &case["input"];
            let recommended = case["test_group"] == "recommended";
            let read = match case["test_type"].as_str().unwrap() {
                "parse" => Vers::parse(input.as_str().unwrap()).map(|vers| constraints_of(&vers)),
                // Cases of the group "recommended" hold what has to be sorted first.
                "validate" => {
                    let parse = if recommended { Vers::canonicalise } else { Vers::parse };
                    parse(input.as_str().unwrap()).map(|vers| {
                        violations += u32::from(vers.violation().unwrap().is_some());
                        vers.to_string().into()
                    })
                }
                "containment" => Vers::parse(input["vers"].as_str().unwrap())
                    .and_then(|vers| vers.contains(input["version"].as_str().unwrap()))
                    .map(Value::from),
                other => panic!("unknown kind of test {other}"),
            };
            match case["expected_failure"].as_bool().unwrap_or_default() {
                true => {
                    let reason = read.expect_err(&what).to_string();
                    assert!(reason.ends_with(case["expected_message"].as_str().unwrap()), "{what}: {reason}");
                    refused += 1;
                }
                false => assert_eq!(read.expect(&what), case["expected_output"], "{what}"),
            }
        }
    }
    println!(
        "measured: vers suites: {cases} cases of {files} files pass, {refused} of them refusals with the suite's own \
         reason; {violations} ranges that the suite reads break clause 5.4 and are said to"
    );
    assert!(cases >= 32, "only {cases} cases");
}

fn holds(vers: &str, version: &str) -> bool {
    Vers::parse(vers).unwrap().contains(version).unwrap()
}

#[test]
fn containment_follows_the_specification() {
    for (vers, inside, outside) in [
        ("vers:deb/*", vec!["0", "1:2-3"], vec![]),
        ("vers:deb/1.0", vec!["1.0"], vec!["1.0-1", "0.9"]),
        ("vers:deb/!=1.0", vec!["0.9", "1.1"], vec!["1.0"]),
        ("vers:deb/>=2", vec!["2", "3", "1:0"], vec!["1.9"]),
        ("vers:deb/<2", vec!["1", "2~rc1"], vec!["2"]),
        ("vers:deb/<=2|>=4|<5", vec!["1", "2", "4", "4.9"], vec!["2.1", "3", "5", "6"]),
        ("vers:deb/>1|!=2|<3|7|>=9", vec!["1.5", "2.5", "7", "9", "10"], vec!["1", "2", "3", "8"]),
        // Redundant constraints mean what is left without them.
        ("vers:deb/>1|>=2|3|<4|<=5", vec!["1.5", "3", "5"], vec!["1", "5.1"]),
    ] {
        for version in inside {
            assert!(holds(vers, version), "{version} in {vers}");
        }
        for version in outside {
            assert!(!holds(vers, version), "{version} in {vers}");
        }
    }
    for (vers, inside, outside) in [
        ("vers:npm/>=1.0.0-rc.1|<2.0.0", "1.0.0", "1.0.0-beta"),
        ("vers:golang/<v1.2.3", "v1.2.3-0.20191109021931-daa7c04131f5", "v1.2.3"),
        ("vers:pypi/>1.0|<=2.0", "2.0.0", "1.0.0"),
        ("vers:rpm/<1:1.0-1.el9", "5.0-1.el9", "1:1.0-2.el9"),
        ("vers:alpine/>=1.2.3-r1", "1.2.3-r2", "1.2.3_rc1-r2"),
    ] {
        assert!(holds(vers, inside), "{inside} in {vers}");
        assert!(!holds(vers, outside), "{outside} in {vers}");
    }
    assert!(holds("vers:datetime/>=2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"));
}

#[test]
fn what_cannot_be_told_is_an_error() {
    assert!(Vers::parse("vers:unheard-of/>1|<2").unwrap().contains("1").is_err());
    assert!(Vers::canonicalise("vers:unheard-of/<2|>1").is_err());
    assert!(Vers::parse("vers:deb/>1").unwrap().contains("not a version").is_err());
    assert!(Vers::parse("vers:deb/>1|<1").unwrap().contains("1").is_err());
    assert!(Vers::parse("vers:deb/>1|<1").unwrap().violation().unwrap().is_some());
    for text in [
        "",
        "vers:",
        "vers:deb",
        "vers:deb/",
        "vers:deb/>",
        "vers:invalid/1",
        "vers:deb/*|1",
        "vers:deb/=1",
        "vers:deb/1\u{e9}",
    ] {
        assert!(Vers::parse(text).is_err(), "{text}");
    }
    assert!(Vers::parse(&format!("vers:deb/{}", vec!["1"; 5000].join("|"))).is_err());
    assert_eq!(Vers::canonicalise("vers:DEB/ < 3 | =2~rc1 |").unwrap().to_string(), "vers:deb/2~rc1|<3");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(vers:)?[a-z]{0,5}/?[<>=!|%0-9a-z.~*\\PC-]{0,60}") {
        if let Ok(vers) = Vers::parse(&text) {
            prop_assert_eq!(&vers.to_string(), &text);
        }
        if let Ok(vers) = Vers::canonicalise(&text) {
            prop_assert_eq!(Vers::parse(&vers.to_string()).map_err(|e| e.to_string()), Ok(vers));
        }
    }

    /// Over integers, a range of strictly ascending versions means exactly this: an excluded version is out, a named
    /// one is in, and any other lies inside if the nearest range constraint below opens or, where there is none, the
    /// nearest above closes.
    #[test]
    fn containment_is_what_the_neighbours_say(
        steps in proptest::collection::vec((1_u32..4, 0_usize..6), 1..8), tested in 0_u32..30,
    ) {
        const COMPARATORS: [&str; 6] = ["", "!=", "<", "<=", ">", ">="];
        let mut at = 0;
        let constraints: Vec<(u32, &str)> = steps.iter().map(|(step, which)| {
            at += step;
            (at, COMPARATORS[*which])
        }).collect();
        let text: Vec<String> = constraints.iter().map(|(version, sign)| format!("{sign}{version}")).collect();
        let vers = Vers::parse(&format!("vers:deb/{}", text.join("|"))).unwrap();
        if vers.violation().unwrap().is_none() {
            let here = constraints.iter().find(|(version, _)| *version == tested).map(|(_, sign)| *sign);
            let range = |sign: &str| matches!(sign, "<" | "<=" | ">" | ">=");
            let below = constraints.iter().rfind(|(version, sign)| *version < tested && range(sign));
            let above = constraints.iter().find(|(version, sign)| *version > tested && range(sign));
            let expected = match here {
                Some("" | "<=" | ">=") => true,
                Some("!=" | "<" | ">") => false,
                _ => match (below, above) {
                    (Some((_, sign)), _) => sign.starts_with('>'),
                    (None, Some((_, sign))) => sign.starts_with('<'),
                    (None, None) => constraints.iter().all(|(_, sign)| *sign == "!="),
                },
            };
            prop_assert_eq!(vers.contains(&tested.to_string()).map_err(|e| e.to_string()), Ok(expected), "{}", vers);
        }
    }
}

//! Package-urls against the specification's own suites.

use proptest::prelude::*;
use serde_json::Value;
use tenon_formats::purl::{Purl, PurlParts};

use crate::shared::{json, shared};

fn parts_of(purl: &Purl) -> Value {
    let qualifiers = match purl.qualifiers().is_empty() {
        true => Value::Null,
        false => serde_json::to_value(purl.qualifiers()).unwrap(),
    };
    serde_json::json!({
        "type": purl.kind(), "namespace": purl.namespace(), "name": purl.name(), "version": purl.version(),
        "qualifiers": qualifiers, "subpath": purl.subpath(),
    })
}

fn build(parts: &Value) -> Result<Purl, tenon_formats::FormatError> {
    let text = |key: &str| parts[key].as_str();
    let qualifiers: Vec<(&str, &str)> = parts["qualifiers"]
        .as_object()
        .map(|map| map.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect())
        .unwrap_or_default();
    Purl::build(PurlParts {
        kind: text("type").unwrap_or_default(),
        namespace: text("namespace"),
        name: text("name").unwrap_or_default(),
        version: text("version"),
        qualifiers: &qualifiers,
        subpath: text("subpath"),
    })
}

#[test]
fn the_specifications_suites_pass() {
    let Some(folder) = shared("the_specifications_suites_pass", "vectors/purl") else { return };
    let (mut cases, mut refused, mut files, mut contradictions) = (0, 0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().ends_with("-test.json") {
            continue;
        }
        files += 1;
        for case in json(&path)["tests"].as_array().unwrap() {
            let input = &case["input"];
            // Cases of the group "recommended" hold what is not quite standard. So does one of the group "required",
            // which contradicts another: maven-test.json wants an upper-case qualifier key read, rpm-test.json wants
            // one refused. The lenient reading does the one, the strict reading the other.
            let contradicts = input
                .as_str()
                .is_some_and(|text| text.starts_with("pkg:Maven/") && text.contains("repositorY_url"));
            let parse = match case["test_group"].as_str().unwrap() {
                "required" if !contradicts => Purl::parse,
                "required" => {
                    contradictions += 1;
                    assert!(Purl::parse(input.as_str().unwrap()).is_err());
                    Purl::parse_lenient
                }
                _ => Purl::parse_lenient,
            };
            let what = format!("{} {case}", path.display());
            let read = match case["test_type"].as_str().unwrap() {
                "parse" => parse(input.as_str().unwrap()).map(|purl| parts_of(&purl)),
                "validate" | "roundtrip" => {
                    parse(input.as_str().unwrap()).map(|purl| purl.to_string().into())
                }
                "build" => build(input).map(|purl| purl.to_string().into()),
                other => panic!("unknown kind of test {other}"),
            };
            match case["expected_failure"].as_bool().unwrap_or_default() {
                true => {
                    let reason = read.expect_err(&what).to_string();
                    assert!(reason.len() > 20, "{what}: {reason}");
                    refused += 1;
                }
                false => assert_eq!(read.expect(&what), case["expected_output"], "{what}"),
            }
            cases += 1;
        }
    }
    println!(
        "measured: purl suites: {cases} cases of {files} files pass, {refused} of them refusals, \
              {contradictions} that contradicts another by the lenient reading"
    );
    assert_eq!(contradictions, 1);
    assert!(cases >= 200, "only {cases} cases");
}

#[test]
fn rules_beyond_the_suites() {
    for (text, canonical) in [
        ("pkg:deb/Debian/OpenSSL@3.0.1-1?arch=amd64", "pkg:deb/debian/openssl@3.0.1-1?arch=amd64"),
        ("pkg:npm/@babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0"),
        ("pkg:generic/a@1?b=&c=d", "pkg:generic/a@1?c=d"),
        ("pkg:generic/a/./../b/c@1#x/../y", "pkg:generic/a/b/c@1#x/y"),
        ("pkg:generic/a%20b@1", "pkg:generic/a%20b@1"),
    ] {
        assert_eq!(Purl::parse(text).unwrap().to_string(), canonical, "{text}");
    }
    for text in [
        "pkg:generic/a%2",
        "pkg:generic/a%ff",
        "pkg:generic/a%00b",
        "pkg:generic/a%2Fb/c",
        "pkg:generic/a?b=1&b=2",
        "pkg:generic/a?b",
        "pkg:pypi/django/django",
        "pkg:deb/openssl@1",
        "pkg:conan/boost@1?channel=stable",
        "",
        "pkg:",
        "pkg:/",
    ] {
        assert!(Purl::parse(text).is_err(), "{text}");
    }
    assert!(Purl::parse(&format!("pkg:generic/{}", "a".repeat(5000))).is_err());
    assert!(Purl::parse_lenient("pkg:golang/stdlib@1.22.0").is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(pkg:)?[a-z/@?#&=%.:A-F0-9\\PC]{0,80}") {
        if let Ok(purl) = Purl::parse_lenient(&text) {
            let canonical = purl.to_string();
            prop_assert_eq!(Purl::parse_lenient(&canonical).map_err(|e| e.to_string()), Ok(purl), "{}", canonical);
        }
    }

    #[test]
    fn any_parts_survive_their_canonical_form(
        namespace in proptest::option::of("[^/\\p{Cc}]{1,12}(/[^/\\p{Cc}]{1,12})?"),
        name in "[^\\p{Cc}]{1,20}",
        version in proptest::option::of("[^\\p{Cc}]{1,20}"),
        value in "[^\\p{Cc}]{0,20}",
    ) {
        let qualifiers = [("arch", value.as_str())];
        let built = Purl::build(PurlParts {
            kind: "generic", namespace: namespace.as_deref(), name: &name, version: version.as_deref(),
            qualifiers: &qualifiers, subpath: None,
        });
        let purl = built.unwrap();
        prop_assert_eq!(Purl::parse(&purl.to_string()).map_err(|e| e.to_string()), Ok(purl));
    }
}

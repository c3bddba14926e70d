//! OSV records: examples in the shape of the schema, then every Debian record of the mirror.

use tenon_formats::FormatError;
use tenon_formats::osv::{parse, to_advisory};
use tenon_model::{Advisory, AffectedRange};

/// The advisory of a record whose only affected entry is this one, for `Debian:12`.
fn advisory(affected: &str) -> Result<Option<Advisory>, FormatError> {
    let record = format!(
        r#"{{"schema_version":"1.7.3","id":"DSA-1-1","modified":"2026-01-01T00:00:00Z",
            "upstream":["CVE-2026-0001"],"affected":[{affected}]}}"#
    );
    to_advisory(&parse(record.as_bytes())?, &["Debian:12"])
}

fn ranges(events: &str) -> Result<Vec<AffectedRange>, FormatError> {
    let entry = format!(
        r#"{{"package":{{"ecosystem":"Debian:12","name":"glibc"}},
            "ranges":[{{"type":"ECOSYSTEM","events":{events}}}]}}"#
    );
    Ok(advisory(&entry)?.map(|advisory| advisory.affected[0].ranges.clone()).unwrap_or_default())
}

fn range(introduced: Option<&str>, fixed: Option<&str>, last_affected: Option<&str>) -> AffectedRange {
    AffectedRange {
        introduced: introduced.map(str::to_owned),
        fixed: fixed.map(str::to_owned),
        last_affected: last_affected.map(str::to_owned),
    }
}

#[test]
fn event_lists_become_the_ranges_they_describe() {
    assert_eq!(
        ranges(r#"[{"introduced":"0"},{"fixed":"2.36-9+deb12u3"}]"#).unwrap(),
        [range(None, Some("2.36-9+deb12u3"), None)]
    );
    // Out of order, as the schema allows.
    assert_eq!(
        ranges(r#"[{"fixed":"3.0"},{"introduced":"0"},{"introduced":"2.0"},{"fixed":"1.0~rc1"}]"#).unwrap(),
        [range(None, Some("1.0~rc1"), None), range(Some("2.0"), Some("3.0"), None)]
    );
    assert_eq!(
        ranges(r#"[{"introduced":"1"},{"last_affected":"2"},{"introduced":"4"}]"#).unwrap(),
        [range(Some("1"), None, Some("2")), range(Some("4"), None, None)]
    );
    assert_eq!(ranges(r#"[{"introduced":"2"},{"fixed":"2"}]"#).unwrap(), []);
    assert_eq!(
        ranges(r#"[{"introduced":"0"},{"limit":"3"},{"limit":"2"}]"#).unwrap(),
        [range(None, Some("3"), None)]
    );
}

#[test]
fn each_kind_of_range_has_its_own_order() {
    let read = |ecosystem: &str, kind: &str, events: &str| {
        let record = format!(
            r#"{{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{{
                "package":{{"ecosystem":"{ecosystem}","name":"x"}},
                "ranges":[{{"type":"{kind}","events":{events}}}],"versions":["1.9","1.10"]}}]}}"#
        );
        let advisory = to_advisory(&parse(record.as_bytes()).unwrap(), &[ecosystem])?.unwrap();
        Ok::<_, FormatError>((advisory.affected[0].ranges.clone(), advisory.affected[0].versions.len()))
    };
    let events = r#"[{"fixed":"1.10"},{"introduced":"1.9"}]"#;
    let expected = vec![range(Some("1.9"), Some("1.10"), None)];
    assert_eq!(read("PyPI", "ECOSYSTEM", events).unwrap(), (expected.clone(), 1));
    assert_eq!(read("AlmaLinux:9", "ECOSYSTEM", events).unwrap(), (expected.clone(), 1));
    // Semantic versions whatever the ecosystem; an ecosystem without an order needs its events in theirs.
    assert_eq!(read("Bitnami", "SEMVER", events).unwrap(), (expected, 1));
    assert!(read("Bitnami", "ECOSYSTEM", events).is_err());
    assert!(read("Bitnami", "SEMVER", r#"[{"introduced":"0"},{"fixed":"2020.04.23"}]"#).is_err());
}

#[test]
fn events_that_cannot_be_read_exactly_are_refused() {
    for events in [r#"[{"fixed":"1"}]"#, r#"[{"introduced":"0"},{"fixed":"not a version"}]"#] {
        assert!(matches!(ranges(events), Err(FormatError::Range { .. })), "{events}");
    }
    assert!(matches!(ranges(r#"[{"introduced":"0"},{"mended":"1"}]"#), Err(FormatError::Field { .. })));
}

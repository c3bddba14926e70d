//! OpenVEX documents in the shape of the specification's examples.

use proptest::prelude::*;
use tenon_formats::openvex::{Justification, OpenVex, Status, parse};

use crate::mutate::mutated;

const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://openvex.dev/docs/example/vex-1",
  "author":"Wolfi J Inkinson","role":"Document Creator","timestamp":"2023-01-09T09:08:42.123456789-06:00","version":1,
  "statements":[
    {"timestamp":"2023-01-08T18:02:03-06:00","vulnerability":{"name":"CVE-2023-12345","aliases":["GHSA-x"]},
     "products":[{"@id":"pkg:apk/wolfi/git@2.39.0-r1?arch=armv7"},
       {"identifiers":{"purl":"pkg:apk/wolfi/curl","cpe23":"cpe:2.3:a:haxx:curl:*"},
        "hashes":{"sha-256":"402FA523"},"subcomponents":[{"@id":"pkg:apk/wolfi/libcurl"}]}],
     "status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
    {"vulnerability":{"name":"CVE-2023-12345"},"products":[{"@id":"https://example.org/product"}],
     "status":"affected","action_statement":"Update\nnow"},
    {"vulnerability":{"name":"CVE-2023-2"},"products":[{"@id":"urn:x"}],"status":"fixed"},
    {"vulnerability":{"name":"CVE-2023-3"},"products":[{"@id":"urn:x"}],"status":"under_investigation"}]}"#;

fn changed(from: &str, to: &str) -> OpenVex {
    assert!(VEX.contains(from), "{from}");
    parse(VEX.replacen(from, to, 1).as_bytes()).unwrap()
}

#[test]
fn a_document_is_read_whole() {
    let vex = parse(VEX.as_bytes()).unwrap();
    assert!(vex.problems.is_empty(), "{:?}", vex.problems);
    assert_eq!((vex.author.as_str(), vex.version), ("Wolfi J Inkinson", Some(1)));
    let statuses: Vec<Status> = vex.statements.iter().map(|statement| statement.status).collect();
    assert_eq!(statuses, [Status::NotAffected, Status::Affected, Status::Fixed, Status::UnderInvestigation]);
    let first = &vex.statements[0];
    assert_eq!(first.justification, Some(Justification::VulnerableCodeNotInExecutePath));
    // Its own time, and for the next one that of the document.
    assert_eq!(first.made.to_string(), "2023-01-09T00:02:03Z");
    assert_eq!(Some(vex.statements[1].made), vex.issued);
    assert_eq!(first.products[0].component.purl.as_ref().unwrap().name(), "git");
    let curl = &first.products[1];
    assert_eq!(curl.component.hashes, [("sha-256".to_owned(), "402fa523".to_owned())]);
    assert_eq!(curl.subcomponents[0].purl.as_ref().unwrap().name(), "libcurl");
    assert_eq!(vex.statements[1].action.as_deref(), Some("Update now"));
}

#[test]
fn a_statement_that_is_not_whole_says_nothing() {
    for (from, to, field) in [
        ("\"not_affected\"", "\"harmless\"", "status"),
        ("\"vulnerable_code_not_in_execute_path\"", "\"trust us\"", "justification"),
        (",\"justification\":\"vulnerable_code_not_in_execute_path\"", "", "justification"),
        ("\"2023-01-08T18:02:03-06:00\"", "\"2023-01-08\"", "timestamp"),
        ("{\"name\":\"CVE-2023-12345\",\"aliases\":[\"GHSA-x\"]}", "\"CVE-2023-12345\"", "vulnerability"),
    ] {
        let vex = changed(from, to);
        assert_eq!(vex.statements.len(), 3, "{to}");
        assert!(vex.problems.listed()[0].reason.contains(field), "{to}: {:?}", vex.problems);
        assert_eq!(vex.problems.listed()[0].place, "statements[0]");
    }
    // Nor does a product without its part: it would come to mean the whole product.
    for (from, to) in [
        ("\"pkg:apk/wolfi/libcurl\"", "7"),
        ("\"pkg:apk/wolfi/libcurl\"", "\"pkg:apk\""),
        ("{\"@id\":\"pkg:apk/wolfi/libcurl\"}", "{}"),
        ("\"402FA523\"", "\"not hexadecimal\""),
    ] {
        let vex = changed(from, to);
        assert_eq!(vex.statements[0].products.len(), 1, "{to}");
        assert!(!vex.problems.is_empty(), "{to}");
    }
    assert_eq!(changed("[{\"@id\":\"urn:x\"}]", "[{}]").statements.len(), 3);
    assert_eq!(changed("\"products\":[{\"@id\":\"urn:x\"}],", "").statements.len(), 3);
    // An affected statement is kept without its advice; a document without its time leaves nothing to inherit.
    let vex = changed(",\"action_statement\":\"Update\\nnow\"", "");
    assert_eq!((vex.statements.len(), vex.problems.total()), (4, 1));
    assert_eq!(changed("\"timestamp\":\"2023-01-09T09:08:42.123456789-06:00\",", "").statements.len(), 1);
}

#[test]
fn what_is_no_openvex_document_is_refused() {
    for (from, to) in [
        ("https://openvex.dev/ns/v0.2.0", "https://openvex.dev/ns/v9"),
        ("https://openvex.dev/ns/v0.2.0", "https://example.org"),
        ("\"author\":\"Wolfi J Inkinson\",", ""),
        ("\"https://openvex.dev/docs/example/vex-1\"", "7"),
    ] {
        let refused = parse(VEX.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("expected"), "{refused}");
    }
    assert!(parse(b"[]").is_err());
    assert!(parse(VEX.replacen("\"Document Creator\"", &"[".repeat(500), 1).as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_damaged_document_is_read_or_refused(bytes in mutated(VEX)) {
        let _ = parse(&bytes);
    }
}

#[test]
fn claims_are_never_wider_than_what_is_stated() {
    let claims = |statements: serde_json::Value| {
        let text = serde_json::json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Example",
            "timestamp": "2026-11-20T00:00:00Z", "version": 1, "statements": statements,
        });
        tenon_formats::openvex::parse(text.to_string().as_bytes()).unwrap().claims()
    };
    let statement = |status: &str, purl: &str, at: &str| {
        serde_json::json!({
            "vulnerability": { "name": "CVE-2026-1" }, "products": [{ "@id": purl }], "status": status,
            "timestamp": at, "justification": "vulnerable_code_not_present", "action_statement": "update",
        })
    };
    let (early, late) = ("2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z");
    let one = |purl: &str| claims(serde_json::json!([statement("not_affected", purl, early)]));
    let narrow = one("pkg:deb/debian/openssl@3.0?arch=arm64&distro=debian-13").statements.remove(0);
    assert_eq!(
        (narrow.release.as_deref(), narrow.architecture.as_deref()),
        (Some("Debian:13"), Some("arm64"))
    );
    let source = one("pkg:deb/debian/openssl?arch=source").statements.remove(0);
    assert_eq!(source.subject, tenon_model::VexSubject::Source);
    assert_eq!(one("pkg:deb/debian/openssl").statements[0].subject, tenon_model::VexSubject::Binary);
    // What would be lost is left out.
    for purl in ["pkg:deb/debian/openssl?distro=bookworm", "pkg:npm/a?vcs_url=x", "pkg:npm/a#sub"] {
        let found = one(purl);
        assert_eq!((found.statements.len(), found.left_out), (0, 1), "{purl}");
    }
    let fixed = claims(serde_json::json!([statement("fixed", "pkg:deb/debian/openssl", early)]));
    assert_eq!((fixed.statements.len(), fixed.left_out), (0, 1));
    // A later word about one version takes back an earlier one about all.
    let taken_back = claims(serde_json::json!([
        statement("not_affected", "pkg:deb/debian/openssl", early),
        statement("affected", "pkg:deb/debian/openssl@3.0.9-1?repository_url=x", late),
    ]));
    assert!(taken_back.statements.is_empty());
    let earlier = claims(serde_json::json!([
        statement("affected", "pkg:deb/debian/openssl", early),
        statement("not_affected", "pkg:deb/debian/openssl", late),
    ]));
    assert_eq!(earlier.statements.len(), 1);
}

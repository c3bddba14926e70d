//! CycloneDX documents against the specification's own test corpus, and what is read from one.

use std::io::Read as _;

use proptest::prelude::*;
use tenon_formats::cyclonedx::{
    AffectedStatus, AnalysisState, ComponentKind, Justification, Scope, SpecVersion, VersionsOf, parse,
    parse_conforming,
};

use crate::mutate::mutated;
use crate::shared::shared;

/// The regular files of a tar archive (POSIX ustar), by base name.
fn tar_files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut at = 0;
    while at + 512 <= bytes.len() && bytes[at] != 0 {
        let header = &bytes[at..at + 512];
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[range]).trim_end_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(text(124..136).trim(), 8).unwrap();
        if header[156] == b'0' || header[156] == 0 {
            let name = text(0..100).rsplit('/').next().unwrap().to_owned();
            files.push((name, bytes[at + 512..at + 512 + size].to_vec()));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files
}

#[test]
fn the_specifications_corpus_is_told_apart() {
    let Some(path) = shared("the_specifications_corpus_is_told_apart", "vectors/sbom/cyclonedx-1.5.tar.gz")
    else {
        return;
    };
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    let (mut valid, mut invalid, mut xml, mut components, mut vulnerabilities) = (0, 0, 0, 0, 0);
    for (name, bytes) in tar_files(&bytes) {
        if name.ends_with(".xml") {
            xml += 1;
        } else if name.starts_with("valid-") {
            let bom = parse_conforming(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            valid += 1;
            components += bom.components.len();
            vulnerabilities += bom.vulnerabilities.len();
        } else if name.starts_with("invalid-") {
            let reason = parse_conforming(&bytes).expect_err(&name).to_string();
            println!("refused: {name}: {reason}");
            invalid += 1;
        }
    }
    println!(
        "measured: cyclonedx 1.5 corpus: {valid} valid JSON documents read ({components} components, \
         {vulnerabilities} vulnerabilities), {invalid} invalid ones refused; {xml} XML documents out of scope"
    );
    assert_eq!((valid, invalid, xml), (36, 22, 62));
}

const BOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":3,
  "serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  "metadata":{"timestamp":"2026-01-02T03:04:05+01:00",
    "component":{"type":"operating-system","name":"debian","version":"12",
      "components":[{"type":"library","name":"in-the-subject"}]},
    "tools":{"components":[{"type":"application","name":"a tool"}]}},
  "components":[
    {"type":"library","bom-ref":"a","name":"libssl3","version":"3.0.1-1","scope":"required","x-new":{"y":1},
     "purl":"pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&distro=debian-12","cpe":"cpe:2.3:a:openssl:openssl:*",
     "licenses":[{"license":{"id":"Apache-2.0"}}],
     "hashes":[{"alg":"MD5","content":"3942447fac867ae5cdb3229b658f4d48"}],
     "properties":[{"name":"src","value":"openssl"},{"name":"src","value":"3.0.1-1"}],
     "pedigree":{"ancestors":[{"type":"library","name":"not a part"}]},
     "components":[{"type":"file","name":"/lib/x.so","bom-ref":"b"}]}],
  "dependencies":[{"ref":"a","dependsOn":["b"]}],
  "vulnerabilities":[{"id":"CVE-2026-0001","source":{"name":"NVD"},"cwes":[79],"published":"2026-01-01T00:00:00Z",
     "ratings":[{"source":{"name":"NVD"},"method":"CVSSv31","vector":"CVSS:3.1/AV:N","severity":"high"}],
     "analysis":{"state":"not_affected","justification":"code_not_reachable","response":["update"]},
     "affects":[{"ref":"a","versions":[{"version":"1"},{"range":"vers:deb/<2","status":"unaffected"}]}]}]}"#;

#[test]
fn a_document_is_read() {
    let bom = parse_conforming(BOM.as_bytes()).unwrap();
    assert_eq!((bom.spec, bom.revision), (SpecVersion::V1_6, 3));
    assert_eq!(bom.created.unwrap().to_string(), "2026-01-02T02:04:05Z");
    assert_eq!(bom.describes.as_ref().unwrap().kind, Some(ComponentKind::OperatingSystem));
    let names: Vec<(&str, Option<usize>)> =
        bom.components.iter().map(|component| (component.name.as_str(), component.inside)).collect();
    assert_eq!(names, [("in-the-subject", None), ("libssl3", None), ("/lib/x.so", Some(1))]);
    let ssl = &bom.components[1];
    assert_eq!(ssl.purl.as_ref().unwrap().qualifiers()["distro"], "debian-12");
    assert_eq!((ssl.scope, ssl.properties.len()), (Some(Scope::Required), 2));
    assert_eq!((bom.dependencies[0].of.as_str(), bom.dependencies[0].on.len()), ("a", 1));
    let said = &bom.vulnerabilities[0];
    let analysis = said.analysis.as_ref().unwrap();
    assert_eq!(analysis.state, Some(AnalysisState::NotAffected));
    assert_eq!(analysis.justification, Some(Justification::CodeNotReachable));
    assert_eq!(said.affects[0].versions[0].status, AffectedStatus::Affected);
    assert_eq!(said.affects[0].versions[1].versions, VersionsOf::Range("vers:deb/<2".to_owned()));
    assert_eq!(said.ratings[0].vector.as_deref(), Some("CVSS:3.1/AV:N"));
}

#[test]
fn one_bad_field_is_a_problem_and_the_rest_is_read() {
    for (from, to, place, field) in [
        ("\"scope\":\"required\"", "\"scope\":\"foo\"", "components[0]", "scope"),
        ("pkg:deb/debian/libssl3@", "deb/debian/libssl3@", "components[0]", "purl"),
        ("\"Apache-2.0\"", "\"Apache-2\"", "components[0].licenses[0].license", "SPDX"),
        ("\"file\"", "\"filing\"", "components[0].components[0]", "type"),
        ("\"version\":\"3.0.1-1\"", "\"version\":3", "components[0]", "version"),
        ("\"bom-ref\":\"b\"", "\"bom-ref\":\"a\"", "components[0].components[0]", "once"),
        ("\"not a part\"", "null", "components[0].pedigree.ancestors[0]", "name"),
        ("\"not_affected\"", "\"fine\"", "vulnerabilities[0].analysis", "state"),
        ("\"unaffected\"", "\"fine\"", "vulnerabilities[0].affects[0].versions[1]", "status"),
        ("\"2026-01-01T00:00:00Z\"", "\"2026-01-01\"", "vulnerabilities[0]", "published"),
    ] {
        assert!(BOM.contains(from), "{from}");
        let document = BOM.replace(from, to);
        let bom = parse(document.as_bytes()).unwrap();
        let listed = bom.problems.listed();
        assert!(listed.iter().any(|p| p.place == place && p.reason.contains(field)), "{to}: {listed:?}");
        assert_eq!((bom.components.len(), bom.vulnerabilities.len()), (3, 1), "{to}");
        assert!(parse_conforming(document.as_bytes()).is_err());
        if field == "status" {
            // The entry must not come to speak of every version.
            assert_eq!(bom.vulnerabilities[0].affects, []);
        }
    }
}

#[test]
fn versions_of_the_specification_differ() {
    let bom = |spec: &str, component: &str| {
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"{spec}","components":[{{"name":"a",{component}}}]}}"#
        );
        parse_conforming(text.as_bytes()).map(drop).map_err(|error| error.to_string())
    };
    let asset = r#""type":"cryptographic-asset""#;
    let streebog =
        r#""type":"file","hashes":[{"alg":"Streebog-256","content":"3942447fac867ae5cdb3229b658f4d48"}]"#;
    let mixture = r#""type":"file","licenses":[{"license":{"id":"MIT"}},{"expression":"MIT OR ISC"}]"#;
    for (component, accepted) in [
        (asset, [false, false, true, true]),
        (streebog, [false, false, false, true]),
        (mixture, [true, false, false, true]),
        (r#""type":"file","properties":[{"value":"nameless"}]"#, [true, true, false, false]),
        (r#""type":"file","versionRange":"vers:deb/<2""#, [true, true, true, false]),
        (r#""type":"file","versionRange":"vers:deb/<2","isExternal":true"#, [true, true, true, true]),
        (r#""type":"file","bom-ref":"""#, [true, false, false, false]),
    ] {
        for (spec, accepted) in ["1.4", "1.5", "1.6", "1.7"].into_iter().zip(accepted) {
            assert_eq!(
                bom(spec, component).is_ok(),
                accepted,
                "{spec}: {component}: {:?}",
                bom(spec, component)
            );
        }
    }
    for spec in ["1.3", "1.8", "2.0", ""] {
        assert!(bom(spec, r#""type":"file""#).unwrap_err().contains("specVersion"), "{spec}");
    }
}

#[test]
fn depth_and_count_are_bounded() {
    let open = r#"{"type":"file","name":"a","components":["#;
    let nested = |depth: usize| {
        let (inner, outer) = (open.repeat(depth), "]}".repeat(depth));
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{inner}{outer}]}}"#)
    };
    assert_eq!(parse_conforming(nested(60).as_bytes()).unwrap().components.len(), 60);
    assert!(parse(nested(70).as_bytes()).unwrap_err().to_string().contains("recursion limit"));
    let many = vec![r#"{"type":"file","name":"a"}"#; 200_001].join(",");
    let many = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{many}]}}"#);
    assert!(parse(many.as_bytes()).unwrap_err().to_string().contains("more than 200000 components"));
    // A million problems deep inside are counted, not told: a hundred are.
    let wide = nested(60).replacen("[]}", &format!("[{}]}}", vec!["0"; 1_000_000].join(",")), 1);
    let bom = parse(wide.as_bytes()).unwrap();
    assert_eq!((bom.problems.total(), bom.problems.listed().len()), (1_000_000, 100));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_damaged_document_is_read_or_refused(bytes in mutated(BOM)) {
        let _ = parse(&bytes);
    }
}

fn bom(components: &serde_json::Value, vulnerabilities: &serde_json::Value) -> tenon_formats::cyclonedx::Bom {
    let text = serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "components": components, "vulnerabilities": vulnerabilities,
    });
    parse(text.to_string().as_bytes()).unwrap()
}

fn package(version: &str, purl: &str) -> serde_json::Value {
    serde_json::json!({ "type": "library", "bom-ref": purl, "name": "p", "version": version, "purl": purl })
}

#[test]
fn what_is_installed_is_named_as_advisories_name_it() {
    let system = serde_json::json!({ "type": "operating-system", "name": "debian", "version": "12.5" });
    let go = serde_json::json!({
        "type": "library", "name": "github.com/Azure/go-ntlmssp", "version": "v0.0.1",
        "purl": "pkg:golang/github.com/Azure/go-ntlmssp@v0.0.1",
    });
    let components = serde_json::json!([
        system,
        package(
            "6.1.170-1",
            "pkg:deb/debian/linux-image-6.1.0-44-amd64@6.1.170-1?upstream=linux-signed-amd64%406.1.170%2B1"
        ),
        package("9.2p1-2", "pkg:deb/debian/openssh-server@9.2p1-2?epoch=1&upstream=openssh"),
        package("0.40.0", "pkg:pypi/changedetection.io@0.40.0"),
        go,
        package("7.76.1-14.el9", "pkg:rpm/almalinux/curl@7.76.1-14.el9"),
        package("1.0", "pkg:deb/linuxmint/mint@1.0"),
        package("1", "pkg:conan/zlib@1"),
    ]);
    let installed = bom(&components, &serde_json::json!([])).installed();
    assert_eq!(installed.os.osv_ecosystem().as_deref(), Some("Debian:12"));
    let named: Vec<(&str, &str, Option<&str>)> = installed
        .components
        .iter()
        .map(|c| (c.source.name.as_str(), c.source.version.as_str(), c.ecosystem.as_deref()))
        .collect();
    assert_eq!(
        named,
        [
            ("linux", "6.1.170-1", None),
            ("openssh", "1:9.2p1-2", None),
            ("changedetection-io", "0.40.0", Some("PyPI")),
            ("github.com/Azure/go-ntlmssp", "0.0.1", Some("Go")),
        ]
    );
    let left_out: Vec<&str> = installed.left_out.keys().map(String::as_str).collect();
    assert_eq!(
        left_out,
        [
            "of the purl type conan, for which no advisories are read",
            "packages of AlmaLinux on a system of Debian",
            "packages of linuxmint on a system of Debian",
        ]
    );
}

#[test]
fn an_analysis_speaks_of_the_listed_version_and_not_of_what_it_calls_affected() {
    let django = "pkg:pypi/django@2.0";
    let claims = |state: &str, versions: serde_json::Value| {
        let entry = serde_json::json!([{
            "id": "CVE-2026-1", "analysis": { "state": state },
            "affects": [{ "ref": django, "versions": versions }],
        }]);
        bom(&serde_json::json!([package("2.0", django)]), &entry).claims("here")
    };
    let one = claims("not_affected", serde_json::json!([{ "version": "1.9", "status": "affected" }]));
    assert_eq!((one.len(), one[0].version.as_deref()), (1, Some("2.0")));
    assert!(claims("resolved", serde_json::json!([{ "version": "2.0", "status": "affected" }])).is_empty());
    assert!(
        claims("resolved", serde_json::json!([{ "range": "vers:pypi/<3", "status": "affected" }])).is_empty()
    );
    assert!(
        claims("resolved", serde_json::json!([{ "range": "unreadable", "status": "affected" }])).is_empty()
    );
    assert!(claims("exploitable", serde_json::json!([])).is_empty());
}

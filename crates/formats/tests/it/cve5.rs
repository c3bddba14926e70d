//! CVE records: examples in the shape of the format, then every native record of the feed mirror.

use std::io::Read as _;

use proptest::prelude::*;
use tenon_formats::cve5::{CveRecord, CveState, CvssVersion, MAX_RECORD, parse};
use tenon_model::{Automatable, Exploitation, TechnicalImpact, Timestamp};

use crate::mutate::mutated;
use crate::shared::shared;

const RECORD: &str = r#"{"dataType":"CVE_RECORD","dataVersion":"5.1",
  "cveMetadata":{"cveId":"CVE-2024-6387","assignerOrgId":"x","state":"PUBLISHED",
    "datePublished":"2024-07-01T12:37:25.431Z","dateUpdated":"2024-07-01T12:37:25"},
  "containers":{
    "cna":{"providerMetadata":{"orgId":"x","shortName":"redhat"},"title":"Openssh: regreSSHion",
      "descriptions":[{"lang":"de","value":"Wettlauf"},{"lang":"en-US","value":"A race\u001b[31m in\nsshd"}],
      "affected":[{"vendor":"OpenBSD","product":"OpenSSH"},
        {"collectionURL":"https://example.org","packageName":"openssh"}],
      "problemTypes":[{"descriptions":[{"lang":"en","description":"race","cweId":"CWE-364","type":"CWE"}]}],
      "references":[{"url":"https://example.org/a","tags":["patch","x_extra"]}],
      "metrics":[{"cvssV3_1":{"vectorString":"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
        {"cvssV2_0":{"vectorString":"AV:N/AC:H/Au:N/C:C/I:C/A:C"}},
        {"other":{"type":"Red Hat severity rating","content":{"value":"Important"}}}]},
    "adp":[{"providerMetadata":{"orgId":"y","shortName":"CISA-ADP"},"title":"CISA ADP Vulnrichment",
      "metrics":[{"other":{"type":"ssvc","content":{"timestamp":"2024-07-02T03:55:12.000000Z","options":[
        {"Exploitation":"PoC"},{"Automatable":"No"},{"technical impact":"TOTAL"}]}}}]}]}}"#;

#[test]
fn a_record_is_read_whole() {
    let record = parse(RECORD.as_bytes()).unwrap();
    assert!(record.problems.is_empty(), "{:?}", record.problems);
    assert_eq!(record.state, CveState::Published);
    assert_eq!(record.published, Timestamp::parse("2024-07-01T12:37:25.431Z"));
    assert_eq!(record.updated, Timestamp::parse("2024-07-01T12:37:25Z"));
    let cna = record.cna().unwrap();
    assert_eq!((cna.provider.as_str(), cna.title.as_str()), ("redhat", "Openssh: regreSSHion"));
    assert_eq!(cna.description, "A race [31m in sshd");
    assert_eq!(cna.cwes, [364]);
    assert_eq!(cna.affected.len(), 2);
    assert_eq!((cna.affected[0].vendor.as_str(), cna.affected[0].product.as_str()), ("OpenBSD", "OpenSSH"));
    assert_eq!(cna.references[0].tags, ["patch", "x_extra"]);
    let versions: Vec<CvssVersion> = cna.cvss.iter().map(|cvss| cvss.version).collect();
    assert_eq!(versions, [CvssVersion::V31, CvssVersion::V2]);
    let ssvc = record.ssvc().unwrap();
    assert_eq!(ssvc.exploitation, Some(Exploitation::PublicPoc));
    assert_eq!(ssvc.automatable, Some(Automatable::No));
    assert_eq!(ssvc.technical_impact, Some(TechnicalImpact::Total));
    assert_eq!(ssvc.decided, Timestamp::parse("2024-07-02T03:55:12Z"));
}

#[test]
fn one_bad_field_is_a_problem_and_the_rest_is_read() {
    for (from, to, field) in [
        ("\"CVSS:3.1/AV:N", "\"CVSS:3.0/AV:N", "vectorString"),
        ("\"CWE-364\"", "\"race\"", "cweId"),
        ("\"PoC\"", "\"perhaps\"", "options"),
        ("\"2024-07-01T12:37:25\"", "\"yesterday\"", "dateUpdated"),
        ("\"OpenBSD\"", "7", "vendor"),
        ("[\"patch\",\"x_extra\"]", "\"patch\"", "tags"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        let record = parse(RECORD.replace(from, to).as_bytes()).unwrap();
        let listed = record.problems.listed();
        assert!(listed.iter().any(|p| p.reason.contains(field)), "{to}: {listed:?}");
        assert!(listed.iter().all(|p| p.subject.as_ref() == Some(&record.id)), "{listed:?}");
        assert_eq!(record.cna().unwrap().title, "Openssh: regreSSHion");
    }
}

#[test]
fn what_is_no_cve_record_is_refused() {
    for (from, to) in [
        ("CVE_RECORD", "CVE_RECORDS"),
        ("\"5.1\"", "\"4.0\""),
        ("CVE-2024-6387", "GHSA-2024-6387"),
        ("PUBLISHED", "RESERVED"),
        ("\"containers\":{", "\"container\":{"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        let refused = parse(RECORD.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("expected"), "{refused}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert!(
        parse(RECORD.replace("\"x_extra\"", &deep).as_bytes()).unwrap_err().to_string().contains("recursion")
    );
    assert!(parse(&vec![b' '; MAX_RECORD + 1]).unwrap_err().to_string().contains("more than"));
    let wide = RECORD.replace("\"x_extra\"", &vec!["0"; 1_000_001].join(","));
    assert!(parse(wide.as_bytes()).unwrap_err().to_string().contains("values"));
}

#[test]
fn every_record_of_the_mirror_is_read() {
    let Some(path) = shared("every_record_of_the_mirror_is_read", "feeds/cve/cve5_records.zip") else {
        return;
    };
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut records: Vec<CveRecord> = Vec::new();
    let mut problems = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        if !file.is_file() {
            continue;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let record = parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.name()));
        assert!(file.name().ends_with(&format!("{}.json", record.id)), "{}", file.name());
        problems.extend(record.problems.listed().iter().map(|problem| format!("{}: {problem}", file.name())));
        records.push(record);
    }
    let having = |holds: &dyn Fn(&CveRecord) -> bool| records.iter().filter(|record| holds(record)).count();
    let any = |holds: fn(&tenon_formats::cve5::Container) -> bool| {
        having(&|record| record.containers.iter().any(holds))
    };
    let (cvss, ssvc) = (any(|c| !c.cvss.is_empty()), having(&|record| record.ssvc().is_some()));
    let whole = having(&|record| {
        record.ssvc().is_some_and(|s| {
            s.exploitation.is_some()
                && s.automatable.is_some()
                && s.technical_impact.is_some()
                && s.decided.is_some()
        })
    });
    let active = having(&|r| r.ssvc().is_some_and(|s| s.exploitation == Some(Exploitation::Active)));
    println!(
        "measured: cve5: {} records parsed, 0 refused; {cvss} with CVSS, {ssvc} with SSVC ({whole} with all points and \
         time, {active} active), {} with CWE, {} with a reference, {} described in English, {} rejected; {} problems",
        records.len(),
        any(|c| !c.cwes.is_empty()),
        any(|c| !c.references.is_empty()),
        having(&|r| r.cna().is_some_and(|cna| !cna.description.is_empty())),
        having(&|r| r.state == CveState::Rejected),
        problems.len(),
    );
    for problem in &problems {
        println!("problem: {problem}");
    }
    assert_eq!(records.len(), 1962);
    assert_eq!((ssvc, whole, active), (1960, 1960, 318));
    assert!(problems.len() < 40, "{}", problems.len());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_damaged_record_is_read_or_refused(bytes in mutated(RECORD)) {
        let _ = parse(&bytes);
    }
}

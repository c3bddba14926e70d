//! Public formats, and the context document.

use std::collections::BTreeMap;

use tenon_formats::{context, cve5, cyclonedx, epss, kev, openvex, osv, purl::Purl, vers::Vers};
use tenon_model::ContextDocument;
use tenon_model::context::ContextDiff;
use tenon_risk::cvss::Cvss;
use tenon_risk::tables::Table;

pub(crate) fn cvss(bytes: &[u8]) {
    let Some(Ok(cvss)) = crate::text(bytes).map(str::parse::<Cvss>) else { return };
    let scores = cvss.scores();
    assert!(scores.score.tenths() <= 100);
    assert_eq!(cvss.to_string().parse::<Cvss>(), Ok(cvss), "the canonical form means the same");
}

pub(crate) fn tables(bytes: &[u8]) {
    let Some(Ok(table)) = crate::text(bytes).map(Table::read) else { return };
    for inputs in table.rows() {
        assert!(!inputs.decide().outcome.is_empty());
    }
}

pub(crate) fn osv(bytes: &[u8]) {
    let Ok(record) = osv::parse(bytes) else { return };
    for release in ["Debian:12", "AlmaLinux:9", "Alpine:v3.19", "PyPI", "Ubuntu"] {
        let _advisory = osv::to_advisory(&record, &[release]);
    }
}

pub(crate) fn kev(bytes: &[u8]) {
    let _catalogue = kev::parse(bytes);
}

pub(crate) fn epss(bytes: &[u8]) {
    if let Ok(day) = epss::parse(bytes) {
        assert!(day.scores.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, one for each");
    }
}

pub(crate) fn cve5(bytes: &[u8]) {
    let _record = cve5::parse(bytes);
}

pub(crate) fn cyclonedx(bytes: &[u8]) {
    if let Ok(bom) = cyclonedx::parse(bytes) {
        let installed = bom.installed();
        assert!(installed.components.iter().all(|component| component.check().is_ok()));
    }
}

pub(crate) fn openvex(bytes: &[u8]) {
    let _document = openvex::parse(bytes);
}

pub(crate) fn purl(bytes: &[u8]) {
    let Some(text) = crate::text(bytes) else { return };
    if let Ok(purl) = Purl::parse(text) {
        let canonical = purl.to_string();
        assert_eq!(Purl::parse(&canonical).map(|again| again.to_string()).as_deref(), Ok(canonical.as_str()));
        assert!(Purl::parse_lenient(text).is_ok(), "what is strict is lenient");
    }
    let _lenient = Purl::parse_lenient(text);
}

pub(crate) fn vers(bytes: &[u8]) {
    let Some((range, version)) = crate::text(bytes).and_then(|text| text.split_once('\n')) else { return };
    if let Ok(range) = Vers::parse(range) {
        let _contains = range.contains(version);
        let canonical = range.to_string();
        assert_eq!(Vers::parse(&canonical).map(|again| again.to_string()).as_deref(), Ok(canonical.as_str()));
    }
}

pub(crate) fn context(bytes: &[u8]) {
    let Ok(document) = context::parse(bytes) else { return };
    assert_eq!(document.check(), Ok(()), "what is read is whole");
    let stored = serde_json::to_vec(&document).unwrap_or_default();
    assert_eq!(
        serde_json::from_slice::<ContextDocument>(&stored).ok().as_ref(),
        Some(&document),
        "as stored"
    );
    let nothing = ContextDocument::default();
    let diff = ContextDiff::between(&nothing, &document);
    assert_eq!(diff.apply(&nothing).as_ref(), Ok(&document), "the diff leads from one to the other");
    assert!(diff.is_empty() || !diff.lines().is_empty());
}

pub(crate) fn cmdb(bytes: &[u8]) {
    let document = ContextDocument::default();
    if let Ok(cmdb) = context::cmdb::join(bytes, &BTreeMap::new(), &document) {
        assert_eq!(cmdb.document.check(), Ok(()), "what is joined is whole");
        assert!(cmdb.assets <= cmdb.rows);
    }
}

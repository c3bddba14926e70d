//! How rows hold what has no column of its own: one version byte, then JSON arrays without field names.
//!
//! JSON because the workspace has it, any SQLite tool shows it, and its reader is already bounded in depth; arrays
//! because names would be most of the bytes. The version byte lets a later program read what this one wrote.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenon_formats::cve5::CvssVersion;
use tenon_model::{
    Advisory, Affected, AffectedRange, Automatable, Exploitation, Ssvc, TechnicalImpact, Timestamp,
    VulnerabilityId,
};

use super::facts::{CveFacts, CvssVector};

/// The only version so far.
const VERSION: u8 = 1;

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut body = vec![VERSION];
    // Strings and numbers always encode, and a vector always takes them.
    let written = serde_json::to_writer(&mut body, value);
    debug_assert!(written.is_ok());
    body
}

/// `None` for another version or bytes that are not of this shape.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(unversioned(body)?).ok()
}

/// What follows the version byte; `None` for another version.
fn unversioned(body: &[u8]) -> Option<&[u8]> {
    match body.split_first() {
        Some((&VERSION, json)) => Some(json),
        _ => None,
    }
}

/// The JSON of a body, which bundles carry without its version; `None` for another version or what is no text.
pub(crate) fn json_of(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(unversioned(body)?).ok()
}

/// A body of this JSON.
pub(crate) fn of_json(json: &str) -> Vec<u8> {
    [&[VERSION], json.as_bytes()].concat()
}

type Range = (Option<String>, Option<String>, Option<String>);

/// What one advisory says of one package, as one or several entries.
pub(crate) fn encode_affected<'a>(entries: impl Iterator<Item = &'a Affected>) -> Vec<u8> {
    type Borrowed<'a> =
        (Vec<(&'a Option<String>, &'a Option<String>, &'a Option<String>)>, &'a [String], &'a Option<String>);
    let entries: Vec<Borrowed<'_>> = entries
        .map(|entry| {
            let ranges = entry.ranges.iter();
            let ranges = ranges.map(|range| (&range.introduced, &range.fixed, &range.last_affected));
            (ranges.collect(), entry.versions.as_slice(), &entry.module)
        })
        .collect();
    encode(&entries)
}

pub(crate) fn decode_affected(ecosystem: &str, package: &str, body: &[u8]) -> Option<Vec<Affected>> {
    let entries: Vec<(Vec<Range>, Vec<String>, Option<String>)> = decode(body)?;
    let range = |(introduced, fixed, last_affected)| AffectedRange { introduced, fixed, last_affected };
    let entries = entries.into_iter().map(|(ranges, versions, module)| Affected {
        ecosystem: ecosystem.to_owned(),
        package: package.to_owned(),
        module,
        ranges: ranges.into_iter().map(range).collect(),
        versions,
    });
    Some(entries.collect())
}

/// An advisory without what it affects.
pub(crate) fn encode_head(advisory: &Advisory) -> Vec<u8> {
    encode(&(&advisory.summary, advisory.published, &advisory.addresses))
}

pub(crate) fn decode_head(id: &str, body: &[u8]) -> Option<Advisory> {
    let (summary, published, addresses): (String, Option<Timestamp>, Vec<VulnerabilityId>) = decode(body)?;
    Some(Advisory { id: id.parse().ok()?, summary, published, addresses, affected: Vec::new() })
}

/// Decision points as numbers from 1 in the order of severity, 0 for none stated.
#[derive(Serialize, Deserialize)]
struct SsvcRow(u8, u8, u8, Option<Timestamp>);

#[derive(Serialize, Deserialize)]
struct CveRow {
    t: String,
    v: Vec<(String, bool, u8, String)>,
    s: Option<SsvcRow>,
    w: Vec<u32>,
}

pub(crate) fn encode_cve(facts: &CveFacts) -> Vec<u8> {
    let version = |version| match version {
        CvssVersion::V2 => 20,
        CvssVersion::V30 => 30,
        CvssVersion::V31 => 31,
        CvssVersion::V40 => 40,
    };
    let vector =
        |cvss: &CvssVector| (cvss.source.clone(), cvss.is_cna, version(cvss.version), cvss.vector.clone());
    let ssvc = facts.ssvc.as_ref().map(|ssvc| {
        let exploitation = match ssvc.exploitation {
            None => 0,
            Some(Exploitation::None) => 1,
            Some(Exploitation::PublicPoc) => 2,
            Some(Exploitation::Active) => 3,
        };
        let automatable = match ssvc.automatable {
            None => 0,
            Some(Automatable::No) => 1,
            Some(Automatable::Yes) => 2,
        };
        let impact = match ssvc.technical_impact {
            None => 0,
            Some(TechnicalImpact::Partial) => 1,
            Some(TechnicalImpact::Total) => 2,
        };
        SsvcRow(exploitation, automatable, impact, ssvc.decided)
    });
    encode(&CveRow {
        t: facts.title.clone(),
        v: facts.cvss.iter().map(vector).collect(),
        s: ssvc,
        w: facts.cwes.clone(),
    })
}

/// The facts of a row, without those that have columns.
pub(crate) fn decode_cve(body: &[u8]) -> Option<CveFacts> {
    let row: CveRow = decode(body)?;
    let mut cvss = Vec::with_capacity(row.v.len());
    for (source, is_cna, version, vector) in row.v {
        let version = match version {
            20 => CvssVersion::V2,
            30 => CvssVersion::V30,
            31 => CvssVersion::V31,
            40 => CvssVersion::V40,
            _ => return None,
        };
        cvss.push(CvssVector { source, is_cna, version, vector });
    }
    let ssvc = match row.s {
        None => None,
        Some(SsvcRow(exploitation, automatable, impact, decided)) => Some(Ssvc {
            exploitation: [
                None,
                Some(Exploitation::None),
                Some(Exploitation::PublicPoc),
                Some(Exploitation::Active),
            ]
            .get(usize::from(exploitation))
            .copied()?,
            automatable: [None, Some(Automatable::No), Some(Automatable::Yes)]
                .get(usize::from(automatable))
                .copied()?,
            technical_impact: [None, Some(TechnicalImpact::Partial), Some(TechnicalImpact::Total)]
                .get(usize::from(impact))
                .copied()?,
            decided,
        }),
    };
    Some(CveFacts { rejected: false, published: None, updated: None, title: row.t, cvss, ssvc, cwes: row.w })
}

/// A CVE id as a number, so that rows are found by their key and take few bytes: year times 10^10 plus number. `None`
/// for ids that are no CVE id as the CVE programme writes them (four digits at least, no further leading zeros).
pub(crate) fn cve_key(id: &str) -> Option<i64> {
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical =
        (number.len() == 4 || (number.len() > 4 && !number.starts_with('0'))) && number.len() <= 10;
    if year.len() != 4 || !digits(year) || !digits(number) || !canonical {
        return None;
    }
    Some(year.parse::<i64>().ok()? * 10_000_000_000 + number.parse::<i64>().ok()?)
}

/// How `addresses` writes an id: CVE ids as their keys, others as text.
pub(super) fn address(id: &VulnerabilityId) -> rusqlite::types::Value {
    match cve_key(id.as_str()) {
        Some(key) => key.into(),
        None => id.as_str().to_owned().into(),
    }
}

/// The id behind a key.
pub(crate) fn cve_of_key(key: i64) -> Option<VulnerabilityId> {
    let (year, number) = (key / 10_000_000_000, key % 10_000_000_000);
    if !(0..=9999).contains(&year) || number < 0 {
        return None;
    }
    format!("CVE-{year:04}-{number:04}").parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_stand_for_the_ids_that_the_programme_writes() {
        for id in ["CVE-1999-0001", "CVE-2024-3094", "CVE-2021-1000000", "CVE-2024-9999999999"] {
            assert_eq!(cve_of_key(cve_key(id).unwrap()).unwrap().as_str(), id);
        }
        for id in [
            "CVE-2024-01234",
            "CVE-2024-123",
            "CVE-24-1234",
            "GHSA-1",
            "CVE-2024-1234x",
            "CVE-2024-12345678901",
        ] {
            assert_eq!(cve_key(id), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_no_key_or_its_own(text in "(CVE-)?[0-9]{3,5}-[0-9a]{0,12}") {
            if let Some(key) = cve_key(&text) {
                let id = cve_of_key(key).unwrap();
                prop_assert_eq!(id.as_str(), text.as_str());
            }
        }

        #[test]
        fn any_bytes_decode_or_not(bytes in prop::collection::vec(any::<u8>(), 0..80), versioned in any::<bool>()) {
            let mut body = bytes;
            if versioned {
                body.insert(0, VERSION);
            }
            decode_affected("e", "p", &body);
            decode_head("X-1", &body);
            decode_cve(&body);
        }

        #[test]
        fn affected_comes_back(
            ranges in prop::collection::vec(prop::array::uniform3(prop::option::of(".{0,10}")), 0..4),
            versions in prop::collection::vec(".{0,10}", 0..4),
        ) {
            let ranges = ranges.into_iter().map(|[introduced, fixed, last_affected]| AffectedRange { introduced, fixed, last_affected });
            let entry = Affected { ecosystem: "e".into(), package: "p".into(), module: Some("m:1".into()), ranges: ranges.collect(), versions };
            let body = encode_affected([&entry, &entry].into_iter());
            prop_assert_eq!(decode_affected("e", "p", &body), Some(vec![entry.clone(), entry]));
        }
    }
}

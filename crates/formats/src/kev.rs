//! CISA's Known Exploited Vulnerabilities catalogue (its JSON form, as published with its schema).

use serde::Deserialize;
use serde_json::Value;
use tenon_model::{Kev, Timestamp, VulnerabilityId};

use crate::text::{cut, one_line};
use crate::{FormatError, Problem, Problems};

/// Largest catalogue accepted, in bytes; it held 1.6 MB in 2026.
pub const MAX_CATALOGUE: usize = 64 << 20;

/// The catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KevCatalogue {
    /// `catalogVersion` (`2026.08.07`).
    pub version: String,
    /// `dateReleased`.
    pub released: Timestamp,
    /// The entries, sorted by id, one for each.
    pub entries: Vec<(VulnerabilityId, Kev)>,
    /// What could not be read.
    pub problems: Problems,
}

#[derive(Deserialize)]
struct RawCatalogue {
    #[serde(rename = "catalogVersion")]
    version: String,
    #[serde(rename = "dateReleased")]
    released: String,
    count: Option<u64>,
    vulnerabilities: Vec<Value>,
}

/// Parses the catalogue. An entry that cannot be read is a problem, as is a `count` other than the number of entries.
///
/// # Errors
/// When the document is larger than [`MAX_CATALOGUE`], is not this JSON, or its release date cannot be read.
pub fn parse(bytes: &[u8]) -> Result<KevCatalogue, FormatError> {
    const WHAT: &str = "the KEV catalogue";
    FormatError::bound(WHAT, bytes, MAX_CATALOGUE)?;
    let raw: RawCatalogue = serde_json::from_slice(bytes).map_err(|error| FormatError::json(WHAT, &error))?;
    let released = Timestamp::parse(&raw.released)
        .ok_or_else(|| FormatError::field("dateReleased", &raw.released, "an RFC 3339 time"))?;
    let mut problems = Problems::default();
    if let Some(count) = raw.count.filter(|count| *count != raw.vulnerabilities.len() as u64) {
        let reason =
            format!("count is {count}, but {} entries follow: it is cut short", raw.vulnerabilities.len());
        problems.push(Problem { place: "catalogue".to_owned(), subject: None, reason });
    }
    let mut entries: Vec<(VulnerabilityId, Kev)> = Vec::with_capacity(raw.vulnerabilities.len());
    for (index, value) in raw.vulnerabilities.iter().enumerate() {
        let place = || format!("entry {}", index + 1);
        let subject = text(value, "cveID").ok().and_then(|id| id.parse().ok());
        match entry(value) {
            Ok((id, kev, due)) => {
                entries.push((id, kev));
                if let Err(error) = due {
                    problems.push(Problem { place: place(), subject, reason: error.to_string() });
                }
            }
            Err(error) => problems.push(Problem { place: place(), subject, reason: error.to_string() }),
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|(later, _), (kept, _)| {
        let double = later == kept;
        if double {
            let reason = "listed more than once; the first entry is kept".to_owned();
            problems.push(Problem { place: later.to_string(), subject: Some(later.clone()), reason });
        }
        double
    });
    Ok(KevCatalogue { version: one_line(&cut(&raw.version, 40), 40), released, entries, problems })
}

/// One entry, and whether its due date could be read: an entry counts without one.
type ReadEntry = (VulnerabilityId, Kev, Result<(), FormatError>);

fn entry(value: &Value) -> Result<ReadEntry, FormatError> {
    let id = text(value, "cveID")?;
    let id = id.parse().map_err(|_| FormatError::field("cveID", id, "a CVE id"))?;
    let added = date("dateAdded", text(value, "dateAdded")?)?;
    let (due, readable) = match text(value, "dueDate").and_then(|text| date("dueDate", text)) {
        Ok(due) => (Some(due), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // The schema knows "Known" and "Unknown"; the field came late and may be absent.
    let ransomware =
        text(value, "knownRansomwareCampaignUse").is_ok_and(|use_| use_.eq_ignore_ascii_case("known"));
    Ok((id, Kev { added, due, ransomware }, readable))
}

fn text<'v>(value: &'v Value, field: &'static str) -> Result<&'v str, FormatError> {
    match value.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(FormatError::field(field, &cut(&other.to_string(), 80), "a text")),
        None => Err(FormatError::field(field, "", "a text; the field is missing")),
    }
}

fn date(field: &'static str, text: &str) -> Result<Timestamp, FormatError> {
    Timestamp::parse(text).ok_or_else(|| FormatError::field(field, text, "a date YYYY-MM-DD"))
}

//! One OSV record as its schema lays it out, reduced to the fields that matching reads.

use serde::{Deserialize, Deserializer};
use tenon_model::{Timestamp, VulnerabilityId};

use super::RangeEvent;
use crate::FormatError;
use crate::text::{is_plain, one_line, rfc3339};

/// Largest record accepted, in bytes. The largest seen in public feeds is under 1 MiB; kernel records that list each
/// affected version reach a few MiB.
pub const MAX_RECORD: usize = 16 << 20;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsvRecord {
    /// The record's own id.
    pub id: VulnerabilityId,
    /// When the record last changed.
    pub modified: Timestamp,
    /// When its source first published it.
    pub published: Option<Timestamp>,
    /// When its source took it back, if it did. A withdrawn record affects nothing.
    pub withdrawn: Option<Timestamp>,
    /// Other ids of the very same vulnerability.
    pub aliases: Vec<String>,
    /// Vulnerabilities this record passes on from further up the supply chain.
    pub upstream: Vec<String>,
    /// Closely related records. Distribution advisories older than `upstream` name what they fix here.
    pub related: Vec<String>,
    /// One line for people, free of control characters.
    pub summary: String,
    /// What is affected.
    pub affected: Vec<OsvAffected>,
}

/// What the record says of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsvAffected {
    /// Ecosystem with its release suffix (`Debian:12`); empty when the record names no package.
    pub ecosystem: String,
    /// Package name; empty when the record names no package.
    pub package: String,
    /// Version ranges.
    pub ranges: Vec<OsvRange>,
    /// Affected versions listed one by one.
    pub versions: Vec<String>,
}

/// One version range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsvRange {
    /// By which order its versions compare.
    pub kind: OsvRangeKind,
    /// Its events, in the order of the record.
    pub events: Vec<RangeEvent>,
}

/// By which order the versions of a range compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OsvRangeKind {
    /// Semantic Versioning 2.0.
    Semver,
    /// The ecosystem's own order.
    Ecosystem,
    /// Commits of a repository: says nothing about package versions.
    Git,
}

/// Parses one record.
///
/// # Errors
/// When the bytes are more than [`MAX_RECORD`], are not JSON of this shape (nesting beyond 128 levels included), are of
/// another major schema version, or when a field holds what the schema forbids.
pub fn parse(bytes: &[u8]) -> Result<OsvRecord, FormatError> {
    const WHAT: &str = "the OSV record";
    FormatError::bound(WHAT, bytes, MAX_RECORD)?;
    let raw: RawRecord = serde_json::from_slice(bytes).map_err(|error| FormatError::json(WHAT, &error))?;
    raw.checked()
}

/// The id that an unreadable record must have, from its file name in the layout of the public OSV bucket
/// (`DSA-5514-1.json`, also inside folders).
pub fn subject_of_file(name: &str) -> Option<VulnerabilityId> {
    name.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

#[derive(Deserialize)]
struct RawRecord {
    schema_version: Option<String>,
    id: String,
    modified: String,
    published: Option<String>,
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    upstream: Vec<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    related: Vec<String>,
    summary: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    affected: Vec<RawAffected>,
}

#[derive(Deserialize)]
struct RawAffected {
    package: Option<RawPackage>,
    #[serde(default, deserialize_with = "null_is_empty")]
    ranges: Vec<RawRange>,
    #[serde(default, deserialize_with = "null_is_empty")]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct RawPackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    events: Vec<RawEvent>,
}

#[derive(Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// The schema allows `null` where a list would be empty.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn time(field: &'static str, text: &str) -> Result<Timestamp, FormatError> {
    rfc3339(text)
        .filter(|_| text.ends_with('Z'))
        .ok_or_else(|| FormatError::field(field, text, "an RFC 3339 time in UTC, ending in Z"))
}

fn plain(field: &'static str, text: String) -> Result<String, FormatError> {
    if is_plain(&text) {
        Ok(text)
    } else {
        Err(FormatError::field(field, &text, "1 to 256 bytes without control characters or outer blanks"))
    }
}

impl RawRecord {
    fn checked(self) -> Result<OsvRecord, FormatError> {
        if let Some(version) = self.schema_version.as_deref().filter(|version| !version.starts_with("1.")) {
            return Err(FormatError::field("schema_version", version, "a version 1.x"));
        }
        let id = self.id.parse().map_err(|_| {
            FormatError::field("id", &self.id, "1 to 128 letters, digits or any of - _ . : + ~ /")
        })?;
        let optional_time = |field, text: Option<String>| text.map(|text| time(field, &text)).transpose();
        Ok(OsvRecord {
            id,
            modified: time("modified", &self.modified)?,
            published: optional_time("published", self.published)?,
            withdrawn: optional_time("withdrawn", self.withdrawn)?,
            aliases: self.aliases,
            upstream: self.upstream,
            related: self.related,
            summary: one_line(self.summary.as_deref().unwrap_or_default(), 300),
            affected: self.affected.into_iter().map(RawAffected::checked).collect::<Result<_, _>>()?,
        })
    }
}

impl RawAffected {
    fn checked(self) -> Result<OsvAffected, FormatError> {
        let (ecosystem, package) = match self.package {
            Some(package) => (
                plain("affected[].package.ecosystem", package.ecosystem)?,
                plain("affected[].package.name", package.name)?,
            ),
            None => (String::new(), String::new()),
        };
        Ok(OsvAffected {
            ecosystem,
            package,
            ranges: self.ranges.into_iter().map(RawRange::checked).collect::<Result<_, _>>()?,
            versions: self
                .versions
                .into_iter()
                .map(|version| plain("affected[].versions[]", version))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl RawRange {
    fn checked(self) -> Result<OsvRange, FormatError> {
        let kind = match self.kind.as_str() {
            "SEMVER" => OsvRangeKind::Semver,
            "ECOSYSTEM" => OsvRangeKind::Ecosystem,
            "GIT" => OsvRangeKind::Git,
            // A kind of a later schema might say something about versions: leaving it out could hide what is affected.
            other => {
                return Err(FormatError::field(
                    "affected[].ranges[].type",
                    other,
                    "SEMVER, ECOSYSTEM or GIT",
                ));
            }
        };
        let mut events = Vec::with_capacity(self.events.len());
        for event in self.events {
            event.checked_into(&mut events)?;
        }
        Ok(OsvRange { kind, events })
    }
}

impl RawEvent {
    /// The schema wants one kind in each event object; objects that hold several are read as several events.
    fn checked_into(self, events: &mut Vec<RangeEvent>) -> Result<(), FormatError> {
        let before = events.len();
        if let Some(version) = self.introduced {
            let version = plain("affected[].ranges[].events[].introduced", version)?;
            events.push(RangeEvent::Introduced((version != "0").then_some(version)));
        }
        if let Some(version) = self.fixed {
            events.push(RangeEvent::Fixed(plain("affected[].ranges[].events[].fixed", version)?));
        }
        if let Some(version) = self.last_affected {
            events.push(RangeEvent::LastAffected(plain(
                "affected[].ranges[].events[].last_affected",
                version,
            )?));
        }
        if let Some(version) = self.limit {
            let version = plain("affected[].ranges[].events[].limit", version)?;
            events.push(RangeEvent::Limit((version != "*").then_some(version)));
        }
        if events.len() == before {
            return Err(FormatError::field(
                "affected[].ranges[].events[]",
                "",
                "one of introduced, fixed, last_affected or limit",
            ));
        }
        Ok(())
    }
}

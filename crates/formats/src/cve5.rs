//! CVE records in their own JSON format (CVE Record Format 5.x, <https://github.com/CVEProject/cve-schema>).
//!
//! A record holds what its CNA says and what others add to it, the ADPs: CISA's Vulnrichment container is one of them
//! and carries the decision points of its SSVC tree.

mod ssvc;

use tenon_model::{Ssvc, Timestamp, VulnerabilityId};

use crate::json::{Bounds, Object, Walk, parse as parse_json};
use crate::text::{cut, one_line, rfc3339};
use crate::{FormatError, Problems};

/// Largest record accepted, in bytes; the largest seen is below 1 MiB, kernel records reach a few.
pub const MAX_RECORD: usize = 16 << 20;
/// Most entries kept of each list; the rest is a problem.
const MAX_LIST: usize = 2_000;
/// Longest name or vector kept, in bytes.
const MAX_NAME: usize = 1024;
/// Longest link kept, in bytes.
const MAX_LINK: usize = 4096;

const BOUNDS: Bounds = Bounds { what: "the CVE record", bytes: MAX_RECORD, values: 1_000_000 };

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CveRecord {
    /// `cveMetadata.cveId`.
    pub id: VulnerabilityId,
    /// Whether the record stands or was rejected.
    pub state: CveState,
    /// When it was first published. Absent in old rejected records.
    pub published: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// What the containers say, the CNA's first.
    pub containers: Vec<Container>,
    /// What could not be read.
    pub problems: Problems,
}

/// Whether a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CveState {
    /// It stands.
    Published,
    /// Its CNA took it back: the id names no vulnerability.
    Rejected,
}

/// What one organisation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// `providerMetadata.shortName` (`redhat`, `CISA-ADP`); empty when the container names no one.
    pub provider: String,
    /// Whether this is the CNA's own container.
    pub is_cna: bool,
    /// One line for people; empty when there is none.
    pub title: String,
    /// The first description in English, as one line; empty when there is none.
    pub description: String,
    /// CVSS vectors.
    pub cvss: Vec<Cvss>,
    /// CWE numbers (`CWE-79` is 79), sorted.
    pub cwes: Vec<u32>,
    /// Links.
    pub references: Vec<Reference>,
    /// Products the container speaks of, affected or not.
    pub affected: Vec<Product>,
    /// SSVC decision points; the last of several by timestamp.
    pub ssvc: Option<Ssvc>,
}

/// A CVSS vector as it is written. Scores follow from the vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cvss {
    /// Which version the field promises.
    pub version: CvssVersion,
    /// The vector (`CVSS:3.1/AV:N/AC:L/...`; CVSS 2 has no prefix).
    pub vector: String,
}

/// A version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0
    V2,
    /// 3.0
    V30,
    /// 3.1
    V31,
    /// 4.0
    V40,
}

impl CvssVersion {
    const FIELDS: [(&'static str, &'static str, Self); 4] = [
        ("cvssV2_0", "", Self::V2),
        ("cvssV3_0", "CVSS:3.0/", Self::V30),
        ("cvssV3_1", "CVSS:3.1/", Self::V31),
        ("cvssV4_0", "CVSS:4.0/", Self::V40),
    ];
}

/// A link and what it is said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The address, not checked beyond its bounds: show it, do not fetch it.
    pub url: String,
    /// `patch`, `exploit`, `vendor-advisory`, ...; those of the record's own (`x_...`) are kept too.
    pub tags: Vec<String>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    /// The vendor (`n/a` where the CNA gave none).
    pub vendor: String,
    /// The product.
    pub product: String,
}

impl CveRecord {
    /// The CNA's container.
    pub fn cna(&self) -> Option<&Container> {
        self.containers.iter().find(|container| container.is_cna)
    }

    /// CISA's SSVC decision points.
    pub fn ssvc(&self) -> Option<&Ssvc> {
        self.containers
            .iter()
            .filter(|container| container.provider == "CISA-ADP")
            .find_map(|c| c.ssvc.as_ref())
    }
}

/// Parses a record.
///
/// # Errors
/// When the bytes are more than [`MAX_RECORD`], are not JSON of this shape (nesting beyond 128 levels included), are
/// not a CVE record of format 5, or its id or state cannot be read. Anything else that cannot be read is a problem.
pub fn parse(bytes: &[u8]) -> Result<CveRecord, FormatError> {
    let map = parse_json(&BOUNDS, bytes)?;
    let root = Object::root(&map);
    let mut walk = Walk::default();
    let must =
        |field, value: Option<&str>, expected| FormatError::field(field, value.unwrap_or_default(), expected);
    match walk.text(&root, "dataType") {
        Some("CVE_RECORD") => {}
        other => return Err(must("dataType", other, "CVE_RECORD")),
    }
    match walk.text(&root, "dataVersion") {
        Some(version) if version == "5" || version.starts_with("5.") => {}
        other => return Err(must("dataVersion", other, "a version 5.x")),
    }
    let (Some(metadata), Some(containers)) =
        (walk.object(&root, "cveMetadata"), walk.object(&root, "containers"))
    else {
        return Err(must("cveMetadata, containers", None, "objects"));
    };
    let id = walk.text(&metadata, "cveId");
    let id: VulnerabilityId = id
        .and_then(|id| id.parse().ok())
        .filter(VulnerabilityId::is_cve)
        .ok_or_else(|| must("cveMetadata.cveId", id, "a CVE id"))?;
    walk.subject = Some(id.clone());
    let state = match walk.text(&metadata, "state") {
        Some("PUBLISHED") => CveState::Published,
        Some("REJECTED") => CveState::Rejected,
        other => return Err(must("cveMetadata.state", other, "PUBLISHED or REJECTED")),
    };
    let published = time(&mut walk, &metadata, "datePublished");
    let updated = time(&mut walk, &metadata, "dateUpdated");
    let mut read = Vec::new();
    match walk.object(&containers, "cna") {
        Some(cna) => read.push(container(&mut walk, &cna, true)),
        None => walk.problem(&containers, "cna", "", "an object; every record has one"),
    }
    let adps = walk.objects(&containers, "adp");
    for adp in bounded(&mut walk, &containers, "adp", adps) {
        read.push(container(&mut walk, &adp, false));
    }
    Ok(CveRecord { id, state, published, updated, containers: read, problems: walk.problems })
}

/// Keeps the first [`MAX_LIST`] of a list and says so.
fn bounded<T>(walk: &mut Walk, at: &Object<'_>, field: &'static str, mut list: Vec<T>) -> Vec<T> {
    if list.len() > MAX_LIST {
        walk.problem(
            at,
            field,
            &format!("a list of {}", list.len()),
            "at most 2000 entries; the rest is left out",
        );
        list.truncate(MAX_LIST);
    }
    list
}

/// The format lets an offset be missing, which then is UTC (definition `timestamp`).
fn time(walk: &mut Walk, at: &Object<'_>, field: &'static str) -> Option<Timestamp> {
    let text = walk.text(at, field)?;
    let time = rfc3339(text).or_else(|| rfc3339(&format!("{}Z", cut(text, 40))));
    if time.is_none() {
        walk.problem(at, field, text, "an RFC 3339 time, UTC where the offset is missing");
    }
    time
}

fn container(walk: &mut Walk, at: &Object<'_>, is_cna: bool) -> Container {
    let provider = walk
        .object(at, "providerMetadata")
        .and_then(|provider| walk.plain(&provider, "shortName", MAX_NAME))
        .unwrap_or_default();
    let mut cvss = Vec::new();
    let mut decisions: Vec<Ssvc> = Vec::new();
    let metrics = walk.objects(at, "metrics");
    for metric in bounded(walk, at, "metrics", metrics) {
        for (field, prefix, version) in CvssVersion::FIELDS {
            let Some(object) = walk.object(&metric, field) else { continue };
            match walk.plain(&object, "vectorString", MAX_NAME) {
                Some(vector) if vector.starts_with(prefix) && !vector.is_empty() => {
                    cvss.push(Cvss { version, vector });
                }
                Some(vector) => {
                    walk.problem(&object, "vectorString", &vector, "a vector of the version its field names");
                }
                None if object.has("vectorString") => {}
                None => walk.problem(&object, "vectorString", "", "a vector; the field is missing"),
            }
        }
        if let Some(other) = walk.object(&metric, "other")
            && walk.text(&other, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("ssvc"))
            && let Some(content) = walk.object(&other, "content")
        {
            decisions.extend(ssvc::read(walk, &content));
        }
    }
    decisions.sort_by_key(|decision| decision.decided);
    let affected = walk.objects(at, "affected");
    let mut affected: Vec<Product> =
        bounded(walk, at, "affected", affected).iter().filter_map(|entry| product(walk, entry)).collect();
    affected.sort();
    affected.dedup();
    Container {
        provider,
        is_cna,
        title: walk.prose(at, "title", 300).unwrap_or_default(),
        description: description(walk, at),
        cvss,
        cwes: cwes(walk, at),
        references: references(walk, at),
        affected,
        ssvc: decisions.pop(),
    }
}

/// `en`, or any tag that starts with it (BCP 47: `en-US`).
fn is_english(language: &str) -> bool {
    language.split(['-', '_']).next().is_some_and(|first| first.eq_ignore_ascii_case("en"))
}

fn description(walk: &mut Walk, at: &Object<'_>) -> String {
    for entry in walk.objects(at, "descriptions") {
        if walk.required(&entry, "lang").is_some_and(is_english) {
            return walk.required(&entry, "value").map(|text| one_line(text, 4000)).unwrap_or_default();
        }
    }
    String::new()
}

fn cwes(walk: &mut Walk, at: &Object<'_>) -> Vec<u32> {
    let mut cwes = Vec::new();
    for kind in walk.objects(at, "problemTypes") {
        for entry in walk.objects(&kind, "descriptions") {
            let Some(text) = walk.text(&entry, "cweId") else { continue };
            match text.strip_prefix("CWE-").and_then(|number| number.parse().ok()) {
                Some(cwe) => cwes.push(cwe),
                None => walk.problem(&entry, "cweId", text, "CWE- and a number"),
            }
        }
    }
    cwes.sort_unstable();
    cwes.dedup();
    bounded(walk, at, "problemTypes", cwes)
}

fn references(walk: &mut Walk, at: &Object<'_>) -> Vec<Reference> {
    let entries = walk.objects(at, "references");
    let mut references = Vec::new();
    for entry in bounded(walk, at, "references", entries) {
        if !entry.has("url") {
            walk.problem(&entry, "url", "", "an address; the field is missing");
        }
        let Some(url) = walk.plain(&entry, "url", MAX_LINK) else { continue };
        let tags = walk.texts(&entry, "tags");
        let tags = bounded(walk, &entry, "tags", tags).into_iter().map(|tag| one_line(tag, 128)).collect();
        references.push(Reference { url, tags });
    }
    references
}

/// Vendor and product, or the package and its collection where the CNA names those instead.
fn product(walk: &mut Walk, entry: &Object<'_>) -> Option<Product> {
    let mut either = |a, b| walk.prose(entry, a, 300).or_else(|| walk.prose(entry, b, 300));
    let vendor = either("vendor", "collectionURL");
    let product = either("product", "packageName");
    match (vendor, product) {
        (Some(vendor), Some(product)) => Some(Product { vendor, product }),
        _ => {
            walk.problem(entry, "vendor, product", "", "both, or collectionURL and packageName");
            None
        }
    }
}

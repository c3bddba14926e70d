//! Rows of a configuration management database (CMDB), as CSV (RFC 4180) with a header.
//!
//! Columns are known by their headers; what a header means can be said. Unknown columns are named and left out. A value
//! that cannot be read is named with line and field, and the rest of its row counts.

use std::collections::{BTreeMap, BTreeSet};

use csv::ByteRecord;
use tenon_model::context::{AssetKey, Criticality, Environment, Labels, Reference, Sensitivity, limits};
use tenon_model::{ContextDocument, HumanImpact, MissionAndWellBeing, SystemExposure};

use super::labels::{names, point};
use crate::{FormatError, Problem, Problems};

/// Largest export, in bytes.
pub const MAX_EXPORT: usize = 256 << 20;
/// Most columns; exports of large tables have some hundred.
const MAX_COLUMNS: usize = 1_000;
/// Longest value, in bytes.
const MAX_VALUE: usize = 4_096;

/// What a column says of an asset: one of [`Labels::FIELDS`], or `host`.
type Field = &'static str;

/// Headers that are known, in lower case with blanks for anything between words.
const HEADERS: &[(Field, &[&str])] = &[
    ("host", &["host", "hostname", "host name", "name", "fqdn", "server", "asset", "ci name"]),
    ("zone", &["zone", "network zone", "security zone"]),
    ("team", &["team", "owner", "owner team", "support group", "managed by group", "assignment group"]),
    ("environment", &["environment", "env", "stage", "used for"]),
    ("sensitivity", &["sensitivity", "data sensitivity", "classification", "data classification"]),
    ("criticality", &["criticality", "business criticality", "importance"]),
    ("exposure", &["exposure", "system exposure"]),
    ("human_impact", &["human impact"]),
    ("mission", &["mission", "mission and well being"]),
    ("redundancy", &["redundancy", "redundancy group", "cluster"]),
    ("services", &["services", "service", "business service", "application", "applications"]),
    ("tags", &["tags", "tag", "labels"]),
];

/// Words of widespread databases for our values; the first column of each is theirs, in lower case.
const WORDS: &[(Field, &str, &str)] = &[
    ("criticality", "1 - most critical", "critical"),
    ("criticality", "2 - somewhat critical", "high"),
    ("criticality", "3 - less critical", "medium"),
    ("criticality", "4 - not critical", "low"),
    ("environment", "prod", "production"),
    ("environment", "uat", "staging"),
    ("environment", "qa", "test"),
    ("environment", "dev", "development"),
];

/// What an export says, joined with a document.
#[derive(Debug)]
pub struct Cmdb {
    /// The document, with what the rows add. What the document says itself of an asset stays.
    pub document: ContextDocument,
    /// What each column was taken for; `None` where it is unknown and left out.
    pub columns: Vec<(String, Option<Field>)>,
    /// Rows, without the header.
    pub rows: u64,
    /// Assets of which the rows say something.
    pub assets: u64,
    /// Rows and values that cannot be read.
    pub problems: Problems,
}

/// Reads an export and joins it with a document. `means` says what headers mean that are not known, by header. Teams and
/// services that only the export names are defined by it; zones and redundancy groups are not, since more must be said of
/// them than a name.
///
/// # Errors
/// When the export is too large, has no header with a column for hosts, or `means` names a field that there is not.
pub fn join(
    bytes: &[u8],
    means: &BTreeMap<String, String>,
    document: &ContextDocument,
) -> Result<Cmdb, FormatError> {
    FormatError::bound("export", bytes, MAX_EXPORT)?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .flexible(true)
        .has_headers(true)
        .from_reader(bytes);
    let headers = reader.byte_headers().map_err(|error| unreadable(&error))?.clone();
    if headers.len() > MAX_COLUMNS {
        return Err(FormatError::field(
            "header",
            &format!("{} columns", headers.len()),
            "at most 1000 columns",
        ));
    }
    let columns = columns(&headers, means)?;
    let mut cmdb =
        Cmdb { document: document.clone(), columns, rows: 0, assets: 0, problems: Problems::default() };
    let mut read: BTreeMap<AssetKey, u64> = BTreeMap::new();
    for record in reader.byte_records() {
        cmdb.rows += 1;
        let record = record.map_err(|error| unreadable(&error))?;
        cmdb.row(&record, headers.len(), &mut read);
    }
    cmdb.assets = read.len() as u64;
    // The document was whole before; what a row adds is defined, so only its size can be wrong.
    cmdb.document.check().map_err(|error| FormatError::Schema {
        what: "context",
        total: 1,
        first: error.to_string(),
    })?;
    Ok(cmdb)
}

fn unreadable(error: &csv::Error) -> FormatError {
    FormatError::field("row", &error.to_string(), "CSV (RFC 4180)")
}

/// The character that the header has most of; spreadsheets of many countries write semicolons.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: &u8| header.iter().filter(|byte| *byte == wanted).count();
    // Of equals the last.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn spelt(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn columns(
    headers: &ByteRecord,
    means: &BTreeMap<String, String>,
) -> Result<Vec<(String, Option<Field>)>, FormatError> {
    let mut said: BTreeMap<String, Field> = BTreeMap::new();
    for (header, field) in means {
        let known = HEADERS.iter().find(|(known, _)| known == field);
        let (field, _) =
            known.ok_or_else(|| FormatError::field("column", field, "host, or a field of an asset"))?;
        said.insert(spelt(header), field);
    }
    let mut taken = BTreeSet::new();
    let mut columns = Vec::new();
    for header in headers {
        let header = crate::text::one_line(&String::from_utf8_lossy(header), 80);
        let spelt = spelt(&header);
        let known = || HEADERS.iter().find(|(_, names)| names.contains(&spelt.as_str()));
        let field = said.get(&spelt).copied().or_else(|| Some(known()?.0));
        // Of two columns for one field the first counts; the other is named as unknown.
        columns.push((header, field.filter(|field| taken.insert(*field))));
    }
    if !taken.contains("host") {
        let header: Vec<&str> = columns.iter().map(|(header, _)| header.as_str()).collect();
        return Err(FormatError::field(
            "header",
            &header.join(", "),
            "a column for hosts, like `host` or `name`",
        ));
    }
    Ok(columns)
}

impl Cmdb {
    fn row(&mut self, record: &ByteRecord, width: usize, read: &mut BTreeMap<AssetKey, u64>) {
        let line = record.position().map_or(0, csv::Position::line);
        let mut problems = Vec::new();
        let mut problem = |reason: String| problems.push((None::<String>, reason));
        let values: Option<Vec<&str>> = record.iter().map(|value| std::str::from_utf8(value).ok()).collect();
        match values {
            None => problem("not UTF-8".to_owned()),
            Some(values) if values.len() != width => {
                problem(format!("{} values under {width} columns", values.len()));
            }
            Some(values) => problems.extend(self.values(line, &values, read)),
        }
        for (header, reason) in problems {
            let place = match header {
                Some(header) => format!("line {line}, {header}"),
                None => format!("line {line}"),
            };
            let reason = crate::text::one_line(&reason, 300);
            self.problems.push(Problem { place, subject: None, reason });
        }
    }

    /// Takes the values of a row, and gives those that cannot be read, each with its header.
    fn values(
        &mut self,
        line: u64,
        values: &[&str],
        read: &mut BTreeMap<AssetKey, u64>,
    ) -> Vec<(Option<String>, String)> {
        let mut problems = Vec::new();
        let mut labels = Labels::default();
        let mut asset: Option<AssetKey> = None;
        for ((header, field), value) in self.columns.iter().zip(values) {
            let (Some(field), value) = (field, value.trim()) else { continue };
            if value.is_empty() {
                continue;
            }
            let taken = if value.len() > MAX_VALUE {
                Err(format!("{} bytes, more than the {MAX_VALUE} accepted", value.len()))
            } else if *field == "host" {
                value
                    .parse()
                    .map(|key| asset = Some(key))
                    .map_err(|error: tenon_model::context::PatternError| error.to_string())
            } else {
                set(&mut labels, field, value, &self.document)
            };
            if let Err(reason) = taken {
                problems.push((Some(header.clone()), reason));
            }
        }
        let Some(asset) = asset else {
            if problems.is_empty() {
                problems.push((None, "no host is named".to_owned()));
            }
            return problems;
        };
        if let Some(first) = read.get(&asset) {
            problems.push((None, format!("{asset} is in line {first} already: the first counts")));
            return problems;
        }
        if read.len() >= limits::ASSETS {
            problems.push((None, format!("more than {} assets", limits::ASSETS)));
            return problems;
        }
        read.insert(asset.clone(), line);
        self.define(&labels);
        let said = self.document.assets.remove(&asset).unwrap_or_default();
        self.document.assets.insert(asset, said.or(&labels));
        problems
    }

    /// Teams and services that only rows name.
    fn define(&mut self, labels: &Labels) {
        if let Some(team) = &labels.team {
            self.document.teams.entry(team.clone()).or_default();
        }
        for service in &labels.services {
            self.document.services.entry(service.clone()).or_default();
        }
    }
}

/// Sets a field from a value as a database writes it.
fn set(labels: &mut Labels, field: Field, value: &str, document: &ContextDocument) -> Result<(), String> {
    let word = value.to_lowercase();
    let known = WORDS.iter().find(|(of, theirs, _)| *of == field && *theirs == word);
    let value = known.map_or(value, |(_, _, ours)| ours);
    match field {
        "zone" => labels.zone = Some(defined(value, document, Reference::Zone)?),
        "team" => labels.team = Some(name(value)?),
        "environment" => labels.environment = Some(one_of(value, Environment::ALL)?),
        "sensitivity" => labels.sensitivity = Some(one_of(value, Sensitivity::ALL)?),
        "criticality" => labels.criticality = Some(one_of(value, Criticality::ALL)?),
        "exposure" => labels.exposure = Some(one_of(value, SystemExposure::ALL)?),
        "human_impact" => labels.human_impact = Some(one_of(value, HumanImpact::ALL)?),
        "mission" => labels.mission = Some(one_of(value, MissionAndWellBeing::ALL)?),
        "redundancy" => labels.redundancy = Some(defined(value, document, Reference::Redundancy)?),
        "services" => labels.services = several(value)?,
        _ => labels.tags = several(value)?,
    }
    Ok(())
}

fn one_of<T: Copy + std::fmt::Display>(value: &str, all: &[T]) -> Result<T, String> {
    point(value, all).ok_or_else(|| format!("{value:?} is none of {}", names(all)))
}

/// A name; the blanks in it become hyphens, since names hold none.
fn name<T: std::str::FromStr>(value: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let words: Vec<&str> = value.split_whitespace().collect();
    words.join("-").parse().map_err(|error: T::Err| error.to_string())
}

fn defined<T: std::str::FromStr + Clone>(
    value: &str,
    document: &ContextDocument,
    kind: fn(T) -> Reference,
) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let name: T = name(value)?;
    let reference = kind(name.clone());
    if document.defines(&reference) {
        return Ok(name);
    }
    Err(format!("{reference} is not defined in the context file"))
}

/// Names with a comma, semicolon or bar between them.
fn several<T: std::str::FromStr + Ord>(value: &str) -> Result<BTreeSet<T>, String>
where
    T::Err: std::fmt::Display,
{
    let names: BTreeSet<T> = value
        .split([',', ';', '|'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(name)
        .collect::<Result<_, _>>()?;
    if names.len() > limits::OF_ONE {
        return Err(format!("{} names, more than the {} accepted", names.len(), limits::OF_ONE));
    }
    Ok(names)
}

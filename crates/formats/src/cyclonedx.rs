//! CycloneDX bills of materials, JSON form, versions 1.4 to 1.7 (ECMA-424, <https://cyclonedx.org/specification/>).
//!
//! [`parse`] reads what matching needs (components and what is said of their vulnerabilities) and reports each place
//! that breaks the schema; [`parse_conforming`] refuses a document with any such place. Of the parts that matching does
//! not read, licenses, hashes, pedigrees, services, release notes and dependencies are checked against the schema;
//! annotations, citations, compositions, declarations, formulations, model cards and signatures are not looked at.

mod claims;
mod component;
mod installed;
mod parts;
mod vulnerability;

use std::collections::HashSet;

use tenon_model::Timestamp;

use crate::json::{Bounds, Object, Walk, parse as parse_json};
use crate::{FormatError, Problems};

pub use component::{BomComponent, ComponentKind, Scope};
pub(crate) use installed::release;
pub use installed::{Installed, OF_THE_SYSTEM};
pub use vulnerability::{
    AffectedStatus, AffectedVersions, Affects, Analysis, AnalysisState, BomVulnerability, Justification,
    Rating, Response, VersionsOf,
};

/// Largest document accepted, in bytes.
pub const MAX_BOM: usize = 64 << 20;
/// Most components accepted, nested ones counted; as many as a host's manifest may hold.
pub const MAX_COMPONENTS: usize = 200_000;
/// Most vulnerabilities accepted.
pub const MAX_VULNERABILITIES: usize = 200_000;

const BOUNDS: Bounds = Bounds { what: "the CycloneDX document", bytes: MAX_BOM, values: 4_000_000 };

/// A version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpecVersion {
    /// 1.4
    V1_4,
    /// 1.5
    V1_5,
    /// 1.6
    V1_6,
    /// 1.7
    V1_7,
}

/// A bill of materials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bom {
    /// `specVersion`.
    pub spec: SpecVersion,
    /// `serialNumber` (`urn:uuid:...`).
    pub serial: Option<String>,
    /// `version`: the revision of the document with this serial number.
    pub revision: u64,
    /// `metadata.timestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.component`: what the bill is of.
    pub describes: Option<BomComponent>,
    /// Every component, nested ones after the one that holds them. Those that only a pedigree, a tool or a formula
    /// names are not part of what is described.
    pub components: Vec<BomComponent>,
    /// Which component depends on which, by `bom-ref`.
    pub dependencies: Vec<Dependency>,
    /// What is said of vulnerabilities.
    pub vulnerabilities: Vec<BomVulnerability>,
    /// Where the document breaks its schema, or holds what could not be read.
    pub problems: Problems,
}

/// One entry of the dependency graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// `bom-ref` of what depends.
    pub of: String,
    /// `bom-ref`s of what it depends on.
    pub on: Vec<String>,
}

/// The walk through one document.
struct Reader {
    walk: Walk,
    spec: SpecVersion,
    /// Every `bom-ref` seen: each must be there once.
    refs: HashSet<String>,
    components: Vec<BomComponent>,
    /// Whether there were more components than [`MAX_COMPONENTS`].
    too_many: bool,
}

/// Reads a document, keeping what can be read of one that breaks its schema.
///
/// # Errors
/// When the bytes are more than [`MAX_BOM`], are not a JSON object (nesting beyond 128 levels included), are not a
/// CycloneDX document of version 1.4 to 1.7, or hold more than [`MAX_COMPONENTS`] or [`MAX_VULNERABILITIES`].
pub fn parse(bytes: &[u8]) -> Result<Bom, FormatError> {
    let map = parse_json(&BOUNDS, bytes)?;
    let root = Object::root(&map);
    let mut walk = Walk::default();
    match walk.text(&root, "bomFormat") {
        Some("CycloneDX") => {}
        other => return Err(FormatError::field("bomFormat", other.unwrap_or_default(), "CycloneDX")),
    }
    let spec = match walk.text(&root, "specVersion") {
        Some("1.4") => SpecVersion::V1_4,
        Some("1.5") => SpecVersion::V1_5,
        Some("1.6") => SpecVersion::V1_6,
        Some("1.7") => SpecVersion::V1_7,
        other => {
            let expected = "a version 1.4, 1.5, 1.6 or 1.7";
            return Err(FormatError::field("specVersion", other.unwrap_or_default(), expected));
        }
    };
    let mut reader = Reader { walk, spec, refs: HashSet::new(), components: Vec::new(), too_many: false };
    let serial = reader.walk.text(&root, "serialNumber").map(str::to_owned);
    if let Some(text) = serial.as_deref().filter(|serial| !is_serial(serial)) {
        reader.walk.problem(&root, "serialNumber", text, "urn:uuid: and a UUID in lower case");
    }
    let revision = reader.walk.whole(&root, "version", 1).unwrap_or(1);
    let mut created = None;
    let mut describes = None;
    if let Some(metadata) = reader.walk.object(&root, "metadata") {
        created = reader.walk.time(&metadata, "timestamp");
        describes = reader.metadata(&metadata);
    }
    reader.nested_components(&root, None);
    for service in reader.walk.objects(&root, "services") {
        reader.service(&service);
    }
    let dependencies = reader.dependencies(&root);
    let entries = reader.walk.objects(&root, "vulnerabilities");
    if reader.too_many || entries.len() > MAX_VULNERABILITIES {
        let reason = format!(
            "it holds more than {MAX_COMPONENTS} components or more than {MAX_VULNERABILITIES} vulnerabilities"
        );
        return Err(FormatError::Json { what: BOUNDS.what, reason });
    }
    let vulnerabilities = entries.iter().map(|entry| reader.vulnerability(entry)).collect();
    Ok(Bom {
        spec,
        serial: serial.filter(|serial| is_serial(serial)),
        revision,
        created,
        describes,
        components: reader.components,
        dependencies,
        vulnerabilities,
        problems: reader.walk.problems,
    })
}

/// Reads a document that keeps its schema.
///
/// # Errors
/// As [`parse`], and when anything at all is wrong with it.
pub fn parse_conforming(bytes: &[u8]) -> Result<Bom, FormatError> {
    let bom = parse(bytes)?;
    match bom.problems.listed().first() {
        None => Ok(bom),
        Some(first) => Err(FormatError::Schema {
            what: BOUNDS.what,
            total: bom.problems.total(),
            first: first.to_string(),
        }),
    }
}

/// `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
fn is_serial(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
    })
}

impl Reader {
    fn metadata(&mut self, metadata: &Object<'_>) -> Option<BomComponent> {
        self.licenses(metadata);
        self.properties(metadata);
        if let Some(constraints) = self.walk.object(metadata, "distributionConstraints") {
            let marks = ["CLEAR", "GREEN", "AMBER", "AMBER_AND_STRICT", "RED"];
            self.walk.one_of(&constraints, "tlp", &marks, "CLEAR, GREEN, AMBER, AMBER_AND_STRICT or RED");
        }
        // Since 1.5 tools may be components and services; the older form is a list of its own kind.
        if metadata.is_object("tools")
            && let Some(tools) = self.walk.object(metadata, "tools")
        {
            for tool in self.walk.objects(&tools, "components") {
                self.component(&tool, None);
            }
            for service in self.walk.objects(&tools, "services") {
                self.service(&service);
            }
        }
        let subject = self.walk.object(metadata, "component")?;
        let read = self.component(&subject, None);
        // What stands inside the subject is part of what is described.
        self.nested_components(&subject, None);
        read
    }

    fn dependencies(&mut self, root: &Object<'_>) -> Vec<Dependency> {
        let mut dependencies = Vec::new();
        for entry in self.walk.objects(root, "dependencies") {
            let of = self.reference(&entry, "ref");
            let on: Vec<String> =
                self.walk.texts(&entry, "dependsOn").into_iter().map(str::to_owned).collect();
            if self.spec >= SpecVersion::V1_5 && on.iter().any(String::is_empty) {
                self.walk.problem(&entry, "dependsOn", "", "references that are not empty");
            }
            if let Some(of) = of {
                dependencies.push(Dependency { of, on });
            }
        }
        dependencies
    }

    /// A reference to another element, which must be there.
    fn reference(&mut self, at: &Object<'_>, field: &'static str) -> Option<String> {
        let text = self.walk.required(at, field)?;
        if text.is_empty() && self.spec >= SpecVersion::V1_5 {
            self.walk.problem(at, field, "", "a reference that is not empty");
            return None;
        }
        Some(text.to_owned())
    }

    /// The element's own `bom-ref`: not empty (since 1.5), and used once.
    fn own_reference(&mut self, at: &Object<'_>) -> Option<String> {
        let text = self.walk.text(at, "bom-ref")?;
        if text.is_empty() && self.spec >= SpecVersion::V1_5 {
            self.walk.problem(at, "bom-ref", "", "a reference that is not empty");
            return None;
        }
        if !self.refs.insert(text.to_owned()) {
            self.walk.problem(at, "bom-ref", text, "a reference used once in the document");
        }
        Some(text.to_owned())
    }
}

//! OpenVEX documents (OpenVEX specification v0.2.0, <https://github.com/openvex/spec>): statements of whether products
//! are affected by vulnerabilities.
//!
//! A statement counts only when it is whole: what it would say without one of its parts is something else, mostly
//! something wider. So a statement or product that cannot be read in full is a problem and is left out.

mod claims;

use tenon_model::{Timestamp, VulnerabilityId};

use crate::json::{Bounds, Object, Walk, parse as parse_json};
use crate::purl::Purl;
use crate::{FormatError, Problems};
pub use claims::Claims;

/// Largest document accepted, in bytes.
pub const MAX_DOCUMENT: usize = 32 << 20;
/// Most statements accepted.
pub const MAX_STATEMENTS: usize = 100_000;
/// Longest identifier kept, in bytes.
const MAX_NAME: usize = 4096;

const BOUNDS: Bounds = Bounds { what: "the OpenVEX document", bytes: MAX_DOCUMENT, values: 2_000_000 };

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenVex {
    /// `@id`: the IRI that names the document.
    pub id: String,
    /// Who speaks. A claim, unless a signature over the document was checked.
    pub author: String,
    /// When it was issued.
    pub issued: Option<Timestamp>,
    /// `version` of the document.
    pub version: Option<u64>,
    /// The statements that could be read whole, in the order of the document: of two on one subject the later by
    /// `made` holds.
    pub statements: Vec<Statement>,
    /// What could not be read.
    pub problems: Problems,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `vulnerability.name`.
    pub vulnerability: VulnerabilityId,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// What it speaks of; never empty.
    pub products: Vec<Product>,
    /// Whether they are affected.
    pub status: Status,
    /// Why they are not.
    pub justification: Option<Justification>,
    /// Why they are not, in words.
    pub impact: Option<String>,
    /// What to do, in words.
    pub action: Option<String>,
    /// When it was known to be true: its own timestamp, or that of the document (section "Inheritance Flow").
    pub made: Timestamp,
}

/// Whether products are affected (section "Status Labels").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing has to be done.
    NotAffected,
    /// Something has to be done.
    Affected,
    /// These versions hold a fix.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
}

/// Why a product is not affected (section "Status Justifications").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Justification {
    /// The component is not there.
    ComponentNotPresent,
    /// The component is there, the vulnerable code is not.
    VulnerableCodeNotPresent,
    /// The code is there but never runs.
    VulnerableCodeNotInExecutePath,
    /// The code runs, but no attacker can steer it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// What prevents the exploit is built in and cannot be turned off.
    InlineMitigationsAlreadyExist,
}

/// A product of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// How it is identified.
    pub component: Component,
    /// The parts of it in which the vulnerability lies; none when the statement does not say.
    pub subcomponents: Vec<Component>,
}

/// A piece of software, identified in at least one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `@id`, an IRI; often a package-url.
    pub id: Option<String>,
    /// `identifiers.purl`, else `@id` where that is a package-url. Without a version it means every version.
    pub purl: Option<Purl>,
    /// `identifiers.cpe23`, else `identifiers.cpe22`, as written.
    pub cpe: Option<String>,
    /// Digests by their IANA name (`sha-256`).
    pub hashes: Vec<(String, String)>,
}

/// Reads a document.
///
/// # Errors
/// When the bytes are more than [`MAX_DOCUMENT`], are not a JSON object (nesting beyond 128 levels included), have no
/// OpenVEX `@context`, name or author, or hold more than [`MAX_STATEMENTS`].
pub fn parse(bytes: &[u8]) -> Result<OpenVex, FormatError> {
    let map = parse_json(&BOUNDS, bytes)?;
    let root = Object::root(&map);
    let mut walk = Walk::default();
    let context = walk.text(&root, "@context").unwrap_or_default();
    let rest = context.strip_prefix("https://openvex.dev/ns");
    if !rest.is_some_and(|rest| matches!(rest, "" | "/" | "/v0.2.0")) {
        return Err(FormatError::field("@context", context, "https://openvex.dev/ns/v0.2.0"));
    }
    let mut named = |field: &'static str| {
        walk.plain(&root, field, MAX_NAME)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| FormatError::field(field, "", "a text without control characters"))
    };
    let (id, author) = (named("@id")?, named("author")?);
    let issued = walk.time(&root, "timestamp");
    if !root.has("timestamp") {
        walk.problem(&root, "timestamp", "", "an RFC 3339 time; the field is missing");
    }
    let version = walk.whole(&root, "version", 1);
    if !root.has("version") {
        walk.problem(&root, "version", "", "a whole number; the field is missing");
    }
    let entries = walk.objects(&root, "statements");
    if entries.len() > MAX_STATEMENTS {
        let reason = format!("it holds more than {MAX_STATEMENTS} statements");
        return Err(FormatError::Json { what: BOUNDS.what, reason });
    }
    if entries.is_empty() {
        walk.problem(&root, "statements", "", "at least one statement");
    }
    let mut statements = Vec::with_capacity(entries.len());
    for entry in entries {
        statements.extend(statement(&mut walk, &entry, issued));
        walk.subject = None;
    }
    Ok(OpenVex { id, author, issued, version, statements, problems: walk.problems })
}

fn statement(walk: &mut Walk, at: &Object<'_>, issued: Option<Timestamp>) -> Option<Statement> {
    if !at.has("vulnerability") {
        walk.problem(at, "vulnerability", "", "an object; the field is missing");
    }
    let vulnerability = walk.object(at, "vulnerability")?;
    let name = walk.required(&vulnerability, "name")?;
    let Ok(id) = name.parse::<VulnerabilityId>() else {
        walk.problem(&vulnerability, "name", name, "a vulnerability id");
        return None;
    };
    walk.subject = Some(id.clone());
    let aliases = walk.texts(&vulnerability, "aliases").into_iter().take(1000).map(str::to_owned).collect();
    let made = match at.has("timestamp") {
        true => walk.time(at, "timestamp")?,
        false => issued.or_else(|| {
            walk.problem(at, "timestamp", "", "an RFC 3339 time here or in the document");
            None
        })?,
    };
    let status = status(walk, at)?;
    let justification = match at.has("justification") {
        true => Some(justification(walk, at)?),
        false => None,
    };
    let impact = walk.prose(at, "impact_statement", 4000).filter(|text| !text.is_empty());
    let action = walk.prose(at, "action_statement", 4000).filter(|text| !text.is_empty());
    if status == Status::NotAffected && justification.is_none() && impact.is_none() {
        walk.problem(at, "justification", "", "a justification or an impact_statement for not_affected");
        return None;
    }
    if status == Status::Affected && action.is_none() {
        // Said nevertheless: what to do about it is not what it says.
        walk.problem(at, "action_statement", "", "a text for affected; the statement is kept without it");
    }
    let mut products = Vec::new();
    for entry in walk.objects(at, "products") {
        products.extend(product(walk, &entry));
    }
    if products.is_empty() {
        // The specification lets products come from a document around this one, of which nothing is known here.
        walk.problem(at, "products", "", "at least one product that can be identified");
        return None;
    }
    Some(Statement { vulnerability: id, aliases, products, status, justification, impact, action, made })
}

fn status(walk: &mut Walk, at: &Object<'_>) -> Option<Status> {
    match walk.required(at, "status")? {
        "not_affected" => Some(Status::NotAffected),
        "affected" => Some(Status::Affected),
        "fixed" => Some(Status::Fixed),
        "under_investigation" => Some(Status::UnderInvestigation),
        other => {
            walk.problem(at, "status", other, "not_affected, affected, fixed or under_investigation");
            None
        }
    }
}

fn justification(walk: &mut Walk, at: &Object<'_>) -> Option<Justification> {
    match walk.text(at, "justification")? {
        "component_not_present" => Some(Justification::ComponentNotPresent),
        "vulnerable_code_not_present" => Some(Justification::VulnerableCodeNotPresent),
        "vulnerable_code_not_in_execute_path" => Some(Justification::VulnerableCodeNotInExecutePath),
        "vulnerable_code_cannot_be_controlled_by_adversary" => {
            Some(Justification::VulnerableCodeCannotBeControlledByAdversary)
        }
        "inline_mitigations_already_exist" => Some(Justification::InlineMitigationsAlreadyExist),
        other => {
            walk.problem(at, "justification", other, "one of the specification's five labels");
            None
        }
    }
}

fn product(walk: &mut Walk, at: &Object<'_>) -> Option<Product> {
    let component = component(walk, at)?;
    let mut subcomponents = Vec::new();
    let before = walk.problems.total();
    for entry in walk.objects(at, "subcomponents") {
        subcomponents.extend(self::component(walk, &entry));
    }
    // Without one of its parts the statement would come to speak of the whole product.
    (walk.problems.total() == before).then_some(Product { component, subcomponents })
}

fn component(walk: &mut Walk, at: &Object<'_>) -> Option<Component> {
    let before = walk.problems.total();
    let id = walk.plain(at, "@id", MAX_NAME);
    let identifiers = walk.object(at, "identifiers");
    let mut identifier = |names: [&'static str; 2]| {
        let identifiers = identifiers.as_ref()?;
        names.into_iter().find_map(|name| walk.plain(identifiers, name, MAX_NAME))
    };
    let written = identifier(["purl", "purl"]);
    // The schema of v0.2.0 spells them with @, its text without.
    let cpe = identifier(["cpe23", "@cpe23"]).or_else(|| identifier(["cpe22", "@cpe22"]));
    let written = written.or_else(|| id.clone().filter(|id| id.starts_with("pkg:")));
    let purl = written.and_then(|text| match Purl::parse_lenient(&text) {
        Ok(purl) => Some(purl),
        Err(error) => {
            walk.refused(at, "purl", &error.to_string());
            None
        }
    });
    let mut hashes = Vec::new();
    if let Some(object) = walk.object(at, "hashes") {
        for (name, digest) in walk.text_fields(&object) {
            if name.len() > 40 || digest.len() > 256 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                walk.problem(&object, "hashes", digest, "a hexadecimal digest");
            } else {
                hashes.push((name.to_owned(), digest.to_ascii_lowercase()));
            }
        }
    }
    if walk.problems.total() > before {
        return None;
    }
    if id.is_none() && purl.is_none() && cpe.is_none() && hashes.is_empty() {
        walk.problem(at, "@id, identifiers, hashes", "", "at least one of them");
        return None;
    }
    Some(Component { id, purl, cpe, hashes })
}

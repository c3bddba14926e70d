//! The context document as people write it: one YAML file ([`parse`]), and rows of a CMDB as CSV ([`cmdb`]).
//!
//! A document counts as a whole or not at all, since its parts refer to each other: every problem is told with line and
//! column. Rows of a CMDB are taken one by one.

pub mod cmdb;
mod labels;
mod parts;

use tenon_model::ContextDocument;
use tenon_model::context::Reference;

use crate::yaml::{self, Node, Place, Value};
use crate::{Problem, Problems};

/// Largest document, in bytes.
pub const MAX_DOCUMENT: usize = 64 << 20;
/// The version of the file's shape that is read.
const VERSION: &str = "1";
/// Keys of the document.
const SECTIONS: &[&str] =
    &["version", "zones", "flows", "teams", "services", "redundancy", "assets", "rules", "defaults"];

/// Reads a context document. The shape is described in `docs/context.md`.
///
/// # Errors
/// Every problem, the first hundred in words, each with line and column.
pub fn parse(bytes: &[u8]) -> Result<ContextDocument, Problems> {
    let mut reader = Reader::default();
    let document = reader.document(bytes);
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    // What concerns the document as a whole has no line of its own.
    document.check().map_err(|error| whole(error.to_string()))?;
    Ok(document)
}

fn whole(reason: String) -> Problems {
    let mut problems = Problems::default();
    problems.push(Problem { place: "the document".to_owned(), subject: None, reason });
    problems
}

/// What is read so far: problems, and the names that are used, to be looked up once everything is defined.
#[derive(Default)]
struct Reader {
    problems: Problems,
    used: Vec<(Reference, Place)>,
}

impl Reader {
    fn problem(&mut self, place: Place, reason: impl Into<String>) {
        let reason = crate::text::one_line(&reason.into(), 300);
        self.problems.push(Problem { place: place.to_string(), subject: None, reason });
    }

    fn document(&mut self, bytes: &[u8]) -> ContextDocument {
        let mut document = ContextDocument::default();
        if bytes.len() > MAX_DOCUMENT {
            let reason = format!("{} bytes, more than the {MAX_DOCUMENT} accepted", bytes.len());
            self.problems.push(Problem { place: "the document".to_owned(), subject: None, reason });
            return document;
        }
        let root = match yaml::read(bytes) {
            Ok(root) => root,
            Err(error) => {
                self.problem(error.place, error.reason);
                return document;
            }
        };
        let sections = self.keys(&root, SECTIONS);
        if let Some((_, version)) = sections.iter().find(|(key, _)| *key == "version")
            && self.text(version).is_some_and(|text| text != VERSION)
        {
            self.problem(version.place, format!("this program reads version {VERSION} of the file"));
        }
        for (key, node) in sections {
            match key {
                "zones" => document.zones = self.entries(node, Self::zone),
                "flows" => document.flows = self.items(node, Self::flow).into_iter().collect(),
                "teams" => document.teams = self.entries(node, Self::team),
                "services" => document.services = self.entries(node, Self::service),
                "redundancy" => document.redundancy = self.entries(node, Self::redundancy),
                "assets" => document.assets = self.entries(node, Self::labels),
                "rules" => document.rules = self.items(node, Self::rule),
                "defaults" => document.defaults = self.labels(node),
                _ => {}
            }
        }
        for (reference, place) in std::mem::take(&mut self.used) {
            if !document.defines(&reference) {
                self.problem(place, format!("{reference} is not defined: define it, or correct the name"));
            }
        }
        document
    }

    /// The entries of a mapping with keys that are known.
    fn keys<'n>(&mut self, node: &'n Node, known: &[&str]) -> Vec<(&'n str, &'n Node)> {
        let mut entries = Vec::new();
        match &node.value {
            Value::Map(map) => {
                for (key, value) in map {
                    if known.contains(&key.text.as_str()) {
                        entries.push((key.text.as_str(), value));
                    } else {
                        let reason = format!("{:?} is not known here; one of {}", key.text, known.join(", "));
                        self.problem(key.place, reason);
                    }
                }
            }
            Value::Nothing => {}
            _ => self.problem(node.place, format!("a mapping is expected, of {}", known.join(", "))),
        }
        entries
    }

    /// The entries of a mapping whose keys are names.
    fn entries<K: std::str::FromStr + Ord, V>(
        &mut self,
        node: &Node,
        read: impl Fn(&mut Self, &Node) -> V,
    ) -> std::collections::BTreeMap<K, V>
    where
        K::Err: std::fmt::Display,
    {
        let mut entries = std::collections::BTreeMap::new();
        match &node.value {
            Value::Map(map) => {
                for (key, value) in map {
                    match key.text.parse::<K>() {
                        Ok(name) => {
                            let value = read(self, value);
                            // Two keys may be one name: hosts have no case.
                            if entries.insert(name, value).is_some() {
                                self.problem(key.place, format!("{:?} is there already", key.text));
                            }
                        }
                        Err(error) => self.problem(key.place, error.to_string()),
                    }
                }
            }
            Value::Nothing => {}
            _ => self.problem(node.place, "a mapping of names is expected"),
        }
        entries
    }

    /// The items of a list.
    fn items<V>(&mut self, node: &Node, read: impl Fn(&mut Self, &Node) -> Option<V>) -> Vec<V> {
        match &node.value {
            Value::List(list) => list.iter().filter_map(|item| read(self, item)).collect(),
            Value::Nothing => Vec::new(),
            _ => {
                self.problem(node.place, "a list is expected");
                Vec::new()
            }
        }
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.problem(node.place, "one value is expected");
                None
            }
        }
    }

    /// A value that reads itself.
    fn value<T: std::str::FromStr>(&mut self, node: &Node) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(node)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(node.place, error.to_string());
                None
            }
        }
    }

    /// One of the values of a decision point; blanks may be written as hyphens.
    fn point<T: Copy + std::fmt::Display>(&mut self, node: &Node, all: &[T]) -> Option<T> {
        let text = self.text(node)?;
        let found = labels::point(text, all);
        if found.is_none() {
            self.problem(node.place, format!("{text:?} is none of {}", labels::names(all)));
        }
        found
    }

    /// One value or a list of them.
    fn values<T: std::str::FromStr + Ord>(&mut self, node: &Node) -> std::collections::BTreeSet<(T, Place)>
    where
        T::Err: std::fmt::Display,
    {
        let nodes = match &node.value {
            Value::List(list) => list.iter().collect(),
            Value::Nothing => Vec::new(),
            _ => vec![node],
        };
        let values = nodes.into_iter().filter_map(|node| Some((self.value(node)?, node.place)));
        values.collect()
    }
}

//! YAML as a tree of texts with their places, bounded. Anchors, aliases, tags and further documents are refused: a file
//! that people review says everything where it stands, once.

use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// Deepest nesting; a context needs four.
const MAX_DEPTH: usize = 16;
/// Most nodes: a million assets of eight fields, twice over.
const MAX_NODES: usize = 20_000_000;

/// Where something stands, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl From<&Marker> for Place {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A text with its place.
#[derive(Debug)]
pub struct Key {
    /// Where it begins.
    pub place: Place,
    /// The text.
    pub text: String,
}

/// What a node holds.
#[derive(Debug)]
pub enum Value {
    /// Nothing, or `null` or `~` without quotes.
    Nothing,
    /// A scalar, as text: what it means is its reader's business, so that `no` is a text and `1.10` keeps its zero.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// In the order of the file; no key twice.
    Map(Vec<(Key, Node)>),
}

/// A part of the document.
#[derive(Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it holds.
    pub value: Value,
}

/// Why there is no tree.
#[derive(Debug)]
pub struct YamlError {
    /// Where the reader stopped.
    pub place: Place,
    /// What is wrong there.
    pub reason: String,
}

/// A list or mapping that has not ended.
enum Open {
    List(Place, Vec<Node>),
    Map { place: Place, entries: Vec<(Key, Node)>, key: Option<Key>, seen: BTreeMap<String, Place> },
}

/// Reads a document; an empty one is nothing.
///
/// # Errors
/// [`YamlError`] with its place, where the bytes are no YAML of this kind or exceed a bound.
pub fn read(bytes: &[u8]) -> Result<Node, YamlError> {
    let start = Place { line: 1, column: 1 };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        YamlError { place: Place { line, column: 1 }, reason: "not UTF-8".to_owned() }
    })?;
    let mut builder = Builder { open: Vec::new(), root: None, nodes: 0 };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError {
            place: error.marker().into(),
            reason: format!("not YAML: {}", error.info()),
        })?;
        let place = Place::from(&span.start);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
        }
        if documents > 1 {
            return Err(YamlError { place, reason: "one document is read, not several".to_owned() });
        }
        builder.take(event, place)?;
    }
    Ok(builder.root.unwrap_or(Node { place: start, value: Value::Nothing }))
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), YamlError> {
        let refuse = |reason: &str| Err(YamlError { place, reason: reason.to_owned() });
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return refuse("more values than such a file may hold");
        }
        if let Event::Scalar(_, _, anchor, tag) = &event
            && (*anchor != 0 || tag.is_some())
        {
            return refuse("anchors and tags are not read: write the value where it is used");
        }
        if let Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) = &event {
            if *anchor != 0 || tag.is_some() {
                return refuse("anchors and tags are not read: write the value where it is used");
            }
            if self.open.len() >= MAX_DEPTH {
                return refuse("nested deeper than such a file is");
            }
            if matches!(self.open.last(), Some(Open::Map { key: None, .. })) {
                return refuse("a key is one text");
            }
        }
        match event {
            Event::Alias(_) => return refuse("aliases are not read: write the value where it is used"),
            Event::Scalar(text, style, ..) => {
                let nothing = style == ScalarStyle::Plain && matches!(text.as_ref(), "" | "~" | "null");
                if let Some(Open::Map { key: key @ None, seen, .. }) = self.open.last_mut() {
                    let text = text.into_owned();
                    if let Some(first) = seen.insert(text.clone(), place) {
                        let reason = format!("{text:?} is there already, in {first}");
                        return Err(YamlError { place, reason });
                    }
                    *key = Some(Key { place, text });
                } else {
                    let value = if nothing { Value::Nothing } else { Value::Text(text.into_owned()) };
                    self.put(Node { place, value });
                }
            }
            Event::SequenceStart(..) => self.open.push(Open::List(place, Vec::new())),
            Event::MappingStart(..) => {
                let seen = BTreeMap::new();
                self.open.push(Open::Map { place, entries: Vec::new(), key: None, seen });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(place, items)) => self.put(Node { place, value: Value::List(items) }),
                Some(Open::Map { place, entries, .. }) => {
                    self.put(Node { place, value: Value::Map(entries) });
                }
                None => return refuse("an end without a beginning"),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map { entries, key, .. }) => entries.extend(key.take().map(|key| (key, node))),
            None => self.root = Some(node),
        }
    }
}

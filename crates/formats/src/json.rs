//! JSON documents walked field by field, so that one bad field is a problem with its place and the rest is still read.

use std::rc::Rc;

use serde_json::{Map, Value};
use tenon_model::{Timestamp, VulnerabilityId};

use crate::text::{cut, one_line, rfc3339};
use crate::{FormatError, Problem, Problems};

/// The bounds of a kind of document.
pub(crate) struct Bounds {
    /// The kind of document, as a noun phrase.
    pub(crate) what: &'static str,
    /// Most bytes.
    pub(crate) bytes: usize,
    /// Most values: a byte can ask for a value of some forty bytes of memory.
    pub(crate) values: usize,
}

/// Parses an object within bounds. Nesting beyond 128 levels is refused by the JSON reader.
pub(crate) fn parse(bounds: &Bounds, bytes: &[u8]) -> Result<Map<String, Value>, FormatError> {
    FormatError::bound(bounds.what, bytes, bounds.bytes)?;
    if values_at_most(bytes) > bounds.values {
        let reason = format!("it holds more than {} values", bounds.values);
        return Err(FormatError::Json { what: bounds.what, reason });
    }
    serde_json::from_slice(bytes).map_err(|error| FormatError::json(bounds.what, &error))
}

/// A bound on how many values a document can hold: one for each comma and opening bracket outside texts.
fn values_at_most(bytes: &[u8]) -> usize {
    let (mut values, mut in_text, mut escaped) = (1, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

/// An object of a document, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Object<'v> {
    /// The field that holds it, from the root on; shared by the objects of a list, which may be millions.
    field: Rc<str>,
    /// Its place in that field's list.
    index: Option<usize>,
    map: &'v Map<String, Value>,
}

impl<'v> Object<'v> {
    pub(crate) fn root(map: &'v Map<String, Value>) -> Self {
        Self { field: Rc::from(""), index: None, map }
    }

    /// Where it stands: `components[3].hashes[0]`, or `document` for the root.
    fn place(&self) -> String {
        match (&*self.field, self.index) {
            ("", _) => "document".to_owned(),
            (field, Some(index)) => format!("{field}[{index}]"),
            (field, None) => field.to_owned(),
        }
    }

    /// Whether the field is there and not `null`.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// Whether the field holds an object, where the format allows other forms beside it.
    pub(crate) fn is_object(&self, field: &str) -> bool {
        self.get(field).is_some_and(Value::is_object)
    }

    fn get(&self, field: &str) -> Option<&'v Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    fn inside(&self, field: &str) -> Rc<str> {
        match &*self.field {
            "" => Rc::from(field),
            _ => Rc::from(format!("{}.{field}", self.place())),
        }
    }
}

/// Collects the problems of a document on the way through it.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) problems: Problems,
    /// Which vulnerability the document, or the part of it under way, speaks of.
    pub(crate) subject: Option<VulnerabilityId>,
}

impl Walk {
    /// Adds a problem: the place, the field and what it holds.
    pub(crate) fn problem(
        &mut self,
        at: &Object<'_>,
        field: &'static str,
        value: &str,
        expected: &'static str,
    ) {
        self.add(at, || FormatError::field(field, value, expected).to_string());
    }

    /// Adds a problem that another reader found in a field.
    pub(crate) fn refused(&mut self, at: &Object<'_>, field: &'static str, reason: &str) {
        self.add(at, || format!("field {field}: {reason}"));
    }

    fn wrong_type(&mut self, at: &Object<'_>, field: &'static str, value: &Value, expected: &'static str) {
        self.add(at, || FormatError::field(field, &cut(&value.to_string(), 80), expected).to_string());
    }

    /// Words are made only for problems that are listed: a hostile document can hold millions.
    fn add(&mut self, at: &Object<'_>, reason: impl FnOnce() -> String) {
        if self.problems.is_full() {
            self.problems.count();
            return;
        }
        self.problems.push(Problem { place: at.place(), subject: self.subject.clone(), reason: reason() });
    }

    /// A text as it stands; `None` when absent.
    pub(crate) fn text<'v>(&mut self, at: &Object<'v>, field: &'static str) -> Option<&'v str> {
        match at.get(field)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong_type(at, field, other, "a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn required<'v>(&mut self, at: &Object<'v>, field: &'static str) -> Option<&'v str> {
        if !at.has(field) {
            self.problem(at, field, "", "a text; the field is missing");
        }
        self.text(at, field)
    }

    /// A name, version or other identifier: at most `limit` bytes and no control characters.
    pub(crate) fn plain(&mut self, at: &Object<'_>, field: &'static str, limit: usize) -> Option<String> {
        let text = self.text(at, field)?;
        if text.len() > limit || text.chars().any(char::is_control) {
            self.problem(at, field, text, "a text without control characters, within its bound");
            return None;
        }
        Some(text.to_owned())
    }

    /// Prose for people: one line, free of control characters, cut to `limit` characters.
    pub(crate) fn prose(&mut self, at: &Object<'_>, field: &'static str, limit: usize) -> Option<String> {
        self.text(at, field).map(|text| one_line(text, limit))
    }

    /// One of a list of words.
    pub(crate) fn one_of<'v>(
        &mut self,
        at: &Object<'v>,
        field: &'static str,
        words: &[&str],
        expected: &'static str,
    ) -> Option<&'v str> {
        let text = self.text(at, field)?;
        if !words.contains(&text) {
            self.problem(at, field, text, expected);
            return None;
        }
        Some(text)
    }

    /// An RFC 3339 time with its offset.
    pub(crate) fn time(&mut self, at: &Object<'_>, field: &'static str) -> Option<Timestamp> {
        let text = self.text(at, field)?;
        let time = rfc3339(text);
        if time.is_none() {
            self.problem(at, field, text, "an RFC 3339 time");
        }
        time
    }

    /// `true` or `false`.
    pub(crate) fn truth(&mut self, at: &Object<'_>, field: &'static str) -> Option<bool> {
        match at.get(field)? {
            Value::Bool(truth) => Some(*truth),
            other => {
                self.wrong_type(at, field, other, "true or false");
                None
            }
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&mut self, at: &Object<'_>, field: &'static str, least: u64) -> Option<u64> {
        let value = at.get(field)?;
        // JSON Schema counts 1.0 as an integer.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and in range"
        )]
        let whole = value.as_u64().or_else(|| {
            value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n)).map(|n| n as u64)
        });
        match whole {
            Some(whole) if whole >= least => Some(whole),
            _ => {
                self.wrong_type(at, field, value, "a whole number, not below its least");
                None
            }
        }
    }

    /// An object; `None` when absent.
    pub(crate) fn object<'v>(&mut self, at: &Object<'v>, field: &'static str) -> Option<Object<'v>> {
        match at.get(field)? {
            Value::Object(map) => Some(Object { field: at.inside(field), index: None, map }),
            other => {
                self.wrong_type(at, field, other, "an object");
                None
            }
        }
    }

    /// Every field of an object, for objects that carry names as fields; what is no text is a problem.
    pub(crate) fn text_fields<'v>(&mut self, at: &Object<'v>) -> Vec<(&'v str, &'v str)> {
        let mut fields = Vec::new();
        for (name, value) in at.map {
            match value {
                Value::String(text) => fields.push((name.as_str(), text.as_str())),
                other => self.wrong_type(at, "(each field)", other, "a text"),
            }
        }
        fields
    }

    fn list<'v>(&mut self, at: &Object<'v>, field: &'static str) -> &'v [Value] {
        match at.get(field) {
            None => &[],
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.wrong_type(at, field, other, "a list");
                &[]
            }
        }
    }

    /// The objects of a list; none when absent.
    pub(crate) fn objects<'v>(&mut self, at: &Object<'v>, field: &'static str) -> Vec<Object<'v>> {
        let list = self.list(at, field);
        if list.is_empty() {
            return Vec::new();
        }
        let inside = at.inside(field);
        let mut objects = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            match value {
                Value::Object(map) => {
                    objects.push(Object { field: Rc::clone(&inside), index: Some(index), map });
                }
                other => self.wrong_type(at, field, other, "a list of objects"),
            }
        }
        objects
    }

    /// The texts of a list; none when absent.
    pub(crate) fn texts<'v>(&mut self, at: &Object<'v>, field: &'static str) -> Vec<&'v str> {
        let mut texts = Vec::new();
        for value in self.list(at, field) {
            match value {
                Value::String(text) => texts.push(text.as_str()),
                other => self.wrong_type(at, field, other, "a list of texts"),
            }
        }
        texts
    }

    /// Whole numbers of a list; none when absent.
    pub(crate) fn numbers(&mut self, at: &Object<'_>, field: &'static str) -> Vec<u64> {
        let mut numbers = Vec::new();
        for value in self.list(at, field) {
            match value.as_u64() {
                Some(number) => numbers.push(number),
                None => self.wrong_type(at, field, value, "a list of whole numbers"),
            }
        }
        numbers
    }
}

//! The journal as text that proves itself: JSON Lines.
//!
//! The first line is the header, each further line an entry, and the last the head:
//!
//! ```text
//! {"format":"tenon-journal","version":1,"genesis":"<64 hex digits>"}
//! {"seq":1,"time_ms":1700000000000,"term":1,"payload":"<text>","prev":"<hex>","hash":"<hex>"}
//! {"seq":2,"time_ms":1700000000000,"term":1,"payload_base64":"<base64>","prev":"<hex>","hash":"<hex>"}
//! {"head":{"seq":2,"time_ms":1700000000000,"term":1,"hash":"<hex>"}}
//! ```
//!
//! A journal that was cut has version 2: its header names the entry with which it begins, which is the first line after it.
//!
//! ```text
//! {"format":"tenon-journal","version":2,"genesis":"<hex>","base":{"seq":7,"time_ms":1700000000000,"term":1,"hash":"<hex>"}}
//! ```
//!
//! `payload` is used where the payload is UTF-8, `payload_base64` (RFC 4648, section 4) otherwise. Blobs are not
//! exported: a payload names them by SHA-256, so whoever has one can check it.

use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use tenon_model::Digest;

use crate::verify::{next, walk};
use crate::{ChainError, Entry, Head, Journal, JournalError, MAX_PAYLOAD, genesis_hash};

/// Longest line of an export, in bytes: a payload of control characters takes six bytes each (`\u0001`), and the
/// other fields less than 1 KiB.
pub const MAX_EXPORT_LINE: usize = 6 * MAX_PAYLOAD + 1024;

const FORMAT: &str = "tenon-journal";
/// Of a journal that begins with the first entry, and of one that was cut.
const VERSIONS: (u32, u32) = (1, 2);

/// Why a journal was not exported, or an export does not verify.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The text could not be written or read.
    #[error("cannot {doing} the export at line {line}: {source}")]
    Io {
        /// The operation.
        doing: &'static str,
        /// The line, from 1.
        line: u64,
        /// The failure.
        source: io::Error,
    },
    /// A line is not what the format asks for.
    #[error("line {line} of the export is not {expected}: {detail}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The chain is broken.
    #[error("line {line} of the export: {source}")]
    Chain {
        /// The line, from 1.
        line: u64,
        /// The broken entry.
        source: ChainError,
    },
    /// The last line names another head than the entries lead to.
    #[error("the export names entry {} ({}) as its head, its entries lead to {} ({}): it was cut or altered", named.seq, named.hash, reached.seq, reached.hash)]
    HeadMismatch {
        /// The head that the last line names.
        named: Box<Head>,
        /// The head that the entries lead to.
        reached: Box<Head>,
    },
}

/// The line is known only to whoever counts them.
impl From<ChainError> for ExportError {
    fn from(source: ChainError) -> Self {
        match source {
            ChainError::Journal(error) => Self::Journal(error),
            source @ ChainError::Entry { .. } => Self::Chain { line: 0, source },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    format: String,
    version: u32,
    genesis: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<HeadFields>,
}

impl HeaderLine {
    fn of(base: Option<Head>) -> Self {
        let version = if base.is_none() { VERSIONS.0 } else { VERSIONS.1 };
        let base = base.map(HeadFields::from);
        Self { format: FORMAT.to_owned(), version, genesis: genesis_hash(), base }
    }

    fn is_known(&self) -> bool {
        let version = if self.base.is_none() { VERSIONS.0 } else { VERSIONS.1 };
        self.format == FORMAT && self.version == version && self.genesis == genesis_hash()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    seq: u64,
    time_ms: i64,
    term: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    prev: Digest,
    hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFields {
    seq: u64,
    time_ms: i64,
    term: u64,
    hash: Digest,
}

impl From<Head> for HeadFields {
    fn from(Head { seq, time_ms, term, hash }: Head) -> Self {
        Self { seq, time_ms, term, hash }
    }
}

impl From<HeadFields> for Head {
    fn from(HeadFields { seq, time_ms, term, hash }: HeadFields) -> Self {
        Self { seq, time_ms, term, hash }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    head: HeadFields,
}

/// Everything after the header; told apart by the fields.
#[derive(Deserialize)]
#[serde(untagged)]
enum BodyLine {
    Entry(EntryLine),
    Head(HeadLine),
}

/// Writes the chain from its base on as JSON Lines, one page in memory at a time, and returns the head written.
///
/// # Errors
/// When the journal cannot be read or the text cannot be written.
pub fn export(journal: &dyn Journal, out: &mut dyn Write) -> Result<Head, ExportError> {
    let mut line = 1;
    write_line(out, &HeaderLine::of(journal.base()?), line)?;
    // A broken chain is not exported as if it were whole.
    let walked = walk(journal, |entry| {
        line += 1;
        write_line(out, &EntryLine::from(entry), line)
    });
    let (_, head) = walked.map_err(|error| match error {
        ExportError::Chain { source, .. } => ExportError::Chain { line: line + 1, source },
        other => other,
    })?;
    write_line(out, &HeadLine { head: head.into() }, line + 1)?;
    out.flush().map_err(|source| ExportError::Io { doing: "write", line: line + 1, source })?;
    Ok(head)
}

/// What an export proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The entry with which it begins, where the journal was cut.
    pub base: Option<Head>,
    /// Its end.
    pub head: Head,
}

/// Re-computes the chain of an export, without any database, one line in memory at a time. `each` is shown every entry
/// once it is proven.
///
/// # Errors
/// The first line that is malformed, too long or breaks the chain, a missing or wrong last line, or a failed read.
pub fn verify_export(input: &mut dyn BufRead, each: &mut dyn FnMut(&Entry)) -> Result<Exported, ExportError> {
    let mut lines = Lines { input, line: 0, text: Vec::new() };
    let expected = "the header of a Tenon journal, version 1 or 2";
    let header: HeaderLine = lines.parse(expected)?;
    if !header.is_known() {
        let detail = format!("format {:?}, version {}", header.format, header.version);
        return Err(lines.malformed(expected, detail));
    }
    let base = header.base.map(Head::from);
    let mut reached = None;
    loop {
        let expected = "an entry or the head";
        match lines.parse(expected)? {
            BodyLine::Entry(line) => {
                let entry = line.into_entry().map_err(|detail| lines.malformed(expected, detail))?;
                let head = next(reached, base, &entry);
                reached = Some(head.map_err(|source| ExportError::Chain { line: lines.line, source })?);
                each(&entry);
            }
            BodyLine::Head(HeadLine { head: named }) => {
                let named = Head::from(named);
                let head = reached.or_else(|| base.is_none().then(Head::genesis));
                let Some(head) = head.filter(|head| *head == named) else {
                    let reached = head.unwrap_or_else(Head::genesis);
                    return Err(ExportError::HeadMismatch {
                        named: Box::new(named),
                        reached: Box::new(reached),
                    });
                };
                if lines.next()? {
                    return Err(lines.malformed("the end", "text follows the head".to_owned()));
                }
                return Ok(Exported { base, head });
            }
        }
    }
}

impl From<Entry> for EntryLine {
    fn from(entry: Entry) -> Self {
        let Entry { seq, time_ms, term, payload, prev, hash } = entry;
        let (payload, payload_base64) = match String::from_utf8(payload) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(BASE64.encode(error.as_bytes()))),
        };
        Self { seq, time_ms, term, payload, payload_base64, prev, hash }
    }
}

impl EntryLine {
    fn into_entry(self) -> Result<Entry, String> {
        let payload = match (self.payload, self.payload_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => {
                BASE64.decode(text).map_err(|error| format!("payload_base64 is not base64: {error}"))?
            }
            (Some(_), Some(_)) => return Err("both payload and payload_base64 are given".to_owned()),
            (None, None) => return Err("neither payload nor payload_base64 is given".to_owned()),
        };
        let Self { seq, time_ms, term, prev, hash, .. } = self;
        Ok(Entry { seq, time_ms, term, payload, prev, hash })
    }
}

fn write_line(out: &mut dyn Write, value: &impl Serialize, line: u64) -> Result<(), ExportError> {
    let failed = |source| ExportError::Io { doing: "write", line, source };
    let mut text = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(failed)
}

/// Lines of bounded length.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// The current line, from 1.
    line: u64,
    text: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next line, and says whether there was one.
    fn next(&mut self) -> Result<bool, ExportError> {
        self.line += 1;
        self.text.clear();
        let mut bounded = io::Read::take(&mut *self.input, MAX_EXPORT_LINE as u64 + 1);
        bounded.read_until(b'\n', &mut self.text).map_err(|source| ExportError::Io {
            doing: "read",
            line: self.line,
            source,
        })?;
        if self.text.len() > MAX_EXPORT_LINE {
            return Err(self.malformed("a line of bounded length", format!("above {MAX_EXPORT_LINE} bytes")));
        }
        Ok(!self.text.is_empty())
    }

    fn parse<T: for<'de> Deserialize<'de>>(&mut self, expected: &'static str) -> Result<T, ExportError> {
        if !self.next()? {
            return Err(self.malformed(expected, "the export ends here, it was cut".to_owned()));
        }
        serde_json::from_slice(&self.text).map_err(|error| self.malformed(expected, error.to_string()))
    }

    fn malformed(&self, expected: &'static str, detail: String) -> ExportError {
        ExportError::Malformed { line: self.line, expected, detail }
    }
}

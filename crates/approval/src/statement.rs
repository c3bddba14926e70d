//! What is signed: a few lines that a person can read.

use std::fmt;
use std::str::FromStr;

use tenon_model::{Digest, DirectiveId, Timestamp};

/// The namespace of the signature: one that was made for anything else is none for this.
pub const NAMESPACE: &str = "tenon-approval";
/// Longest statement, in bytes.
pub const MAX_STATEMENT: usize = 512;
/// Most changes that one statement covers.
pub const MAX_CHANGES: u64 = 4_096;
/// Longest that a statement counts, in days.
pub const MAX_DAYS: u32 = 31;
/// The first line.
const VERSION: &str = "tenon approval v1";

/// What a person says with a signature: these changes, of this directive, may be made until then.
///
/// ```text
/// tenon approval v1
/// directive: dir_10
/// changes: 3
/// root: 3b621dcdd18fca04deb5dd4aea9f404fde747c30a140e4e039e419b247026740
/// issued: 2026-11-30T13:00:00Z
/// expires: 2026-12-07T13:00:00Z
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The directive.
    pub directive: DirectiveId,
    /// How many changes the tree holds.
    pub changes: u64,
    /// The root over the leaves of all of them.
    pub root: Digest,
    /// When it was made, by the clock of whoever signed; whole seconds.
    pub issued: Timestamp,
    /// Nothing begins by it after this; whole seconds.
    pub expires: Timestamp,
}

/// A text that is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not the lines of one.
    #[error("{0}: what `tenon approve --key` signs has six lines, the first {VERSION:?}")]
    Shape(String),
    /// A number of changes that none has.
    #[error("it covers {0} changes, 1 to {MAX_CHANGES} are accepted")]
    Changes(u64),
    /// It ends before it begins, or counts for too long.
    #[error("it counts from {issued} to {expires}: it must end after it begins, and within {MAX_DAYS} days")]
    Span {
        /// When it was made.
        issued: Timestamp,
        /// When it ends.
        expires: Timestamp,
    },
}

impl fmt::Display for Statement {
    /// The exact text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directive, changes, root, issued, expires } = self;
        writeln!(f, "{VERSION}")?;
        writeln!(f, "directive: {directive}")?;
        writeln!(f, "changes: {changes}")?;
        writeln!(f, "root: {root}")?;
        writeln!(f, "issued: {issued}")?;
        writeln!(f, "expires: {expires}")
    }
}

impl FromStr for Statement {
    type Err = StatementError;

    /// Reads a text that is written exactly so, and in no other way that means the same.
    fn from_str(text: &str) -> Result<Self, StatementError> {
        let shape = |why: &str| StatementError::Shape(why.to_owned());
        if text.len() > MAX_STATEMENT {
            return Err(shape("it is too long"));
        }
        let mut lines = text.split_terminator('\n');
        if lines.next() != Some(VERSION) {
            return Err(shape("its first line is another"));
        }
        let mut value = |key: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(key)?.strip_prefix(": "));
            line.ok_or_else(|| {
                StatementError::Shape(format!("the line `{key}: ` is missing or out of place"))
            })
        };
        let directive = value("directive")?.parse().map_err(|_| shape("its directive is none"))?;
        let changes = value("changes")?.parse().map_err(|_| shape("its number of changes is none"))?;
        let root = value("root")?.parse().map_err(|_| shape("its root is no SHA-256 digest"))?;
        let issued = value("issued")?;
        let issued = Timestamp::parse(issued).ok_or_else(|| shape("when it was made is no time"))?;
        let expires = value("expires")?;
        let expires = Timestamp::parse(expires).ok_or_else(|| shape("its end is no time"))?;
        let statement = Self { directive, changes, root, issued, expires };
        if statement.to_string() != text {
            return Err(shape("it is not written as it must be"));
        }
        if !(1..=MAX_CHANGES).contains(&changes) {
            return Err(StatementError::Changes(changes));
        }
        if expires <= issued || expires > issued.plus_days(MAX_DAYS) {
            return Err(StatementError::Span { issued, expires });
        }
        Ok(statement)
    }
}

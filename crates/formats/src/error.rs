//! Why a document or a record cannot be read at all.

/// Why a document or a record cannot be read. Values are cut to 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// More bytes than the reader accepts.
    #[error("{what} holds {bytes} bytes, more than the {limit} accepted; check where it came from")]
    TooLarge {
        /// The kind of document.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// Not JSON, or JSON of another shape.
    #[error("{what} is not readable JSON of its format: {reason}")]
    Json {
        /// The kind of document.
        what: &'static str,
        /// What the JSON reader says, with line and column.
        reason: String,
    },
    /// A field holds something that its format does not allow, or is missing (the value is then empty).
    #[error("field {field} is {value:?}; expected {expected}")]
    Field {
        /// The field, as the format names it.
        field: &'static str,
        /// The offending text.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A range of affected versions that cannot be read exactly.
    #[error("versions affected of package {package:?} in {ecosystem:?}: {reason}")]
    Range {
        /// The ecosystem of the package.
        ecosystem: String,
        /// The package.
        package: String,
        /// What is wrong with the range.
        reason: String,
    },
    /// Not a package-url.
    #[error("package-url {purl:?}: {reason}")]
    Purl {
        /// The text.
        purl: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not a version range, or one that cannot be evaluated exactly.
    #[error("version range {vers:?}: {reason}")]
    Vers {
        /// The text.
        vers: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A document that can be read in part but does not keep its schema.
    #[error("{what} breaks its schema in {total} places; {first}")]
    Schema {
        /// The kind of document.
        what: &'static str,
        /// How many problems there are.
        total: u64,
        /// The first of them.
        first: String,
    },
}

impl FormatError {
    pub(crate) fn field(field: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Field { field, value: crate::text::cut(value, 80), expected }
    }

    pub(crate) fn json(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Json { what, reason: crate::text::cut(&error.to_string(), 300) }
    }

    /// Refuses a document of more than `limit` bytes.
    pub(crate) fn bound(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), Self> {
        if bytes.len() > limit {
            return Err(Self::TooLarge { what, bytes: bytes.len(), limit });
        }
        Ok(())
    }
}

//! What people said of a directive.

use serde::{Deserialize, Serialize};
use tenon_model::Note;
use utoipa::ToSchema;

/// A note in the thread of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    /// When, RFC 3339.
    pub at: String,
    /// Who.
    pub by: String,
    /// `comment`, `dispute` or `answer`.
    pub kind: String,
    /// What it says.
    pub text: String,
}

impl NoteView {
    pub(super) fn of(note: &Note) -> Self {
        Self {
            at: note.at.to_string(),
            by: note.by.to_string(),
            kind: note.kind.as_str().to_owned(),
            text: note.text.clone(),
        }
    }
}

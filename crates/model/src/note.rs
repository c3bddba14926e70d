//! What people say to each other about a directive: one thread, which both teams read.

use serde::{Deserialize, Serialize};

use crate::{Person, Timestamp};

/// Longest text of a note, in bytes.
pub const MAX_NOTE: usize = 2_000;

/// What a note does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// It says something.
    Comment,
    /// It disputes the directive: not affected, not possible, not now, because ... Nothing of it is approved until that is answered.
    Dispute,
    /// It answers what was disputed, which stands in the way no more.
    Answer,
}

impl NoteKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Comment, Self::Dispute, Self::Answer];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Dispute => "dispute",
            Self::Answer => "answer",
        }
    }
}

/// A note in the thread of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Person,
    /// What it does.
    pub kind: NoteKind,
    /// What it says.
    pub text: String,
}

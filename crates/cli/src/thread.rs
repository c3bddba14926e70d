//! What people say to each other about a directive.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tenon_model::NoteKind;
use tenon_server::DirectiveView;

use crate::common::Common;
use crate::people::done;

/// Say something in the thread of a directive, for whoever works on it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon comment dir_10 'the vendor mends this with the next image'\n  tenon show dir_10"
)]
pub(crate) struct Comment {
    /// `dir_...`
    directive: String,
    /// What to say: at most 2,000 bytes. It stays in the record.
    text: String,
}

/// Dispute a directive: nothing of it is approved, by a person or a rule, until that is answered.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon dispute dir_10 --why 'the module is not loaded on these hosts'\n  \
    tenon answer dir_10 --why 'it is, on db1 and db2: see lsmod'\n\n\
    What is under way goes on: `tenon halt` stops it. Where a risk is to be accepted, `tenon exception grant` is the way."
)]
pub(crate) struct Dispute {
    /// `dir_...`
    directive: String,
    /// Why: not affected, not possible, not now.
    #[arg(long)]
    why: String,
}

/// Answer what was disputed: the directive can be approved again.
#[derive(Args)]
pub(crate) struct Answer {
    /// `dir_...`
    directive: String,
    /// Why it is to be done after all.
    #[arg(long)]
    why: String,
}

fn note(common: &Common, directive: &str, kind: NoteKind, text: &str, said: &str) -> Result<()> {
    let path = format!("/api/v1/directives/{directive}/notes");
    done(common, &path, &json!({ "kind": kind, "text": text }), &format!("{directive} {said}"))
}

impl Comment {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        note(common, &self.directive, NoteKind::Comment, &self.text, "noted")
    }
}

impl Dispute {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let said = "disputed: nothing of it is approved until somebody answers";
        note(common, &self.directive, NoteKind::Dispute, &self.why, said)
    }
}

impl Answer {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        note(common, &self.directive, NoteKind::Answer, &self.why, "answered: it can be approved again")
    }
}

/// The thread of a directive, as `tenon show` tells it.
pub(crate) fn told(directive: &DirectiveView) -> String {
    let mut text = String::new();
    if directive.disputed {
        text.push_str("  DISPUTED: nothing of it is approved until somebody answers (tenon answer)\n");
    }
    for note in &directive.thread {
        let kind = if note.kind == "comment" { String::new() } else { format!(" ({})", note.kind) };
        let lines = note.text.replace('\n', "\n      ");
        text.push_str(&format!("  {} {}{kind}\n      {lines}\n", note.at, note.by));
    }
    text
}

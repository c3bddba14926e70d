//! A post on its way.

use std::time::Duration;

use tenon_model::Timestamp;

use super::Addressee;
use super::file::Way;
use super::hook::Client;

/// Something ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    /// The same for the same message, however often it is sent.
    pub(super) id: String,
    pub(super) content: Content,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// The body of a request.
    Body { content_type: &'static str, bytes: Vec<u8> },
    /// A mail.
    Mail { subject: String, text: String },
}

/// Why a post was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotTaken {
    pub(super) why: String,
    /// How long the other side asks to wait.
    pub(super) wait: Option<Duration>,
}

/// Sends posts, each the way its addressee takes them.
#[derive(Debug, Clone)]
pub(crate) struct Poster(Client);

impl Poster {
    pub(crate) fn new() -> Self {
        Self(Client::new())
    }

    /// Sends a post at `now`; blocks until there is an answer.
    ///
    /// # Errors
    /// [`NotTaken`], without what is secret in the address.
    pub(super) fn send(&self, to: &Addressee, post: &Post, now: Timestamp) -> Result<(), NotTaken> {
        match (&to.way, &post.content) {
            (Way::Hook(hook), Content::Body { content_type, bytes }) => {
                self.0.send(hook, &post.id, (content_type, bytes), now)
            }
            (Way::Mail(mail), Content::Mail { subject, text }) => mail.send(&post.id, subject, text),
            (Way::Hook(_), Content::Mail { .. }) | (Way::Mail(_), Content::Body { .. }) => {
                Err(NotTaken { why: format!("{} cannot be sent this way", to.form), wait: None })
            }
        }
    }
}

//! Messages to where people look anyhow: what needs a person is told there, with the directive's own words and a link.
//!
//! ```text
//! record --entries from an addressee's place on--> worth a message? --> the addressee's form --> POST
//!                                                       the place moves once the other side has said 2xx
//! ```
//!
//! The record itself is the outbox: what was recorded and not delivered is read again, after an outage of the other side as
//! after one of Tenon, so that nothing is lost. A crash between an answer and the note of it repeats one message; its id tells.

mod courier;
mod file;
mod form;
mod hook;
mod mail;
mod outbox;
mod post;
mod said;
mod waiting;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tenon_model::{AssetId, Digest, DirectiveId, GroupName, Timestamp};
use utoipa::ToSchema;

pub(crate) use courier::{Courier, LOOK, try_out};
pub use file::{Addressee, Addressees, MessagesError};
pub use outbox::OutboxError;
pub(crate) use outbox::{Outbox, Standing};
pub(crate) use post::Poster;

use crate::view::DirectiveLine;

/// The file in the data folder that is read where no other is named.
pub(crate) const FILE: &str = "messages.yaml";

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MessageTopic)]
pub enum Topic {
    /// A directive waits for a person's approval.
    Approval,
    /// A directive is due within three days, or an attack was seen.
    Urgent,
    /// A rehearsal or a change failed, a host fell silent, a rollout stopped by itself, two hosts use one key.
    Trouble,
    /// An accepted risk counts again, because its time is up.
    Exception,
    /// A directive was raised.
    Raised,
    /// A directive is closed.
    Done,
}

impl Topic {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Approval, Self::Urgent, Self::Trouble, Self::Exception, Self::Raised, Self::Done];
    /// Those that need a person, which is what an addressee is told where nothing is said.
    pub const USUAL: [Self; 4] = [Self::Approval, Self::Urgent, Self::Trouble, Self::Exception];

    /// Its name in the file and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Urgent => "urgent",
            Self::Trouble => "trouble",
            Self::Exception => "exception",
            Self::Raised => "raised",
            Self::Done => "done",
        }
    }

    /// The topic of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MessageForm)]
pub enum Form {
    /// One CloudEvent (1.0, structured JSON) for each message.
    Cloudevents,
    /// A post of Slack's incoming webhooks, for all messages that have gathered.
    Slack,
    /// The same as an Adaptive Card, as the workflows of Microsoft Teams take it.
    Teams,
    /// A mail in plain text.
    Mail,
}

impl Form {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Cloudevents, Self::Slack, Self::Teams, Self::Mail];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cloudevents => "cloudevents",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Mail => "mail",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something to tell.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Its entry of the record.
    pub(crate) seq: u64,
    /// When that was stamped.
    pub(crate) time: Timestamp,
    pub(crate) topic: Topic,
    /// The kind of the entry, as the record keeps it.
    pub(crate) kind: &'static str,
    /// What happened, in one sentence.
    pub(crate) said: String,
    /// Whose work it is; `None` where that is nobody's alone.
    pub(crate) group: Option<GroupName>,
    pub(crate) directive: Option<(DirectiveId, Box<DirectiveLine>)>,
    pub(crate) asset: Option<AssetId>,
    /// What approval is asked of, where it is: every asset with its report.
    pub(crate) asks: Option<Digest>,
    /// Why a host failed, where one did, and on which day.
    pub(crate) cause: Option<Digest>,
}

/// What is told once of a directive while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Once {
    /// That it is urgent.
    Urgent(DirectiveId),
    /// That approval is asked of what the digest stands for.
    Asked(DirectiveId, Digest),
    /// That hosts failed by what the digest stands for.
    Failed(DirectiveId, Digest),
}

impl Message {
    /// What of this is told once.
    fn once(&self) -> Option<Once> {
        let (id, _) = self.directive.as_ref()?;
        match (self.topic, self.asks, self.cause) {
            (Topic::Urgent, ..) if self.asset.is_none() => Some(Once::Urgent(*id)),
            (Topic::Approval, Some(asks), _) => Some(Once::Asked(*id, asks)),
            (Topic::Trouble, _, Some(cause)) => Some(Once::Failed(*id, cause)),
            _ => None,
        }
    }
}

/// How it stands with one addressee.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    /// Up to here the record was looked through and what was worth telling is delivered.
    pub(crate) delivered_to: u64,
    /// Messages that wait.
    pub(crate) waiting: u64,
    /// Posts that were taken since Tenon started.
    pub(crate) posts: u64,
    /// When the last one was.
    pub(crate) last: Option<Timestamp>,
    /// Why the next is not; it is tried again.
    pub(crate) problem: Option<String>,
}

/// Everybody who is told, and how it stands with each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    pub(crate) addressees: Arc<Addressees>,
    deliveries: Arc<Mutex<BTreeMap<String, Delivery>>>,
}

impl Messages {
    pub(crate) fn of(addressees: Addressees) -> Self {
        Self { addressees: Arc::new(addressees), deliveries: Arc::default() }
    }

    /// How it stands with an addressee.
    pub(crate) fn delivery(&self, name: &str) -> Delivery {
        let deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.get(name).cloned().unwrap_or_default()
    }

    fn note(&self, name: &str, change: impl FnOnce(&mut Delivery)) {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        change(deliveries.entry(name.to_owned()).or_default());
    }
}

/// The first characters of a text, of which none controls a terminal.
fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

//! Messages that wait to be posted: one by one, or gathered.

use std::collections::VecDeque;

use tenon_model::Timestamp;

use super::form;
use super::post::Post;
use super::{Addressee, Form, Message, Once};

/// Messages that are read ahead where each is posted by itself.
const AHEAD: usize = 256;
/// Lines of one post to a chat; the rest is counted.
const LINES: usize = 20;

/// What waits for one addressee.
#[derive(Debug)]
pub(super) enum Waiting {
    Each(VecDeque<Message>),
    Together(Gathered),
}

/// One post to a chat in the making.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// What happened, and how many times more the same happened to the same directive.
    pub(super) lines: Vec<(Message, u64)>,
    /// Messages without a line.
    pub(super) left_out: u64,
    /// Messages in all.
    total: u64,
    /// What of it is told once.
    once: Vec<Once>,
}

/// What is delivered once a post was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Posted {
    /// What of it is not told again.
    pub(super) once: Vec<Once>,
    /// The entry of what waits next; `None` where nothing does.
    pub(super) next: Option<u64>,
}

impl Waiting {
    pub(super) fn of(form: Form) -> Self {
        match form {
            Form::Cloudevents => Self::Each(VecDeque::new()),
            Form::Slack | Form::Teams | Form::Mail => Self::Together(Gathered::default()),
        }
    }

    pub(super) fn add(&mut self, message: Message) {
        match self {
            Self::Each(messages) => messages.push_back(message),
            Self::Together(gathered) => gathered.add(message),
        }
    }

    /// Whether nothing more is read for now.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Each(messages) if messages.len() >= AHEAD)
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Each(messages) => messages.len() as u64,
            Self::Together(gathered) => gathered.total,
        }
    }

    /// When what waits longest was recorded.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Each(messages) => messages.front().map(|message| message.time),
            Self::Together(gathered) => gathered.lines.first().map(|(message, _)| message.time),
        }
    }

    /// What is posted next.
    pub(super) fn post(&self, to: &Addressee, link: &str) -> Option<Post> {
        match self {
            Self::Each(messages) => messages.front().map(|message| form::cloud_event(message, link)),
            Self::Together(gathered) => form::chat(to.form, gathered, link),
        }
    }

    /// Takes away what was posted.
    pub(super) fn posted(&mut self) -> Posted {
        match self {
            Self::Each(messages) => {
                let once = messages.pop_front().and_then(|message| message.once());
                // Another message may be of the same entry.
                Posted { once: once.into_iter().collect(), next: messages.front().map(|next| next.seq) }
            }
            Self::Together(gathered) => Posted { once: std::mem::take(gathered).once, next: None },
        }
    }
}

impl Gathered {
    fn add(&mut self, message: Message) {
        self.total += 1;
        self.once.extend(message.once());
        let about = |message: &Message| message.directive.as_ref().map(|(id, _)| *id);
        let same = |(known, _): &&mut (Message, u64)| {
            let of = |message: &Message| (message.topic, message.kind, message.cause);
            let alike = of(known) == of(&message);
            alike && about(known).is_some() && about(known) == about(&message)
        };
        if let Some((known, more)) = self.lines.iter_mut().find(same) {
            match message.asset {
                // What is told of the whole directive is told as it is now, ...
                None => *known = Message { time: known.time, ..message },
                // ... and what failed on many hosts by the first of them.
                Some(_) => *more += 1,
            }
        } else if self.lines.len() < LINES {
            self.lines.push((message, 0));
        } else {
            self.left_out += 1;
        }
    }
}

//! Telling one addressee, in order, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use tenon_engine::World;
use tenon_model::{DirectiveId, Timestamp};
use tokio::sync::watch;

use super::form;
use super::post::{NotTaken, Post};
use super::said::{concerns, messages};
use super::waiting::Waiting;
use super::{Addressee, Message, Messages, Once, Outbox, Poster, Standing, Topic};
use crate::access::{Names, People};
use crate::clock::clock;
use crate::serve::is_true;
use crate::writer::Writer;

/// Entries that are read at a time.
const STEP: usize = 256;
/// The record grows with every report; it is looked at so often.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// After so many entries without a message the place is kept all the same, so that a start does not read them again.
const KEEP: u64 = 10_000;
/// How long a post may still take once Tenon is told to stop.
const LAST: Duration = Duration::from_secs(3);
/// The wait after the first failure, doubled with each further one, ...
const AGAIN: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST: Duration = Duration::from_secs(300);

/// Tells one addressee.
pub(crate) struct Courier {
    pub(crate) to: Addressee,
    pub(crate) messages: Messages,
    pub(crate) standing: Standing,
    pub(crate) outbox: Outbox,
    pub(crate) poster: Poster,
    pub(crate) writer: Writer,
    pub(crate) people: People,
    /// How often the record is looked at: [`LOOK`] of its time.
    pub(crate) look: Duration,
}

/// What the courier has in hand.
struct Hand {
    waiting: Waiting,
    /// The entry to read next.
    read: u64,
    /// The entry from which the next start would read.
    kept: u64,
    /// Directives that closed since the place was kept.
    closed: Vec<DirectiveId>,
    /// The wait after another failure.
    again: Duration,
}

impl Courier {
    pub(crate) async fn run(mut self, stopped: watch::Receiver<bool>) {
        let next = self.standing.next;
        let waiting = Waiting::of(self.to.form);
        let mut hand = Hand { waiting, read: next, kept: next, closed: Vec::new(), again: AGAIN };
        self.messages.note(&self.to.name, |delivery| delivery.delivered_to = next.saturating_sub(1));
        let mut follow = self.writer.follow();
        let (stop, look) = (is_true(stopped), self.look);
        tokio::pin!(stop);
        loop {
            let world = follow.borrow_and_update().clone();
            let going = self.go_on(&mut hand, world);
            tokio::pin!(going);
            let wait = tokio::select! {
                wait = &mut going => wait,
                () = &mut stop => {
                    // A post that is under way would be told once more otherwise.
                    let _done = tokio::time::timeout(LAST, going).await;
                    return;
                }
            };
            let rest = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => {
                        // An error is the writer's end, and the stop follows.
                        let _changed = follow.changed().await;
                        tokio::time::sleep(look).await;
                    }
                }
            };
            tokio::select! {
                () = rest => {}
                () = &mut stop => return,
            }
        }
    }

    /// Reads on and posts what is due. How long to wait then: until the record grows where that is `None`.
    async fn go_on(&mut self, hand: &mut Hand, world: Arc<World>) -> Option<Duration> {
        let read = self.read_on(hand, &world).await;
        // Held while somebody takes his time, it would keep alive what the writer changes meanwhile.
        drop(world);
        if let Err(why) = read {
            return Some(self.failed(hand, why, None));
        }
        let Some(since) = hand.waiting.since() else {
            if hand.read - hand.kept >= KEEP
                && let Err(why) = self.keep(hand, hand.read, Vec::new()).await
            {
                return Some(self.failed(hand, why, None));
            }
            self.messages.note(&self.to.name, |delivery| {
                delivery.delivered_to = hand.read - 1;
                delivery.waiting = 0;
                delivery.problem = None;
            });
            return None;
        };
        self.messages.note(&self.to.name, |delivery| delivery.waiting = hand.waiting.len());
        let gathered = clock().as_millis().saturating_sub(since.as_millis());
        let gathered = Duration::from_millis(u64::try_from(gathered).unwrap_or(0));
        if gathered < self.to.gather {
            return Some(self.to.gather - gathered);
        }
        let post = hand.waiting.post(&self.to, &self.messages.addressees.link)?;
        if let Err(not_taken) = send(&self.poster, &self.to, post).await {
            return Some(self.failed(hand, not_taken.why, not_taken.wait));
        }
        let posted = hand.waiting.posted();
        hand.again = AGAIN;
        let next = posted.next.unwrap_or(hand.read);
        // Not kept, it is told once more after a start, which is better than not at all.
        if let Err(why) = self.keep(hand, next, posted.once).await {
            return Some(self.failed(hand, why, None));
        }
        self.messages.note(&self.to.name, |delivery| {
            delivery.delivered_to = next - 1;
            delivery.waiting = hand.waiting.len();
            delivery.posts += 1;
            delivery.last = Some(clock());
            delivery.problem = None;
        });
        Some(Duration::ZERO)
    }

    /// Notes what went wrong, and how long to wait.
    fn failed(&self, hand: &mut Hand, why: String, asked: Option<Duration>) -> Duration {
        let wait = hand.again.max(asked.unwrap_or_default());
        hand.again = (hand.again * 2).min(LONGEST);
        let addressee = &self.to.name;
        tracing::warn!(addressee, why, again_in = wait.as_secs(), "a message was not delivered");
        self.messages.note(addressee, |delivery| delivery.problem = Some(why));
        wait
    }

    /// Reads what the record holds up to `world`, as far as there is room for what waits.
    async fn read_on(&mut self, hand: &mut Hand, world: &Arc<World>) -> Result<(), String> {
        while hand.read <= world.seq() && !hand.waiting.is_full() {
            let (writer, then, from) = (self.writer.clone(), world.clone(), hand.read);
            let people = self.people.clone();
            // Decoding is work, and the writer has its own.
            let read = tokio::task::spawn_blocking(move || -> Result<_, String> {
                let entries = writer.wait_for(move |journal| journal.read(from, STEP));
                let mut entries =
                    entries.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
                entries.retain(|entry| entry.seq <= then.seq());
                let names = Names::of(&people).map_err(|error| error.to_string())?;
                let told = messages(&entries, &then, &names).map_err(|error| error.to_string())?;
                Ok((entries.first().map(|entry| entry.seq), entries.last().map(|entry| entry.seq), told))
            });
            let end = world.seq();
            let (first, last, told) = read.await.map_err(|error| error.to_string())??;
            if let Some(first) = first.filter(|first| *first > from) {
                let addressee = &self.to.name;
                tracing::warn!(addressee, from, first, "history was let go before it could be told");
            }
            hand.read = last.unwrap_or(end) + 1;
            for message in told {
                if let Some(message) = self.wanted(hand, message) {
                    hand.waiting.add(message);
                }
            }
        }
        Ok(())
    }

    /// The message as this addressee is told it, if it is.
    fn wanted(&mut self, hand: &mut Hand, mut message: Message) -> Option<Message> {
        let standing = &mut self.standing;
        if let (Topic::Done, Some((id, _))) = (message.topic, &message.directive)
            && standing.forget(id)
        {
            hand.closed.push(*id);
        }
        // Who is not told what is urgent may be told what is raised.
        if message.kind == "directive-raised" && !self.to.about.contains(&Topic::Urgent) {
            message.topic = Topic::Raised;
        }
        let wanted = self.to.about.contains(&message.topic) && concerns(&message, self.to.groups.as_ref());
        let is_news = |once| match once {
            Once::Urgent(id) => standing.urgent.insert(id),
            Once::Asked(id, asks) => standing.asked.insert(id, asks) != Some(asks),
            Once::Failed(id, cause) => standing.failed.entry(id).or_default().insert(cause),
        };
        (wanted && message.once().is_none_or(is_news)).then_some(message)
    }

    async fn keep(&self, hand: &mut Hand, next: u64, once: Vec<Once>) -> Result<(), String> {
        let (outbox, name) = (self.outbox.clone(), self.to.name.clone());
        let closed = std::mem::take(&mut hand.closed);
        let kept = tokio::task::spawn_blocking(move || outbox.keep(&name, next, &once, &closed));
        kept.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        hand.kept = next;
        Ok(())
    }
}

async fn send(poster: &Poster, to: &Addressee, post: Post) -> Result<(), NotTaken> {
    let (poster, to) = (poster.clone(), to.clone());
    let sent = tokio::task::spawn_blocking(move || poster.send(&to, &post, clock()));
    sent.await.unwrap_or_else(|error| Err(NotTaken { why: error.to_string(), wait: None }))
}

/// Tries an addressee out; why it did not take what was sent, if it did not.
pub(crate) async fn try_out(
    messages: &Messages,
    poster: &Poster,
    to: &Addressee,
    now: Timestamp,
) -> Option<String> {
    let id = format!("trial-{}", now.as_millis());
    let post = form::trial(to.form, &messages.addressees.link, id);
    send(poster, to, post).await.err().map(|not_taken| not_taken.why)
}

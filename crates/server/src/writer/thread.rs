//! The thread behind the [`Writer`](super::Writer): groups of commands, decided on a fork, appended at once, then seen.

use std::sync::Arc;
use std::time::Instant;

use tenon_engine::{ActionWanted, Attachments, Prepared, Undecided, World, advance};
use tenon_journal::{Batch, ClientKey, Journal, NewEntry};
use tenon_model::{Record, Refusal, Timestamp, Versioned};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Accepted, Condition, Message, SubmitError};
use crate::between::{Between, Direct};
use crate::facets::Generation;
use crate::metrics::Metrics;
use crate::snapshots::{self, Snapshots};

/// Most commands in one append: bounds what is lost when the append fails, and how long the first of them waits.
const GROUP: usize = 256;

/// What the thread has.
pub(super) struct State {
    pub(super) journal: Box<dyn Journal>,
    pub(super) world: World,
    pub(super) publish: watch::Sender<Arc<World>>,
    pub(super) generation: Generation,
    pub(super) announce: watch::Sender<Generation>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Box<dyn Fn() -> Timestamp + Send>,
    pub(super) snapshots: Snapshots,
    pub(super) own: mpsc::WeakSender<Message>,
}

/// One command that was decided and waits for the append.
struct Decided {
    reply: oneshot::Sender<Result<Accepted, SubmitError>>,
    seq: u64,
}

/// What a group of commands leads to, not yet durable.
struct Group {
    fork: World,
    generation: Generation,
    batches: Vec<Batch>,
    decided: Vec<Decided>,
    wanted: Vec<ActionWanted>,
}

impl State {
    /// Until the last sender is gone, a stop is asked for, or the journal fails.
    pub(super) fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
        while let Some(first) = receiver.blocking_recv() {
            let mut group = Group {
                fork: self.world.clone(),
                generation: self.generation,
                batches: Vec::new(),
                decided: Vec::new(),
                wanted: Vec::new(),
            };
            let mut next = Some(first);
            let mut stop = None;
            while let Some(message) = next.take() {
                match message {
                    Message::Submit { command, condition, key, reply } => {
                        self.stage(&mut group, command, condition, key, reply);
                    }
                    Message::Look(look) => look(self.journal.as_ref()),
                    Message::Work(work) => work(self.journal.as_mut()),
                    Message::SnapshotEnded => self.snapshots.ended(Instant::now()),
                    Message::Stop { reply } => {
                        stop = Some(reply);
                        break;
                    }
                }
                if group.decided.len() < GROUP {
                    next = receiver.try_recv().ok();
                }
            }
            let healthy = self.commit(group);
            if let Some(reply) = stop {
                if healthy {
                    self.keep_last_snapshot();
                }
                drop(self.journal);
                // Whoever asks from now on is told that nothing is taken any more.
                drop(receiver);
                // Whoever asked may be gone.
                let _gone = reply.send(());
                return;
            }
            if !healthy {
                return;
            }
            self.begin_snapshot();
        }
    }

    /// Begins a snapshot beside this thread, where it is time for that; it is written by parts that come as messages.
    fn begin_snapshot(&mut self) {
        if !self.snapshots.is_due(self.world.seq(), self.world.time(), Instant::now()) {
            return;
        }
        match (self.journal.head(), self.own.upgrade()) {
            (Ok(head), Some(sender)) => {
                let world = self.world.clone();
                std::thread::spawn(move || {
                    snapshots::keep(&mut Between(sender.clone()), head, world);
                    // The writer may have stopped.
                    let _gone = sender.blocking_send(Message::SnapshotEnded);
                });
            }
            // The next append meets the same failure, and tells.
            (Err(_), _) | (_, None) => {}
        }
    }

    fn keep_last_snapshot(&mut self) {
        if !self.snapshots.is_due_at_stop(self.world.seq()) {
            return;
        }
        match self.journal.head() {
            Ok(head) => snapshots::keep(&mut Direct(self.journal.as_mut()), head, self.world.clone()),
            Err(error) => tracing::warn!(%error, "no snapshot is kept"),
        }
    }

    /// Decides one command on the group's fork.
    fn stage(
        &self,
        group: &mut Group,
        command: Prepared,
        condition: Option<Condition>,
        key: Option<ClientKey>,
        reply: oneshot::Sender<Result<Accepted, SubmitError>>,
    ) {
        // A tick at which nothing fell due is refused every few seconds, and is no news.
        let is_tick = command.is_tick();
        match self.try_stage(group, command, condition, key) {
            Ok(Staged::New { seq }) => group.decided.push(Decided { reply, seq }),
            Ok(Staged::Repeated { seq }) => drop(reply.send(Ok(Accepted { seq, repeated: true }))),
            Err(error) => {
                if let (SubmitError::Refused(refusal), false) = (&error, is_tick) {
                    self.metrics.refused(refusal.code);
                }
                drop(reply.send(Err(error)));
            }
        }
    }

    fn try_stage(
        &self,
        group: &mut Group,
        command: Prepared,
        condition: Option<Condition>,
        key: Option<ClientKey>,
    ) -> Result<Staged, SubmitError> {
        if let Some(key) = &key {
            let known =
                self.journal.lookup_client_key(key).map_err(|error| SubmitError::Journal(Arc::new(error)))?;
            if let Some(known) = known {
                return Ok(Staged::Repeated { seq: known.last });
            }
            if group.batches.iter().any(|batch| batch.client_key.as_ref() == Some(key)) {
                let message = format!("command {key} is being written: ask again");
                return Err(Refusal::new(tenon_model::RefusalCode::NothingToDo, message).into());
            }
        }
        if condition.is_some_and(|holds| !holds(&group.fork)) {
            return Err(SubmitError::Changed);
        }
        let now = (self.clock)();
        let now = group.fork.time().map_or(now, |last| last.max(now));
        let mut entries = Vec::new();
        let encoded = advance(&mut group.fork, command, now).and_then(|mut decided| {
            let payloads = decided.payloads().map_err(|error| Undecided::Broken(error.to_string()))?;
            let term = group.fork.term();
            let entry = |payload| NewEntry { time_ms: now.as_millis(), term, payload };
            entries.extend(payloads.into_iter().map(entry));
            Ok(decided)
        });
        let decided = match encoded {
            Ok(decided) => decided,
            Err(Undecided::Refused(refusal)) => return Err(refusal.into()),
            Err(Undecided::Broken(error)) => {
                tracing::error!(%error, "a command is refused over a defect of this program");
                // So that the group never holds half a command.
                group.fork = self.again(group)?;
                return Err(Refusal::new(tenon_model::RefusalCode::BadContent, error).into());
            }
        };
        let first = group.fork.seq().saturating_sub(decided.events.len() as u64);
        for (seq, event) in (first + 1..).zip(&decided.events) {
            group.generation.add(seq, event);
        }
        group.wanted.extend(decided.wanted);
        group.batches.push(Batch { blobs: decided.blobs, entries, client_key: key });
        Ok(Staged::New { seq: group.fork.seq() })
    }

    /// The World after the batches of a group, made anew from what will be in the journal.
    fn again(&self, group: &Group) -> Result<World, SubmitError> {
        let broken = |error: String| {
            tracing::error!(%error, "a group of commands does not apply a second time");
            SubmitError::Stopped
        };
        let mut world = self.world.clone();
        for batch in &group.batches {
            let mut attachments = Attachments::default();
            batch.blobs.iter().for_each(|blob| attachments.insert(blob.clone()));
            for entry in &batch.entries {
                let seq = world.seq() + 1;
                let event =
                    Versioned::decode(seq, &entry.payload).map_err(|error| broken(error.to_string()))?;
                let record = Record { seq, time: Timestamp::from_millis(entry.time_ms), event };
                let applied = world.apply(&record, &attachments, &mut Vec::new());
                applied.map_err(|error| broken(error.to_string()))?;
            }
        }
        Ok(world)
    }

    /// Makes the group durable, then visible, then acknowledged. `false` after a failure: what the storage holds is
    /// then unknown, and only a new start finds out.
    fn commit(&mut self, group: Group) -> bool {
        if group.batches.is_empty() {
            return true;
        }
        let start = Instant::now();
        let appended = self.journal.head().and_then(|head| self.journal.append(&head, &group.batches));
        match appended {
            Ok(_) => {
                self.metrics.appended(start.elapsed());
                self.snapshots.grew(size_of(&group.batches));
                self.world = group.fork;
                self.generation = group.generation;
                self.publish.send_replace(Arc::new(self.world.clone()));
                self.announce.send_replace(self.generation);
                for decided in group.decided {
                    self.metrics.accepted();
                    drop(decided.reply.send(Ok(Accepted { seq: decided.seq, repeated: false })));
                }
                for wanted in group.wanted {
                    match wanted {
                        ActionWanted::SendOrder { asset, order } => {
                            tracing::debug!(%asset, %order, "order issued");
                        }
                        ActionWanted::AskApproval { directive } => {
                            tracing::debug!(%directive, "rehearsal passed: waits for approval");
                        }
                    }
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "the journal failed: no more commands are taken");
                let error = Arc::new(error);
                for decided in group.decided {
                    drop(decided.reply.send(Err(SubmitError::Journal(error.clone()))));
                }
                false
            }
        }
    }
}

/// Bytes of the events and of what they name.
fn size_of(batches: &[Batch]) -> u64 {
    let sizes = |batch: &Batch| -> usize {
        let payloads: usize = batch.entries.iter().map(|entry| entry.payload.len()).sum();
        payloads + batch.blobs.iter().map(|blob| blob.bytes().len()).sum::<usize>()
    };
    batches.iter().map(sizes).sum::<usize>() as u64
}

enum Staged {
    New { seq: u64 },
    Repeated { seq: u64 },
}

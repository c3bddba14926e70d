//! The thread behind the [`Writer`](super::Writer): groups of commands, decided on a fork, appended at once, then seen.
//!
//! While a group is appended, the next one is decided on the World that follows from it. Nobody else sees that World, and nothing
//! decided on it is answered, before the group is durable: should the append fail, neither was.

use std::sync::Arc;
use std::time::Instant;

use tenon_engine::{Prepared, World};
use tenon_journal::{ClientKey, Journal};
use tenon_model::{Refusal, RefusalCode, Timestamp};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};

use super::append::{Appender, Gone, Resting};
use super::group::{Group, Reply};
use super::{Accepted, Condition, Message, SubmitError};
use crate::between::{Between, Direct};
use crate::facets::Generation;
use crate::metrics::Metrics;
use crate::snapshots::{self, Snapshots};

/// What the thread has.
pub(super) struct State {
    pub(super) pen: Pen,
    pub(super) appender: Appender,
    /// The durable World, as everybody sees it.
    pub(super) world: World,
    pub(super) publish: watch::Sender<Arc<World>>,
    pub(super) generation: Generation,
    pub(super) announce: watch::Sender<Generation>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Box<dyn Fn() -> Timestamp + Send>,
    pub(super) snapshots: Snapshots,
    pub(super) own: mpsc::WeakSender<Message>,
}

/// Who has the journal.
pub(super) enum Pen {
    /// This thread.
    Resting(Resting),
    /// The appender, for this group.
    Writing(Box<Group>),
    /// Nobody: what the storage holds is unknown, and only a new start finds out.
    Broken(SubmitError),
}

enum Staged {
    New { seq: u64 },
    Repeated { seq: u64 },
}

/// Why a group is as large as it is.
enum Gathered {
    /// More can follow it.
    Enough,
    /// Nothing more comes; somebody may wait for the end.
    Last(Option<oneshot::Sender<()>>),
}

impl State {
    /// Until the last sender is gone, a stop is asked for, or the journal fails.
    pub(super) fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
        loop {
            let (tip, generation) = self.tip();
            let mut group = Group::on(tip, generation);
            let gathered = self.gather(&mut group, &mut receiver);
            self.append(group);
            if let Gathered::Last(stop) = gathered {
                if stop.is_some() {
                    self.keep_last_snapshot();
                }
                drop(self.rest());
                drop(self);
                // Whoever asks from now on is told that nothing is taken any more.
                drop(receiver);
                // Whoever asked may be gone.
                let _gone = stop.map(|stop| stop.send(()));
                return;
            }
        }
    }

    /// Decides what waits, also while a group is being appended; where nothing does and nothing is, what comes first.
    fn gather(&mut self, group: &mut Group, receiver: &mut mpsc::Receiver<Message>) -> Gathered {
        if let Pen::Broken(_) = self.pen {
            return Gathered::Last(None);
        }
        while !group.is_full() {
            let message = match receiver.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => return Gathered::Last(None),
                // Where nothing waits any more, to wait for the append makes larger groups than to be woken for each command.
                Err(TryRecvError::Empty) if matches!(self.pen, Pen::Writing(_)) || !group.is_empty() => {
                    return Gathered::Enough;
                }
                Err(TryRecvError::Empty) => match receiver.blocking_recv() {
                    Some(message) => message,
                    None => return Gathered::Last(None),
                },
            };
            match message {
                Message::Submit { command, condition, key, reply } => {
                    self.stage(group, command, condition, key, reply);
                }
                // Whoever asked learns of a failure from the answer that does not come.
                Message::Look(look) => drop(self.with_journal(|journal| look(journal))),
                Message::Work(work) => drop(self.with_journal(work)),
                Message::SnapshotEnded => self.snapshots.ended(Instant::now()),
                Message::Stop { reply } => return Gathered::Last(Some(reply)),
            }
        }
        Gathered::Enough
    }

    /// The World after everything decided before, and what has changed then.
    fn tip(&self) -> (&World, Generation) {
        match &self.pen {
            Pen::Writing(group) => (&group.fork, group.generation),
            Pen::Resting(_) | Pen::Broken(_) => (&self.world, self.generation),
        }
    }

    /// Decides one command on the group's fork.
    fn stage(
        &mut self,
        group: &mut Group,
        command: Prepared,
        condition: Option<Condition>,
        key: Option<ClientKey>,
        reply: Reply,
    ) {
        // A tick at which nothing fell due is refused every few seconds, and is no news.
        let is_tick = command.is_tick();
        match self.try_stage(group, command, condition, key) {
            Ok(Staged::New { seq }) => group.answers(reply, seq),
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
        &mut self,
        group: &mut Group,
        command: Prepared,
        condition: Option<Condition>,
        key: Option<ClientKey>,
    ) -> Result<Staged, SubmitError> {
        if let Some(key) = &key {
            let known = self.with_journal(|journal| journal.lookup_client_key(key))?;
            if let Some(known) = known.map_err(|error| SubmitError::Journal(Arc::new(error)))? {
                return Ok(Staged::Repeated { seq: known.last });
            }
            if group.has(key) {
                let message = format!("command {key} is being written: ask again");
                return Err(Refusal::new(RefusalCode::NothingToDo, message).into());
            }
        }
        if condition.is_some_and(|holds| !holds(&group.fork)) {
            return Err(SubmitError::Changed);
        }
        let seq = group.decide(self.tip().0, command, key, (self.clock)())?;
        Ok(Staged::New { seq })
    }

    /// Uses the journal once it holds what is being appended.
    fn with_journal<T>(&mut self, work: impl FnOnce(&mut dyn Journal) -> T) -> Result<T, SubmitError> {
        let mut resting = self.rest()?;
        let result = work(resting.journal.as_mut());
        self.pen = Pen::Resting(resting);
        Ok(result)
    }

    /// Hands a group to the appender, once that is done with the one before.
    fn append(&mut self, mut group: Group) {
        let resting = match self.rest() {
            Ok(resting) => resting,
            Err(error) => return group.give_up(&error),
        };
        if group.is_empty() {
            self.pen = Pen::Resting(resting);
            return;
        }
        match self.appender.begin(resting, group.take_batches()) {
            Ok(()) => self.pen = Pen::Writing(Box::new(group)),
            Err(Gone) => group.give_up(&SubmitError::Stopped),
        }
    }

    /// Takes the journal, once what is being appended is durable, seen and acknowledged.
    fn rest(&mut self) -> Result<Resting, SubmitError> {
        let rested = match std::mem::replace(&mut self.pen, Pen::Broken(SubmitError::Stopped)) {
            Pen::Resting(resting) => Ok(resting),
            Pen::Writing(group) => self.finish(*group),
            Pen::Broken(error) => Err(error),
        };
        if let Err(error) = &rested {
            self.pen = Pen::Broken(error.clone());
        }
        rested
    }

    fn finish(&mut self, group: Group) -> Result<Resting, SubmitError> {
        let appended = match self.appender.wait() {
            Ok(appended) => appended.map_err(|error| SubmitError::Journal(Arc::new(error))),
            Err(Gone) => Err(SubmitError::Stopped),
        };
        let appended = match appended {
            Ok(appended) => appended,
            Err(error) => {
                tracing::error!(%error, "no more commands are taken");
                group.give_up(&error);
                return Err(error);
            }
        };
        self.metrics.appended(appended.took);
        self.snapshots.grew(appended.bytes);
        self.world = group.fork.clone();
        self.generation = group.generation;
        self.publish.send_replace(Arc::new(self.world.clone()));
        self.announce.send_replace(self.generation);
        group.acknowledge(&self.metrics);
        self.begin_snapshot(&appended.resting);
        Ok(appended.resting)
    }

    /// Begins a snapshot beside this thread, where it is time for that; it is written by parts that come as messages.
    fn begin_snapshot(&mut self, resting: &Resting) {
        if !self.snapshots.is_due(self.world.seq(), self.world.time(), Instant::now()) {
            return;
        }
        if let Some(sender) = self.own.upgrade() {
            let (head, world) = (resting.head, self.world.clone());
            std::thread::spawn(move || {
                snapshots::step_aside();
                snapshots::keep(&mut Between(sender.clone()), head, world);
                // The writer may have stopped.
                let _gone = sender.blocking_send(Message::SnapshotEnded);
            });
        }
    }

    fn keep_last_snapshot(&mut self) {
        // A journal that failed keeps nothing any more.
        let Ok(mut resting) = self.rest() else { return };
        if self.snapshots.is_due_at_stop(self.world.seq()) {
            snapshots::keep(&mut Direct(resting.journal.as_mut()), resting.head, self.world.clone());
        }
    }
}

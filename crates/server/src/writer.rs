//! The one thread that writes: commands in, decided against the World, durable in the journal, applied, published.

use std::sync::Arc;
use std::time::Instant;

use tenon_engine::{ActionWanted, Attachments, Prepared, Undecided, World, advance};
use tenon_journal::{Batch, ClientKey, Journal, JournalError, NewEntry, export};
use tenon_model::{Command, Digest, Record, Refusal, Timestamp, Versioned};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::between::{Between, Direct, Work};
use crate::facets::Generation;
use crate::metrics::Metrics;
use crate::replay::{ReplayError, restore};
use crate::snapshots::{self, Cadence, Snapshots};

/// Commands that wait for the writer before callers are held back.
const QUEUE: usize = 1_024;
/// Most commands in one append: bounds what is lost when the append fails, and how long the first of them waits.
const GROUP: usize = 256;

/// A command that is durable and applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Position of the last event it led to.
    pub seq: u64,
    /// Whether it had been acknowledged before, under the same client key.
    pub repeated: bool,
}

/// Why a command changed nothing, or nothing that can be told.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Decided against.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What the caller meant to replace is not what is there.
    #[error("what this replaces has changed since it was read: read it again, then decide anew")]
    Changed,
    /// The journal failed; the writer has stopped.
    #[error(
        "the journal failed and Tenon has stopped writing: {0}; free space or restore, then start Tenon again"
    )]
    Journal(Arc<JournalError>),
    /// The writer has stopped.
    #[error("Tenon has stopped writing: see its log for the first failure, then start it again")]
    Stopped,
}

/// What must hold of the World for a command to be decided at all.
pub(crate) type Condition = Box<dyn FnOnce(&World) -> bool + Send>;

/// Something to do with the record that changes nothing in it.
type Look = Box<dyn FnOnce(&dyn Journal) + Send>;

pub(crate) enum Message {
    Submit {
        command: Prepared,
        condition: Option<Condition>,
        key: Option<ClientKey>,
        reply: oneshot::Sender<Result<Accepted, SubmitError>>,
    },
    /// Somebody reads the record: only this thread has it open.
    Look(Look),
    /// Somebody changes what lies beside the entries.
    Work(Work),
    /// The snapshot that was begun is kept, or given up.
    SnapshotEnded,
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// Handle to the writer; cloning it is cheap.
#[derive(Clone)]
pub struct Writer {
    sender: mpsc::Sender<Message>,
    world: watch::Receiver<Arc<World>>,
    generation: watch::Receiver<Generation>,
    metrics: Arc<Metrics>,
    /// How many reports are made ready at the same time.
    preparing: Arc<Semaphore>,
}

impl Writer {
    /// Restores the World from the journal and starts the thread. `clock` is where time comes from.
    ///
    /// # Errors
    /// When the journal does not replay.
    pub fn start(
        journal: Box<dyn Journal>,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<Self, ReplayError> {
        Self::start_at(journal, Box::new(clock), Cadence::USUAL)
    }

    /// Like [`start`](Self::start), with a snapshot after every so many entries.
    ///
    /// # Errors
    /// When the journal does not replay.
    pub fn start_keeping(
        journal: Box<dyn Journal>,
        clock: impl Fn() -> Timestamp + Send + 'static,
        every: u64,
    ) -> Result<Self, ReplayError> {
        Self::start_at(journal, Box::new(clock), Cadence::every(every))
    }

    fn start_at(
        journal: Box<dyn Journal>,
        clock: Box<dyn Fn() -> Timestamp + Send>,
        cadence: Cadence,
    ) -> Result<Self, ReplayError> {
        let world = restore(journal.as_ref())?;
        let snapshots = Snapshots::new(journal.as_ref(), cadence)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (publish, published) = watch::channel(Arc::new(world.clone()));
        let generation = Generation::replayed(world.seq());
        let (announce, announced) = watch::channel(generation);
        let metrics = Arc::new(Metrics::default());
        let state = State {
            journal,
            world,
            publish,
            generation,
            announce,
            metrics: metrics.clone(),
            clock,
            snapshots,
            // Not a sender like any other: the thread ends when the last of those is gone.
            own: sender.downgrade(),
        };
        std::thread::spawn(move || state.run(receiver));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let preparing = Arc::new(Semaphore::new(processors));
        Ok(Self { sender, world: published, generation: announced, metrics, preparing })
    }

    /// The World as it now is. Holding it blocks nobody.
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// Follows the World: wakes after every append.
    pub fn follow(&self) -> watch::Receiver<Arc<World>> {
        self.world.clone()
    }

    /// Follows what changed: wakes after every append, once the World shows it.
    pub(crate) fn generations(&self) -> watch::Receiver<Generation> {
        self.generation.clone()
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Whether commands are still taken.
    pub(crate) fn is_alive(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Decides a command; when this returns `Ok`, its events are durable and visible.
    ///
    /// # Errors
    /// A refusal, or the writer's end.
    pub async fn submit(&self, command: Command, key: Option<ClientKey>) -> Result<Accepted, SubmitError> {
        self.submit_if(command, key, None).await
    }

    /// The same, if the condition holds of the World that the command is decided on.
    pub(crate) async fn submit_if(
        &self,
        command: Command,
        key: Option<ClientKey>,
        condition: Option<Condition>,
    ) -> Result<Accepted, SubmitError> {
        // A repetition is answered as it was the first time: what has changed since does not matter to it.
        let command = match key {
            None => self.prepare(command).await?,
            Some(_) => command.into(),
        };
        let (reply, answer) = oneshot::channel();
        let message = Message::Submit { command, condition, key, reply };
        self.sender.send(message).await.map_err(|_| SubmitError::Stopped)?;
        answer.await.map_err(|_| SubmitError::Stopped)?
    }

    /// Makes ready what can be made ready beside the writer.
    async fn prepare(&self, command: Command) -> Result<Prepared, SubmitError> {
        if !matches!(command, Command::ReportInventory { .. }) {
            return Ok(command.into());
        }
        // Milliseconds of work with a large report: other requests go on meanwhile, and the writer has a processor too.
        let permit = self.preparing.clone().acquire_owned().await.map_err(|_| SubmitError::Stopped)?;
        let world = self.world();
        let prepared = tokio::task::spawn_blocking(move || {
            let prepared = Prepared::on(&world, command);
            drop(permit);
            prepared
        });
        let prepared = prepared.await.map_err(|_| SubmitError::Stopped)?;
        prepared.map_err(|refusal| {
            self.metrics.refused(refusal.code);
            refusal.into()
        })
    }

    /// Reads the record between two appends, which wait for it: what it does is best short.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Journal) -> T + Send + 'static,
    ) -> Result<T, SubmitError> {
        let (reply, answer) = oneshot::channel();
        // A caller that is gone needs no answer.
        let look: Look = Box::new(move |journal| drop(reply.send(look(journal))));
        self.sender.send(Message::Look(look)).await.map_err(|_| SubmitError::Stopped)?;
        answer.await.map_err(|_| SubmitError::Stopped)
    }

    /// The same for a thread that may wait; not for an asynchronous task.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Journal) -> T + Send + 'static,
    ) -> Result<T, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |journal| drop(reply.send(look(journal))));
        self.sender.blocking_send(Message::Look(look)).map_err(|_| SubmitError::Stopped)?;
        answer.blocking_recv().map_err(|_| SubmitError::Stopped)
    }

    /// Reaches the journal between two appends.
    pub(crate) fn between(&self) -> Between {
        Between(self.sender.clone())
    }

    /// Like [`submit`](Self::submit), for a thread that may wait; not for an asynchronous task.
    ///
    /// # Errors
    /// A refusal, or the writer's end.
    pub(crate) fn wait_to_submit(&self, command: Command) -> Result<Accepted, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Submit { command: command.into(), condition: None, key: None, reply };
        self.sender.blocking_send(message).map_err(|_| SubmitError::Stopped)?;
        answer.blocking_recv().map_err(|_| SubmitError::Stopped)?
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// When the journal cannot be read, or the writer has stopped.
    pub async fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, SubmitError> {
        let read = self.look(move |journal| journal.get_blob(&digest)).await?;
        read.map_err(|error| SubmitError::Journal(Arc::new(error)))
    }

    /// The whole journal in its export format, which `tenon log verify` checks without this server.
    ///
    /// # Errors
    /// When the journal cannot be read, or the writer has stopped.
    pub async fn export(&self) -> Result<Vec<u8>, ExportFailed> {
        let exported = self.look(|journal| {
            let mut out = Vec::new();
            export(journal, &mut out).map(|_| out).map_err(|error| error.to_string())
        });
        exported.await.map_err(|error| ExportFailed(error.to_string()))?.map_err(ExportFailed)
    }

    /// Ends the writer after what is queued; the journal is closed when this returns.
    pub async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.sender.send(Message::Stop { reply }).await.is_ok() {
            // An error means that the thread is gone, which is what was asked for.
            let _gone = answer.await;
        }
    }
}

/// The journal could not be exported.
#[derive(Debug, thiserror::Error)]
#[error("the journal cannot be exported: {0}")]
pub struct ExportFailed(String);

struct State {
    journal: Box<dyn Journal>,
    world: World,
    publish: watch::Sender<Arc<World>>,
    generation: Generation,
    announce: watch::Sender<Generation>,
    metrics: Arc<Metrics>,
    clock: Box<dyn Fn() -> Timestamp + Send>,
    snapshots: Snapshots,
    own: mpsc::WeakSender<Message>,
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
    fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
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
        let encoded = advance(&mut group.fork, command, now).and_then(|decided| {
            for event in &decided.events {
                let payload =
                    Versioned::encode(event).map_err(|error| Undecided::Broken(error.to_string()))?;
                entries.push(NewEntry { time_ms: now.as_millis(), term: group.fork.term(), payload });
            }
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

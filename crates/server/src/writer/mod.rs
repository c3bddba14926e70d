//! The one thread that writes: commands in, decided against the World, durable in the journal, applied, published.

use std::sync::Arc;

use tenon_engine::{Prepared, World};
use tenon_journal::{ClientKey, Journal, JournalError, export};
use tenon_model::{Command, Digest, Refusal, Timestamp};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::between::{Between, Work};
use crate::facets::Generation;
use crate::metrics::Metrics;
use crate::replay::{ReplayError, restore};
use crate::snapshots::{Cadence, Snapshots};

mod append;
mod group;
mod thread;

use append::{Appender, Resting};
use thread::{Pen, State};

/// Most packages and offers of a delta of nothing else that is made ready where it came in: tens of microseconds of work, and to
/// call another thread costs as much.
const SHORT_DELTA: usize = 32;

/// Commands that wait for the writer before callers are held back.
const QUEUE: usize = 1_024;

/// A command that is durable and applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Position of the last event it led to.
    pub seq: u64,
    /// Whether it had been acknowledged before, under the same client key.
    pub repeated: bool,
}

/// Why a command changed nothing, or nothing that can be told.
#[derive(Debug, Clone, thiserror::Error)]
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
        let head = journal.head()?;
        let state = State {
            pen: Pen::Resting(Resting { journal, head }),
            appender: Appender::start(),
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
        let delta = command.delta();
        let (reply, answer) = oneshot::channel();
        let message = Message::Submit { command, condition, key, reply };
        self.sender.send(message).await.map_err(|_| SubmitError::Stopped)?;
        let answer = answer.await.map_err(|_| SubmitError::Stopped)?;
        drop(delta);
        answer
    }

    /// Makes ready what can be made ready beside the writer.
    async fn prepare(&self, command: Command) -> Result<Prepared, SubmitError> {
        let refused = |refusal: Refusal| {
            self.metrics.refused(refusal.code);
            SubmitError::from(refusal)
        };
        match &command {
            Command::ReportDelta { delta, .. } if delta.named() <= SHORT_DELTA && delta.facts.is_empty() => {
                return Prepared::on(&self.world(), command).map_err(refused);
            }
            Command::ReportInventory { .. } | Command::ReportDelta { .. } => {}
            _ => return Ok(command.into()),
        }
        // Milliseconds of work with what is large: other requests go on meanwhile, and the writer has a processor too.
        let permit = self.preparing.clone().acquire_owned().await.map_err(|_| SubmitError::Stopped)?;
        let world = self.world();
        let prepared = tokio::task::spawn_blocking(move || {
            let prepared = Prepared::on(&world, command);
            drop(permit);
            prepared
        });
        let prepared = prepared.await.map_err(|_| SubmitError::Stopped)?;
        prepared.map_err(refused)
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

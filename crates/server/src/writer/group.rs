//! Commands that are decided together, become durable together, and only then are seen and answered.

use tenon_engine::{ActionWanted, Attachments, Prepared, Undecided, World, advance};
use tenon_journal::{Batch, ClientKey, NewEntry};
use tenon_model::{Record, Refusal, RefusalCode, Timestamp, Versioned};
use tokio::sync::oneshot;

use super::{Accepted, SubmitError};
use crate::facets::Generation;
use crate::metrics::Metrics;

/// Most commands in one append: bounds what is lost when the append fails, and how long the first of them waits.
const MOST: usize = 256;

/// Where the answer to a command goes. Whoever asked may be gone.
pub(super) type Reply = oneshot::Sender<Result<Accepted, SubmitError>>;

/// What a group of commands leads to, not yet durable.
pub(super) struct Group {
    /// The World after them.
    pub(super) fork: World,
    /// What has changed then.
    pub(super) generation: Generation,
    batches: Vec<Batch>,
    decided: Vec<Decided>,
    wanted: Vec<ActionWanted>,
}

/// One command that was decided and waits for the append.
struct Decided {
    reply: Reply,
    seq: u64,
}

impl Group {
    /// A group of none, on this World.
    pub(super) fn on(world: &World, generation: Generation) -> Self {
        Self { fork: world.clone(), generation, batches: Vec::new(), decided: Vec::new(), wanted: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.decided.len() >= MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    /// Whether one of its commands came with this key.
    pub(super) fn has(&self, key: &ClientKey) -> bool {
        self.batches.iter().any(|batch| batch.client_key.as_ref() == Some(key))
    }

    /// Decides one command after the others. `base` is the World that the group began on.
    pub(super) fn decide(
        &mut self,
        base: &World,
        command: Prepared,
        key: Option<ClientKey>,
        now: Timestamp,
    ) -> Result<u64, SubmitError> {
        let now = self.fork.time().map_or(now, |last| last.max(now));
        let mut entries = Vec::new();
        let encoded = advance(&mut self.fork, command, now).and_then(|mut decided| {
            let payloads = decided.payloads().map_err(|error| Undecided::Broken(error.to_string()))?;
            let term = self.fork.term();
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
                self.fork = self.again(base)?;
                return Err(Refusal::new(RefusalCode::BadContent, error).into());
            }
        };
        let first = self.fork.seq().saturating_sub(decided.events.len() as u64);
        for (seq, event) in (first + 1..).zip(&decided.events) {
            self.generation.add(seq, event);
        }
        self.wanted.extend(decided.wanted);
        self.batches.push(Batch { blobs: decided.blobs, entries, client_key: key });
        Ok(self.fork.seq())
    }

    /// The World after its batches, made anew from what will be in the journal.
    fn again(&self, base: &World) -> Result<World, SubmitError> {
        let broken = |error: String| {
            tracing::error!(%error, "a group of commands does not apply a second time");
            SubmitError::Stopped
        };
        let mut world = base.clone();
        for batch in &self.batches {
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

    /// The last decided command is answered with this, once it is durable.
    pub(super) fn answers(&mut self, reply: Reply, seq: u64) {
        self.decided.push(Decided { reply, seq });
    }

    /// What is to be appended; it is not here any more then.
    pub(super) fn take_batches(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.batches)
    }

    /// It is durable and seen.
    pub(super) fn acknowledge(self, metrics: &Metrics) {
        for decided in self.decided {
            metrics.accepted();
            drop(decided.reply.send(Ok(Accepted { seq: decided.seq, repeated: false })));
        }
        for wanted in self.wanted {
            match wanted {
                ActionWanted::SendOrder { asset, order } => {
                    tracing::debug!(%asset, %order, "order issued");
                }
                ActionWanted::AskApproval { directive } => {
                    tracing::debug!(%directive, "rehearsal passed: waits for approval");
                }
            }
        }
    }

    /// It will not be durable, as far as anybody knows.
    pub(super) fn give_up(self, error: &SubmitError) {
        for decided in self.decided {
            drop(decided.reply.send(Err(error.clone())));
        }
    }
}

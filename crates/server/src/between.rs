//! Changes of the record that are no commands: short pieces of work between two appends.

use tenon_journal::{Journal, JournalError};
use tokio::sync::{mpsc, oneshot};

use crate::writer::{Message, SubmitError};

/// One piece of such work. Appends wait for it, so it is best bounded.
pub(crate) type Work = Box<dyn FnOnce(&mut dyn Journal) + Send>;

/// Why such work did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// The writer ended.
    #[error(transparent)]
    Stopped(#[from] SubmitError),
    /// The journal refused or failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// How the journal is reached: through the writer's queue, or at once by whoever has it.
pub(crate) trait Reach {
    /// Does one piece of work.
    fn change<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, WorkError>;
}

/// Has the journal.
pub(crate) struct Direct<'j>(pub(crate) &'j mut dyn Journal);

impl Reach for Direct<'_> {
    fn change<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, WorkError> {
        Ok(work(self.0)?)
    }
}

/// Reaches the journal through the writer's queue, one piece behind another. It waits: not for an asynchronous task.
pub(crate) struct Between(pub(crate) mpsc::Sender<Message>);

impl Reach for Between {
    fn change<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, WorkError> {
        let (reply, answer) = oneshot::channel();
        // Whoever asked may be gone.
        let work: Work = Box::new(move |journal| drop(reply.send(work(journal))));
        self.0.blocking_send(Message::Work(work)).map_err(|_| SubmitError::Stopped)?;
        Ok(answer.blocking_recv().map_err(|_| SubmitError::Stopped)??)
    }
}

//! Being told to stop while a feed is waited for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A word that ends what waits for it: pauses between attempts, downloads, and what is read of a feed. Clones are the same
/// word; a fresh one was never said.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Said>);

#[derive(Debug, Default)]
struct Said {
    said: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Ends what waits now, and whatever begins later under this word.
    pub fn say(&self) {
        *self.0.said.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }

    /// Whether it was said.
    pub fn is_said(&self) -> bool {
        *self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until it is said, which is when this is `true`.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if *said || left.is_zero() {
                return *said;
            }
            said = self.0.changed.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

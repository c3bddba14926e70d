//! What a server says in its log, as far as tests wait for it.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The log of one run of a server, read to its end.
#[derive(Debug, Default)]
pub(super) struct Log {
    said: Mutex<Said>,
    changed: Condvar,
}

/// What was said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// It takes connections, and recovers from nothing.
    pub(super) serves: bool,
    /// The server and all its processes are gone.
    pub(super) ended: bool,
    /// The last mark that a session wrote.
    pub(super) mark: u64,
    /// All of it.
    pub(super) text: String,
}

impl Said {
    fn note(&mut self, line: &str, panics: &AtomicU64) {
        if line.ends_with("database system is ready to accept connections") {
            self.serves = true;
        } else if line.contains("] PANIC:  ") {
            panics.fetch_add(1, Ordering::SeqCst);
            self.serves = false;
        } else if line.ends_with("terminating any other active server processes") {
            self.serves = false;
        } else if let Some(mark) = line.split_once("] LOG:  mark ").and_then(|(_, mark)| mark.parse().ok()) {
            self.mark = mark;
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

impl Log {
    /// Reads to the end in a thread, so that the server never waits for a reader, and counts the processes that panic.
    pub(super) fn follow(log: impl Read + Send + 'static, panics: Arc<AtomicU64>) -> Arc<Self> {
        let this = Arc::new(Self::default());
        let followed = this.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                followed.said().note(&line, &panics);
                followed.changed.notify_all();
            }
            let mut said = followed.said();
            (said.ended, said.serves) = (true, false);
            followed.changed.notify_all();
        });
        this
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.said().ended
    }

    /// Waits until this holds or the log ends, at the latest until the deadline. Returns what was said until then.
    pub(super) fn wait(&self, deadline: Instant, until: impl Fn(&Said) -> bool) -> Said {
        let left = deadline.saturating_duration_since(Instant::now());
        let (said, _) = self
            .changed
            .wait_timeout_while(self.said(), left, |said| !said.ended && !until(said))
            .unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }
}

//! Between a journal and its server: passes on what either says until a given piece, and fails in it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tenon_journal::postgres::PostgresUrl;
use tenon_journal::postgres::server::{Server, Stop, socket_name};

/// What happens in the piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection breaks; the next one is let through.
    Blip,
    /// The connection breaks, and every other until [`Proxy::repair`].
    Down,
    /// The server crashes, and with it the connection.
    Crash,
}

/// When the failure comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// In the piece with this number, from 1.
    pub(super) piece: u64,
    /// How much of it still passes: so many bytes modulo its length plus 1, so that it may be nothing or all.
    pub(super) bytes: u64,
    pub(super) failure: Failure,
}

struct State {
    /// Pieces passed on since the last [`Proxy::fail_at`], in both directions: what one call read, so that a commit, of a
    /// few bytes, counts as much as a large payload.
    passed: u64,
    plan: Option<Plan>,
    /// The plan was carried out.
    failed: bool,
    down: bool,
    ended: bool,
    open: Vec<UnixStream>,
}

struct Shared {
    state: Mutex<State>,
    /// Not kept alive by connections that outlive the test, or its folder would stay.
    server: Weak<Server>,
    target: PathBuf,
}

/// A socket in a folder of its own. It lives until the process ends; a database behind it is reached by its URL.
pub(super) struct Proxy {
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
}

impl Proxy {
    pub(super) fn start(server: &Arc<Server>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(socket_name())).unwrap();
        let state =
            State { passed: 0, plan: None, failed: false, down: false, ended: false, open: Vec::new() };
        let shared =
            Arc::new(Shared { state: state.into(), server: Arc::downgrade(server), target: server.socket() });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.state().ended {
                    return;
                }
                connect(&accepting, client.unwrap());
            }
        });
        Self { shared, folder }
    }

    pub(super) fn url(&self, database: &str) -> PostgresUrl {
        Server::url_at(self.folder.path(), database).unwrap()
    }

    /// Counts from here, and fails as told.
    pub(super) fn fail_at(&self, plan: Plan) {
        let mut state = self.shared.state();
        state.passed = 0;
        state.failed = false;
        state.plan = Some(plan);
    }

    /// Whether the failure came.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.state().failed
    }

    /// Pieces passed on since the last plan.
    pub(super) fn passed(&self) -> u64 {
        self.shared.state().passed
    }

    /// Lets connections through again.
    pub(super) fn repair(&self) {
        let mut state = self.shared.state();
        state.plan = None;
        state.down = false;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ended = true;
        self.shared.cut(&mut state);
        drop(state);
        // Wakes the thread that accepts, which then finds that this is the end.
        drop(UnixStream::connect(self.folder.path().join(socket_name())));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks every connection.
    fn cut(&self, state: &mut State) {
        for stream in state.open.drain(..) {
            // It may be closed already.
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many bytes of this piece may pass, and whether the failure comes after them.
    fn pass(&self, bytes: u64) -> (u64, bool) {
        let mut state = self.state();
        state.passed += 1;
        let Some(plan) = state.plan.filter(|plan| state.passed >= plan.piece) else { return (bytes, false) };
        state.plan = None;
        state.failed = true;
        state.down = plan.failure != Failure::Blip;
        if plan.failure == Failure::Crash
            && let Some(server) = self.server.upgrade()
        {
            server.stop(Stop::Immediate).unwrap();
        }
        (plan.bytes % (bytes + 1), true)
    }
}

fn connect(shared: &Arc<Shared>, client: UnixStream) {
    let mut state = shared.state();
    if state.down {
        return;
    }
    // No server, no connection: the client finds its own closed.
    let Ok(server) = UnixStream::connect(&shared.target) else { return };
    state.open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
    drop(state);
    for (from, to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
        let shared = shared.clone();
        std::thread::spawn(move || pump(&shared, from, to));
    }
}

/// Copies until either end is closed or the failure comes.
fn pump(shared: &Shared, mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = [0; 8_192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let (allowed, fails) = shared.pass(read as u64);
        let sent = to.write_all(&buffer[..usize::try_from(allowed).unwrap()]);
        if fails {
            shared.cut(&mut shared.state());
        }
        if sent.is_err() || fails {
            break;
        }
    }
    // The other end may be gone.
    let _closed = to.shutdown(Shutdown::Both);
    let _closed = from.shutdown(Shutdown::Both);
}

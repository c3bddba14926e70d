//! A real server for tests and measurements: a cluster of its own in a temporary folder, on a socket in it, gone when it
//! is dropped or its process ends.

mod log;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use postgres::NoTls;
use postgres::error::SqlState;
use tempfile::TempDir;

use self::log::Log;
use super::PostgresUrl;

/// Everybody who reaches the folder may connect under this name.
const USER: &str = "tenon";
/// Its socket is `.s.PGSQL.5432`; nothing listens on the network.
const PORT: u16 = 5432;
/// The wait for a server to start or stop.
const DEADLINE: Duration = Duration::from_secs(60);
/// Starts the server and waits for the name of a signal to end it with; without one, as when the test's process is gone,
/// it ends at once. A process of it that panics leaves no image of its memory behind.
const KEEPER: &str = r#"ulimit -c 0
    "$@" 2>&1 & pid=$!
    exec >/dev/null 2>&1
    read -r how || how=QUIT
    kill -"$how" "$pid"
    wait "$pid""#;

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In order: open transactions are rolled back, everything is written.
    Fast,
    /// At once, as in a crash: the next start recovers from the log.
    Immediate,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The programs are not on this machine.
    #[error(
        "the programs initdb and postgres are neither on PATH nor under /usr/lib/postgresql: install the package postgresql"
    )]
    Absent,
    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error("running as root, and there is no user postgres or nobody to run PostgreSQL as")]
    NobodyElse,
    /// A step failed.
    #[error("the PostgreSQL server of a test: cannot {doing}: {detail}")]
    Failed {
        /// The step.
        doing: &'static str,
        /// What happened.
        detail: String,
    },
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> ServerError {
    move |error| ServerError::Failed { doing, detail: error.to_string() }
}

fn refused(doing: &'static str) -> impl Fn(postgres::Error) -> ServerError {
    move |error| ServerError::Failed { doing, detail: error.to_string() }
}

/// A server at work, and its folder.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    owner: Option<Owner>,
    running: Mutex<Option<Running>>,
    /// Marks written to the log so far.
    marks: AtomicU64,
    /// Processes that gave up for what they could not write.
    panics: Arc<AtomicU64>,
}

/// One run of the server.
#[derive(Debug)]
struct Running {
    keeper: Child,
    log: Arc<Log>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

/// The server that all tests of a process share while one of them holds it.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    /// The server that the tests of this process share; started by the first, ended by the last.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn shared() -> Result<Arc<Self>, ServerError> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Makes a cluster in the folder for temporary files and starts its server.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_in(&std::env::temp_dir())
    }

    /// Makes a cluster in a new folder in this one and starts its server. Both are gone when it is dropped.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start_in(parent: &Path) -> Result<Self, ServerError> {
        Self::start_with(parent, &[])
    }

    /// As [`start_in`](Self::start_in), with further options of `initdb`.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start_with(parent: &Path, options: &[&str]) -> Result<Self, ServerError> {
        let programs = programs().ok_or(ServerError::Absent)?;
        let folder = tempfile::Builder::new()
            .prefix("tenon-pg-")
            .tempdir_in(parent)
            .map_err(failed("make a temporary folder"))?;
        let root = fs::metadata("/proc/self").map_err(failed("ask who this is"))?.uid() == 0;
        let owner = if root {
            let owner = unprivileged().ok_or(ServerError::NobodyElse)?;
            std::os::unix::fs::chown(folder.path(), Some(owner.user), Some(owner.group))
                .map_err(failed("hand over the folder"))?;
            Some(owner)
        } else {
            None
        };
        let server = Self {
            folder,
            programs,
            owner,
            running: Mutex::new(None),
            marks: AtomicU64::default(),
            panics: Arc::default(),
        };
        let made = server
            .command(server.programs.join("initdb"))
            .arg("--pgdata")
            .arg(server.data())
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .args(options)
            .output()
            .map_err(failed("run initdb"))?;
        if !made.status.success() {
            let detail = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(ServerError::Failed { doing: "make a cluster", detail });
        }
        server.start_again()?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some(owner) = self.owner {
            command.uid(owner.user).gid(owner.group);
        }
        command
    }

    /// Starts the server after [`stop`](Self::stop) or where it ended by itself, and nobody else did; it answers when this
    /// returns.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.running();
        if running.as_ref().is_some_and(|running| !running.log.has_ended()) {
            return Ok(());
        }
        end(&mut running, Stop::Immediate)?;
        let mut keeper = self
            .command("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(self.data())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "shared_buffers=32MB",
                "-c",
                "max_connections=40",
                "-c",
                "recovery_init_sync_method=syncfs",
            ])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", self.folder.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed("start the server"))?;
        let doing = "start the server";
        let Some(log) = keeper.stdout.take() else {
            return Err(ServerError::Failed { doing, detail: "its log is not to be had".to_owned() });
        };
        let log = Log::follow(log, self.panics.clone());
        *running = Some(Running { keeper, log: log.clone() });
        let said = log.wait(Instant::now() + DEADLINE, |said| said.serves);
        if said.serves {
            return Ok(());
        }
        let why = if said.ended { "it ended" } else { "it is not ready after a minute" };
        Err(ServerError::Failed { doing, detail: format!("{why}: {}", said.text) })
    }

    /// Waits until the server serves and has recovered from whatever befell a process of its before this call; starts it
    /// where it ended by itself. Returns how many of its processes have panicked so far, over all its starts.
    ///
    /// # Errors
    /// When it does not come to that, or the server refuses for another reason.
    pub fn settle(&self) -> Result<u64, ServerError> {
        let deadline = Instant::now() + DEADLINE;
        let url = self.url("postgres")?;
        loop {
            self.start_again()?;
            let Some(log) = self.running().as_ref().map(|running| running.log.clone()) else { continue };
            // A process says that it panics before it goes: what comes to the log later than that is a proof, where a new
            // connection may yet be cut.
            let mark = self.marks.fetch_add(1, Ordering::SeqCst) + 1;
            let marking = format!("DO $$ BEGIN RAISE LOG 'mark {mark}'; END $$");
            let marked = url.config().connect(NoTls).and_then(|mut client| client.batch_execute(&marking));
            let said = match marked {
                Ok(()) => log.wait(deadline, |said| said.mark >= mark),
                Err(error) if is_passing(&error) => log.wait(deadline, |said| said.serves),
                Err(error) => return Err(refused("ask the server")(error)),
            };
            if said.mark >= mark && said.serves {
                return Ok(self.panics.load(Ordering::SeqCst));
            }
            if Instant::now() >= deadline {
                return Err(ServerError::Failed { doing: "wait for the server", detail: said.text });
            }
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the server; it is gone when this returns. Does nothing where it is gone already.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&self, how: Stop) -> Result<(), ServerError> {
        end(&mut self.running(), how)
    }

    /// From now on everybody but the server's own user needs a password. The server is started again: it does not tell when
    /// it has read such rules while it runs.
    ///
    /// # Errors
    /// When the rules cannot be written, or the server does not stop and start.
    pub fn require_passwords(&self) -> Result<(), ServerError> {
        let rules = format!("local all {USER} trust\nlocal all all scram-sha-256\n");
        fs::write(self.data().join("pg_hba.conf"), rules).map_err(failed("write the rules of access"))?;
        self.stop(Stop::Fast)?;
        self.start_again()
    }

    /// A new, empty database and its address.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn database(&self, name: &str) -> Result<PostgresUrl, ServerError> {
        self.execute("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        self.url(name)
    }

    /// The address of a database.
    ///
    /// # Errors
    /// When the folder's name cannot be part of one.
    pub fn url(&self, database: &str) -> Result<PostgresUrl, ServerError> {
        Self::url_at(self.folder.path(), database)
    }

    /// The address of a database behind a socket in this folder.
    ///
    /// # Errors
    /// When the folder's name cannot be part of one.
    pub fn url_at(folder: &Path, database: &str) -> Result<PostgresUrl, ServerError> {
        Self::text_at(folder, database)
            .parse()
            .map_err(|error| ServerError::Failed { doing: "name the database", detail: format!("{error}") })
    }

    /// The address of a database as text, for a command line.
    pub fn text(&self, database: &str) -> String {
        Self::text_at(self.folder.path(), database)
    }

    fn text_at(folder: &Path, database: &str) -> String {
        let folder = folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}/{database}")
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(socket_name())
    }

    /// Runs SQL in a database.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn execute(&self, database: &str, sql: &str) -> Result<(), ServerError> {
        let mut client = self.url(database)?.config().connect(NoTls).map_err(refused("connect"))?;
        client.batch_execute(sql).map_err(refused("run SQL"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ended = self.stop(Stop::Immediate);
    }
}

/// Whether the server will answer once it has recovered, or been started again.
fn is_passing(error: &postgres::Error) -> bool {
    // Without a code, the connection broke or nobody listened.
    error.code().is_none_or(|code| {
        [SqlState::CANNOT_CONNECT_NOW, SqlState::CRASH_SHUTDOWN, SqlState::ADMIN_SHUTDOWN].contains(code)
    })
}

fn end(running: &mut Option<Running>, how: Stop) -> Result<(), ServerError> {
    let Some(Running { mut keeper, .. }) = running.take() else { return Ok(()) };
    let signal: &[u8] = match how {
        Stop::Fast => b"INT\n",
        Stop::Immediate => b"QUIT\n",
    };
    if let Some(mut stdin) = keeper.stdin.take() {
        stdin.write_all(signal).map_err(failed("tell the server to end"))?;
    }
    keeper.wait().map(drop).map_err(failed("wait for the server's end"))
}

/// The file name of a socket that stands for the usual port.
pub fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

/// The folder with the programs: of `PATH`, or where Debian keeps them, the newest version first.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok())
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    let all = versions.into_iter().map(|(_, folder)| folder).chain(std::env::split_paths(&path));
    all.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file()))
}

/// Somebody who is not root.
fn unprivileged() -> Option<Owner> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let find = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (name == wanted && user != 0).then_some(Owner { user, group })
        })
    };
    find("postgres").or_else(|| find("nobody"))
}

//! A real server for tests and measurements: a cluster of its own in a temporary folder, on a socket in it, gone when it
//! is dropped or its process ends.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use postgres::NoTls;
use tempfile::TempDir;

use super::PostgresUrl;

/// Everybody who reaches the folder may connect under this name.
const USER: &str = "tenon";
/// Its socket is `.s.PGSQL.5432`; nothing listens on the network.
const PORT: u16 = 5432;
/// The wait for a server to start or stop.
const DEADLINE: Duration = Duration::from_secs(60);
/// Starts the server and waits for the name of a signal to end it with; without one, as when the test's process is gone,
/// it ends at once.
const KEEPER: &str = r#""$@" 2>&1 & pid=$!
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
    keeper: Mutex<Option<Child>>,
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
        let server = Self { folder, programs, owner, keeper: Mutex::new(None) };
        let made = server
            .command(server.programs.join("initdb"))
            .arg("--pgdata")
            .arg(server.data())
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
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

    /// Starts the server after [`stop`](Self::stop), where nobody else did; it answers when this returns.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.keeper();
        if running.is_some() {
            return Ok(());
        }
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
        let (told, ready) = mpsc::channel();
        if let Some(log) = keeper.stdout.take() {
            std::thread::spawn(move || {
                let mut text = String::new();
                // Read to its end, so that the server never waits for a reader.
                for line in BufReader::new(log).lines().map_while(Result::ok) {
                    let is_ready = line.ends_with("database system is ready to accept connections");
                    text.push_str(&line);
                    text.push('\n');
                    if is_ready {
                        // Whoever waited may be gone.
                        let _gone = told.send(Ok(()));
                    }
                }
                let _gone = told.send(Err(text));
            });
        }
        let doing = "start the server";
        *running = Some(keeper);
        match ready.recv_timeout(DEADLINE) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(detail)) => Err(ServerError::Failed { doing, detail }),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(ServerError::Failed { doing, detail: "it says nothing within a minute".to_owned() })
            }
        }
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the server; it is gone when this returns. Does nothing where it is gone already.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&self, how: Stop) -> Result<(), ServerError> {
        let mut running = self.keeper();
        let Some(mut keeper) = running.take() else { return Ok(()) };
        let signal: &[u8] = match how {
            Stop::Fast => b"INT\n",
            Stop::Immediate => b"QUIT\n",
        };
        if let Some(mut stdin) = keeper.stdin.take() {
            stdin.write_all(signal).map_err(failed("tell the server to end"))?;
        }
        keeper.wait().map(drop).map_err(failed("wait for the server's end"))
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

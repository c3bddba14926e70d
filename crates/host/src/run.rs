//! Running programs: fixed environment, bounded output, a deadline.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tenon_model::Timestamp;

use crate::HostError;

/// Pause between two looks at a running program.
const POLL: Duration = Duration::from_millis(20);
/// How long output may still come after a program has ended: a daemon it started can keep the pipe open.
const GRACE: Duration = Duration::from_secs(2);
/// Most output read of one program. `apt-get -s dist-upgrade` of 4,000 packages writes about 1 MB.
const MAX_OUTPUT: usize = 32 * 1024 * 1024;
/// Where programs are looked for; never the caller's `PATH`.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of every program: nothing inherited, English messages, no questions, no service restarts
/// behind our back.
pub(crate) const ENVIRONMENT: [(&str, &str); 8] = [
    ("PATH", PATH),
    ("HOME", "/root"),
    ("LC_ALL", "C"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
    ("NEEDRESTART_SUSPEND", "1"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// How a program ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The program and its arguments, cut.
    pub(crate) program: String,
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output of a program that ended well.
    pub(crate) fn ok(self) -> Result<String, HostError> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(HostError::Failed {
            detail: last_characters(text.trim_end(), 1000),
            status: self.status.to_string(),
            program: self.program,
        })
    }
}

/// Exit code, or 128 plus the signal.
pub(crate) fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// This host's clock. One before 1970 counts as 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds gone by since then.
pub(crate) fn millis_since(then: Instant) -> u64 {
    u64::try_from(then.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The end of a text, cut at a character.
pub(crate) fn last_characters(text: &str, most: usize) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(most)).collect()
}

/// A command with the fixed environment and no input.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(ENVIRONMENT).current_dir("/").stdin(Stdio::null());
    command
}

/// Runs a program to its end and reads what it writes.
pub(crate) fn run(command: &mut Command, deadline: Duration) -> Result<Ran, HostError> {
    let program = describe(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start(command, &program)?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, &program, deadline)?;
    let until = Instant::now() + GRACE;
    let take = |receiver: &mpsc::Receiver<(Vec<u8>, bool)>| -> Result<String, HostError> {
        let left = until.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok((_, true)) => Err(HostError::TooMuchOutput { program: program.clone(), limit: MAX_OUTPUT }),
            Ok((bytes, false)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            // Something it started still holds the pipe; what it wrote so far cannot be told to be complete.
            Err(_) => Err(HostError::Deadline { program: program.clone(), after: GRACE }),
        }
    };
    let (stdout, stderr) = (take(&stdout)?, take(&stderr)?);
    Ok(Ran { program, status, stdout, stderr })
}

/// Runs two programs, the first writing to the second, and returns at most `limit` bytes of what the second writes. The
/// second may stop before it has read everything.
///
/// # Errors
/// When one cannot be started, they do not end in time, more is written, or the first fails and nothing is written.
pub(crate) fn pipe(
    first: &mut Command,
    second: &mut Command,
    limit: usize,
    deadline: Duration,
) -> Result<Vec<u8>, HostError> {
    let (writer, reader) = (describe(first), describe(second));
    let mut source = start(first.stdout(Stdio::piped()).stderr(Stdio::null()), &writer)?;
    let input = source.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let sink = start(second.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null()), &reader);
    // The command keeps its end of the pipe open, and the first would never learn that nobody reads.
    second.stdin(Stdio::null());
    let output = sink.and_then(|mut sink| {
        let output = drain(sink.stdout.take());
        wait(&mut sink, &reader, deadline).map(|_| output)
    });
    // It ends by itself once nobody reads, and is killed otherwise.
    let status = wait(&mut source, &writer, GRACE);
    match output?.recv_timeout(GRACE) {
        Ok((bytes, overflow)) if overflow || bytes.len() > limit => {
            Err(HostError::TooMuchOutput { program: reader, limit })
        }
        Ok((bytes, _)) if bytes.is_empty() => match status? {
            status if status.success() => Ok(bytes),
            status => Err(HostError::Failed {
                program: writer,
                status: status.to_string(),
                detail: "nothing was written".to_owned(),
            }),
        },
        Ok((bytes, _)) => Ok(bytes),
        Err(_) => Err(HostError::Deadline { program: reader, after: GRACE }),
    }
}

/// Runs a program whose output goes to a file: daemons it starts may outlive it.
pub(crate) fn run_logged(
    command: &mut Command,
    log: &Path,
    deadline: Duration,
) -> Result<ExitStatus, HostError> {
    let program = describe(command);
    let file = File::options().create(true).append(true).open(log).map_err(HostError::file("open", log))?;
    let second = file.try_clone().map_err(HostError::file("open", log))?;
    command.stdout(file).stderr(second);
    let mut child = start(command, &program)?;
    wait(&mut child, &program, deadline)
}

fn start(command: &mut Command, program: &str) -> Result<Child, HostError> {
    command
        .process_group(0)
        .spawn()
        .map_err(|source| HostError::Start { program: program.to_owned(), source })
}

fn wait(child: &mut Child, program: &str, deadline: Duration) -> Result<ExitStatus, HostError> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if start.elapsed() < deadline => thread::sleep(POLL),
            Ok(None) => {
                kill_group(child.id());
                let _reaped = child.wait();
                return Err(HostError::Deadline { program: program.to_owned(), after: deadline });
            }
            Err(source) => return Err(HostError::Start { program: program.to_owned(), source }),
        }
    }
}

/// Reads a pipe to its end in a thread; the flag says that there was more than the bound.
fn drain(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<(Vec<u8>, bool)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut overflow = false;
        if let Some(mut pipe) = pipe {
            // An error here is a closed pipe; what was read counts.
            let _partial = pipe.by_ref().take(MAX_OUTPUT as u64).read_to_end(&mut bytes);
            overflow = bytes.len() >= MAX_OUTPUT;
            let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        // The receiver is gone when the deadline passed.
        let _late = sender.send((bytes, overflow));
    });
    receiver
}

/// Kills a process group; one that is gone already is fine.
pub(crate) fn kill_group(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _gone = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

/// Whether a program of that name is installed.
pub(crate) fn on_path(root: &Path, program: &str) -> bool {
    PATH.split(':').any(|dir| root.join(dir.trim_start_matches('/')).join(program).exists())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

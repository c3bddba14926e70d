//! Running programs with a deadline, and waiting for conditions.

use std::{
    io::{Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::Error;

/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(20);

/// What a finished program wrote and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The program and its arguments.
    pub program: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the program ended with status 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// The exit code, or 128 plus the signal that ended it, as shells count.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// The output when the program succeeded.
    ///
    /// # Errors
    /// [`Error::Failed`] with the end of standard error (or of standard output when that is empty).
    pub fn ok(self) -> Result<Self, Error> {
        if self.success() {
            return Ok(self);
        }
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let skip = text.chars().count().saturating_sub(2000);
        Err(Error::Failed {
            stderr: text.trim_end().chars().skip(skip).collect(),
            status: self.status.to_string(),
            program: self.program,
        })
    }
}

/// Looks at `condition` until it gives a value or `deadline` has passed.
///
/// # Errors
/// [`Error::Deadline`] naming `what`; errors of the condition are passed on at once.
pub fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if start.elapsed() >= deadline {
            return Err(Error::Deadline { what: what.to_owned(), after: deadline, detail: String::new() });
        }
        thread::sleep(POLL);
    }
}

/// Runs a command to its end, feeding `input`, and kills its process group at the deadline.
pub(crate) fn bounded(command: &mut Command, input: &[u8], deadline: Duration) -> Result<Output, Error> {
    let program = describe(command);
    let mut child = command
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| Error::Start { program: program.clone(), source })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            // A program may end without reading its input; its status tells whether that is wrong.
            scope.spawn(move || drop(stdin.write_all(input)));
        }
        let stdout = scope.spawn(|| drain(stdout));
        let stderr = scope.spawn(|| drain(stderr));
        let status = wait_until(&program, deadline, || {
            child.try_wait().map_err(|source| Error::Start { program: program.clone(), source })
        });
        if status.is_err() {
            kill_group(child.id());
            let _reaped = child.wait();
        }
        let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        match status {
            Ok(status) => Ok(Output { program: program.clone(), status, stdout, stderr }),
            Err(Error::Deadline { what, after, .. }) => {
                let tail: String = stderr.lines().rev().take(3).collect::<Vec<_>>().join(" / ");
                Err(Error::Deadline { what, after, detail: format!("; last lines: {tail}") })
            }
            Err(error) => Err(error),
        }
    })
}

/// Runs a command that must succeed.
pub(crate) fn must(command: &mut Command, deadline: Duration) -> Result<Output, Error> {
    bounded(command, &[], deadline)?.ok()
}

/// Kills a whole process group at once; one that is gone already is fine.
pub(crate) fn kill_group(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _gone = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

fn drain(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is still worth showing.
        let _partial = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

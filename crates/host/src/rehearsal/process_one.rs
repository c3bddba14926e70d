//! Process 1 of the room: builds it, runs the upgrade and the way back in it, looks at the result, says what it saw.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::confine::become_confined;
use super::room;
use crate::files;
use crate::manager::{self, Kind};
use crate::run::{self, ENVIRONMENT};
use crate::status::Status;

/// First words of the command lines of the two hidden ways into this program.
pub(super) const ROOM: &str = "__tenon-rehearsal-room";
const CONFINED: &str = "__tenon-rehearsal-confined";
/// Longest the upgrade, or the way back, may take in the room. Thirty-five packages take 71 s on a busy disk.
pub(super) const UPGRADE: Duration = Duration::from_secs(1_200);
/// Most of a run's output that is reported, in bytes.
const OUTPUT: usize = 64 * 1024;
/// Most of a run's output that is searched for questions, in bytes.
const SEARCHED: u64 = 32 * 1024 * 1024;
/// Largest task read, in bytes.
const MAX_TASK: u64 = 8 * 1024 * 1024;
const RUN_LOG: &str = "/run/tenon-rehearsal.log";

/// What to do in the room.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// Empty directory on the host over which the room is built.
    pub(super) stage: PathBuf,
    /// Most bytes that may be written in it.
    pub(super) bytes: u64,
    /// The upgrade's command line.
    pub(super) upgrade: Vec<String>,
    /// Command lines of the way back, in order; empty where there is none.
    pub(super) back: Vec<Vec<String>>,
    /// Whose they are.
    pub(super) kind: Kind,
    /// Name and architecture of what changes.
    pub(super) changing: Vec<(String, String)>,
}

/// Name, architecture and version of everything installed completely.
pub(super) type Versions = BTreeMap<(String, String), String>;

/// How a run in the room ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunSeen {
    /// Exit code, or 128 plus the signal; `None` when it was killed at its deadline.
    pub(super) code: Option<i32>,
    /// How long it took, in milliseconds.
    pub(super) duration_ms: u64,
    /// The end of what it wrote.
    pub(super) output: String,
    /// What the package manager itself finds wrong afterwards.
    pub(super) audit: Option<String>,
    /// What is installed afterwards.
    #[serde(with = "pairs")]
    pub(super) versions: Versions,
}

/// What was seen in the room.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Paths that could be read only.
    pub(super) read_only: Vec<String>,
    /// The upgrade.
    pub(super) upgrade: RunSeen,
    /// Digests of the configuration files that the packages bring now.
    pub(super) conffiles: BTreeMap<String, String>,
    /// Critical questions that nobody on this host has answered.
    pub(super) questions: Vec<String>,
    /// Whether a reboot is asked for.
    pub(super) reboot: bool,
    /// Bytes written.
    pub(super) bytes_written: u64,
    /// Whether the room was full.
    pub(super) full: bool,
    /// The way back, if there was one and the upgrade had ended well.
    pub(super) back: Option<RunSeen>,
}

/// Serde cannot write maps whose keys are pairs.
mod pairs {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Versions;

    pub(super) fn serialize<S: Serializer>(versions: &Versions, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(versions)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Versions, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Whether this process was started to be, or to run something in, a rehearsal's room; its exit code then. Call it first
/// in `main` of every program that rehearses: a rehearsal starts the program again.
pub fn child_main() -> Option<i32> {
    let mut words = std::env::args();
    match words.nth(1).as_deref() {
        Some(CONFINED) => {
            eprintln!("{}", become_confined(&words.collect::<Vec<_>>()));
            Some(127)
        }
        // Anywhere but in a process namespace of its own this would rearrange the machine's mounts.
        Some(ROOM) if std::process::id() == 1 => Some(match answer() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("{error}");
                1
            }
        }),
        Some(ROOM) => {
            eprintln!("{ROOM} is how a rehearsal starts itself; it is not for people");
            Some(2)
        }
        _ => None,
    }
}

fn answer() -> Result<(), String> {
    let mut text = String::new();
    std::io::stdin().take(MAX_TASK).read_to_string(&mut text).map_err(|error| format!("task: {error}"))?;
    let task: Task = serde_json::from_str(&text).map_err(|error| format!("task: {error}"))?;
    let read_only = room::enter(&task.stage, task.bytes).map_err(|error| error.to_string())?;
    let seen = look(&task, read_only)?;
    let answer = serde_json::to_string(&seen).map_err(|error| format!("answer: {error}"))?;
    std::io::stdout().write_all(answer.as_bytes()).map_err(|error| format!("answer: {error}"))
}

fn look(task: &Task, read_only: Vec<String>) -> Result<Seen, String> {
    let before = free_bytes();
    let kind = task.kind;
    let upgrade = carry_out(kind, &task.upgrade)?;
    let searched = files::read_text(Path::new(RUN_LOG), SEARCHED).unwrap_or_default();
    let status = record(kind)?;
    let conffiles =
        kind.configuration_after(&status, &task.changing, confined).map_err(|error| error.to_string())?;
    let reboot = Path::new("/run/reboot-required").exists();
    let after = free_bytes();
    let back = if upgrade.code == Some(0) && !task.back.is_empty() {
        Some(go_back(kind, &task.back)?)
    } else {
        None
    };
    Ok(Seen {
        read_only,
        conffiles,
        questions: crate::conffiles::unanswered_questions(&searched),
        reboot,
        bytes_written: before.saturating_sub(after),
        // What could not be written is not seen in the sum: a run that met the limit frees some of it again.
        full: after < task.bytes / 50 || searched.contains("No space left on device"),
        upgrade,
        back,
    })
}

/// Runs every command line of the way back; the first that fails ends it.
fn go_back(kind: Kind, lines: &[Vec<String>]) -> Result<RunSeen, String> {
    let mut last = carry_out(kind, lines.first().ok_or("there is no way back")?)?;
    for line in lines.iter().skip(1) {
        if last.code != Some(0) || last.audit.is_some() {
            break;
        }
        last = carry_out(kind, line)?;
    }
    Ok(last)
}

fn carry_out(kind: Kind, words: &[String]) -> Result<RunSeen, String> {
    let log = Path::new(RUN_LOG);
    files::remove_durably(log).map_err(|error| error.to_string())?;
    let started = Instant::now();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = confined(&words);
    // Debconf then says every question it is asked to put.
    command.env("DEBCONF_DEBUG", "developer");
    let code = match run::run_logged(&mut command, log, UPGRADE) {
        Ok(status) => Some(run::code_of(status)),
        Err(crate::HostError::Deadline { .. }) => None,
        Err(error) => return Err(error.to_string()),
    };
    let audit = kind.audit(confined, &files::tail(log, manager::SEARCHED));
    let output = readable(&files::tail(log, OUTPUT));
    let versions = record(kind)?.versions();
    Ok(RunSeen { code, duration_ms: run::millis_since(started), output, audit, versions })
}

/// Without debconf's own protocol, which is for us.
fn readable(output: &str) -> String {
    output.lines().filter(|line| !line.starts_with("debconf (")).collect::<Vec<_>>().join("\n")
}

/// A command line that runs without rights over the machine. This program's own file is started, as the kernel holds it
/// and not as the room shows it, so that nothing installed in the room can take its place.
fn confined(words: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new("/proc/self/exe");
    command
        .arg(CONFINED)
        .args(words)
        .env_clear()
        .envs(ENVIRONMENT)
        .current_dir("/")
        .stdin(std::process::Stdio::null());
    command
}

fn record(kind: Kind) -> Result<Status, String> {
    kind.record(confined).map_err(|error| error.to_string())
}

/// Bytes left in the room.
fn free_bytes() -> u64 {
    rustix::fs::statvfs("/").map_or(0, |room| room.f_bavail.saturating_mul(room.f_frsize))
}

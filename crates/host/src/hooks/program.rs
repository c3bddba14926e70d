//! One program of a hook: its environment, its bounds, its end.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tenon_model::{HookEnd, HookMoment, HookRun};

use crate::run::{PATH, code_of, kill_group, millis_since};

/// Pause between two looks at a running program.
const POLL: Duration = Duration::from_millis(20);
/// Most of what one program writes that is kept, in bytes.
pub(super) const OUTPUT: usize = 16 << 10;
/// Most that is read at one look, and after the end: what left the program's group may write for ever.
const MOST_READ: usize = 1 << 20;
/// How long killed programs may take to be gone.
const GONE: Duration = Duration::from_secs(5);
/// Largest environment of a process that is looked at, in bytes.
const MAX_ENVIRONMENT: u64 = 1 << 20;

/// A program to be run.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The hook's name.
    pub(crate) hook: &'a str,
    /// Which program of it.
    pub(crate) moment: HookMoment,
    /// The program.
    pub(crate) path: &'a Path,
    /// Seconds that it has.
    pub(crate) timeout_s: u32,
    /// What it is told of the change.
    pub(crate) about: &'a [(&'static str, String)],
}

/// Runs a program to its end, or until its time is over. Whatever it started in its process group is killed then.
pub(crate) fn run(call: &Call<'_>) -> HookRun {
    let began = Instant::now();
    let mut tail = Tail::default();
    let end =
        run_into(call, &mut tail).unwrap_or_else(|error| HookEnd::NotStarted { reason: error.to_string() });
    HookRun {
        hook: call.hook.to_owned(),
        moment: call.moment,
        end,
        duration_ms: millis_since(began),
        output: tail.text(),
    }
}

fn run_into(call: &Call<'_>, tail: &mut Tail) -> io::Result<HookEnd> {
    let (mut output, writer) = io::pipe()?;
    // Whoever holds the other end, nobody here waits for it.
    fcntl_setfl(&output, OFlags::NONBLOCK)?;
    let mut command = Command::new(call.path);
    command.env_clear().envs([("PATH", PATH), ("HOME", "/root"), ("LC_ALL", "C")]);
    command.envs([("TENON_HOOK", call.hook), ("TENON_MOMENT", call.moment.name())]);
    command.envs(call.about.iter().map(|(name, value)| (*name, value)));
    command.current_dir("/").stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let mut child = command.spawn()?;
    // It holds this process's ends of the pipe.
    drop(command);
    let pid = Pid::from_child(&child);
    let began = Instant::now();
    let within = Duration::from_secs(u64::from(call.timeout_s));
    let late = loop {
        tail.read(&mut output);
        // It is not reaped yet, so that its number and that of its group are still its own when the group is killed.
        let looked =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)?;
        if looked.is_some() {
            break false;
        }
        if began.elapsed() >= within {
            break true;
        }
        thread::sleep(POLL);
    };
    kill_group(child.id());
    let status = child.wait()?;
    tail.read(&mut output);
    Ok(if late {
        HookEnd::TimedOut { after_s: call.timeout_s }
    } else {
        HookEnd::Exited { code: code_of(status) }
    })
}

/// The last bytes of an output.
#[derive(Debug, Default)]
struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    /// Takes what is there to be read now.
    fn read(&mut self, output: &mut PipeReader) {
        let (mut buffer, mut left) = ([0; 8 << 10], MOST_READ);
        while left > 0 {
            match output.read(&mut buffer) {
                Ok(read) if read > 0 => {
                    left = left.saturating_sub(read);
                    self.bytes.extend(buffer.get(..read).unwrap_or_default());
                    let over = self.bytes.len().saturating_sub(OUTPUT);
                    self.cut |= over > 0;
                    self.bytes.drain(..over);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Its end, or nothing now.
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// As text that no terminal takes for orders.
    fn text(self) -> String {
        let bytes = Vec::from(self.bytes);
        let text = String::from_utf8_lossy(&bytes);
        let plain = text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c });
        let plain: String = plain.collect();
        // Bytes that are not UTF-8 have become three each.
        let start = plain.len().saturating_sub(OUTPUT);
        let start = (start..=plain.len()).find(|at| plain.is_char_boundary(*at)).unwrap_or(plain.len());
        let cut = if self.cut || start > 0 { "[...]\n" } else { "" };
        format!("{cut}{}", plain.get(start..).unwrap_or_default())
    }
}

/// Kills what is left of a program whose agent was killed: every process that was started with this hook, moment and order in
/// its environment, also outside of the group. Done once per program whose end is not known, so that what follows does not
/// run beside it.
pub(crate) fn kill_leftovers(hook: &str, moment: HookMoment, about: &[(&'static str, String)]) {
    let order = about.iter().find(|(name, _)| *name == "TENON_ORDER").map(|(_, order)| order.as_str());
    let Some(order) = order else { return };
    let marks = [
        format!("TENON_HOOK={hook}"),
        format!("TENON_MOMENT={}", moment.name()),
        format!("TENON_ORDER={order}"),
    ];
    let until = Instant::now() + GONE;
    // What is killed may have just started another.
    while Instant::now() < until {
        let found = marked(&marks);
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _gone = kill_process(pid, Signal::KILL);
        }
        thread::sleep(POLL);
    }
}

/// Processes, but for this one, with all of these entries in the environment that they were started with.
fn marked(marks: &[String; 3]) -> Vec<Pid> {
    let own = std::process::id().cast_signed();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let holds = |pid: &i32| {
        let mut bytes = Vec::new();
        let opened = File::open(format!("/proc/{pid}/environ"));
        // One that has gone meanwhile, or a kernel's thread, has none.
        let read = opened.and_then(|file| file.take(MAX_ENVIRONMENT).read_to_end(&mut bytes));
        let entries: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
        read.is_ok() && marks.iter().all(|mark| entries.contains(&mark.as_bytes()))
    };
    numbers.filter(|pid| *pid != own && holds(pid)).filter_map(Pid::from_raw).collect()
}

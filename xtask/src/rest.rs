//! An agent at rest: what its process takes of memory and processor time while nothing happens, against a real server.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The budgets: resident memory in MB (of a million bytes), and per cent of a core.
const MEMORY: f64 = 20.0;
const SHARE: f64 = 0.1;
/// How long the server may take to answer, and the agent to report the first time. A package index may have to be fetched.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// Ticks of processor time a second, as Linux counts them for programs (proc_pid_stat(5), sysconf(_SC_CLK_TCK)).
const TICKS: f64 = 100.0;

/// Ended with what it is of: a measure that fails leaves nothing running.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Measures for so many minutes the agent of this machine. `programs` holds `tenon` and `tenon-agent`.
pub(crate) fn rest(programs: &Path, minutes: u64) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("tenon-rest-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let measured = measure(programs, &folder, Duration::from_secs(60 * minutes));
    // What a failed run leaves behind is only in the way.
    let _removed = fs::remove_dir_all(&folder);
    measured
}

fn measure(programs: &Path, folder: &Path, span: Duration) -> Result<()> {
    let [listen, gateway] = [free_port()?, free_port()?].map(|port| format!("127.0.0.1:{port}"));
    let program = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.env("TENON_DATA", folder.join("data")).env("TENON_URL", format!("http://{listen}"));
        command.stdin(Stdio::null());
        command
    };
    let mut up = program("tenon");
    up.args(["up", "--no-agent", "--feeds", "none", "--listen", &listen, "--gateway", &gateway]);
    let _server = start(&mut up, &folder.join("server.log"))?;
    let token = wait("the server", || {
        let output = program("tenon").arg("enrol-token").output().context("starting tenon")?;
        Ok(output.status.success().then_some(output.stdout))
    })?;

    let state = folder.join("agent");
    let mut enrol = program("tenon-agent");
    enrol.arg("enrol").arg("--server").arg(format!("https://{gateway}")).arg("--state").arg(&state);
    let mut enrol =
        enrol.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("starting tenon-agent")?;
    enrol.stdin.take().context("the agent's input")?.write_all(&token).context("handing over the token")?;
    ensure!(enrol.wait().context("waiting for tenon-agent enrol")?.success(), "tenon-agent enrol failed");
    let log = folder.join("agent.log");
    // As its unit runs it.
    let mut run = program("tenon-agent");
    run.args(["run", "--until-replaced", "--state"]).arg(&state);
    let agent = start(&mut run, &log)?;
    let pid = agent.0.id();
    wait("the agent's first report", || {
        let said = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
        Ok(said.contains("inventory reported").then_some(()))
    })?;

    let (began, before) = (Instant::now(), Spent::of(pid)?);
    let mut highest = 0;
    while began.elapsed() < span {
        std::thread::sleep(LOOK);
        highest = highest.max(memory(pid, "VmRSS")?);
    }
    let (took, after) = (began.elapsed(), Spent::of(pid)?);
    let (own, started) = (after.own - before.own, after.started - before.started);
    let share = 100.0 * (own + started) / took.as_secs_f64();
    let peak = memory(pid, "VmHWM")?;
    let looks = fs::read_to_string(&log).unwrap_or_default().matches("what changed is reported").count();
    println!("an agent at rest for {:.0} s, which looked at the host {looks} times", took.as_secs_f64());
    println!("  memory           {:.1} MB at most, {:.1} MB with the first report", mb(highest), mb(peak));
    println!(
        "  processor time   {own:.2} s of its own, {started:.2} s of what it started: {share:.3} % of a core"
    );
    println!("  budget           {MEMORY} MB, {SHARE} % of a core");
    ensure!(mb(peak) < MEMORY && share < SHARE, "over the budget");
    Ok(())
}

/// In MB, of KiB.
#[allow(clippy::cast_precision_loss)] // Memory of a process.
fn mb(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1_000_000.0
}

fn start(command: &mut Command, log: &PathBuf) -> Result<Running> {
    let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(Running(command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?))
}

/// A port that nobody has at the moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.port())
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(LOOK);
    }
    bail!("{what} did not come within {} s", PATIENCE.as_secs())
}

/// Processor time in seconds.
struct Spent {
    /// Of the process with all its threads.
    own: f64,
    /// Of programs that it started and that have ended.
    started: f64,
}

impl Spent {
    fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let stat = fs::read_to_string(&path).context("the agent has ended")?;
        // The name, in parentheses, may hold spaces; the times are fields 14 to 17, the 12th to 15th after the name.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().skip(11));
        let times: Vec<f64> =
            fields.into_iter().flatten().take(4).filter_map(|field| field.parse().ok()).collect();
        match times[..] {
            [user, system, users, systems] => {
                Ok(Self { own: (user + system) / TICKS, started: (users + systems) / TICKS })
            }
            _ => bail!("{path} holds no times"),
        }
    }
}

/// A line of `/proc/PID/status` that gives KiB.
fn memory(pid: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).context("the agent has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.with_context(|| format!("{path} tells no {name}"))
}

//! The real change: what was rehearsed and approved, carried out, verified on this host, taken back when it does not hold.
//!
//! ```text
//! check -> intent on disk -> upgrade -> restart what runs old code -> verify -> report
//!                               |            any trouble: way back -> verify -> report
//!                         power cut: recover() goes on from the intent
//! ```

mod intent;
mod restart;

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, fcntl_lock};
use tenon_model::{ApplyOutcome, ApplyReport, Change, Evidence, PackageTarget, PinnedFile, Transaction};

use crate::index::Apt;
use crate::inventory::{native_architecture, obstacle_to_apply, processes, reboot_required_by};
use crate::limits::{Action, Limits, LimitsFile, Refusal, rooms, written_by};
use crate::rehearsal::{asked_for_reboot, way_back};
use crate::run::{code_of, command, last_characters, millis_since, now, run, run_logged};
use crate::status::Status;
use crate::transaction::{Store, check_words, replaced, simulate};
use crate::{HostError, System, files, owners, units};

use intent::Intent;

/// Longest the package manager may take. Killing it half-way is the last resort: the way back begins then.
const UPGRADE: Duration = Duration::from_secs(7_200);
const QUICK: Duration = Duration::from_secs(120);
/// Most of the package manager's output that is reported, in bytes.
const OUTPUT: usize = 64 * 1024;

/// Why nothing was changed.
struct NotBegun {
    code: &'static str,
    detail: String,
}

fn not_begun<T>(code: &'static str, detail: impl Into<String>) -> Result<T, NotBegun> {
    Err(NotBegun { code, detail: detail.into() })
}

impl From<HostError> for NotBegun {
    fn from(error: HostError) -> Self {
        Self { code: "host", detail: error.to_string() }
    }
}

impl From<Refusal> for NotBegun {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), detail: refusal.to_string() }
    }
}

/// Carries out what was rehearsed, where this host's limits allow it: the same transaction with the same package files, or
/// nothing. Then restarts services that still run replaced files, verifies versions, processes and services, and goes back to
/// the recorded versions when something does not hold.
pub fn apply(
    targets: &[PackageTarget],
    transaction: &Transaction,
    files: &[PinnedFile],
    work: &Path,
    limits: &LimitsFile,
) -> ApplyReport {
    let started = Instant::now();
    let mut report = match prepare(targets, transaction, files, work, limits) {
        Ok(intent) => carry_out(&intent, work, upgrade),
        Err(NotBegun { code, detail }) => ApplyReport::refused(code, detail),
    };
    report.duration_ms = millis_since(started);
    report
}

/// Goes on with a change that was cut off by a power cut, a kill or a reboot: finishes what the package manager had begun
/// and verifies it, or goes back. `None` when no change had been begun. The limits allowed it when it began and are not asked
/// again: none of them may leave the host half-way.
pub fn recover(work: &Path) -> Option<ApplyReport> {
    let started = Instant::now();
    let intent = match Intent::read(work) {
        Ok(intent) => intent?,
        Err(error) => {
            return Some(ApplyReport {
                outcome: ApplyOutcome::Failed {
                    reason: format!("a change was cut off and its record cannot be read: {error}"),
                    remedy: "look at `dpkg --audit` and the services of this host".to_owned(),
                },
                evidence: Evidence::default(),
                duration_ms: 0,
                output: String::new(),
            });
        }
    };
    // Process ids mean nothing across a reboot.
    let intent = Intent { stale: Vec::new(), ..intent };
    let mut report = carry_out(&intent, work, finish);
    report.duration_ms = millis_since(started);
    Some(report)
}

/// Checks everything that can be checked before, and puts the intent on the disk.
fn prepare(
    targets: &[PackageTarget],
    transaction: &Transaction,
    files: &[PinnedFile],
    work: &Path,
    limits: &LimitsFile,
) -> Result<Intent, NotBegun> {
    let allowed = allowed_now(limits)?;
    allowed.transaction(transaction)?;
    if let Some(obstacle) = obstacle_to_apply() {
        return not_begun("cannot-act", obstacle);
    }
    check_words(targets).map_err(|detail| NotBegun { code: "bad-order", detail })?;
    let status = Status::read(&System::live())?;
    if let Some(interruption) = status.interruption() {
        return not_begun("dpkg-interrupted", interruption);
    }
    if let Some(difference) = not_as_before(&status, transaction) {
        return not_begun("precondition", difference);
    }
    nobody_else_changes_packages()?;
    let native = native_architecture(&status, &System::live(), &mut Vec::new());
    let (apt, store) = (Apt::freshest(work), Store::open(work)?);
    let simulated = simulate(&apt, &store, targets, &native)
        .map_err(|detail| NotBegun { code: "transaction-changed", detail })?;
    allowed.transaction(&simulated)?;
    if simulated.steps != transaction.steps {
        return not_begun(
            "transaction-changed",
            "apt would do something else now than what was rehearsed and approved",
        );
    }
    let changing: Vec<(String, String)> =
        replaced(transaction).map(|(step, _)| (step.package.clone(), step.architecture.clone())).collect();
    let written = written_by(&changing, work);
    allowed.rooms(&rooms(&written))?;
    let pinned = store.fetch(&apt, targets, transaction, &native)?;
    if pinned != files {
        return not_begun("file-changed", "a package file is not the one that was rehearsed");
    }
    let back = store.fetch_undo(&apt, transaction).map(|files| way_back(&files, transaction));
    let intent = Intent {
        transaction: transaction.clone(),
        upgrade: store.upgrade(&apt, "DPkg::Lock::Timeout=60", targets, &native),
        back,
        services: units::running()?,
        stale: processes::stale().stale.iter().map(|process| process.pid).collect(),
    };
    // What came before may have taken long and filled a disk, and root may have changed the file.
    let allowed = allowed_now(limits)?;
    allowed.transaction(transaction)?;
    allowed.units(&owners::units_touched(&changing))?;
    allowed.rooms(&rooms(&written))?;
    allowed.reboot(asked_for_reboot(work, transaction, files))?;
    intent.begin(work)?;
    Ok(intent)
}

/// The limits as they are now, if they let a change begin now.
fn allowed_now(limits: &LimitsFile) -> Result<Limits, Refusal> {
    let allowed = limits.read()?;
    allowed.begin(Action::Apply, now())?;
    Ok(allowed)
}

/// The first package that is not at the version which the transaction replaces.
fn not_as_before(status: &Status, transaction: &Transaction) -> Option<String> {
    replaced(transaction).find_map(|(step, from)| {
        let installed = status.version(&step.package, &step.architecture).unwrap_or("not installed");
        (installed != from).then(|| format!("{} is at {installed}, not at {from}", step.package))
    })
}

/// Another package manager at work is not raced, nor waited for: its result has to be looked at first.
fn nobody_else_changes_packages() -> Result<(), NotBegun> {
    for path in ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"] {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(HostError::file("open", Path::new(path)))?;
        if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return not_begun(
                "busy",
                format!("another program changes packages on this host now (it holds {path})"),
            );
        }
    }
    Ok(())
}

/// The package manager's own work, and its exit status.
type Work = fn(&Intent, &Path) -> Result<i32, HostError>;

fn upgrade(intent: &Intent, log: &Path) -> Result<i32, HostError> {
    run_words(&intent.upgrade, log)
}

/// After an interruption dpkg first ends what it had unpacked; where that does not do, apt mends dependencies.
fn finish(intent: &Intent, log: &Path) -> Result<i32, HostError> {
    let words = |line: &[&str]| line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let configure =
        run_words(&words(&["dpkg", "--force-confold", "--force-confdef", "--configure", "-a"]), log)?;
    if configure != 0 {
        run_words(
            &words(&[
                "apt-get",
                "-y",
                "-q",
                "--fix-broken",
                "-o",
                "Dpkg::Options::=--force-confold",
                "install",
            ]),
            log,
        )?;
    }
    run_words(&intent.upgrade, log)
}

fn run_words(words: &[String], log: &Path) -> Result<i32, HostError> {
    let Some((program, arguments)) = words.split_first() else { return Ok(0) };
    run_logged(&mut command(program, arguments), log, UPGRADE).map(code_of)
}

fn carry_out(intent: &Intent, work: &Path, change: Work) -> ApplyReport {
    let log = work.join("change.log");
    // An old log is only confusing; one that cannot be removed is appended to.
    let _old = std::fs::remove_file(&log);
    let mut evidence = Evidence::default();
    let ended = change(intent, &log);
    evidence.package_manager_exit = ended.as_ref().ok().copied();
    let trouble = match ended {
        Ok(0) => None,
        Ok(code) => Some(format!(
            "the package manager ended with {code}: {}",
            last_characters(files::tail(&log, 2_000).trim_end(), 600)
        )),
        Err(error) => Some(error.to_string()),
    };
    let outcome = match verify(intent, &mut evidence, trouble) {
        Ok(()) => ApplyOutcome::Verified,
        Err(Verdict::InMemory(reason)) => ApplyOutcome::Failed {
            reason,
            remedy: "restart them at a good moment, or reboot; the directive closes when no process runs the old code".to_owned(),
        },
        Err(Verdict::Untouched(reason)) => ApplyOutcome::Refused { code: "package-manager".to_owned(), detail: reason },
        Err(Verdict::Broken(reason)) => go_back(intent, &log, reason),
    };
    let outcome = match Intent::end(work) {
        Ok(()) => outcome,
        Err(error) => ApplyOutcome::Failed {
            reason: format!("the end of the change cannot be recorded on this host: {error}"),
            remedy: "free space on the disk, then start the agent again: it looks at the change anew"
                .to_owned(),
        },
    };
    ApplyReport { outcome, evidence, duration_ms: 0, output: files::tail(&log, OUTPUT) }
}

/// Why a change is not verified.
enum Verdict {
    /// Nothing is different from before.
    Untouched(String),
    /// Everything holds on the disk, yet processes that cannot be restarted by themselves run the old code.
    InMemory(String),
    /// It does not hold.
    Broken(String),
}

/// Looks at versions, processes and services. An exit status of zero proves nothing.
fn verify(intent: &Intent, evidence: &mut Evidence, mut trouble: Option<String>) -> Result<(), Verdict> {
    let broken = |reason: String| Verdict::Broken(reason);
    let status = Status::read(&System::live()).map_err(|error| broken(error.to_string()))?;
    let installed = |package: &str, architecture: &str| {
        status.version(package, architecture).unwrap_or("not installed").to_owned()
    };
    let steps = &intent.transaction.steps;
    evidence.versions = steps
        .iter()
        .map(|step| (step.package.clone(), installed(&step.package, &step.architecture)))
        .collect();
    evidence.reboot_pending = !reboot_required_by(&System::live()).is_empty();
    let untouched = not_as_before(&status, &intent.transaction).is_none();
    if let Some(reason) = trouble.as_ref().filter(|_| untouched && status.interruption().is_none()) {
        return Err(Verdict::Untouched(reason.clone()));
    }
    let audit = audit();
    if trouble.is_none() && !audit.is_empty() {
        trouble = Some(format!("dpkg --audit finds: {audit}"));
    }
    for step in steps {
        if let Change::Upgrade { to, .. } | Change::Install { to } = &step.change
            && trouble.is_none()
            && installed(&step.package, &step.architecture) != *to
        {
            trouble = Some(format!(
                "{} is at {}, not at {to}",
                step.package,
                installed(&step.package, &step.architecture)
            ));
        }
    }
    // A change that failed already is taken back without restarting anything into it.
    if let Some(reason) = trouble {
        return Err(broken(reason));
    }
    let restarted = restart::restart_stale(&intent.stale);
    evidence.restarted = restarted.units;
    evidence.stale = restarted.stale;
    let settled = units::settle(&intent.services).map_err(|error| broken(error.to_string()))?;
    let services = settled.trouble();
    evidence.units = settled.health;
    if let Some(reason) = services.or_else(|| restarted.troubles.first().cloned()) {
        return Err(broken(reason));
    }
    if !evidence.stale.is_empty() {
        let names: Vec<_> =
            evidence.stale.iter().map(|process| format!("{} ({})", process.command, process.pid)).collect();
        return Err(Verdict::InMemory(format!(
            "installed, yet these still run the old code: {}",
            names.join(", ")
        )));
    }
    Ok(())
}

fn audit() -> String {
    let audit = run(&mut command("dpkg", ["--audit"]), QUICK);
    let text = audit.map_or_else(|error| error.to_string(), |ran| ran.stdout + &ran.stderr);
    last_characters(text.trim(), 600)
}

/// Takes the change back to the versions recorded before it.
fn go_back(intent: &Intent, log: &Path, reason: String) -> ApplyOutcome {
    let lines = match &intent.back {
        Ok(lines) => lines,
        Err(missing) => {
            return ApplyOutcome::Failed {
                reason,
                remedy: format!("there is no way back ({missing}): repair the service, or restore a backup"),
            };
        }
    };
    match take_back(intent, lines, log) {
        Ok(()) => ApplyOutcome::RolledBack { reason },
        Err(error) => ApplyOutcome::Failed {
            reason: format!("{reason}; taking it back failed too: {error}"),
            remedy: format!(
                "run on the host: {}",
                lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>().join(" && ")
            ),
        },
    }
}

fn take_back(intent: &Intent, lines: &[Vec<String>], log: &Path) -> Result<(), String> {
    for line in lines {
        match run_words(line, log) {
            Ok(0) => {}
            Ok(code) => return Err(format!("{} ended with {code}", line.join(" "))),
            Err(error) => return Err(error.to_string()),
        }
    }
    let status = Status::read(&System::live()).map_err(|error| error.to_string())?;
    if let Some(difference) = not_as_before(&status, &intent.transaction) {
        return Err(difference);
    }
    let audit = audit();
    if !audit.is_empty() {
        return Err(format!("dpkg --audit finds: {audit}"));
    }
    let restarted = restart::restart_stale(&intent.stale);
    bring_up(intent)?;
    let settled = units::settle(&intent.services).map_err(|error| error.to_string())?;
    settled.trouble().or_else(|| restarted.troubles.first().cloned()).map_or(Ok(()), Err)
}

/// Services that the change had brought down are started again: the packages' scripts restart only what runs. systemd has
/// given up on those that failed again and again (systemd.unit(5), `StartLimitBurst=`), which is forgiven first.
fn bring_up(intent: &Intent) -> Result<(), String> {
    let names: Vec<&str> = intent.services.keys().map(String::as_str).collect();
    let now = units::states(&names).map_err(|error| error.to_string())?;
    for name in names.iter().filter(|name| !now.get(**name).is_some_and(units::State::is_well)) {
        for verb in ["reset-failed", "restart"] {
            let ran = run(&mut command("systemctl", [verb, "--", name]), QUICK).and_then(crate::run::Ran::ok);
            ran.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

//! A rehearsal: the real upgrade, with the real package files, on a throw-away copy of this host's file system.
//!
//! ```text
//! host:  simulate -> download -> digest files -> [ room ] -> judge -> report
//! room:  overlay of every mount, own /proc /sys /dev /run, no network, no block devices, no rights over the machine
//!        upgrade -> look -> way back -> look
//! ```
//!
//! It shows that the package transaction works and can be taken back. Whether the services then run is seen only on the
//! host itself, after the change.

mod confine;
mod judge;
mod mounts;
mod process_one;
mod remembered;
mod room;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tenon_model::{Digest, PackageTarget, PinnedFile, RehearsalOutcome, RehearsalReport, Transaction, Unit};

use crate::hooks::{DISTRUSTED, Distrusted};
use crate::inventory::obstacle_to_rehearse;
use crate::limits::{Action, Refusal, rooms};
use crate::manager::{Kind, Manager, Place, on_host};
use crate::run::{command, millis_since, now, run};
use crate::status::Status;
use crate::transaction::{check_words, replaced};
use crate::{HostError, Rules, conffiles, files, owners};

pub use process_one::child_main;
use process_one::{ROOM, Seen, Task, UPGRADE};
pub(crate) use remembered::asked_for_reboot;

/// Most bytes a rehearsal may write. All of a server's 35 pending packages wrote 160 MB; a desktop's take more.
const MOST_BYTES: u64 = 4 << 30;
/// Least bytes with which it is worth beginning.
const LEAST_BYTES: u64 = 64 << 20;

/// Why there is no passed rehearsal.
#[derive(Debug)]
enum Stop {
    /// It could not be tried, or the result does not tell.
    NotRehearsed(String),
    /// The transaction failed on the copy.
    Failed(String),
}

impl From<HostError> for Stop {
    fn from(error: HostError) -> Self {
        Self::NotRehearsed(error.to_string())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::NotRehearsed(format!("the host refused ({}): {refusal}", refusal.code()))
    }
}

impl From<Distrusted> for Stop {
    fn from(distrusted: Distrusted) -> Self {
        Self::NotRehearsed(format!("the host refused ({DISTRUSTED}): {distrusted}"))
    }
}

fn unclear<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotRehearsed(reason.into()))
}

/// Runs the real upgrade of the targets on a throw-away copy of this host's file system. The host itself is not changed,
/// except for package files that are downloaded into `work`.
///
/// Whatever is unclear makes the outcome "not rehearsed", never "passed". So does what the host's limits would not let be
/// applied, but for the time of the day, and hooks that are not believed: nobody should approve what is then refused.
pub fn rehearse(targets: &[PackageTarget], work: &Path, rules: &Rules) -> RehearsalReport {
    let started = Instant::now();
    let mut report = RehearsalReport::not_rehearsed("nothing was tried");
    match attempt(targets, work, rules, &mut report) {
        Ok(()) => report.outcome = RehearsalOutcome::Passed,
        Err(Stop::NotRehearsed(reason)) => report.outcome = RehearsalOutcome::NotRehearsed { reason },
        Err(Stop::Failed(reason)) => report.outcome = RehearsalOutcome::Failed { reason },
    }
    report.duration_ms = millis_since(started);
    report
}

fn attempt(
    targets: &[PackageTarget],
    work: &Path,
    rules: &Rules,
    report: &mut RehearsalReport,
) -> Result<(), Stop> {
    let limits = rules.limits.read().map_err(Refusal::from)?;
    limits.begin(Action::Rehearse, now())?;
    rules.hooks.read()?;
    let kind = Kind::of_this_host();
    if let Some(obstacle) = obstacle_to_rehearse(kind) {
        return unclear(obstacle);
    }
    check_words(targets).map_err(Stop::NotRehearsed)?;
    let status = kind.record(on_host)?;
    check_before(&status, targets)?;
    let manager = Manager::open(kind, &status, work)?;
    // Planning may download already.
    limits.rooms(&rooms(&[work.to_owned()].into()))?;
    report.transaction = manager.plan(&status, targets, &[]).map_err(Stop::NotRehearsed)?;
    limits.transaction(&report.transaction)?;
    judge::check_kinds(&report.transaction, kind.boot_packages()).map_err(Stop::NotRehearsed)?;
    report.files = manager.fetch(targets, &report.transaction)?;
    let changing: Vec<(String, String)> = replaced(&report.transaction)
        .map(|(step, _)| (step.package.clone(), step.architecture.clone()))
        .collect();
    report.units = owners::units_touched(&changing);
    limits.units(&report.units)?;
    let recorded = kind.configuration(&status, &changing, on_host)?;
    let modified = conffiles::changed(&recorded)?;
    report.class = class(report, &modified, &status, kind);
    let undo = manager.fetch_undo(&report.transaction);
    let upgrade = manager.upgrade(Place::Copy, targets, &report.transaction);
    let back = undo.as_ref().map(|files| kind.way_back(files, &report.transaction)).unwrap_or_default();
    let seen = enter_room(work, kind, upgrade, back, changing)?;
    report.output.clone_from(&seen.upgrade.output);
    report.bytes_written = seen.bytes_written;
    report.reboot = seen.reboot || kind.asks_for_reboot(&report.transaction);
    report.conffile_conflicts = judge::conflicts(&recorded, &modified, &seen.conffiles);
    report.undo = judge::undo(undo.err(), &status.versions(), &seen);
    judge::judge(report, &status.versions(), &seen)?;
    remembered::remember(work, &report.transaction, &report.files, report.reboot)?;
    Ok(limits.reboot(Some(report.reboot))?)
}

/// What must hold on the host before anything is tried.
fn check_before(status: &Status, targets: &[PackageTarget]) -> Result<(), Stop> {
    if let Some(interruption) = status.interruption() {
        return unclear(interruption);
    }
    for target in targets {
        let installed = status.version(&target.package, &target.architecture);
        if installed != Some(target.from.as_str()) {
            let now = installed.unwrap_or("not installed");
            return unclear(format!(
                "{} is at {now}, not at {} as the order says: report and try again",
                target.package, target.from
            ));
        }
    }
    Ok(())
}

/// The rehearsal class: hosts where all of this is equal behave alike.
fn class(report: &RehearsalReport, modified: &[String], status: &Status, kind: Kind) -> Digest {
    #[derive(Serialize)]
    struct Class<'a> {
        transaction: &'a Transaction,
        files: &'a [PinnedFile],
        modified_configuration: &'a [String],
        holds: Vec<String>,
        pins: Vec<Digest>,
        units: &'a [Unit],
    }
    let class = Class {
        transaction: &report.transaction,
        files: &report.files,
        modified_configuration: modified,
        holds: status.holds(),
        pins: kind.pins().iter().filter_map(|path| files::sha256(path).ok()).collect(),
        units: &report.units,
    };
    // Nothing in it can fail to encode; a digest of nothing would only make a class of its own.
    Digest::of(&serde_json::to_vec(&class).unwrap_or_default())
}

/// Starts this program again as process 1 of the room and waits for what it saw.
fn enter_room(
    work: &Path,
    kind: Kind,
    upgrade: Vec<String>,
    back: Vec<Vec<String>>,
    changing: Vec<(String, String)>,
) -> Result<Seen, Stop> {
    let stage = files::make_dir(&work.join("stage"))?;
    if mounts::OWN.iter().any(|own| stage.starts_with(own)) {
        return unclear(format!(
            "{} is not seen by a rehearsal: keep the agent's folder elsewhere",
            work.display()
        ));
    }
    let bytes = room_size()?;
    let runs = u32::try_from(back.len()).unwrap_or(u32::MAX).saturating_add(1);
    let task = Task { stage, bytes, upgrade, back, kind, changing };
    let path = work.join("rehearsal.json");
    files::write_durably(&path, &serde_json::to_vec(&task).unwrap_or_default())?;
    let task = File::open(&path).map_err(HostError::file("open", &path))?;
    let program = std::env::current_exe().map_err(HostError::file("find", Path::new("/proc/self/exe")))?;
    let mut unshare =
        command("unshare", ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork"]);
    unshare
        .args(["--kill-child=SIGKILL", "--propagation", "private", "--"])
        .arg(program)
        .arg(ROOM)
        .stdin(task);
    let ran = run(&mut unshare, UPGRADE.saturating_mul(runs) + Duration::from_secs(60))?;
    files::remove_durably(&path)?;
    let answer = ran.ok()?;
    serde_json::from_str(&answer).map_err(|error| {
        Stop::NotRehearsed(format!("the rehearsal's room gave no answer that can be read: {error}"))
    })
}

/// Half of the memory that is to be had: the copy lives in memory.
fn room_size() -> Result<u64, Stop> {
    let text = files::read_text(Path::new("/proc/meminfo"), 64 * 1024)?;
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let bytes = (available.unwrap_or(0) * 1024 / 2).min(MOST_BYTES);
    if bytes < LEAST_BYTES {
        return unclear(format!("{} MB of memory to spare are too few for a copy", bytes >> 20));
    }
    Ok(bytes)
}

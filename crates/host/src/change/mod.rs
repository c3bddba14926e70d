//! The real change: what was rehearsed and approved, carried out, verified on this host, taken back when it does not hold.
//!
//! ```text
//! check -> intent on disk -> `before` of hooks -> check -> upgrade -> restart what runs old code -> verify -> `after` -> report
//!                                  |                          any trouble: way back -> verify -> `undo` of hooks -> report
//!                            power cut: recover() goes on from the intent, which says how far it came
//! ```

mod around;
mod intent;
mod restart;
mod verify;

use std::path::Path;
use std::time::{Duration, Instant};

use tenon_approval::HostChange;
use tenon_model::{
    ApplyOutcome, ApplyReport, AssetId, DirectiveId, Evidence, HookMoment, KeyApproval, OrderId,
    PackageTarget, PinnedFile, Transaction,
};

use crate::hooks::{DISTRUSTED, Distrusted, HooksFolder};
use crate::inventory::{hostname, obstacle_to_apply, processes};
use crate::limits::{Action, Limits, LimitsFile, Refusal, rooms, written_by};
use crate::manager::{Kind, Manager, Place, on_host};
use crate::rehearsal::asked_for_reboot;
use crate::run::{code_of, command, last_characters, millis_since, now, run_logged};
use crate::status::Status;
use crate::transaction::{check_words, replaced};
use crate::{HostError, Rules, System, files, owners, units};

use around::{Around, Served};
use intent::{Intent, Stage};
use verify::{Verdict, go_back, verify};

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

impl From<Distrusted> for NotBegun {
    fn from(distrusted: Distrusted) -> Self {
        Self { code: DISTRUSTED, detail: distrusted.to_string() }
    }
}

/// What a server ordered: a change that was rehearsed and approved.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'a> {
    /// The order.
    pub order: OrderId,
    /// This host, as its own key names it.
    pub asset: AssetId,
    /// The directive that it serves.
    pub directive: DirectiveId,
    /// What is asked for.
    pub targets: &'a [PackageTarget],
    /// Everything that changes with it.
    pub transaction: &'a Transaction,
    /// The package files, as they were rehearsed.
    pub files: &'a [PinnedFile],
    /// What people signed for it.
    pub approvals: &'a [KeyApproval],
}

impl Ordered<'_> {
    /// Whether people have signed exactly this, where this host asks for that.
    fn approved(&self, allowed: &Limits) -> Result<(), Refusal> {
        let Self { order: _, asset, directive, targets, transaction, files, approvals } = *self;
        let hostname = &hostname(&System::live());
        let change = HostChange { asset, hostname, directive, targets, transaction, files };
        allowed.approved(&change, approvals, now())
    }
}

/// Carries out what was rehearsed, where this host's limits allow it: the same transaction with the same package files, or
/// nothing. Then restarts services that still run replaced files, verifies versions, processes and services, and goes back to
/// the recorded versions when something does not hold. Root's hooks run around it.
pub fn apply(ordered: &Ordered<'_>, work: &Path, rules: &Rules) -> ApplyReport {
    let started = Instant::now();
    let mut report = match prepare(ordered, work, rules) {
        Ok(change) => change.begin(work, rules),
        Err(NotBegun { code, detail }) => ApplyReport::refused(code, detail),
    };
    report.duration_ms = millis_since(started);
    report
}

/// Goes on with a change that was cut off by a power cut, a kill or a reboot: finishes what the package manager had begun
/// and verifies it, or goes back; then lets hooks that had begun end. `None` when no change had been begun. The limits allowed
/// it when it began and are not asked again: none of them may leave the host half-way.
pub fn recover(work: &Path, hooks: &HooksFolder) -> Option<ApplyReport> {
    let started = Instant::now();
    let intent = match Intent::read(work) {
        Ok(intent) => intent?,
        Err(error) => {
            return Some(ApplyReport {
                outcome: ApplyOutcome::Failed {
                    reason: format!("a change was cut off and its record cannot be read: {error}"),
                    remedy: format!(
                        "look at {} and the services of this host, and whether hooks have to be undone",
                        Kind::of_this_host().first_look()
                    ),
                },
                evidence: Evidence::default(),
                duration_ms: 0,
                output: String::new(),
            });
        }
    };
    // Process ids mean nothing across a reboot.
    let mut intent = Intent { stale: Vec::new(), ..intent };
    let cut = around::cut_off(&mut intent);
    let mut report = match intent.stage.clone() {
        Stage::Before => {
            let detail = format!("the agent was interrupted before anything was changed{cut}");
            end(&mut intent, work, hooks, ApplyReport::refused("interrupted", detail), Some(HookMoment::Undo))
        }
        Stage::Change => carry_out(&mut intent, work, hooks, finish),
        Stage::End { report, moment } => around::go_on(&mut intent, work, hooks, *report, moment),
    };
    report.duration_ms = millis_since(started);
    Some(report)
}

/// A change that may begin.
struct Ready<'a> {
    intent: Intent,
    ordered: &'a Ordered<'a>,
    changing: Vec<(String, String)>,
}

/// Checks everything that can be checked before.
fn prepare<'a>(ordered: &'a Ordered<'a>, work: &Path, rules: &Rules) -> Result<Ready<'a>, NotBegun> {
    let Ordered { targets, transaction, files, .. } = *ordered;
    let allowed = allowed_now(&rules.limits)?;
    allowed.transaction(transaction)?;
    ordered.approved(&allowed)?;
    let hooks = rules.hooks.read()?;
    let kind = Kind::of_this_host();
    if let Some(obstacle) = obstacle_to_apply(kind) {
        return not_begun("cannot-act", obstacle);
    }
    check_words(targets).map_err(|detail| NotBegun { code: "bad-order", detail })?;
    let status = undisturbed(kind, transaction)?;
    let manager = Manager::open(kind, &status, work)?;
    // Planning may download already.
    allowed.rooms(&rooms(&[work.to_owned()].into()))?;
    let simulated = manager
        .plan(&status, targets, files)
        .map_err(|detail| NotBegun { code: "transaction-changed", detail })?;
    allowed.transaction(&simulated)?;
    if simulated.steps != transaction.steps {
        return not_begun(
            "transaction-changed",
            format!("{} would do something else now than what was rehearsed and approved", manager.name()),
        );
    }
    let changing: Vec<(String, String)> =
        replaced(transaction).map(|(step, _)| (step.package.clone(), step.architecture.clone())).collect();
    allowed.rooms(&rooms(&written_by(&changing, work)))?;
    let pinned = manager.fetch(targets, transaction)?;
    if pinned != files {
        return not_begun("file-changed", "a package file is not the one that was rehearsed");
    }
    let back = manager.fetch_undo(transaction).map(|files| kind.way_back(&files, transaction));
    let intent = Intent {
        transaction: transaction.clone(),
        upgrade: manager.upgrade(Place::Host, targets, transaction),
        back,
        kind,
        mend: manager.mend(transaction),
        services: units::States::new(),
        stale: Vec::new(),
        served: Some(Served { order: ordered.order, directive: ordered.directive }),
        hooks: Around::new(hooks),
        stage: Stage::Before,
    };
    let ready = Ready { intent, ordered, changing };
    // What came before may have taken long and filled a disk, and root may have changed the files.
    ready.check(work, rules)?;
    Ok(ready)
}

impl Ready<'_> {
    /// What the limits say when the change is about to begin.
    fn check(&self, work: &Path, rules: &Rules) -> Result<(), NotBegun> {
        let Ordered { transaction, files, .. } = *self.ordered;
        let allowed = allowed_now(&rules.limits)?;
        allowed.transaction(transaction)?;
        self.ordered.approved(&allowed)?;
        allowed.units(&owners::units_touched(&self.changing))?;
        allowed.rooms(&rooms(&written_by(&self.changing, work)))?;
        allowed.reboot(asked_for_reboot(work, transaction, files))?;
        Ok(())
    }

    /// Lets the hooks begin, then the change.
    fn begin(mut self, work: &Path, rules: &Rules) -> ApplyReport {
        match self.lead_in(work, rules) {
            Ok(()) => carry_out(&mut self.intent, work, &rules.hooks, upgrade),
            Err(NotBegun { code, detail }) => {
                let report = ApplyReport::refused(code, detail);
                end(&mut self.intent, work, &rules.hooks, report, Some(HookMoment::Undo))
            }
        }
    }

    /// Up to where the packages begin to change, with the intent on the disk.
    fn lead_in(&mut self, work: &Path, rules: &Rules) -> Result<(), NotBegun> {
        if !self.intent.hooks.is_empty() {
            around::before(&mut self.intent, work, &rules.hooks)?;
            // Hooks may have taken long, filled a disk, or changed packages themselves.
            undisturbed(self.intent.kind, self.ordered.transaction)?;
            self.check(work, rules)?;
        }
        // A service that a hook has stopped is not missed: its own end starts it again.
        self.intent.services = units::running()?;
        self.intent.stale = processes::stale().stale.iter().map(|process| process.pid).collect();
        self.intent.stage = Stage::Change;
        Ok(self.intent.begin(work)?)
    }
}

/// The state of the packages, where it is the one that the transaction begins with and nobody else is at work on them.
fn undisturbed(kind: Kind, transaction: &Transaction) -> Result<Status, NotBegun> {
    let status = kind.record(on_host)?;
    if let Some(interruption) = status.interruption() {
        return not_begun(kind.interrupted(), interruption);
    }
    if let Some(difference) = not_as_before(&status, transaction) {
        return not_begun("precondition", difference);
    }
    // Another package manager at work is not raced, nor waited for: its result has to be looked at first.
    if let Some(who) = kind.busy()? {
        return not_begun("busy", format!("another program changes packages on this host now ({who})"));
    }
    Ok(status)
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

/// The package manager's own work, and its exit status.
type Work = fn(&Intent, &Path) -> Result<i32, HostError>;

fn upgrade(intent: &Intent, log: &Path) -> Result<i32, HostError> {
    run_words(&intent.upgrade, log)
}

/// After an interruption what was cut off is ended first.
fn finish(intent: &Intent, log: &Path) -> Result<i32, HostError> {
    if run_words(&intent.mend.first, log)? != 0 {
        run_words(&intent.mend.otherwise, log)?;
    }
    run_words(&intent.upgrade, log)
}

fn run_words(words: &[String], log: &Path) -> Result<i32, HostError> {
    let Some((program, arguments)) = words.split_first() else { return Ok(0) };
    run_logged(&mut command(program, arguments), log, UPGRADE).map(code_of)
}

fn carry_out(intent: &mut Intent, work: &Path, hooks: &HooksFolder, change: Work) -> ApplyReport {
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
    let (outcome, moment) = match verify(intent, &mut evidence, trouble, &log) {
        Ok(()) => (ApplyOutcome::Verified, Some(HookMoment::After)),
        Err(Verdict::InMemory(reason)) => (
            ApplyOutcome::Failed {
                reason,
                remedy: "restart them at a good moment, or reboot; the directive closes when no process runs the old code"
                    .to_owned(),
            },
            Some(HookMoment::After),
        ),
        Err(Verdict::Untouched(reason)) => {
            around::untouched(intent, ApplyOutcome::Refused { code: "package-manager".to_owned(), detail: reason })
        }
        Err(Verdict::Broken(reason)) => {
            let outcome = go_back(intent, &log, reason);
            let well = matches!(outcome, ApplyOutcome::RolledBack { .. });
            (outcome, well.then_some(HookMoment::Undo))
        }
    };
    let report = ApplyReport { outcome, evidence, duration_ms: 0, output: files::tail(&log, OUTPUT) };
    end(intent, work, hooks, report, moment)
}

/// Lets the hooks that had begun end with these programs, with none where the host is not known to be well, and the change
/// with them.
fn end(
    intent: &mut Intent,
    work: &Path,
    hooks: &HooksFolder,
    report: ApplyReport,
    moment: Option<HookMoment>,
) -> ApplyReport {
    let report = around::end(intent, work, hooks, report, moment);
    let outcome = match Intent::end(work) {
        Ok(()) => report.outcome,
        Err(error) => ApplyOutcome::Failed {
            reason: format!("the end of the change cannot be recorded on this host: {error}"),
            remedy: "free space on the disk, then start the agent again: it looks at the change anew"
                .to_owned(),
        },
    };
    ApplyReport { outcome, ..report }
}

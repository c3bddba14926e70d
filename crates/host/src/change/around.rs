//! The hooks around one change: which have begun, and how they end. What is begun is on the disk before it runs.
//!
//! ```text
//! before:  each in order: mark begun -> run -> mark how it ended; a failure stops here
//! end:     each that has begun, in reverse order: mark begun -> run `after` or `undo` -> mark how it ended
//! ```
//!
//! A `before` runs at most once. An end whose own end is not known runs again.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tenon_model::{ApplyOutcome, ApplyReport, Change, DirectiveId, HookEnd, HookMoment, HookRun, OrderId};

use crate::hooks::{self, Call, Hook, HooksFolder, kill_leftovers};
use crate::run::last_characters;
use crate::units;

use super::NotBegun;
use super::intent::{Intent, Stage};

/// Most that a report holds of what all programs wrote, in bytes.
const OUTPUTS: usize = 256 << 10;
/// Most of a program's output in a sentence, in characters.
const SAID: usize = 300;
/// Longest list of packages that a program is told, in bytes: the kernel takes 128 KiB of one value (execve(2)).
const PACKAGES: usize = 32 << 10;

const WELL_AGAIN: &str = "bring the services back";

/// What a change serves, as its hooks are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Served {
    pub(super) order: OrderId,
    pub(super) directive: DirectiveId,
}

/// How far one hook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Nothing of it has run.
    Waiting,
    /// Its `before` was begun, and how it ended is not known.
    Beginning,
    /// Its `before` was run, or there was none.
    Begun,
    /// Its `after` or `undo` was begun, and how it ended is not known.
    Ending,
    /// It is over.
    Ended,
}

/// One hook of the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hooked {
    name: String,
    timeout_s: u32,
    step: Step,
}

/// The hooks around a change, in the order of their names, and what their programs did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Around {
    hooks: Vec<Hooked>,
    runs: Vec<HookRun>,
}

impl Around {
    pub(super) fn new(hooks: Vec<Hook>) -> Self {
        let waiting = |hook: Hook| Hooked { name: hook.name, timeout_s: hook.timeout_s, step: Step::Waiting };
        Self { hooks: hooks.into_iter().map(waiting).collect(), runs: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// Whether one has begun and is not over.
    fn is_open(&self) -> bool {
        (0..self.hooks.len()).any(|at| self.is_open_at(at))
    }

    fn is_open_at(&self, at: usize) -> bool {
        let step = self.hooks.get(at).map(|hook| hook.step);
        matches!(step, Some(Step::Beginning | Step::Begun | Step::Ending))
    }

    /// Notes of those that are open that the program by which the host would come back did not run.
    fn leave_out(&mut self, folder: &Path) {
        let open = (0..self.hooks.len()).rev().filter(|at| self.is_open_at(*at));
        let hooks = open.filter_map(|at| self.hooks.get(at));
        let left: Vec<HookRun> =
            hooks.filter_map(|hook| Some(left_out(hook, back(folder, &hook.name)?))).collect();
        self.runs.extend(left);
    }

    fn left_out(&self) -> impl Iterator<Item = &HookRun> {
        self.runs.iter().filter(|run| matches!(run.end, HookEnd::LeftOut { .. }))
    }

    /// Hooks whose program of this moment was not well when it ran last, with what was wrong.
    fn failures(&self, moment: HookMoment) -> Vec<(String, String)> {
        let last = |hook: &Hooked| {
            self.runs.iter().rev().find(|run| run.moment == moment && run.hook == hook.name).and_then(failure)
        };
        self.hooks.iter().rev().filter_map(|hook| Some((hook.name.clone(), last(hook)?))).collect()
    }

    fn set(&mut self, at: usize, step: Step) {
        if let Some(hook) = self.hooks.get_mut(at) {
            hook.step = step;
        }
    }

    /// What a report says of them, within its bound.
    fn told(&self) -> Vec<HookRun> {
        let most = OUTPUTS / self.runs.len().max(1);
        let mut runs = self.runs.clone();
        for run in runs.iter_mut().filter(|run| run.output.len() > most) {
            let start = (run.output.len() - most..).find(|at| run.output.is_char_boundary(*at));
            run.output = run.output.split_off(start.unwrap_or_default());
        }
        runs
    }
}

/// The program by which a host that is out comes back: not every hook has one, or tells both apart.
fn back(folder: &Path, hook: &str) -> Option<HookMoment> {
    let has = |moment: &HookMoment| folder.join(hook).join(moment.name()).exists();
    [HookMoment::Undo, HookMoment::After].into_iter().find(has)
}

fn left_out(hook: &Hooked, moment: HookMoment) -> HookRun {
    HookRun {
        hook: hook.name.clone(),
        moment,
        end: HookEnd::LeftOut { reason: "the host is not known to be well".to_owned() },
        duration_ms: 0,
        output: String::new(),
    }
}

/// Runs every `before`, until one is not well.
pub(super) fn before(intent: &mut Intent, work: &Path, folder: &HooksFolder) -> Result<(), NotBegun> {
    for at in 0..intent.hooks.hooks.len() {
        intent.hooks.set(at, Step::Beginning);
        intent.begin(work)?;
        let run = run(intent, at, HookMoment::Before, folder, None);
        intent.hooks.set(at, Step::Begun);
        let failure = run.as_ref().and_then(failure);
        intent.hooks.runs.extend(run);
        intent.begin(work)?;
        if let Some(detail) = failure {
            return Err(NotBegun { code: hooks::FAILED, detail });
        }
    }
    Ok(())
}

/// After an interruption: what is left of a program that was cut off is killed, and told. Says which it was.
pub(super) fn cut_off(intent: &mut Intent) -> String {
    let moment = match &intent.stage {
        Stage::Before => Some(HookMoment::Before),
        Stage::Change => None,
        Stage::End { moment, .. } => *moment,
    };
    let about = about(intent, None);
    let open = intent.hooks.hooks.iter().find(|hook| matches!(hook.step, Step::Beginning | Step::Ending));
    let Some((hook, moment)) = open.zip(moment) else { return String::new() };
    kill_leftovers(&hook.name, moment, &about);
    let said = format!(", while `{moment}` of hook {} ran", hook.name);
    let (hook, end) = (hook.name.clone(), HookEnd::CutOff);
    intent.hooks.runs.push(HookRun { hook, moment, end, duration_ms: 0, output: String::new() });
    said
}

/// What to make of a change of which the package manager did nothing: hooks are undone where the services are as they were.
pub(super) fn untouched(intent: &Intent, refused: ApplyOutcome) -> (ApplyOutcome, Option<HookMoment>) {
    match ill(intent) {
        Some(ill) => (not_held(&refused, &ill, WELL_AGAIN), None),
        None => (refused, Some(HookMoment::Undo)),
    }
}

/// After an interruption between the end of the change and that of its hooks: looks at the services again, then goes on.
pub(super) fn go_on(
    intent: &mut Intent,
    work: &Path,
    folder: &HooksFolder,
    mut report: ApplyReport,
    moment: Option<HookMoment>,
) -> ApplyReport {
    let moment = match moment.and_then(|_| ill(intent)) {
        Some(ill) => {
            report.outcome = not_held(&report.outcome, &format!("after an interruption {ill}"), WELL_AGAIN);
            None
        }
        None => moment,
    };
    super::end(intent, work, folder, report, moment)
}

/// What is wrong with the services, where hooks wait for that; `None` where none were noted because nothing had begun.
fn ill(intent: &Intent) -> Option<String> {
    if intent.services.is_empty() || !intent.hooks.is_open() {
        return None;
    }
    match units::settle(&intent.services) {
        Ok(settled) => settled.trouble(),
        Err(error) => Some(error.to_string()),
    }
}

/// Lets every hook that has begun end, the last first. Without a moment they stay as they are, and the report says so.
pub(super) fn end(
    intent: &mut Intent,
    work: &Path,
    folder: &HooksFolder,
    mut report: ApplyReport,
    moment: Option<HookMoment>,
) -> ApplyReport {
    let program =
        |name: &str, moment: HookMoment| folder.path().join(name).join(moment.name()).display().to_string();
    if intent.hooks.is_open() {
        intent.stage = Stage::End { report: Box::new(report.clone()), moment };
        match moment {
            Some(moment) => end_each(intent, work, folder, moment, outcome_name(&report.outcome)),
            None => intent.hooks.leave_out(folder.path()),
        }
    }
    let failures = moment.map_or_else(Vec::new, |moment| intent.hooks.failures(moment));
    if let (Some(moment), false) = (moment, failures.is_empty()) {
        let said: Vec<&str> = failures.iter().map(|(_, failure)| failure.as_str()).collect();
        let lines: Vec<String> = failures.iter().map(|(hook, _)| program(hook, moment)).collect();
        let (more, remedy) = (format!("({}) {}", hooks::FAILED, said.join("; ")), lines.join(" && "));
        report.outcome = not_held(&report.outcome, &more, &format!("run on the host: {remedy}"));
    }
    let open: Vec<String> = intent.hooks.left_out().map(|run| program(&run.hook, run.moment)).collect();
    if !open.is_empty() {
        let remedy = format!(
            "its hooks were not undone, because it is not known to be well: once it is, run on the host: {}",
            open.join(" && ")
        );
        report.outcome = not_held(&report.outcome, "this host's hooks keep it out", &remedy);
    }
    report.evidence.hooks = intent.hooks.told();
    report
}

fn end_each(
    intent: &mut Intent,
    work: &Path,
    folder: &HooksFolder,
    moment: HookMoment,
    outcome: &'static str,
) {
    let open = (0..intent.hooks.hooks.len()).rev().filter(|at| intent.hooks.is_open_at(*at));
    for at in open.collect::<Vec<_>>() {
        intent.hooks.set(at, Step::Ending);
        // A record that cannot be written must not keep a host out: this program may then run once more.
        let _again = intent.begin(work);
        let run = run(intent, at, moment, folder, Some(outcome));
        intent.hooks.set(at, Step::Ended);
        intent.hooks.runs.extend(run);
        let _again = intent.begin(work);
    }
}

/// An outcome that more went wrong with than it says, and what to do about that.
fn not_held(outcome: &ApplyOutcome, more: &str, remedy: &str) -> ApplyOutcome {
    let remedy = remedy.to_owned();
    let (reason, remedy) = match outcome {
        ApplyOutcome::Verified => (format!("the change holds, yet {more}"), remedy),
        ApplyOutcome::RolledBack { reason } => (format!("{reason}; it was taken back, yet {more}"), remedy),
        ApplyOutcome::Refused { code, detail } => {
            (format!("no package was changed ({code}): {detail}; yet {more}"), remedy)
        }
        ApplyOutcome::Failed { reason, remedy: first } => {
            (format!("{reason}; and {more}"), format!("{first}; {remedy}"))
        }
    };
    ApplyOutcome::Failed { reason, remedy }
}

/// The outcome as a hook is told.
fn outcome_name(outcome: &ApplyOutcome) -> &'static str {
    match outcome {
        ApplyOutcome::Verified => "verified",
        ApplyOutcome::RolledBack { .. } => "rolled-back",
        ApplyOutcome::Failed { .. } => "failed",
        ApplyOutcome::Refused { .. } => "refused",
    }
}

/// What is wrong with a run, in a sentence; `None` where it was well.
fn failure(run: &HookRun) -> Option<String> {
    let HookRun { hook, moment, end, output, .. } = run;
    let said: String = output.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = last_characters(&said, SAID);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    (!end.is_well()).then(|| format!("`{moment}` of hook {hook} {end}{said}"))
}

/// Runs one program of a hook; `None` where it has none.
fn run(
    intent: &Intent,
    at: usize,
    moment: HookMoment,
    folder: &HooksFolder,
    outcome: Option<&'static str>,
) -> Option<HookRun> {
    let hook = intent.hooks.hooks.get(at)?;
    match folder.program(&hook.name, moment) {
        Ok(None) => None,
        Ok(Some(path)) => {
            let about = about(intent, outcome);
            let (hook, path, about) = (hook.name.as_str(), path.as_path(), about.as_slice());
            let timeout_s = intent.hooks.hooks.get(at)?.timeout_s;
            Some(hooks::run(&Call { hook, moment, path, timeout_s, about }))
        }
        Err(problem) => {
            let (hook, end) = (hook.name.clone(), HookEnd::NotStarted { reason: problem.to_string() });
            Some(HookRun { hook, moment, end, duration_ms: 0, output: String::new() })
        }
    }
}

/// What a program is told of the change.
fn about(intent: &Intent, outcome: Option<&'static str>) -> Vec<(&'static str, String)> {
    let mut about = vec![("TENON_ACTION", "apply".to_owned())];
    if let Some(Served { order, directive }) = intent.served {
        about.extend([("TENON_ORDER", order.to_string()), ("TENON_DIRECTIVE", directive.to_string())]);
    }
    let (mut packages, mut left_out) = (String::new(), 0_u32);
    for step in &intent.transaction.steps {
        let word = match &step.change {
            Change::Upgrade { to, .. } | Change::Install { to } => {
                format!("{}:{}={to}", step.package, step.architecture)
            }
            Change::Remove { .. } => format!("{}:{}-", step.package, step.architecture),
        };
        if packages.len() + word.len() >= PACKAGES {
            left_out += 1;
            continue;
        }
        packages.push_str(if packages.is_empty() { "" } else { " " });
        packages.push_str(&word);
    }
    about.extend([("TENON_PACKAGES", packages), ("TENON_PACKAGES_LEFT_OUT", left_out.to_string())]);
    about.extend(outcome.map(|outcome| ("TENON_OUTCOME", outcome.to_owned())));
    about
}

#[cfg(test)]
mod tests;

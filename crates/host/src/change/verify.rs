//! Whether a change holds on this host, and the way back where it does not.

use std::path::Path;

use tenon_model::{ApplyOutcome, Change, Evidence};

use crate::inventory::reboot_required_by;
use crate::manager::{SEARCHED, on_host};
use crate::run::{command, run};
use crate::{System, files, units};

use super::intent::Intent;
use super::{QUICK, not_as_before, restart, run_words};

/// Why a change is not verified.
pub(super) enum Verdict {
    /// Nothing is different from before.
    Untouched(String),
    /// Everything holds on the disk, yet processes that cannot be restarted by themselves run the old code.
    InMemory(String),
    /// It does not hold.
    Broken(String),
}

/// Looks at versions, processes and services. An exit status of zero proves nothing.
pub(super) fn verify(
    intent: &Intent,
    evidence: &mut Evidence,
    mut trouble: Option<String>,
    log: &Path,
) -> Result<(), Verdict> {
    let broken = |reason: String| Verdict::Broken(reason);
    let status = intent.kind.record(on_host).map_err(|error| broken(error.to_string()))?;
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
    trouble = trouble.or_else(|| intent.kind.audit(on_host, &files::tail(log, SEARCHED)));
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

/// Takes the change back to the versions recorded before it.
pub(super) fn go_back(intent: &Intent, log: &Path, reason: String) -> ApplyOutcome {
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
    // What the upgrade wrote before is not looked at again.
    let before = length(log);
    for line in lines {
        match run_words(line, log) {
            Ok(0) => {}
            Ok(code) => return Err(format!("{} ended with {code}", line.join(" "))),
            Err(error) => return Err(error.to_string()),
        }
    }
    let status = intent.kind.record(on_host).map_err(|error| error.to_string())?;
    if let Some(difference) = not_as_before(&status, &intent.transaction) {
        return Err(difference);
    }
    let said = usize::try_from(length(log).saturating_sub(before)).unwrap_or(SEARCHED).min(SEARCHED);
    if let Some(found) = intent.kind.audit(on_host, &files::tail(log, said)) {
        return Err(found);
    }
    let restarted = restart::restart_stale(&intent.stale);
    bring_up(intent)?;
    let settled = units::settle(&intent.services).map_err(|error| error.to_string())?;
    settled.trouble().or_else(|| restarted.troubles.first().cloned()).map_or(Ok(()), Err)
}

fn length(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |metadata| metadata.len())
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

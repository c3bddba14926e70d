//! Volatile evidence: reads what a change would destroy of what happens on the host now. It changes nothing; the copy that the
//! host keeps lies in the agent's own folder.
//!
//! ```text
//! processes --> sockets --> what they have mapped --> sessions --> logs --> package files     the most volatile first
//!     each within its bytes and the whole within its time; what does not fit or cannot be read is a gap
//! ```

mod budget;
mod logs;
mod packages;
mod processes;
mod sessions;
mod sockets;

use std::path::Path;
use std::time::{Duration, Instant};

use tenon_model::{
    AssetId, Digest, DirectiveId, EVIDENCE_VERSION, EvidenceDocument, EvidenceGap, EvidenceOutcome,
    EvidencePart, OrderId, PackageTarget,
};

use crate::files;
use crate::inventory::{SMALL, hostname};
use crate::limits::{Action, Limits, Refusal, rooms};
use crate::rules::Rules;
use crate::run::{millis_since, now};
use crate::system::System;
use budget::Gaps;

/// How long the whole may take, but for what is under way when that is over.
const DEADLINE: Duration = Duration::from_secs(60);
/// How many documents the host keeps. The oldest goes.
const KEPT: usize = 8;

/// An order to preserve evidence.
#[derive(Debug, Clone, Copy)]
pub struct AskedFor<'o> {
    /// The order.
    pub order: OrderId,
    /// This host.
    pub asset: AssetId,
    /// The directive whose row asks for it.
    pub directive: DirectiveId,
    /// What is to change: the files of these packages are held against what their packages say.
    pub targets: &'o [PackageTarget],
}

/// Preserves evidence, as far as this host's own limits allow.
pub fn preserve(asked: AskedFor<'_>, work: &Path, rules: &Rules) -> EvidenceOutcome {
    let limits = rules.limits.read().map_err(Refusal::from);
    let allowed = limits.and_then(|limits| limits.begin(Action::PreserveEvidence, now()).map(|()| limits));
    match allowed {
        Err(refusal) => EvidenceOutcome::NotPreserved {
            reason: format!("the host refused ({}): {refusal}", refusal.code()),
        },
        Ok(limits) => sealed(asked, work, &limits),
    }
}

fn sealed(asked: AskedFor<'_>, work: &Path, limits: &Limits) -> EvidenceOutcome {
    let mut document = read(asked);
    let encoded = document.encode().and_then(|text| match keep(&text, asked.order, work, limits) {
        Ok(()) => Ok(text),
        // It is sent all the same, and says that there is no copy.
        Err(what) => {
            document.gaps.push(EvidenceGap { part: EvidencePart::Copy, what });
            document.encode()
        }
    });
    match encoded {
        Ok(text) => EvidenceOutcome::Preserved { digest: Digest::of(text.as_bytes()), document: text },
        Err(error) => EvidenceOutcome::NotPreserved { reason: error.to_string() },
    }
}

/// Reads all of it.
fn read(asked: AskedFor<'_>) -> EvidenceDocument {
    let (begun, started) = (now(), Instant::now());
    let mut gaps = Gaps::until(started + DEADLINE);
    let processes = processes::processes(&mut gaps);
    let sockets = sockets::sockets(&mut gaps);
    let maps = processes::maps(&mut gaps);
    let sessions = sessions::sessions(&mut gaps);
    let logs = logs::logs(&mut gaps);
    let packages = packages::packages(asked.targets, &mut gaps);
    let boot = files::read_text(Path::new("/proc/sys/kernel/random/boot_id"), SMALL).unwrap_or_default();
    EvidenceDocument {
        tenon_evidence: EVIDENCE_VERSION,
        order: asked.order,
        asset: asked.asset,
        directive: asked.directive,
        hostname: hostname(&System::live()),
        begun,
        duration_ms: millis_since(started),
        boot: budget::escaped(boot.trim().as_bytes()),
        processes,
        sockets,
        maps,
        sessions,
        logs,
        packages,
        gaps: gaps.told(),
    }
}

/// Keeps a copy in the agent's own folder, and the newest of those that are there.
fn keep(text: &str, order: OrderId, work: &Path, limits: &Limits) -> Result<(), String> {
    let none = |why: String| format!("the host keeps no copy: {why}");
    limits.rooms(&rooms(&[work.to_owned()].into())).map_err(|refusal| none(refusal.to_string()))?;
    let folder = files::make_dir(&work.join("evidence")).map_err(|error| none(error.to_string()))?;
    files::write_durably(&folder.join(format!("{order}.json")), text.as_bytes())
        .map_err(|error| none(error.to_string()))?;
    let kept = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let ordinal =
        |name: &std::ffi::OsStr| -> Option<OrderId> { name.to_str()?.strip_suffix(".json")?.parse().ok() };
    let mut kept: Vec<OrderId> = kept.filter_map(|entry| ordinal(&entry.file_name())).collect();
    kept.sort_unstable_by(|a, b| b.cmp(a));
    for old in kept.into_iter().skip(KEPT) {
        // One that cannot be removed stays, which loses nothing.
        let _stays = std::fs::remove_file(folder.join(format!("{old}.json")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

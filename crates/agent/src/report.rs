//! What the agent reports: the difference from the last report that the server accepted, or everything.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tenon_host::System;
use tenon_model::{AssetId, Digest, Inventory, Reported};
use tenon_wire::{DeltaReport, InventoryReport, ReportAccepted, path};

use crate::client::Client;
use crate::error::AgentError;
use crate::state::{AgentState, Progress};

/// How often the host is looked at when nothing hints at a change: at least and at most. Of hosts that were started together
/// each waits for another time, so that their reports spread.
const EVERY_SECONDS: (u64, u64) = (450, 750);

/// Files whose change hints that the inventory changed.
const HINTS: [&str; 12] = [
    "/var/lib/dpkg/status",
    "/var/lib/apt/lists",
    "/run/reboot-required",
    "/etc/apt",
    // Whoever only asks rpm touches other files beside its database.
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/cache/dnf",
    "/etc/dnf",
    "/etc/yum.repos.d",
    "/etc/tenon/limits.toml",
    "/etc/tenon/hooks.d",
];

/// Where the last report that was accepted is kept.
const ACCEPTED: &str = "accepted.json";

/// Answers to a delta after which a whole report may still be taken. A server from before deltas knows no such path.
const SEND_WHOLE: [&str; 5] = ["stale-base", "bad-inventory", "bad-request", "not-found", "too-large"];

/// What the server was told, and when to look again.
pub(crate) struct Reporter {
    /// The last report that was accepted; deltas differ from it.
    accepted: Option<Reported>,
    /// When the host was last looked at, what hinted at changes then, and how long that is good for.
    looked: Option<(Instant, Digest, Duration)>,
}

impl Reporter {
    /// Goes on from what is kept on the host. Without it, or where it cannot be read, the first report is whole.
    pub(crate) fn open(state: &AgentState) -> Self {
        let kept = state.json::<Inventory>(ACCEPTED, "an inventory").unwrap_or_else(|error| {
            tracing::warn!(%error, "the next report is a whole one");
            None
        });
        Self { accepted: kept.and_then(|inventory| Reported::new(inventory).ok()), looked: None }
    }

    /// Looks again before long: what an order did must be seen, also where the hints do not show it.
    pub(crate) fn look_again(&mut self) {
        self.looked = None;
    }

    /// Reports if something hints at a change, or it is time.
    pub(crate) fn report_if_changed(
        &mut self,
        asset: AssetId,
        state: &AgentState,
        progress: &mut Progress,
        client: &Client,
    ) -> Result<(), AgentError> {
        let hint = hint();
        let fresh = |(at, last, good): (Instant, Digest, Duration)| last == hint && at.elapsed() < good;
        if self.looked.is_some_and(fresh) {
            return Ok(());
        }
        let inventory = tenon_host::inventory(&System::live(), Some(&state.work()))?;
        let mut next = || -> Result<u64, AgentError> {
            progress.sequence += 1;
            state.write_json("progress.json", progress)?;
            Ok(progress.sequence)
        };
        // The server says what is wrong with an inventory that breaks a bound.
        let now = Reported::new(inventory.clone()).ok();
        let delta = now.as_ref().zip(self.accepted.as_ref()).and_then(|(now, before)| now.since(before));
        let mut sequence = next()?;
        let told = match delta {
            Some(delta) => {
                let quiet = delta.is_empty();
                let report = DeltaReport { sequence, delta };
                match client.post::<_, ReportAccepted>(path::INVENTORY_DELTA, &report) {
                    Ok(accepted) => {
                        tracing::info!(sequence, seq = accepted.seq, quiet, "what changed is reported");
                        Some(quiet)
                    }
                    Err(AgentError::Refused { problem, .. })
                        if SEND_WHOLE.contains(&problem.code.as_str()) =>
                    {
                        tracing::info!(code = problem.code, reason = problem.detail, "reporting everything");
                        sequence = next()?;
                        None
                    }
                    Err(error) => return Err(error),
                }
            }
            None => None,
        };
        if told.is_none() {
            let report = InventoryReport { sequence, inventory };
            let accepted: ReportAccepted = client.post(path::INVENTORY, &report)?;
            tracing::info!(sequence, seq = accepted.seq, "inventory reported");
        }
        if told != Some(true) {
            if let Some(now) = &now {
                state.write_json(ACCEPTED, &now.inventory())?;
            }
            self.accepted = now;
        }
        self.looked = Some((Instant::now(), hint, wait_after(asset, sequence)));
        Ok(())
    }
}

/// How long a report is good for, drawn from what no two hosts share.
fn wait_after(asset: AssetId, sequence: u64) -> Duration {
    let drawn = Digest::of(format!("{asset} {sequence}").as_bytes());
    let drawn = drawn.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (least, most) = EVERY_SECONDS;
    Duration::from_secs(least + drawn % (most - least))
}

/// A digest of what cheaply hints at a change: sizes of a few files, and when their content or their rights changed.
fn hint() -> Digest {
    use std::os::unix::fs::MetadataExt as _;
    let mut text = String::new();
    for path in HINTS {
        if let Ok(metadata) = fs::metadata(Path::new(path)) {
            let (size, seconds, nanos) = (metadata.len(), metadata.ctime(), metadata.ctime_nsec());
            text.push_str(&format!("{path} {size} {seconds}.{nanos}\n"));
        }
    }
    Digest::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_hosts_started_together_spread() {
        let waits: Vec<u64> = (0..1_000_u32)
            .map(|n| wait_after(AssetId::of_public_key(&n.to_be_bytes()), 1).as_secs())
            .collect();
        let (least, most) = EVERY_SECONDS;
        assert!(waits.iter().all(|wait| (least..most).contains(wait)));
        for tenth in 0..10 {
            let from = least + tenth * (most - least) / 10;
            let here = waits.iter().filter(|wait| (from..from + (most - least) / 10).contains(wait)).count();
            assert!((50..200).contains(&here), "{here} of 1,000 hosts wait for {from} s and a little more");
        }
        let asset = AssetId::of_public_key(b"one");
        assert_ne!(wait_after(asset, 1), wait_after(asset, 2));
    }
}

//! Orders to one host, and what the host reports back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AssetId, Digest, DirectiveId, HookRun, OrderId, StaleProcess, Timestamp, Unit};

/// Only grows. A host remembers the highest generation it accepted and refuses anything not above it, so that a
/// late or duplicated order can never move it backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Generation {
    /// The leader's term; grows with every start of a leader.
    pub term: u64,
    /// Counts orders over all terms.
    pub counter: u64,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.term, self.counter)
    }
}

/// One package to bring from one version to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageTarget {
    /// Binary package name.
    pub package: String,
    /// Architecture.
    pub architecture: String,
    /// The version that must be installed now; a precondition.
    pub from: String,
    /// The version to install.
    pub to: String,
}

/// A package file as the rehearsal saw it; apply installs these bytes or nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PinnedFile {
    /// Binary package name.
    pub package: String,
    /// Architecture.
    pub architecture: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the package file.
    pub sha256: Digest,
}

/// What happens to one package in a transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Replaced by a newer version.
    Upgrade {
        /// Version before.
        from: String,
        /// Version after.
        to: String,
    },
    /// Newly installed.
    Install {
        /// Version after.
        to: String,
    },
    /// Removed.
    Remove {
        /// Version before.
        from: String,
    },
}

/// One line of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransactionStep {
    /// Binary package name.
    pub package: String,
    /// Architecture.
    pub architecture: String,
    /// What happens to it.
    #[serde(flatten)]
    pub change: Change,
}

/// Everything the package manager would do: more than what was asked for where dependencies say so. Sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Transaction {
    /// All changes, sorted.
    pub steps: Vec<TransactionStep>,
    /// Packages that have a newer candidate and stay as they are.
    pub kept_back: Vec<String>,
}

/// The closed set of things a host can be told to do. There is no command, script, URL or path in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum OrderAction {
    /// Run the real upgrade on a throw-away copy of the host's file system.
    Rehearse {
        /// What to upgrade.
        targets: Vec<PackageTarget>,
    },
    /// Read what a change would destroy of what happens on the host now, and hand it over. Changes nothing.
    PreserveEvidence {
        /// The packages that are to change: their files are compared with what their packages say.
        targets: Vec<PackageTarget>,
    },
    /// Apply what was rehearsed and approved: the same transaction with the same package files; verify; roll back
    /// to the versions recorded before when verification fails.
    Apply {
        /// What to upgrade.
        targets: Vec<PackageTarget>,
        /// The rehearsed transaction; a different one on the day is refused.
        transaction: Transaction,
        /// The rehearsed package files.
        files: Vec<PinnedFile>,
        /// What people signed for it with keys that the server does not have; none where the host asks for none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<KeyApproval>,
    },
}

impl OrderAction {
    /// Its name, as it is written.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rehearse { .. } => "rehearse",
            Self::PreserveEvidence { .. } => "preserve-evidence",
            Self::Apply { .. } => "apply",
        }
    }

    /// The packages that it is about.
    pub fn targets(&self) -> &[PackageTarget] {
        match self {
            Self::Rehearse { targets } | Self::PreserveEvidence { targets } | Self::Apply { targets, .. } => {
                targets
            }
        }
    }
}

/// A signature of a person over a statement that covers this change, and the proof that it does. `tenon-approval` reads and
/// checks it; here it is what travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyApproval {
    /// The statement, exactly as signed.
    pub statement: String,
    /// The signature, as `ssh-keygen -Y sign` writes it.
    pub signature: String,
    /// The place of the change among those of the statement, from 0.
    pub place: u64,
    /// The nodes from the change up to the root that the statement names (RFC 9162, section 2.1.3).
    pub path: Vec<Digest>,
}

/// The message to one host that carries out its part of a directive. Signed before it leaves the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The one asset it is for.
    pub asset: AssetId,
    /// The directive it serves.
    pub directive: DirectiveId,
    /// Replay protection.
    pub generation: Generation,
    /// When it was issued.
    pub issued: Timestamp,
    /// After this instant the host refuses to begin it.
    pub expires: Timestamp,
    /// What to do.
    #[serde(flatten)]
    pub action: OrderAction,
}

/// Clocks of hosts and servers differ by less than this many seconds, or somebody should look at them.
const CLOCKS_DIFFER: u32 = 60;

impl Order {
    /// Whether a host may find it expired at this time of the record, by a clock that is right.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.expires < now.plus_seconds(CLOCKS_DIFFER)
    }
}

/// How a rehearsal ended. Anything unclear is `NotRehearsed`, never `Passed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RehearsalOutcome {
    /// The transaction ran to its end on the copy and left it consistent.
    Passed,
    /// The transaction failed on the copy.
    Failed {
        /// What failed.
        reason: String,
    },
    /// It could not be tried, or the result does not tell; a person decides.
    NotRehearsed {
        /// Why, and what to do.
        reason: String,
    },
}

/// Whether the change can be taken back, shown before approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undo {
    /// The way back was rehearsed too and restored every version.
    Proven,
    /// The old package files are at hand; the way back was not tried.
    Possible {
        /// Why it is not proven.
        reason: String,
    },
    /// There is no way back.
    NotPossible {
        /// Why.
        reason: String,
    },
}

/// What a host found out by rehearsing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalReport {
    /// How it ended.
    #[serde(flatten)]
    pub outcome: RehearsalOutcome,
    /// The whole transaction, as simulated and as seen on the copy.
    pub transaction: Transaction,
    /// The package files used.
    pub files: Vec<PinnedFile>,
    /// The rehearsal class: hosts of one class behave alike.
    pub class: Digest,
    /// Configuration files that a person changed and the new packages change too.
    pub conffile_conflicts: Vec<String>,
    /// Units whose files change.
    pub units: Vec<Unit>,
    /// Whether the new packages ask for a reboot.
    pub reboot: bool,
    /// Bytes written on the copy.
    pub bytes_written: u64,
    /// How long the transaction took, in milliseconds.
    pub duration_ms: u64,
    /// The way back.
    pub undo: Undo,
    /// The end of the package manager's output, bounded.
    pub output: String,
}

impl RehearsalReport {
    /// The report of a rehearsal that did not take place.
    pub fn not_rehearsed(reason: impl Into<String>) -> Self {
        Self {
            outcome: RehearsalOutcome::NotRehearsed { reason: reason.into() },
            transaction: Transaction::default(),
            files: Vec::new(),
            class: Digest::of(b""),
            conffile_conflicts: Vec::new(),
            units: Vec::new(),
            reboot: false,
            bytes_written: 0,
            duration_ms: 0,
            undo: Undo::NotPossible { reason: "not rehearsed".to_owned() },
            output: String::new(),
        }
    }
}

/// Health of a unit after a change, against its state before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitHealth {
    /// The unit.
    pub unit: Unit,
    /// The service manager's state before (`active`).
    pub before: String,
    /// The state after.
    pub after: String,
}

/// What was seen on the host after a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Exit status of the package manager; `None` when it never ran. Zero proves nothing by itself.
    pub package_manager_exit: Option<i32>,
    /// Installed version of every package of the transaction.
    pub versions: Vec<(String, String)>,
    /// Processes that still run replaced files.
    pub stale: Vec<StaleProcess>,
    /// Units that were active before.
    pub units: Vec<UnitHealth>,
    /// Units restarted by Tenon.
    pub restarted: Vec<Unit>,
    /// Whether the packages ask for a reboot, which was not ordered.
    pub reboot_pending: bool,
    /// The programs of the host's own that ran around the change, in the order in which they ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
}

/// How an apply ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ApplyOutcome {
    /// Versions, processes and units are as they should be.
    Verified,
    /// Verification failed and the recorded versions are back.
    RolledBack {
        /// What failed.
        reason: String,
    },
    /// It failed and the host stands somewhere in between.
    Failed {
        /// What failed.
        reason: String,
        /// The exact remedy.
        remedy: String,
    },
    /// Nothing was changed.
    Refused {
        /// A stable code: `transaction-changed`, `precondition`, `limits` (what root on the host forbids), `unapproved`
        /// (signatures that it asks for are missing), `hook-failed` (a
        /// program of root's that has to run before)...
        code: String,
        /// What did not hold.
        detail: String,
    },
}

/// The code of a host that got an order after the order had expired, and did nothing.
pub const TOO_LATE: &str = "expired";

impl ApplyReport {
    /// The report of a change that did not begin.
    pub fn refused(code: &str, detail: impl Into<String>) -> Self {
        Self {
            outcome: ApplyOutcome::Refused { code: code.to_owned(), detail: detail.into() },
            evidence: Evidence::default(),
            duration_ms: 0,
            output: String::new(),
        }
    }
}

/// What a host reports after an apply order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyReport {
    /// How it ended.
    #[serde(flatten)]
    pub outcome: ApplyOutcome,
    /// What was seen after the change (before a roll back, if there was one).
    pub evidence: Evidence,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The end of the package manager's output, bounded.
    pub output: String,
}

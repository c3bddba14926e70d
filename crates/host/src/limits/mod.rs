//! What this host never does, whoever asks: root's own file, read anew for each order. A server that holds every key can
//! sign an order that the file forbids; it is not carried out.
//!
//! ```text
//! file   who may write it, then its text -> Limits, or why it is not believed: then no order is carried out
//! Limits asked before a rehearsal, of what apt would do there; before a change, and again when it is about to begin
//! ```
//!
//! Taking back a change that failed, and finishing one that was cut off, is asked of nothing: a limit must not leave a host
//! half-way.

mod file;
mod read;
mod room;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tenon_approval::{HostChange, Required, Unapproved};
use tenon_model::{Change, DirectiveId, KeyApproval, Timestamp, Transaction, TransactionStep, Unit};
use tenon_policy::Window;

pub use file::{Distrust, LimitsFile};
pub use read::{MAX_LIMITS, read};
pub(crate) use room::{Room, rooms, written_by};

/// The closed set of orders (`tenon_model::OrderAction`) as the file names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Run the upgrade on a copy.
    Rehearse,
    /// Read what a change would destroy, and hand it over.
    PreserveEvidence,
    /// Upgrade, restart services that run old code, verify; take it back where it does not hold.
    Apply,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Rehearse, Self::PreserveEvidence, Self::Apply];

    /// Its name in a sentence.
    fn words(self) -> String {
        self.to_string().replace('-', " ")
    }

    /// Whether it leaves the host as it is.
    fn only_looks(self) -> bool {
        match self {
            Self::Rehearse | Self::PreserveEvidence => true,
            Self::Apply => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rehearse => "rehearse",
            Self::PreserveEvidence => "preserve-evidence",
            Self::Apply => "apply",
        })
    }
}

/// Names that the file speaks of: one, or all that begin alike. Printed as the file writes it (`libc6`, `linux-image-*`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// This one.
    Exactly(String),
    /// All that begin so.
    Beginning(String),
}

impl Names {
    fn hold(&self, name: &str) -> bool {
        match self {
            Self::Exactly(exactly) => name == exactly,
            Self::Beginning(beginning) => name.starts_with(beginning),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => f.write_str(name),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

impl Serialize for Names {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What this host never does. The default is what counts where there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The file that says so; `None` where there is none and the defaults count.
    #[serde(rename = "file")]
    pub from: Option<PathBuf>,
    /// Orders that are carried out.
    pub actions: BTreeSet<Action>,
    /// Binary packages that no change may upgrade, install or remove.
    pub never_touch: Vec<Names>,
    /// Units that no change may touch, because it replaces their files or code that they run.
    pub never_restart: Vec<Names>,
    /// Most packages that one change may remove. Tenon itself lets apt remove none, so more than 0 allows nothing more.
    pub max_removals: u64,
    /// Whether a change may be applied whose packages ask for a reboot. There is no order to reboot.
    pub reboot: bool,
    /// Least bytes that are free, on each file system that is written to, before anything is.
    pub min_free: u64,
    /// A change begins in one of these alone; at any time where there is none.
    #[serde(serialize_with = "told")]
    pub windows: Vec<Window>,
    /// The signatures of people that a change needs; `None` where it needs none.
    #[serde(serialize_with = "asked")]
    pub approval: Option<Required>,
}

fn asked<S: serde::Serializer>(approval: &Option<Required>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Asked {
        needed: usize,
        keys: Vec<String>,
    }
    let asked = approval.as_ref().map(|required| Asked {
        needed: required.needed,
        keys: required.keys.iter().map(ToString::to_string).collect(),
    });
    asked.serialize(serializer)
}

fn told<S: serde::Serializer>(windows: &[Window], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(windows.iter().map(in_words))
}

fn in_words(window: &Window) -> String {
    format!("{}: {}", window.name, window.told())
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            from: None,
            actions: Action::ALL.into(),
            never_touch: Vec::new(),
            never_restart: Vec::new(),
            max_removals: 0,
            reboot: true,
            min_free: 0,
            windows: Vec::new(),
            approval: None,
        }
    }
}

/// Why an order is refused for the sake of the host's own limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A limit says no.
    #[error("this host's own limits forbid it: {0}")]
    Forbidden(String),
    /// People have not signed it.
    #[error("`approval` of {file}: {unapproved}; sign with `tenon approve {directive} --key FILE`", file = file.display())]
    Unapproved {
        /// The file that asks for signatures.
        file: PathBuf,
        /// The directive whose change it is.
        directive: DirectiveId,
        /// What is missing.
        unapproved: Unapproved,
    },
    /// What the host forbids is not known, so everything is forbidden.
    #[error("{0}")]
    Distrust(#[from] Distrust),
}

impl Refusal {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "limits",
            Self::Unapproved { .. } => "unapproved",
            Self::Distrust(_) => "limits-distrusted",
        }
    }
}

impl Limits {
    fn refuse<T>(&self, key: &str, found: impl fmt::Display) -> Result<T, Refusal> {
        let whose = match &self.from {
            Some(file) => format!("of {}", file.display()),
            None => "by default".to_owned(),
        };
        Err(Refusal::Forbidden(format!("`{key}` {whose}: {found}")))
    }

    /// Whether an order may be begun now. A rehearsal changes nothing and may at any time; so may what only reads.
    pub(crate) fn begin(&self, action: Action, now: Timestamp) -> Result<(), Refusal> {
        if !self.actions.contains(&action) {
            return self.refuse(
                "actions",
                format!("no order to {} is carried out; a person does it by hand", action.words()),
            );
        }
        let open =
            self.windows.is_empty() || self.windows.iter().any(|window| window.open_until(now).is_some());
        if action.only_looks() || open {
            return Ok(());
        }
        let windows: Vec<String> = self.windows.iter().map(in_words).collect();
        let next = self.windows.iter().filter_map(|window| window.opens(now)).min();
        let next = next.map_or_else(|| "no time within two weeks".to_owned(), |next| next.to_string());
        self.refuse(
            "windows",
            format!(
                "changes begin in {} alone, it is {now} and the next begins at {next}: retry then",
                windows.join("; ")
            ),
        )
    }

    /// Whether all of a transaction is allowed, what dependencies bring into it too.
    pub(crate) fn transaction(&self, transaction: &Transaction) -> Result<(), Refusal> {
        for step in &transaction.steps {
            if let Some(names) = self.never_touch.iter().find(|names| names.hold(&step.package)) {
                let value = format!("{names} is never touched, and this would {}; leave it out", what(step));
                return self.refuse("never_touch", value);
            }
        }
        let removed: Vec<&TransactionStep> =
            transaction.steps.iter().filter(|step| matches!(step.change, Change::Remove { .. })).collect();
        match removed.first() {
            Some(first) if removed.len() as u64 > self.max_removals => self.refuse(
                "max_removals",
                format!(
                    "at most {} packages are removed, and this would remove {}, {} first; remove them by hand",
                    self.max_removals,
                    removed.len(),
                    first.package
                ),
            ),
            _ => Ok(()),
        }
    }

    /// Whether people have signed a change, where that is asked for: with keys that whoever ordered it does not have.
    pub(crate) fn approved(
        &self,
        change: &HostChange<'_>,
        approvals: &[KeyApproval],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(required) = &self.approval else { return Ok(()) };
        required.check(change, approvals, now).map_err(|unapproved| Refusal::Unapproved {
            file: self.from.clone().unwrap_or_default(),
            directive: change.directive,
            unapproved,
        })
    }

    /// Whether the units that a change touches may be touched.
    pub(crate) fn units(&self, touched: &[Unit]) -> Result<(), Refusal> {
        for unit in touched {
            if let Some(names) = self.never_restart.iter().find(|names| names.hold(&unit.0)) {
                let value = format!(
                    "{names} is never restarted, and this replaces what {} runs; upgrade by hand when it may stop",
                    unit.0
                );
                return self.refuse("never_restart", value);
            }
        }
        Ok(())
    }

    /// Whether enough is free where is written.
    pub(crate) fn rooms(&self, rooms: &[Room]) -> Result<(), Refusal> {
        match rooms.iter().find(|room| room.free < self.min_free) {
            Some(room) => self.refuse(
                "min_free",
                format!(
                    "{} stay free, and the file system of {} has {}; free room there, then retry",
                    bytes(self.min_free),
                    room.path.display(),
                    bytes(room.free)
                ),
            ),
            None => Ok(()),
        }
    }

    /// Whether a change may be made of which a rehearsal here said whether it asks for a reboot; `None` where none did.
    pub(crate) fn reboot(&self, asked_for: Option<bool>) -> Result<(), Refusal> {
        let found = match asked_for {
            Some(false) => return Ok(()),
            _ if self.reboot => return Ok(()),
            Some(true) => "no change is made that asks for a reboot, and this one does; upgrade by hand",
            None => {
                "no change is made that asks for a reboot, and whether this one does was not rehearsed here; retry"
            }
        };
        self.refuse("reboot", found)
    }

    /// What this host never does, in sentences for people.
    pub fn sentences(&self) -> Vec<String> {
        let mut never = Vec::new();
        let mut say = |sentence: String| never.push(sentence);
        for action in Action::ALL.iter().filter(|action| !self.actions.contains(action)) {
            say(format!("It never carries out an order to {}.", action.words()));
        }
        let list = |names: &[Names]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !self.never_touch.is_empty() {
            say(format!("It never upgrades, installs or removes {}.", list(&self.never_touch)));
        }
        if !self.never_restart.is_empty() {
            say(format!("It never makes a change that touches what {} runs.", list(&self.never_restart)));
        }
        match self.max_removals {
            0 => say("It never removes a package.".to_owned()),
            most => say(format!("It never removes more than {most} packages in one change.")),
        }
        if !self.windows.is_empty() {
            let windows: Vec<String> = self.windows.iter().map(in_words).collect();
            say(format!("It never begins a change outside {}.", windows.join(", or ")));
        }
        if let Some(Required { needed, keys }) = &self.approval {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            say(match needed {
                1 => format!(
                    "It never makes a change that is not signed by one of these keys: {}.",
                    keys.join(", ")
                ),
                needed => format!(
                    "It never makes a change that is not signed by {needed} of these keys: {}.",
                    keys.join(", ")
                ),
            });
        }
        if !self.reboot {
            say("It never makes a change whose packages ask for a reboot.".to_owned());
        }
        if self.min_free > 0 {
            say(format!(
                "It never begins a change with less than {} free on a file system that the change writes to.",
                bytes(self.min_free)
            ));
        }
        say("It never reboots: there is no order for that.".to_owned());
        never
    }
}

/// What happens to one package, for people.
fn what(step: &TransactionStep) -> String {
    match &step.change {
        Change::Upgrade { from, to } => format!("upgrade {} {from} -> {to}", step.package),
        Change::Install { to } => format!("install {} {to}", step.package),
        Change::Remove { from } => format!("remove {} {from}", step.package),
    }
}

/// A number of bytes for people: in the largest unit that it is a whole number of, else in millions.
fn bytes(count: u64) -> String {
    let whole = read::UNITS.iter().rev().find(|(_, unit)| count >= *unit && count.is_multiple_of(*unit));
    match whole {
        Some((name, unit)) if *unit > 1 => format!("{} {name}", count / unit),
        _ if count >= 10_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests;

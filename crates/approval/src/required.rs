//! What a host asks for before a change, and whether it is there.

use tenon_model::{ApprovalAsked, KeyApproval, KeyFingerprint, Timestamp};

use crate::change::HostChange;
use crate::key::{PersonKey, SignatureError, verify};
use crate::statement::{Statement, StatementError};
use crate::tree::climb;

/// Most keys that a host may name.
pub const MAX_KEYS: usize = 64;
/// Most signatures that are looked at; an order needs as many as a host has keys.
const MAX_APPROVALS: usize = MAX_KEYS;
/// How far ahead of the host's clock that of whoever signed may be, in days.
const AHEAD_DAYS: u32 = 1;

/// The signatures that a host asks for: so many, by different ones of these keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// By how many different keys; at least 1.
    pub needed: usize,
    /// The keys that count, each once.
    pub keys: Vec<PersonKey>,
}

/// Why a change is not carried out: signatures are missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} of the {needed} signatures that it asks for are there{}", because(.why))]
pub struct Unapproved {
    /// How many different keys signed this change.
    pub found: usize,
    /// How many are asked for.
    pub needed: usize,
    /// Why others do not count.
    pub why: Vec<String>,
}

fn because(why: &[String]) -> String {
    match why {
        [] => ", and the order carries no other".to_owned(),
        why => format!("; {}", why.join("; ")),
    }
}

/// Why one signature says nothing of a change.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("its statement: {0}")]
    Statement(#[from] StatementError),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("it is by {0}, which is none of this host's keys")]
    OtherKey(KeyFingerprint),
    #[error("it is about {found}, not about {wanted}")]
    OtherDirective { found: String, wanted: String },
    #[error("it expired at {expires}, and it is {now} on this host")]
    Expired { expires: Timestamp, now: Timestamp },
    #[error("it was made at {issued}, and it is {now} on this host: check both clocks")]
    Ahead { issued: Timestamp, now: Timestamp },
    #[error("it does not cover this change of this host, as it is ordered now")]
    NotCovered,
    #[error("{0} signed twice, and counts once")]
    Twice(KeyFingerprint),
}

impl Required {
    /// Whether enough people signed this change. The change is what the host was ordered to do and would do.
    ///
    /// # Errors
    /// [`Unapproved`]: nothing may be changed.
    pub fn check(
        &self,
        change: &HostChange<'_>,
        approvals: &[KeyApproval],
        now: Timestamp,
    ) -> Result<(), Unapproved> {
        let mut signed: Vec<KeyFingerprint> = Vec::new();
        let mut why: Vec<String> = Vec::new();
        for approval in approvals.iter().take(MAX_APPROVALS) {
            match self.one(change, approval, now) {
                Ok(key) if signed.contains(&key) => why.push(Fault::Twice(key).to_string()),
                Ok(key) => signed.push(key),
                Err(fault) => why.push(fault.to_string()),
            }
        }
        // None needed is a mistake of whoever made this, and not an approval.
        if signed.len() >= self.needed.max(1) {
            return Ok(());
        }
        why.dedup();
        why.truncate(4);
        Err(Unapproved { found: signed.len(), needed: self.needed.max(1), why })
    }

    fn one(
        &self,
        change: &HostChange<'_>,
        approval: &KeyApproval,
        now: Timestamp,
    ) -> Result<KeyFingerprint, Fault> {
        let statement: Statement = approval.statement.parse()?;
        let signed = verify(&approval.statement, &approval.signature)?;
        let key = signed.key().fingerprint();
        if !self.keys.iter().any(|known| known.is(signed.key())) {
            return Err(Fault::OtherKey(key.clone()));
        }
        if statement.directive != change.directive {
            let (found, wanted) = (statement.directive.to_string(), change.directive.to_string());
            return Err(Fault::OtherDirective { found, wanted });
        }
        if statement.expires < now {
            return Err(Fault::Expired { expires: statement.expires, now });
        }
        if statement.issued > now.plus_days(AHEAD_DAYS) {
            return Err(Fault::Ahead { issued: statement.issued, now });
        }
        let found = climb(change.leaf(), approval.place, statement.changes, &approval.path);
        if found != Some(statement.root) {
            return Err(Fault::NotCovered);
        }
        Ok(key.clone())
    }

    /// What the host tells of it: no more than fingerprints.
    pub fn asked(&self) -> ApprovalAsked {
        ApprovalAsked {
            needed: u32::try_from(self.needed).unwrap_or(u32::MAX),
            keys: self.keys.iter().map(|key| key.fingerprint().clone()).collect(),
        }
    }
}

//! Roles, and the rights they give.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What a person or token is for. A person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// States what assets are for, and which rules count.
    Analyst,
    /// Enrols hosts, lets groups act, tries again.
    Operator,
    /// Approves and refuses.
    Approver,
    /// Reads the whole record, and who may do what.
    Auditor,
    /// All of it, and people besides.
    Admin,
}

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Assets, directives, reports, live changes, measurements.
    Read,
    /// Context, rules, statements of suppliers.
    Assess,
    /// Enrolment, promotion of groups, another attempt.
    Operate,
    /// Approval and refusal.
    Approve,
    /// The record as a whole, the list of people.
    Audit,
    /// People and their tokens.
    Administer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Analyst, Self::Operator, Self::Approver, Self::Auditor, Self::Admin];

    pub(crate) fn rights(self) -> &'static [Right] {
        use Right::{Administer, Approve, Assess, Audit, Operate, Read};
        match self {
            Self::Viewer => &[Read],
            Self::Analyst => &[Read, Assess],
            Self::Operator => &[Read, Operate],
            Self::Approver => &[Read, Approve],
            Self::Auditor => &[Read, Audit],
            Self::Admin => &[Read, Assess, Operate, Approve, Audit, Administer],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: viewer, analyst, operator, approver, auditor or admin")]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NoRole(text.to_owned()))
    }
}

impl Right {
    const ALL: [Self; 6] =
        [Self::Read, Self::Assess, Self::Operate, Self::Approve, Self::Audit, Self::Administer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Assess => "assess",
            Self::Operate => "operate",
            Self::Approve => "approve",
            Self::Audit => "audit",
            Self::Administer => "administer",
        }
    }

    /// The roles that give it, for people who lack it.
    pub(crate) fn given_by(self) -> String {
        let roles = Role::ALL.into_iter().filter(|role| role.rights().contains(&self));
        roles.map(Role::name).collect::<Vec<_>>().join(" or ")
    }
}

/// The roles of one person or token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles(BTreeSet<Role>);

impl Roles {
    pub(crate) fn one(role: Role) -> Self {
        Self(BTreeSet::from([role]))
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.0.iter().any(|role| role.rights().contains(&right))
    }

    /// The rights, in their order.
    pub(crate) fn rights(&self) -> Vec<Right> {
        Right::ALL.into_iter().filter(|right| self.may(*right)).collect()
    }

    /// The names, as views and the store hold them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(Role::to_string).collect()
    }

    /// Reads names.
    ///
    /// # Errors
    /// Names the first that is no role.
    pub(crate) fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, NoRole> {
        names.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

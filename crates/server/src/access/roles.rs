//! Roles, and the rights they give.

use std::collections::BTreeSet;

pub(crate) use tenon_model::NoRole;
pub use tenon_model::Role;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Assets, directives, reports, live changes, measurements.
    Read,
    /// Context, rules, statements of suppliers, dismissal of what was no attack.
    Assess,
    /// Attacks that were seen.
    Report,
    /// What is said of a directive, whether it is disputed, and taking it for oneself.
    Discuss,
    /// Enrolment, promotion of groups, another attempt.
    Operate,
    /// Approval and refusal, who does what, leave to change hosts without evidence.
    Approve,
    /// Evidence that was preserved of hosts: command lines, log lines, who was logged in.
    Investigate,
    /// The record as a whole, the list of people.
    Audit,
    /// People and their tokens.
    Administer,
}

/// The rights that a role gives.
fn rights_of(role: Role) -> &'static [Right] {
    use Right::{Administer, Approve, Assess, Audit, Discuss, Investigate, Operate, Read, Report};
    match role {
        Role::Viewer => &[Read],
        Role::Analyst => &[Read, Assess, Report, Discuss, Investigate],
        Role::Operator => &[Read, Discuss, Operate],
        Role::Approver => &[Read, Discuss, Approve],
        Role::Sensor => &[Report],
        Role::Auditor => &[Read, Audit],
        Role::Admin => &[Read, Assess, Report, Discuss, Operate, Approve, Investigate, Audit, Administer],
    }
}

impl Right {
    const ALL: [Self; 9] = [
        Self::Read,
        Self::Assess,
        Self::Report,
        Self::Discuss,
        Self::Operate,
        Self::Approve,
        Self::Investigate,
        Self::Audit,
        Self::Administer,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Assess => "assess",
            Self::Report => "report",
            Self::Discuss => "discuss",
            Self::Operate => "operate",
            Self::Approve => "approve",
            Self::Investigate => "investigate",
            Self::Audit => "audit",
            Self::Administer => "administer",
        }
    }

    /// The roles that give it, for people who lack it.
    pub(crate) fn given_by(self) -> String {
        let roles = Role::ALL.into_iter().filter(|role| rights_of(*role).contains(&self));
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
        self.0.iter().any(|role| rights_of(*role).contains(&right))
    }

    /// The rights, in their order.
    pub(crate) fn rights(&self) -> Vec<Right> {
        Right::ALL.into_iter().filter(|right| self.may(*right)).collect()
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
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

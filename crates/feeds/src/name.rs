//! The names of feeds, as people type them and as the store keeps them.

use std::fmt;
use std::str::FromStr;

use crate::error::FeedError;

/// A feed: the unit that is fetched, replaced and dated as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedName {
    /// `kev`: CISA's Known Exploited Vulnerabilities.
    Kev,
    /// `epss`: the newest day of EPSS scores.
    Epss,
    /// `osv:Debian`: the OSV records of one ecosystem, spelt as its directory in the public bucket.
    Osv(String),
    /// `cve`: CVE records in their own format.
    Cve,
    /// `exploits:github`: one list of public exploit evidence.
    Exploits(EvidenceKind),
}

/// What kind of public evidence there is that an exploit exists or is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// Repositories that name the CVE as a proof of concept; anyone can make one, few are checked.
    GithubPoc,
    /// A module of Metasploit: a working exploit.
    Metasploit,
    /// An entry of Exploit-DB.
    ExploitDb,
    /// A public report of exploitation in the wild.
    InTheWild,
}

impl EvidenceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::GithubPoc, Self::Metasploit, Self::ExploitDb, Self::InTheWild];

    /// The name in `exploits:NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::GithubPoc => "github",
            Self::Metasploit => "metasploit",
            Self::ExploitDb => "exploitdb",
            Self::InTheWild => "inthewild",
        }
    }

    /// How much it says: use in the wild, then a working exploit, then what is listed, then what anyone can put up.
    pub(crate) fn strength(self) -> u8 {
        match self {
            Self::GithubPoc => 0,
            Self::ExploitDb => 1,
            Self::Metasploit => 2,
            Self::InTheWild => 3,
        }
    }

    /// How the store writes it; never reused for another kind.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::GithubPoc => 1,
            Self::Metasploit => 2,
            Self::ExploitDb => 3,
            Self::InTheWild => 4,
        }
    }

    pub(crate) fn of_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl FeedName {
    /// The feed that speaks of a release as OSV spells it (`Debian:12`); `None` where that is no release.
    pub fn of_release(release: &str) -> Option<Self> {
        let ecosystem = release.split(':').next().filter(|name| is_ecosystem(name))?;
        Some(Self::Osv(ecosystem.to_owned()))
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kev => f.write_str("kev"),
            Self::Epss => f.write_str("epss"),
            Self::Osv(ecosystem) => write!(f, "osv:{ecosystem}"),
            Self::Cve => f.write_str("cve"),
            Self::Exploits(kind) => write!(f, "exploits:{}", kind.name()),
        }
    }
}

impl FromStr for FeedName {
    type Err = FeedError;

    fn from_str(text: &str) -> Result<Self, FeedError> {
        let known = match text {
            "kev" => Some(Self::Kev),
            "epss" => Some(Self::Epss),
            "cve" => Some(Self::Cve),
            _ => match text.split_once(':') {
                Some(("osv", ecosystem)) if is_ecosystem(ecosystem) => Some(Self::Osv(ecosystem.to_owned())),
                Some(("exploits", name)) => {
                    EvidenceKind::ALL.into_iter().find(|kind| kind.name() == name).map(Self::Exploits)
                }
                _ => None,
            },
        };
        known.ok_or_else(|| FeedError::Request {
            value: text.chars().take(80).collect(),
            expected: "a feed: kev, epss, cve, osv:ECOSYSTEM without release, or exploits:github, metasploit, exploitdb, inthewild",
        })
    }
}

/// Whether `text` can be the directory of an ecosystem. It becomes part of paths and addresses, so its letters are
/// checked: no slash, no leading dot, no release suffix.
pub(crate) fn is_ecosystem(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_');
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain)
}

/// Which feeds a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// One feed.
    One(FeedName),
    /// `osv`: every ecosystem that the source has.
    EveryOsv,
    /// `exploits`: every list of exploit evidence.
    EveryExploits,
}

impl Choice {
    /// What only refines the order of directives and takes longer: it comes after [`Choice::needed`].
    pub const REFINING: [Self; 2] = [Self::One(FeedName::Cve), Self::EveryExploits];

    /// What directives are made from, with these feeds of advisories.
    pub fn needed(advisories: impl IntoIterator<Item = FeedName>) -> Vec<Self> {
        [FeedName::Kev, FeedName::Epss].into_iter().chain(advisories).map(Self::One).collect()
    }
}

impl FromStr for Choice {
    type Err = FeedError;

    fn from_str(text: &str) -> Result<Self, FeedError> {
        match text {
            "osv" => Ok(Self::EveryOsv),
            "exploits" => Ok(Self::EveryExploits),
            one => one.parse().map(Self::One),
        }
    }
}

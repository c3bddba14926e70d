//! Volatile evidence: what a change of a host would destroy, preserved before it.
//!
//! The document holds command lines, log lines and names of people who are logged in. It is a blob and never a part of the
//! chain, which holds its digest alone.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AssetId, Digest, DirectiveId, OrderId, Timestamp};

/// Largest document, in bytes.
pub const MAX_EVIDENCE: usize = 3 << 20;
/// How every document begins, so that its bytes tell what they are.
const BEGINS: &[u8] = b"{\"tenon_evidence\":";
/// The version of the form that this code writes and reads.
pub const EVIDENCE_VERSION: u16 = 1;

/// What a document is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidencePart {
    /// What runs.
    Processes,
    /// Open sockets, and who holds them.
    Sockets,
    /// Files that processes have mapped, those first that are gone from the disk.
    Maps,
    /// Who is logged in.
    Sessions,
    /// The last lines of logs.
    Logs,
    /// Files of packages that are not as their package says.
    Packages,
    /// The copy that the host keeps.
    Copy,
}

impl EvidencePart {
    /// Every part.
    pub const ALL: [Self; 7] =
        [Self::Processes, Self::Sockets, Self::Maps, Self::Sessions, Self::Logs, Self::Packages, Self::Copy];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Sockets => "sockets",
            Self::Maps => "maps",
            Self::Sessions => "sessions",
            Self::Logs => "logs",
            Self::Packages => "packages",
            Self::Copy => "copy",
        }
    }
}

impl fmt::Display for EvidencePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that is not in the document, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceGap {
    /// Of which part.
    pub part: EvidencePart,
    /// What is missing, and why.
    pub what: String,
}

/// A process. Texts that are no UTF-8, and control characters, are escaped as `\xNN`, a backslash as `\\`: nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceProcess {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// The user it runs as (real user id).
    pub uid: u32,
    /// When it began, in hundredths of a second since the host started.
    pub started: u64,
    /// The file that it runs, as the kernel names it; a deleted one ends with ` (deleted)`. `None` for threads of the kernel.
    pub exe: Option<String>,
    /// Its arguments.
    pub cmdline: Vec<String>,
    /// Its control group, which names the unit.
    pub cgroup: String,
}

/// An open socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceSocket {
    /// `tcp`, `tcp6`, `udp`, `udp6`, `raw`, `raw6`, `unix` or `packet`.
    pub kind: String,
    /// Its own end: address and port, or a path.
    pub local: String,
    /// The other end, where it has one.
    pub remote: String,
    /// Its state, as the kernel numbers it (`0A` listens, `01` is established).
    pub state: String,
    /// The kernel's number of it.
    pub inode: u64,
    /// The processes that hold it.
    pub pids: Vec<u32>,
}

/// What a process has mapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceMaps {
    /// The process.
    pub pid: u32,
    /// Files that are gone from the disk or replaced there.
    pub deleted: Vec<String>,
    /// The other files.
    pub files: Vec<String>,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceSession {
    /// The user.
    pub user: String,
    /// The line or seat.
    pub line: String,
    /// From where, where it is from another host.
    pub from: String,
    /// Since when, by the host's clock.
    pub since: Option<Timestamp>,
    /// The process that leads it.
    pub pid: u32,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceLog {
    /// The file, or the program that was asked.
    pub source: String,
    /// Its last lines.
    pub lines: Vec<String>,
}

/// Files of a package that are not as the package says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidencePackage {
    /// Binary package name.
    pub package: String,
    /// Those that differ. None where all are as they should be.
    pub differ: Vec<EvidenceFile>,
}

/// A file that is not as its package says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// Its path.
    pub path: String,
    /// In what it differs, as the package manager marks it (`??5??????`), or `missing`.
    pub mark: String,
    /// What it is; `None` where it cannot be read.
    pub sha256: Option<Digest>,
}

/// What was preserved of a host. The first field marks the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceDocument {
    /// [`EVIDENCE_VERSION`] of the code that wrote it.
    pub tenon_evidence: u16,
    /// The order that asked for it.
    pub order: OrderId,
    /// The asset.
    pub asset: AssetId,
    /// The directive whose row asks for it.
    pub directive: DirectiveId,
    /// The name that the host gives itself.
    pub hostname: String,
    /// When it was begun, by the host's clock.
    pub begun: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The start of the host that these processes belong to, as the kernel numbers it.
    pub boot: String,
    /// What ran.
    pub processes: Vec<EvidenceProcess>,
    /// What was open.
    pub sockets: Vec<EvidenceSocket>,
    /// What was mapped.
    pub maps: Vec<EvidenceMaps>,
    /// Who was logged in.
    pub sessions: Vec<EvidenceSession>,
    /// What was logged.
    pub logs: Vec<EvidenceLog>,
    /// Which files of packages are not as they should be.
    pub packages: Vec<EvidencePackage>,
    /// What is missing, and why.
    pub gaps: Vec<EvidenceGap>,
}

/// Why bytes are not the document that an order asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Too many bytes.
    #[error("evidence of {0} bytes is above the limit of {MAX_EVIDENCE}")]
    TooLarge(usize),
    /// The bytes are others than were said.
    #[error("the evidence is said to be {said}, and its bytes are {found}")]
    Tampered {
        /// What was said.
        said: Digest,
        /// What they are.
        found: Digest,
    },
    /// No document.
    #[error("this is no evidence of version {EVIDENCE_VERSION}: {0}")]
    Form(String),
    /// A document of something else.
    #[error("this is evidence for {order} of {asset}, and another was asked for")]
    Another {
        /// Its order.
        order: OrderId,
        /// Its asset.
        asset: AssetId,
    },
}

impl EvidenceDocument {
    /// The bytes that are sealed.
    ///
    /// # Errors
    /// When it does not encode, or is too large.
    pub fn encode(&self) -> Result<String, EvidenceError> {
        let text = serde_json::to_string(self).map_err(|error| EvidenceError::Form(error.to_string()))?;
        if text.len() > MAX_EVIDENCE { Err(EvidenceError::TooLarge(text.len())) } else { Ok(text) }
    }

    /// Reads bytes of which somebody says what their digest is.
    ///
    /// # Errors
    /// [`EvidenceError`]; nothing of it may be used then.
    pub fn read(bytes: &[u8], said: Digest) -> Result<Self, EvidenceError> {
        if bytes.len() > MAX_EVIDENCE {
            return Err(EvidenceError::TooLarge(bytes.len()));
        }
        let found = Digest::of(bytes);
        if found != said {
            return Err(EvidenceError::Tampered { said, found });
        }
        if !is_evidence(bytes) {
            return Err(EvidenceError::Form("it begins otherwise".to_owned()));
        }
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| EvidenceError::Form(error.to_string()))?;
        match document.tenon_evidence {
            EVIDENCE_VERSION => Ok(document),
            version => Err(EvidenceError::Form(format!("it is of version {version}"))),
        }
    }

    /// The parts of which something is missing.
    pub fn missing(&self) -> BTreeSet<EvidencePart> {
        self.gaps.iter().map(|gap| gap.part).collect()
    }
}

/// Whether bytes that some blob holds are evidence, which not everybody may read who may read reports.
pub fn is_evidence(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINS)
}

/// What a host answers to an order to preserve evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum EvidenceOutcome {
    /// It is preserved.
    Preserved {
        /// The digest of the document's bytes.
        digest: Digest,
        /// Exactly these.
        document: String,
    },
    /// It is not: nothing was sealed.
    NotPreserved {
        /// Why, and what to do.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> EvidenceDocument {
        EvidenceDocument {
            tenon_evidence: EVIDENCE_VERSION,
            order: OrderId::new(3),
            asset: AssetId::of_public_key(b"web1"),
            directive: DirectiveId::new(1),
            hostname: "web1".to_owned(),
            begun: Timestamp::from_millis(0),
            duration_ms: 12,
            boot: String::new(),
            processes: Vec::new(),
            sockets: Vec::new(),
            maps: Vec::new(),
            sessions: Vec::new(),
            logs: Vec::new(),
            packages: Vec::new(),
            gaps: vec![EvidenceGap { part: EvidencePart::Logs, what: "no log is kept".to_owned() }],
        }
    }

    #[test]
    fn bytes_are_read_as_they_were_sealed_or_not_at_all() {
        let text = document().encode().unwrap();
        let digest = Digest::of(text.as_bytes());
        let read = EvidenceDocument::read(text.as_bytes(), digest).unwrap();
        assert_eq!(read, document());
        assert_eq!(read.encode().unwrap(), text);
        assert_eq!(read.missing(), [EvidencePart::Logs].into());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let error = EvidenceDocument::read(&bytes, digest).unwrap_err();
            assert!(matches!(error, EvidenceError::Tampered { .. }), "byte {at}: {error}");
        }
    }

    #[test]
    fn what_is_no_evidence_is_refused_by_what_it_is() {
        let read = |text: &str| EvidenceDocument::read(text.as_bytes(), Digest::of(text.as_bytes()));
        assert!(matches!(read("{}"), Err(EvidenceError::Form(_))));
        assert!(matches!(read("{\"tenon_evidence\":1}"), Err(EvidenceError::Form(_))));
        let later = EvidenceDocument { tenon_evidence: 2, ..document() }.encode().unwrap();
        assert_eq!(read(&later), Err(EvidenceError::Form("it is of version 2".to_owned())));
        let long = " ".repeat(MAX_EVIDENCE + 1);
        assert_eq!(read(&long), Err(EvidenceError::TooLarge(MAX_EVIDENCE + 1)));
        assert!(
            is_evidence(document().encode().unwrap().as_bytes()) && !is_evidence(b"{\"outcome\":\"passed\"}")
        );
    }
}

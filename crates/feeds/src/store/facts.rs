//! What the store knows of one vulnerability and of one feed.

use tenon_formats::cve5::CvssVersion;
use tenon_model::{Cvss, Digest, Epss, Exploitation, Intel, Kev, Profile, PublicExploit, Ssvc, Timestamp};

use crate::name::{EvidenceKind, FeedName};

/// Everything the feeds say of one vulnerability. Wider than the model's [`Intel`], which holds what is decided on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VulnerabilityFacts {
    /// Its entry in the KEV catalogue.
    pub kev: Option<Kev>,
    /// The last entry that CISA took back. Both stand where an entry was taken back and listed again.
    pub kev_retracted: Option<KevRetraction>,
    /// Its newest EPSS score, with model and day.
    pub epss: Option<Epss>,
    /// What its CVE record says.
    pub record: Option<CveFacts>,
    /// Public evidence of exploits, one of each kind.
    pub evidence: Vec<Evidence>,
}

impl VulnerabilityFacts {
    /// The part that is decided on, without what follows from it.
    pub fn intel(&self) -> Intel {
        let record = self.record.as_ref().filter(|record| !record.rejected);
        let profile = Profile {
            ssvc: record.and_then(|record| record.ssvc),
            cvss: record.and_then(CveFacts::leading_cvss),
            exploit: self
                .evidence
                .iter()
                .max_by_key(|evidence| evidence.kind.strength())
                .map(Evidence::exploit),
        };
        Intel { kev: self.kev.clone(), epss: self.epss.clone(), foreseen: None, profile }
    }
}

impl CveFacts {
    /// The vector of the newest version of CVSS; of several the one that stands first, which is the CNA's where it has
    /// one.
    fn leading_cvss(&self) -> Option<Cvss> {
        // Of equals `min_by_key` keeps the first.
        let leading = self.cvss.iter().min_by_key(|cvss| std::cmp::Reverse(cvss.version))?;
        Some(Cvss { vector: leading.vector.clone(), source: leading.source.clone() })
    }
}

impl Evidence {
    /// What this evidence says of exploitation (SSVC Exploitation 1.1.0).
    fn exploit(&self) -> PublicExploit {
        let exploitation = match self.kind {
            EvidenceKind::InTheWild => Exploitation::Active,
            EvidenceKind::GithubPoc | EvidenceKind::Metasploit | EvidenceKind::ExploitDb => {
                Exploitation::PublicPoc
            }
        };
        PublicExploit {
            source: FeedName::Exploits(self.kind).to_string(),
            exploitation,
            first_seen: self.first_seen,
        }
    }
}

/// A KEV entry that the catalogue no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KevRetraction {
    /// The entry as it last stood.
    pub entry: Kev,
    /// Release date of the first catalogue read here that lacked it: an upper bound.
    pub missing_since: Timestamp,
}

/// What a CVE record says, reduced to what is decided on and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CveFacts {
    /// Whether its CNA took the record back.
    pub rejected: bool,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// One line for people; the start of the description where the record has no title.
    pub title: String,
    /// CVSS vectors of all containers, the CNA's first.
    pub cvss: Vec<CvssVector>,
    /// CISA's decision points with their time.
    pub ssvc: Option<Ssvc>,
    /// CWE numbers of all containers, sorted.
    pub cwes: Vec<u32>,
}

/// A CVSS vector and who states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CvssVector {
    /// Short name of the organisation (`redhat`, `CISA-ADP`).
    pub source: String,
    /// Whether that is the record's own CNA.
    pub is_cna: bool,
    /// Version of CVSS.
    pub version: CvssVersion,
    /// The vector as written.
    pub vector: String,
}

/// Public evidence that an exploit exists or is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// What kind.
    pub kind: EvidenceKind,
    /// When its list first had it: an upper bound, lists notice late. `None` where the list has no dates.
    pub first_seen: Option<Timestamp>,
    /// The list began that day, so that it may be much older.
    pub on_or_before: bool,
    /// So many repositories, modules or entries.
    pub count: u32,
}

/// How a feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedState {
    /// The feed.
    pub feed: FeedName,
    /// Folder or address it came from.
    pub origin: String,
    /// Catalogue version (KEV), model (EPSS); empty for others.
    pub edition: String,
    /// How far it reaches by its own account: newest change of a record, release date, score day.
    pub as_of: Option<Timestamp>,
    /// When what is stored was taken from its source. `None` when no attempt has succeeded yet.
    pub fetched: Option<Timestamp>,
    /// When its source last gave it or confirmed it as current.
    pub checked: Option<Timestamp>,
    /// SHA-256 of the file as published; after increments, of the digest before and those of the records fetched, in
    /// their order.
    pub digest: Option<Digest>,
    /// Records, entries or rows of the source, kept or not.
    pub records: u64,
    /// Problems, listed or not.
    pub problems: u64,
    /// Why the last attempt failed; what is stored is then the last good copy.
    pub failure: Option<String>,
}

impl FeedState {
    /// A feed of which nothing is known.
    pub(crate) fn new(feed: FeedName) -> Self {
        Self {
            feed,
            origin: String::new(),
            edition: String::new(),
            as_of: None,
            fetched: None,
            checked: None,
            digest: None,
            records: 0,
            problems: 0,
            failure: None,
        }
    }

    /// What makes this feed too old to rely on at `now`, by [`FeedState::limits`]; `None` when nothing does.
    pub fn is_stale(&self, now: Timestamp) -> Option<String> {
        let (unchecked, unchanged) = self.limits();
        let older = |time: Timestamp, days: u32| time.plus_days(days) < now;
        match (self.checked, self.as_of) {
            (None, _) => Some("it was never fetched".to_owned()),
            (Some(checked), _) if older(checked, unchecked) => {
                Some(format!("not confirmed for more than {unchecked} days"))
            }
            (_, Some(as_of)) if older(as_of, unchanged) => {
                Some(format!("it reaches back more than {unchanged} days: its source stands still"))
            }
            _ => None,
        }
    }

    /// After how many days without word from its source, and how many days behind by its own account, a feed counts as
    /// stale. The sources change every day or oftener (KEV: on every addition, seen to pause for a week).
    pub fn limits(&self) -> (u32, u32) {
        match self.feed {
            FeedName::Kev => (1, 14),
            FeedName::Epss => (1, 3),
            FeedName::Osv(_) => (1, 7),
            FeedName::Cve => (1, 3),
            FeedName::Exploits(_) => (30, 60),
        }
    }
}

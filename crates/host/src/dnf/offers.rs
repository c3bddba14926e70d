//! What dnf would upgrade, and which advisories say so.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{Offer, OfferState, SourcePackage, VulnerabilityId};
use tenon_versions::rpm::compare;

use super::{Dnf, QUERY, left_out, told};
use crate::HostError;
use crate::packages::rpm::{full_version, source_of};
use crate::run::run;
use crate::status::Status;

/// Every newer version of what is installed, a line each.
const CANDIDATES: [&str; 4] = [
    "repoquery",
    "--upgrades",
    "--queryformat",
    r"%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{sourcerpm}",
];
/// What `check-update` ends with where there are updates.
const UPDATES: i32 = 100;
/// What root of the host excluded or locked is seen with these.
const WITH_HELD: [&str; 2] = ["--disableexcludes=all", "--disableplugin=versionlock"];
/// Most candidates and advisories read.
const MAX_LINES: usize = 50_000;
/// Most ids kept of one candidate.
const MAX_CLAIMS: usize = 5_000;

impl Dnf {
    /// Every pending update: whether an advisory of its repository calls it a security update, and which vulnerabilities advisories
    /// between the installed version and the candidate name. Whether dnf can resolve it shows when it is rehearsed.
    pub(crate) fn offers(&self, status: &Status, gaps: &mut Vec<String>) -> Result<Vec<Offer>, HostError> {
        if self.age().is_none() {
            return Err(HostError::Malformed {
                what: "metadata of repositories".to_owned(),
                detail: "none could be fetched: look at `dnf makecache`".to_owned(),
            });
        }
        let checked = self.ask(&["check-update"], gaps)?;
        let every = self.ask(&[&WITH_HELD[..], &CANDIDATES].concat(), &mut Vec::new())?;
        let list = [&WITH_HELD[..], &["updateinfo", "list", "--updates"]].concat();
        let advisories = Advisories::parse(
            &self.ask(&list, &mut Vec::new())?,
            &self.ask(&[&list[..], &["--with-cve"]].concat(), &mut Vec::new())?,
        );
        let mut offers = Vec::new();
        for (candidate, state) in chosen(&checked, &every, gaps) {
            let Some(installed) = status.get(&candidate.package, &candidate.architecture) else { continue };
            let installed = installed.component.version.as_str();
            if !compare(installed, &candidate.version).is_ok_and(Ordering::is_lt) {
                continue;
            }
            offers.push(Offer {
                security: advisories.is_security(&candidate, installed),
                claims: advisories.claims(&candidate, installed),
                installed: installed.to_owned(),
                state,
                package: candidate.package,
                architecture: candidate.architecture,
                candidate: candidate.version,
                source: candidate.source,
            });
        }
        Ok(offers)
    }

    /// Asks about what is in the index, which is not fetched anew.
    fn ask(&self, words: &[&str], gaps: &mut Vec<String>) -> Result<String, HostError> {
        let mut command = self.command();
        let ran = told(run(command.arg("--cacheonly").args(words), QUERY)?);
        gaps.extend(left_out(&ran));
        // With this dnf says that there are updates (dnf(8), `check-update`).
        if ran.status.code() == Some(UPDATES) { Ok(ran.stdout) } else { ran.ok() }
    }
}

#[cfg(feature = "fuzzing")]
pub(super) fn read_all(text: &str) {
    let advisories = Advisories::parse(text, text);
    for (candidate, _) in chosen(text, text, &mut Vec::new()) {
        let _claims = advisories.claims(&candidate, "1-1");
    }
}

/// The candidate of each package, sorted by its name: the one that dnf offers, or the newest where root of the host holds it back.
/// `checked` is what `check-update` wrote, `every` a line for each newer version.
fn chosen(checked: &str, every: &str, gaps: &mut Vec<String>) -> Vec<(Candidate, OfferState)> {
    // Three words an update. Lines that are too long are folded, and others may stand between them.
    let words: Vec<&str> = checked.split_whitespace().collect();
    let offered: BTreeSet<(&str, &str)> = words.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let mut of_package: BTreeMap<Named, (Candidate, OfferState)> = BTreeMap::new();
    for line in every.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES) {
        let Some(candidate) = Candidate::parse(line) else {
            let shown: String = line.chars().take(80).collect();
            gaps.push(format!("dnf: a candidate cannot be read and is left out: {shown:?}"));
            continue;
        };
        let name = format!("{}.{}", candidate.package, candidate.architecture);
        let is_offered = offered.contains(&(name.as_str(), candidate.version.as_str()));
        let state = if is_offered { OfferState::Offered } else { OfferState::Held };
        let better = of_package.get(&candidate.named()).is_none_or(|(other, of_other)| {
            let newer = compare(&other.version, &candidate.version).is_ok_and(Ordering::is_lt);
            (is_offered, newer) > (*of_other == OfferState::Offered, false)
        });
        if better {
            of_package.insert(candidate.named(), (candidate, state));
        }
    }
    of_package.into_values().collect()
}

/// A version that a repository has.
struct Candidate {
    package: String,
    architecture: String,
    version: String,
    source: SourcePackage,
}

impl Candidate {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let [package, epoch, version, release, architecture, source] = *fields else { return None };
        if [package, version, release, architecture].contains(&"") {
            return None;
        }
        let version = full_version(epoch, version, release);
        let itself = || SourcePackage { name: package.to_owned(), version: version.clone() };
        Some(Self {
            source: source_of(source).unwrap_or_else(itself),
            package: package.to_owned(),
            architecture: architecture.to_owned(),
            version,
        })
    }
}

/// Name and architecture of a package.
type Named = (String, String);

/// What advisories (`updateinfo` of a repository) say of newer versions.
#[derive(Debug, Default)]
struct Advisories {
    /// Versions that a security advisory brings.
    security: BTreeMap<Named, BTreeSet<String>>,
    /// Versions with a vulnerability that their advisory names.
    named: BTreeMap<Named, BTreeSet<(String, VulnerabilityId)>>,
}

impl Advisories {
    /// Lines `ID TYPE PACKAGE`, by advisory and by vulnerability: `TOYSA-2026:1 Critical/Sec. toyd-1:2.0-1.noarch`.
    fn parse(by_advisory: &str, by_vulnerability: &str) -> Self {
        let mut advisories = Self::default();
        for (_, kind, named, version) in by_advisory.lines().take(MAX_LINES).filter_map(advised) {
            if kind.ends_with("/Sec.") {
                advisories.security.entry(named).or_default().insert(version);
            }
        }
        for (id, _, named, version) in by_vulnerability.lines().take(MAX_LINES).filter_map(advised) {
            if let Ok(id) = id.parse() {
                advisories.named.entry(named).or_default().insert((version, id));
            }
        }
        advisories
    }

    fn is_security(&self, candidate: &Candidate, installed: &str) -> bool {
        let versions = self.security.get(&candidate.named());
        versions.is_some_and(|versions| versions.iter().any(|version| candidate.brings(version, installed)))
    }

    fn claims(&self, candidate: &Candidate, installed: &str) -> Vec<VulnerabilityId> {
        let named = self.named.get(&candidate.named()).into_iter().flatten();
        let brought = named.filter(|(version, _)| candidate.brings(version, installed));
        let ids: BTreeSet<VulnerabilityId> = brought.map(|(_, id)| id.clone()).collect();
        ids.into_iter().take(MAX_CLAIMS).collect()
    }
}

impl Candidate {
    fn named(&self) -> Named {
        (self.package.clone(), self.architecture.clone())
    }

    /// Whether who goes from the installed version to this one passes that version.
    fn brings(&self, version: &str, installed: &str) -> bool {
        compare(installed, version).is_ok_and(Ordering::is_lt)
            && compare(version, &self.version).is_ok_and(Ordering::is_le)
    }
}

fn advised(line: &str) -> Option<(&str, &str, Named, String)> {
    let mut words = line.split_whitespace();
    let (id, kind, package) = (words.next()?, words.next()?, words.next()?);
    let (rest, architecture) = package.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let (epoch, version) = version.split_once(':').unwrap_or(("", version));
    let named = (name.to_owned(), architecture.to_owned());
    Some((id, kind, named, full_version(epoch, version, release)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BY_ADVISORY: &str = "\
TOYSA-2026:1 Critical/Sec. toyd-1:2.0-1.el9.noarch
TOYSA-2026:3 Unknown/Sec.  other-libs-4.0-2.x86_64
TOYBA-2026:2 bugfix        toyd-1:3.0-1.el9.noarch
";
    const BY_VULNERABILITY: &str = "\
CVE-2099-0002 Critical/Sec. toyd-1:2.0-1.el9.noarch
CVE-2099-0004 Moderate/Sec. toyd-1:4.0-1.el9.noarch
";

    fn candidate(line: &str) -> Candidate {
        Candidate::parse(line).unwrap()
    }

    #[test]
    fn advisories_on_the_way_to_the_candidate_count() {
        let advisories = Advisories::parse(BY_ADVISORY, BY_VULNERABILITY);
        let toyd = candidate("toyd\t1\t3.0\t1.el9\tnoarch\ttoyd-3.0-1.el9.src.rpm");
        assert_eq!((toyd.version.as_str(), toyd.source.version.as_str()), ("1:3.0-1.el9", "3.0-1.el9"));
        assert!(advisories.is_security(&toyd, "1:1.0-1.el9"));
        let claims = advisories.claims(&toyd, "1:1.0-1.el9");
        assert_eq!(claims.iter().map(ToString::to_string).collect::<Vec<_>>(), ["CVE-2099-0002"]);
        // It has that fix: what is left is a repair of something else.
        assert!(!advisories.is_security(&toyd, "1:2.0-1.el9"));
        assert!(advisories.claims(&toyd, "1:2.0-1.el9").is_empty());
        let other = candidate("other-libs\t0\t4.0\t2\tx86_64\tother-4.0-2.src.rpm");
        assert_eq!((other.version.as_str(), other.source.name.as_str()), ("4.0-2", "other"));
        assert!(advisories.is_security(&other, "3.9-1"));
    }

    #[test]
    fn what_dnf_offers_is_told_from_what_root_holds_back() {
        let checked = "Security: kernel-core-5.14 is an installed security update\n\n\
                       locked-to-an-older-one.noarch\n      2.0-1    toy\ntoyd.noarch   1:3.0-1   toy\n";
        let every = "locked-to-an-older-one\t0\t2.0\t1\tnoarch\t(none)\nlocked-to-an-older-one\t0\t3.0\t1\tnoarch\t(none)\n\
                     held\t0\t3.0\t1\tnoarch\t(none)\nheld\t0\t2.0\t1\tnoarch\t(none)\n\
                     toyd\t1\t2.0\t1\tnoarch\t(none)\ntoyd\t1\t3.0\t1\tnoarch\t(none)\nodd\n";
        let mut gaps = Vec::new();
        let found: Vec<_> = chosen(checked, every, &mut gaps)
            .into_iter()
            .map(|(candidate, state)| (candidate.package, candidate.version, state))
            .collect();
        let expected = [
            ("held", "3.0-1", OfferState::Held),
            ("locked-to-an-older-one", "2.0-1", OfferState::Offered),
            ("toyd", "1:3.0-1", OfferState::Offered),
        ];
        assert_eq!(
            found,
            expected.map(|(name, version, state)| (name.to_owned(), version.to_owned(), state))
        );
        assert_eq!(gaps.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,200}") {
            Advisories::parse(&text, &text);
            chosen(&text, &text, &mut Vec::new());
        }
    }
}

//! What the host's own package manager would install: candidates under its own pins and holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tenon_model::{Offer, OfferState, SourcePackage};

use crate::HostError;
use crate::apt;
use crate::deb822::stanzas;
use crate::index::Apt;
use crate::run::run;
use crate::source::source_of;
use crate::status::Status;

/// A simulation over full lists takes 0.7 s on a quiet machine.
const DEADLINE: Duration = Duration::from_secs(120);
/// Packages asked about in one command line.
const BATCH: usize = 200;

/// Every pending update with its state.
pub(super) fn offers(apt: &Apt, status: &Status, native: &str) -> Result<Vec<Offer>, HostError> {
    let output = run(apt.get().args(["-s", "dist-upgrade"]), DEADLINE)?.ok()?;
    let simulation = apt::simulation(&output).map_err(|detail| HostError::Malformed {
        what: "output of apt-get -s dist-upgrade".to_owned(),
        detail,
    })?;
    let mut offers = Vec::new();
    for inst in &simulation.installs {
        if let Some(installed) = &inst.old {
            offers.push(Offer {
                package: inst.package.clone(),
                architecture: inst.architecture.clone(),
                installed: installed.clone(),
                candidate: inst.new.clone(),
                source: SourcePackage { name: inst.package.clone(), version: inst.new.clone() },
                security: inst.security(),
                state: OfferState::Offered,
                claims: Vec::new(),
            });
        }
    }
    // A hold hides a package from dist-upgrade altogether when nothing else depends on its update.
    let mut waiting: BTreeMap<String, OfferState> = BTreeMap::new();
    let names = |names: Vec<String>, state| names.into_iter().map(move |name| (name, state));
    waiting.extend(names(simulation.kept_back, OfferState::KeptBack));
    waiting.extend(names(simulation.phased, OfferState::Phased));
    waiting.extend(names(status.holds(), OfferState::Held));
    offers.extend(waiting_offers(apt, &waiting, status, native)?);
    name_sources(apt, &mut offers)?;
    offers.sort_by(|a, b| (&a.package, &a.architecture).cmp(&(&b.package, &b.architecture)));
    offers.dedup_by(|a, b| a.package == b.package && a.architecture == b.architecture);
    Ok(offers)
}

/// Candidates of packages that dist-upgrade leaves as they are, from `apt-cache policy`.
fn waiting_offers(
    apt: &Apt,
    waiting: &BTreeMap<String, OfferState>,
    status: &Status,
    native: &str,
) -> Result<Vec<Offer>, HostError> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let archives = run(apt.cache().arg("policy"), DEADLINE)?.ok()?;
    let security_archives = security_archives(&archives);
    let mut offers = Vec::new();
    let names: Vec<&String> = waiting.keys().collect();
    for batch in names.chunks(BATCH) {
        let output = run(apt.cache().args(["policy", "--"]).args(batch), DEADLINE)?.ok()?;
        for policy in policies(&output, &security_archives) {
            let (name, architecture) = policy.package.split_once(':').unwrap_or((&policy.package, native));
            let Some(installed) = status.get(name, architecture).map(|package| &package.component) else {
                continue;
            };
            let newer = tenon_versions::dpkg::compare(&policy.candidate, &installed.version)
                .is_ok_and(std::cmp::Ordering::is_gt);
            if !newer {
                continue;
            }
            offers.push(Offer {
                package: name.to_owned(),
                architecture: installed.architecture.clone(),
                installed: installed.version.clone(),
                candidate: policy.candidate.clone(),
                source: SourcePackage { name: name.to_owned(), version: policy.candidate.clone() },
                security: policy.security,
                state: state_of(waiting, name, architecture),
                claims: Vec::new(),
            });
        }
    }
    Ok(offers)
}

/// apt names packages of a foreign architecture with it.
fn state_of(waiting: &BTreeMap<String, OfferState>, name: &str, architecture: &str) -> OfferState {
    let state = waiting.get(name).or_else(|| waiting.get(&format!("{name}:{architecture}")));
    state.copied().unwrap_or(OfferState::KeptBack)
}

/// The index lines (`500 http://host bookworm-security/main amd64 Packages`) of security suites, without the
/// priority.
pub(super) fn security_archives(policy: &str) -> BTreeSet<String> {
    let mut archives = BTreeSet::new();
    let mut current: Option<String> = None;
    for line in policy.lines() {
        let line = line.trim();
        if let Some(release) = line.strip_prefix("release ") {
            let field =
                |name| release.split(',').find_map(|field| field.strip_prefix(name)).unwrap_or_default();
            let security = apt::is_security(field("l="), field("a="));
            if let Some(archive) = current.take().filter(|_| security) {
                archives.insert(archive);
            }
        } else {
            current = without_priority(line);
        }
    }
    archives
}

fn without_priority(line: &str) -> Option<String> {
    let (priority, rest) = line.trim().split_once(' ')?;
    (priority.parse::<i32>().is_ok() && rest.contains("://")).then(|| rest.trim().to_owned())
}

pub(super) struct Policy {
    package: String,
    candidate: String,
    security: bool,
}

/// Blocks of `apt-cache policy NAME...`.
pub(super) fn policies(output: &str, security_archives: &BTreeSet<String>) -> Vec<Policy> {
    let mut found: Vec<Policy> = Vec::new();
    let mut version = "";
    for line in output.lines() {
        if !line.starts_with(' ') {
            if let Some(package) = line.strip_suffix(':') {
                found.push(Policy { package: package.to_owned(), candidate: String::new(), security: false });
                version = "";
            }
            continue;
        }
        let Some(policy) = found.last_mut() else { continue };
        let line = line.trim();
        if let Some(candidate) = line.strip_prefix("Candidate: ") {
            policy.candidate = candidate.to_owned();
        } else if let Some(archive) = without_priority(line) {
            policy.security |= version == policy.candidate && security_archives.contains(&archive);
        } else {
            let line = line.strip_prefix("*** ").unwrap_or(line);
            version = line.split(' ').next().unwrap_or_default();
        }
    }
    found.retain(|policy| !policy.candidate.is_empty() && policy.candidate != "(none)");
    found
}

/// Fills in source package and source version of each candidate from the index.
fn name_sources(apt: &Apt, offers: &mut [Offer]) -> Result<(), HostError> {
    const FIELDS: [&str; 4] = ["Package", "Version", "Architecture", "Source"];
    let mut sources: HashMap<(String, String), SourcePackage> = HashMap::new();
    for batch in offers.chunks(BATCH) {
        let names = batch.iter().map(|offer| format!("{}={}", offer.package, offer.candidate));
        let output =
            run(apt.cache().args(["show", "--no-all-versions", "--"]).args(names), DEADLINE)?.ok()?;
        for stanza in stanzas(&output, &FIELDS) {
            if let (Some(package), Some(version)) = (stanza.get("Package"), stanza.get("Version")) {
                let source = source_of(stanza.get("Source"), package, version);
                sources.insert((package.to_owned(), version.to_owned()), source);
            }
        }
    }
    for offer in offers {
        let source = sources.get(&(offer.package.clone(), offer.candidate.clone()));
        offer.source = source.cloned().ok_or_else(|| HostError::Malformed {
            what: format!("apt-cache show {}={}", offer.package, offer.candidate),
            detail: "the index does not describe the candidate".to_owned(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVES: &str = "Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://10.77.0.1:8080 bookworm-security/main amd64 Packages
     release o=Debian,a=oldstable,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin 10.77.0.1
 500 http://10.77.0.1:8080 bookworm/main amd64 Packages
     release o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
Pinned packages:
";
    const POLICY: &str = "redis-server:
  Installed: 5:7.0.15-1~deb12u1
  Candidate: 5:7.0.15-1~deb12u4
  Version table:
     5:7.0.15-1~deb12u4 500
        500 http://10.77.0.1:8080 bookworm-security/main amd64 Packages
 *** 5:7.0.15-1~deb12u1 500
        500 http://10.77.0.1:8080 bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
other:
  Installed: 1
  Candidate: (none)
";

    #[test]
    fn security_suites_of_ubuntu_are_known_by_their_suite() {
        let archives = " 500 http://archive.ubuntu.com/ubuntu jammy-security/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu,c=main,b=amd64
 500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-updates,n=jammy,l=Ubuntu,c=main,b=amd64
";
        let found: Vec<_> = security_archives(archives).into_iter().collect();
        assert_eq!(found, ["http://archive.ubuntu.com/ubuntu jammy-security/main amd64 Packages"]);
    }

    #[test]
    fn policy_tells_candidate_and_label() {
        let security = security_archives(ARCHIVES);
        assert_eq!(security.len(), 1);
        let found = policies(POLICY, &security);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].candidate, "5:7.0.15-1~deb12u4");
        assert!(found[0].security);
        assert!(!policies(POLICY, &BTreeSet::new())[0].security);
    }
}

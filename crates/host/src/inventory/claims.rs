//! The vulnerabilities that a candidate's changelog says it fixes. The changelog is in the package file, which a rehearsal
//! downloads; it is kept beside it, since getting it out of a large package takes seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenon_model::{Offer, SourcePackage, VulnerabilityId};
use tenon_versions::dpkg;

use crate::run::{command, pipe};
use crate::source::source_of;
use crate::status::Status;
use crate::transaction::file_name;
use crate::{HostError, files};

/// Largest changelog as it is in the package. That of the kernel has 1.5 MB.
const MAX_PACKED: usize = 8 * 1024 * 1024;
/// Largest changelog unpacked.
const MAX_TEXT: u64 = 64 * 1024 * 1024;
/// Most ids kept of one changelog.
const MAX_CLAIMS: usize = 5000;
/// To get the changelog out of one package. A kernel's of 70 MB takes 5 s.
const ONE: Duration = Duration::from_secs(60);
/// For all of them in one look; the others are read at the next one.
const ALL: Duration = Duration::from_secs(120);

/// Fills in what the changelogs say of candidates whose package files are in the work folder.
pub(super) fn fill(work: &Path, status: &Status, offers: &mut [Offer], gaps: &mut Vec<String>) {
    let store = Store { archives: work.join("archives"), changelogs: work.join("changelogs") };
    store.forget_others();
    let end = Instant::now() + ALL;
    let mut of_source: BTreeMap<SourcePackage, Vec<VulnerabilityId>> = BTreeMap::new();
    let mut unread = 0;
    for offer in offers.iter_mut() {
        let Some(installed) = status.get(&offer.package, &offer.architecture) else { continue };
        match store.changelog(offer, end) {
            Ok(Changelog::Text(text)) => {
                let claims = claims(&text, &offer.package, &installed.component.source);
                offer.claims = claims.into_iter().take(MAX_CLAIMS).collect();
                if !offer.claims.is_empty() {
                    of_source.insert(offer.source.clone(), offer.claims.clone());
                }
            }
            Ok(Changelog::NoFile) => {}
            Ok(Changelog::NoTime) => unread += 1,
            Err(error) => gaps.push(format!("the changelog of {} cannot be read: {error}", offer.package)),
        }
    }
    if unread > 0 {
        gaps.push(format!("the changelogs of {unread} candidates have not been read yet"));
    }
    // Packages of one source share a changelog, which is in one of them where the others only link to it.
    for offer in offers.iter_mut().filter(|offer| offer.claims.is_empty()) {
        if let Some(claims) = of_source.get(&offer.source) {
            offer.claims.clone_from(claims);
        }
    }
}

enum Changelog {
    /// The text; empty when the package has none.
    Text(String),
    /// The package file has not been downloaded.
    NoFile,
    /// The time is over.
    NoTime,
}

/// Package files and the changelogs taken out of them.
struct Store {
    archives: PathBuf,
    changelogs: PathBuf,
}

impl Store {
    fn changelog(&self, offer: &Offer, end: Instant) -> Result<Changelog, HostError> {
        let deb = ["all", &offer.architecture]
            .map(|architecture| file_name(&offer.package, &offer.candidate, architecture))
            .into_iter()
            .find(|name| self.archives.join(name).is_file());
        let Some(name) = deb else { return Ok(Changelog::NoFile) };
        let kept = self.changelogs.join(format!("{name}.gz"));
        let packed = match files::read_if_any(&kept, MAX_PACKED as u64)? {
            Some(packed) => packed,
            None => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(Changelog::NoTime);
                }
                let packed = take_out(&self.archives.join(&name), &offer.package, left.min(ONE))?;
                files::make_dir(&self.changelogs)?;
                files::write_durably(&kept, &packed)?;
                packed
            }
        };
        unpack(&packed, &kept).map(Changelog::Text)
    }

    /// Removes changelogs whose package files are gone. What cannot be removed takes up a little space and does no harm.
    fn forget_others(&self) {
        for entry in std::fs::read_dir(&self.changelogs).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name();
            let deb = name.to_str().and_then(|name| name.strip_suffix(".gz"));
            if !deb.is_some_and(|deb| self.archives.join(deb).is_file()) {
                let _kept = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// The packed changelog out of a package file; nothing when it has none. A native package's is named without `Debian`
/// (Debian Policy 12.7).
fn take_out(deb: &Path, package: &str, deadline: Duration) -> Result<Vec<u8>, HostError> {
    let folder = format!("./usr/share/doc/{package}");
    let names = ["changelog.Debian.gz", "changelog.gz"].map(|name| format!("{folder}/{name}"));
    let mut unpack = command("dpkg-deb", ["--fsys-tarfile"]);
    let mut pick = command("tar", ["--extract", "--to-stdout", "--occurrence=1", "--file=-", "--"]);
    pipe(unpack.arg(deb), pick.args(names), MAX_PACKED, deadline)
}

fn unpack(packed: &[u8], name: &Path) -> Result<String, HostError> {
    let mut text = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(packed).take(MAX_TEXT + 1);
    if !packed.is_empty() {
        reader.read_to_end(&mut text).map_err(HostError::file("unpack", name))?;
    }
    if text.len() as u64 > MAX_TEXT {
        return Err(HostError::TooLarge { path: name.to_owned(), limit: MAX_TEXT });
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The ids in the entries above the installed version of the source. Entries are newest first, but a branch that was
/// merged may stand out of order: all above the installed one by place that are newer by version count.
pub(super) fn claims(text: &str, package: &str, installed: &SourcePackage) -> BTreeSet<VulnerabilityId> {
    let mut found = BTreeSet::new();
    let wanted = without_rebuild(&installed.version);
    let mut newer = false;
    for line in text.lines() {
        if let Some(version) = entry(line, package) {
            match dpkg::compare(without_rebuild(&version), wanted) {
                Ok(std::cmp::Ordering::Equal) => break,
                Ok(order) => newer = order.is_gt(),
                Err(_) => newer = false,
            }
        } else if newer {
            found.extend(ids(line));
        }
    }
    found
}

/// `openssl (3.0.17-1~deb12u2) bookworm-security; urgency=medium`: the version, of signed sources that of what they sign.
fn entry(line: &str, package: &str) -> Option<String> {
    if line.starts_with([' ', '\t']) || !line.contains(';') {
        return None;
    }
    let (name, rest) = line.split_once(" (")?;
    let (version, _) = rest.split_once(')')?;
    Some(source_of(Some(&format!("{name} ({version})")), package, version).version)
}

/// A rebuild without a change of the source has `+b1` behind the version (Debian Developer's Reference 5.10.2.1).
fn without_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((source, count)) if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) => {
            source
        }
        _ => version,
    }
}

/// `CVE-2024-1234` and longer numbers.
fn ids(line: &str) -> impl Iterator<Item = VulnerabilityId> {
    line.match_indices("CVE-").filter_map(|(at, mark)| {
        let rest = line.get(at + mark.len()..)?;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let year = digits(rest);
        let number = rest.get(year..)?.strip_prefix('-').map(digits)?;
        let whole = year == 4 && (4..=19).contains(&number);
        whole.then(|| line.get(at..at + mark.len() + year + 1 + number)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use tenon_model::OfferState;

    use super::*;

    const TEXT: &str = "\
tool (2.0-1+deb12u2) bookworm-security; urgency=high

  * Fix CVE-2024-0001, CVE-2024-12345; see (CVE-2024-2).
    CVE-2024-0002 XCVE-20245-1 CVE-
 -- A B <a@b>  Mon, 01 Jan 2024 00:00:00 +0000

tool (2.0-1) unstable; urgency=low

  * CVE-2023-7777

tool (1.5-1) unstable; urgency=low

  * CVE-2001-1111
";

    fn source(name: &str, version: &str) -> SourcePackage {
        SourcePackage { name: name.to_owned(), version: version.to_owned() }
    }

    fn of(text: &str, package: &str, installed: &SourcePackage) -> Vec<String> {
        claims(text, package, installed).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn entries_above_the_installed_version_count() {
        let new = ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-12345"];
        assert_eq!(of(TEXT, "tool", &source("tool", "2.0-1+b3")), new);
        assert_eq!(of(TEXT, "tool", &source("tool", "2.0-1+deb12u1")), new);
        assert_eq!(of(TEXT, "tool", &source("tool", "1.6-1")).len(), 4);
        assert!(of(TEXT, "tool", &source("tool", "2.0-1+deb12u2")).is_empty());
        assert!(of("", "tool", &source("tool", "1")).is_empty());
        // An older number above the installed one is no newer version.
        let merged = "tool (2.0-2) x; u\n\n  * CVE-2024-0001\n\ntool (1.0-9) x; u\n\n  * CVE-2020-0001\n";
        assert_eq!(of(merged, "tool", &source("tool", "2.0-1")), ["CVE-2024-0001"]);
    }

    #[test]
    fn a_signed_source_is_compared_as_what_it_signs() {
        let text = "linux-signed-amd64 (6.1.147+1) x; u\n\n  * CVE-2025-0002\n\n\
                    linux-signed-amd64 (6.1.140+1) x; u\n\n  * CVE-2025-0001\n";
        let package = "linux-image-6.1.0-44-amd64";
        assert_eq!(of(text, package, &source("linux", "6.1.140-1")), ["CVE-2025-0002"]);
    }

    fn offer(package: &str, from: &str, to: &str) -> Offer {
        Offer {
            package: package.to_owned(),
            architecture: "all".to_owned(),
            installed: from.to_owned(),
            candidate: to.to_owned(),
            source: source("tool", to),
            security: true,
            state: OfferState::Offered,
            claims: Vec::new(),
        }
    }

    /// A toy package file with this changelog, as apt would name it.
    fn build(work: &Path, name: &str, version: &str, changelog: Option<&str>) {
        let tree = work.join(format!("tree-{name}"));
        let doc = tree.join(format!("usr/share/doc/{name}"));
        std::fs::create_dir_all(&doc).unwrap();
        std::fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        std::fs::create_dir_all(work.join("archives")).unwrap();
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\nDescription: toy\n"
        );
        std::fs::write(tree.join("DEBIAN/control"), control).unwrap();
        if let Some(text) = changelog {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
            std::fs::write(doc.join("changelog.Debian.gz"), encoder.finish().unwrap()).unwrap();
        }
        let deb = work.join("archives").join(file_name(name, version, "all"));
        let built =
            Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&deb).output();
        assert!(built.unwrap().status.success());
    }

    #[test]
    fn changelogs_come_out_of_downloaded_packages_once() {
        if Command::new("dpkg-deb").arg("--version").output().is_err() {
            println!("skipped: changelogs_come_out_of_downloaded_packages_once: dpkg-deb is not installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path();
        build(work, "tool", "1:2.0-1+deb12u2", Some(&TEXT.replace("tool (", "tool (1:")));
        build(work, "a-tool", "1:2.0-1+deb12u2", None);
        let installed = |name: &str| {
            format!(
                "Package: {name}\nStatus: install ok installed\nVersion: 1:2.0-1+b1\nArchitecture: all\nSource: tool (1:2.0-1)\n\n"
            )
        };
        std::fs::write(work.join("archives/torn_1%3a2.0-1+deb12u2_all.deb"), b"!<arch>\n").unwrap();
        let status = ["a-tool", "missing", "tool", "torn"].map(installed).concat();
        let status = Status::parse(&status);
        let mut offers: Vec<Offer> = ["a-tool", "missing", "tool", "torn"]
            .map(|name| offer(name, "1:2.0-1+b1", "1:2.0-1+deb12u2"))
            .into();
        for other in [1, 3] {
            offers[other].source.name = "other".to_owned();
        }
        let mut gaps = Vec::new();
        fill(work, &status, &mut offers, &mut gaps);
        let counts: Vec<usize> = offers.iter().map(|offer| offer.claims.len()).collect();
        assert_eq!(counts, [3, 0, 3, 0]);
        assert!(gaps.len() == 1 && gaps[0].contains("changelog of torn"), "{gaps:?}");
        offers.pop();
        gaps.clear();

        // It is read once: what is kept counts from then on, and goes with its package file.
        let kept = work.join("changelogs/tool_1%3a2.0-1+deb12u2_all.deb.gz");
        std::fs::write(&kept, b"").unwrap();
        fill(work, &status, &mut offers, &mut gaps);
        assert_eq!((offers[2].claims.len(), &gaps), (0, &Vec::new()));
        std::fs::write(&kept, b"no gzip").unwrap();
        fill(work, &status, &mut offers, &mut gaps);
        assert!(gaps[0].contains("cannot be read"), "{gaps:?}");
        std::fs::remove_file(work.join("archives/tool_1%3a2.0-1+deb12u2_all.deb")).unwrap();
        fill(work, &status, &mut offers, &mut gaps);
        assert!(!kept.exists());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_changelog(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            claims(&String::from_utf8_lossy(&bytes), "tool", &source("tool", "1"));
            let _refused = unpack(&bytes, Path::new("x"));
        }

        #[test]
        fn ids_are_found_wherever_they_stand(before in "[ -~é]{0,20}", number in 1000..9_999_999_u32, after in "[ a-z,.;é]{0,5}") {
            let line = format!("{before} CVE-2024-{number}{after}");
            let last = ids(&line).last().map(|id| id.to_string());
            prop_assert_eq!(last, Some(format!("CVE-2024-{number}")));
        }
    }
}

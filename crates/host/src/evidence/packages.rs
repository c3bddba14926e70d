//! Files of the packages that are to change, where they are not as their package says.

use std::path::Path;
use std::time::Duration;

use tenon_model::{EvidenceFile, EvidencePackage, EvidencePart, PackageTarget};

use super::budget::{Gaps, escaped, fitting};
use crate::files;
use crate::manager::Kind;
use crate::run::{Ran, command, on_path, run};
use crate::transaction::check_words;

/// How long the comparison of one package may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Most packages that are compared.
const MAX_PACKAGES: usize = 200;
/// Most files told of one package.
const MAX_FILES: usize = 500;
/// Largest file of which the digest is told, in bytes: whoever changes a file chooses how long it takes to read.
const MAX_HASHED: u64 = 256 << 20;
/// Bytes of the list, as it is encoded.
const BYTES: usize = 192 << 10;

pub(super) fn packages(targets: &[PackageTarget], gaps: &mut Gaps) -> Vec<EvidencePackage> {
    let part = EvidencePart::Packages;
    if targets.is_empty() {
        return Vec::new();
    }
    // Names are words of a command.
    if let Err(why) = check_words(targets) {
        gaps.add(part, why);
        return Vec::new();
    }
    let root = Path::new("/");
    // The tools of one family are to be had on the others, and know nothing there.
    let of_dpkg = Kind::of_this_host() == Kind::Apt && on_path(root, "dpkg");
    let tool = match (of_dpkg, on_path(root, "rpm")) {
        (true, _) => ("dpkg", "--verify"),
        (false, true) => ("rpm", "--verify"),
        (false, false) => {
            gaps.add(part, "neither dpkg nor rpm is there to compare files");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    let (mut unread, mut more, mut unhashed) = (targets.len().saturating_sub(MAX_PACKAGES), 0, 0);
    for target in targets.iter().take(MAX_PACKAGES) {
        if gaps.is_late() {
            unread += 1;
            continue;
        }
        match run(&mut command(tool.0, [tool.1, target.package.as_str()]), DEADLINE) {
            Ok(ran) if ran.status.success() || !ran.stdout.trim().is_empty() => {
                let mut differ = differing(&ran);
                more += differ.len().saturating_sub(MAX_FILES);
                differ.truncate(MAX_FILES);
                for file in &mut differ {
                    let late = gaps.is_late();
                    let hashed =
                        if late { Ok(None) } else { files::sha256_within(Path::new(&file.path), MAX_HASHED) };
                    match hashed {
                        Ok(None) => unhashed += 1,
                        Ok(digest) => file.sha256 = digest,
                        // It is gone, or no file: the mark says so.
                        Err(_) => {}
                    }
                    file.path = escaped(file.path.as_bytes());
                }
                found.push(EvidencePackage { package: target.package.clone(), differ });
            }
            Ok(ran) => {
                gaps.add(part, format!("{} cannot be compared: {}", target.package, ran.stderr.trim()));
            }
            Err(error) => gaps.add(part, format!("{} cannot be compared: {error}", target.package)),
        }
    }
    let (kept, out) = fitting(found, BYTES);
    gaps.count(part, more, "files that differ are left out: there are more than fit");
    gaps.count(part, unhashed, "files that differ have no digest: they are too large, or time was over");
    gaps.count(part, unread + out, "packages are left out: there are more than fit, or time was over");
    kept
}

/// `??5??????   /usr/sbin/nginx`, `??5?????? c /etc/nginx/nginx.conf`, `missing     /usr/share/doc/x`, as both tools write them.
fn differing(ran: &Ran) -> Vec<EvidenceFile> {
    let of_line = |line: &str| {
        let (mark, rest) = line.split_once(' ')?;
        let path = &rest[rest.find('/')?..];
        // dpkg says why it could not look: `missing     /x (Permission denied)`.
        let path = path.split_once(" (").map_or(path, |(path, _)| path);
        Some(EvidenceFile { path: path.to_owned(), mark: mark.chars().take(16).collect(), sha256: None })
    };
    ran.stdout.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn the_marks_of_both_tools_are_read() {
        let stdout = "??5??????   /usr/sbin/nginx\n??5?????? c /etc/a b.conf\nmissing     /usr/share/x\nS.5....T.  c /etc/y\nnoise\n";
        let ran = Ran {
            program: "dpkg".to_owned(),
            status: std::process::ExitStatus::from_raw(0),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        };
        let found: Vec<(String, String)> =
            differing(&ran).into_iter().map(|file| (file.mark, file.path)).collect();
        let wanted = [
            ("??5??????", "/usr/sbin/nginx"),
            ("??5??????", "/etc/a b.conf"),
            ("missing", "/usr/share/x"),
            ("S.5....T.", "/etc/y"),
        ];
        assert_eq!(found, wanted.map(|(mark, path)| (mark.to_owned(), path.to_owned())));
    }

    #[test]
    fn a_file_that_would_take_for_ever_has_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("small"), b"abc").unwrap();
        let small = files::sha256_within(&at("small"), 3).unwrap();
        assert_eq!(small, Some(tenon_model::Digest::of(b"abc")));
        assert_eq!(files::sha256_within(&at("small"), 2).unwrap(), None);
        // It has no content, and says that it has a terabyte.
        std::fs::File::create(at("sparse")).unwrap().set_len((1 << 40) - 1).unwrap();
        assert_eq!(files::sha256_within(&at("sparse"), MAX_HASHED).unwrap(), None);
        assert!(files::sha256_within(&at("none"), MAX_HASHED).is_err());
        assert!(files::sha256_within(folder.path(), MAX_HASHED).is_err());
    }

    #[test]
    fn a_name_that_is_an_option_is_not_given_to_a_program() {
        let mut gaps = Gaps::until(std::time::Instant::now() + DEADLINE);
        let target = PackageTarget {
            package: "--force-all".to_owned(),
            architecture: "all".to_owned(),
            from: "1".to_owned(),
            to: "2".to_owned(),
        };
        assert_eq!(packages(&[target], &mut gaps), []);
        assert!(gaps.told()[0].what.contains("no package name"));
    }
}

//! RPM's database, asked through `rpm` in a format of our own, or a saved list in that format.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tenon_model::{Component, SourcePackage};

use super::Listed;
use crate::run::{command, on_path, run};
use crate::{HostError, System};

/// For `rpm -qa --qf`: one package a line, its fields parted by tabs: name, epoch, version, release, architecture, source
/// package, module label. rpm writes `(none)` for what a package does not have.
pub const RPM_QUERY_FORMAT: &str =
    r"%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\n";
/// The same for an rpm that knows no modules and refuses the tag (RHEL 7). Neither has its system any.
const WITHOUT_MODULES: &str = r"%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n";
/// Where distributions keep the database: SUSE and Fedora, OSTree, the others.
const FOLDERS: [&str; 3] = ["/usr/lib/sysimage/rpm", "/usr/share/rpm", "/var/lib/rpm"];
/// The database's file by format: sqlite, ndb, Berkeley DB.
const FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// 1,000 packages take half a second.
const QUERY: Duration = Duration::from_secs(120);
const QUICK: Duration = Duration::from_secs(20);
/// Most files whose owner is asked for, one call each.
const MAX_OWNED: usize = 500;
const NONE: &str = "(none)";

/// The folder of a system's database, as this program reaches it.
pub(crate) fn database(system: &System) -> Option<PathBuf> {
    FOLDERS
        .iter()
        .map(|folder| system.path(folder))
        .find(|folder| FILES.iter().any(|file| folder.join(file).is_file()))
}

/// Asks the `rpm` of the machine this program runs on, also about another root: by the folder of its database and not by
/// `rpm --root`, which enters that root, needs the right to do so and may load libraries from there.
pub(super) fn query(system: &System, folder: &Path) -> Result<Listed, HostError> {
    if !on_path(Path::new("/"), "rpm") {
        let detail = "the program rpm is missing, which reads this database: install it on this machine, or run \
                      `rpm -qa` on the system itself and hand over its list";
        return Err(HostError::Malformed { what: folder.display().to_string(), detail: detail.to_owned() });
    }
    list(|| {
        let mut command = command("rpm", ["--query", "--all"]);
        if !system.is_live() {
            command.arg("--dbpath").arg(folder);
        }
        command
    })
}

/// What rpm lists when it is started like this.
pub(crate) fn list(rpm: impl Fn() -> Command) -> Result<Listed, HostError> {
    let ask = |format: &str| run(rpm().args(["--queryformat", format]), QUERY);
    let mut ran = ask(RPM_QUERY_FORMAT)?;
    if !ran.status.success() && ran.stderr.contains("unknown tag") {
        ran = ask(WITHOUT_MODULES)?;
    }
    // rpm passes over a damaged entry, says so here, and ends well.
    let lines = ran.stderr.lines().filter(|line| line.starts_with("error:"));
    let errors: Vec<String> =
        lines.map(|line| line.chars().filter(|c| !c.is_control()).take(200).collect()).collect();
    let mut listed = parse(&ran.ok()?);
    listed.unreadable.extend(errors);
    Ok(listed)
}

/// Reads lines in [`RPM_QUERY_FORMAT`], with or without the last field. A line of another form is named as unreadable.
pub(super) fn parse(text: &str) -> Listed {
    let mut listed = Listed::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').map(str::trim).take(8).collect();
        let ([name, epoch, version, release, architecture, source_rpm]
        | [name, epoch, version, release, architecture, source_rpm, _]) = *fields
        else {
            listed.unreadable.push(format!("{:?}", line.chars().take(80).collect::<String>()));
            continue;
        };
        let module = fields.get(6).copied().unwrap_or(NONE);
        // A signing key that was imported, not software.
        if name == "gpg-pubkey" && architecture == NONE {
            continue;
        }
        if version.is_empty() || version == NONE || release.is_empty() || release == NONE {
            listed.unreadable.push(format!("{:?}", line.chars().take(80).collect::<String>()));
            continue;
        }
        let version = full_version(epoch, version, release);
        let source = source_of(source_rpm)
            .unwrap_or_else(|| SourcePackage { name: name.to_owned(), version: version.clone() });
        let architecture = if architecture == NONE { "any" } else { architecture };
        let component = Component::os_package(name, architecture, version, source);
        listed.push(Component { module: stream(module), ..component });
    }
    listed
}

/// Version and release, behind the epoch where there is one. No epoch and an epoch of 0 are the same to rpm, and dnf tells them
/// not apart.
pub(crate) fn full_version(epoch: &str, version: &str, release: &str) -> String {
    match epoch {
        NONE | "" | "0" => format!("{version}-{release}"),
        epoch => format!("{epoch}:{version}-{release}"),
    }
}

/// `openssl-3.0.7-18.el9.src.rpm`. The file name holds no epoch, and what is built from one source may have several: the version of
/// a source is told without one, so that all of it is one source.
pub(crate) fn source_of(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let whole = !name.is_empty() && !version.is_empty() && !release.is_empty();
    whole.then(|| SourcePackage { name: name.to_owned(), version: format!("{version}-{release}") })
}

/// `nodejs:18` of `nodejs:18:9020230718:rhel9`, where version and context of the module follow.
fn stream(label: &str) -> Option<String> {
    let mut parts = label.split(':');
    let (module, stream) = (parts.next()?, parts.next()?);
    (!module.is_empty() && !stream.is_empty()).then(|| format!("{module}:{stream}"))
}

/// Files of packages (name and architecture) of the running system.
pub(crate) fn files_of(packages: &[(String, String)]) -> Vec<String> {
    if packages.is_empty() {
        return Vec::new();
    }
    let mut query = command("rpm", ["--query", "--list", "--"]);
    query.args(packages.iter().map(|(name, architecture)| format!("{name}.{architecture}")));
    // One that is not installed makes rpm fail, and the others are still told.
    let list = run(&mut query, QUERY).map(|ran| ran.stdout).unwrap_or_default();
    list.lines().filter(|line| line.starts_with('/')).map(str::to_owned).collect()
}

/// Packages that own the given paths of the running system, by path.
pub(crate) fn owners(paths: &BTreeSet<String>) -> BTreeMap<String, String> {
    let owner = |path: &String| {
        let words = ["--query", "--queryformat", r"%{NAME}\n", "--file", "--", path];
        let output = run(&mut command("rpm", words), QUICK).ok()?.ok().ok()?;
        Some((path.clone(), output.lines().next()?.to_owned()))
    };
    paths.iter().take(MAX_OWNED).filter_map(owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_epochs_sources_and_streams() {
        let text = "openssl-libs\t1\t3.0.7\t18.el9\tx86_64\topenssl-3.0.7-18.el9.src.rpm\t(none)\n\
                    nodejs\t1\t18.16.1\t1.module+el9.2.0\tx86_64\tnodejs-18.16.1-1.module+el9.2.0.src.rpm\t\
                    nodejs:18:9020230718:rhel9\n\
                    gpg-pubkey\t(none)\tabc\tdef\t(none)\t(none)\t(none)\n\
                    by-hand\t(none)\t1\t2\t(none)\t(none)\n\
                    short\t1\n\
                    long\t1\t2\t3\t4\t5\t6\t7\n\
                    odd\u{1}\t(none)\t1\t2\tnoarch\t(none)\t(none)\n\
                    no-version\t(none)\t(none)\t(none)\tnoarch\t(none)\t(none)\n";
        let listed = parse(text);
        let [ssl, node, hand] = listed.components.as_slice() else { panic!("{listed:?}") };
        assert_eq!((ssl.version.as_str(), ssl.module.as_deref()), ("1:3.0.7-18.el9", None));
        assert_eq!((ssl.source.name.as_str(), ssl.source.version.as_str()), ("openssl", "3.0.7-18.el9"));
        assert_eq!(node.module.as_deref(), Some("nodejs:18"));
        assert_eq!((hand.source.name.as_str(), hand.architecture.as_str()), ("by-hand", "any"));
        assert_eq!(listed.unreadable.len(), 4, "{:?}", listed.unreadable);
    }

    #[test]
    fn source_files_are_split_from_behind() {
        let name = |file| source_of(file).map(|source| source.name);
        assert_eq!(name("java-1.8.0-openjdk-1.8.0.392-1.nosrc.rpm").as_deref(), Some("java-1.8.0-openjdk"));
        for none in ["(none)", "a-1.src.rpm", "--.src.rpm", "a--.src.rpm", ".src.rpm"] {
            assert_eq!(name(none), None, "{none}");
        }
    }
}

//! What dnf would install for some targets, learnt from what it downloads for them, and the files of the way back.

use std::path::{Path, PathBuf};

use tenon_model::{Change, PackageTarget, PinnedFile, Transaction, TransactionStep};
use tenon_versions::rpm::compare;

use super::{DOWNLOAD, Dnf, QUERY, told};
use crate::packages::rpm::full_version;
use crate::run::{command, run};
use crate::status::Status;
use crate::transaction::replaced;
use crate::{HostError, files};

/// Most packages that one change may install.
const MAX_FILES: usize = 20_000;
const DESCRIBE: &str = r"%{NAME}\t%{ARCH}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\n";

/// One package that a transaction installs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) package: &'a str,
    pub(super) architecture: &'a str,
    pub(super) version: &'a str,
}

/// What a transaction installs, new or over something.
pub(super) fn installed_by(transaction: &Transaction) -> impl Iterator<Item = Incoming<'_>> {
    transaction.steps.iter().filter_map(|step| match &step.change {
        Change::Upgrade { to, .. } | Change::Install { to } => {
            Some(Incoming { package: &step.package, architecture: &step.architecture, version: to })
        }
        Change::Remove { .. } => None,
    })
}

/// The name of a package file in the agent's store. rpm's own leaves out the epoch, and two versions may differ in that alone.
pub(super) fn file_name(package: &str, version: &str, architecture: &str) -> String {
    format!("{package}-{}.{architecture}.rpm", version.replace(':', "_"))
}

/// As dnf and rpm name exactly one version of a package.
fn exactly(package: &str, version: &str, architecture: &str) -> String {
    let epoch = if version.contains(':') { "" } else { "0:" };
    format!("{package}-{epoch}{version}.{architecture}")
}

/// A file in the store.
#[derive(Debug, PartialEq, Eq)]
struct Described {
    package: String,
    architecture: String,
    version: String,
}

impl Dnf {
    /// Everything that changes when the targets do. Where the files that were rehearsed are all in the store the answer is made of
    /// them alone and no repository is asked; otherwise dnf resolves and downloads, which checks signatures as the host's
    /// configuration says.
    pub(crate) fn plan(
        &self,
        status: &Status,
        targets: &[PackageTarget],
        pinned: &[PinnedFile],
    ) -> Result<Transaction, String> {
        let known = pinned.iter().map(|file| {
            // An order names them, and each becomes part of a path.
            if ![&file.package, &file.version, &file.architecture].into_iter().all(|text| is_plain(text)) {
                return None;
            }
            let path = self.archives.join(file_name(&file.package, &file.version, &file.architecture));
            files::sha256(&path).is_ok_and(|found| found == file.sha256).then_some(path)
        });
        let known: Option<Vec<PathBuf>> = known.collect();
        let described = match known.filter(|known| !known.is_empty()) {
            Some(known) => describe(&known),
            None => self.download(targets),
        };
        transaction(status, targets, described.map_err(|error| error.to_string())?)
    }

    /// Downloads what the targets need into the store.
    fn download(&self, targets: &[PackageTarget]) -> Result<Vec<Described>, HostError> {
        let names = targets.iter().map(|target| exactly(&target.package, &target.to, &target.architecture));
        let names: Vec<String> = names.collect();
        if self.age().is_none() {
            // Below, no key is to be had: the first look at a repository with signed metadata needs one.
            self.refresh(&mut Vec::new())?;
        }
        let paths = self.downloaded("upgrade", &names)?;
        let described = describe(&paths)?;
        for (path, file) in paths.iter().zip(&described) {
            let kept = self.archives.join(file_name(&file.package, &file.version, &file.architecture));
            std::fs::rename(path, &kept).map_err(HostError::file("move to", &kept))?;
        }
        Ok(described)
    }

    /// Package files that dnf downloads for a command over exactly these packages. The folder is fresh, so that nothing else is in
    /// it. No key is imported: a rehearsal must not change whom the host trusts.
    fn downloaded(&self, verb: &str, packages: &[String]) -> Result<Vec<PathBuf>, HostError> {
        let folder = self.folder.join("next");
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(HostError::file("remove", &folder)(error));
            }
            _ => {}
        }
        files::make_dir(&folder)?;
        let mut command = self.command();
        command.args(["--assumeyes", "--setopt=*.gpgkey=", "--downloadonly"]);
        command.arg(format!("--downloaddir={}", folder.display())).arg(verb).arg("--").args(packages);
        told(run(&mut command, DOWNLOAD)?).ok()?;
        let entries = std::fs::read_dir(&folder).map_err(HostError::file("list", &folder))?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rpm"))
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    /// Digests the files that the transaction installs, all of which must be in the store.
    pub(crate) fn pin(&self, transaction: &Transaction) -> Result<Vec<PinnedFile>, HostError> {
        let pinned = installed_by(transaction).map(|step| {
            let path = self.archives.join(file_name(step.package, step.version, step.architecture));
            Ok(PinnedFile {
                package: step.package.to_owned(),
                architecture: step.architecture.to_owned(),
                version: step.version.to_owned(),
                sha256: files::sha256(&path)?,
            })
        });
        let mut pinned = pinned.collect::<Result<Vec<_>, HostError>>()?;
        pinned.sort_unstable();
        Ok(pinned)
    }

    /// Package files of the versions that the transaction replaces: from the agent's store or a repository. They are not made from
    /// what is installed, as they are on hosts with dpkg: rpm's database does not hold all that a package file does.
    ///
    /// # Errors
    /// For people: which version is to be had in no way.
    pub(crate) fn fetch_undo(&self, transaction: &Transaction) -> Result<Vec<PathBuf>, String> {
        replaced(transaction).map(|(step, version)| self.undo_of(step, version)).collect()
    }

    fn undo_of(&self, step: &TransactionStep, version: &str) -> Result<PathBuf, String> {
        // The new version's architecture is in the step; the installed one may be of another (`noarch` and back).
        let architectures = [step.architecture.as_str(), "noarch"];
        for architecture in architectures {
            let name = file_name(&step.package, version, architecture);
            let path = self.undo.join(&name);
            // What was once installed by an order lies among the files of orders.
            if path.is_file() || std::fs::copy(self.archives.join(&name), &path).is_ok() {
                return Ok(path);
            }
        }
        let path = self.undo.join(file_name(&step.package, version, &step.architecture));
        let name = exactly(&step.package, version, &step.architecture);
        let found = self.downloaded("reinstall", &[name]).and_then(|paths| match paths.as_slice() {
            [one] => std::fs::rename(one, &path).map_err(HostError::file("move to", &path)),
            others => Err(HostError::Malformed {
                what: "dnf reinstall --downloadonly".to_owned(),
                detail: format!("brought {} files and not one", others.len()),
            }),
        });
        found.map(|()| path).map_err(|error| {
            format!(
                "no repository has {} {version} any more, nor has the agent kept it: {error}",
                step.package
            )
        })
    }
}

/// What package files hold, in their order.
fn describe(paths: &[PathBuf]) -> Result<Vec<Described>, HostError> {
    let malformed =
        |detail: String| HostError::Malformed { what: "downloaded package files".to_owned(), detail };
    if paths.len() > MAX_FILES {
        return Err(malformed(format!("more than {MAX_FILES} packages would change")));
    }
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = command("rpm", ["--query", "--package", "--queryformat", DESCRIBE]);
    let text = run(query.args(paths.iter().map(AsRef::<Path>::as_ref)), QUERY)?.ok()?;
    let described: Vec<Described> = text.lines().filter_map(described).collect();
    if described.len() != paths.len() {
        return Err(malformed(format!("{} files, and rpm describes {}", paths.len(), described.len())));
    }
    Ok(described)
}

#[cfg(feature = "fuzzing")]
pub(super) fn read_all(text: &str) {
    for file in text.lines().filter_map(described) {
        let name = file_name(&file.package, &file.version, &file.architecture);
        assert!(!name.contains('/') && !name.starts_with(['.', '-']), "{name:?}");
    }
}

fn described(line: &str) -> Option<Described> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [package, architecture, epoch, version, release] = *fields else { return None };
    [package, architecture, version, release].into_iter().all(is_plain).then(|| Described {
        package: package.to_owned(),
        architecture: architecture.to_owned(),
        version: full_version(epoch, version, release),
    })
}

/// Whether a text can be part of a file's name.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
}

/// What the files change of what is installed.
fn transaction(
    status: &Status,
    targets: &[PackageTarget],
    files: Vec<Described>,
) -> Result<Transaction, String> {
    let step = |file: Described| {
        let change = match status.version(&file.package, &file.architecture) {
            None => Change::Install { to: file.version },
            Some(from) if compare(from, &file.version).is_ok_and(std::cmp::Ordering::is_lt) => {
                Change::Upgrade { from: from.to_owned(), to: file.version }
            }
            Some(from) => {
                return Err(format!("{} is at {from}, and {} is no newer", file.package, file.version));
            }
        };
        Ok(TransactionStep { package: file.package, architecture: file.architecture, change })
    };
    let mut steps = files.into_iter().map(step).collect::<Result<Vec<_>, String>>()?;
    steps.sort_unstable();
    for target in targets {
        let planned = steps.iter().any(|step| {
            step.package == target.package
                && matches!(&step.change, Change::Upgrade { from, to } if *from == target.from && *to == target.to)
        });
        if !planned {
            return Err(format!(
                "dnf does not offer {} {} -> {} now",
                target.package, target.from, target.to
            ));
        }
    }
    Ok(Transaction { steps, kept_back: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_differ_in_their_epoch_are_two_files() {
        assert_eq!(file_name("toyd", "1:2.0-1.el9", "x86_64"), "toyd-1_2.0-1.el9.x86_64.rpm");
        assert_eq!(exactly("toyd", "2.0-1", "noarch"), "toyd-0:2.0-1.noarch");
        assert_eq!(exactly("toyd", "1:2.0-1", "noarch"), "toyd-1:2.0-1.noarch");
    }

    #[test]
    fn descriptions_that_are_no_names_are_refused() {
        let toyd = described("toyd\tnoarch\t1\t2.0~rc1\t1.el9").unwrap();
        assert_eq!(toyd.version, "1:2.0~rc1-1.el9");
        assert_eq!(described("toyd\tnoarch\t(none)\t2.0\t1").unwrap().version, "2.0-1");
        for line in
            ["", "a\tb", "../x\tnoarch\t1\t1\t1", "a/b\tnoarch\t1\t1\t1", "a\tb\t\t\t", "a\tb\t1\t1\t1\t1"]
        {
            assert_eq!(described(line), None, "{line:?}");
        }
    }
}

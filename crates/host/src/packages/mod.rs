//! What is installed, by the package database that a system has: dpkg's, Alpine's apk's or RPM's.

mod apk;
mod owners;
pub(crate) mod rpm;

use std::path::PathBuf;

use tenon_model::Component;

pub use rpm::RPM_QUERY_FORMAT;

use crate::status::Status;
use crate::{HostError, System, files};

/// Most entries that could not be read which are named one by one.
const MAX_NAMED: usize = 20;
/// Largest database or list read. A database of 4,000 packages takes 5 MB of dpkg and 10 MB of apk.
const MAX_DATABASE: u64 = 128 * 1024 * 1024;

/// A package database, or a list made from one, that was copied from a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageFile {
    /// dpkg's `/var/lib/dpkg/status`.
    DpkgStatus(PathBuf),
    /// apk's `/lib/apk/db/installed`.
    ApkInstalled(PathBuf),
    /// What `rpm -qa --qf FORMAT` wrote, with [`RPM_QUERY_FORMAT`] as the format.
    RpmList(PathBuf),
}

/// Reads a text as each kind of database, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_all(text: &str) {
    let paths = std::collections::BTreeSet::from(["/usr/bin/curl".to_owned()]);
    let _owners = apk::owners(text, &paths);
    let components =
        Status::parse(text).packages().iter().map(|package| package.component.clone()).collect::<Vec<_>>();
    for component in components.iter().chain(&apk::parse(text).components).chain(&rpm::parse(text).components)
    {
        assert!(component.check().is_ok(), "{component:?}");
    }
}

/// The packages of a database other than dpkg's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// What is installed.
    pub(crate) components: Vec<Component>,
    /// Entries that could not be read, for the report's gaps.
    pub(crate) unreadable: Vec<String>,
}

impl Listed {
    /// Keeps a component that is within bounds; any other is named as unreadable and lost alone.
    fn push(&mut self, component: Component) {
        match component.check() {
            Ok(()) => self.components.push(component),
            Err(error) => self.unreadable.push(error.to_string()),
        }
    }
}

/// The database of a system.
#[derive(Debug)]
pub(crate) enum Packages {
    /// Debian, Ubuntu and what descends from them.
    Dpkg(Status),
    /// Alpine.
    Apk(Listed),
    /// Red Hat, SUSE and what descends from them.
    Rpm(Listed),
}

impl Packages {
    /// Reads the database that is there. The tools of one family are to be had on the others and leave an empty database
    /// behind, so an empty one counts only where no other is.
    ///
    /// # Errors
    /// When there is no database, it cannot be read, or the program that reads it is missing.
    pub(crate) fn read(system: &System) -> Result<Self, HostError> {
        let dpkg = Status::read(system);
        if dpkg.as_ref().is_ok_and(|status| !status.packages().is_empty()) {
            return dpkg.map(Self::Dpkg);
        }
        for path in apk::DATABASES {
            if let Some(text) = files::read_text_if_any(&system.path(path), MAX_DATABASE)? {
                return Ok(Self::Apk(apk::parse(&text)));
            }
        }
        if let Some(folder) = rpm::database(system) {
            return Ok(Self::Rpm(rpm::query(system, &folder)?));
        }
        dpkg.map(Self::Dpkg)
    }

    /// Reads a database or list that was copied from a system.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or holds no package at all: an empty list would read as a clean system.
    pub(crate) fn of_file(file: &PackageFile) -> Result<Self, HostError> {
        let (PackageFile::DpkgStatus(path) | PackageFile::ApkInstalled(path) | PackageFile::RpmList(path)) =
            file;
        let text = files::read_text(path, MAX_DATABASE)?;
        let packages = match file {
            PackageFile::DpkgStatus(_) => Self::Dpkg(Status::parse(&text)),
            PackageFile::ApkInstalled(_) => Self::Apk(apk::parse(&text)),
            PackageFile::RpmList(_) => Self::Rpm(rpm::parse(&text)),
        };
        if packages.components().next().is_none() {
            let why = packages.gaps().into_iter().next().unwrap_or_else(|| "nothing is listed".to_owned());
            let what = path.display().to_string();
            return Err(HostError::Malformed { what, detail: format!("no installed package: {why}") });
        }
        Ok(packages)
    }

    /// Everything whose files are on the disk.
    pub(crate) fn components(&self) -> Box<dyn Iterator<Item = &Component> + '_> {
        match self {
            Self::Dpkg(status) => Box::new(status.packages().iter().map(|package| &package.component)),
            Self::Apk(listed) | Self::Rpm(listed) => Box::new(listed.components.iter()),
        }
    }

    /// Whether a package of that name is installed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.components().any(|component| component.name == name)
    }

    /// What could not be read, for the report.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let (database, unreadable) = match self {
            Self::Dpkg(status) => ("dpkg status", &status.unreadable),
            Self::Apk(listed) => ("apk database", &listed.unreadable),
            Self::Rpm(listed) => ("rpm database", &listed.unreadable),
        };
        let named = unreadable.iter().take(MAX_NAMED);
        let mut gaps: Vec<String> = named
            .map(|what| format!("{database}: an entry cannot be read and is left out: {what}"))
            .collect();
        if let Some(more) = unreadable.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
            gaps.push(format!("{database}: {more} more entries cannot be read"));
        }
        match self {
            Self::Dpkg(status) => gaps.extend(status.interruption()),
            Self::Rpm(listed) => gaps.extend(crate::dnf::status(listed.clone()).interruption()),
            Self::Apk(_) => {}
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lossy(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Texts near enough to a database to get past the first field.
    fn near() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "P:",
            "V:",
            "A:",
            "o:",
            "F:",
            "R:",
            "\n",
            "\n\n",
            "\t",
            "(none)",
            "a",
            "1-r0",
            "-1.src.rpm",
            "Package: ",
            "Status: ",
            "install ok installed",
            "Version: ",
            "Architecture: ",
            "Source: ",
            " (",
            ")",
            ":",
            "-",
            "\u{0}",
            "é",
            " ",
        ]);
        prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
    }

    /// Every reader of packages: no panic, and only what an inventory may hold.
    fn check(text: &str) {
        for packages in [
            Packages::Dpkg(Status::parse(text)),
            Packages::Apk(apk::parse(text)),
            Packages::Rpm(rpm::parse(text)),
        ] {
            assert!(packages.components().all(|component| component.check().is_ok()), "{text:?}");
            assert!(packages.gaps().len() <= MAX_NAMED + 2);
        }
        apk::owners(text, &["/a".to_owned()].into());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_named(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            check(&lossy(&bytes));
        }

        #[test]
        fn any_likely_text_is_read_or_named(text in near()) {
            check(&text);
        }
    }
}

//! What a package manager has on record as installed; how dpkg writes it: `/var/lib/dpkg/status`.

use std::collections::BTreeMap;

use tenon_model::Component;

use crate::deb822::stanzas;
use crate::manager::Kind;
use crate::source::source_of;
use crate::{HostError, System, files};

/// Largest status file read. 4,000 packages take 5 MB.
const MAX_STATUS: u64 = 128 * 1024 * 1024;
const FIELDS: [&str; 6] = ["Package", "Status", "Architecture", "Version", "Source", "Conffiles"];

/// How far the package manager got with a package whose files are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageState {
    /// Completely installed, possibly with triggers to run.
    Installed,
    /// An installation was interrupted: half-installed, unpacked, half-configured; of rpm, on record in two versions.
    Interrupted,
}

/// One package whose files are on the disk.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    /// Name, version and source.
    pub(crate) component: Component,
    /// How far it got.
    pub(crate) state: PackageState,
    /// Whether a person put it on hold.
    pub(crate) held: bool,
    /// Configuration files with the MD5 of the version the package brought; obsolete ones left out.
    pub(crate) conffiles: Vec<(String, String)>,
}

/// What is known to be installed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    kind: Kind,
    packages: Vec<Installed>,
    /// Stanzas that could not be read, for the report's gaps.
    pub(crate) unreadable: Vec<String>,
}

impl Status {
    /// The record of another package manager.
    pub(crate) fn of(kind: Kind, packages: Vec<Installed>, unreadable: Vec<String>) -> Self {
        Self { kind, packages, unreadable }
    }

    /// Reads dpkg's status file of a system.
    pub(crate) fn read(system: &System) -> Result<Self, HostError> {
        Ok(Self::parse(&files::read_text(&system.path("/var/lib/dpkg/status"), MAX_STATUS)?))
    }

    /// Parses the text of a status file.
    pub(crate) fn parse(text: &str) -> Self {
        let mut status = Self::default();
        for stanza in stanzas(text, &FIELDS) {
            let field = |name| stanza.get(name).filter(|value| !value.is_empty());
            let words: Vec<&str> = field("Status").unwrap_or_default().split_whitespace().collect();
            let state = match words.get(2).copied() {
                Some("installed" | "triggers-pending" | "triggers-awaited") => PackageState::Installed,
                Some("half-installed" | "unpacked" | "half-configured") => PackageState::Interrupted,
                Some("not-installed" | "config-files") => continue,
                _ => {
                    status.unreadable.push(called(field("Package")));
                    continue;
                }
            };
            let (Some(name), Some(version), Some(architecture)) =
                (field("Package"), field("Version"), field("Architecture"))
            else {
                status.unreadable.push(called(field("Package")));
                continue;
            };
            let source = source_of(field("Source"), name, version);
            let component = Component::os_package(name, architecture, version, source);
            if let Err(error) = component.check() {
                status.unreadable.push(error.to_string());
                continue;
            }
            status.packages.push(Installed {
                component,
                state,
                held: words.first() == Some(&"hold"),
                conffiles: conffiles(field("Conffiles").unwrap_or_default()),
            });
        }
        status
    }

    /// Everything whose files are on the disk.
    pub(crate) fn packages(&self) -> &[Installed] {
        &self.packages
    }

    /// One package; architecture-independent ones are found under any architecture, as apt and dnf name them.
    pub(crate) fn get(&self, name: &str, architecture: &str) -> Option<&Installed> {
        let mut of_name = self.packages.iter().filter(|package| package.component.name == name);
        of_name.clone().find(|package| package.component.architecture == architecture).or_else(|| {
            let independent = |architecture: &str| matches!(architecture, "all" | "noarch");
            of_name.find(|package| independent(&package.component.architecture) || independent(architecture))
        })
    }

    /// The version installed, completely, or `None`.
    pub(crate) fn version(&self, name: &str, architecture: &str) -> Option<&str> {
        self.get(name, architecture)
            .filter(|package| package.state == PackageState::Installed)
            .map(|package| package.component.version.as_str())
    }

    /// Packages on hold, sorted.
    pub(crate) fn holds(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .packages
            .iter()
            .filter(|package| package.held)
            .map(|package| package.component.name.clone())
            .collect();
        names.sort_unstable();
        names
    }

    /// Configuration files of every package with the recorded MD5 of each.
    pub(crate) fn all_conffiles(&self) -> BTreeMap<String, String> {
        self.packages.iter().flat_map(|package| package.conffiles.iter().cloned()).collect()
    }

    /// Name, architecture and version of everything installed completely.
    pub(crate) fn versions(&self) -> BTreeMap<(String, String), String> {
        let installed = self.packages.iter().filter(|package| package.state == PackageState::Installed);
        installed
            .map(|package| {
                let component = &package.component;
                ((component.name.clone(), component.architecture.clone()), component.version.clone())
            })
            .collect()
    }

    /// What a person has to mend first, where an installation was interrupted.
    pub(crate) fn interruption(&self) -> Option<String> {
        let interrupted = self.packages.iter().filter(|package| package.state == PackageState::Interrupted);
        let mut names: Vec<&str> = interrupted.map(|package| package.component.name.as_str()).collect();
        names.dedup();
        let (program, remedy) = self.kind.remedy();
        (!names.is_empty())
            .then(|| format!("{program} was interrupted at {}: run `{remedy}`", names.join(", ")))
    }

    /// Configuration files of the named packages with the recorded MD5 of each.
    pub(crate) fn conffiles_of<'a>(
        &'a self,
        packages: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> BTreeMap<String, String> {
        packages
            .filter_map(|(name, architecture)| self.get(name, architecture))
            .flat_map(|package| package.conffiles.iter().cloned())
            .collect()
    }
}

/// The name of a stanza that cannot be read, cut and quoted.
fn called(name: Option<&str>) -> String {
    format!("{:?}", name.unwrap_or("(no name)").chars().take(80).collect::<String>())
}

/// Lines `/etc/foo 0123...`, with `obsolete`, `remove-on-upgrade` or the word `newconffile` behind or in place of
/// the digest. Paths may hold blanks.
fn conffiles(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let (path, digest) = line.trim().rsplit_once(' ')?;
            let digest_like = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            (path.starts_with('/') && digest_like).then(|| (path.to_owned(), digest.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b8
Source: bash (5.2.15-2)
Conffiles:
 /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d
 /etc/a file 0123456789abcdef0123456789abcdef
 /etc/old 0123456789abcdef0123456789abcdef obsolete
Description: GNU Bourne Again SHell
 Version: 9.9 is only text

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: stuck
Status: hold ok half-configured
Architecture: all
Version: 2

Package: strange
Status: install ok
Architecture: all
";

    #[test]
    fn reads_states_sources_and_conffiles() {
        let status = Status::parse(TEXT);
        assert_eq!(status.version("bash", "amd64"), Some("5.2.15-2+b8"));
        let bash = status.get("bash", "amd64").unwrap();
        assert_eq!(bash.component.source.version, "5.2.15-2");
        assert_eq!(bash.conffiles.len(), 2);
        assert_eq!(bash.conffiles[1].0, "/etc/a file");
        assert!(status.get("gone", "amd64").is_none());
        assert_eq!(status.get("stuck", "amd64").map(|p| p.state), Some(PackageState::Interrupted));
        assert_eq!(status.version("stuck", "all"), None);
        assert_eq!(status.holds(), ["stuck"]);
        assert_eq!(status.unreadable, ["\"strange\""]);
    }

    #[test]
    fn hostile_bytes_are_only_unreadable() {
        for text in
            ["", ":", "\n\n\n", " \n x", "Package:\nStatus: a b installed\n", "Status: install ok installed"]
        {
            assert!(Status::parse(text).packages().is_empty(), "{text:?}");
        }
    }
}

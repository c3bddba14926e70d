//! Which order the versions of an ecosystem follow.

use std::cmp::Ordering;

use crate::{SortKey, VersionError, apk, dpkg, pep440, rpm, semver};

/// An order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Debian and its derivatives: [`crate::dpkg`].
    Dpkg,
    /// Distributions of RPM packages: [`crate::rpm`].
    Rpm,
    /// Alpine and its relatives: [`crate::apk`].
    Apk,
    /// Semantic Versioning 2.0.0, as Rust crates, npm and Go use it: [`crate::semver`].
    Semver,
    /// Python packages: [`crate::pep440`].
    Pep440,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 5] = [Self::Dpkg, Self::Rpm, Self::Apk, Self::Semver, Self::Pep440];

    /// The scheme of an ecosystem of the OSV schema, with or without its suffix (`Debian`, `Debian:12`,
    /// `Ubuntu:Pro:18.04:LTS`), spelt as the schema spells it.
    ///
    /// `None` means that versions of this ecosystem are not assessed: Tenon has no exact order for them.
    pub fn of_osv_ecosystem(ecosystem: &str) -> Option<Self> {
        let (name, _) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
        match name {
            "Debian" | "Ubuntu" => Some(Self::Dpkg),
            "AlmaLinux" | "Azure Linux" | "Mageia" | "Photon OS" | "Red Hat" | "Rocky Linux" | "SUSE"
            | "openEuler" | "openSUSE" => Some(Self::Rpm),
            "Alpaquita" | "Alpine" | "BellSoft Hardened Containers" | "Chainguard" | "MinimOS" | "Wolfi" => {
                Some(Self::Apk)
            }
            "Go" | "crates.io" | "npm" => Some(Self::Semver),
            "PyPI" => Some(Self::Pep440),
            // Also here: ecosystems of several formats (Docker Hardened Images, Echo, Root, TuxCare), whose strings do
            // not say which order holds.
            _ => None,
        }
    }

    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => dpkg::SCHEME,
            Self::Rpm => rpm::SCHEME,
            Self::Apk => apk::SCHEME,
            Self::Semver => semver::SCHEME,
            Self::Pep440 => pep440::SCHEME,
        }
    }
}

/// Compares two versions.
///
/// # Errors
/// When one of the texts is not a version of this scheme.
pub fn compare(scheme: Scheme, a: &str, b: &str) -> Result<Ordering, VersionError> {
    match scheme {
        Scheme::Dpkg => dpkg::compare(a, b),
        Scheme::Rpm => rpm::compare(a, b),
        Scheme::Apk => apk::compare(a, b),
        Scheme::Semver => semver::compare(a, b),
        Scheme::Pep440 => pep440::compare(a, b),
    }
}

/// The key that sorts as the version does among the versions of its scheme.
///
/// # Errors
/// When the text is not a version of this scheme: exactly when [`compare`] refuses it.
pub fn sort_key(scheme: Scheme, text: &str) -> Result<SortKey, VersionError> {
    match scheme {
        Scheme::Dpkg => dpkg::sort_key(text),
        Scheme::Rpm => rpm::sort_key(text),
        Scheme::Apk => apk::sort_key(text),
        Scheme::Semver => semver::sort_key(text),
        Scheme::Pep440 => pep440::sort_key(text),
    }
}

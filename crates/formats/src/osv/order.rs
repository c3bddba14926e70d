//! How the versions of an ecosystem compare, as far as reading event lists needs it.

use std::cmp::Ordering;

use tenon_versions::dpkg;

/// The order by which events are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionOrder {
    /// Debian's, also Ubuntu's.
    Dpkg,
    /// No order at hand: event lists are taken as ascending, as their sources write them.
    Listed,
}

impl VersionOrder {
    /// The order of an ecosystem (`Debian:12`).
    pub(crate) fn of_ecosystem(ecosystem: &str) -> Self {
        match ecosystem.split(':').next() {
            Some("Debian" | "Ubuntu") => Self::Dpkg,
            _ => Self::Listed,
        }
    }

    /// Refuses a version that this order cannot place.
    pub(crate) fn check(self, version: &str) -> Result<(), String> {
        match self {
            Self::Dpkg => dpkg::Version::parse(version).map(drop).map_err(|error| error.to_string()),
            Self::Listed => Ok(()),
        }
    }

    /// Compares two versions; `None` when there is no order or a version has no place in it.
    pub(crate) fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Dpkg => dpkg::compare(a, b).ok(),
            Self::Listed => None,
        }
    }
}

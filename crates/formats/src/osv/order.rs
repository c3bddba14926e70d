//! How the versions of an ecosystem compare, as far as reading event lists needs it.

use std::cmp::Ordering;

use tenon_versions::{Scheme, compare};

use super::OsvRangeKind;

/// The order by which events are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionOrder {
    /// An exact order.
    Exact(Scheme),
    /// No order at hand: event lists are taken as ascending, as their sources write them.
    Listed,
}

impl VersionOrder {
    /// The order of a range of this kind in an ecosystem (`Debian:12`).
    pub(crate) fn of(kind: OsvRangeKind, ecosystem: &str) -> Self {
        match kind {
            OsvRangeKind::Semver => Self::Exact(Scheme::Semver),
            OsvRangeKind::Ecosystem | OsvRangeKind::Git => {
                Scheme::of_osv_ecosystem(ecosystem).map_or(Self::Listed, Self::Exact)
            }
        }
    }

    /// Refuses a version that this order cannot place.
    pub(crate) fn check(self, version: &str) -> Result<(), String> {
        match self {
            Self::Exact(scheme) => {
                compare(scheme, version, version).map(drop).map_err(|error| error.to_string())
            }
            Self::Listed => Ok(()),
        }
    }

    /// Compares two versions; `None` when there is no order or a version has no place in it.
    pub(crate) fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Exact(scheme) => compare(scheme, a, b).ok(),
            Self::Listed => None,
        }
    }
}

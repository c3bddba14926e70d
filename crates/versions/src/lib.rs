//! Version order per ecosystem: one file each, exact or not at all. A version that does not parse is an error value,
//! never "not affected".
//!
//! Each scheme offers the order itself ([`compare`]) and a byte key in the same order ([`sort_key`]), so that the
//! versions of a range can be kept sorted and searched. Both are total over the versions of one scheme: they accept
//! the same texts and agree on every pair.

pub mod apk;
pub mod dpkg;
mod key;
mod number;
pub mod pep440;
pub mod rpm;
mod scheme;
pub mod semver;
mod signed;

pub use key::SortKey;
pub use scheme::{Scheme, compare, sort_key};
pub use signed::signed_source;

/// Longest version accepted, in bytes.
pub const MAX_VERSION: usize = 1024;

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{version:?} is not a valid {scheme} version: {reason}")]
pub struct VersionError {
    /// The ecosystem's scheme.
    pub scheme: &'static str,
    /// The text, cut to 80 characters.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl VersionError {
    /// Names what is wrong with `text`.
    fn new(scheme: &'static str, text: &str, reason: &'static str) -> Self {
        Self { scheme, version: text.chars().take(80).collect(), reason }
    }
}

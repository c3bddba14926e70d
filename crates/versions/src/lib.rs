//! Version order per ecosystem: one file each, exact or not at all. A version that does not parse is an error value,
//! never "not affected".

pub mod dpkg;

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

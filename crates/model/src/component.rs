//! What is installed: components and the manifest that holds them.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Most components one manifest may hold; a report with more is refused, not cut.
const MAX_COMPONENTS: usize = 200_000;
/// Longest package name or version accepted, in bytes. Debian's longest name is below 100.
const MAX_TEXT: usize = 512;

/// The source package a component was built from, which is what Debian and Ubuntu advisories name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Source name; for signed kernels the *unsigned* source the advisory names (`linux`, not `linux-signed-amd64`).
    pub name: String,
    /// Source version, which differs from the binary version for bin-NMUs and for packages with their own scheme.
    pub version: String,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Component {
    /// Binary package name.
    pub name: String,
    /// Architecture (`amd64`, `all`).
    pub architecture: String,
    /// Binary version.
    pub version: String,
    /// What it was built from.
    pub source: SourcePackage,
}

/// The set of components of an asset: sorted, without duplicates, stored once by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    components: Vec<Component>,
}

/// Why an inventory is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Too many packages to be a host.
    #[error("{count} packages in one inventory, at most {MAX_COMPONENTS} are accepted")]
    TooMany {
        /// How many were sent.
        count: usize,
    },
    /// A field that no package manager would write.
    #[error("package {name:?}: {field} {reason}")]
    Field {
        /// Start of the package's name.
        name: String,
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The bytes are not a manifest.
    #[error("not a manifest: {0}")]
    Encoding(String),
}

impl Manifest {
    /// Sorts, removes exact duplicates and checks bounds.
    ///
    /// # Errors
    /// When there are too many components, or a field is empty, overlong or holds control characters.
    pub fn new(mut components: Vec<Component>) -> Result<Self, ManifestError> {
        if components.len() > MAX_COMPONENTS {
            return Err(ManifestError::TooMany { count: components.len() });
        }
        for component in &components {
            let fields = [
                ("name", &component.name),
                ("architecture", &component.architecture),
                ("version", &component.version),
                ("source name", &component.source.name),
                ("source version", &component.source.version),
            ];
            for (field, text) in fields {
                let reason = if text.is_empty() {
                    "is empty"
                } else if text.len() > MAX_TEXT {
                    "is longer than 512 bytes"
                } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                    "holds control characters or spaces"
                } else {
                    continue;
                };
                let name = component.name.chars().take(80).collect();
                return Err(ManifestError::Field { name, field, reason });
            }
        }
        components.sort_unstable();
        components.dedup();
        Ok(Self { components })
    }

    /// The components, sorted by name, architecture, version.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The canonical bytes that are stored and digested.
    ///
    /// # Panics
    /// Never: strings always encode.
    pub fn to_blob(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads bytes written by [`Manifest::to_blob`], checking every bound again.
    ///
    /// # Errors
    /// When the bytes are not a manifest within bounds.
    pub fn from_blob(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| ManifestError::Encoding(error.to_string()))?;
        Self::new(manifest.components)
    }

    /// The content address.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_blob())
    }
}

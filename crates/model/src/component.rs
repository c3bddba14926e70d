//! What is installed: components and the manifest that holds them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::delta::ComponentPage;
use crate::{Digest, Sum};

/// Most components one manifest may hold; a report with more is refused, not cut.
const MAX_COMPONENTS: usize = 200_000;
/// Longest package name or version accepted, in bytes. Debian's longest name is below 100.
const MAX_TEXT: usize = 512;

/// The source package a component was built from, which is what Debian, Ubuntu and Alpine advisories name.
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
    /// Architecture as the package manager names it (`amd64`, `all`, `x86_64`, `noarch`); `any` where the ecosystem
    /// knows none.
    pub architecture: String,
    /// Binary version; of an RPM `[epoch:]version-release`.
    pub version: String,
    /// What it was built from; of an Alpine package its origin. Where nothing says so, the package itself.
    pub source: SourcePackage,
    /// The module stream an RPM belongs to, as `name:stream`. The same version of a package means something else in
    /// another stream, and advisories are written per stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// OSV ecosystem of a language package (`crates.io`); `None` for packages of the operating system, whose ecosystem is
    /// [`crate::OsRelease::osv_ecosystem`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<String>,
}

impl Component {
    /// A package of the operating system that is in no module stream.
    pub fn os_package(
        name: impl Into<String>,
        architecture: impl Into<String>,
        version: impl Into<String>,
        source: SourcePackage,
    ) -> Self {
        Self {
            name: name.into(),
            architecture: architecture.into(),
            version: version.into(),
            source,
            module: None,
            ecosystem: None,
        }
    }

    /// Whether an inventory may hold it: for readers that leave out one bad entry rather than lose them all.
    ///
    /// # Errors
    /// When a field is empty, overlong or holds what no package manager writes.
    pub fn check(&self) -> Result<(), ManifestError> {
        fault(self).map_or(Ok(()), |(field, reason)| {
            Err(ManifestError::Field { name: self.name.chars().take(80).collect(), field, reason })
        })
    }

    /// Appends it as `serde_json` would write it. A manifest has hundreds, and writing them was most of what reading a report took.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let mut field = |key: &str, text: &str| {
            bytes.extend_from_slice(key.as_bytes());
            write_text(bytes, text);
        };
        field(r#"{"name":"#, &self.name);
        field(r#","architecture":"#, &self.architecture);
        field(r#","version":"#, &self.version);
        field(r#","source":{"name":"#, &self.source.name);
        field(r#","version":"#, &self.source.version);
        bytes.push(b'}');
        for (key, text) in [(r#","module":"#, &self.module), (r#","ecosystem":"#, &self.ecosystem)] {
            if let Some(text) = text {
                bytes.extend_from_slice(key.as_bytes());
                write_text(bytes, text);
            }
        }
        bytes.push(b'}');
    }
}

/// A text in JSON: as it is where nothing in it must be escaped (RFC 8259, section 7), which is nearly always so.
fn write_text(bytes: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        bytes.push(b'"');
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'"');
    } else {
        // Strings always encode, and a vector takes what is written to it.
        let _encoded = serde_json::to_writer(bytes, text);
    }
}

/// The set of components of an asset: sorted, without duplicates, stored once by content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    components: Vec<Component>,
}

/// A manifest with what is written and digested of it.
#[derive(Debug)]
pub struct WrittenManifest {
    /// The components.
    pub manifest: Manifest,
    /// What [`Manifest::to_blob`] writes.
    pub blob: Vec<u8>,
    /// The digest of each component, in their order.
    pub digests: Vec<Digest>,
}

/// A manifest as it is written.
#[derive(Deserialize)]
struct Written {
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
    /// When there are too many components, or a field is empty, overlong or holds what no package manager writes.
    pub fn new(components: Vec<Component>) -> Result<Self, ManifestError> {
        for component in &components {
            component.check()?;
        }
        Self::unchecked(components)
    }

    /// The same, written at once, with the digest of each component. Those that were seen before are not checked and digested
    /// again: `known` is given all components in order, and each as it is written, and answers with the digests of those that an
    /// earlier manifest held.
    ///
    /// # Errors
    /// As of [`Manifest::new`].
    pub fn new_written(
        components: Vec<Component>,
        known: impl FnOnce(&[Component], &[&[u8]]) -> Vec<Option<Digest>>,
    ) -> Result<WrittenManifest, ManifestError> {
        let manifest = Self::unchecked(components)?;
        let (blob, places) = manifest.written();
        let written: Vec<&[u8]> = places.into_iter().map(|place| &blob[place]).collect();
        let known = known(&manifest.components, &written).into_iter().chain(std::iter::repeat(None));
        let mut page = ComponentPage::default();
        let digests =
            manifest.components.iter().zip(&written).zip(known).map(|((component, written), known)| {
                if let Some(digest) = known {
                    return Ok(digest);
                }
                component.check()?;
                Ok(page.digest(written))
            });
        let digests = digests.collect::<Result<_, _>>()?;
        Ok(WrittenManifest { manifest, blob, digests })
    }

    /// Sorts and removes exact duplicates.
    fn unchecked(mut components: Vec<Component>) -> Result<Self, ManifestError> {
        if components.len() > MAX_COMPONENTS {
            return Err(ManifestError::TooMany { count: components.len() });
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
    pub fn to_blob(&self) -> Vec<u8> {
        self.written().0
    }

    /// As `serde_json` would write it, and where each component stands in it.
    fn written(&self) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut bytes = Vec::with_capacity(64 + 192 * self.components.len());
        let mut places = Vec::with_capacity(self.components.len());
        bytes.extend(br#"{"components":["#);
        for component in &self.components {
            if !places.is_empty() {
                bytes.push(b',');
            }
            let start = bytes.len();
            component.write(&mut bytes);
            places.push(start..bytes.len());
        }
        bytes.extend(b"]}");
        (bytes, places)
    }

    /// Reads bytes written by [`Manifest::to_blob`], checking every bound again.
    ///
    /// # Errors
    /// When the bytes are not a manifest within bounds.
    pub fn from_blob(bytes: &[u8]) -> Result<Self, ManifestError> {
        let written: Written =
            serde_json::from_slice(bytes).map_err(|error| ManifestError::Encoding(error.to_string()))?;
        Self::new(written.components)
    }

    /// The content address.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_blob())
    }

    /// The sum of its components, which follows their changes.
    pub fn sum(&self) -> Sum {
        self.components.iter().fold(Sum::default(), |sum, component| sum.with(&component.digest()))
    }
}

/// What is wrong with a component: the field and why.
fn fault(component: &Component) -> Option<(&'static str, &'static str)> {
    // Programs of Windows are named with blanks, and so are some ecosystems (`GitHub Actions`).
    let spaced = [
        ("name", Some(&component.name)),
        ("source name", Some(&component.source.name)),
        ("ecosystem", component.ecosystem.as_ref()),
    ];
    let solid = [
        ("architecture", Some(&component.architecture)),
        ("version", Some(&component.version)),
        ("source version", Some(&component.source.version)),
        ("module", component.module.as_ref()),
    ];
    let fault = |(field, text): (&'static str, Option<&String>), blanks: bool| {
        let text = text?;
        // What nearly all are.
        if (1..=MAX_TEXT).contains(&text.len())
            && text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic())
        {
            return None;
        }
        let inner = |c: char| blanks && c == ' ';
        if text.trim().is_empty() {
            Some((field, "is empty"))
        } else if text.len() > MAX_TEXT {
            Some((field, "is longer than 512 bytes"))
        } else if text.chars().any(|c| (c.is_control() || c.is_whitespace()) && !inner(c))
            || text.trim() != text
        {
            Some((field, "holds control characters or spaces"))
        } else if text.contains(char::REPLACEMENT_CHARACTER) {
            Some((field, "holds bytes that are not UTF-8"))
        } else {
            None
        }
    };
    spaced
        .into_iter()
        .find_map(|entry| fault(entry, true))
        .or_else(|| solid.into_iter().find_map(|entry| fault(entry, false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash() -> Component {
        let source = SourcePackage { name: "bash".to_owned(), version: "5.2.15-2".to_owned() };
        Component::os_package("bash", "amd64", "5.2.15-2+b8", source)
    }

    #[test]
    fn what_is_not_there_is_not_written() {
        let blob = String::from_utf8(Manifest::new(vec![bash()]).unwrap().to_blob()).unwrap();
        assert_eq!(
            blob,
            r#"{"components":[{"name":"bash","architecture":"amd64","version":"5.2.15-2+b8","source":{"name":"bash","version":"5.2.15-2"}}]}"#
        );
        assert_eq!(Manifest::from_blob(blob.as_bytes()).unwrap().components(), [bash()]);
        let modular = Component { module: Some("nodejs:18".to_owned()), ..bash() };
        let manifest = Manifest::new(vec![modular, bash()]).unwrap();
        let apart: Vec<Digest> = manifest.components().iter().map(|c| c.digest()).collect();
        let components = || manifest.components().iter().rev().cloned().collect();
        let WrittenManifest { manifest: same, blob, digests } =
            Manifest::new_written(components(), |_, _| Vec::new()).unwrap();
        assert_eq!((&same, &digests, &blob), (&manifest, &apart, &manifest.to_blob()));
        // What is known is asked for as it is written, and taken as it is answered.
        let mut seen = Vec::new();
        let known = Manifest::new_written(components(), |components, written| {
            seen.extend(components.iter().cloned().zip(written.iter().map(|text| text.to_vec())));
            vec![None, Some(Digest::of(b"known"))]
        });
        let known = known.unwrap();
        assert_eq!((&known.manifest, &known.blob), (&manifest, &blob));
        assert_eq!(known.digests, [apart[0], Digest::of(b"known")]);
        let written = |component: &Component| (component.clone(), serde_json::to_vec(component).unwrap());
        assert_eq!(seen, manifest.components().iter().map(written).collect::<Vec<_>>());
        assert_eq!(Manifest::from_blob(&blob), Ok(manifest));
        assert_eq!(Manifest::new(Vec::new()).unwrap().to_blob(), br#"{"components":[]}"#);
    }

    #[test]
    fn components_are_written_as_serde_json_writes_them() {
        let texts =
            ["", "a", "\"", "a\\b", "\u{1f}", "\n", "\u{7f}", " ", "é/", "\u{2028}", "😀\0", "5.2~rc1+b8"];
        for (place, text) in texts.into_iter().enumerate() {
            let other = texts[(place + 5) % texts.len()];
            let module = (place % 2 == 0).then(|| other.to_owned());
            let ecosystem = (place % 3 == 0).then(|| text.to_owned());
            let source = SourcePackage { name: other.to_owned(), version: text.to_owned() };
            let component =
                Component { module, ecosystem, ..Component::os_package(text, other, text, source) };
            let mut written = Vec::new();
            component.write(&mut written);
            assert_eq!(written, serde_json::to_vec(&component).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn names_may_hold_blanks_and_nothing_else_may() {
        let field = |component| match Manifest::new(vec![component]) {
            Ok(_) => "",
            Err(ManifestError::Field { field, .. }) => field,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(field(Component { name: "Microsoft Edge".to_owned(), ..bash() }), "");
        assert_eq!(field(Component { ecosystem: Some("GitHub Actions".to_owned()), ..bash() }), "");
        assert_eq!(field(Component { name: " edge".to_owned(), ..bash() }), "name");
        assert_eq!(field(Component { name: "a\tb".to_owned(), ..bash() }), "name");
        assert_eq!(field(Component { version: "1 2".to_owned(), ..bash() }), "version");
        assert_eq!(field(Component { module: Some(String::new()), ..bash() }), "module");
        assert_eq!(field(Component { ecosystem: Some("x".repeat(513)), ..bash() }), "ecosystem");
    }
}

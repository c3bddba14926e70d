//! Package-URLs (ECMA-427, <https://github.com/package-url/purl-spec>): the name of a package in any ecosystem.
//!
//! ```text
//! pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie
//! ```

mod osv;
mod rules;

use std::collections::BTreeMap;
use std::fmt;

use crate::FormatError;
use crate::percent;
use crate::text::cut;

/// Longest package-url accepted, in bytes.
pub const MAX_PURL: usize = 4096;
/// Most qualifiers accepted.
const MAX_QUALIFIERS: usize = 64;

/// A package-url: decoded, and in the case and spelling that its type prescribes. Prints in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// The decoded parts of a package-url under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurlParts<'a> {
    /// The type (`deb`).
    pub kind: &'a str,
    /// The namespace; several segments are separated by `/`.
    pub namespace: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The version.
    pub version: Option<&'a str>,
    /// Qualifiers in any order; those with an empty value are left out (ECMA-427, section on qualifiers).
    pub qualifiers: &'a [(&'a str, &'a str)],
    /// The path inside the package, `/` between segments.
    pub subpath: Option<&'a str>,
}

/// How far a reader goes towards what tools write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As the standard has it.
    Strict,
    /// As tools in the field write it.
    Lenient,
}

impl Purl {
    /// Reads a package-url that keeps the standard and the rules of its type. What only needs normalising (case of the
    /// type, slashes around segments, encoding of more than has to be encoded) is normalised.
    ///
    /// # Errors
    /// When it is longer than [`MAX_PURL`], a part is missing or malformed, a qualifier key is not lower case, or its
    /// type prohibits or requires something else.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        Self::read(text, Reading::Strict).map_err(|reason| error(text, reason))
    }

    /// Reads a package-url as tools in the field write them: upper-case qualifier keys are made lower case, and what
    /// the type requires may be missing.
    ///
    /// # Errors
    /// As [`Purl::parse`], but for those two.
    pub fn parse_lenient(text: &str) -> Result<Self, FormatError> {
        Self::read(text, Reading::Lenient).map_err(|reason| error(text, reason))
    }

    /// Builds a package-url from its parts.
    ///
    /// # Errors
    /// As [`Purl::parse`].
    pub fn build(parts: PurlParts<'_>) -> Result<Self, FormatError> {
        let shown = || format!("pkg:{}/{}", parts.kind, parts.name);
        let mut qualifiers = BTreeMap::new();
        for (key, value) in parts.qualifiers {
            qualifier(&mut qualifiers, key, value, Reading::Lenient)
                .map_err(|reason| error(&shown(), reason))?;
        }
        let segments = |path: Option<&str>| path.and_then(|path| join(path.split('/').map(str::to_owned)));
        Self {
            kind: parts.kind.to_ascii_lowercase(),
            namespace: segments(parts.namespace),
            name: parts.name.to_owned(),
            version: parts.version.filter(|version| !version.is_empty()).map(str::to_owned),
            qualifiers,
            subpath: segments(parts.subpath),
        }
        .checked(Reading::Strict)
        .and_then(|purl| if purl.to_string().len() > MAX_PURL { Err(TOO_LONG) } else { Ok(purl) })
        .map_err(|reason| error(&shown(), reason))
    }

    /// The type, lower case (`deb`).
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace (`debian`, `org.apache.commons`, `@angular`), `/` between segments.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The qualifiers (`arch`, `distro`, `epoch`), sorted by key.
    pub fn qualifiers(&self) -> &BTreeMap<String, String> {
        &self.qualifiers
    }

    /// The path inside the package.
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    /// The steps of "How to parse a purl string" in their order: what is split from the right first cannot be
    /// mistaken for what stands left of it.
    fn read(text: &str, reading: Reading) -> Result<Self, &'static str> {
        if text.len() > MAX_PURL {
            return Err(TOO_LONG);
        }
        let (rest, subpath) = split_right(text, '#');
        let (rest, query) = split_right(rest, '?');
        let (scheme, rest) = rest.split_once(':').ok_or("the scheme pkg: is missing")?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err("the scheme must be pkg:");
        }
        let (kind, rest) =
            rest.trim_start_matches('/').split_once('/').ok_or("a type and a name are required")?;
        let rest = rest.trim_matches('/');
        // A scope that was left unencoded (`@babel/core`) is no version.
        let at = rest.rfind('@').filter(|at| *at > 0 || !rest.contains('/'));
        let (path, version) = match at {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let path = path.trim_end_matches('/');
        let (namespace, name) =
            path.rsplit_once('/').map_or((None, path), |(namespace, name)| (Some(namespace), name));
        let mut qualifiers = BTreeMap::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or("a qualifier must be KEY=VALUE")?;
            qualifier(&mut qualifiers, key, &percent::decode(value)?, reading)?;
        }
        let read = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.map(segments).transpose()?.flatten(),
            name: percent::decode(name)?,
            version: version.filter(|version| !version.is_empty()).map(percent::decode).transpose()?,
            qualifiers,
            subpath: subpath.map(segments).transpose()?.flatten(),
        }
        .checked(reading)?;
        // Encoding makes up to three bytes of one: the canonical form must be readable too.
        let fits = text.len() <= MAX_PURL / 3 || read.to_string().len() <= MAX_PURL;
        if fits { Ok(read) } else { Err(TOO_LONG) }
    }

    fn checked(mut self, reading: Reading) -> Result<Self, &'static str> {
        if !self.kind.starts_with(|c: char| c.is_ascii_lowercase())
            || !self.kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        {
            return Err("the type must start with a letter and hold letters, digits, . and - only");
        }
        if self.name.is_empty() {
            return Err("a name is required");
        }
        let parts = [Some(&self.name), self.namespace.as_ref(), self.version.as_ref(), self.subpath.as_ref()];
        if parts
            .into_iter()
            .flatten()
            .chain(self.qualifiers.values())
            .any(|t| t.chars().any(char::is_control))
        {
            return Err("a part holds control characters");
        }
        rules::normalise(&mut self);
        rules::check(&self)?;
        if reading == Reading::Strict {
            rules::check_complete(&self)?;
        }
        Ok(self)
    }
}

const TOO_LONG: &str = "longer than 4096 bytes";

fn error(purl: &str, reason: &'static str) -> FormatError {
    FormatError::Purl { purl: cut(purl, 80), reason }
}

fn split_right(text: &str, separator: char) -> (&str, Option<&str>) {
    text.rsplit_once(separator).map_or((text, None), |(rest, part)| (rest, Some(part)))
}

/// Decodes a path segment by segment. An encoded slash would change which segments there are.
fn segments(path: &str) -> Result<Option<String>, &'static str> {
    let decoded = path.split('/').map(percent::decode).collect::<Result<Vec<_>, _>>()?;
    if decoded.iter().any(|segment| segment.contains('/')) {
        return Err("a segment holds an encoded slash");
    }
    Ok(join(decoded.into_iter()))
}

/// Empty segments and those that walk a path mean nothing and are left out.
fn join(segments: impl Iterator<Item = String>) -> Option<String> {
    let kept: Vec<String> = segments.filter(|segment| !matches!(segment.as_str(), "" | "." | "..")).collect();
    (!kept.is_empty()).then(|| kept.join("/"))
}

fn qualifier(
    qualifiers: &mut BTreeMap<String, String>,
    key: &str,
    value: &str,
    reading: Reading,
) -> Result<(), &'static str> {
    let name = key.to_ascii_lowercase();
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    {
        return Err("a qualifier key must start with a letter and hold letters, digits, . - and _ only");
    }
    if reading == Reading::Strict && name != key {
        return Err("a qualifier key must be lower case");
    }
    if value.is_empty() {
        return Ok(());
    }
    if qualifiers.len() >= MAX_QUALIFIERS {
        return Err("more than 64 qualifiers");
    }
    match qualifiers.insert(name, value.to_owned()) {
        Some(_) => Err("a qualifier key stands twice"),
        None => Ok(()),
    }
}

impl fmt::Display for Purl {
    /// The canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("pkg:{}", self.kind);
        let path = |text: &mut String, path: &str, first: char| {
            for (index, segment) in path.split('/').enumerate() {
                text.push(if index == 0 { first } else { '/' });
                percent::encode_into(text, segment, stands);
            }
        };
        if let Some(namespace) = &self.namespace {
            path(&mut text, namespace, '/');
        }
        text.push('/');
        percent::encode_into(&mut text, &self.name, stands);
        if let Some(version) = &self.version {
            text.push('@');
            percent::encode_into(&mut text, version, stands);
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            percent::encode_into(&mut text, value, stands);
        }
        if let Some(subpath) = &self.subpath {
            path(&mut text, subpath, '#');
        }
        f.write_str(&text)
    }
}

/// What is never encoded: RFC 3986 unreserved characters, and the colon.
fn stands(byte: u8) -> bool {
    percent::is_unreserved(byte) || byte == b':'
}

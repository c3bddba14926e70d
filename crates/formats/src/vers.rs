//! Version ranges in the VERS notation (<https://github.com/package-url/vers-spec>, clause 5).
//!
//! ```text
//! vers:deb/>=3.0.0|!=3.0.11-1~deb12u1|<3.0.15-1~deb12u1
//! ```

mod order;
mod range;

use std::fmt;

use crate::FormatError;
use crate::percent;
use crate::text::cut;

/// Longest range accepted, in bytes.
pub const MAX_VERS: usize = 64 << 10;
/// Most constraints accepted. Ranges that list each affected version reach some hundreds.
pub const MAX_CONSTRAINTS: usize = 4096;

/// How a version stands to the one that a constraint names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// A bare version.
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// As the notation writes it, with `=` for a bare version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn is_lower(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    fn is_upper(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    fn split(text: &str) -> (Self, &str) {
        let comparators =
            [Self::GreaterOrEqual, Self::LessOrEqual, Self::NotEqual, Self::Less, Self::Greater];
        comparators
            .into_iter()
            .find_map(|comparator| Some((comparator, text.strip_prefix(comparator.as_str())?)))
            .unwrap_or((Self::Equal, text))
    }
}

/// One constraint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// How versions stand to `version`.
    pub comparator: Comparator,
    /// The version, decoded.
    pub version: String,
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.comparator != Comparator::Equal {
            text.push_str(self.comparator.as_str());
        }
        percent::encode_into(&mut text, &self.version, stands);
        f.write_str(&text)
    }
}

/// A range of versions. Prints in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vers {
    scheme: String,
    constraints: Vec<Constraint>,
}

impl Vers {
    /// Reads a range in canonical form. What clause 5.4 says of redundant constraints is left to [`Vers::violation`]:
    /// the specification's own suite has such ranges read.
    ///
    /// # Errors
    /// When it is longer than [`MAX_VERS`], has more than [`MAX_CONSTRAINTS`] constraints, is not in canonical form,
    /// or is not sorted by the order of its type. An order that is not known here
    /// cannot be checked, and whether a version that stands alone is one of its type shows when it is compared.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let vers = read(text, true).map_err(|reason| error(text, reason))?;
        if order::is_known(&vers.scheme) {
            for pair in vers.constraints.windows(2) {
                let order = order::compare(&vers.scheme, &pair[0].version, &pair[1].version);
                if order.map_err(|reason| error(text, reason))?.is_gt() {
                    return Err(error(text, NOT_SORTED));
                }
            }
        }
        Ok(vers)
    }

    /// Reads a range in any form and sorts it: blanks, needless pipes, `=` before a version, and an encoding of more
    /// than has to be encoded are mended.
    ///
    /// # Errors
    /// When it cannot be read, or holds several constraints in an order that is not known here.
    pub fn canonicalise(text: &str) -> Result<Self, FormatError> {
        let mut vers = read(text, false).map_err(|reason| error(text, reason))?;
        if vers.constraints.len() > 1 {
            // Versions that compare with themselves are of the type, so that sorting meets no failure half-way.
            for constraint in &vers.constraints {
                order::compare(&vers.scheme, &constraint.version, &constraint.version)
                    .map_err(|reason| error(text, reason))?;
            }
            let scheme = &vers.scheme;
            // Stable, so that constraints on one version keep their order.
            vers.constraints.sort_by(|a, b| {
                order::compare(scheme, &a.version, &b.version).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        Ok(vers)
    }

    /// The type, which names the order of versions (`deb`).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The constraints; none when the range holds every version (`*`).
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// In what the range breaks clause 5.4: a version that stands twice, or a constraint that another one makes
    /// needless.
    ///
    /// # Errors
    /// When the order of the type is not known here, or a text is no version of it.
    pub fn violation(&self) -> Result<Option<String>, FormatError> {
        range::violation(self).map_err(|reason| error(&self.to_string(), reason))
    }

    /// Whether `version` lies in the range.
    ///
    /// # Errors
    /// When that cannot be told: the order of the type is not known here, a text is no version of it, or constraints
    /// on one version contradict each other.
    pub fn contains(&self, version: &str) -> Result<bool, FormatError> {
        range::contains(self, version).map_err(|reason| error(&self.to_string(), reason))
    }
}

const NOT_SORTED: &str = "non-canonical VERS: constraints are not sorted by version";

fn error(vers: &str, reason: impl AsRef<str>) -> FormatError {
    FormatError::Vers { vers: cut(vers, 80), reason: cut(reason.as_ref(), 300) }
}

fn read(text: &str, canonical: bool) -> Result<Vers, String> {
    if text.len() > MAX_VERS {
        return Err(format!("longer than {MAX_VERS} bytes"));
    }
    let only_if_canonical = |holds: bool, what: &str| match holds && canonical {
        true => Err(format!("non-canonical VERS: {what}")),
        false => Ok(()),
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return Err("holds characters that are not printable ASCII".to_owned());
    }
    only_if_canonical(text.contains(|c: char| c.is_ascii_whitespace()), "whitespace is not permitted")?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let rest = text.strip_prefix("vers:").ok_or("the scheme vers: is missing")?;
    let (scheme, constraints) = rest.split_once('/').ok_or("a type and constraints are required")?;
    only_if_canonical(scheme.contains(|c: char| c.is_ascii_uppercase()), "the type must be lower case")?;
    let scheme = scheme.to_ascii_lowercase();
    if !scheme.starts_with(|c: char| c.is_ascii_lowercase())
        || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    {
        return Err("the type must start with a letter and hold letters, digits, . and - only".to_owned());
    }
    if scheme == "invalid" {
        return Err("the type \"invalid\" is reserved for what is never valid".to_owned());
    }
    only_if_canonical(constraints.starts_with('|'), "leading pipe is not permitted")?;
    only_if_canonical(constraints.ends_with('|'), "trailing pipe is not permitted")?;
    only_if_canonical(constraints.contains("||"), "consecutive pipes are not permitted")?;
    let pieces: Vec<&str> = constraints.split('|').filter(|piece| !piece.is_empty()).collect();
    match pieces.as_slice() {
        [] => return Err("a constraint is required".to_owned()),
        ["*"] => return Ok(Vers { scheme, constraints: Vec::new() }),
        _ if pieces.len() > MAX_CONSTRAINTS => {
            return Err(format!("more than {MAX_CONSTRAINTS} constraints"));
        }
        _ => {}
    }
    let mut read = Vec::with_capacity(pieces.len());
    for piece in pieces {
        read.push(constraint(&scheme, piece, canonical)?);
    }
    Ok(Vers { scheme, constraints: read })
}

fn constraint(scheme: &str, piece: &str, canonical: bool) -> Result<Constraint, String> {
    let (comparator, written) = Comparator::split(piece);
    let written = match written.strip_prefix('=') {
        Some(_) if canonical => {
            return Err("non-canonical VERS: equality is written as a bare version".to_owned());
        }
        Some(bare) if comparator == Comparator::Equal => bare,
        _ => written,
    };
    if written.is_empty() {
        return Err("a constraint has no version".to_owned());
    }
    if written.contains(['<', '>', '=', '!', '*']) {
        return Err(format!("version {:?} holds an unencoded comparator", cut(written, 80)));
    }
    let version = percent::decode(written)
        .map_err(|_| "non-canonical VERS: invalid percent-encoding in version".to_owned())?;
    if !version.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(format!("version {:?} holds characters that are not printable ASCII", cut(&version, 80)));
    }
    let constraint = Constraint { comparator, version };
    if canonical {
        if lower_case_triplet(written) {
            return Err("non-canonical VERS: percent-encoding in version is not canonical".to_owned());
        }
        if scheme == "datetime" && written.to_ascii_uppercase().contains("%3A") {
            return Err("non-canonical VERS: datetime time colons must be unencoded".to_owned());
        }
        if scheme == "datetime" && written.contains(['t', 'z']) {
            return Err("non-canonical VERS: datetime must use uppercase T and Z".to_owned());
        }
        if !constraint.to_string().ends_with(written) {
            return Err("non-canonical VERS: percent-encoding in version is not canonical".to_owned());
        }
    }
    Ok(constraint)
}

/// Whether a triplet has lower-case digits (RFC 3986, section 2.1, wants upper case).
fn lower_case_triplet(written: &str) -> bool {
    written.split('%').skip(1).any(|rest| rest.bytes().take(2).any(|byte| byte.is_ascii_lowercase()))
}

/// What is never encoded (clause 5.3.3.2).
fn stands(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'>' | b'<' | b'=' | b'!' | b'*' | b'|' | b'%')
}

impl fmt::Display for Vers {
    /// The canonical form, given sorted constraints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vers:{}/", self.scheme)?;
        if self.constraints.is_empty() {
            return f.write_str("*");
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            if index > 0 {
                f.write_str("|")?;
            }
            write!(f, "{constraint}")?;
        }
        Ok(())
    }
}

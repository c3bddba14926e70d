//! Semantic versions as crates.io, npm and Go modules use them (Semantic Versioning 2.0.0, section 11).
//!
//! `major.minor.patch[-prerelease][+build]`: the numbers by value, a version with a pre-release before the one without,
//! pre-release identifiers one by one (numbers by value and before texts, texts as ASCII), and a longer list after its
//! own beginning. Build metadata has no place in the order: `1.0.0+a` equals `1.0.0+b`, which also holds for Go's
//! `+incompatible`. Go's pseudo-versions (`v0.0.0-20191109021931-daa7c04131f5`) are plain pre-releases.
//!
//! Beyond the standard, these texts are versions, since registries and feeds hold them and their tools agree on them:
//!
//! - a leading `v`, as Go writes and OSV does not;
//! - one or two numbers (`1`, `1.2`), of which the missing ones are 0, as in Go and OSV;
//! - a pre-release that starts with a letter right after the third number (`1.36.0rc1`), as npm's loose parser and OSV
//!   read it;
//! - numbers of any length (Cargo ends at 64 bits, npm at 2^53).
//!
//! OSV's `introduced: "0"` is no version but the beginning of all; whoever reads ranges must know it. As a version it
//! is `0.0.0`, which is after `0.0.0-alpha`. A fourth number (`1.1.3.4`) is refused: OSV's tool would take it for a
//! pre-release of `1.1.3`, others for what follows it.
//!
//! # Key
//! The three numbers, then a tag for "has a pre-release" (the smaller one) or "has none". A pre-release is a list whose
//! end is before every identifier; an identifier is a tag for numbers (the smaller one) or for texts, and its code.

use std::cmp::Ordering;

use crate::key::KeyWriter;
use crate::number::{Number, split_digits};
use crate::{MAX_VERSION, SortKey, VersionError};

pub(crate) const SCHEME: &str = "semver";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(Number<'a>),
    Text(&'a str),
}

/// What follows the numbers, in the order of the alternatives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage<'a> {
    /// One identifier or more. Lists compare as section 11.4 wants it: a beginning is before the whole.
    PreRelease(Vec<Identifier<'a>>),
    Release,
}

/// A parsed semantic version. Equality follows the order: `1.0.0+a` equals `v1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version<'a> {
    core: [Number<'a>; 3],
    stage: Stage<'a>,
}

impl<'a> Version<'a> {
    /// Parses a semantic version and the texts named above, up to [`MAX_VERSION`] bytes.
    ///
    /// # Errors
    /// When the text is none, with the reason.
    pub fn parse(text: &'a str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError::new(SCHEME, text, reason);
        if text.len() > MAX_VERSION {
            return Err(fail("longer than 1024 bytes"));
        }
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut core = [Number::default(); 3];
        let mut numbers = 0;
        for number in &mut core {
            let (digits, after) = split_digits(rest);
            if digits.is_empty() {
                return Err(fail("a number is missing"));
            }
            if has_leading_zero(digits) {
                return Err(fail("a number has a leading zero"));
            }
            *number = Number::of_digits(digits);
            numbers += 1;
            rest = after;
            match rest.strip_prefix('.') {
                Some(after) if numbers < 3 => rest = after,
                _ => break,
            }
        }
        if rest.is_empty() {
            return Ok(Self { core, stage: Stage::Release });
        }
        if numbers < 3 {
            return Err(fail("something other than a number follows before the third number"));
        }
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return Err(fail("the build metadata is not a list of identifiers"));
        }
        if rest.is_empty() {
            return Ok(Self { core, stage: Stage::Release });
        }
        let list = match rest.strip_prefix('-') {
            Some(list) => list,
            None if rest.starts_with(|first: char| first.is_ascii_alphabetic()) => rest,
            None => return Err(fail("something other than a pre-release or build metadata follows")),
        };
        let mut identifiers = Vec::new();
        for identifier in list.split('.') {
            if !is_identifier(identifier) {
                return Err(fail("the pre-release is not a list of identifiers"));
            }
            if !identifier.bytes().all(|byte| byte.is_ascii_digit()) {
                identifiers.push(Identifier::Text(identifier));
            } else if has_leading_zero(identifier) {
                return Err(fail("a number of the pre-release has a leading zero"));
            } else {
                identifiers.push(Identifier::Number(Number::of_digits(identifier)));
            }
        }
        Ok(Self { core, stage: Stage::PreRelease(identifiers) })
    }

    /// The key of this version.
    pub fn sort_key(&self) -> SortKey {
        let mut key = KeyWriter::default();
        for number in self.core {
            key.number(number);
        }
        match &self.stage {
            Stage::PreRelease(identifiers) => {
                key.tag(1);
                for identifier in identifiers {
                    match *identifier {
                        Identifier::Number(number) => key.tag(2).number(number),
                        Identifier::Text(text) => key.tag(3).text(text),
                    };
                }
                key.tag(1);
            }
            Stage::Release => {
                key.tag(2);
            }
        }
        key.finish()
    }
}

/// Sections 2 and 9: numbers have no leading zeros.
fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// Sections 9 and 10: letters, digits and hyphens, at least one.
fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Compares two texts by the precedence of Semantic Versioning 2.0.0.
///
/// # Errors
/// When one of them is not a version.
pub fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    Ok(Version::parse(a)?.cmp(&Version::parse(b)?))
}

/// The key that sorts as the version does.
///
/// # Errors
/// When the text is not a version.
pub fn sort_key(text: &str) -> Result<SortKey, VersionError> {
    Ok(Version::parse(text)?.sort_key())
}

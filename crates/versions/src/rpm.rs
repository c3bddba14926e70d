//! RPM versions: `[epoch:]version[-release]` (rpm-version(7); the order is that of `rpmvercmp`).
//!
//! Version and release are read as segments: runs of letters, runs of digits, `~` and `^`. Every other character only
//! separates segments. Where two texts differ first, the order is: `~`, then the end, then `^`, then letters (as
//! texts), then numbers (by value). So `1.0~rc1 < 1.0 < 1.0^git1 < 1.0a < 1.0.1`.
//!
//! As for `rpm.vercmp`, a missing epoch is 0, a missing release is before every release, and an epoch is there only
//! when nothing but digits stands before the first colon. `^` is an operator since RPM 4.15; older tools (CentOS 7) took
//! it for a separator.
//!
//! # Key
//! The epoch as a number, the version as a list, then whether there is a release, and the release as a
//! list. The tag of a list's end has the rank of the end among the segments, so that a list that ends compares rightly
//! with one that goes on with `~` and with one that goes on with anything else (see the module of the keys).

use std::cmp::Ordering;

use crate::key::KeyWriter;
use crate::number::{Number, split_digits};
use crate::{MAX_VERSION, SortKey, VersionError};

pub(crate) const SCHEME: &str = "rpm";

/// What the order looks at, in the order of the alternatives. Every list of segments closes with `End`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a str),
    Number(Number<'a>),
}

/// A parsed RPM version. Equality follows the order: `1.0` equals `1_00` and `0:1.0`, but not `1.0-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version<'a> {
    epoch: Number<'a>,
    version: Vec<Segment<'a>>,
    release: Option<Vec<Segment<'a>>>,
}

impl<'a> Version<'a> {
    /// Parses `[epoch:]version[-release]` up to [`MAX_VERSION`] bytes, split where rpm splits it.
    ///
    /// Characters that rpm's own packages may not hold are taken as separators, as `rpmvercmp` takes them: feeds hold
    /// such texts.
    ///
    /// # Errors
    /// When the text is too long, has no version, or holds a blank or a control character.
    pub fn parse(text: &'a str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError::new(SCHEME, text, reason);
        if text.len() > MAX_VERSION {
            return Err(fail("longer than 1024 bytes"));
        }
        if text.is_empty() {
            return Err(fail("it is empty"));
        }
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(fail("it holds a blank or a control character"));
        }
        let (digits, rest) = split_digits(text);
        let (epoch, rest) = match rest.strip_prefix(':') {
            Some(rest) => (digits, rest),
            None => ("", text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        if version.is_empty() {
            return Err(fail("the version is empty"));
        }
        let epoch = Number::of_digits(epoch);
        Ok(Self { epoch, version: segments(version), release: release.map(segments) })
    }

    /// The key of this version.
    pub fn sort_key(&self) -> SortKey {
        let mut key = KeyWriter::default();
        key.number(self.epoch);
        write_segments(&mut key, &self.version);
        match &self.release {
            None => {
                key.tag(0);
            }
            Some(release) => {
                key.tag(1);
                write_segments(&mut key, release);
            }
        }
        key.finish()
    }
}

fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        if first.is_ascii_digit() {
            let (digits, after) = split_digits(rest);
            segments.push(Segment::Number(Number::of_digits(digits)));
            rest = after;
        } else if first.is_ascii_alphabetic() {
            let end = rest.bytes().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (letters, after) = rest.split_at(end);
            segments.push(Segment::Letters(letters));
            rest = after;
        } else {
            match first {
                b'~' => segments.push(Segment::Tilde),
                b'^' => segments.push(Segment::Caret),
                _ => {}
            }
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
    }
    segments.push(Segment::End);
    segments
}

fn write_segments(key: &mut KeyWriter, segments: &[Segment<'_>]) {
    for segment in segments {
        match *segment {
            Segment::Tilde => key.tag(1),
            Segment::End => key.tag(2),
            Segment::Caret => key.tag(3),
            Segment::Letters(letters) => key.tag(4).text(letters),
            Segment::Number(number) => key.tag(5).number(number),
        };
    }
}

/// Compares two texts as `rpm.vercmp` does.
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

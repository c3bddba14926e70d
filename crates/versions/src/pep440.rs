//! Versions of Python packages: `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]` (PEP 440, now the version specifiers
//! of the PyPA specifications; the order is that of the `packaging` library).
//!
//! All spellings of the standard's appendix B are read: `v1.0`, `1.0-alpha.1`, `1.0-1` for a post-release, upper case,
//! blanks around the version. Texts from before the standard (`0.1-bulbasaur`) are refused, as `packaging` and pip
//! refuse them; OSV's own tool sorts them before all others.
//!
//! Within one release, the order is: `.dev` of the release itself, pre-releases, the release, post-releases; a `.dev`
//! of any of them is before it, a local version after it.
//!
//! # Key
//! The epoch; the numbers of the release without trailing zeros, as a list whose end is before every number; then
//! pre-release, post-release, development release and local version, each as a tag (with its number, or its list) whose
//! rank is what the missing one is worth: see [`PreRelease`], [`Development`] and [`Version`].

use std::cmp::Ordering;

use crate::key::KeyWriter;
use crate::number::{Number, split_digits};
use crate::{MAX_VERSION, SortKey, VersionError};

pub(crate) const SCHEME: &str = "PEP 440";

/// The pre-release, in the order of the alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PreRelease<'a> {
    /// There is none, and no post-release either, but a development release: `1.0.dev1` is before `1.0a1`.
    BeforeAll,
    Alpha(Number<'a>),
    Beta(Number<'a>),
    Candidate(Number<'a>),
    /// There is none.
    AfterAll,
}

/// The development release, in the order of the alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Development<'a> {
    Number(Number<'a>),
    /// There is none.
    AfterAll,
}

/// A segment of a local version; letters are compared in lower case and are before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LocalSegment<'a> {
    Text(String),
    Number(Number<'a>),
}

/// A parsed PEP 440 version. Equality follows the order: `1.0` equals `v1` and `1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version<'a> {
    epoch: Number<'a>,
    /// Without trailing zeros.
    release: Vec<Number<'a>>,
    pre: PreRelease<'a>,
    /// None is before all.
    post: Option<Number<'a>>,
    development: Development<'a>,
    /// None is before all.
    local: Option<Vec<LocalSegment<'a>>>,
}

impl<'a> Version<'a> {
    /// Parses what `packaging.version.Version` accepts, in ASCII, up to [`MAX_VERSION`] bytes.
    ///
    /// # Errors
    /// When the text is no such version, with the reason.
    pub fn parse(text: &'a str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError::new(SCHEME, text, reason);
        if text.len() > MAX_VERSION {
            return Err(fail("longer than 1024 bytes"));
        }
        let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let (public, local) = match trimmed.split_once('+') {
            Some((public, local)) => (public, Some(local)),
            None => (trimmed, None),
        };
        let mut reader = Reader(public.strip_prefix(['v', 'V']).unwrap_or(public));
        let mut first = reader.digits().ok_or_else(|| fail("it does not start with a number"))?;
        let mut epoch = Number::default();
        if reader.take('!') {
            epoch = first;
            first = reader.digits().ok_or_else(|| fail("no number follows the epoch"))?;
        }
        let mut release = vec![first];
        while let Some(number) = reader.dotted_number() {
            release.push(number);
        }
        while release.last().is_some_and(|number| number.is_zero()) {
            release.pop();
        }
        let pre = reader.labelled(&PRE);
        let post = reader.implicit_post().or_else(|| reader.labelled(&POST).map(|(_, number)| number));
        let development = reader.labelled(&DEVELOPMENT).map(|(_, number)| number);
        if !reader.0.is_empty() {
            return Err(fail("something follows where the version should end"));
        }
        let pre = match pre {
            Some((Phase::Alpha, number)) => PreRelease::Alpha(number),
            Some((Phase::Beta, number)) => PreRelease::Beta(number),
            Some((Phase::Candidate, number)) => PreRelease::Candidate(number),
            None if post.is_none() && development.is_some() => PreRelease::BeforeAll,
            None => PreRelease::AfterAll,
        };
        let development = development.map_or(Development::AfterAll, Development::Number);
        let local = match local {
            None => None,
            Some(local) => Some(
                local_segments(local)
                    .ok_or_else(|| fail("the local version is not letters and digits between . - _"))?,
            ),
        };
        Ok(Self { epoch, release, pre, post, development, local })
    }

    /// The key of this version.
    pub fn sort_key(&self) -> SortKey {
        let mut key = KeyWriter::default();
        key.number(self.epoch);
        for number in &self.release {
            key.tag(1).number(*number);
        }
        key.tag(0);
        match self.pre {
            PreRelease::BeforeAll => key.tag(0),
            PreRelease::Alpha(number) => key.tag(1).number(number),
            PreRelease::Beta(number) => key.tag(2).number(number),
            PreRelease::Candidate(number) => key.tag(3).number(number),
            PreRelease::AfterAll => key.tag(4),
        };
        match self.post {
            None => key.tag(0),
            Some(number) => key.tag(1).number(number),
        };
        match self.development {
            Development::Number(number) => key.tag(0).number(number),
            Development::AfterAll => key.tag(1),
        };
        match &self.local {
            None => key.tag(0),
            Some(segments) => {
                key.tag(1);
                for segment in segments {
                    match segment {
                        LocalSegment::Text(text) => key.tag(1).text(text),
                        LocalSegment::Number(number) => key.tag(2).number(*number),
                    };
                }
                key.tag(0)
            }
        };
        key.finish()
    }
}

/// The phase of a pre-release.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

// A label comes before those that begin it, so that the longest one is taken. That finds what the standard's pattern
// finds: after a shorter label, the rest of a longer one ("lpha", "view", "ev") can begin nothing.
const PRE: [(&str, Phase); 8] = [
    ("alpha", Phase::Alpha),
    ("a", Phase::Alpha),
    ("beta", Phase::Beta),
    ("b", Phase::Beta),
    ("preview", Phase::Candidate),
    ("pre", Phase::Candidate),
    ("rc", Phase::Candidate),
    ("c", Phase::Candidate),
];
const POST: [(&str, ()); 3] = [("post", ()), ("rev", ()), ("r", ())];
const DEVELOPMENT: [(&str, ()); 1] = [("dev", ())];

/// Reads the parts of a public version one after the other; a part that is not there moves nothing.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn take(&mut self, character: char) -> bool {
        let rest = self.0.strip_prefix(character);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn digits(&mut self) -> Option<Number<'a>> {
        let (digits, rest) = split_digits(self.0);
        self.0 = rest;
        (!digits.is_empty()).then(|| Number::of_digits(digits))
    }

    /// `separator` and a number.
    fn number_after(&mut self, separator: char) -> Option<Number<'a>> {
        let mut ahead = Reader(self.0.strip_prefix(separator)?);
        let number = ahead.digits()?;
        self.0 = ahead.0;
        Some(number)
    }

    fn dotted_number(&mut self) -> Option<Number<'a>> {
        self.number_after('.')
    }

    /// A post-release without its label: `1.0-1`.
    fn implicit_post(&mut self) -> Option<Number<'a>> {
        self.number_after('-')
    }

    /// `[-_.]?label[-_.]?[number]`; a missing number is 0.
    fn labelled<T: Copy>(&mut self, labels: &[(&str, T)]) -> Option<(T, Number<'a>)> {
        let start = self.0.strip_prefix(['-', '_', '.']).unwrap_or(self.0);
        let (meaning, rest) = labels.iter().find_map(|(label, meaning)| {
            let (head, rest) = start.split_at_checked(label.len())?;
            head.eq_ignore_ascii_case(label).then_some((*meaning, rest))
        })?;
        self.0 = rest.strip_prefix(['-', '_', '.']).unwrap_or(rest);
        Some((meaning, self.digits().unwrap_or_default()))
    }
}

fn local_segments(local: &str) -> Option<Vec<LocalSegment<'_>>> {
    let segment = |text| match text {
        "" => None,
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(LocalSegment::Number(Number::of_digits(text)))
        }
        text if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Some(LocalSegment::Text(text.to_ascii_lowercase()))
        }
        _ => None,
    };
    local.split(['.', '-', '_']).map(segment).collect()
}

/// Compares two texts as `packaging` does.
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

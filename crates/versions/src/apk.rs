//! Alpine versions: `number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}` (apk-package(5), field *version*).
//!
//! The rules are those of apk-tools 3: the texts are read as tokens, and the first differing tokens decide.
//!
//! - The first number compares by value. A later one compares by value too, unless one of the two starts with a zero:
//!   then both compare as texts, so `8.2.0 < 8.2.0015 < 8.2.002 < 8.2.1`.
//! - Suffixes rank `alpha`, `beta`, `pre`, `rc`, none, `cvs`, `svn`, `git`, `hg`, `p`; their numbers by value.
//! - Where the *kinds* of the tokens differ, the order is: a suffix before none, the end, `-r#`, `~hash`, the number of a
//!   suffix, a suffix after none, a letter, a number.
//! - Hashes compare as texts: they say nothing about age, but two texts must have a place.
//!
//! apk itself gives an order to texts that it calls invalid (`apk version --check`): up to the first invalid character,
//! differently in apk-tools 2 and 3. Such a text is an error here. Also not copied: apk's numbers wrap around at 2^64.
//! apk-tools 2 places `1.00` before `1.0` and knows no hash; otherwise it orders valid versions alike.
//!
//! # Key
//! The first number, then the list of the other tokens with tags in the order of the kinds. A later number is a tag for
//! "starts with a zero" and a text, or a tag for "does not" and a number: of two such numbers the former is the smaller
//! one, because the texts differ in the first digit.

use std::cmp::Ordering;

use crate::key::KeyWriter;
use crate::number::{Number, split_digits};
use crate::{MAX_VERSION, SortKey, VersionError};

pub(crate) const SCHEME: &str = "apk";

/// Suffixes before a version without one, in their order.
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
/// Suffixes after a version without one, in their order.
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// What the order looks at after the first number, in the order of the alternatives. Every list closes with `End`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// The place in [`BEFORE`].
    SuffixBefore(u8),
    End,
    Revision(Number<'a>),
    Hash(&'a str),
    SuffixNumber(Number<'a>),
    /// The place in [`AFTER`].
    SuffixAfter(u8),
    /// An ASCII lower-case letter.
    Letter(u8),
    /// Digits of which the first one is a zero, as written.
    ZeroLed(&'a str),
    Number(Number<'a>),
}

/// A parsed Alpine version. Equality follows the order: `01.2-r1` equals `1.2-r01`, but `1.02` does not equal `1.2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version<'a> {
    first: Number<'a>,
    tokens: Vec<Token<'a>>,
}

impl<'a> Version<'a> {
    /// Parses what `apk version --check` of apk-tools 3 accepts, up to [`MAX_VERSION`] bytes.
    ///
    /// # Errors
    /// When the text does not follow the grammar, with the reason.
    pub fn parse(text: &'a str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError::new(SCHEME, text, reason);
        if text.len() > MAX_VERSION {
            return Err(fail("longer than 1024 bytes"));
        }
        let (digits, mut rest) = split_digits(text);
        if digits.is_empty() {
            return Err(fail("it does not start with a number"));
        }
        let first = Number::of_digits(digits);
        let mut tokens = Vec::new();
        while let Some(after) = rest.strip_prefix('.') {
            let (digits, after) = split_digits(after);
            if digits.is_empty() {
                return Err(fail("no number follows a dot"));
            }
            tokens.push(match digits.strip_prefix('0') {
                Some(_) => Token::ZeroLed(digits),
                None => Token::Number(Number::of_digits(digits)),
            });
            rest = after;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            tokens.push(Token::Letter(letter));
            rest = &rest[1..];
        }
        while let Some(after) = rest.strip_prefix('_') {
            let end = after.bytes().position(|byte| !byte.is_ascii_lowercase()).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            tokens.push(suffix(name).ok_or_else(|| fail("it holds an unknown suffix"))?);
            let (digits, after) = split_digits(after);
            if !digits.is_empty() {
                tokens.push(Token::SuffixNumber(Number::of_digits(digits)));
            }
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('~') {
            let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let end = after.bytes().position(|byte| !hexadecimal(byte)).unwrap_or(after.len());
            let (hash, after) = after.split_at(end);
            if hash.is_empty() {
                return Err(fail("no hash follows ~"));
            }
            tokens.push(Token::Hash(hash));
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            let (digits, after) = split_digits(after);
            if digits.is_empty() {
                return Err(fail("no number follows -r"));
            }
            tokens.push(Token::Revision(Number::of_digits(digits)));
            rest = after;
        }
        if !rest.is_empty() {
            return Err(fail("something follows where the version should end"));
        }
        tokens.push(Token::End);
        Ok(Self { first, tokens })
    }

    /// The key of this version.
    pub fn sort_key(&self) -> SortKey {
        let mut key = KeyWriter::default();
        key.number(self.first);
        for token in &self.tokens {
            match *token {
                Token::SuffixBefore(place) => key.tag(1).tag(place),
                Token::End => key.tag(2),
                Token::Revision(number) => key.tag(3).number(number),
                Token::Hash(hash) => key.tag(4).text(hash),
                Token::SuffixNumber(number) => key.tag(5).number(number),
                Token::SuffixAfter(place) => key.tag(6).tag(place),
                Token::Letter(letter) => key.tag(7).tag(letter),
                Token::ZeroLed(digits) => key.tag(8).text(digits),
                Token::Number(number) => key.tag(9).number(number),
            };
        }
        key.finish()
    }
}

fn suffix(name: &str) -> Option<Token<'static>> {
    let place = |names: &[&str]| {
        names.iter().position(|known| *known == name).and_then(|place| u8::try_from(place).ok())
    };
    place(&BEFORE).map(Token::SuffixBefore).or_else(|| place(&AFTER).map(Token::SuffixAfter))
}

/// Compares two texts as `apk version --test` of apk-tools 3 does for valid versions.
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

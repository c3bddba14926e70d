//! Debian versions: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12, deb-version(7)).
//!
//! # Key
//! The epoch, then upstream version and revision. dpkg reads each of the two as pairs of a run of non-digits and a
//! number, as if pairs of nothing and 0 went on for ever. Of these only the first pair is written in any case; further
//! ones have a run that is not empty. A pair is the weights of the run, the weight of the end of a run, and the number.
//! After the last pair stands the weight of the end of a run once more, which is what an empty run would begin with. So
//! a part that ends (`1.0`) meets, in one that goes on, either `~` (weighs less: `1.0~rc1`) or another character (weighs
//! more: `1.0a`, `1.0+b`), never the end itself, and the padding need not be written: it would compare equal.

use std::cmp::Ordering;

use crate::key::KeyWriter;
use crate::number::{Number, split_digits};
use crate::{MAX_VERSION, SortKey, VersionError};

pub(crate) const SCHEME: &str = "dpkg";

/// A parsed Debian version. Equality follows the order: `1.0` equals `1.00`, and a missing revision equals `-0`.
#[derive(Debug, Clone)]
pub struct Version<'a> {
    epoch: u32,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Version<'a> {
    /// Parses what `dpkg --validate-version` accepts, up to [`MAX_VERSION`] bytes.
    ///
    /// # Errors
    /// When dpkg would refuse the text, with the reason.
    pub fn parse(text: &'a str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError::new(SCHEME, text, reason);
        if text.len() > MAX_VERSION {
            return Err(fail("longer than 1024 bytes"));
        }
        let text_trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        if text_trimmed.is_empty() {
            return Err(fail("it is empty"));
        }
        let (epoch, rest) = match text_trimmed.split_once(':') {
            None => (0, text_trimmed),
            Some(("", _)) => return Err(fail("the epoch is empty")),
            Some((epoch, rest)) => {
                // dpkg reads the epoch with strtol: a plus sign is taken, a minus sign is not a valid epoch.
                let digits = epoch.strip_prefix('+').unwrap_or(epoch);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(fail("the epoch is not a number"));
                }
                let epoch = digits.parse::<i32>().map_err(|_| fail("the epoch is too large"))?;
                (epoch.unsigned_abs(), rest)
            }
        };
        if rest.is_empty() {
            return Err(fail("nothing follows the epoch"));
        }
        let (upstream, revision) = match rest.rsplit_once('-') {
            None => (rest, ""),
            Some((_, "")) => return Err(fail("the revision is empty")),
            Some(parts) => parts,
        };
        if upstream.is_empty() {
            return Err(fail("the upstream version is empty"));
        }
        if !upstream.as_bytes()[0].is_ascii_digit() {
            return Err(fail("the upstream version does not start with a digit"));
        }
        if !upstream.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+.~:".contains(&b)) {
            return Err(fail(
                "the upstream version holds a character other than letters, digits and - + . ~ :",
            ));
        }
        if !revision.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.~".contains(&b)) {
            return Err(fail("the revision holds a character other than letters, digits and + . ~"));
        }
        Ok(Self { epoch, upstream, revision })
    }

    /// The key of this version.
    pub fn sort_key(&self) -> SortKey {
        let mut key = KeyWriter::default();
        key.fixed(self.epoch);
        write_part(&mut key, self.upstream);
        write_part(&mut key, self.revision);
        key.finish()
    }
}

/// Weight of a character outside digit runs: `~` before the end, the end before letters, letters before the rest.
fn weight(byte: u8) -> u8 {
    match byte {
        b'~' => 1,
        letter if letter.is_ascii_alphabetic() => letter,
        // The rest are `+ - . :`, which end up above every letter.
        other => other | 0x80,
    }
}

/// Weight of the end of a run of non-digits.
const END: u8 = 2;

/// Splits off the leading run of non-digits and the number after it.
fn next_pair(text: &str) -> (&str, Number<'_>, &str) {
    let run = text.bytes().position(|byte| byte.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(run);
    let (digits, rest) = split_digits(rest);
    (run, Number::of_digits(digits), rest)
}

fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (run_a, number_a, rest_a) = next_pair(a);
        let (run_b, number_b, rest_b) = next_pair(b);
        let weights = |run: &'_ str| run.bytes().map(weight).chain([END]).collect::<Vec<_>>();
        let order = weights(run_a).cmp(&weights(run_b)).then(number_a.cmp(&number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn write_part(key: &mut KeyWriter, part: &str) {
    let mut rest = part;
    loop {
        let (run, number, after) = next_pair(rest);
        for byte in run.bytes() {
            key.tag(weight(byte));
        }
        key.tag(END).number(number);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    key.tag(END);
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version<'_> {}

/// Compares two texts as `dpkg --compare-versions` does.
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

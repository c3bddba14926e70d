//! Debian versions: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12, deb-version(7)).

use std::cmp::Ordering;

use crate::{MAX_VERSION, VersionError};

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
        let fail = |reason| VersionError { scheme: "dpkg", version: text.chars().take(80).collect(), reason };
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
}

/// Weight of a character outside digit runs: `~` before the end, the end before letters, letters before the rest.
fn weight(byte: u8) -> u16 {
    match byte {
        b'~' => 0,
        letter if letter.is_ascii_alphabetic() => u16::from(letter) + 1,
        other => u16::from(other) + 257,
    }
}

/// Weight of the end of a run of non-digits.
const END: u16 = 1;

/// Splits off the leading run of non-digits and the run of digits after it, without leading zeros.
fn next_runs(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let letters = text.iter().position(u8::is_ascii_digit).unwrap_or(text.len());
    let (prefix, rest) = text.split_at(letters);
    let digits = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(digits);
    let zeros = number.iter().position(|b| *b != b'0').unwrap_or(number.len());
    (prefix, &number[zeros..], rest)
}

fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        let (prefix_a, number_a, rest_a) = next_runs(a);
        let (prefix_b, number_b, rest_b) = next_runs(b);
        let weights =
            |prefix: &[u8]| prefix.iter().map(|byte| weight(*byte)).chain([END]).collect::<Vec<_>>();
        let order = weights(prefix_a)
            .cmp(&weights(prefix_b))
            .then(number_a.len().cmp(&number_b.len()))
            .then_with(|| number_a.cmp(number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
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

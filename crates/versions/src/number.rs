//! Numbers of any length, as versions hold them.

use std::cmp::Ordering;

/// A non-negative number written in decimal digits, of any length. Equal when the values are: `007` equals `7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Number<'a> {
    /// The digits without leading zeros: none at all for zero.
    significant: &'a str,
}

impl<'a> Number<'a> {
    /// The number that these ASCII digits write; no digit at all is zero.
    pub(crate) fn of_digits(digits: &'a str) -> Self {
        Self { significant: digits.trim_start_matches('0') }
    }

    /// The digits without leading zeros.
    pub(crate) fn significant(self) -> &'a str {
        self.significant
    }

    /// Whether the value is zero.
    pub(crate) fn is_zero(self) -> bool {
        self.significant.is_empty()
    }
}

impl Ord for Number<'_> {
    /// More digits mean more once leading zeros are gone; digits of one length compare as texts.
    fn cmp(&self, other: &Self) -> Ordering {
        let lengths = self.significant.len().cmp(&other.significant.len());
        lengths.then_with(|| self.significant.cmp(other.significant))
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Splits off the leading ASCII digits: they and what follows them.
pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

//! Byte keys that sort as the versions do.
//!
//! # Why a key sorts as its version does
//!
//! A key is a concatenation of *codes*, one for each thing that the order looks at, most significant first. Each kind
//! of code has two properties:
//!
//! 1. it keeps the order: of two values, the smaller one has the smaller code, and equal values have the same code;
//! 2. it is prefix-free: no code is a proper prefix of the code of another value of that kind.
//!
//! Then concatenations compare as the sequences do, element by element. Take the first element in which two sequences
//! differ. All codes before it are equal byte for byte, so both codes start at the same offset; by 2 they differ within
//! their common length, so what follows them is never looked at; by 1 that difference points the right way. If no
//! element differs, the keys are equal. The argument needs the same kind of code to stand at one offset of both keys
//! as long as all before is equal; each scheme writes a sequence whose next kind follows from what is already written.
//!
//! The codes are:
//!
//! - **tag**: one byte. Trivially both.
//! - **number**: the count of significant digits, then these digits. More digits are the larger number and the count
//!   comes first; with equal counts the digits compare as bytes and have one length. The count is one byte below 255,
//!   else 255 and two bytes.
//! - **text**: its bytes, then a zero byte. The text holds no zero byte, so the end of the shorter of two texts is below
//!   any byte with which the longer one goes on, which is how texts compare.
//! - **list**: each element as a tag and its code, then the tag of the end. The rank of the end's tag among the tags of
//!   the elements says what a shorter list is worth against a longer one. That is the place where a naive key goes
//!   wrong: in most schemes something (`~`, `alpha`) sorts *before* the end, so the end must be written, not implied.

use crate::number::Number;

/// A key whose byte order is the order of the versions of one scheme; equal versions have equal keys.
///
/// Keys of different schemes are not comparable. A key is at most four times as long as its version, plus 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(Box<[u8]>);

impl SortKey {
    /// The bytes, to store or compare elsewhere.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for SortKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Writes a key code by code.
#[derive(Debug, Default)]
pub(crate) struct KeyWriter(Vec<u8>);

impl KeyWriter {
    /// One byte: what comes next, or that a list ends.
    pub(crate) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    /// A number of any length.
    pub(crate) fn number(&mut self, number: Number<'_>) -> &mut Self {
        let digits = number.significant();
        match u8::try_from(digits.len()) {
            Ok(count) if count < u8::MAX => self.0.push(count),
            // A version has at most 1024 bytes, so the count always fits.
            _ => {
                self.0.push(u8::MAX);
                self.0.extend(u16::try_from(digits.len()).unwrap_or(u16::MAX).to_be_bytes());
            }
        }
        self.0.extend(digits.as_bytes());
        self
    }

    /// A text without zero bytes.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        debug_assert!(!text.as_bytes().contains(&0), "a text code ends at its zero byte");
        self.0.extend(text.as_bytes());
        self.0.push(0);
        self
    }

    /// An integer of a fixed width.
    pub(crate) fn fixed(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// The key written so far.
    pub(crate) fn finish(&mut self) -> SortKey {
        SortKey(std::mem::take(&mut self.0).into_boxed_slice())
    }
}

//! Sections of a snapshot as they are read.

use std::collections::VecDeque;
use std::{iter, mem};

use serde::de::DeserializeOwned;
use tenon_model::Parts;

use super::frame::{LONGEST, Section};
use super::{SnapshotError, damaged};

/// Bytes that are read from their beginning on. Each part is let go once it is read.
pub(super) struct Reader {
    parts: VecDeque<Vec<u8>>,
    /// How much of the first is read.
    at: usize,
    left: u64,
    /// What lay in more than one part.
    joined: Vec<u8>,
}

impl From<Parts> for Reader {
    fn from(parts: Parts) -> Self {
        Self::of(parts.into_iter().collect())
    }
}

impl Reader {
    pub(super) fn of(parts: VecDeque<Vec<u8>>) -> Self {
        let left = parts.iter().map(|part| part.len() as u64).sum();
        Self { parts, at: 0, left, joined: Vec::new() }
    }

    /// What is left of the part that is read.
    fn ahead(&mut self) -> &[u8] {
        while self.parts.front().is_some_and(|part| part.len() == self.at) {
            self.parts.pop_front();
            self.at = 0;
        }
        self.parts.front().and_then(|part| part.get(self.at..)).unwrap_or_default()
    }

    fn pass(&mut self, bytes: usize) {
        self.at += bytes;
        self.left -= bytes as u64;
    }

    fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next bytes; `None` where there are fewer.
    fn bytes<T>(&mut self, length: usize, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.left < length as u64 {
            return None;
        }
        let ahead = self.ahead();
        if let Some(bytes) = ahead.get(..length) {
            let read = read(bytes);
            self.pass(length);
            return Some(read);
        }
        let mut joined = mem::take(&mut self.joined);
        joined.clear();
        while joined.len() < length {
            let ahead = self.ahead();
            let some = ahead.len().min(length - joined.len());
            joined.extend_from_slice(ahead.get(..some)?);
            self.pass(some);
        }
        let read = read(&joined);
        self.joined = joined;
        Some(read)
    }

    /// The next line without its end.
    fn line<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        let ahead = self.ahead();
        if let Some(end) = memchr::memchr(b'\n', ahead) {
            let read = read(&ahead[..end]);
            self.pass(end + 1);
            return read;
        }
        let mut joined = mem::take(&mut self.joined);
        joined.clear();
        while !self.is_empty() {
            let ahead = self.ahead();
            let end = memchr::memchr(b'\n', ahead);
            let some = end.unwrap_or(ahead.len());
            joined.extend_from_slice(&ahead[..some]);
            self.pass(end.map_or(some, |end| end + 1));
            if end.is_some() {
                break;
            }
        }
        let read = read(&joined);
        self.joined = joined;
        read
    }

    /// The next variable-length integer; `None` where there is none.
    fn number(&mut self) -> Option<u64> {
        let mut read = None;
        self.numbers(1, |number| {
            read = Some(number);
            Some(())
        })?;
        read
    }

    /// The next so many of them; `None` where there are fewer, or one is not wanted.
    fn numbers(&mut self, count: u64, mut each: impl FnMut(u64) -> Option<()>) -> Option<()> {
        let mut left = count;
        while left > 0 {
            // Of those that surely lie in one part many are read at once.
            let ahead = self.ahead();
            let mut rest = ahead;
            while left > 0 && rest.len() >= LONGEST {
                each(number(|| {
                    let (byte, after) = rest.split_first()?;
                    rest = after;
                    Some(*byte)
                })?)?;
                left -= 1;
            }
            let read = ahead.len() - rest.len();
            self.pass(read);
            if left > 0 {
                each(number(|| self.bytes(1, |byte| byte.first().copied()).flatten())?)?;
                left -= 1;
            }
        }
        Some(())
    }

    /// The next so many bytes as a reader of their own; `None` where there are fewer. Whole parts are handed on as they are.
    fn split(&mut self, length: u64) -> Option<Self> {
        if self.left < length {
            return None;
        }
        let mut split = Self::of(VecDeque::new());
        split.left = length;
        let mut wanted = length;
        while wanted > 0 {
            let ahead = self.ahead();
            let there = ahead.len();
            match usize::try_from(wanted).ok().filter(|wanted| *wanted < there) {
                Some(some) => {
                    split.parts.push_back(ahead.get(..some)?.to_vec());
                    self.at += some;
                    wanted = 0;
                }
                None => {
                    // Only the first may be read in part.
                    split.at += mem::take(&mut self.at);
                    split.parts.push_back(self.parts.pop_front()?);
                    wanted -= there as u64;
                }
            }
        }
        self.left -= length;
        Some(split)
    }

    /// The version that follows how a snapshot begins; `None` where none begins so.
    pub(super) fn version(&mut self, magic: &[u8]) -> Option<u16> {
        self.bytes(magic.len(), |found| found == magic).filter(|is_magic| *is_magic)?;
        self.bytes(2, |version| version.try_into().ok().map(u16::from_le_bytes)).flatten()
    }

    /// The content of the section that comes next.
    fn section(&mut self, section: Section) -> Result<Self, SnapshotError> {
        let head = self.bytes(9, |head| {
            let (tag, length) = head.split_first()?;
            Some((*tag, u64::from_le_bytes(length.try_into().ok()?)))
        });
        let (_, length) = head.flatten().filter(|(tag, _)| *tag == section as u8).ok_or(damaged(section))?;
        self.split(length).ok_or(damaged(section))
    }

    /// The values of a section of JSON lines.
    pub(super) fn lines<T: DeserializeOwned>(
        &mut self,
        section: Section,
    ) -> Result<impl Iterator<Item = Result<T, SnapshotError>> + use<T>, SnapshotError> {
        let mut content = self.section(section)?;
        Ok(iter::from_fn(move || {
            while !content.is_empty() {
                let value = content.line(|line| (!line.is_empty()).then(|| serde_json::from_slice(line)));
                if let Some(value) = value {
                    return Some(value.map_err(SnapshotError::from));
                }
            }
            None
        }))
    }

    /// The lists of a section of numbers.
    pub(super) fn lists(&mut self, section: Section) -> Result<Lists, SnapshotError> {
        Ok(Lists { section, rest: self.section(section)? })
    }

    /// What the strings of a section say.
    pub(super) fn strings<T, R: Fn(&[u8]) -> Option<T>>(
        &mut self,
        section: Section,
        read: R,
    ) -> Result<impl Iterator<Item = Result<T, SnapshotError>> + use<T, R>, SnapshotError> {
        let mut content = self.section(section)?;
        Ok(iter::from_fn(move || {
            if content.is_empty() {
                return None;
            }
            let length = content.number().and_then(|length| usize::try_from(length).ok());
            let string = length.and_then(|length| content.bytes(length, &read)).flatten();
            Some(string.ok_or(damaged(section)))
        }))
    }
}

/// What is left to read of a section of lists.
pub(super) struct Lists {
    section: Section,
    rest: Reader,
}

impl Lists {
    /// Reads the next list in the place of what is in `list`; whether there was one.
    pub(super) fn read(&mut self, list: &mut Vec<u32>) -> Result<bool, SnapshotError> {
        list.clear();
        if self.rest.is_empty() {
            return Ok(false);
        }
        let count = self.rest.number();
        // A number takes a byte at least.
        let count = count.filter(|count| *count <= self.rest.left).ok_or(damaged(self.section))?;
        list.reserve(usize::try_from(count).unwrap_or_default());
        let mut last = 0_u32;
        let read = self.rest.numbers(count, |step| {
            last = last.checked_add(u32::try_from(step).ok()?)?;
            list.push(last);
            Some(())
        });
        read.ok_or(damaged(self.section))?;
        if list.is_sorted_by(|a, b| a < b) { Ok(true) } else { Err(damaged(self.section)) }
    }
}

/// A variable-length integer from its bytes.
fn number(mut byte: impl FnMut() -> Option<u8>) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..LONGEST as u32 {
        let byte = byte()?;
        number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

//! Sections of a snapshot: a tag, a length, and JSON lines or numbers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SnapshotError;

/// What a section holds; the order in which they are written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Head = 1,
    Advisories,
    Intel,
    Stances,
    Held,
    Profiles,
    Lists,
    Assets,
    Directives,
    Orders,
    Measures,
    Groups,
    Cases,
}

/// Writes sections one after another.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    /// Begins a section; [`Writer::end`] writes its length.
    fn begin(&mut self, section: Section) -> usize {
        self.bytes.push(section as u8);
        self.bytes.extend([0; 8]);
        self.bytes.len()
    }

    fn end(&mut self, start: usize) {
        let length = (self.bytes.len() - start) as u64;
        self.bytes[start - 8..start].copy_from_slice(&length.to_le_bytes());
    }

    /// A section of one JSON line a value.
    pub(super) fn lines<T: Serialize>(
        &mut self,
        section: Section,
        values: impl Iterator<Item = T>,
    ) -> Result<(), SnapshotError> {
        let start = self.begin(section);
        for value in values {
            serde_json::to_writer(&mut self.bytes, &value)?;
            self.bytes.push(b'\n');
        }
        self.end(start);
        Ok(())
    }

    /// A section of ascending lists of numbers: how many, then the first and each step to the next, as variable-length integers
    /// (LEB128).
    pub(super) fn lists<'l>(&mut self, section: Section, lists: impl Iterator<Item = &'l [u32]>) {
        let start = self.begin(section);
        for list in lists {
            self.number(list.len() as u64);
            let mut last = 0;
            for number in list {
                self.number(u64::from(number.wrapping_sub(last)));
                last = *number;
            }
        }
        self.end(start);
    }

    /// A section of parts of bytes.
    pub(super) fn parts(&mut self, section: Section, parts: impl Iterator<Item = Vec<u8>>) {
        let start = self.begin(section);
        for part in parts {
            self.number(part.len() as u64);
            self.bytes.extend(part);
        }
        self.end(start);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// Reads sections in their order.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn section(&mut self, section: Section) -> Result<&'b [u8], SnapshotError> {
        let damaged = SnapshotError::Damaged { section: section as u8 };
        let (head, rest) = self.0.split_at_checked(9).ok_or(damaged.clone())?;
        let (tag, length) = head.split_at(1);
        let length = u64::from_le_bytes(length.try_into().map_err(|_| damaged.clone())?);
        let length = usize::try_from(length).map_err(|_| damaged.clone())?;
        if tag != [section as u8] {
            return Err(damaged);
        }
        let (content, rest) = rest.split_at_checked(length).ok_or(damaged)?;
        self.0 = rest;
        Ok(content)
    }

    /// The values of a section of JSON lines.
    pub(super) fn lines<T: DeserializeOwned>(
        &mut self,
        section: Section,
    ) -> Result<impl Iterator<Item = Result<T, SnapshotError>> + use<'b, T>, SnapshotError> {
        let lines = self.section(section)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(|line| serde_json::from_slice(line).map_err(SnapshotError::from)))
    }

    /// The lists of a section of numbers.
    pub(super) fn lists(&mut self, section: Section) -> Result<Lists<'b>, SnapshotError> {
        Ok(Lists { section, rest: self.section(section)? })
    }

    /// The parts of a section of bytes.
    pub(super) fn parts(&mut self, section: Section) -> Result<Vec<&'b [u8]>, SnapshotError> {
        let damaged = || SnapshotError::Damaged { section: section as u8 };
        let mut content = self.section(section)?;
        let mut parts = Vec::new();
        while !content.is_empty() {
            let length = number(&mut content).and_then(|length| usize::try_from(length).ok());
            let (part, rest) =
                length.and_then(|length| content.split_at_checked(length)).ok_or_else(damaged)?;
            parts.push(part);
            content = rest;
        }
        Ok(parts)
    }
}

/// What is left to read of a section of lists.
pub(super) struct Lists<'b> {
    section: Section,
    rest: &'b [u8],
}

impl Lists<'_> {
    /// Reads the next list in the place of what is in `list`; whether there was one.
    pub(super) fn read(&mut self, list: &mut Vec<u32>) -> Result<bool, SnapshotError> {
        list.clear();
        if self.rest.is_empty() {
            return Ok(false);
        }
        let damaged = || SnapshotError::Damaged { section: self.section as u8 };
        let count = number(&mut self.rest).and_then(|count| usize::try_from(count).ok());
        // A number takes a byte at least.
        let count = count.filter(|count| *count <= self.rest.len()).ok_or_else(damaged)?;
        list.reserve(count);
        let mut last = 0_u32;
        for _ in 0..count {
            let step = number(&mut self.rest).and_then(|step| u32::try_from(step).ok());
            last = step.and_then(|step| last.checked_add(step)).ok_or_else(damaged)?;
            list.push(last);
        }
        if list.is_sorted_by(|a, b| a < b) { Ok(true) } else { Err(damaged()) }
    }
}

fn number(content: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let (byte, rest) = content.split_first()?;
        *content = rest;
        number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

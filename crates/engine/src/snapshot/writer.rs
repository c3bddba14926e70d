//! Sections of a snapshot as they are written.

use std::io;

use serde::Serialize;
use tenon_model::Parts;

use super::SnapshotError;
use super::frame::{LONGEST, Section};

/// Writes sections one after another.
#[derive(Default)]
pub(super) struct Writer {
    parts: Parts,
    /// How many bytes there are.
    length: usize,
}

/// A section that is begun: where its content starts.
struct Begun(usize);

impl Writer {
    pub(super) fn end(self) -> Parts {
        self.parts
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        self.parts.extend(bytes);
    }

    /// Begins a section; [`Writer::end_section`] writes its length.
    fn begin_section(&mut self, section: Section) -> Begun {
        self.bytes(&[section as u8]);
        self.bytes(&[0; 8]);
        Begun(self.length)
    }

    fn end_section(&mut self, Begun(start): Begun) {
        let length = (self.length - start) as u64;
        for (at, byte) in (start - 8..start).zip(length.to_le_bytes()) {
            if let Some(written) = self.parts.byte_mut(at) {
                *written = byte;
            }
        }
    }

    /// A section of one JSON line a value.
    pub(super) fn lines<T: Serialize>(
        &mut self,
        section: Section,
        values: impl Iterator<Item = T>,
    ) -> Result<(), SnapshotError> {
        let begun = self.begin_section(section);
        for value in values {
            serde_json::to_writer(&mut *self, &value)?;
            self.bytes(b"\n");
        }
        self.end_section(begun);
        Ok(())
    }

    /// A section of ascending lists of numbers: how many, then the first and each step to the next, as variable-length integers
    /// (LEB128).
    pub(super) fn lists<'l>(&mut self, section: Section, lists: impl Iterator<Item = &'l [u32]>) {
        let begun = self.begin_section(section);
        for list in lists {
            self.number(list.len() as u64);
            let mut last = 0;
            for number in list {
                self.number(u64::from(number.wrapping_sub(last)));
                last = *number;
            }
        }
        self.end_section(begun);
    }

    /// A section of strings of bytes.
    pub(super) fn strings(&mut self, section: Section, strings: impl Iterator<Item = Vec<u8>>) {
        let begun = self.begin_section(section);
        for string in strings {
            self.number(string.len() as u64);
            self.bytes(&string);
        }
        self.end_section(begun);
    }

    fn number(&mut self, mut number: u64) {
        let (mut bytes, mut length) = ([0; LONGEST], 0);
        for byte in &mut bytes {
            *byte = (number & 0x7f) as u8;
            length += 1;
            number >>= 7;
            if number == 0 {
                break;
            }
            *byte |= 0x80;
        }
        self.bytes(&bytes[..length]);
    }
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

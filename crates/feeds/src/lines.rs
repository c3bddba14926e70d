//! Text read line by line, with a bound on each line, so that a file without line ends costs no memory.

use std::io::{self, BufRead};

/// Lines of a text.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    longest: usize,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `longest` bytes.
    pub(crate) fn new(reader: R, longest: usize) -> Self {
        Self { reader, longest, line: Vec::new(), number: 0 }
    }

    /// Number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end; `None` after the last.
    ///
    /// # Errors
    /// Those of the reader, and `InvalidData` for a line that is too long or not UTF-8.
    pub(crate) fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        self.number += 1;
        let most = u64::try_from(self.longest).unwrap_or(u64::MAX).saturating_add(2);
        let read = io::Read::take(&mut self.reader, most).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line.pop();
        }
        let wrong = |what: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {what}", self.number))
        };
        if self.line.len() > self.longest {
            return Err(wrong(format!("it is longer than {} bytes", self.longest)));
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some(line)),
            Err(error) => Err(wrong(format!("it is not UTF-8 from byte {}", error.valid_up_to() + 1))),
        }
    }
}

//! Standard input line by line, bounded: one line may come from anywhere.

use std::io::{BufRead, Read as _};

use anyhow::{Context as _, Result, bail};

/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// Calls `each` with every line of standard input, without its end.
pub(super) fn for_each(mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut number: u64 = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        let read = input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line);
        if read.context("reading standard input")? == 0 {
            return Ok(());
        }
        if line.len() as u64 > MAX_LINE {
            bail!("line {number} is longer than {MAX_LINE} bytes");
        }
        let text = std::str::from_utf8(&line).with_context(|| format!("line {number} is not UTF-8"))?;
        each(text.trim_end_matches(['\n', '\r']))?;
    }
}

//! A bar for people who wait for a history.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use tenon_feeds::{Depth, ReadHistory, read_history};

/// A bar on a terminal, else a line when something begins.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Something of `steps` steps begins.
    pub(crate) fn begin(&self, what: &str, steps: usize) {
        if self.bar.is_hidden() {
            eprintln!("{what}");
        }
        self.bar.set_message(what.to_owned());
        self.bar.set_length(steps as u64);
        self.bar.set_position(0);
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Reads a history and says what of it could not be read.
    pub(crate) fn history(&self, folder: &Path, depth: Depth) -> Result<ReadHistory> {
        self.begin("reading the history", 0);
        let read = read_history(folder, depth, &mut |reading| {
            self.bar.set_length(reading.of);
            self.bar.set_position(reading.number);
        })?;
        if !read.problems.is_empty() {
            let first = read.problems.listed().first().map(ToString::to_string).unwrap_or_default();
            self.bar.suspend(|| {
                eprintln!(
                    "warning: {} lines of the history could not be read, the first: {first}",
                    read.problems.total()
                );
            });
        }
        Ok(read)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

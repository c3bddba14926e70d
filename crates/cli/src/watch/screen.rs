//! A terminal on which the same lines are drawn again and again.

use std::io::Write as _;

use anyhow::Result;

use super::frame::frame;
use super::progress::Moment;

/// Columns and rows of a terminal that does not say.
const USUAL: (usize, usize) = (80, 24);

/// What stands on it.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// Columns of each line that was drawn last.
    drawn: Vec<usize>,
}

impl Screen {
    /// Draws over what was drawn last.
    pub(super) fn draw(&mut self, moment: &Moment, message: Option<&str>) -> Result<()> {
        let (columns, rows) = size();
        let lines = frame(moment, message, columns, rows);
        // On a terminal that was made narrower since, one line takes several rows.
        let up: usize = self.drawn.iter().map(|length| length.div_ceil(columns).max(1)).sum();
        let up = if up > 0 { format!("\x1b[{up}A\r\x1b[J") } else { String::new() };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{up}{}", lines.join("\n"))?;
        out.flush()?;
        self.drawn = lines.iter().map(|line| line.chars().count()).collect();
        Ok(())
    }
}

fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL, |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

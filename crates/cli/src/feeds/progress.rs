//! Progress of a sync for people who wait.

use std::io::IsTerminal as _;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use tenon_feeds::{Limits, Progress, Selection, Source, Stop, Store, SyncOptions, SyncReport};
use tenon_host::now;

/// Syncs, and shows on standard error how far that is.
pub(crate) fn sync_shown(
    source: &Source,
    store: &mut Store,
    selection: Selection<'_>,
    limits: Limits,
) -> Result<SyncReport> {
    let options = SyncOptions { selection, limits, now: now(), stop: &Stop::default() };
    let shown = Shown::new();
    let report = tenon_feeds::sync(source, store, options, &mut |progress| shown.tell(progress));
    shown.bar.finish_and_clear();
    Ok(report?)
}

/// A bar on a terminal, else a line when a feed begins.
struct Shown {
    bar: ProgressBar,
    last: std::cell::RefCell<String>,
}

impl Shown {
    fn new() -> Self {
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
        Self { bar, last: std::cell::RefCell::default() }
    }

    fn tell(&self, progress: Progress<'_>) {
        let (feed, verb, done, of) = match progress {
            Progress::Downloading { feed, bytes, of } => (feed, "downloading", bytes, of),
            Progress::Reading { feed, records, of } => (feed, "reading", records, Some(of)),
        };
        let step = format!("{feed}: {verb}");
        if *self.last.borrow() != step {
            if self.bar.is_hidden() {
                eprintln!("{step}");
            } else {
                let template = match verb {
                    "downloading" => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
                    _ => "{msg} {wide_bar} {pos}/{len}",
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    self.bar.set_style(style);
                }
                self.bar.set_message(step.clone());
            }
            *self.last.borrow_mut() = step;
        }
        match of {
            Some(of) => self.bar.set_length(of),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(done);
    }
}

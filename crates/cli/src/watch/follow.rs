//! Asking the server again whenever it says that something changed.

use std::io::{BufRead, BufReader, Read as _};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tenon_model::Timestamp;
use tenon_server::DirectiveView;
use tokio::sync::mpsc::UnboundedSender;

use crate::api::{Api, Unreachable};
use crate::common::Common;

/// Between two attempts to reach a server that went away: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// Between two questions about one directive.
const BETWEEN: Duration = Duration::from_millis(250);
/// How long a server may stay away.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest line of the stream, in bytes.
const MAX_LINE: u64 = 64 << 10;

/// What the follower tells.
pub(super) enum Told {
    /// The directive, as of the stamp of the record's last entry.
    Seen {
        /// The directive.
        view: Box<DirectiveView>,
        /// The stamp.
        stamp: Option<Timestamp>,
    },
    /// The server does not answer any more; it is asked again.
    Lost(String),
    /// It answers again.
    Found,
    /// It cannot be followed.
    Failed(anyhow::Error),
}

/// The data of a `generation` event.
#[derive(Deserialize)]
struct Notice {
    facets: Vec<String>,
}

/// Nobody listens any more.
struct Gone;

/// A directive, for as long as somebody listens.
pub(super) fn follow(common: &Common, path: &str, tell: &UnboundedSender<Told>) {
    let followed =
        Api::new(common).and_then(|api| Follower { api, path, tell, seen: false, lost: None }.run());
    if let Err(error) = followed {
        // Whoever is gone needs no reason.
        let _heard = tell.send(Told::Failed(error));
    }
}

struct Follower<'a> {
    api: Api<'a>,
    path: &'a str,
    tell: &'a UnboundedSender<Told>,
    /// Whether the server ever answered: one that never did is not waited for.
    seen: bool,
    /// Since when it does not answer, and how long the last pause was.
    lost: Option<(Instant, Duration)>,
}

impl Follower<'_> {
    fn run(mut self) -> Result<()> {
        loop {
            let error = match self.stream() {
                Ok(Gone) => return Ok(()),
                Err(error) => error,
            };
            if !(self.seen && error.is::<Unreachable>()) {
                return Err(error);
            }
            let pause = match self.lost {
                None => {
                    if self.tell.send(Told::Lost(error.to_string())).is_err() {
                        return Ok(());
                    }
                    self.lost = Some((Instant::now(), FIRST_PAUSE));
                    FIRST_PAUSE
                }
                Some((since, _)) if since.elapsed() > PATIENCE => {
                    return Err(error.context(format!("for {} minutes", PATIENCE.as_secs() / 60)));
                }
                Some((since, last)) => {
                    let pause = (last * 2).min(LAST_PAUSE);
                    self.lost = Some((since, pause));
                    pause
                }
            };
            std::thread::sleep(pause);
        }
    }

    /// One stream of notices to its end, which is an error.
    fn stream(&mut self) -> Result<Gone> {
        let lines = BufReader::new(self.api.stream("/api/v1/events")?);
        let (notify, notices) = std::sync::mpsc::channel();
        // Beside the asking, so that any number of notices meanwhile lead to one more question. It ends with the stream, or when
        // nobody takes its next notice.
        let reader = std::thread::Builder::new().name("notices".to_owned());
        reader.spawn(move || read(lines, &notify)).context("starting a thread")?;
        loop {
            notices.recv().context("the reader of the live stream ended")??;
            while let Ok(more) = notices.try_recv() {
                more?;
            }
            if self.ask()?.is_err() {
                return Ok(Gone);
            }
            std::thread::sleep(BETWEEN);
        }
    }

    fn ask(&mut self) -> Result<Result<(), Gone>> {
        let (view, stamp) = self.api.get_stamped::<DirectiveView>(self.path)?;
        self.seen = true;
        if self.lost.take().is_some() && self.tell.send(Told::Found).is_err() {
            return Ok(Err(Gone));
        }
        let told = self.tell.send(Told::Seen { view: Box::new(view), stamp });
        Ok(told.map_err(|_| Gone))
    }
}

/// Reads a stream: a notice for each change of directives, and the error with which it ends.
fn read(mut lines: impl BufRead, notify: &Sender<Result<()>>) {
    loop {
        let notice = next(&mut lines);
        let ends = notice.is_err();
        if notify.send(notice).is_err() || ends {
            return;
        }
    }
}

/// Up to the next notice about directives.
fn next(lines: &mut impl BufRead) -> Result<()> {
    loop {
        let mut line = String::new();
        let read = lines.by_ref().take(MAX_LINE).read_line(&mut line);
        read.map_err(|error| Unreachable(format!("the server's live stream: {error}")))?;
        if !line.ends_with('\n') {
            return Err(Unreachable("the server ended its live stream".to_owned()).into());
        }
        let Some(data) = line.strip_prefix("data:") else { continue };
        let notice: Notice = serde_json::from_str(data).context("a notice of the live stream")?;
        if notice.facets.iter().any(|facet| facet == "queue") {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_to_its_notices_about_directives_and_its_end() {
        let stream = ": keep alive\n\nevent: generation\ndata: {\"generation\":7,\"facets\":[\"feeds\"]}\n\n\
                      event: generation\ndata: {\"generation\":8,\"facets\":[\"assets\",\"queue\"]}\n\n";
        let mut lines = stream.as_bytes();
        next(&mut lines).unwrap();
        let end = next(&mut lines).unwrap_err();
        assert!(end.is::<Unreachable>(), "{end:#}");
        let endless = vec![b'x'; 2 * MAX_LINE as usize];
        assert!(next(&mut endless.as_slice()).unwrap_err().is::<Unreachable>(), "no line is that long");
        let broken = next(&mut &b"data: {]\n"[..]).unwrap_err();
        assert!(!broken.is::<Unreachable>(), "asking again does not help: {broken:#}");
    }
}

//! `tenon watch`: a directive while it is rolled out, until that ends.

mod follow;
mod frame;
mod progress;
mod screen;
mod tally;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

pub(crate) use tally::Tally;

use crate::common::{Common, Format};
use follow::{Told, follow};
use frame::{line, plain};
use progress::{How, Moment};
use screen::Screen;

/// Exit status of a shell's program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Follow a directive.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon watch dir_1\n  tenon watch dir_1 --through-halts        also while a person decides how it goes on\n  \
    tenon --format json watch dir_1          one JSON object a line, one for each change\n\n\
    On a terminal it is drawn in place; elsewhere each change is a line. Ctrl-C ends the watching, never the rollout.\n\n\
    Exit status:\n  0    fixed: every host shows the fix\n  1    it cannot be followed\n  \
    3    halted, or nothing goes on before a person looks at the hosts that failed\n  \
    4    ended otherwise: superseded, withdrawn or refused, or hosts are held back\n  130  Ctrl-C\n\n\
    `tenon plan show dir_1` shows the hosts of each wave, `tenon halt` stops a rollout, `tenon resume` lets it go on."
)]
pub(crate) struct Watch {
    /// `dir_...`
    directive: String,
    /// Go on watching where it is halted.
    #[arg(long)]
    through_halts: bool,
}

/// Where changes go.
enum Output {
    /// One JSON object a line.
    Json,
    /// One line each.
    Lines,
    /// A terminal, drawn in place.
    Screen(Screen),
}

impl Watch {
    pub(crate) fn run(&self, common: &Common) -> Result<ExitCode> {
        let (tell, mut told) = mpsc::unbounded_channel();
        let (common_too, path) = (common.clone(), format!("/api/v1/directives/{}", self.directive));
        let follower = std::thread::Builder::new().name("watch".to_owned());
        // It ends with the program: it may be waiting for the server.
        follower.spawn(move || follow(&common_too, &path, &tell)).context("starting a thread")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut shown = Shown { output: Output::of(common.format), last: None };
        runtime.block_on(async {
            let mut interrupts = signal(SignalKind::interrupt())?;
            loop {
                let told = tokio::select! {
                    _ = interrupts.recv() => {
                        shown.interrupted(&self.directive)?;
                        return Ok(ExitCode::from(INTERRUPTED));
                    }
                    told = told.recv() => told.context("the follower ended")?,
                };
                match told {
                    Told::Seen { view, stamp } => {
                        let moment = Moment::of(&view, stamp, self.through_halts);
                        let how = moment.progress.end.as_ref().map(|end| end.how);
                        shown.moment(moment)?;
                        if let Some(how) = how {
                            return Ok(how.into());
                        }
                    }
                    Told::Lost(why) => shown.lost(&why)?,
                    Told::Found => shown.found()?,
                    Told::Failed(error) => return Err(error),
                }
            }
        })
    }
}

impl From<How> for ExitCode {
    fn from(how: How) -> Self {
        match how {
            How::Fixed => Self::SUCCESS,
            How::Halted | How::Failed => Self::from(3),
            How::Otherwise => Self::from(4),
        }
    }
}

impl Output {
    fn of(format: Format) -> Self {
        let drawn =
            std::io::stdout().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        match format {
            Format::Json => Self::Json,
            Format::Text if drawn => Self::Screen(Screen::default()),
            Format::Text => Self::Lines,
        }
    }
}

/// What was shown last.
struct Shown {
    output: Output,
    last: Option<Moment>,
}

impl Shown {
    fn moment(&mut self, moment: Moment) -> Result<()> {
        if self.last.as_ref().is_some_and(|last| last.progress == moment.progress) {
            return Ok(());
        }
        match &mut self.output {
            Output::Json => println!("{}", serde_json::to_string(&moment)?),
            Output::Lines => println!("{}", line(&moment)),
            Output::Screen(screen) => screen.draw(&moment, None)?,
        }
        std::io::stdout().flush()?;
        self.last = Some(moment);
        Ok(())
    }

    /// The server does not answer.
    fn lost(&mut self, why: &str) -> Result<()> {
        self.message(&format!("asking again: {why}"))
    }

    /// It answers again; what it says follows where anything changed.
    fn found(&mut self) -> Result<()> {
        match (&mut self.output, &self.last) {
            (Output::Screen(screen), Some(last)) => screen.draw(last, None),
            _ => self.message("the server answers again"),
        }
    }

    fn message(&mut self, said: &str) -> Result<()> {
        match (&mut self.output, &self.last) {
            (Output::Screen(screen), Some(last)) => screen.draw(last, Some(said))?,
            _ => eprintln!("{}", plain(said)),
        }
        Ok(())
    }

    fn interrupted(&mut self, directive: &str) -> Result<()> {
        let said = "not watched any more; the rollout goes on";
        match (&mut self.output, &self.last) {
            (Output::Screen(screen), Some(last)) => screen.draw(last, Some(said))?,
            _ => eprintln!("{directive}: {said}"),
        }
        Ok(())
    }
}

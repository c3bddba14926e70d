//! Policies replayed over history beside the record: one replay at a time, and what came of the last ones.
//!
//! ```text
//! ask: policies, span, state of the files --not known yet--> a thread: read the folder, replay --> kept for whoever asks the same
//! ```
//!
//! Nothing here is of the record: a replay reads files and the text of policies, and changes nothing.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenon_feeds::{Depth, FeedError, Survey, read_history, survey_history};
use tenon_predict::backtest::{Policy, Replay, Replayed};
use tenon_predict::{Day, HORIZON, ModelFile, Outcomes, Universe};
use tokio::sync::watch;

/// A replay that takes longer is ended; eight policies over two years of public history take some seconds.
const LONGEST: Duration = Duration::from_secs(600);
/// Results that are kept, each of some kilobytes.
const KEPT: usize = 16;

/// Replays over the history of one folder. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Backtests(Arc<Inner>);

struct Inner {
    folder: Option<PathBuf>,
    stopped: watch::Receiver<bool>,
    /// What there was when it was last looked at.
    survey: Mutex<Option<Survey>>,
    replays: Mutex<Replays>,
}

#[derive(Default)]
struct Replays {
    running: Option<(Asked, Progress)>,
    /// The last ones, the newest at the end.
    done: VecDeque<(Asked, Result<Arc<Backtest>, String>)>,
}

/// What is replayed. Policies are compared by what they say, so that another text under the same name is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) policies: Vec<Policy>,
    /// The first and the last day.
    pub(crate) span: (Day, Day),
    /// State of the files, as [`Survey::stamp`] has it.
    pub(crate) stamp: String,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many files are read, of so many.
    Reading(u64, u64),
    /// So many days are replayed, of so many.
    Replaying(u64, u64),
}

/// How it stands with what was asked.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// It begins when another has ended, which is so far.
    Waiting(Progress),
    /// It is so far.
    Running(Progress),
    /// It is done.
    Done(Arc<Backtest>),
}

/// What came of a replay.
#[derive(Debug)]
pub(crate) struct Backtest {
    pub(crate) span: (Day, Day),
    pub(crate) policies: Vec<Replayed>,
    /// Days of scores in the span whose next days are not complete.
    pub(crate) left_out: u64,
    /// SHA-256 over the files of lists.
    pub(crate) digest: String,
    /// The newest model of forecasts.
    pub(crate) model: Option<String>,
    /// Lines of files that could not be read.
    pub(crate) unread: u64,
}

impl Backtests {
    /// Over the history of a folder; over none where there is no folder.
    pub(crate) fn over(folder: Option<PathBuf>, stopped: watch::Receiver<bool>) -> Self {
        Self(Arc::new(Inner { folder, stopped, survey: Mutex::default(), replays: Mutex::default() }))
    }

    /// What history there is; `None` where no folder was named. It reads files that were replaced.
    pub(crate) fn survey(&self) -> Option<Result<Survey, FeedError>> {
        let folder = self.0.folder.as_deref()?;
        let mut last = self.0.survey.lock().unwrap_or_else(PoisonError::into_inner);
        let survey = survey_history(folder, last.as_ref());
        if let Ok(survey) = &survey {
            *last = Some(survey.clone());
        }
        Some(survey)
    }

    /// How it stands with a replay, which begins where it has not yet and no other is under way.
    ///
    /// # Errors
    /// Why it failed; asking again tries again.
    pub(crate) fn ask(&self, asked: Asked) -> Result<Standing, String> {
        let folder = self.0.folder.clone().ok_or("no history was named")?;
        let mut replays = self.0.replays();
        let known = replays.done.iter().position(|(done, _)| *done == asked);
        if let Some((asked, ended)) = known.and_then(|at| replays.done.remove(at)) {
            let backtest = ended?;
            replays.done.push_back((asked, Ok(backtest.clone())));
            return Ok(Standing::Done(backtest));
        }
        if let Some((running, progress)) = &replays.running {
            let same = *running == asked;
            return Ok(if same { Standing::Running(*progress) } else { Standing::Waiting(*progress) });
        }
        let progress = Progress::Reading(0, 0);
        replays.running = Some((asked.clone(), progress));
        drop(replays);
        let inner = self.0.clone();
        tokio::spawn(async move {
            let (at_work, what) = (inner.clone(), asked.clone());
            let ran = tokio::task::spawn_blocking(move || at_work.replay(&folder, &what)).await;
            let ended = ran.unwrap_or_else(|error| Err(format!("the replay broke off: {error}")));
            let mut replays = inner.replays();
            replays.running = None;
            replays.done.push_back((asked, ended.map(Arc::new)));
            if replays.done.len() > KEPT {
                replays.done.pop_front();
            }
        });
        Ok(Standing::Running(progress))
    }
}

impl Inner {
    fn replays(&self) -> MutexGuard<'_, Replays> {
        self.replays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_at(&self, progress: Progress) {
        if let Some((_, at)) = &mut self.replays().running {
            *at = progress;
        }
    }

    fn replay(&self, folder: &Path, asked: &Asked) -> Result<Backtest, String> {
        let (started, Asked { policies, span, .. }) = (Instant::now(), asked);
        let models = ModelFile::shipped().map_err(|error| error.to_string())?;
        let records = policies.iter().any(Policy::reads_records);
        let depth = if records { Depth::Records } else { Depth::Lists };
        let read = read_history(folder, depth, &mut |at| self.is_at(Progress::Reading(at.number, at.of)));
        let read = read.map_err(|error| error.to_string())?;
        let outcomes = Outcomes::of(&read.history);
        let replay = Replay { policies, universe: Universe::Scored, span: *span, fleet: None };
        let days = replay.days(&read.history) as u64;
        let mut done = 0;
        let replayed = replay.over(&read.history, &outcomes, &models, &mut |_| {
            self.is_at(Progress::Replaying(done, days));
            done += 1;
            let late = started.elapsed() > LONGEST || *self.stopped.borrow();
            if late { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let replayed = replayed.map_err(|_| {
            let minutes = LONGEST.as_secs() / 60;
            format!("the replay took more than {minutes} minutes: ask for fewer policies or a shorter span")
        })?;
        let done = replayed.first().map_or(0, |one| one.days.len() as u64);
        if done == 0 {
            let (from, to) = span;
            return Err(format!(
                "no day of scores from {from} to {to} has its next {HORIZON} days of listings"
            ));
        }
        Ok(Backtest {
            span: *span,
            policies: replayed,
            left_out: days - done,
            digest: read.digest,
            model: models.newest().map(|model| model.version.clone()),
            unread: read.problems.total(),
        })
    }
}

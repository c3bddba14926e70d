//! The writer decides the next group while one is appended: neither is seen or answered before it is durable.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tenon_journal::{JournalError, SqliteJournal};
use tenon_model::{Command, RefusalCode};
use tenon_server::{Accepted, SubmitError, Writer, replay};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::guarded::{Call, Guarded, failed};
use crate::lived::clock;

const DEADLINE: Duration = Duration::from_secs(60);

/// More commands than one append takes, and fewer than two.
const GROUPS: usize = 300;

/// Where appends wait until the test lets them on.
struct Gate {
    arrived: Receiver<()>,
    answers: Sender<Result<(), JournalError>>,
}

impl Gate {
    /// Waits until an append is about to write.
    fn arrival(&self) {
        self.arrived.recv_timeout(DEADLINE).unwrap();
    }

    fn let_on(&self, answer: Result<(), JournalError>) {
        self.answers.send(answer).unwrap();
    }
}

/// A writer whose appends wait at the gate, and whose first decision waits for `begin`.
fn start(path: &Path) -> (Writer, Gate, Sender<()>) {
    let ((tell, arrived), (answers, told)) = (channel(), channel());
    let guard = move |call| match call {
        Call::Append => {
            tell.send(()).unwrap();
            told.recv_timeout(DEADLINE).unwrap()
        }
        Call::Removal => Ok(()),
    };
    let (begin, begun) = channel();
    let begun = Mutex::new(Some(begun));
    // Every decision asks the clock.
    let slow_at_first = move || {
        let first: Option<Receiver<()>> = begun.lock().unwrap().take();
        first.into_iter().for_each(|begun| begun.recv_timeout(DEADLINE).unwrap());
        clock()
    };
    let inner = SqliteJournal::open(path).unwrap();
    let journal = Guarded { inner, guard: Box::new(guard) };
    (Writer::start(Box::new(journal), slow_at_first).unwrap(), Gate { arrived, answers }, begin)
}

fn promote(group: &str) -> Command {
    Command::Promote { group: group.parse().unwrap(), by: "tester".parse().unwrap() }
}

type Answer = JoinHandle<Result<Accepted, SubmitError>>;

struct Scene {
    runtime: Runtime,
    writer: Writer,
    gate: Gate,
    begin: Sender<()>,
}

impl Scene {
    fn new(path: &Path) -> Self {
        let (writer, gate, begin) = start(path);
        Self { runtime: Runtime::new().unwrap(), writer, gate, begin }
    }

    fn send(&self, group: &str, key: Option<&str>) -> Answer {
        let (writer, command) = (self.writer.clone(), promote(group));
        let key = key.map(|key| key.parse().unwrap());
        let mut sent = Box::pin(async move { writer.submit(command, key).await });
        // Polled once, it waits in the writer's queue.
        match sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => self.runtime.spawn(sent),
            Poll::Ready(answer) => self.runtime.spawn(async { answer }),
        }
    }

    fn answer(&self, answer: Answer) -> Result<Accepted, SubmitError> {
        self.runtime.block_on(async { tokio::time::timeout(DEADLINE, answer).await.unwrap().unwrap() })
    }

    /// Commands that come while an append is held: so many groups are promoted, each twice. The second time is refused, which is
    /// answered as soon as it is decided.
    fn flood(&self) -> Vec<Answer> {
        let twice = (0..2 * GROUPS).map(|number| format!("group-{}", number % GROUPS));
        twice.map(|group| self.send(&group, None)).collect()
    }

    /// Waits for the refusals, and gives the answers that are still to come.
    fn refused(&self, mut flood: Vec<Answer>) -> Vec<Answer> {
        let deadline = Instant::now() + DEADLINE;
        let mut refused = 0;
        while refused < GROUPS {
            assert!(Instant::now() < deadline, "{refused} refused");
            let (ended, waiting): (Vec<Answer>, Vec<Answer>) =
                flood.into_iter().partition(JoinHandle::is_finished);
            for answer in ended {
                match self.answer(answer) {
                    Err(SubmitError::Refused(refusal)) => assert_eq!(refusal.code, RefusalCode::NothingToDo),
                    other => panic!("{other:?}"),
                }
                refused += 1;
            }
            flood = waiting;
            std::thread::yield_now();
        }
        flood
    }
}

/// The first commands of a flood are being appended, and the rest of it is decided: more than one append takes.
fn beside_an_append(path: &Path) -> (Scene, Vec<Answer>) {
    let scene = Scene::new(path);
    let flood = scene.flood();
    scene.begin.send(()).unwrap();
    scene.gate.arrival();
    // Every second command is refused, also of those that are not in the group that is appended.
    let waiting = scene.refused(flood);
    assert_eq!((waiting.len(), scene.writer.world().seq()), (GROUPS, 0));
    assert!(!waiting.iter().any(JoinHandle::is_finished));
    (scene, waiting)
}

#[test]
fn what_is_decided_beside_an_append_is_seen_and_answered_once_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (scene, waiting) = beside_an_append(&path);
    scene.gate.let_on(Ok(()));
    scene.gate.arrival();
    assert_eq!(scene.writer.world().seq(), 256);
    scene.gate.let_on(Ok(()));
    let mut places: Vec<u64> = waiting.into_iter().map(|answer| scene.answer(answer).unwrap().seq).collect();
    places.sort_unstable();
    assert!(places.iter().copied().eq(1..=GROUPS as u64), "{places:?}");
    scene.runtime.block_on(scene.writer.stop());
    assert_eq!(replay(&SqliteJournal::open(&path).unwrap()).unwrap().seq(), GROUPS as u64);
}

#[test]
fn when_an_append_fails_nothing_that_was_decided_on_it_is_acknowledged_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (scene, waiting) = beside_an_append(&path);
    scene.gate.let_on(Err(failed()));
    for answer in waiting {
        assert!(matches!(scene.answer(answer), Err(SubmitError::Journal(_))));
    }
    assert!(matches!(scene.answer(scene.send("late", None)), Err(SubmitError::Stopped)));
    assert_eq!(scene.writer.world().seq(), 0);
    assert_eq!(replay(&SqliteJournal::open(&path).unwrap()).unwrap().seq(), 0);
}

#[test]
fn a_repetition_of_what_is_being_appended_is_answered_as_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(&folder.path().join("journal.sqlite"));
    let first = scene.send("web", Some("once"));
    scene.begin.send(()).unwrap();
    scene.gate.arrival();
    let again = scene.send("web", Some("once"));
    scene.gate.let_on(Ok(()));
    let (first, again) = (scene.answer(first).unwrap(), scene.answer(again).unwrap());
    assert_eq!(first, Accepted { seq: 1, repeated: false });
    assert_eq!(again, Accepted { seq: 1, repeated: true });
    scene.runtime.block_on(scene.writer.stop());
}

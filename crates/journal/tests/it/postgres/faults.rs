//! Connections that break and servers that crash at random points: nothing acknowledged is lost, nothing is applied twice,
//! the chain is whole.

use std::sync::Arc;

use tenon_journal::postgres::server::Server;
use tenon_journal::postgres::{PostgresJournal, PostgresUrl};
use tenon_journal::{Acknowledged, Batch, Journal, JournalError, NewEntry, verify};
use tenon_model::Blob;

use super::proxy::{Failure, Plan, Proxy};
use super::server;
use crate::random::Random;
use crate::workload::{OneMore, Place, Progress, Violation, Workload};

/// A database behind a proxy.
struct Behind<'a> {
    proxy: &'a Proxy,
    url: PostgresUrl,
}

impl Place for Behind<'_> {
    type Journal = PostgresJournal;

    fn open(&self, _: Option<u32>) -> Result<PostgresJournal, JournalError> {
        PostgresJournal::open(&self.url)
    }

    fn is_sound(&self) -> bool {
        !self.proxy.has_failed()
    }

    fn end(&self) {}
}

/// How many random points: a sample, or the full count.
pub(super) fn points(sample: u64, full: u64) -> u64 {
    if std::env::var_os("TENON_SOAK").is_some() { full } else { sample }
}

/// A server whose files are in memory where this machine has room there: its crashes are those of the process, and a
/// start after a crash syncs every file.
fn own_server() -> Arc<Server> {
    let memory = std::path::Path::new("/dev/shm");
    let roomy = rustix::fs::statvfs(memory).is_ok_and(|space| space.f_bavail * space.f_frsize > 2 << 30);
    let server = if roomy { Server::start_in(memory) } else { Server::start() };
    Arc::new(server.unwrap())
}

/// Runs the workload to its end through this failure, and looks twice at what is there. Returns how many
/// outcomes were unknown.
fn survive(workload: &Workload, place: &Behind<'_>, server: &Server, plan: Plan) -> Result<usize, Violation> {
    place.proxy.fail_at(plan);
    let mut progress = workload.run(place, 0, |_| {})?;
    if plan.failure == Failure::Crash && place.proxy.has_failed() {
        server.start_again().unwrap();
    }
    place.proxy.repair();
    let mut unknown = progress.possible - progress.acknowledged;
    while progress.acknowledged < workload.len() {
        let steps = workload.seen(place, progress)?;
        progress = workload.run(place, steps, |_| {})?;
        unknown += progress.possible - progress.acknowledged;
    }
    if unknown > 1 {
        return Err(Violation::Broken(format!("one failure made {unknown} outcomes unknown")));
    }
    workload.check(place, progress, OneMore::Absent)?;
    workload.check(place, progress, OneMore::There)?;
    Ok(unknown)
}

#[test]
fn a_failure_at_any_point_loses_nothing() {
    let Some(_) = server() else { return };
    let server = own_server();
    let proxy = Proxy::start(&server);
    let workload = Workload::mixed();
    let place = |name: &str| {
        server.database(name).unwrap();
        Behind { proxy: &proxy, url: proxy.url(name) }
    };
    proxy.fail_at(Plan { piece: u64::MAX, bytes: 0, failure: Failure::Blip });
    let progress = workload.run(&place("undisturbed"), 0, |_| {}).unwrap();
    assert_eq!(progress, Progress { acknowledged: workload.len(), possible: workload.len(), repeated: 0 });
    let pieces = proxy.passed();
    let mut random = Random::new(4);
    let mut met = 0;
    for (failure, count) in [
        (Failure::Blip, points(40, 400)),
        (Failure::Down, points(40, 400)),
        (Failure::Crash, points(20, 200)),
    ] {
        let (mut unknown, mut violations) = (0, Vec::new());
        for n in 0..count {
            let plan = Plan { piece: 1 + random.below(pieces), bytes: random.next(), failure };
            let name = format!("{failure:?}_{n}");
            match survive(&workload, &place(&name), &server, plan) {
                Ok(outcomes) => unknown += outcomes,
                Err(violation) => {
                    violations.push(format!("{plan:?} of {pieces}: {violation}"));
                }
            }
            server.execute("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)")).unwrap();
        }
        println!(
            "measured: durability, PostgreSQL: {count} times {failure:?} at a random point, {unknown} outcomes unknown, \
             violations = {}",
            violations.len()
        );
        assert!(violations.is_empty(), "{violations:#?}");
        met += unknown;
    }
    // Over all of them, because how an answer is cut into pieces is not always the same.
    assert!(met > 0, "no failure met a commit");
}

/// One of two leaders: appends its commands at whatever head it finds, each until it knows that it is there.
struct Leader<'a> {
    name: u64,
    proxy: &'a Proxy,
    url: &'a PostgresUrl,
    server: &'a Server,
}

impl Leader<'_> {
    /// Opens the journal, and brings back first what failed.
    fn open(&self) -> PostgresJournal {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            match PostgresJournal::open(self.url) {
                Ok(journal) => return journal,
                Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
            }
            self.server.start_again().unwrap();
            self.proxy.repair();
        }
    }

    /// Returns what each command was acknowledged with, and how often a failure or the other leader came between.
    fn lead(&self, commands: u64, random: &mut Random) -> (Vec<Acknowledged>, u64) {
        let mut journal = self.open();
        let (mut answers, mut disturbed) = (Vec::new(), 0);
        for number in 0..commands {
            if random.below(8) == 0 {
                let failure =
                    [Failure::Blip, Failure::Down, Failure::Crash][usize::try_from(random.below(3)).unwrap()];
                let plan = Plan { piece: 1 + random.below(20), bytes: random.next(), failure };
                self.proxy.fail_at(plan);
            }
            let batch = self.command(number);
            let key = batch.client_key.clone().unwrap();
            loop {
                let outcome =
                    journal.head().and_then(|head| journal.append(&head, std::slice::from_ref(&batch)));
                match outcome {
                    Ok(head) => {
                        answers.push(Acknowledged { after: head.seq - 2, last: head.seq });
                        break;
                    }
                    Err(JournalError::ClientKeyUsed { acknowledged, .. }) => {
                        answers.push(acknowledged);
                        break;
                    }
                    Err(JournalError::HeadMoved { .. }) => disturbed += 1,
                    Err(JournalError::OutcomeUnknown { .. } | JournalError::Storage { .. }) => {
                        disturbed += 1;
                        drop(journal);
                        self.server.start_again().unwrap();
                        self.proxy.repair();
                        journal = self.open();
                    }
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(answers.len(), usize::try_from(number).unwrap());
                if let Some(answer) = self.known(&journal, &key) {
                    answers.push(answer);
                    break;
                }
            }
        }
        (answers, disturbed)
    }

    /// What is known of the command, where the connection lets it be asked.
    fn known(&self, journal: &PostgresJournal, key: &tenon_journal::ClientKey) -> Option<Acknowledged> {
        journal.lookup_client_key(key).ok().flatten()
    }

    fn command(&self, number: u64) -> Batch {
        let text = |n| format!("leader {}, command {number}, event {n}", self.name).into_bytes();
        Batch {
            blobs: vec![Blob::new(text(9))],
            entries: [0, 1].map(|n| NewEntry { time_ms: 1, term: 1, payload: text(n) }).into(),
            client_key: Some(format!("{}-{number}", self.name).parse().unwrap()),
        }
    }
}

#[test]
fn two_leaders_and_failures_lose_and_repeat_nothing() {
    let Some(_) = server() else { return };
    let server = own_server();
    let proxies = [Proxy::start(&server), Proxy::start(&server)];
    let commands = 40;
    for round in 0..points(2, 20) {
        let name = format!("leaders_{round}");
        let direct = server.database(&name).unwrap();
        drop(PostgresJournal::open(&direct).unwrap());
        let told: Vec<(Vec<Acknowledged>, u64)> = std::thread::scope(|scope| {
            let leaders: Vec<_> = (0..2)
                .zip(&proxies)
                .map(|(leader, proxy)| {
                    let (server, name) = (&server, &name);
                    scope.spawn(move || {
                        let url = proxy.url(name);
                        let leader = Leader { name: leader, proxy, url: &url, server };
                        leader.lead(commands, &mut Random::new(round << 8 | leader.name))
                    })
                })
                .collect();
            leaders.into_iter().map(|leader| leader.join().unwrap()).collect()
        });
        proxies.iter().for_each(Proxy::repair);
        server.start_again().unwrap();
        let journal = PostgresJournal::open(&direct).unwrap();
        let report = verify(&journal).unwrap();
        // Every command is there once, where it was acknowledged, with its blob.
        assert_eq!((report.head.seq, report.blobs), (2 * 2 * commands, 2 * commands), "round {round}");
        for (leader, (answers, _)) in (0..).zip(&told) {
            let leader = Leader { name: leader, proxy: &proxies[0], url: &direct, server: &server };
            for (answer, number) in answers.iter().zip(0..) {
                let command = leader.command(number);
                assert_eq!(
                    journal.lookup_client_key(command.client_key.as_ref().unwrap()).unwrap(),
                    Some(*answer)
                );
                let entries = journal.read(answer.after + 1, 2).unwrap();
                let there: Vec<&[u8]> = entries.iter().map(|entry| entry.payload.as_slice()).collect();
                assert_eq!(there, [&command.entries[0].payload[..], &command.entries[1].payload[..]]);
                assert_eq!(
                    journal.get_blob(&command.blobs[0].digest()).unwrap().unwrap(),
                    command.blobs[0].bytes()
                );
            }
        }
        let disturbed: u64 = told.iter().map(|(_, disturbed)| disturbed).sum();
        println!(
            "measured: durability, PostgreSQL: two leaders, {} commands, {disturbed} times disturbed",
            2 * commands
        );
        assert!(disturbed > 0);
    }
}

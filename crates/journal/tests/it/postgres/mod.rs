//! The PostgreSQL journal, on a real server: the contract, two writers, foreign databases, tampering.

mod faults;
mod full;
mod proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tenon_journal::postgres::server::{Server, ServerError};
use tenon_journal::postgres::{PostgresJournal, PostgresUrl};
use tenon_journal::{
    Batch, ChainError, Durability, EntryFault, Head, Journal, JournalError, NewEntry, contract, verify,
};
use tenon_model::Blob;

/// How long a condition may take to come.
const DEADLINE: Duration = Duration::from_secs(60);

/// The server, or nothing where this machine has none, which is then said.
pub(crate) fn server() -> Option<Arc<Server>> {
    match Server::shared() {
        Ok(server) => Some(server),
        Err(error @ (ServerError::Absent | ServerError::NobodyElse)) => {
            println!("skipped: {}: {error}", std::thread::current().name().unwrap_or("a test"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// An empty database of its own.
pub(crate) fn database(server: &Server) -> PostgresUrl {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    server.database(&format!("journal_{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap()
}

/// The cases of the contract, each with a database of its own. A macro cannot skip, so each looks for the server.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        mod cases {
            $(#[test]
            fn $case() {
                let Some(server) = super::server() else { return };
                let mut journal = super::PostgresJournal::open(&super::database(&server)).unwrap();
                super::contract::$case(&mut journal).unwrap();
            })+
        }
    };
}
tenon_journal::contract_cases!(cases);

fn entries(count: u64) -> Vec<NewEntry> {
    (0..count)
        .map(|n| NewEntry { time_ms: 1_000 + n as i64, term: 1, payload: format!("event {n}").into_bytes() })
        .collect()
}

fn write(url: &PostgresUrl, count: u64) -> Head {
    let mut journal = PostgresJournal::open(url).unwrap();
    let batch = Batch { blobs: vec![Blob::new(*b"blob")], entries: entries(count), client_key: None };
    journal.append(&Head::genesis(), &[batch]).unwrap()
}

#[test]
fn a_journal_is_found_again() {
    let Some(server) = server() else { return };
    let url = database(&server);
    let head = write(&url, 10);
    let mut journal = PostgresJournal::open(&url).unwrap();
    assert_eq!(journal.head().unwrap(), head);
    assert_eq!(journal.durability().unwrap(), Durability::OneMachine);
    let mut read_only = PostgresJournal::open_read_only(&url).unwrap();
    let report = verify(&read_only).unwrap();
    assert_eq!((report.head, report.blobs), (head, 1));
    assert!(read_only.append(&head, &[Batch::default()]).is_err() && read_only.put_blob(b"x").is_err());
    assert_eq!(journal.get_blob(&tenon_model::Digest::of(b"x")).unwrap(), None);
    journal.append(&head, &[Batch { entries: vec![entries(20).remove(19)], ..Batch::default() }]).unwrap();
}

/// Everything needed for a fight: writers that append at the head they last saw, until all of them lost or the count is
/// reached. Returns how many appends each won.
fn fight(url: &PostgresUrl, writers: u64, rounds: usize) -> Vec<usize> {
    let barrier = std::sync::Barrier::new(usize::try_from(writers).unwrap());
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..writers)
            .map(|writer| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut journal = PostgresJournal::open(url).unwrap();
                    let mut won = 0;
                    for round in 0..rounds {
                        let head = journal.head().unwrap();
                        barrier.wait();
                        let payload = format!("writer {writer}, round {round}").into_bytes();
                        let batch = Batch {
                            entries: vec![NewEntry { time_ms: 1, term: 1, payload }],
                            client_key: Some(format!("{writer}-{round}").parse().unwrap()),
                            blobs: vec![Blob::new(*b"the same blob")],
                        };
                        match journal.append(&head, &[batch]) {
                            Ok(_) => won += 1,
                            Err(JournalError::HeadMoved { expected, actual }) => {
                                assert_eq!((expected.seq, actual.seq), (head.seq, head.seq + 1));
                            }
                            Err(error) => panic!("{error}"),
                        }
                        barrier.wait();
                    }
                    won
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

#[test]
fn of_writers_at_one_head_exactly_one_wins() {
    let Some(server) = server() else { return };
    for isolation in ["read committed", "serializable"] {
        let url = database(&server);
        let name = url.to_string();
        let name = name.rsplit('/').next().unwrap();
        let sql = format!("ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{isolation}'");
        server.execute("postgres", &sql).unwrap();
        let rounds = 50;
        let won = fight(&url, 3, rounds);
        assert_eq!(won.iter().sum::<usize>(), rounds, "{isolation}: {won:?}");
        let report = verify(&PostgresJournal::open_read_only(&url).unwrap()).unwrap();
        assert_eq!(report.head.seq, rounds as u64);
    }
}

#[test]
fn a_superseded_leader_is_fenced_off() {
    let Some(server) = server() else { return };
    let url = database(&server);
    let mut old = PostgresJournal::open(&url).unwrap();
    let mut new = PostgresJournal::open(&url).unwrap();
    let begin = |term| Batch {
        entries: vec![NewEntry { time_ms: 1, term, payload: b"the term begins".to_vec() }],
        ..Batch::default()
    };
    let first = old.append(&Head::genesis(), &[begin(1)]).unwrap();
    let second = new.append(&first, &[begin(2)]).unwrap();
    let refused = old.append(&first, &[begin(1)]);
    assert!(matches!(refused, Err(JournalError::HeadMoved { .. })), "{refused:?}");
    // Also one that catches up without knowing that it was superseded.
    let refused = old.append(&second, &[begin(1)]);
    assert!(matches!(refused, Err(JournalError::TermOutdated { term: 1, last_term: 2 })), "{refused:?}");
    assert_eq!(new.head().unwrap(), second);
}

#[test]
fn several_that_open_an_empty_database_make_one_journal() {
    let Some(server) = server() else { return };
    let url = database(&server);
    let barrier = std::sync::Barrier::new(4);
    let heads: Vec<Head> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    PostgresJournal::open(&url).unwrap().head().unwrap()
                })
            })
            .collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    assert_eq!(heads, [Head::genesis(); 4]);
}

#[test]
fn foreign_databases_are_told_apart() {
    let Some(server) = server() else { return };
    let open = |sql: &str| {
        let url = database(&server);
        server.execute(url.to_string().rsplit('/').next().unwrap(), sql).unwrap();
        (PostgresJournal::open(&url).map(drop), url)
    };
    let (opened, _) = open("CREATE SCHEMA tenon");
    assert!(matches!(opened, Err(JournalError::NotAJournal { .. })), "{opened:?}");
    let (opened, _) = open("CREATE SCHEMA tenon; CREATE TABLE tenon.journal (x int)");
    assert!(matches!(opened, Err(JournalError::NotAJournal { .. })), "{opened:?}");
    let (opened, url) = open("CREATE TABLE journal (x int); CREATE TABLE entry (x int)");
    assert!(opened.is_ok(), "other schemas are other people's: {opened:?}");
    let name = url.to_string().rsplit('/').next().unwrap().to_owned();
    server.execute(&name, "UPDATE tenon.journal SET format = 99").unwrap();
    let opened = PostgresJournal::open(&url).map(drop);
    assert!(matches!(opened, Err(JournalError::UnknownFormat { found: 99, .. })), "{opened:?}");
    let empty = PostgresJournal::open_read_only(&database(&server)).map(drop);
    assert!(matches!(empty, Err(JournalError::NotAJournal { .. })), "{empty:?}");
    let missing = PostgresJournal::open(&server.url("nowhere").unwrap()).map(drop);
    assert!(matches!(missing, Err(JournalError::Storage { .. })), "{missing:?}");
}

/// A journal of ten entries that somebody with the database's password altered, and what verification says.
fn tampered(server: &Server, sql: &str) -> Result<(), ChainError> {
    let url = database(server);
    write(&url, 10);
    server.execute(url.to_string().rsplit('/').next().unwrap(), sql).unwrap();
    verify(&PostgresJournal::open_read_only(&url)?).map(drop)
}

#[test]
fn every_tampered_field_names_its_entry() {
    let Some(server) = server() else { return };
    for change in [
        "time_ms = time_ms + 1",
        "term = term + 1",
        "payload = '\\x00'",
        "prev = hash",
        "hash = prev",
        "payload = payload || '\\x00'",
    ] {
        let outcome = tampered(&server, &format!("UPDATE tenon.entry SET {change} WHERE seq = 5"));
        assert!(matches!(outcome, Err(ChainError::Entry { seq: 5, .. })), "{change}: {outcome:?}");
    }
    let outcome = tampered(&server, "DELETE FROM tenon.entry WHERE seq = 5");
    let missing = EntryFault::Missing { found: 6 };
    assert!(matches!(&outcome, Err(ChainError::Entry { seq: 5, fault }) if *fault == missing), "{outcome:?}");
    for cut in ["DELETE FROM tenon.entry WHERE seq = 10", "UPDATE tenon.journal SET seq = 9"] {
        let outcome = tampered(&server, cut);
        let damaged = ChainError::Journal(JournalError::Damaged { path: "".into(), detail: String::new() });
        let Err(error) = outcome else { panic!("{cut}") };
        assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&damaged), "{cut}: {error}");
    }
    let outcome = tampered(&server, "UPDATE tenon.blob SET content = '\\x00'");
    let damaged = matches!(outcome, Err(ChainError::Journal(JournalError::BlobDamaged { .. })));
    assert!(damaged, "{outcome:?}");
}

#[test]
fn each_append_commits_synchronously_whatever_the_default_is() {
    let Some(server) = server() else { return };
    for (default, wanted) in [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
    {
        let url = database(&server);
        let name = url.to_string().rsplit('/').next().unwrap().to_owned();
        drop(PostgresJournal::open(&url).unwrap());
        // What was in force when the row of the head was written, noted by the server itself.
        let sql = format!(
            "ALTER DATABASE \"{name}\" SET synchronous_commit = '{default}';
             CREATE TABLE public.noted (value text);
             CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO public.noted VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
             CREATE TRIGGER note AFTER UPDATE ON tenon.journal FOR EACH ROW EXECUTE FUNCTION public.note();"
        );
        server.execute(&name, &sql).unwrap();
        write(&url, 1);
        let check = format!(
            "DO $$ BEGIN ASSERT (SELECT array_agg(value) = ARRAY['{wanted}'] FROM public.noted), \
             (SELECT string_agg(value, ',') FROM public.noted); END $$"
        );
        server.execute(&name, &check).unwrap();
    }
}

#[test]
fn a_server_that_does_not_sync_is_refused() {
    let Some(_) = server() else { return };
    let server = Server::start().unwrap();
    let url = database(&server);
    drop(PostgresJournal::open(&url).unwrap());
    server.execute("postgres", "ALTER SYSTEM SET fsync = off").unwrap();
    server.stop(tenon_journal::postgres::server::Stop::Fast).unwrap();
    server.start_again().unwrap();
    let Err(error) = PostgresJournal::open(&url) else { panic!("opened") };
    assert!(error.to_string().contains("fsync = off"), "{error}");
    PostgresJournal::open_read_only(&url).unwrap();
}

#[test]
fn a_commit_that_waits_for_no_standby_is_not_acknowledged() {
    let Some(_) = server() else { return };
    let server = Server::start().unwrap();
    let url = database(&server);
    let mut journal = PostgresJournal::open(&url).unwrap();
    server.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").unwrap();
    let standbys = "nobody".to_owned();
    let deadline = Instant::now() + DEADLINE;
    while journal.durability().unwrap() != (Durability::Replicated { standbys: standbys.clone() }) {
        assert!(Instant::now() < deadline, "the session does not see the standby");
        // Asked again each time: on a busy machine one request has been seen to reach no session for a minute. The server
        // lets some time pass before it answers, so that nothing here spins.
        server.execute("postgres", "SELECT pg_reload_conf(), pg_sleep(0.01)").unwrap();
    }
    // A session sees the new setting before the process that tells commits to wait does: what commits until then is
    // acknowledged, as it should be.
    let mut head = Head::genesis();
    let mut before = 0;
    let (outcome, after) = std::thread::scope(|scope| {
        let append = scope.spawn(|| {
            loop {
                // Also where nobody ever waits, so that the test ends.
                assert!(Instant::now() < deadline, "no commit waits for the standby");
                let batch = Batch { entries: entries(1), ..Batch::default() };
                match journal.append(&head, &[batch]) {
                    Ok(next) => (head, before) = (next, before + 1),
                    Err(outcome) => return (outcome, journal.head()),
                }
            }
        });
        // An operator who sees it wait cancels it; the server then calls the commit done and only warns. Its own sessions
        // wait for the standby too, and are left alone.
        wait_in(
            &server,
            "PERFORM pg_cancel_backend(pid) FROM pg_stat_activity
             WHERE wait_event = 'SyncRep' AND application_name = 'tenon'",
        );
        append.join().unwrap()
    });
    assert!(matches!(outcome, JournalError::OutcomeUnknown { .. }), "{outcome:?}");
    assert!(matches!(after, Err(JournalError::NeedsReopen { .. })), "{after:?}");
    assert_eq!(PostgresJournal::open(&url).unwrap().head().unwrap().seq, before + 1);
}

/// Repeats a statement of PL/pgSQL until it finds something, for a minute at most. All of it happens in one statement of one
/// session, in which the server sleeps between the tries.
fn wait_in(server: &Server, statement: &str) {
    let sql = format!(
        "DO $$ DECLARE deadline timestamptz := clock_timestamp() + '{} s';
         BEGIN LOOP
             {statement};
             EXIT WHEN FOUND;
             ASSERT clock_timestamp() < deadline, 'the condition did not come';
             PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
         END LOOP; END $$",
        DEADLINE.as_secs()
    );
    server.execute("postgres", &sql).unwrap();
}

#[test]
fn an_idle_journal_survives_a_restart_of_the_server() {
    let Some(_) = server() else { return };
    let server = Server::start().unwrap();
    let url = database(&server);
    let mut journal = PostgresJournal::open(&url).unwrap();
    let mut head = Head::genesis();
    for how in [tenon_journal::postgres::server::Stop::Fast, tenon_journal::postgres::server::Stop::Immediate]
    {
        let batch = || Batch { entries: vec![entries(1).remove(0)], ..Batch::default() };
        head = journal.append(&head, &[batch()]).unwrap();
        server.stop(how).unwrap();
        let refused = journal.head();
        assert!(matches!(refused, Err(JournalError::Storage { .. })), "{refused:?}");
        server.start_again().unwrap();
        head = journal.append(&head, &[batch()]).unwrap();
        server.stop(how).unwrap();
        server.start_again().unwrap();
        assert_eq!(journal.head().unwrap(), head);
    }
    assert_eq!(verify(&journal).unwrap().head.seq, 4);
}

#[test]
fn passwords_are_not_printed() {
    let secret = "hunter2%40secret";
    for text in [
        format!("postgres://ops:{secret}@localhost/tenon"),
        format!("postgres://ops@127.0.0.1:1/tenon?password={secret}"),
        format!("postgres://ops:{secret}@db.example.org/tenon?sslmode=disable"),
        format!("postgres://ops:{secret}@db.example.org/tenon"),
        format!("postgres://ops:{secret}@localhost/tenon?sslmode=require"),
        format!("postgres://ops:{secret}@localhost"),
        format!("postgres://ops:{secret}@localhost/tenon?{secret}=1"),
        format!("ops:{secret}@localhost/tenon"),
        format!("postgres://localhost:1/tenon?password={secret}"),
    ] {
        let shown = match text.parse::<PostgresUrl>() {
            Ok(url) if text.contains("example.org") => format!("{url} {url:?}"),
            // Nothing listens on port 1, so that the failure to connect is shown too.
            Ok(url) => format!("{url} {url:?} {:?}", PostgresJournal::open(&url).map(drop)),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let url = "postgres://ops:pw@%2Frun%2Fpostgresql:5433/tenon".parse::<PostgresUrl>().unwrap();
    assert_eq!(url.to_string(), "postgres://ops@/run/postgresql:5433/tenon");
}

#[test]
fn a_wrong_password_is_not_printed() {
    let Some(_) = server() else { return };
    let server = Server::start().unwrap();
    server.execute("postgres", "CREATE ROLE ops LOGIN PASSWORD 'right'").unwrap();
    server.require_passwords().unwrap();
    let text = |password: &str| server.text("postgres").replace("tenon@", &format!("ops:{password}@"));
    let wrong: PostgresUrl = text("hunter2").parse().unwrap();
    let Err(error) = PostgresJournal::open(&wrong) else { panic!("opened") };
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    // The right one gets in, and is told that it may not make a journal there.
    let Err(error) = PostgresJournal::open(&text("right").parse().unwrap()) else { panic!("opened") };
    assert!(error.to_string().contains("permission denied"), "{error}");
}

//! The record in a PostgreSQL database: a restart finds it again, and of two servers the later leads.

use std::sync::Arc;

use tenon_journal::postgres::PostgresJournal;
use tenon_journal::postgres::server::{Server as Database, ServerError, Stop};
use tenon_journal::{Durability, Store, verify};

use crate::running::Server;

/// A database, or nothing where this machine has no PostgreSQL, which is then said.
fn database(name: &str) -> Option<(Arc<Database>, Store)> {
    match Database::shared() {
        Ok(server) => {
            let url = server.database(name).unwrap();
            Some((server, Store::Postgres(url)))
        }
        Err(error @ (ServerError::Absent | ServerError::NobodyElse)) => {
            println!("skipped: {name}: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Has the record hold one more command: a token for a host of this group.
fn write(server: &Server) -> Result<(), tenon_server::ServeError> {
    let token = server.running().enrol_token("web".parse().unwrap());
    server.runtime().block_on(token).map(drop)
}

fn seq(server: &Server) -> u64 {
    server.running().writer.world().seq()
}

fn digest(server: &Server) -> tenon_model::Digest {
    server.running().writer.world().digest().unwrap()
}

#[test]
fn the_record_in_a_database_is_found_again() {
    let Some((_database, store)) = database("found_again") else { return };
    let in_database = |settings: &mut tenon_server::Settings| settings.store = Some(store.clone());
    let mut first = Server::with(in_database);
    assert_eq!(first.running().durability, Durability::OneMachine);
    assert!(!first.running().folder.path("journal.sqlite").exists());
    write(&first).unwrap();
    let (before, known) = (seq(&first), digest(&first));
    first.stop();
    let Store::Postgres(url) = &store else { panic!("{store}") };
    let journal = PostgresJournal::open_read_only(url).unwrap();
    assert_eq!(tenon_server::replay(&journal).unwrap().digest().unwrap(), known);
    // A new term begins on what is there.
    let second = Server::with(in_database);
    assert_eq!(seq(&second), before + 1);
    assert_eq!(verify(&journal).unwrap().head.seq, before + 1);
    assert_eq!(tenon_server::replay(&journal).unwrap().digest().unwrap(), digest(&second));
}

#[test]
fn of_two_servers_on_one_database_the_later_leads() {
    let Some((_database, store)) = database("two_servers") else { return };
    let in_database = |settings: &mut tenon_server::Settings| settings.store = Some(store.clone());
    let old = Server::with(in_database);
    let new = Server::with(in_database);
    let before = seq(&new);
    // Whatever the old one is told now, it may not write.
    assert!(write(&old).is_err());
    write(&new).unwrap();
    assert!(write(&old).is_err());
    assert_eq!(seq(&new), before + 1);
    assert!(seq(&old) < before);
}

#[test]
fn a_restart_of_the_database_between_commands_is_not_noticed() {
    let Some(_) = database("present") else { return };
    let database = Database::start().unwrap();
    let store = Store::Postgres(database.database("restarted").unwrap());
    let server = Server::with(|settings| settings.store = Some(store));
    write(&server).unwrap();
    let before = seq(&server);
    database.stop(Stop::Fast).unwrap();
    database.start_again().unwrap();
    write(&server).unwrap();
    assert_eq!(seq(&server), before + 1);
}

#[test]
fn a_start_that_fails_says_why_and_ends() {
    let Some((database, store)) = database("fails") else { return };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = |store: Store| {
        let mut settings = crate::running::settings(folder.path());
        settings.store = Some(store);
        settings.listen = taken.local_addr().unwrap();
        settings
    };
    // The journal is open by then, and closed again inside an asynchronous task.
    let Err(error) = runtime.block_on(tenon_server::serve(settings(store))) else { panic!("it serves") };
    assert!(error.to_string().contains("cannot listen on"), "{error}");
    let missing = Store::Postgres(database.url("nowhere").unwrap());
    let Err(error) = runtime.block_on(tenon_server::serve(settings(missing))) else { panic!("it serves") };
    assert!(error.to_string().contains("\"nowhere\" does not exist"), "{error}");
}
